/**
 * The packed library in every runtime and through every bundler, installed into an empty project: each prints the hash of
 * the same results, and all hashes are native's. In CI the quick set; `npm run runtimes` runs the whole. What cannot be
 * installed is reported by its name.
 */
import { spawn } from 'node:child_process';
import { cpSync, createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as listen } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { beforeAll, describe, expect, type TestContext, test, vi } from 'vitest';
import { chromium, installLibrary, installTools, load, printed, project, tool } from './runtimes/project.ts';
import { hasNative } from './support/models.ts';
import { env, pack, platform, tarballs } from './support/packed.ts';

const whole = process.env['SEQLIK_RUNTIMES'] === 'all';
const asked = whole || (process.env['CI'] !== undefined && process.env['SEQLIK_BACKEND'] !== 'wasm');
let native = '';
const same = (backend: string): string => native.replace('native', backend);

/** Skips a test whose tools are missing here, and names them. */
function need(context: TestContext, tools: Readonly<Record<string, string | undefined>>): void {
  const missing = Object.keys(tools).filter((name) => tools[name] === undefined);
  if (missing.length === 0) return;
  process.stderr.write(`missing here: ${missing.join(', ')}\n`);
  context.skip(`missing: ${missing.join(', ')}`);
}
const addon = (): string => join(project, 'node_modules/@seqlik', platform, 'kernels.node');
const node22 = (): string | undefined => tool('node22/bin/node');
const node24 = (): string | undefined => tool('node24/bin/node');
const bun = (): string | undefined => tool('@oven/bun-linux-x64/bin/bun') ?? tool('@oven/bun-linux-aarch64/bin/bun');
const deno = (): string | undefined => tool('@deno/linux-x64-glibc/deno') ?? tool('@deno/linux-arm64-glibc/deno');
const workerd = (): string | undefined =>
  tool('@cloudflare/workerd-linux-64/bin/workerd') ?? tool('@cloudflare/workerd-linux-arm64/bin/workerd');
const esbuild = (): string | undefined => tool('esbuild/package.json');

