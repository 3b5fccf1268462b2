// `npm start [-- ARGUMENTS]`: installs and builds what is missing, then scores the Palmer penguins (examples/penguins.ts).
import { spawn } from 'node:child_process';
import { install, js, native, wasm } from './build.mjs';

try {
  install();
  const hasNative = native();
  wasm();
  js();
  run(['build/js/examples/penguins.js', ...process.argv.slice(2)], hasNative ? {} : { SEQLIK_BACKEND: 'wasm' });
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
