/** The example that learns to write characters, on a few of them. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DOMParser } from 'linkedom';
import { afterAll, describe, expect, test } from 'vitest';
import {
  firstCharacter,
  GRID,
  type Point,
  readCharacters,
  resample,
  roundToGrid,
  shuffle,
  toOffsets,
  toStrokes,
} from '../examples/strokes.ts';
import { Random } from '../src/random.ts';

const random = new Random(3);
const uniform = (): number => random.uniform();
const middle = (): number => 0.5; // no noise
const ups = (rows: ArrayLike<number>): number[] => Array.from(rows).filter((_, i) => i % 3 === 2);

describe('strokes', () => {
  const all = readCharacters(5);
  const character = (name: string) => all.find((each) => each.name === name)!;

  test('characters come in the order of their code points, within their square, right way up', () => {
    expect(all.length).toBe(533);
    expect(all.map(({ name }) => name.codePointAt(0)!)).toEqual(
      all.map(({ name }) => name.codePointAt(0)!).sort((a, b) => a - b),
    );
    expect(Math.max(...all.flatMap(({ strokes }) => strokes.flat(2).map(Math.abs)))).toBeLessThanOrEqual(GRID / 2);
    const [first, , third] = character('三').strokes; // written from the top to the bottom, from left to right
    expect(first![0]![1]).toBeLessThan(third![0]![1]);
    expect(third![0]![0]).toBeLessThan(third!.at(-1)![0]);
  });

  test('resample: from end to end in equal pieces', () => {
    const corner: Point[] = [
      [0, 0],
      [3, 0],
      [3, 0],
      [3, 5],
    ];
    expect(resample(corner, 2)).toEqual([
      [0, 0],
      [2, 0],
      [3, 1],
      [3, 3],
      [3, 5],
    ]);
    expect(resample(corner, 100)).toEqual([
      [0, 0],
      [3, 5],
    ]);
    expect(resample([[2, 1]], 2)).toEqual([
      [2, 1],
      [2, 1],
    ]);
    for (const stroke of all.flatMap(({ strokes }) => strokes)) {
      const points = resample(stroke, 12);
      expect([points[0], points.at(-1)]).toEqual([stroke[0], stroke.at(-1)]);
      for (const [i, [x, y]] of points.slice(1).entries())
        expect(Math.hypot(x - points[i]![0], y - points[i]![1])).toBeLessThan(18.001);
    }
  });

  test('offsets lead back to the points; the pen is up after the last point of each stroke, and at the end', () => {
    for (const { strokes } of all) {
      const drawn = strokes.map(
        (stroke) => roundToGrid(resample(stroke, 12)).map(([x, y]): Point => [x + 0, y + 0]), // -0 is as good as 0
      );
      const rows = toOffsets(drawn, middle);
      expect(toStrokes(rows)).toEqual([...drawn, [[0, 0]]]);
      expect(ups(rows)).toEqual([...drawn.flatMap((stroke) => stroke.map((_, i) => +(i + 1 === stroke.length))), 1]);
      const { rows: cut, complete } = firstCharacter(Float64Array.from(rows));
      expect({ cut, complete }).toEqual({ cut: Float64Array.from(rows.subarray(0, -3)), complete: true });
      expect(firstCharacter(cut)).toEqual({ rows: cut, complete: false });
    }
  });

  test('noise leaves every point in its cell of the grid', () => {
    const { strokes } = character('永');
    const exact = strokes.map(roundToGrid).flat(2);
    const noisy = toStrokes(toOffsets(strokes.map(roundToGrid), uniform))
      .slice(0, -1)
      .flat(2);
    const apart = noisy.map((value, i) => Math.abs(value - exact[i]!));
    expect(Math.max(...apart)).toBeLessThan(0.5001);
    expect(Math.max(...apart)).toBeGreaterThan(0.4);
  });

  test('shuffle: the same elements, in an order of the seed', () => {
    const list = [...Array(50).keys()];
    const order = (seed: number) => {
      const draws = new Random(seed);
      return shuffle(list, () => draws.uniform());
    };
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
    expect(order(1).sort((a, b) => a - b)).toEqual(list);
  });
});

const folder = mkdtempSync(join(tmpdir(), 'seqlik-pen-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { SEQLIK_BACKEND: _, SEQLIK_ISA: __, ...env } = process.env;
const pen = (args: readonly string[], more = {}) =>
  spawnSync(process.execPath, ['build/js/examples/pen.js', '--quick', ...args], {
    encoding: 'utf8',
    env: { ...env, ...more },
  });

describe.each([
  ['native', existsSync('build/native/Release/kernels.node'), {}],
  ['wasm', true, { SEQLIK_BACKEND: 'wasm' }],
])('pen on %s', (name, available, more) => {
  test.runIf(available)('learns more than one mixture knows, and writes', () => {
    const out = join(folder, name, 'pen.svg');
    const { status, stdout, stderr } = pen(['--out', out], more);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });

    const scores = (line: string): number[] =>
      new RegExp(`^${line} +(-\\d+\\.\\d+) +(-\\d+\\.\\d+)$`, 'm').exec(stdout)!.slice(1).map(Number);
    const [mixture, network] = [scores('one mixture of Gaussians for every step'), scores('the network')];
    expect(network[0]).toBeGreaterThan(mixture[0]! + 0.3);
    expect(network[1]).toBeGreaterThan(mixture[1]! + 0.3);
    expect(stdout.match(/^bias \d: \d+ of 6 drawings came to an end within 150 steps$/gm)?.length).toBe(3);
    expect(stdout).toContain(`picture: ${out} (`);

    const svg = new DOMParser().parseFromString(readFileSync(out, 'utf8'), 'image/svg+xml').documentElement!;
    expect(svg.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    const titles = [...svg.querySelectorAll('text')].map((text) => text.textContent);
    expect(titles).toEqual(['held-out characters', ...[0, 1, 3].map((bias) => `written by the network, bias ${bias}`)]);
    expect(svg.querySelectorAll('polyline').length).toBeGreaterThan(4 * 6); // 6 drawings each
    expect(svg.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
    expect(readdirSync(join(folder, name))).toEqual(['pen.svg']);
  });
});

test('an error is one line', () => {
  for (const args of [['--minutes', '0'], ['--colour']]) {
    const { status, stderr } = pen(args, { SEQLIK_BACKEND: 'wasm' });
    expect({ status, lines: stderr.split('\n').length }).toEqual({ status: 1, lines: 2 });
  }
});

test('Ctrl-C ends it at once, and there is no picture', async () => {
  const out = join(folder, 'interrupted.svg');
  const child = spawn(process.execPath, ['build/js/examples/pen.js', '--quick', '--out', out], {
    env: { ...env, SEQLIK_BACKEND: 'wasm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => child.kill('SIGINT')); // the settings: learning begins
  const code = await new Promise((resolve) => child.on('exit', resolve));
  expect({ code, picture: existsSync(out) }).toEqual({ code: 130, picture: false });
});
