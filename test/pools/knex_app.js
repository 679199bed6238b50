// An application with Knex; callers.py says how it is called.
//
// The settings are those of client_config('knex'): acquireConnectionTimeout, and the others of its pool.
// Modes: work; transfer (two rows of the table entry that must both be there, or none); burst.
const { mode, seconds, settings, state, run } = require('./callers');

const { acquireConnectionTimeout = 30000, ...pool } = settings;
const knex = require('knex')({
  client: 'pg',
  connection: { host: process.env.PGHOST, port: process.env.PGPORT, user: process.env.PGUSER,
    database: process.env.PGDATABASE, application_name: process.env.PGAPPNAME },
  pool,
  acquireConnectionTimeout,
});

function work(db) {
  return db.raw('SELECT pg_sleep(?)', [seconds]);
}

function entry(transaction, amount) {
  const query = transaction('entry').insert({ amount });
  return state.deadline ? query.timeout(state.deadline * 1000, { cancel: true }) : query;
}

function transfer() {
  return knex.transaction(async (transaction) => {
    await entry(transaction, -1);
    await work(transaction);
    await entry(transaction, 1);
  });
}

run(mode === 'transfer' ? transfer : () => work(knex));
