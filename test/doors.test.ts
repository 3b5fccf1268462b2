/** The built package from outside: how it is imported, which backend it opens, and how the environment changes that. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { levels } from '../src/levels.ts';
import { hasNative } from './support/models.ts';

const run = promisify(execFile);
type Report = Record<string, unknown>;
/** Runs a module in a process of its own, in the checkout; it reports with tell({ ... }). */
async function outside(
  code: string,
  { flags = [], env = {} }: { flags?: string[]; env?: Record<string, string> } = {},
): Promise<Report> {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^SEQLIK_|^NODE_OPTIONS$/.test(name)),
  );
  const prelude = 'const tell = (report) => process.stdout.write(JSON.stringify(report));';
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '-e', prelude + code], {
    env: { ...clean, ...env },
    encoding: 'utf8',
  });
  return JSON.parse(stdout) as Report;
}
/** A module that reports the log-densities of a mixture in both dtypes, as bits, and the backend that computed them. */
const score = (backend: string): string => `
  import { defaultBackend, GaussianMixture, openBackend } from 'seqlik';
  const backend = ${backend}, d = 5, k = 3;
  const wave = (n, f) => Float64Array.from({ length: n }, (_, i) => Math.sin(f * (i + 1)));
  const covariances = new Float64Array(k * d * d);
  for (let c = 0; c < k; c++) for (let i = 0; i < d; i++) for (let j = 0; j < d; j++)
    covariances[(c * d + i) * d + j] = i === j ? 1.3 + c : 0.2 * Math.cos(i + j + c);
  const model = new GaussianMixture({ weights: [0.2, 0.3, 0.5], means: wave(k * d, 7), covariances }, { backend });
  const x = wave(150 * d, 3), out = new BigUint64Array(model.logDensity(x).buffer);
  const single = new Uint32Array(model.logDensity(Float32Array.from(x)).buffer);
  tell({ name: backend.name, isa: backend.isa, bits: [...out, ...single].map((v) => v.toString(16)).join() });`;
const openDefault = `import { defaultBackend } from 'seqlik';
  try { const { name, isa, threads, levels } = defaultBackend(); tell({ name, isa, threads, levels }); }
  catch ({ name: error, code, argument, message }) { tell({ error, code, argument, message }); }`;
const open = (options: string): string => `import { openBackend } from 'seqlik';
  try { const { name, isa, threads } = openBackend(${options}); tell({ name, isa, threads }); }
  catch ({ name: error, code, argument, message }) { tell({ error, code, argument, message }); }`;
const names =
  'Gaussian,GaussianMixture,SeqlikError,defaultBackend,klDivergence,klDivergenceGradient,openBackend,setDefaultBackend'.split(
    ',',
  );
const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const noAddons = [permission, '--allow-fs-read=*', '--no-warnings'];
let scored: Promise<Report> | undefined;
const wasm = (): Promise<Report> => (scored ??= outside(score("openBackend({ name: 'wasm' })")));

test('the package is built', () => expect(existsSync('dist/index.js'), 'run node scripts/build.mjs').toBe(true));

