/** Road occupancy: a file of readings, a folder of the UCI set PEMS-SF, or a road made up. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/random.ts';

/** The occupancy of a road every ten minutes, as a fraction in [0,1]; NaN where there is no reading. */
export interface Road {
  readonly name: string;
  readonly values: Float64Array;
  /** ms since 1970, UTC, of the first value, if the road has dates. */
  readonly start?: number;
}
export const STEP = 10 * 60 * 1000; // ms
const DAY = 144; // steps

/** Without a path, a road made up. Throws for a path that holds neither. */
export function readRoad(path: string | undefined): Road {
  if (path === undefined) return makeRoad();
  return statSync(path).isDirectory() ? readPems(path) : readReadings(path);
}

/** A CSV file of times and occupancy in percent, at any times: the mean of the readings of each ten minutes. */
function readReadings(path: string): Road {
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(1);
  const readings = rows.map((row, i) => {
    const [time = '', value = ''] = row.split(',');
    const at = Date.parse(`${time.trim().replace(' ', 'T')}Z`);
    const percent = Number(value);
    if (Number.isNaN(at) || value.trim() === '' || !(percent >= 0 && percent <= 100))
      throw new Error(`${path}: line ${i + 2} is "${row}", not a time and a percentage`);
    return { at, percent };
  });
  if (readings.length === 0) throw new Error(`${path}: no readings`);
  const first = readings.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const last = readings.reduce((most, { at }) => Math.max(most, at), 0);
  const start = Math.floor(first / STEP) * STEP;
  const n = Math.floor((last - start) / STEP) + 1;
  const [sums, counts] = [new Float64Array(n), new Float64Array(n)];
  for (const { at, percent } of readings) {
    const i = Math.floor((at - start) / STEP);
    sums[i]! += percent / 100;
    counts[i]!++;
  }
  return { name: path, start, values: sums.map((sum, i) => sum / counts[i]!) };
}

/**
 * PEMS-SF: a day is a matrix `[a b ...;c d ...]` of fractions, one line of 144 values for each sensor; days are lines of
 * PEMS_train and PEMS_test, in the order that randperm says. The sensor is the first one.
 */
function readPems(folder: string): Road {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const days = `${read('PEMS_train').trim()}\n${read('PEMS_test').trim()}`.split('\n').map((line) =>
    line
      .slice(line.indexOf('[') + 1, line.indexOf(';'))
      .trim()
      .split(/\s+/)
      .map(Number),
  );
  const order = read('randperm').replace(/[[\]]/g, '').trim().split(/\s+/).map(Number);
  const values = new Float64Array(days.length * DAY).fill(Number.NaN);
  for (const [i, day] of days.entries()) {
    if (day.length !== DAY || !day.every((v) => v >= 0 && v <= 1) || !(order[i]! >= 1 && order[i]! <= days.length))
      throw new Error(`${folder}: day ${i + 1} has no ${DAY} fractions, or no place in randperm`);
    values.set(day, (order[i]! - 1) * DAY);
  }
  return { name: folder, values };
}

/** Fifty days with two rush hours, jams that begin at random and last, and noise. */
function makeRoad(): Road {
  const random = new Random(1);
  let jam = 0;
  const values = Float64Array.from({ length: 50 * DAY }, (_, i) => {
    const hour = (i % DAY) / 6;
    const bump = (at: number, width: number): number => Math.exp(-(((hour - at) / width) ** 2));
    const isWeekend = Math.floor(i / DAY) % 7 > 4;
    const busy = 0.01 + 0.05 * bump(13, 5) + (isWeekend ? 0.01 : 0.1) * (bump(8, 1.2) + bump(17.5, 1.6));
    jam = 0.85 * jam + (random.uniform() < busy / 4 ? 0.15 * random.uniform() : 0);
    return Math.min(0.95, Math.max(0, busy + jam + 0.012 * random.normal()));
  });
  return { name: 'a road made up (name a file or a folder to see a real one)', values };
}
