/** The main job of `npm start`, on a small batch. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOMParser } from 'linkedom';
import { afterAll, describe, expect, test } from 'vitest';
import { relativeError, ulps } from '../examples/ulp.ts';

const folder = mkdtempSync(join(tmpdir(), 'seqlik-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { SEQLIK_BACKEND: _, SEQLIK_ISA: __, ...env } = process.env;
const penguins = (args: readonly string[], more = {}) =>
  spawnSync(process.execPath, ['build/js/examples/penguins.js', '--quick', ...args], {
    encoding: 'utf8',
    env: { ...env, ...more },
  });

describe.each([
  ['native', existsSync('build/native/Release/kernels.node'), {}],
  ['wasm', true, { SEQLIK_BACKEND: 'wasm' }],
])('penguins on %s', (name, available, more) => {
  test.runIf(available)('agree to the bit where they must, and are drawn', () => {
    const out = join(folder, name, 'penguins.svg');
    const { status, stdout, stderr } = penguins(['--out', out], more);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });

    const lines = [...stdout.matchAll(/^(native|wasm) +(\S+) +\d+ +(\d+) /gm)];
    const distance: Record<string, number> = Object.fromEntries(lines.map(([, , isa, ulp]) => [isa, Number(ulp)]));
    if (name === 'native') expect(distance).toMatchObject({ baseline: 0, simd128: 0 });
    else expect(distance).toEqual({ simd128: 0 });
    expect(Math.max(...Object.values(distance))).toBeLessThan(100);

    expect(stdout).toMatch(/^ +3 +-5150\.69 +10558\.11 +\d+ +<- least BIC$/m);
    expect(stdout).toMatch(/^in the component of their species: 337 of 342 birds$/m);
    expect(stdout).toMatch(/log densities\n.*\nChinstrap +Dream +female +170 +58 +17\.8 +181 +3700 +-25\.09\n/);
    expect(stdout).toMatch(/with gaps.*\n.*\nAdelie .* 0\.00\nGentoo .* 0\.00\n/);
    expect(stdout).toContain(`picture: ${out}\n`);

    const svg = new DOMParser().parseFromString(readFileSync(out, 'utf8'), 'image/svg+xml').documentElement!;
    expect(svg.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect(svg.querySelectorAll('circle').length).toBe(342 + 5 + 3); // birds, rings, legend
    expect(svg.querySelectorAll('[aria-label=line] path').length).toBe(2 * 3);
    expect(svg.outerHTML).not.toMatch(/NaN|undefined/);
    expect(readdirSync(join(folder, name))).toEqual(['penguins.svg']);
  });
});

test('a first start says how long it takes', () => {
  const clone = join(folder, 'clone');
  cpSync('scripts', join(clone, 'scripts'), { recursive: true });
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.mjs', 'penguins'], {
    cwd: clone,
    encoding: 'utf8',
    env: { ...env, SEQLIK_NO_NATIVE: '1', PATH: join(folder, 'none') },
  });
  expect(status).toBe(1); // there is no npm on that path
  expect(stderr).toMatch(/^setting up takes about 2 minutes; the next start needs none of it\ninstalling packages/);
});
test('a failure is reported in one line', () => {
  for (const args of [['--out', 'package.json/penguins.svg'], ['--colour']]) {
    const { status, stderr } = penguins(args, { SEQLIK_BACKEND: 'wasm' });
    expect({ status, lines: stderr.split('\n').length }).toEqual({ status: 1, lines: 2 });
  }
});

test('distances', () => {
  const distance = (a: number, b: number) => ulps(Float64Array.of(1, a), Float64Array.of(1, b));
  const least = Number.MIN_VALUE;
  expect([distance(1, 1), distance(0, -0), distance(NaN, NaN), distance(1, NaN)]).toEqual([0, 0, 0, Infinity]);
  expect([distance(1, 1 + 2 ** -52), distance(-1, -1 - 2 ** -51), distance(-least, least)]).toEqual([1, 2, 2]);
  expect(relativeError(Float64Array.of(2, 1.5), Float64Array.of(2, 1))).toBe(0.5);
});
