// An application with Prisma, whose pool is in its driver adapter; callers.py says how it is called.
//
// The settings are those of client_config('prisma'). Modes: work; transfer (two rows of the table entry that
// must both be there, or none); burst.
const { PrismaClient } = require('@prisma/client');
const { PrismaPg } = require('@prisma/adapter-pg');
const { mode, seconds, settings, run } = require('./callers');

// how long a transaction waits for a connection, and how long it may take, in milliseconds; neither ends a
// statement that waits, so there is no deadline
const LIMITS = { maxWait: 5000, timeout: 60000 };

const adapter = new PrismaPg({
  host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, database: process.env.PGDATABASE,
  application_name: process.env.PGAPPNAME, ...settings,
});
const prisma = new PrismaClient({ adapter });

function work(client) {
  return client.$queryRaw`SELECT pg_sleep(${seconds}::float8) IS NULL AS slept`;
}

function entry(transaction, amount) {
  return transaction.$executeRaw`INSERT INTO entry (amount) VALUES (${amount}::int)`;
}

function transfer() {
  return prisma.$transaction(async (transaction) => {
    await entry(transaction, -1);
    await work(transaction);
    await entry(transaction, 1);
  }, LIMITS);
}

run(mode === 'transfer' ? transfer : () => work(prisma));
