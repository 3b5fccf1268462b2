/** Data as a fit sees them: which values were observed, and the moments of the columns. */
import type { Rows } from '../../check.ts';
import { gaps } from '../../check.ts';
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
    /** [d]: weighted means and variances of what was observed. */
    readonly mean: Float64Array,
    readonly variance: Float64Array,
  ) {}
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
  /** A value, or the mean of its column where none was observed. */
  value(row: number, j: number): number {
    const at = row * this.settings.d + j;
    return this.seen?.[at] === 0 ? this.mean[j]! : this.x.values[at]!;
  }
}

/** Weighted means and variances of the columns, and the first column that has one value only (-1: none). */
async function measureColumns(
  { values, n }: Rows,
  seen: Uint8Array | undefined,
  { d, sampleWeights }: Settings,
  pace: Pace,
): Promise<{ mean: Float64Array; variance: Float64Array; constant: number; fault: string }> {
  const least = new Float64Array(d).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(d).fill(Number.NEGATIVE_INFINITY);
  const average = async (power: number, about: Float64Array): Promise<Float64Array> => {
    const sum = new Float64Array(d);
    const weight = new Float64Array(d);
    for (let i = 0, at = 0; i < n; i++) {
      if (i % STRIDE === 0) await pace.rest();
      for (let j = 0; j < d; j++, at++) {
        const w = sampleWeights[i]!;
        if (w === 0 || seen?.[at] === 0) continue;
        const value = values[at]!;
        const y = value - about[j]!;
        sum[j]! += w * (power === 2 ? y * y : y);
        weight[j]! += w;
        if (value < least[j]!) least[j] = value;
        if (value > most[j]!) most[j] = value;
      }
    }
    return sum.map((s, j) => (weight[j]! > 0 ? s / weight[j]! : 0));
  };
  const mean = await average(1, new Float64Array(d));
  const variance = await average(2, mean);
  const constant = least.findIndex((low, j) => !(most[j]! > low) || !(variance[j]! > 0));
  const [low = 0, high = 0] = [least[constant], most[constant]];
  const fault =
    low > high
      ? 'was never observed'
      : low === high
        ? 'is constant'
        : `varies so little, from ${low} to ${high}, that its variance is 0 in a double: scale it`;
  return { mean, variance, constant, fault };
}
