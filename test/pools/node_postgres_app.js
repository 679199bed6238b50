// An application with the pool of node-postgres; callers.py says how it is called.
//
// The settings are those of Pool, as client_config('node-postgres') prints them. Modes: work; transfer
// (two rows of the table entry that must both be there, or none); burst; share (work, with the size that
// my_share() says, by what the documentation shows for that).
const { Pool } = require('pg');
const { mode, seconds, settings, state, run } = require('./callers');

const pool = new Pool({ application_name: process.env.PGAPPNAME, host: process.env.PGHOST, ...settings });

// without these two, a connection that the server closes ends the program
pool.on('error', () => {});
pool.on('connect', (client) => client.on('error', () => {}));

function work(client) {
  return client.query('SELECT pg_sleep($1)', [seconds]);
}

function entry(client, amount) {
  const limit = state.deadline ? { query_timeout: state.deadline * 1000 } : {};
  return client.query({ text: 'INSERT INTO entry (amount) VALUES ($1)', values: [amount], ...limit });
}

async function transfer() {
  const client = await pool.connect();
  let failure;
  try {
    await client.query('BEGIN');
    await entry(client, -1);
    await work(client);
    await entry(client, 1);
    await client.query('COMMIT');
  } catch (error) {
    failure = error;
    // a statement that was given up may still run: close the connection
    if (error.code) await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release(failure && !failure.code ? failure : undefined);
  }
}

if (mode === 'share') require('share')(pool, 1);
run(mode === 'transfer' ? transfer : () => work(pool));
