/**
 * Where EM starts: greedy k-means++ (Arthur and Vassilvitskii 2007) with Lloyd's steps, or random rows. Equations:
 * docs/math/mixture.md.
 */
import type { Backend } from '../../bind.ts';
import { type Resident, TILE } from '../../grammar.ts';
import type { Random } from '../../random.ts';
import type { Pace } from '../../training/pace.ts';
import { type Pass, work } from '../work.ts';
import type { Parts } from './components.ts';
import { fromVariances } from './covariances.ts';
import { type Observations, STRIDE } from './observations.ts';

const LLOYD = 3; // steps: the rest is for EM
const SUMS = 8; // of every eighth row, which the kernels add up side by side

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

/** Where row i of tiles has its first coordinate; the others follow TILE apart. */
const place = (i: number, d: number): number => Math.floor(i / TILE) * d * TILE + (i % TILE);

/** The rows from which starts are made: about the means of the columns, in their standard deviations, in tiles. */
export class Starts {
  private readonly held: { readonly z: Resident<Float64Array>; readonly w: Resident<Float64Array> };
  private constructor(
    private readonly backend: Backend,
    private readonly data: Observations,
    private readonly n: number,
    private readonly d: number,
    private readonly tiles: number,
    private readonly scale: Float64Array,
    /** [tiles,d,TILE]; rows that fill up the last tile are 0 and weigh nothing. */
    private readonly z: Float64Array,
    /** [tiles,TILE] */
    private readonly weights: Float64Array,
    /** Σ w z² of each column. */
    private readonly squares: Float64Array,
  ) {
    const held = backend.hold(z);
    try {
      this.held = { z: held, w: backend.hold(weights) };
    } catch (error) {
      held.dispose();
      throw error;
    }
  }
  static async of(
    backend: Backend,
    data: Observations,
    rows: Int32Array,
    sampleWeights: Float64Array,
    pace: Pace,
  ): Promise<Starts> {
    const scale = data.variance.map(Math.sqrt);
    const d = scale.length;
    const tiles = Math.ceil(rows.length / TILE);
    const z = new Float64Array(tiles * d * TILE);
    const weights = new Float64Array(tiles * TILE);
    const squares = new Float64Array(d);
    for (let i = 0; i < rows.length; i++) {
      if (i % STRIDE === 0) await pace.rest();
      const w = sampleWeights[rows[i]!]!;
      weights[i] = w;
      for (let j = 0, at = place(i, d); j < d; j++, at += TILE) {
        const v = (data.value(rows[i]!, j) - data.mean[j]!) / scale[j]!;
        z[at] = v;
        squares[j]! += w * v * v;
      }
    }
    return new Starts(backend, data, rows.length, d, tiles, scale, z, weights, squares);
  }
  dispose(): void {
    this.held.z.dispose();
    this.held.w.dispose();
  }

  /** k components as wide as their neighbourhoods, of equal weight: their means far apart, or any rows (`anywhere`). */
  *draw(type: Parts['type'], k: number, random: Random, anywhere: boolean): Pass<Parts> {
    const { d, data, scale } = this;
    const { mean, variance } = data;
    const centres = anywhere ? this.drawCentres(k, random) : yield* this.spread(k, random);
    const within = yield* this.settle(centres, k, anywhere ? 0 : LLOYD);
    return {
      type,
      k,
      d,
      weights: new Float64Array(k).fill(1 / k),
      means: centres.map((v, i) => mean[i % d]! + v * scale[i % d]!),
      covariances: fromVariances(
        type,
        k,
        within.map((v, j) => Math.max(v, 1e-3) * variance[j]!),
      ),
    };
  }

  /** Any k rows [k,d], each once. */
  private drawCentres(k: number, random: Random): Float64Array {
    const left = this.weights.slice();
    const centres = new Float64Array(k * this.d);
    for (let c = 0; c < k; c++) left[this.take(random.categorical(left), centres, c)] = 0;
    return centres;
  }
  /** Copies row i to centre c. */
  private take(i: number, centres: Float64Array, c: number): number {
    const { d, z } = this;
    for (let j = 0, at = place(i, d); j < d; j++, at += TILE) centres[c * d + j] = z[at]!;
    return i;
  }

