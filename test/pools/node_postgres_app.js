// An application with the pool of node-postgres; t/062_real_pools.pl starts it.
//
// node_postgres_app.js MODE CALLERS SECONDS SETTING=VALUE...
// where the settings are those of Pool, as client_config('node-postgres') prints them. Modes:
// work; burst (all callers for three seconds, then one).
const { Pool } = require('pg');

const [mode, callers, seconds, ...pairs] = process.argv.slice(2);
const settings = Object.fromEntries(pairs.map((pair) => pair.split('=')).map(([name, value]) => [name, Number(value)]));
const pool = new Pool({ application_name: process.env.PGAPPNAME, host: process.env.PGHOST, ...settings });
const started = Date.now();
let stopping = false;

pool.on('error', () => {});

async function call(number) {
  while (!stopping) {
    if (mode === 'burst' && number > 0 && Date.now() - started > 3000) return;
    try {
      await pool.query('SELECT pg_sleep($1)', [Number(seconds)]);
    } catch (error) {
      console.error(error.message);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

for (let number = 0; number < Number(callers); number++) call(number);
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