describe.concurrent('importing', () => {
  test("import 'seqlik' works inside the checkout", async () => {
    const { exported } = await outside("import * as seqlik from 'seqlik'; tell({ exported: Object.keys(seqlik) });");
    expect(exported).toEqual(expect.arrayContaining(names));
  });
  test("require('seqlik') gives the same exports", async () => {
    const code = `import { createRequire } from 'node:module'; import * as seqlik from 'seqlik';
      const required = createRequire(process.cwd() + '/x.cjs')('seqlik');
      const all = Object.keys(seqlik);
      tell({ names: all.filter((name) => required[name] === seqlik[name]).length, of: all.length });`;
    const { names: same, of } = await outside(code, { flags: ['--no-warnings'] });
    expect(same).toBe(of);
    const plain = await run(
      process.execPath,
      [
        '--no-warnings',
        '--input-type=commonjs',
        '-e',
        "const { Gaussian } = require('seqlik'); console.log(new Gaussian({ mean: [0], variances: [1] }).entropy())",
      ],
      { encoding: 'utf8' },
    );
    expect(Number(plain.stdout)).toBeCloseTo(0.5 * Math.log(2 * Math.PI * Math.E), 14);
  });
  test('importing opens nothing: no file is read, no addon is loaded before the first use', async () => {
    const { addons, opened } = await outside(`import { defaultBackend } from 'seqlik';
      const loaded = () => process.report.getReport().sharedObjects.filter((path) => path.endsWith('.node')).length;
      const addons = loaded(), { name } = defaultBackend();
      tell({ addons, opened: name === 'wasm' || loaded() > 0 });`);
    expect({ addons, opened }).toEqual({ addons: 0, opened: true });
  });
  test('only the exported paths can be imported, package.json and the wasm module among them', async () => {
    const { inside, resolved } = await outside(`
      const code = (path) => import(path).then(() => 'imported', ({ code }) => code);
      const resolved = ['seqlik/kernels.wasm', 'seqlik/package.json'].map((path) => import.meta.resolve(path));
      tell({ inside: await code('seqlik/dist/bind.js'), resolved });`);
    expect(inside).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
    for (const url of resolved as string[]) expect(existsSync(new URL(url)), url).toBe(true);
    expect((resolved as string[])[0]).toMatch(/\/dist\/wasm\/kernels\.wasm$/);
  });
  test.each([
    ['workerd', 'workerd'],
    ['edge-light', 'edge-light'],
    ['browser', 'inline'],
    ['default', 'inline'],
  ])('under the condition %s the module comes from wasm/%s.js', async (condition, file) => {
    const { url } = await outside("tell({ url: import.meta.resolve('#wasm') });", {
      flags: condition === 'default' ? [] : [`--conditions=${condition}`],
    });
    expect(url).toMatch(new RegExp(`/dist/wasm/${file}\\.js$`));
    expect(existsSync(new URL(url as string))).toBe(true);
  });
});

describe.concurrent('the entry without a module', () => {
  const compile = (name: string): string =>
    `new WebAssembly.Module(readFileSync(new URL(import.meta.resolve('seqlik/${name}.wasm'))))`;
  const withFile = (code: string): string => `import { readFileSync } from 'node:fs'; ${code}`;

  test('exports what the public door exports, the same values', async () => {
    const { missing, same } = await outside(`
      import * as index from 'seqlik'; import * as external from 'seqlik/external';
      const missing = Object.keys(index).filter((name) => !(name in external));
      tell({ missing, same: Object.keys(external).every((name) => index[name] === external[name]) });`);
    expect({ missing, same }).toEqual({ missing: [], same: true });
  });
  test('asks for a module where none is given', async () => {
    const from = (code: string): string => code.replace("from 'seqlik'", "from 'seqlik/external'");
    const { code, message } = await outside(from(open("{ name: 'wasm' }")));
    expect({ code, message }).toEqual({ code: 'BACKEND', message: expect.stringContaining("'seqlik/kernels.wasm'") });
  });
  test.each(['kernels', 'mixture'])('%s.wasm gives the bits of wasm', async (name) => {
    const code = score(`openBackend({ module: ${compile(name)} })`).replace("from 'seqlik'", "from 'seqlik/external'");
    expect(await outside(withFile(code))).toEqual(await wasm());
  });
  test('mixture.wasm is below half of the whole, and says what it lacks', async () => {
    const size = (name: string): number => readFileSync(`dist/wasm/${name}.wasm`).length;
    expect(size('mixture')).toBeLessThan(size('kernels') / 2);
    const { code, message } = await outside(
      withFile(`import { convolve, openBackend } from 'seqlik/external';
        const backend = openBackend({ module: ${compile('mixture')} });
        try { tell({ y: [...convolve([1, 2, 3], [1, 1], { backend })] }); }
        catch ({ code, message }) { tell({ code, message }); }`),
    );
    expect({ code, message }).toEqual({ code: 'BACKEND', message: expect.stringContaining("'seqlik/kernels.wasm'") });
  });
});

