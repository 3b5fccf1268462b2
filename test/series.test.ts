/** The examples of time series, nile and co2: what they print, and that they draw all of it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOMParser } from 'linkedom';
import { afterAll, describe, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'seqlik-series-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { SEQLIK_BACKEND: _, SEQLIK_ISA: __, ...env } = process.env;
const run = (example: string, args: readonly string[], more = {}) =>
  spawnSync(process.execPath, [`build/js/examples/${example}.js`, ...args], {
    encoding: 'utf8',
    env: { ...env, ...more },
  });
const read = (path: string) =>
  new DOMParser().parseFromString(readFileSync(path, 'utf8'), 'image/svg+xml').documentElement!;
const count = (svg: ReturnType<typeof read>) =>
  ['circle', 'polyline', 'polygon'].map((name) => svg.querySelectorAll(name).length);

describe.each([
  ['native', existsSync('build/native/Release/kernels.node'), {}],
  ['wasm', true, { SEQLIK_BACKEND: 'wasm' }],
])('on %s', (name, available, more) => {
  test.runIf(available)('nile: the values from outside at every tolerance, and the picture', () => {
    const out = join(folder, name, 'nile.svg');
    const { status, stdout, stderr } = run('nile', ['--out', out], more);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    // the table of docs/math/lds.md
    for (const [tolerance, steps, r, q] of [
      ['0.000001', 80, '14807.1', '1664.5'],
      ['1e-8', 164, '15069.4', '1488.0'],
      ['1e-10', 251, '15096.6', '1470.4'],
      ['1e-12', 339, '15099.3', '1468.6'],
    ])
      expect(stdout).toMatch(
        new RegExp(`^none +${tolerance} +${steps} +${r}\\d\\d +${q}\\d\\d +-641\\.\\d+ +true$`, 'm'),
      );
    const [, r, q] = /^none +1e-12 +\d+ +(\S+) +(\S+) /m.exec(stdout)!.map(Number) as [number, number, number];
    expect(Math.abs(r / 15099.685 - 1)).toBeLessThan(5e-4);
    expect(Math.abs(q / 1468.5 - 1)).toBeLessThan(5e-4);
    expect(Number(/^squarem +1e-12 +(\d+)/m.exec(stdout)![1])).toBeLessThanOrEqual(60);
    expect(stdout).toContain('the level falls most from 1898 to 1899, by 49\n');
    expect(stdout).toContain(`picture: ${out}\n`);
    const svg = read(out);
    expect(count(svg)).toEqual([100, 2, 2]);
    expect(svg.outerHTML).not.toMatch(/NaN|undefined/);
  });
  test.runIf(available)('co2: the last five years are held out and judged, five more are forecast', () => {
    const out = join(folder, name, 'co2.svg');
    const { status, stdout, stderr } = run('co2', ['--quick', '--out', out], more);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^746 months from 1958-03, 5 of them without a value$/m);
    expect(stdout).toMatch(/^12 iterations, not converged: log-likelihood -215\.\d+ without the last 60 months$/m);
    const [, within] = /^the 95 % band of the forecast holds (\d+) of the 60 values held out, \d+ %$/m.exec(stdout)!;
    expect(Number(within)).toBeGreaterThanOrEqual(54);
    const [, ours, naive] = /^root mean square error (\S+) ppm; .* (\S+) ppm$/m.exec(stdout)!;
    expect(Number(ours)).toBeLessThan(Number(naive));
    expect(stdout).toMatch(/^forecast for 2020-05: 417\.\d ± 0\.\d ppm$/m);
    const svg = read(out);
    expect(count(svg)).toEqual([741 + 96 + 60, 4, 4]);
    expect(svg.outerHTML).not.toMatch(/NaN|undefined/);
    expect(readdirSync(join(folder, name))).toContain('co2.svg');
  });
});
test('a failure is reported in one line', () => {
  for (const example of ['nile', 'co2'])
    for (const args of [['--out', 'package.json/x.svg', '--quick'], ['--colour']]) {
      if (example === 'nile' && args.length > 1) args.pop();
      const { status, stderr } = run(example, args, { SEQLIK_BACKEND: 'wasm' });
      expect({ status, lines: stderr.split('\n').length }).toEqual({ status: 1, lines: 2 });
    }
});
