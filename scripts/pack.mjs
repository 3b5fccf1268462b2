// `npm run pack [-- PLATFORM...]`: writes the tarballs to publish into build/packages/: seqlik, and one package with the
// addon for each platform (by default those that can be built here). Publish the platforms first.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, run, wasm } from './build.mjs';
import { bundle } from './bundle.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** How the addon is built for each platform. `compiler` is what this script can use; the others build on their own. */
const platforms = {
  'linux-x64-gnu': {
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    compiler: process.arch === 'x64' ? 'g++' : 'x86_64-linux-gnu-g++',
    processor: 'x86_64',
  },
  'linux-arm64-gnu': {
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    compiler: process.arch === 'arm64' ? 'g++' : 'aarch64-linux-gnu-g++',
    processor: 'aarch64',
  },
  'linux-x64-musl': { os: 'linux', cpu: 'x64', libc: 'musl', on: 'Alpine: apk add cmake g++ make' },
  'linux-arm64-musl': { os: 'linux', cpu: 'arm64', libc: 'musl', on: 'Alpine: apk add cmake g++ make' },
  'darwin-x64': { os: 'darwin', cpu: 'x64', on: 'macOS: xcode-select --install, brew install cmake' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64', on: 'macOS: xcode-select --install, brew install cmake' },
  'win32-x64': { os: 'win32', cpu: 'x64', on: 'Windows: clang-cl of Visual Studio (MSVC lacks vector types), cmake' },
};
/** The platform this script runs on, in the words of the table. */
const here = () => {
  const gnu = process.report?.getReport().header.glibcVersionRuntime !== undefined;
  return `${process.platform}-${process.arch}${process.platform === 'linux' ? (gnu ? '-gnu' : '-musl') : ''}`;
};
const out = 'build/packages';
/** The files for those who read the sources or pack them, which are in the repository. */
const unpacked = [
  ...['docs/architecture.md', 'docs/convolution.md', 'docs/errata.md', 'docs/format.md', 'docs/gradients.md'],
  ...['docs/math', 'docs/math.md', 'docs/pictures', 'native/glibc.cc'],
];
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const found = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** Whether the addon of a platform can be built here: by a cross compiler, or because this is the platform. */
const buildable = (name) =>
  platforms[name].compiler ? process.platform === 'linux' && found(platforms[name].compiler) : name === here();

/** Builds the addon of a platform and returns its file. */
function addon(name) {
  const { compiler, processor } = platforms[name];
  const folder = `build/addons/${name}`;
  const definitions = [`--CDPORTABLE=${compiler ? 'ON' : 'OFF'}`];
  if (compiler) definitions.push(`--CDCMAKE_CXX_COMPILER=${compiler}`);
  if (compiler && name !== here())
    definitions.push('--CDCMAKE_SYSTEM_NAME=Linux', `--CDCMAKE_SYSTEM_PROCESSOR=${processor}`);
  const cmake = join('node_modules', '.bin', 'cmake-js');
  run(`configuring the addon of ${name}`, cmake, ['configure', '--out', folder, ...definitions]);
  run(`building the addon of ${name}`, cmake, ['build', '--out', folder, '--parallel', String(availableParallelism())]);
  return `${folder}/Release/kernels.node`;
}

/** Writes a tarball of `folder`, which has its manifest in it. */
function tarball(folder) {
  run(`packing ${folder}`, process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'pack',
    `./${folder}`,
    '--pack-destination',
    out,
    '--ignore-scripts',
  ]);
}
const write = (folder, content) => writeFileSync(join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);

/** Packs the addon of one platform: a package with one binary, which npm installs only where it runs. */
function packPlatform(name) {
  const { os, cpu, libc } = platforms[name];
  const { version, license, engines } = manifest;
  const folder = `${out}/${name}`;
  mkdirSync(folder, { recursive: true });
  cpSync(addon(name), join(folder, 'kernels.node'));
  cpSync('LICENSE', join(folder, 'LICENSE'));
  writeFileSync(
    join(folder, 'README.md'),
    `# @seqlik/${name}\n\nThe native kernels of seqlik for ${name}. Install \`seqlik\`, which takes this package along.\n`,
  );
  write(folder, {
    name: `@seqlik/${name}`,
    version,
    description: `Native kernels of seqlik for ${name}`,
    license,
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc] }),
    main: 'kernels.node',
    files: ['kernels.node'],
    preferUnplugged: true,
  });
  tarball(folder);
}

/** Packs seqlik: the bundle, the module, the sources of the addon, and the platforms as optional dependencies. */
async function packLibrary() {
  const folder = `${out}/seqlik`;
  mkdirSync(folder, { recursive: true });
  wasm();
  await bundle(`${folder}/dist`);
  cpSync('dist/wasm', `${folder}/dist/wasm`, { recursive: true });
  for (const name of ['native', 'docs', 'CMakeLists.txt', 'README.md', 'LICENSE'])
    cpSync(name, join(folder, name), { recursive: true, filter: (path) => !unpacked.includes(path) });
  const { devDependencies, scripts, ...published } = manifest;
  write(folder, {
    ...published,
    files: ['dist', 'native', 'CMakeLists.txt', 'docs'],
    optionalDependencies: Object.fromEntries(
      Object.keys(platforms).map((name) => [`@seqlik/${name}`, manifest.version]),
    ),
  });
  tarball(folder);
}

const asked = process.argv.slice(2);
try {
  const unknown = asked.find((name) => !(name in platforms));
  if (unknown) throw new Error(`unknown platform ${unknown}: one of ${Object.keys(platforms).join(', ')}`);
  install();
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const [name, { on, compiler }] of Object.entries(platforms)) {
    if (asked.length ? !asked.includes(name) : false) continue;
    if (buildable(name)) packPlatform(name);
    else process.stderr.write(`${name} is not built here: it needs ${on ?? compiler}\n`);
  }
  await packLibrary();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