describe.concurrent('where addons are not allowed', () => {
  test('the default is wasm, with its bits', async () => {
    const got = await outside(score('defaultBackend()'), { flags: noAddons });
    expect(got).toEqual(await wasm());
    expect(got).toMatchObject({ name: 'wasm', isa: 'simd128' });
  });
  test('native is refused, with the reason and the remedy', async () => {
    const { code, message } = await outside(open("{ name: 'native' }"), { flags: noAddons });
    expect(code).toBe('BACKEND');
    if (hasNative) expect(message).toContain('addons are off');
  });
});

// ---- a package whose addon is there and does not load ----
const addon = 'build/native/Release/kernels.node';
const root = mkdtempSync(join(tmpdir(), 'seqlik-doors-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
/** Copies the package, with `binary` as its addon; returns the address of its module. */
function packageWith(name: string, binary: (at: string) => void): string {
  const at = join(root, name);
  mkdirSync(join(at, 'build/native/Release'), { recursive: true });
  cpSync('dist', join(at, 'dist'), { recursive: true });
  cpSync('package.json', join(at, 'package.json'));
  symlinkSync(resolve('node_modules'), join(at, 'node_modules'), 'junction');
  binary(join(at, addon));
  return pathToFileURL(join(at, 'dist/index.js')).href;
}
const edit = (path: string, change: (text: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));
/** The default backend of that package, and how it refuses to be native. */
const opened = (module: string): string => `const { defaultBackend, Gaussian, openBackend } = await import('${module}');
  const { name, why } = defaultBackend();
  const [log] = new Gaussian({ mean: [0], variances: [1] }).logDensity([0]);
  const asked = (given) => { try { return openBackend(given).name; } catch ({ code, message, cause }) {
    return { code, message, cause: cause?.constructor.name }; } };
  tell({ name, why, log, native: asked({ name: 'native' }), isa: asked({ isa: 'baseline' }), wasm: asked({ name: 'wasm' }) });`;

describe.concurrent('where the addon is there and does not load', () => {
  test.each([
    ['empty', (at: string) => writeFileSync(at, ''), /kernels.node does not load: /],
    ['of another system', (at: string) => writeFileSync(at, 'MZ'.padEnd(4096)), /kernels.node does not load: /],
    [
      'of an older contract',
      (at: string) => {
        writeFileSync(at, '');
        edit(join(at, '../../../../dist/backends/default.js'), (text) =>
          text.replace('require(where)', '({ contract: 1, levels: {} })'),
        );
      },
      /kernels.node was built for another version of seqlik/,
    ],
    [
      'bundled as CommonJS, where import.meta is empty',
      (at: string) =>
        edit(join(at, '../../../../dist/backends/default.js'), (text) => text.replace('import.meta.url', 'undefined')),
      /kernels.node does not load: .*undefined/,
    ],
  ])('%s: the default is wasm, and says why; native is refused', async (name, binary, reason) => {
    const got = await outside(opened(packageWith(name, binary)));
    expect(got).toMatchObject({ name: 'wasm', wasm: 'wasm', native: { code: 'BACKEND' }, isa: { code: 'BACKEND' } });
    expect(got['log']).toBeCloseTo(-0.5 * Math.log(2 * Math.PI), 12);
    expect(got['why']).toMatch(reason);
    expect((got['native'] as Report)['message']).toMatch(reason);
  });
  test('SEQLIK_BACKEND=native makes it an error', async () => {
    const module = packageWith('by name', (at) => writeFileSync(at, ''));
    const code = `const { defaultBackend } = await import('${module}');
      try { defaultBackend(); tell({}); } catch ({ code, message }) { tell({ code, message }); }`;
    const got = await outside(code, { env: { SEQLIK_BACKEND: 'native' } });
    expect(got).toMatchObject({ code: 'BACKEND', message: expect.stringMatching(/@seqlik\/.*npx seqlik build/) });
  });
  test.runIf(hasNative)('a native backend has no reason, nor has a wasm backend that was asked for', async () => {
    const got = await outside(`import { defaultBackend, openBackend } from 'seqlik';
      tell({ native: 'why' in defaultBackend(), wasm: 'why' in openBackend({ name: 'wasm' }) });`);
    expect(got).toEqual({ native: false, wasm: false });
  });
});

describe.concurrent('where WebAssembly does not run', () => {
  const refused = (before: string): Promise<Report> =>
    outside(`${before}; const { openBackend } = await import('seqlik');
      try { openBackend({ name: 'wasm' }); tell({}); }
      catch ({ name, code, message, cause }) { tell({ name, code, message, cause: cause?.constructor.name }); }`);
  const throwing = (error: string) => `WebAssembly.Module = function () { throw ${error}; }`;
  test.each([
    ['it is absent', 'delete globalThis.WebAssembly', 'exist', 'Error'],
    ['a policy forbids it', throwing("new WebAssembly.CompileError('by policy')"), 'compile', 'CompileError'],
    ['modules of this size compile asynchronously', throwing("new RangeError('too large')"), 'compile', 'RangeError'],
    [
      'no memory is left',
      "WebAssembly.Instance = function () { throw new RangeError('no memory') }",
      'start',
      'RangeError',
    ],
  ])('%s: BACKEND, with the cause and what to do', async (_, before, verb, cause) => {
    const got = await refused(before);
    expect(got).toMatchObject({ name: 'SeqlikError', code: 'BACKEND', cause });
    expect(got['message']).toMatch(new RegExp(`WebAssembly does not ${verb} here.*setDefaultBackend`));
  });
  test('a module compiled asynchronously can be the default', async () => {
    const got = await outside(`import { readFileSync } from 'node:fs';
      const { defaultBackend, Gaussian, openBackend, setDefaultBackend } = await import('seqlik');
      const bytes = readFileSync(new URL(import.meta.resolve('seqlik/kernels.wasm')));
      const backend = openBackend({ module: await WebAssembly.compile(bytes) });
      setDefaultBackend(backend);
      const code = (given) => { try { setDefaultBackend(given); } catch ({ code, argument }) { return [code, argument]; } };
      tell({ same: defaultBackend() === backend && new Gaussian({ mean: [0], variances: [1] }).backend === backend,
        wrong: [code(undefined), code({ ...backend }), code('wasm')] });`);
    expect(got).toEqual({ same: true, wrong: Array(3).fill(['INVALID_ARGUMENT', 'backend']) });
  });
});

describe.concurrent('the environment', () => {
  const defaults = (env: Record<string, string>): Promise<Report> => outside(openDefault, { env });
  test('SEQLIK_BACKEND=wasm', async () =>
    expect(await defaults({ SEQLIK_BACKEND: 'wasm' })).toEqual({
      name: 'wasm',
      isa: 'simd128',
      threads: 1,
      levels: ['simd128'],
    }));
  test('SEQLIK_BACKEND=nonsense is refused', async () => {
    const got = await defaults({ SEQLIK_BACKEND: 'nonsense' });
    expect(got).toMatchObject({ error: 'SeqlikError', code: 'INVALID_ARGUMENT', argument: 'SEQLIK_BACKEND' });
    for (const word of ['nonsense', 'native', 'wasm']) expect(got['message']).toContain(word);
  });
  test('SEQLIK_ISA=avx9 is refused, with a list of the levels', async () => {
    const got = await defaults({ SEQLIK_ISA: 'avx9' });
    expect(got).toMatchObject({ error: 'SeqlikError', code: 'BACKEND' });
    if (hasNative) expect(got['message']).toMatch(/avx9.*baseline/);
    expect((await defaults({ SEQLIK_ISA: 'avx9', SEQLIK_BACKEND: 'wasm' }))['message']).toMatch(/avx9.*simd128/);
  });
  test.each(['x', '0', '-1', '1.5', '1e9'])('SEQLIK_THREADS=%s is refused', async (threads) =>
    expect(await defaults({ SEQLIK_THREADS: threads })).toMatchObject({
      error: 'SeqlikError',
      code: 'INVALID_ARGUMENT',
      argument: 'SEQLIK_THREADS',
    }),
  );
  test('an empty variable counts as unset', async () =>
    expect(await defaults({ SEQLIK_BACKEND: '', SEQLIK_ISA: '', SEQLIK_THREADS: '' })).toEqual(await defaults({})));
  test('SEQLIK_ISA=simd128 is wasm', async () =>
    expect(await defaults({ SEQLIK_ISA: 'simd128' })).toMatchObject({ name: 'wasm' }));
  test.runIf(hasNative)('SEQLIK_ISA=baseline and SEQLIK_THREADS=1', async () => {
    expect(await defaults({})).toMatchObject({ name: 'native' });
    expect(await defaults({ SEQLIK_ISA: 'baseline' })).toMatchObject({ name: 'native', isa: 'baseline' });
    expect(await defaults({ SEQLIK_THREADS: '1' })).toMatchObject({ name: 'native', threads: 1 });
    expect(await defaults({ SEQLIK_THREADS: '3', SEQLIK_ISA: 'baseline' })).toMatchObject({
      isa: 'baseline',
      threads: 3,
    });
  });
});

describe.concurrent('openBackend', () => {
  test("takes a compiled 'seqlik/kernels.wasm'", async () => {
    const bytes = "(await import('node:fs')).readFileSync(new URL(import.meta.resolve('seqlik/kernels.wasm')))";
    const module = `openBackend({ module: new WebAssembly.Module(${bytes}) })`;
    expect(await outside(score(module))).toEqual(await wasm());
  });
  test('wasm has no avx2', async () => {
    const got = await outside(open("{ name: 'wasm', isa: 'avx2' }"));
    expect(got).toMatchObject({ error: 'SeqlikError', code: 'BACKEND' });
    expect(got['message']).toMatch(/avx2.*simd128/);
  });
  test('reproducible is unfused and gives the bits of wasm', async () => {
    const got = await outside(score('openBackend({ reproducible: true })'));
    const level = levels.find(({ name }) => name === got['isa']);
    expect(level?.fused ?? false).toBe(false);
    expect(got['bits']).toBe((await wasm())['bits']);
    if (hasNative) expect(got['name']).toBe('native');
  });
  test.runIf(hasNative)('reproducible is the widest unfused level, and excludes a fused one', async () => {
    const { levels: present } = await outside(openDefault);
    const unfused = (present as string[]).filter((name) => !levels.find((level) => level.name === name)!.fused);
    expect(await outside(open('{ reproducible: true }'))).toMatchObject({ isa: unfused[0] });
    const fused = (present as string[]).find((name) => !unfused.includes(name));
    if (fused)
      expect(await outside(open(`{ reproducible: true, isa: '${fused}' }`))).toMatchObject({ code: 'BACKEND' });
  });
  test.runIf(hasNative)('baseline has the bits of wasm, a fused level others', async () => {
    expect((await outside(score("openBackend({ isa: 'baseline' })")))['bits']).toBe((await wasm())['bits']);
    const best = await outside(score("openBackend({ name: 'native' })"));
    const { fused } = levels.find(({ name }) => name === best['isa'])!;
    expect(best['bits'] === (await wasm())['bits']).toBe(!fused);
  });
});
