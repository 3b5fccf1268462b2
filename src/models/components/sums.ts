/**
 * The E step of expectation maximisation: additive statistics of data under Gaussian components. Rows with gaps count
 * with their exact conditional moments. Equations: docs/math/mixture.md.
 */
import { SHARD_ROWS } from '../../bind.ts';
import type { Gaps, Rows } from '../../check.ts';
import { dtypeOf, gaps } from '../../check.ts';
import { packedIndex, solve, solveLower, tri } from '../triangles.ts';
import { type Pass, rest } from '../work.ts';
import { type Components, Marginals, type PaddedSums, type Parts } from './components.ts';
import { groupRows, type Pattern } from './patterns.ts';

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
export function* batchesOf(
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
    for (const pattern of groupRows(x.values, seen, d, from, Math.min(from + shardSize, x.n)))
      if (pattern.dims.length > 0)
        yield { ...pattern, weights: Float64Array.from(pattern.rowIndices, (row) => weights[row]!) };
}

const known = new WeakSet<object>();
/** Marks totals as made here: by `expect`, by `mergeTotals`, or read from a file. */
export function markTotals(totals: Totals): Totals {
  known.add(totals);
  return totals;
}
/** Whether totals were made here: no object of a caller's passes for them. */
export const isTotals = (value: unknown): value is Totals => known.has(value as object);

/** The E step. Throws NON_FINITE. */
export function* expect(
  where: string,
  components: Components,
  batches: Iterable<Batch>,
  shardSize?: number,
): Pass<Totals> {
  const totals = zeroTotals(components);
  // patterns come again in the next shard, if there is one
  const last = Array.isArray(batches) ? (batches as readonly Batch[]).at(-1)?.rowIndices : undefined;
  const marginals = new Marginals(components, !last || last[0]! >= (shardSize ?? SHARD_ROWS));
  try {
    for (const { dims, rows, weights, rowIndices } of batches) {
      const part = yield* marginals.of(dims, rows.values);
      const sums = part.sums(dtypeOf(rows.values));
      try {
        yield part.expect(rows, weights, sums, shardSize);
      } catch (error) {
        throw part.toUserError(where, rows, error, rowIndices);
      }
      yield* addCompleted(totals, components, part, dims, rows.n, sums);
    }
  } finally {
    marginals.dispose();
  }
  return totals;
}
function zeroTotals({ parts, full }: Components): Totals {
  const { k, d } = parts;
  const [count, first, second] = [k, k * d, k * (full ? tri(d) : d)].map((n) => new Float64Array(n));
  return markTotals({ parts, rows: 0, logLikelihood: 0, count: count!, first: first!, second: second! });
}

/** a + b, of statistics under the same parameters. */
export function mergeTotals(a: Totals, b: Totals): Totals {
  const plus = (x: Float64Array, y: Float64Array): Float64Array => x.map((v, i) => v + y[i]!);
  return markTotals({
    parts: a.parts,
    rows: a.rows + b.rows,
    logLikelihood: a.logLikelihood + b.logLikelihood,
    count: plus(a.count, b.count),
    first: plus(a.first, b.first),
    second: plus(a.second, b.second),
  });
}

