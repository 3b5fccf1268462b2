// `npm test [-- VITEST ARGUMENTS]`: all set-up, then every test on every backend and level this machine has.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, js, native, wasm } from './build.mjs';

try {
  install();
  native({ probe: true });
  wasm({ probe: true });
  js();
  const vitest = [join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, vitest, { stdio: 'inherit' }).status ?? 1;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
