/** The packed package, installed into an empty project: which backend it opens, and what it says of binaries it finds. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNative } from './support/models.ts';

const run = promisify(execFile);
const packages = resolve('build/packages');
const here = `linux-${process.arch}-gnu`;
const project = mkdtempSync(join(tmpdir(), 'seqlik-package-'));
const library = join(project, 'node_modules/seqlik');
const platforms = join(project, 'node_modules/@seqlik');
const binary = join(platforms, here, 'kernels.node');
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(SEQLIK_|NODE_OPTIONS$|npm_)/.test(name)),
);
afterAll(() => rmSync(project, { recursive: true, force: true }));

interface Opened {
  name?: string;
  code?: string;
  why?: string;
}
/** Opens the default backend of the installed library in a process of its own, and scores a point on it. */
async function open(flags: string[] = [], settings: Record<string, string> = {}): Promise<Opened> {
  const program = `
    import { defaultBackend, Gaussian } from 'seqlik';
    let told;
    try {
      const { name, why } = defaultBackend();
      const [score] = new Gaussian({ mean: [0], variances: [1] }).logDensity([[0]]);
      told = { name, why, score };
    } catch ({ code, message }) { told = { code, why: message }; }
    process.stdout.write(JSON.stringify(told));`;
  const { stdout, stderr } = await run(process.execPath, [...flags, '--input-type=module', '-e', program], {
    cwd: project,
    env: { ...env, ...settings },
  });
  expect(stderr.replace(/.*Warning.*\n.*--trace-warnings.*\n/, '')).toBe('');
  const { score, ...told } = JSON.parse(stdout) as Opened & { score?: number };
  if (told.name) expect(score).toBeCloseTo(-0.9189385332046727, 14);
  return told;
}
/** Replaces the platform packages for one test. */
async function withPlatforms(change: () => void, check: () => Promise<void>): Promise<void> {
  const kept = join(project, 'kept');
  cpSync(platforms, kept, { recursive: true });
  try {
    change();
    await check();
  } finally {
    rmSync(platforms, { recursive: true });
    cpSync(kept, platforms, { recursive: true });
    rmSync(kept, { recursive: true });
  }
}

