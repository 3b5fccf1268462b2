/**
 * The two halves of an EM iteration for Gaussian components: additive statistics of data (E), and the parameters they
 * give (M). Rows with gaps count with their exact conditional moments. Equations: docs/math.md § mixture.
 */

import { SHARD_ROWS } from '../../bind.ts';
import type { Gaps, Rows } from '../../check.ts';
import { gaps, isSingle } from '../../check.ts';
import { SeqlikError } from '../../errors.ts';
import { regression, tri } from '../triangles.ts';
import type { Asynchronous, Components, Parts, Sums } from './components.ts';
import { grouped, type Pattern } from './patterns.ts';

/** Sums over rows of responsibilities, and of y = x - mean and y yᵀ weighted by them; y about the means of `parts`. */
export interface Totals {
  /** The parameters the sums were made under. */
  readonly parts: Parts;
  /** Rows of which something was observed. */
  rows: number;
  logLikelihood: number;
  /** [k] */
  readonly count: Float64Array;
  /** [k,d] */
  readonly first: Float64Array;
  /** Lower triangles packed by rows [k,tri(d)], or squares [k,d]. */
  readonly second: Float64Array;
}
/** Rows of one pattern of gaps, and what each weighs. */
export interface Batch extends Pattern {
  readonly weights: Float64Array;
}

/**
 * The batches of a pass over the data: all rows at once if none has a gap, else pattern by pattern within each shard of
 * `shardSize` rows, so that whole shards add up to the same bits wherever they are computed.
 */
export function* batches(
  where: string,
  x: Rows,
  missing: Gaps,
  weights: Float64Array,
  d: number,
  shardSize = SHARD_ROWS,
): Generator<Batch> {
  const seen = gaps(where, 'x', x, missing);
  if (!seen?.includes(0)) {
    yield { dims: [...Array(d).keys()], rows: x, weights };
    return;
  }
  for (let from = 0; from < x.n; from += shardSize)
    for (const pattern of grouped(x.values, seen, d, from, Math.min(from + shardSize, x.n)))
      if (pattern.dims.length > 0) yield { ...pattern, weights: Float64Array.from(pattern.of, (row) => weights[row]!) };
}

const known = new WeakSet<object>();
/** The totals that `expect`, `merged` or a file made. */
export function totalsOf(totals: Totals): Totals {
  known.add(totals);
  return totals;
}
/** Whether `expect` or a file made it: no caller's object is taken for one. */
export const areTotals = (value: unknown): value is Totals => known.has(value as object);
export const emptyTotals = ({ parts, full }: Components): Totals =>
  totalsOf({
    parts,
    rows: 0,
    logLikelihood: 0,
    count: new Float64Array(parts.k),
    first: new Float64Array(parts.k * parts.d),
    second: new Float64Array(parts.k * (full ? tri(parts.d) : parts.d)),
  });

/** The E step. Throws NON_FINITE. */
export function expect(where: string, components: Components, each: Iterable<Batch>, shardSize?: number): Totals {
  const totals = emptyTotals(components);
  for (const { part, dims, rows, weights, of } of components.marginals(each)) {
    const sums = part.sums(isSingle(rows.values));
    part.call(where, 'expect', rows, { w: weights, ...sums }, of, shardSize === undefined ? {} : { shardSize });
    include(totals, components, part, dims, rows.n, sums);
  }
  return totals;
}
/** The same off the event loop. */
export async function expectAsync(
  where: string,
  components: Components,
  each: Iterable<Batch>,
  how: Asynchronous,
): Promise<Totals> {
  const totals = emptyTotals(components);
  for (const { part, dims, rows, weights, of } of components.marginals(each)) {
    const sums = part.sums(isSingle(rows.values));
    await part.callAsync(where, 'expect', rows, { w: weights, ...sums }, how, of);
    include(totals, components, part, dims, rows.n, sums);
  }
  return totals;
}

/** a + b: statistics under the same parameters. */
export function merged(a: Totals, b: Totals): Totals {
  const plus = (x: Float64Array, y: Float64Array): Float64Array => x.map((v, i) => v + y[i]!);
  return totalsOf({
    parts: a.parts,
    rows: a.rows + b.rows,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    count: plus(a.count, b.count),
    first: plus(a.first, b.first),
    second: plus(a.second, b.second),
  });
}

/** Adds the sums over the observed coordinates `dims`, completed by what they say of the others. */
function include(
  totals: Totals,
  whole: Components,
  part: Components,
  dims: readonly number[],
  rows: number,
  sums: Sums,
): void {
  const { k, d } = whole.parts;
  totals.rows += rows;
  totals.logLikelihood += sums.logLikelihood[0]!;
  for (let c = 0; c < k; c++) {
    totals.count[c]! += sums.count[c]!;
    if (whole.full) includeFull(totals, whole, part, dims, c, sums);
    else
      for (let j = 0, o = 0; j < d; j++) {
        const observed = dims[o] === j;
        totals.first[c * d + j]! += observed ? sums.first[c * sums.width + o]! : 0;
        totals.second[c * d + j]! += observed
          ? sums.second[c * sums.width + o]!
          : sums.count[c]! * whole.covariances[c * d + j]!;
        if (observed) o++;
      }
  }
}
/**
 * ŷ = T y[o] with the unit row e_j for an observed j and Σ[j,o] Σ[o,o]⁻¹ for another; the sum of y yᵀ becomes
 * T S Tᵀ + count · (Σ - T Σ[o,o] Tᵀ), whose second term is 0 where j or h was observed.
 */
