/** `seqlik build`: compiles the addon of this machine into the package's own folder. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { SeqlikError } from '../index.ts';

/** The package, wherever this file stands in it. */
const packageJson = createRequire(import.meta.url).resolve('seqlik/package.json');

export function addBuild(program: Command): void {
  program
    .command('build')
    .description(
      'compile the native kernels for this machine, where no package brings them; needs cmake and a compiler',
    )
    .action(build);
}

function build(): void {
  const root = dirname(packageJson);
  const cmakeJs = join(dirname(findPackage('cmake-js/package.json')), 'bin', 'cmake-js');
  const nodeAddonApi = dirname(findPackage('node-addon-api/package.json'));
  if (!runs('cmake')) throw new SeqlikError('BACKEND', 'seqlik build needs cmake, which is not on the PATH');
  if (!['c++', 'g++', 'clang++'].some(runs) && process.platform !== 'win32')
    throw new SeqlikError('BACKEND', 'seqlik build needs a C++ compiler: there is no c++, g++ or clang++ on the PATH');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      cmakeJs,
      'compile',
      ...['--directory', root],
      ...['--out', join(root, 'build', 'native')],
      ...['--parallel', String(availableParallelism())],
      `--CDNODE_ADDON_API=${nodeAddonApi}`,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 2 ** 28 },
  );
  if (status !== 0)
    throw new SeqlikError('BACKEND', `the native kernels could not be built:\n${`${stdout}${stderr}`.trimEnd()}`);
  process.stderr.write(`${join(root, 'build', 'native', 'Release', 'kernels.node')} is built\n`);
}

/** Finds a package from where the command runs, or beside seqlik. */
function findPackage(name: string): string {
  for (const from of [join(process.cwd(), 'x'), packageJson])
    try {
      return createRequire(from).resolve(name);
    } catch {} // the next place
  throw new SeqlikError(
    'MISSING_PACKAGE',
    'seqlik build needs cmake-js and node-addon-api: npm install --save-dev cmake-js node-addon-api',
  );
}
const runs = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