/** Builds with esbuild's default configuration. */
async function bundle(entry: string, outfile: string, more: object = {}): Promise<string> {
  const { build } = await load('esbuild');
  await build({ absWorkingDir: project, entryPoints: [entry], bundle: true, outfile, logLevel: 'silent', ...more });
  return join(project, outfile);
}
/** A port that nothing listens on. */
const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = listen().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
/** Runs `use` while a server runs, as soon as it answers. */
async function serving<R>(command: string, args: string[], url: string, use: () => Promise<R>): Promise<R> {
  const server = spawn(command, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (text) => (said += text));
  const ended = new Promise((resolve) => server.on('exit', resolve));
  try {
    for (let tries = 0; ; tries++) {
      if (
        await fetch(url)
          .then((answer) => answer.text())
          .then(
            () => true,
            () => false,
          )
      )
        break;
      if (server.exitCode !== null || tries > 600) throw new Error(`${command} does not answer: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return await use();
  } finally {
    server.kill();
    await ended;
  }
}
/** Serves the files of a folder of the project while `use` runs. */
async function files<R>(folder: string, use: (url: string) => Promise<R>): Promise<R> {
  const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
  const server = createServer(({ url = '/' }, answer) => {
    const path = join(project, folder, url === '/' ? 'index.html' : new URL(url, 'http://localhost').pathname);
    if (!existsSync(path)) return answer.writeHead(404).end();
    answer.writeHead(200, { 'content-type': types[extname(path)] ?? 'text/plain' });
    return createReadStream(path).pipe(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
/** The hashes that a page tells: its own hash and that of its worker. */
async function told(url: string): Promise<string[]> {
  const { chromium: browsers } = await load('playwright-core');
  const browser = await browsers.launch({
    executablePath: chromium,
    args: '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking'.split(' '),
  });
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error: Error) => errors.push(error.message));
    await page.goto(url);
    await page
      .waitForFunction(() => (globalThis as { told?: unknown }).told, undefined, { timeout: 60_000 })
      .catch((error: Error) => Promise.reject(new Error(`${error.message}: ${errors.join('; ')}`)));
    return await page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
  } finally {
    await browser.close();
  }
}

describe.skipIf(!asked || process.platform !== 'linux' || !hasNative)('the same bits', () => {
  beforeAll(async () => {
    pack();
    installTools(whole);
    installLibrary();
    native = await printed(process.execPath, ['run.js', 'native']);
    expect(native).toMatch(/^native [0-9a-f]{16}$/);
  }, 900_000);

  test(`Node ${process.versions.node}: wasm, and by require`, async () => {
    expect(await printed(process.execPath, ['run.js', 'wasm'])).toBe(same('wasm'));
    const program = "require('./hash.js').hash().then(console.log)";
    expect(await printed(process.execPath, ['-e', program])).toBe(native);
  });
  test.for([
    ['Node 22', node22, []],
    ['Node 24', node24, []],
    ['Bun', bun, []],
    ['Deno', deno, ['run', '--allow-all', '--no-lock']],
  ] as const)('%s: native and wasm', async ([name, find, flags], context) => {
    const command = find();
    need(context, { [name]: command });
    expect(await printed(command!, [...flags, 'run.js'])).toBe(native);
    expect(await printed(command!, [...flags, 'run.js', 'wasm'])).toBe(same('wasm'));
  });

  test('workerd, which compiles no bytes', async (context) => {
    need(context, { workerd: workerd(), esbuild: esbuild() });
    await bundle('edge.js', 'workerd/edge.js', { format: 'esm', conditions: ['workerd'], external: ['*.wasm'] });
    const at = `127.0.0.1:${await freePort()}`;
    const args = ['serve', 'workerd.capnp', `--socket-addr=http=${at}`];
    const answer = await serving(workerd()!, args, `http://${at}/`, async () => (await fetch(`http://${at}/`)).text());
    expect(answer).toBe(same('wasm'));
  });

  test.for(['esm', 'cjs'] as const)('esbuild for Node, %s', async (format, context) => {
    need(context, { esbuild: esbuild() });
    const outfile = await bundle('run.js', `esbuild/run.${format === 'esm' ? 'mjs' : 'cjs'}`, {
      format,
      platform: 'node',
    });
    // a CommonJS bundle does not know where it is: native is named
    const settings = format === 'cjs' ? { SEQLIK_NATIVE: addon() } : {};
    expect(await printed(process.execPath, [outfile], settings)).toBe(native);
    expect(await printed(process.execPath, [outfile, 'wasm'])).toBe(same('wasm'));
  });
  test('esbuild for a page and its worker', async (context) => {
    need(context, { esbuild: esbuild(), chromium, 'playwright-core': tool('playwright-core') });
    for (const name of ['page', 'worker']) await bundle(`${name}.js`, `web/${name}.js`, { format: 'esm' });
    cpSync(join(project, 'page.html'), join(project, 'web/index.html'));
    expect(await files('web', told)).toEqual([same('wasm'), same('wasm')]);
  });
  test('vite dev', async (context) => {
    need(context, { vite: tool('vite'), chromium, 'playwright-core': tool('playwright-core') });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/`;
    const args = [tool('vite/bin/vite.js')!, '--host', '127.0.0.1', '--port', `${port}`];
    expect(await serving(process.execPath, args, url, () => told(url))).toEqual([same('wasm'), same('wasm')]);
  });

  describe.skipIf(!whole)('the whole set', () => {
    test('vite build', async (context) => {
      need(context, { vite: tool('vite'), chromium, 'playwright-core': tool('playwright-core') });
      await printed(process.execPath, [tool('vite/bin/vite.js')!, 'build', '--outDir', 'vite']);
      expect(await files('vite', told)).toEqual([same('wasm'), same('wasm')]);
    });
    test('webpack', async (context) => {
      need(context, { webpack: tool('webpack-cli'), chromium, 'playwright-core': tool('playwright-core') });
      const args = ['--mode', 'production', '--entry', './page.js', '--output-path', 'webpack'];
      await printed(process.execPath, [tool('webpack-cli/bin/cli.js')!, ...args]);
      writeFileSync(join(project, 'webpack/index.html'), '<!doctype html><script src="./main.js"></script>');
      expect(await files('webpack', told)).toEqual([same('wasm'), same('wasm')]);
    });
    test('bun build --compile', async (context) => {
      need(context, { bun: bun() });
      await printed(bun()!, ['build', '--compile', 'run.js', '--outfile', 'compiled-bun']);
      expect(await printed(join(project, 'compiled-bun'), [])).toMatch(native.slice('native'.length));
    });
    test('deno compile', async (context) => {
      need(context, { deno: deno() });
      try {
        await printed(deno()!, ['compile', '--allow-all', '--no-lock', '--output', 'compiled-deno', 'run.js']);
      } catch (error) {
        // it downloads the runtime to embed, from a place that is no registry
        if (/denort.*\.zip/.test((error as Error).message)) need(context, { denort: undefined });
        throw error;
      }
      expect(await printed(join(project, 'compiled-deno'), [])).toMatch(native.slice('native'.length));
    });
    test('miniflare', async (context) => {
      need(context, { miniflare: tool('miniflare'), esbuild: esbuild(), 'Node 22': node22() });
      await bundle('edge.js', 'workerd/edge.js', { format: 'esm', conditions: ['workerd'], external: ['*.wasm'] });
      cpSync(join(project, 'node_modules/seqlik/dist/wasm/kernels.wasm'), join(project, 'workerd/kernels.wasm'));
      const program = `
        import { Miniflare } from 'miniflare';
        const server = new Miniflare({ modules: true, modulesRules: [{ type: 'CompiledWasm', include: ['**/*.wasm'] }],
          modulesRoot: 'workerd', scriptPath: 'workerd/edge.js', compatibilityDate: '2026-01-01' });
        console.log(await (await server.dispatchFetch('http://localhost/')).text());
        await server.dispose();`;
      writeFileSync(join(project, 'miniflare.mjs'), program);
      const settings = { MINIFLARE_WORKERD_PATH: workerd() ?? '' };
      expect(await printed(node22()!, ['miniflare.mjs'], settings)).toBe(same('wasm'));
    });
    test('edge-runtime', async (context) => {
      need(context, { 'edge-runtime': tool('edge-runtime'), esbuild: esbuild() });
      // as Next does it: what is imported with ?module is a compiled module
      const compiled = {
        name: 'compiled',
        // biome-ignore lint/suspicious/noExplicitAny: of esbuild, which is not installed where types are checked
        setup(build: any): void {
          build.onResolve({ filter: /\.wasm\?module$/ }, () => ({ path: 'kernels', namespace: 'compiled' }));
          build.onLoad({ filter: /.*/, namespace: 'compiled' }, () => ({ contents: 'export default KERNELS' }));
        },
      };
      await bundle('run.js', 'edge-runtime/run.js', {
        format: 'iife',
        conditions: ['edge-light'],
        plugins: [compiled],
      });
      const { EdgeRuntime } = await load('edge-runtime');
      const bytes = readFileSync(join(project, 'node_modules/seqlik/dist/wasm/kernels.wasm'));
      const lines: string[] = [];
      const runtime = new EdgeRuntime({
        extend: (context: object) =>
          Object.assign(context, {
            KERNELS: new WebAssembly.Module(bytes),
            console: { log: (text: string) => lines.push(text) },
          }),
      });
      runtime.evaluate(readFileSync(join(project, 'edge-runtime/run.js'), 'utf8'));
      await vi.waitFor(() => expect(lines).toEqual([same('wasm')]), { timeout: 30_000 });
    });
    test("Yarn Plug'n'Play, which has no node_modules", async (context) => {
      const yarn = tool('@yarnpkg/cli-dist/bin/yarn.js');
      need(context, { yarn });
      const at = mkdtempSync(join(tmpdir(), 'seqlik-yarn-')); // below no package.json of ours
      const { optionalDependencies } = JSON.parse(
        readFileSync(join(project, 'node_modules/seqlik/package.json'), 'utf8'),
      );
      const manifest = {
        type: 'module',
        dependencies: { seqlik: `file:${tarballs.library}` },
        // of the platforms, none is published, and one is here
        resolutions: Object.fromEntries(
          Object.keys(optionalDependencies).map((name) => [name, `file:${tarballs.platform}`]),
        ),
      };
      writeFileSync(join(at, 'package.json'), JSON.stringify(manifest));
      for (const name of ['hash.js', 'run.js']) cpSync(join(project, name), join(at, name));
      const registry = await printed('npm', ['config', 'get', 'registry']);
      const settings = {
        YARN_NPM_REGISTRY_SERVER: registry,
        YARN_NODE_LINKER: 'pnp',
        YARN_ENABLE_GLOBAL_CACHE: 'false',
        YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
        YARN_ENABLE_TELEMETRY: 'false',
      };
      try {
        await printed(process.execPath, [yarn!, 'install'], settings, at);
        expect(existsSync(join(at, 'node_modules'))).toBe(false);
        expect(await printed(process.execPath, [yarn!, 'node', 'run.js'], settings, at)).toBe(native);
      } finally {
        rmSync(at, { recursive: true });
      }
    });
    test('publint and arethetypeswrong find nothing', async (context) => {
      need(context, { publint: tool('publint'), arethetypeswrong: tool('@arethetypeswrong/cli') });
      const args = [tool('publint/src/cli.js')!, 'run', 'node_modules/seqlik', '--strict'];
      expect(await printed(process.execPath, args)).toMatch(/All good/);
      const cli = tool('@arethetypeswrong/cli/dist/index.js')!;
      const flags = ['--pack', 'node_modules/seqlik', '--profile', 'esm-only', '--format', 'json'];
      const entries = ['--exclude-entrypoints', './kernels.wasm', './mixture.wasm', './package.json'];
      const { problems = {} } = JSON.parse(await printed(process.execPath, [cli, ...flags, ...entries]));
      // Node requires ES modules since 20.19, and the resolution of Node 10 knows no exports
      const kinds = ['node10', 'node16-cjs'];
      const found = Object.values(problems as Record<string, { resolutionKind: string }[]>).flat();
      expect(found.filter(({ resolutionKind }) => !kinds.includes(resolutionKind))).toEqual([]);
    });
  });
});
