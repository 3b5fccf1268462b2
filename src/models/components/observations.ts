/** Data as a fit sees them: which values were observed, and the moments of the columns. */
import type { Real, Rows } from '../../check.ts';
import { alike, gaps, nonFinite } from '../../check.ts';
import { argumentError, callError, counted } from '../../errors.ts';
import type { Pace } from '../../training/pace.ts';
import type { Settings } from './settings.ts';
import { type Batch, batchesOf } from './sums.ts';

/** Rows between two looks at the clock. */
export const STRIDE = 1024;

export class Observations {
  private constructor(
    readonly x: Rows,
    private readonly settings: Settings,
    private readonly seen: Uint8Array | undefined,
    /** Rows at which a component may start: something was observed, and they weigh something. */
    readonly usable: Int32Array,
    /** [d]: weighted means and variances of what was observed, outliers drawn in: the units of a fit. */
    readonly mean: Float64Array,
    readonly variance: Float64Array,
  ) {}
  /** [d]: what regularization adds to each variance. */
  get floor(): Float64Array {
    return this.variance.map((v) => v * this.settings.regularization);
  }
  /** The same data by the rows `rows` alone, in the same units. */
  select(rows: Int32Array): { data: Observations; settings: Settings } {
    const { d, sampleWeights, missing: _, ...rest } = this.settings;
    const values = alike(this.x.values, rows.length * d);
    const mask = this.seen && new Uint8Array(rows.length * d);
    for (const [i, row] of rows.entries()) {
      values.set(this.x.values.subarray(row * d, (row + 1) * d), i * d);
      mask?.set(this.seen!.subarray(row * d, (row + 1) * d), i * d);
    }
    const settings = {
      ...rest,
      d,
      sampleWeights: Float64Array.from(rows, (row) => sampleWeights[row]!),
      missing: mask ? { mask } : {},
    };
    const all = Int32Array.from(rows.keys());
    const seen = mask?.includes(0) ? mask : undefined;
    return {
      data: new Observations({ values, n: rows.length }, settings, seen, all, this.mean, this.variance),
      settings,
    };
  }
  /** Throws EMPTY_INPUT, INVALID_ARGUMENT (components), NOT_POSITIVE_DEFINITE (a constant column). */
  static async survey(x: Rows, settings: Settings, pace: Pace): Promise<Observations> {
    const { where, k, d, missing, sampleWeights: w } = settings;
    const given = gaps(where, 'x', x, missing);
    const seen = given?.includes(0) ? given : undefined;
    const usable = new Int32Array(x.n);
    let count = 0;
    let observed = 0;
    for (let row = 0; row < x.n; row++) {
      if (row % STRIDE === 0) await pace.rest();
      if (seen && !seen.subarray(row * d, (row + 1) * d).includes(1)) continue;
      observed++;
      if (w[row]! > 0) usable[count++] = row;
    }
    if (observed === 0)
      throw argumentError('EMPTY_INPUT', where, 'x', {
        expected: 'at least one observation',
        received: 'none',
        reason: 'holds no observation',
      });
    if (k > observed)
      throw argumentError('INVALID_ARGUMENT', where, 'components', {
        expected: `at most ${observed}, the number of observed rows`,
        received: `${k}`,
        sentence: `${counted(k, 'component')} for ${counted(observed, 'observed row')}`,
      });
    const { mean, variance, constant, fault } = await measureColumns(x, seen, settings, pace);
    if (constant >= 0)
      throw callError('NOT_POSITIVE_DEFINITE', where, `column ${constant} of x ${fault}`, {
        which: 'covariances',
        pivot: constant,
        value: 0,
      });
    const wide = variance.findIndex((v) => !Number.isFinite(v));
    if (wide >= 0) {
      const size = (row: number): number => (seen?.[row * d + wide] === 0 ? 0 : Math.abs(x.values[row * d + wide]!));
      const far = usable.subarray(0, count).reduce((a, b) => (size(b) > size(a) ? b : a));
      throw nonFinite(where, 'x', x.values, far, d);
    }
    return new Observations(x, settings, seen, usable.subarray(0, count), mean, variance);
  }
  /** Whether every value was observed. */
  get complete(): boolean {
    return this.seen === undefined;
  }
  /** The batches of an E step; `x`: the same rows, perhaps resident. */
  async batches(x: Rows, pace: Pace): Promise<Batch[]> {
    const { where, missing, sampleWeights, d, shardSize } = this.settings;
    const batches: Batch[] = [];
    for (const batch of batchesOf(where, x, missing, sampleWeights, d, shardSize)) {
      batches.push(batch);
      await pace.rest();
    }
    return batches;
  }
  isObserved(row: number, j: number): boolean {
    return this.seen?.[row * this.settings.d + j] !== 0;
  }
  /** A value, or the mean of its column where none was observed. */
  value(row: number, j: number): number {
    const at = row * this.settings.d + j;
    return this.seen?.[at] === 0 ? this.mean[j]! : this.x.values[at]!;
  }
}

/** Rows whose order gives the spread of a column. */
const SORTED = 8192;
/** Half-widths, in robust standard deviations, beyond which a value counts as if it were there. */
const FAR = 6;

