/** The packed package, installed into an empty project: which backend it opens, and what it says of binaries it finds. */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNative } from './support/models.ts';
import { env, platform as here, pack, tarballs, version } from './support/packed.ts';

const run = promisify(execFile);
const project = mkdtempSync(join(tmpdir(), 'seqlik-package-'));
const library = join(project, 'node_modules/seqlik');
const platforms = join(project, 'node_modules/@seqlik');
const binary = join(platforms, here, 'kernels.node');
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
    pack();
    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    execFileSync('npm', ['install', '--no-audit', '--no-fund', ...Object.values(tarballs)], {
      cwd: project,
      stdio: 'pipe',
      env,
    });
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
  test('the library has at most 600 kB packed, a platform with its five levels 1.5 MB', () => {
    expect(statSync(tarballs.library).size).toBeLessThanOrEqual(600_000);
    expect(statSync(tarballs.platform).size).toBeLessThanOrEqual(1_500_000);
  });
  test('every door has its code and its types, the command its file', () => {
    const { exports, bin } = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8'));
    const files = [
      ...Object.values(exports).flatMap((door) => (typeof door === 'string' ? door : Object.values(door!))),
    ];
    expect(files.length).toBeGreaterThan(6);
    for (const file of [...files, ...Object.values(bin)] as string[])
      expect(statSync(join(library, file)).size, file).toBeGreaterThan(100);
  });
  test('seqlik/external reaches no module', () => {
    const reached = new Set([join(library, 'dist/external.js')]);
    for (const file of reached)
      for (const [, name] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)"([^"]+)"/g)) {
        expect(name, file).not.toBe('#wasm');
        if (name!.startsWith('.')) reached.add(join(file, '..', name!));
      }
    expect(reached.size).toBeGreaterThan(3);
  });
  test('a bundle that scores a mixture holds neither networks nor systems, and no module', async () => {
    const entry = join(project, 'score.js');
    writeFileSync(
      entry,
      "import { GaussianMixture } from 'seqlik/external';\nglobalThis.score = (b, x) => GaussianMixture.fromBytes(b).logDensity(x);",
    );
    const bundle = await rolldown({ input: entry, platform: 'browser', logLevel: 'silent' });
    const { output } = await bundle.generate({ minify: true });
    const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
    expect(modules.map((path) => path.replace(/.*\/dist\//, '')).filter((path) => path.startsWith('chunks'))).toEqual([
      'chunks/ground.js',
      'chunks/mixture.js',
    ]);
    const size = output.reduce((sum, file) => sum + (file.type === 'chunk' ? file.code.length : 0), 0);
    expect(size).toBeLessThanOrEqual(130_000);
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
    expect(stdout).toBe(`${version}\n`);
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
