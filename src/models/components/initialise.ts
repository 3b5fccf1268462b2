/**
 * Where EM starts: greedy k-means++ (Arthur and Vassilvitskii 2007) with Lloyd's steps, random rows, or the best of many
 * short runs from the former (Biernacki, Celeux and Govaert 2003). Equations: docs/math/mixture.md.
 */
import type { Random } from '../../random.ts';
import type { Pace } from '../../training/pace.ts';
import type { Parts } from './components.ts';
import { fromVariances } from './covariances.ts';
import { type Observations, STRIDE } from './observations.ts';

const LLOYD = 3; // steps: the rest is for EM

/** At most `most` of the rows at which a component may start, drawn without replacement, in ascending order. */
export function drawRows({ usable }: Observations, most: number, random: Random): Int32Array {
  if (usable.length <= most) return usable;
  const rows = usable.slice();
  for (let i = 0; i < most; i++) {
    const j = i + Math.floor(random.uniform() * (rows.length - i));
    [rows[i], rows[j]] = [rows[j]!, rows[i]!];
  }
  return rows.slice(0, most).sort();
}

/** The rows from which starts are made, in standard deviations of the columns. */
export class Starts {
  private readonly z: Float64Array;
  private readonly weights: Float64Array;
  private constructor(
    private readonly data: Observations,
    private readonly rows: Int32Array,
    private readonly d: number,
    sampleWeights: Float64Array,
    private readonly scale: Float64Array,
  ) {
    this.z = new Float64Array(rows.length * d);
    this.weights = Float64Array.from(rows, (row) => sampleWeights[row]!);
  }
  static async of(data: Observations, rows: Int32Array, sampleWeights: Float64Array, pace: Pace): Promise<Starts> {
    const scale = data.variance.map(Math.sqrt);
    const d = scale.length;
    const starts = new Starts(data, rows, d, sampleWeights, scale);
    for (let i = 0, at = 0; i < rows.length; i++) {
      if (i % STRIDE === 0) await pace.rest();
      for (let j = 0; j < d; j++, at++) starts.z[at] = data.value(rows[i]!, j) / scale[j]!;
    }
    return starts;
  }

  /** k components as wide as their neighbourhoods, of equal weight: their means far apart, or any rows (`anywhere`). */
  async draw(type: Parts['type'], k: number, random: Random, anywhere: boolean, pace: Pace): Promise<Parts> {
    const { d, data, scale } = this;
    const centres = new Float64Array(k * d);
    const nearest = await this.seed(centres, k, random, anywhere, pace);
    for (let step = 0; step < LLOYD && !anywhere; step++) await this.move(centres, k, nearest, pace);
    const within = this.within(centres, nearest);
    const variances = within.map((v, j) => Math.max(v, 1e-3) * data.variance[j]!);
    return {
      type,
      k,
      d,
      weights: new Float64Array(k).fill(1 / k),
      means: centres.map((v, i) => v * scale[i % d]!),
      covariances: fromVariances(type, k, variances),
    };
  }

  /** Takes rows as centres: of several candidates, each drawn by its squared distance, the one that lowers the sum most. */
  private async seed(
    centres: Float64Array,
    k: number,
    random: Random,
    anywhere: boolean,
    pace: Pace,
  ): Promise<Int32Array> {
    const { z, d, weights, rows } = this;
    const n = rows.length;
    const chosen = new Uint8Array(n);
    const nearest = new Int32Array(n);
    let distance = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
    const weight = new Float64Array(n);
    for (let c = 0; c < k; c++) {
      const far = !anywhere && c > 0;
      let some = false;
      for (let i = 0; i < n; i++) {
        weight[i] = chosen[i] ? 0 : weights[i]! * (far ? distance[i]! : 1);
        some ||= weight[i]! > 0;
      }
      // where all rows coincide, any row that was not chosen
      if (!some) for (let i = 0; i < n; i++) weight[i] = Number(!chosen[i]);
      let pick = -1;
      let least = Number.POSITIVE_INFINITY;
      let best = distance;
      for (let tries = far && some ? 2 + Math.floor(Math.log(k)) : 1; tries > 0; tries--) {
        const candidate = random.categorical(weight);
        const next = new Float64Array(n);
        let sum = 0;
        for (let i = 0; i < n; i++) {
          if (i % STRIDE === 0) await pace.rest();
          const s = this.squared(i, z, candidate * d);
          next[i] = s < distance[i]! ? s : distance[i]!;
          sum += weights[i]! * next[i]!;
        }
        if (sum < least) [least, best, pick] = [sum, next, candidate];
      }
      chosen[pick] = 1;
      for (let i = 0; i < n; i++) if (best[i]! < distance[i]!) nearest[i] = c;
      distance = best;
      centres.set(z.subarray(pick * d, (pick + 1) * d), c * d);
    }
    return nearest;
  }
  /** A step of Lloyd's: each centre to the mean of its rows, each row to its nearest centre. */
  private async move(centres: Float64Array, k: number, nearest: Int32Array, pace: Pace): Promise<void> {
    const { z, d, weights } = this;
    const sum = new Float64Array(k * d);
    const weight = new Float64Array(k);
    for (let i = 0; i < nearest.length; i++) {
      const c = nearest[i]!;
      weight[c]! += weights[i]!;
      for (let j = 0; j < d; j++) sum[c * d + j]! += weights[i]! * z[i * d + j]!;
    }
    for (let c = 0; c < k; c++)
      if (weight[c]! > 0) for (let j = 0; j < d; j++) centres[c * d + j] = sum[c * d + j]! / weight[c]!;
    for (let i = 0; i < nearest.length; i++) {
      if (i % STRIDE === 0) await pace.rest();
      let least = Number.POSITIVE_INFINITY;
      for (let c = 0; c < k; c++) {
        const s = this.squared(i, centres, c * d);
        if (s < least) [least, nearest[i]] = [s, c];
      }
    }
  }
  private squared(row: number, centres: Float64Array, at: number): number {
    const { z, d } = this;
    let s = 0;
    for (let j = 0; j < d; j++) {
      const v = z[row * d + j]! - centres[at + j]!;
      s += v * v;
    }
    return s;
  }
  /** The variances about the nearest centres. */
  private within(centres: Float64Array, nearest: Int32Array): Float64Array {
    const { z, d, weights } = this;
    const sum = new Float64Array(d);
    let total = 0;
    for (let i = 0; i < nearest.length; i++) {
      total += weights[i]!;
      for (let j = 0; j < d; j++) sum[j]! += weights[i]! * (z[i * d + j]! - centres[nearest[i]! * d + j]!) ** 2;
    }
    return sum.map((s) => s / total);
  }
}