/**
 * Weighted means and variances of the columns, and the first column that has one value only (-1: none). Values further
 * than FAR from the median are drawn in, in robust standard deviations (those of a Gaussian with the same 5th and 95th
 * percentile), if there is such a spread: one row in 500 moves the variance by 7 % at most.
 */
async function measureColumns(
  { values, n }: Rows,
  seen: Uint8Array | undefined,
  { d, sampleWeights }: Settings,
  pace: Pace,
): Promise<{ mean: Float64Array; variance: Float64Array; constant: number; fault: string }> {
  const least = new Float64Array(d).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(d).fill(Number.NEGATIVE_INFINITY);
  const low = least.map((v) => -v);
  const high = most.map((v) => -v);
  const even = sampleWeights.every((w) => w === sampleWeights[0]);
  const step = Math.ceil(n / SORTED);
  for (let j = 0; j < d; j++) {
    await pace.rest();
    const [p05, median, p95] = even
      ? quantilesOf(sample(values, seen, step, d, j))
      : quantiles(ordered(values, seen, sampleWeights, step, d, j), sampleWeights).map((row) => values[row * d + j]!);
    if (median === undefined || !(p95! > p05!)) continue;
    const reach = (FAR * (p95! - p05!)) / (2 * 1.6448536269514722);
    low[j] = median - reach;
    high[j] = median + reach;
  }
  const average = async (square: boolean, about: Float64Array): Promise<Float64Array> => {
    const sum = new Float64Array(d);
    const weight = new Float64Array(d);
    for (let i = 0; i < n; i += STRIDE) {
      await pace.rest();
      const end = Math.min(i + STRIDE, n);
      addRows({ values, seen, sampleWeights, about, low, high, least, most, sum, weight }, square, d, i, end);
    }
    return sum.map((s, j) => (weight[j]! > 0 ? s / weight[j]! : 0));
  };
  const mean = await average(false, new Float64Array(d));
  const variance = await average(true, mean);
  const constant = least.findIndex((v, j) => !(most[j]! > v) || !(variance[j]! > 0));
  const [lowest = 0, highest = 0] = [least[constant], most[constant]];
  const fault =
    lowest > highest
      ? 'was never observed'
      : lowest === highest
        ? 'is constant'
        : `varies so little, from ${lowest} to ${highest}, that its variance is 0 in a double: scale it`;
  return { mean, variance, constant, fault };
}
interface ColumnSums {
  readonly values: Real;
  readonly seen: Uint8Array | undefined;
  readonly sampleWeights: Float64Array;
  /** [d] each. */
  readonly about: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
  readonly sum: Float64Array;
  readonly weight: Float64Array;
}
/** Adds the distances (or squares) of the rows from .. end - 1, drawn in; a function of its own, whose loops are fast. */
function addRows(of: ColumnSums, square: boolean, d: number, from: number, end: number): void {
  const { values, seen, sampleWeights, about, low, high, least, most, sum, weight } = of;
  for (let i = from, at = from * d; i < end; i++) {
    const w = sampleWeights[i]!;
    for (let j = 0; j < d; j++, at++) {
      if (w === 0 || (seen && seen[at] === 0)) continue;
      let value = values[at]!;
      if (value < least[j]!) least[j] = value;
      if (value > most[j]!) most[j] = value;
      if (value < low[j]!) value = low[j]!;
      else if (value > high[j]!) value = high[j]!;
      const y = value - about[j]!;
      sum[j]! += w * (square ? y * y : y);
      weight[j]! += w;
    }
  }
}
/** The observed values of column j in every `step`th row, ascending: sorting numbers is ten times as fast as rows. */
function sample(values: Real, seen: Uint8Array | undefined, step: number, d: number, j: number): Float64Array {
  const found = new Float64Array(Math.ceil(values.length / d / step));
  let count = 0;
  for (let at = j; at < values.length; at += step * d) if (seen?.[at] !== 0) found[count++] = values[at]!;
  return found.subarray(0, count).sort();
}
/** The same as rows of positive weight. */
function ordered(
  values: Real,
  seen: Uint8Array | undefined,
  weights: Float64Array,
  step: number,
  d: number,
  j: number,
): number[] {
  const rows: number[] = [];
  for (let i = 0; i < weights.length; i += step) if (weights[i]! > 0 && seen?.[i * d + j] !== 0) rows.push(i);
  return rows.sort((a, b) => values[a * d + j]! - values[b * d + j]!);
}
/** The values, of those in ascending order, below which 5, 50 and 95 % of them lie. */
const quantilesOf = (sorted: Float64Array): number[] =>
  sorted.length === 0 ? [] : [0.05, 0.5, 0.95].map((p) => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]!);
/** The rows, of those in ascending order, below which 5, 50 and 95 % of the weight lie. */
function quantiles(rows: readonly number[], weights: Float64Array): number[] {
  const total = rows.reduce((sum, row) => sum + weights[row]!, 0);
  let below = 0;
  let at = 0;
  return [0.05, 0.5, 0.95].flatMap((p) => {
    while (at < rows.length - 1 && below + weights[rows[at]!]! < p * total) below += weights[rows[at++]!]!;
    return at < rows.length ? [rows[at]!] : [];
  });
}
