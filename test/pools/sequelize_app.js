// An application with Sequelize; callers.py says how it is called.
//
// The settings are those of its pool, as client_config('sequelize') prints them. Modes: work; transfer
// (two rows of the table entry that must both be there, or none); burst.
const { Sequelize } = require('sequelize');
const { mode, seconds, settings, run } = require('./callers');

const sequelize = new Sequelize(process.env.PGDATABASE, process.env.PGUSER, '', {
  dialect: 'postgres',
  host: process.env.PGHOST,
  port: process.env.PGPORT,
  logging: false,
  dialectOptions: { application_name: process.env.PGAPPNAME },
  pool: settings,
});

function work(transaction) {
  return sequelize.query('SELECT pg_sleep($1)', { bind: [seconds], transaction });
}

function transfer() {
  return sequelize.transaction(async (transaction) => {
    await sequelize.query('INSERT INTO entry (amount) VALUES ($1)', { bind: [-1], transaction });
    await work(transaction);
    await sequelize.query('INSERT INTO entry (amount) VALUES ($1)', { bind: [1], transaction });
  });
}

run(mode === 'transfer' ? transfer : () => work());
