// An application with Prisma, whose pool is in its driver adapter; callers.py says how it is called.
//
// The settings are those of client_config('prisma'). Modes: work; burst.
const { PrismaClient } = require('@prisma/client');
const { PrismaPg } = require('@prisma/adapter-pg');
const { seconds, settings, run } = require('./callers');

const adapter = new PrismaPg({
  host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, database: process.env.PGDATABASE,
  application_name: process.env.PGAPPNAME, ...settings,
});
const prisma = new PrismaClient({ adapter });

run(() => prisma.$queryRaw`SELECT pg_sleep(${seconds}::float8) IS NULL AS slept`);
