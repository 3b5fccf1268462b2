// `node scripts/build.mjs [native] [wasm] [js] [--probe]` builds the named parts, by default all, where they are stale;
// --probe adds the test builds. Plain JavaScript without dependencies, so that it can also install them.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const newest = (path) => {
  if (!existsSync(path)) return 0;
  const info = statSync(path);
  return info.isDirectory() ? Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name)))) : info.mtimeMs;
};
const stale = (target, ...sources) =>
  !existsSync(target) || Math.max(...sources.map(newest)) > statSync(target).mtimeMs;
const found = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
/** What the native addon cannot be built without, if it is missing. */
const missingTool = () =>
  !found('cmake') ? 'cmake' : !['c++', 'g++', 'clang++'].some(found) ? 'a C++ compiler' : undefined;

/** Runs a command. Its output is shown only if it fails, or with SEQLIK_VERBOSE. */
export function run(what, command, args) {
  process.stderr.write(`${what} ...\n`);
  const quiet = !process.env.SEQLIK_VERBOSE;
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    stdio: quiet ? 'pipe' : 'inherit',
    encoding: 'utf8',
  });
  if (status === 0) return;
  throw new Error(
    `${what} failed: ${command} ${args.join(' ')}\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`,
  );
}
const bin = (name) => join('node_modules', '.bin', name);
/** The compiler by its package: the least version that consumers may have is installed, too, and has the same command. */
const compile = (what, project) => run(what, process.execPath, ['node_modules/typescript/bin/tsc', '-p', project]);

const nativeTarget = (probe) => `build/native/Release/${probe ? 'probe' : 'kernels'}.node`;
const settings = ['tsconfig.json', 'src/tsconfig.json', 'test/tsconfig.json', 'package.json'];
const programs = ['test/golden', 'test/programs', 'test/support', 'examples', 'bench'];
/** Whether a part has to be made anew. */
const needs = {
  // npm ci would empty the folder a link points to
  packages: () =>
    !lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink() &&
    stale('node_modules/.package-lock.json', 'package-lock.json'),
  native: (probe) => stale(nativeTarget(probe), 'native', 'CMakeLists.txt', ...(probe ? ['test/probe'] : [])),
  wasm: () => stale('dist/wasm/inline.js', 'assembly', 'asconfig.json', 'src/wasm'),
  library: () => stale('dist/index.js', 'src', ...settings),
  programs: () => stale('build/js/test/golden/run.js', 'src', ...programs, ...settings),
};
/** About how long the parts take that have to be made, in seconds on these cores; 0: everything is there. */
export function estimate() {
  const cores = availableParallelism();
  const seconds = {
    packages: 40,
    native: process.env.SEQLIK_NO_NATIVE || missingTool() ? 0 : 120 / cores,
    wasm: 20,
    library: 10,
    programs: 10,
  };
  return Object.entries(seconds).reduce((sum, [part, time]) => sum + (needs[part](false) ? time : 0), 0);
}

/** Installs packages if node_modules is older than the lockfile. */
export function install() {
  if (!needs.packages()) return;
  run('installing packages (npm ci)', process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci']);
}

/** Builds the addon; returns whether it is there. Without cmake or a compiler it says so, and all else runs on wasm. */
export function native({ probe = false } = {}) {
  if (process.env.SEQLIK_NO_NATIVE) return false;
  const outdated = needs.native(probe);
  const missing = missingTool();
  if (missing) {
    process.stderr.write(`no ${missing} here: the native addon is not built, everything runs on WebAssembly\n`);
    return !outdated;
  }
  if (outdated) {
    const what = `the native addon${probe ? ' and its test build' : ''}`;
    const out = ['--out', 'build/native'];
    run(`configuring ${what}`, bin('cmake-js'), ['configure', ...out, `--CDPROBE=${probe ? 'ON' : 'OFF'}`]);
    run(`building ${what}`, bin('cmake-js'), ['build', ...out, '--parallel', String(availableParallelism())]);
  }
  return true;
}

/** Builds the WebAssembly module and the files that carry it. */
export function wasm({ probe = false } = {}) {
  if (needs.wasm()) {
    mkdirSync('dist/wasm', { recursive: true });
    run('building the WebAssembly module', bin('asc'), ['--target', 'release']);
    run('cutting out the kernels of mixtures', process.execPath, ['scripts/cut.mjs', 'mixture', 'gaussian', 'mixture']);
    const bytes = readFileSync('dist/wasm/kernels.wasm').toString('base64');
    for (const name of readdirSync('src/wasm').filter((name) => name.endsWith('.js')))
      writeFileSync(join('dist/wasm', name), readFileSync(join('src/wasm', name), 'utf8').replace('BYTES', bytes));
  }
  if (probe && stale('build/probe.wasm', 'assembly', 'asconfig.json', 'test/probe'))
    run('building the WebAssembly module of the tests', bin('asc'), [
      '--config',
      'test/probe/asconfig.json',
      '--target',
      'release',
    ]);
}

/** Compiles the library into dist/, and examples, bench and test programs into build/js/. */
export function js() {
  if (needs.library()) {
    compile('compiling src', 'src');
    chmodSync('dist/cli/main.js', 0o755); // npx runs it as it is
  }
  if (needs.programs()) compile('compiling examples and test programs', 'test');
}

if (basename(process.argv[1] ?? '') === 'build.mjs') {
  const words = process.argv.slice(2);
  const probe = words.includes('--probe');
  const parts = { native: () => native({ probe }), wasm: () => wasm({ probe }), js };
  const names = words.filter((word) => !word.startsWith('--'));
  try {
    const unknown = names.find((name) => !(name in parts));
    if (unknown) throw new Error(`unknown part ${unknown}: native, wasm or js`);
    install();
    for (const name of names.length ? names : Object.keys(parts)) parts[name]();
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