/** Adds sums over the observed coordinates `dims`, completed by the conditional moments of the others. */
function* addCompleted(
  totals: Totals,
  whole: Components,
  part: Components,
  dims: readonly number[],
  rows: number,
  sums: PaddedSums,
): Pass<void> {
  const { k, d } = whole.parts;
  const others = whole.full ? otherThan(dims, d) : [];
  totals.rows += rows;
  totals.logLikelihood += sums.logLikelihood[0]!;
  for (let c = 0; c < k; c++) {
    totals.count[c]! += sums.count[c]!;
    if (whole.full && dims.length === d) yield* addComplete(totals, d, c, sums);
    else if (whole.full && rows === 1) yield* addCompletedRow(totals, whole, part, dims, others, c, sums);
    else if (whole.full) yield* addCompletedFull(totals, whole, part, dims, others, c, sums);
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
/** Rows of a matrix between which others may run: in a larger one each is work. */
const WIDE = 64;
/** Adds sums over rows without gaps. */
function* addComplete({ first, second }: Totals, d: number, c: number, sums: PaddedSums): Pass<void> {
  const { width } = sums;
  for (let j = 0, at = c * tri(d); j < d; j++) {
    if (j % WIDE === WIDE - 1) yield rest;
    first[c * d + j]! += sums.first[c * width + j]!;
    for (let h = 0, from = (c * d + j) * width; h <= j; h++) second[at++]! += sums.second[from + h]!;
  }
}
/**
 * ŷ = T y[o] with the unit row e_j for an observed j and row j of G = Σ[u,o] Σ[o,o]⁻¹ for another; the sum of y yᵀ
 * becomes T S Tᵀ + count · (Σ - T Σ[o,o] Tᵀ), whose second term is 0 where j or h was observed.
 */
function* addCompletedFull(
  totals: Totals,
  { parts: { d }, covariances }: Components,
  part: Components,
  dims: readonly number[],
  others: readonly number[],
  c: number,
  sums: PaddedSums,
): Pass<void> {
  const o = dims.length;
  const { width } = sums;
  const n = sums.count[c]!;
  const first = totals.first.subarray(c * d, (c + 1) * d);
  const second = totals.second.subarray(c * tri(d), (c + 1) * tri(d));
  const f = sums.first.subarray(c * width, c * width + o);
  const S = new Float64Array(o * o);
  for (let a = 0; a < o; a++) {
    first[dims[a]!]! += f[a]!;
    for (let b = 0; b <= a; b++) {
      S[a * o + b] = S[b * o + a] = sums.second[(c * o + a) * width + b]!;
      second[packedIndex(dims[a]!, dims[b]!)]! += S[a * o + b]!;
    }
  }
  if (n === 0) return;
  const u = others.length;
  const L = part.factorOf(c);
  const G = new Float64Array(u * o);
  const H = new Float64Array(u * o); // G S
  for (let r = 0; r < u; r++) {
    if (o > WIDE) yield rest;
    const j = others[r]!;
    const g = G.subarray(r * o, (r + 1) * o);
    for (let a = 0; a < o; a++) g[a] = covariances[(c * d + j) * d + dims[a]!]!;
    solve(L, g);
    let s = 0;
    for (let a = 0; a < o; a++) s += g[a]! * f[a]!;
    first[j]! += s;
    for (let b = 0; b < o; b++) {
      let t = 0;
      for (let a = 0; a < o; a++) t += g[a]! * S[b * o + a]!;
      H[r * o + b] = t;
      second[packedIndex(j, dims[b]!)]! += t;
    }
    for (let q = 0; q <= r; q++) {
      const h = others[q]!;
      let moment = 0;
      let explained = 0;
      for (let a = 0; a < o; a++) {
        moment += H[r * o + a]! * G[q * o + a]!;
        explained += g[a]! * covariances[(c * d + h) * d + dims[a]!]!;
      }
      second[packedIndex(j, h)]! += moment + n * (covariances[(c * d + j) * d + h]! - explained);
    }
  }
}
/**
 * The same for a pattern of one row, whose sums are first = n y and second = n y yᵀ. With V = L⁻¹ Σ[o,u] and
 * z = L⁻¹ first, G first is Vᵀ z and G Σ[o,u] is VᵀV: a third of the products.
 */
function* addCompletedRow(
  totals: Totals,
  { parts: { d }, covariances }: Components,
  part: Components,
  dims: readonly number[],
  others: readonly number[],
  c: number,
  sums: PaddedSums,
): Pass<void> {
  const n = sums.count[c]!;
  if (n === 0) return;
  const o = dims.length;
  const u = others.length;
  const { first, second } = totals;
  const ownSecond = c * tri(d);
  const L = part.factorOf(c);
  // one array, as there is one of each row and component: V [u,o], z [o], and first with the gaps filled [d]
  const room = new Float64Array((u + 1) * o + d);
  const z = u * o;
  const all = z + o;
  for (let a = 0; a < o; a++) room[z + a] = room[all + dims[a]!] = sums.first[c * sums.width + a]!;
  solveLower(L, room, z, o);
  for (let r = 0; r < u; r++) {
    if (o > WIDE) yield rest;
    const j = others[r]!;
    const v = r * o;
    const row = (c * d + j) * d;
    for (let a = 0; a < o; a++) room[v + a] = covariances[row + dims[a]!]!;
    solveLower(L, room, v, o);
    let s = 0;
    for (let a = 0; a < o; a++) s += room[v + a]! * room[z + a]!;
    room[all + j] = s;
    for (let q = 0; q <= r; q++) {
      const h = others[q]!;
      let explained = 0;
      for (let a = 0; a < o; a++) explained += room[v + a]! * room[q * o + a]!;
      second[ownSecond + tri(j) + h]! += n * (covariances[row + h]! - explained);
    }
  }
  for (let j = 0, at = ownSecond; j < d; j++) {
    first[c * d + j]! += room[all + j]!;
    const mean = room[all + j]! / n;
    for (let h = 0; h <= j; h++) second[at++]! += mean * room[all + h]!;
  }
}
/** The coordinates of d that are not among `dims`; both ascend. */
function otherThan(dims: readonly number[], d: number): number[] {
  const others: number[] = [];
  for (let j = 0, a = 0; j < d; j++)
    if (dims[a] === j) a++;
    else others.push(j);
  return others;
}