// the package does not depend on the backend of this process: once is enough
const skipped = process.platform !== 'linux' || !hasNative || process.env['SEQLIK_BACKEND'] === 'wasm';
describe.skipIf(skipped)('packed and installed', () => {
  beforeAll(() => {
    execFileSync('npm', ['run', '--silent', 'pack'], { stdio: 'pipe', env });
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    const tarballs = readdirSync(packages).filter((name) => name === 'seqlik-0.1.0.tgz' || name.includes(here));
    const paths = tarballs.map((name) => join(packages, name));
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...paths], { cwd: project, stdio: 'pipe', env });
  }, 900_000);

  test('nothing is run at installation, and platforms stand in the packed manifest only', () => {
    const packed = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
    expect(packed.scripts).toBeUndefined();
    expect(packed.optionalDependencies).toHaveProperty(`@seqlik/${here}`, packed.version);
    expect(JSON.parse(readFileSync('package.json', 'utf8')).optionalDependencies).toBeUndefined();
    expect(JSON.parse(readFileSync(join(platforms, here, 'package.json'), 'utf8'))).toMatchObject({
      os: ['linux'],
      cpu: [process.arch],
      libc: ['glibc'],
      preferUnplugged: true,
    });
  });
  test('the addon needs the C library alone, 2.28 or later', () => {
    const list = execFileSync('objdump', ['-p', '-T', binary], { encoding: 'utf8' });
    const needed = [...list.matchAll(/NEEDED\s+(\S+)/g)].map(([, name]) => name!);
    expect(needed).toContain('libc.so.6');
    expect(needed.filter((name) => !/^(lib(c|m|pthread|dl)\.so\.\d|ld-linux.*)$/.test(name))).toEqual([]);
    const versions = [...list.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
    expect(Math.max(...versions)).toBeLessThanOrEqual(28);
    expect(list).not.toMatch(/GLIBCXX|CXXABI/);
  });

  test('native, if its package is there', async () => {
    expect(await open()).toEqual({ name: 'native' });
  });
  test('native of the right C library, if both are there', () =>
    withPlatforms(
      () => {
        const musl = join(platforms, here.replace('gnu', 'musl'));
        mkdirSync(musl);
        writeFileSync(join(musl, 'package.json'), '{ "main": "kernels.cjs" }');
        writeFileSync(join(musl, 'kernels.cjs'), 'process.exit(9)');
      },
      async () => expect(await open()).toEqual({ name: 'native' }),
    ));
  test('wasm without the package, and it says what to do', () =>
    withPlatforms(
      () => rmSync(join(platforms, here), { recursive: true }),
      async () => {
        const { name, why } = await open();
        expect(name).toBe('wasm');
        expect(why).toContain(`install seqlik with its optional package @seqlik/${here}`);
        expect(await open([], { SEQLIK_BACKEND: 'native' })).toEqual({ code: 'BACKEND', why });
      },
    ));
  test.each([0, 60, 5000, 1_000_000])('wasm beside a binary cut to %d bytes', (size) =>
    withPlatforms(
      () => writeFileSync(binary, readFileSync(binary).subarray(0, size)),
      async () => {
        const { name, why } = await open();
        expect(name).toBe('wasm');
        expect(why).toContain(`@seqlik/${here}`);
      },
    ),
  );
  test('wasm beside a binary of another system', () =>
    withPlatforms(
      () => {
        const bytes = readFileSync(binary);
        bytes[18]! ^= 0xff; // e_machine
        writeFileSync(binary, bytes);
      },
      async () => expect(await open()).toMatchObject({ name: 'wasm', why: expect.stringContaining('does not load') }),
    ));
  test('wasm beside a binary of another contract', async () => {
    const other = resolve('build/native/Release/probe.node');
    expect(await open([], { SEQLIK_NATIVE: other })).toEqual({
      name: 'wasm',
      why: expect.stringContaining('another version of seqlik'),
    });
  });
  test('SEQLIK_NATIVE names the file, wherever it is', () =>
    withPlatforms(
      () => cpSync(binary, join(project, 'moved.node')) ?? rmSync(join(platforms, here), { recursive: true }),
      async () => expect(await open([], { SEQLIK_NATIVE: join(project, 'moved.node') })).toEqual({ name: 'native' }),
    ));
  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission';
  test.each([[['--no-addons']], [[permission, '--allow-fs-read=*']]])(
    'wasm where addons are off: %s',
    async (flags) => {
      expect(await open(flags)).toEqual({ name: 'wasm', why: expect.stringContaining('addons are off') });
    },
  );

  test('the command runs', async () => {
    const { stdout } = await run('npx', ['seqlik', '--version'], { cwd: project, env });
    expect(stdout).toBe('0.1.0\n');
  });
  test('the server says which packages it needs', async () => {
    const program = `import('seqlik/server').catch(({ code, message }) => console.log(code, message));`;
    const { stdout } = await run(process.execPath, ['-e', program], { cwd: project, env });
    expect(stdout).toMatch(/^MISSING_PACKAGE .*: npm install .*fastify/);
    const serve = run('npx', ['seqlik', 'serve', 'x.seqlik'], { cwd: project, env });
    await expect(serve).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('npm install') });
  });
  test('seqlik build says what it needs, and builds into the package', async () => {
    const build = () => run('npx', ['seqlik', 'build'], { cwd: project, env });
    await expect(build()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('npm install') });
    expect(readdirSync(library)).not.toContain('build');
    await run('npm', ['install', '--no-audit', '--no-fund', 'cmake-js', 'node-addon-api'], { cwd: project, env });
    await build();
    rmSync(join(platforms, here), { recursive: true });
    expect(await open()).toEqual({ name: 'native' });
  }, 600_000);
});
