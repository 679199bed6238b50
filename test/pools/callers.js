// What the applications in JavaScript share: callers that use a pool until the standard input ends.
// callers.py says how they are called, and what they answer.
const readline = require('readline');

const BURST_MS = 3000;
const [mode, callers, seconds, ...pairs] = process.argv.slice(2);
const settings = Object.fromEntries(pairs.map((pair) => pair.split('=')).map(([name, value]) => [name, Number(value)]));
const done = Array(Number(callers)).fill(0);
const errors = {};
const started = Date.now();
const state = { paused: false, deadline: 0 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The class, and the SQLSTATE where there is one; Prisma has it inside, beside a code of its own.
function nameOf(error) {
  const cause = error.meta && error.meta.driverAdapterError && error.meta.driverAdapterError.cause;
  const code = (cause && cause.originalCode) || error.code || (error.parent && error.parent.code);
  return `${error.name} ${code || error.message.split('\n')[0]}`;
}

async function repeat(call, caller) {
  for (;;) {
    if (mode === 'burst' && caller > 0 && Date.now() - started > BURST_MS) return;
    if (state.paused) {
      await sleep(50);
      continue;
    }
    try {
      await call();
      done[caller]++;
    } catch (error) {
      const name = nameOf(error);
      if (!errors[name]) console.error(`${name}: ${error.message}`);
      errors[name] = (errors[name] || 0) + 1;
      await sleep(100);
    }
  }
}

function run(call) {
  done.forEach((_, caller) => repeat(call, caller));
  readline.createInterface({ input: process.stdin })
    .on('line', (line) => {
      const [command, argument] = line.split(' ');
      if (command === 'pause' || command === 'resume') state.paused = command === 'pause';
      if (command === 'deadline') state.deadline = Number(argument);
      console.log(JSON.stringify({ done, errors }));
    })
    .on('close', () => process.exit(0));
}

module.exports = { mode, seconds: Number(seconds), settings, state, run };
