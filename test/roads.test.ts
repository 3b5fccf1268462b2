/** The roads of example:occupancy: readings, a folder like PEMS-SF, and the windows made of them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readRoad } from '../examples/roads.ts';
import { split, windowsOf } from '../examples/windows.ts';
import { hasNative } from './support/models.ts';

const folder = mkdtempSync(join(tmpdir(), 'seqlik-roads-'));
afterAll(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const DAY = 144;
/** The occupancy of sensor 0 or 1 at a time of a day: fractions with four digits, as in the set. */
const fraction = (day: number, i: number, sensor: number): number =>
  Number((0.2 + 0.15 * Math.sin((i + 40 * sensor) / 23) + 0.02 * ((day * 7 + i) % 5)).toFixed(4));
const lineOf = (day: number): string =>
  `[${[0, 1].map((sensor) => Array.from({ length: DAY }, (_, i) => fraction(day, i, sensor)).join(' ')).join(';')}]`;
/** Days 0 .. 5 of two sensors in a random order, as the set has them: four to train with, two to test. */
function writePems(name: string, change: (files: Record<string, string>) => void = () => {}): string {
  const order = [3, 0, 5, 1, 4, 2];
  const files: Record<string, string> = {
    PEMS_train: `${order.slice(0, 4).map(lineOf).join('\n')}\n`,
    PEMS_test: `${order.slice(4).map(lineOf).join('\n')}\n`,
    randperm: `[${order.map((day) => day + 1).join(' ')}]\n`,
  };
  change(files);
  mkdirSync(join(folder, name));
  for (const [file, text] of Object.entries(files)) write(join(name, file), text);
  return join(folder, name);
}

describe('a folder like PEMS-SF', () => {
  test('the days of the first sensor in the order of time', () => {
    const { values, start } = readRoad(writePems('pems'));
    expect(start).toBeUndefined();
    expect(values.length).toBe(6 * DAY);
    for (let i = 0; i < values.length; i++) expect(values[i]).toBe(fraction(Math.floor(i / DAY), i % DAY, 0));
  });
  test('a day cut short, a fraction above 1, a place beyond the days: refused with the day', () => {
    const short = writePems('short', (files) => {
      files['PEMS_test'] = files['PEMS_test']!.replace(/^\[\S+ /, '[');
    });
    expect(() => readRoad(short)).toThrow(/day 5 has no 144 fractions/);
    const high = writePems('high', (files) => {
      files['PEMS_train'] = files['PEMS_train']!.replace(/^\[\S+ /, '[1.5 ');
    });
    expect(() => readRoad(high)).toThrow(/day 1 has no 144 fractions/);
    const lost = writePems('lost', (files) => {
      files['randperm'] = '[4 1 6 2 5 9]';
    });
    expect(() => readRoad(lost)).toThrow(/day 6 has no 144 fractions, or no place/);
  });
  test('an absent file is named', () => {
    const path = writePems('absent', (files) => {
      delete files['randperm'];
    });
    expect(() => readRoad(path)).toThrow(/ENOENT.*randperm/);
  });
  test('the example runs on it and draws, on both backends', { timeout: 120_000 }, () => {
    const path = writePems('whole');
    for (const backend of hasNative ? ['native', 'wasm'] : ['wasm']) {
      const out = join(folder, `${backend}.svg`);
      const args = ['build/js/examples/occupancy.js', path, '--quick', '--out', out];
      const env = { ...process.env, SEQLIK_BACKEND: backend };
      const child = spawnSync(process.execPath, args, { encoding: 'utf8', env });
      expect(child.stderr).toBe('');
      expect(child.stdout).toContain(`backend     ${backend}`);
      expect(child.stdout).toMatch(/the classifier +0\.\d{4}\n/);
      expect(readFileSync(out, 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
    }
  });
});

describe('readings', () => {
  test('percent at any times become fractions every ten minutes; gaps are NaN', () => {
    const rows = [
      '2020-01-01 00:01:00,10',
      '2020-01-01 00:06:00,20',
      '2020-01-01 00:10:00,40',
      '2020-01-01 00:39:59,0',
    ];
    const { values, start } = readRoad(write('readings.csv', `time,value\n${rows.join('\n')}\n`));
    expect(start).toBe(Date.UTC(2020, 0, 1));
    expect([...values]).toEqual([expect.closeTo(0.15, 12), 0.4, Number.NaN, 0]);
  });
  test.each(['2020-01-01 00:10:00,101', '2020-01-01 00:10:00,-1', 'soon,5', '2020-01-01 00:10:00,'])('%s', (row) => {
    const path = write('wrong.csv', `time,value\n2020-01-01 00:00:00,1\n${row}\n`);
    expect(() => readRoad(path)).toThrow(`${path}: line 3 is "${row}", not a time and a percentage`);
  });
});

describe('windows', () => {
  test('only complete ones, each with a constant 1 beside its values', () => {
    const values = Float64Array.from({ length: 60 }, (_, i) => (i === 30 ? Number.NaN : i / 100));
    const { x, y, at } = windowsOf({ values });
    expect(at).toEqual([24, 25, 26, 27, 55, 56, 57]);
    expect([...x[1]!.subarray(0, 4)]).toEqual([0.01, 1, 0.02, 1]);
    expect(x[1]!.length).toBe(48);
    expect(y[1]).toEqual([0.25, 0.26, 0.27]);
  });
  test('the last 30 % are held out, and no value is predicted by both parts', () => {
    const { training, heldOut } = split(windowsOf({ values: new Float64Array(126) }));
    expect(heldOut.at).toEqual(Array.from({ length: 30 }, (_, i) => 94 + i));
    expect(training.at).toEqual(Array.from({ length: 68 }, (_, i) => 24 + i));
    expect(training.at.at(-1)! + 3).toBeLessThanOrEqual(heldOut.at[0]!);
  });
});