function includeFull(
  totals: Totals,
  { parts: { d }, covariances }: Components,
  part: Components,
  dims: readonly number[],
  c: number,
  sums: Sums,
): void {
  const { count, first, second, width } = sums;
  const o = dims.length;
  const sigma = (i: number, j: number): number => covariances[(c * d + i) * d + j]!;
  const S = (a: number, b: number): number => second[(c * o + Math.max(a, b)) * width + Math.min(a, b)]!;
  const T: (Float64Array | number)[] = []; // of an observed coordinate its place among dims
  for (let j = 0; j < d; j++) {
    const place = dims.indexOf(j);
    T[j] =
      place >= 0
        ? place
        : regression(
            part.L,
            c,
            Float64Array.from(dims, (i) => sigma(j, i)),
          );
  }
  const dot = (t: Float64Array | number, f: (a: number) => number): number => {
    if (typeof t === 'number') return f(t);
    let s = 0;
    for (let a = 0; a < o; a++) s += t[a]! * f(a);
    return s;
  };
  for (let j = 0; j < d; j++) {
    const t = T[j]!;
    totals.first[c * d + j]! += dot(t, (a) => first[c * width + a]!);
    for (let h = 0; h <= j; h++) {
      let s = dot(t, (a) => dot(T[h]!, (b) => S(a, b)));
      if (typeof t !== 'number' && typeof T[h] !== 'number')
        s += count[c]! * (sigma(j, h) - dot(t, (a) => sigma(dims[a]!, h)));
      totals.second[c * tri(d) + tri(j) + h]! += s;
    }
  }
}
/**
 * The M step: weights count/Σ count, means mean + first/count, covariances second/count - δδᵀ with δ = first/count; each
 * diagonal raised by `regularization` times the variance of its column over all data. A component without weight keeps
 * its mean and covariance. Throws EMPTY_INPUT.
 */
export function maximise(where: string, { parts, count, first, second }: Totals, regularization: number): Parts {
  const { type, k, d } = parts;
  const total = count.reduce((a, b) => a + b, 0);
  if (!(total > 0)) throw new SeqlikError('EMPTY_INPUT', `${where}: the statistics hold no observation`);
  const full = type === 'full' || type === 'tied';
  const means = parts.means.slice();
  const delta = first.map((f, i) => (count[Math.floor(i / d)]! > 0 ? f / count[Math.floor(i / d)]! : 0));
  for (let i = 0; i < means.length; i++) means[i]! += delta[i]!;
  const floor = columnVariances(parts, { count, first, second }).map((v) => v * regularization);

  /** count · covariance of component c, entry (j, h). */
  const scatter = (c: number, j: number, h: number): number => {
    const s = full ? second[c * tri(d) + tri(Math.max(j, h)) + Math.min(j, h)]! : second[c * d + j]!;
    return s - count[c]! * delta[c * d + j]! * delta[c * d + h]!;
  };
  const all = (j: number, h: number): number => {
    let s = 0;
    for (let c = 0; c < k; c++) s += scatter(c, j, h);
    return s / total;
  };
  const kept = parts.covariances;
  const entry = {
    full: (i: number): number => {
      const [c, j, h] = [Math.floor(i / (d * d)), Math.floor(i / d) % d, i % d];
      return count[c]! > 0 ? scatter(c, j, h) / count[c]! + (j === h ? floor[j]! : 0) : kept[i]!;
    },
    tied: (i: number): number => all(Math.floor(i / d), i % d) + (Math.floor(i / d) === i % d ? floor[i % d]! : 0),
    diagonal: (i: number): number => {
      const [c, j] = [Math.floor(i / d), i % d];
      return count[c]! > 0 ? scatter(c, j, j) / count[c]! + floor[j]! : kept[i]!;
    },
    spherical: (c: number): number => {
      if (!(count[c]! > 0)) return kept[c]!;
      let s = 0;
      for (let j = 0; j < d; j++) s += scatter(c, j, j) / count[c]! + floor[j]!;
      return s / d;
    },
  }[type];
  const covariances = Float64Array.from({ length: kept.length }, (_, i) => entry(i));
  return { type, k, d, weights: count.map((n) => n / total), means, covariances };
}
/** Variance of each column over all components, about the mean of all. */
function columnVariances(
  { k, d, means, type }: Parts,
  { count, first, second }: Pick<Totals, 'count' | 'first' | 'second'>,
): Float64Array {
  const full = type === 'full' || type === 'tied';
  const total = count.reduce((a, b) => a + b, 0);
  return Float64Array.from({ length: d }, (_, j) => {
    let mean = 0;
    for (let c = 0; c < k; c++) mean += (count[c]! * means[c * d + j]! + first[c * d + j]!) / total;
    let sum = 0;
    for (let c = 0; c < k; c++) {
      const shift = means[c * d + j]! - mean;
      const square = full ? second[c * tri(d) + tri(j) + j]! : second[c * d + j]!;
      sum += square + 2 * shift * first[c * d + j]! + shift * shift * count[c]!;
    }
    return Math.max(0, sum) / total;
  });
}
