// `npm start [-- ARGUMENTS]`: installs and builds what is missing, then scores the penguins (examples/penguins.ts);
// `npm run example:NAME`: the same for another example, which is the first argument here.
import { spawn } from 'node:child_process';
import { estimate, install, js, native, wasm } from './build.mjs';

try {
  const seconds = estimate();
  if (seconds > 0) {
    const time = seconds < 60 ? 'a minute at most' : `about ${Math.ceil(seconds / 60)} minutes`;
    process.stderr.write(`setting up takes ${time}; the next start needs none of it\n`);
  }
  install();
  const hasNative = native();
  wasm();
  js();
  const [example, ...args] = process.argv.slice(2);
  run([`build/js/examples/${example}.js`, ...args], hasNative ? {} : { SEQLIK_BACKEND: 'wasm' });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

/** Runs Node and ends as it ends. */
function run(args, env) {
  const child = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    for (const each of signals) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}