  /**
   * Rows far apart [k,d]: of several candidates, each drawn by its squared distance from the centres so far, the one that
   * lowers the sum of these most.
   */
  private *spread(k: number, random: Random): Pass<Float64Array> {
    const { n, d, tiles, weights, backend } = this;
    const { z, w } = this.held;
    const most = 2 + Math.floor(Math.log(k));
    const centres = new Float64Array(k * d);
    const chosen = new Uint8Array(n);
    const distance = new Float64Array(tiles * TILE).fill(Number.MAX_VALUE);
    const after = new Float64Array(tiles * most * TILE);
    const below = new Float64Array(n);
    for (let c = 0; c < k; c++) {
      let sum = 0;
      for (let i = 0; i < n; i++) below[i] = sum += weights[i]! * (c > 0 ? distance[i]! : 1);
      // where all rows coincide, any row that was not chosen
      const some = sum > 0;
      if (!some) for (let i = 0; i < n; i++) below[i] = sum += 1 - chosen[i]!;
      const tries = c > 0 && some ? most : 1;
      const candidates = Array.from({ length: tries }, () => firstAbove(below, random.uniform() * sum));
      const centre = new Float64Array(tries * d);
      for (const [m, i] of candidates.entries()) this.take(i, centre, m);
      const potential = new Float64Array(tries * SUMS);
      const args = { z, w, centre, before: distance, after: after.subarray(0, tiles * tries * TILE), potential };
      yield work(backend.f64.mixture.approach, { tiles, d, k: tries }, args, { owned: true });
      const sums = addUp(potential);
      const best = sums.reduce((least, s, m) => (s < sums[least]! ? m : least), 0);
      for (let t = 0; t < tiles; t++) {
        const at = (t * tries + best) * TILE;
        distance.set(after.subarray(at, at + TILE), t * TILE);
      }
      chosen[candidates[best]!] = 1;
      centres.set(centre.subarray(best * d, (best + 1) * d), c * d);
    }
    return centres;
  }

  /** Lloyd's steps: each centre moves to the mean of its rows, those nearest to it. Returns the variances about them. */
  private *settle(centres: Float64Array, k: number, steps: number): Pass<Float64Array> {
    const { d, tiles, squares, backend } = this;
    const { z, w } = this.held;
    let within = squares;
    let total = 1;
    for (let step = 0; step < Math.max(1, steps); step++) {
      const [count, first] = [new Float64Array(k * SUMS), new Float64Array(k * d * SUMS)];
      yield work(backend.f64.mixture.assign, { tiles, d, k }, { z, w, centre: centres, count, first }, { owned: true });
      const [n, sums] = [addUp(count), addUp(first)];
      within = squares.slice();
      total = n.reduce((a, b) => a + b, 0);
      for (let c = 0, at = 0; c < k; c++)
        for (let j = 0; j < d; j++, at++) {
          if (steps > 0 && n[c]! > 0) centres[at] = sums[at]! / n[c]!;
          const m = centres[at]!;
          within[j]! += m * (n[c]! * m - 2 * sums[at]!);
        }
    }
    return within.map((s) => s / total);
  }
}
/** The first place whose value is above `target`; the values ascend, the last above it or equal. */
function firstAbove(ascending: Float64Array, target: number): number {
  let from = 0;
  let end = ascending.length - 1;
  while (from < end) {
    const middle = (from + end) >> 1;
    if (ascending[middle]! > target) end = middle;
    else from = middle + 1;
  }
  while (from > 0 && ascending[from]! <= ascending[from - 1]!) from--; // rounding: the last that weighs anything
  return from;
}
/** The sums of SUMS values each. */
const addUp = (parts: Float64Array): Float64Array =>
  Float64Array.from({ length: parts.length / SUMS }, (_, i) => {
    let sum = 0;
    for (let at = i * SUMS; at < (i + 1) * SUMS; at++) sum += parts[at]!;
    return sum;
  });
