/**
 * Passes over sequences: filter, smoother, E step. Long sequences go through the kernels in pieces that carry the state,
 * always the same ones, so that an abort need not wait and results do not depend on who runs them.
 */
import * as check from '../../check.ts';
import { type Pass, work } from '../work.ts';
import { type Engine, stateAt, toUserError } from './engine.ts';
import { type Moments, markMoments, mergeMoments, noMoments, sumNames } from './moments.ts';
import { type Observations, observedRows } from './observations.ts';
import type { SystemState } from './state.ts';

/** Sequences that are summed together before such sums are added, if none says how many: what bind calls a shard. */
const SHARD = 64;
/** Values of moments that are kept at once for an E step, and for the last rows of many sequences. */
const KEPT = 2 ** 22;

/** Moments of rows: of all, of some, or of none. */
export interface Track {
  readonly predictedMeans: Float64Array;
  readonly predictedCovariances: Float64Array;
  readonly means: Float64Array;
  readonly covariances: Float64Array;
}
export interface Filtered {
  readonly track: Track;
  /** [n] */
  readonly logDensity: Float64Array;
  /** After the last row of each sequence; the prior, if it has none. */
  readonly states: readonly SystemState[];
}
/** Which rows keep their moments: all, or the last of each sequence, or none. */
export type Store = 'all' | 'last' | 'none';

/** Rows of a piece: milliseconds in wasm. Longer ones where the filter has sequences in lanes, to go side by side. */
export const pieceOf = ({ m, d }: { readonly m: number; readonly d: number }): number => {
  const lanes = m <= 8 && d <= 8 ? 8 : 1;
  return Math.max(16, Math.floor((lanes * 2e6) / (12 * m ** 3 + 6 * m * m * d + m * d * d + 200)));
};

/** Consecutive sequences [first, end), with the rows [from, to): short ones together, a long one alone. */
interface Run {
  readonly first: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}
/** Runs of at most `rows` rows, or of one longer sequence. Of shards, a run is part of one, or some whole ones. */
function* runsOf(lengths: Int32Array, piece: number, rows: number, size?: number): Generator<Run> {
  const shards = size !== undefined;
  const shard = size ?? SHARD;
  const isShort = (s: number): boolean => lengths[s]! <= piece;
  const shardEnd = (s: number): number => Math.min((Math.floor(s / shard) + 1) * shard, lengths.length);
  const isWhole = (s: number): boolean => {
    if (s % shard > 0) return false;
    for (let i = s; i < shardEnd(s); i++) if (!isShort(i)) return false;
    return true;
  };
  for (let s = 0, from = 0; s < lengths.length; ) {
    const first = s;
    let to = from + lengths[s]!;
    const whole = shards && isWhole(s);
    if (isShort(s++))
      for (; s < lengths.length && isShort(s) && to - from + lengths[s]! <= rows; s++) {
        if (shards && s % shard === 0 && !(whole && isWhole(s))) break;
        to += lengths[s]!;
      }
    // a run of several shards ends with a whole one
    if (shards && s % shard > 0 && s < lengths.length && s - first > shard)
      for (const last = Math.floor(s / shard) * shard; s > last; ) to -= lengths[--s]!;
    yield { first, end: s, from, to };
    from = to;
  }
}
interface Piece extends Run {
  readonly lengths: Int32Array;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}
/** The pieces of a run, in order. */
function piecesOf(run: Run, lengths: Int32Array, rows: number): Piece[] {
  const { first, end, from, to } = run;
  if (end - first > 1 || to - from <= rows)
    return [{ ...run, lengths: lengths.slice(first, end), isFirst: true, isLast: true }];
  const pieces: Piece[] = [];
  for (let at = from; at < to; at += rows) {
    const last = Math.min(at + rows, to);
    const own = { ...run, from: at, to: last, lengths: Int32Array.of(last - at) };
    pieces.push({ ...own, isFirst: at === from, isLast: last === to });
  }
  return pieces;
}
const flags = (piece: Piece, value: number): Int32Array => new Int32Array(piece.lengths.length).fill(value);

/** The kernel call of a piece of the filter; row `at` is the first of the arrays. */
function* filterPiece(
  where: string,
  engine: Engine,
  values: Float64Array,
  piece: Piece,
  state: Float64Array,
  keep: 'all' | 'filtered' | 'none',
  track: Track,
  logDensity: Float64Array,
  at: number,
): Pass<void> {
  const { m, d } = engine.system;
  const { lengths, from, to } = piece;
  const part = (array: Float64Array, width: number): Float64Array =>
    array.length === 0 ? array : array.subarray((from - at) * width, (to - at) * width);
  const args = {
    ...{ lengths, model: engine.resident, started: flags(piece, piece.isFirst ? 0 : 1) },
    x: values.subarray(from * d, to * d),
    state,
    predictedMean: part(track.predictedMeans, m),
    predictedCovariance: part(track.predictedCovariances, m * m),
    mean: part(track.means, m),
    covariance: part(track.covariances, m * m),
    logDensity: logDensity.subarray(from, to),
  };
  try {
    yield work(engine.kernels.filter, { d, latent: m, keep }, args, { owned: true });
  } catch (error) {
    throw toUserError(where, error, from);
  }
}
const empty = new Float64Array(0);
const noTrack: Track = { predictedMeans: empty, predictedCovariances: empty, means: empty, covariances: empty };
function roomFor(where: string, m: number, rows: number, keep: 'all' | 'filtered'): Track {
  const room = (n: number): Float64Array => check.room(where, rows * n);
  const predicted = keep === 'all' ? 1 : 0;
  return {
    predictedMeans: room(predicted * m),
    predictedCovariances: room(predicted * m * m),
    means: room(m),
    covariances: room(m * m),
  };
}

/** The filter over all sequences. Throws NON_FINITE (row). */
export function* filter(where: string, engine: Engine, data: Observations, store: Store): Pass<Filtered> {
  const { m, d } = engine.system;
  const { values, lengths } = data;
  const n = values.length / d;
  const rows = pieceOf(engine.system);
  const logDensity = check.room(where, n);
  const track = store === 'none' ? noTrack : roomFor(where, m, store === 'all' ? n : lengths.length, 'all');
  const carries = engine.priors(lengths.length);
  const most = store === 'last' ? Math.max(1, Math.floor(KEPT / (m * m))) : Number.POSITIVE_INFINITY;
  for (const run of runsOf(lengths, rows, most)) {
    const state = carries.subarray(run.first * engine.carried, run.end * engine.carried);
    for (const piece of piecesOf(run, lengths, rows)) {
      const whole = store === 'last' && piece.isLast ? roomFor(where, m, piece.to - piece.from, 'all') : undefined;
      const into = whole ?? (store === 'all' ? track : noTrack);
      const keep = into === noTrack ? 'none' : 'all';
      const at = whole ? piece.from : 0;
      yield* filterPiece(where, engine, values, piece, state, keep, into, logDensity, at);
      if (whole) keepLast(track, whole, run, lengths, piece, m);
    }
  }
  if (store === 'last') fillPriors(track, lengths, engine);
  const states = Array.from(lengths, (T, s) => stateAt(carries, s, m, T));
  return { track, logDensity, states };
}
const widths = (m: number): readonly (readonly [keyof Track, number])[] => [
  ['predictedMeans', m],
  ['predictedCovariances', m * m],
  ['means', m],
  ['covariances', m * m],
];
/** Copies the last row of each sequence of a piece. */
function keepLast(track: Track, whole: Track, run: Run, lengths: Int32Array, piece: Piece, m: number): void {
  let row = piece.end - piece.first > 1 ? 0 : piece.to - piece.from - lengths[run.first]!;
  for (let s = run.first; s < run.end; s++) {
    row += lengths[s]!;
    if (lengths[s]! > 0)
      for (const [name, width] of widths(m))
        track[name].set(whole[name].subarray((row - 1) * width, row * width), s * width);
  }
}
/** A sequence without rows has its prior. */
function fillPriors(track: Track, lengths: Int32Array, { system }: Engine): void {
  const { m, initialMean, initialCovariance } = system;
  for (const [s, T] of lengths.entries())
    if (T === 0)
      for (const [name, width] of widths(m))
        track[name].set(width === m && name.endsWith('eans') ? initialMean : initialCovariance, s * width);
}

export interface Smoothed {
  readonly means: Float64Array;
  readonly covariances: Float64Array;
  /** [Σ max(T - 1, 0),m,m] */
  readonly lagOneCovariances: Float64Array;
  readonly logDensity: Float64Array;
}
/** The smoother over all sequences. Throws NON_FINITE, NOT_POSITIVE_DEFINITE (row). */
export function* smooth(where: string, engine: Engine, data: Observations): Pass<Smoothed> {
  const { m, d } = engine.system;
  const { values, lengths } = data;
  const n = values.length / d;
  const rows = pieceOf(engine.system);
  const track = roomFor(where, m, n, 'filtered');
  const logDensity = check.room(where, n);
  const means = check.room(where, n * m);
  const covariances = check.room(where, n * m * m);
  const lagOne = check.room(where, n * m * m);
  for (const run of runsOf(lengths, rows, Number.POSITIVE_INFINITY)) {
    const state = engine.priors(run.end - run.first);
    const pieces = piecesOf(run, lengths, rows);
    for (const piece of pieces)
      yield* filterPiece(where, engine, values, piece, state, 'filtered', track, logDensity, 0);
    for (const piece of pieces.reverse()) {
      const { from, to } = piece;
      const args = {
        ...{ lengths: piece.lengths, model: engine.resident, ended: flags(piece, piece.isLast ? 1 : 0), state },
        mean: track.means.subarray(from * m, to * m),
        covariance: track.covariances.subarray(from * m * m, to * m * m),
        smoothedMean: means.subarray(from * m, to * m),
        smoothedCovariance: covariances.subarray(from * m * m, to * m * m),
        lagOne: lagOne.subarray(from * m * m, to * m * m),
      };
      try {
        yield work(engine.kernels.smooth, { d, latent: m }, args, { owned: true });
      } catch (error) {
        throw toUserError(where, error, from);
      }
    }
  }
  return { means, covariances, lagOneCovariances: compact(lagOne, lengths, m * m), logDensity };
}
/** Without the last row of each sequence. */
function compact(rows: Float64Array, lengths: Int32Array, width: number): Float64Array {
  let [row, to] = [0, 0];
  for (const T of lengths) {
    const count = Math.max(T - 1, 0);
    rows.copyWithin(to * width, row * width, (row + count) * width);
    to += count;
    row += T;
  }
  return rows.slice(0, to * width);
}

/** The E step, in shards of `size` sequences. Throws NON_FINITE, NOT_POSITIVE_DEFINITE (row). */
export function* expect(where: string, engine: Engine, data: Observations, size = SHARD): Pass<Moments> {
  const { system } = engine;
  const { m, d } = system;
  const { values, lengths } = data;
  const rows = pieceOf(system);
  const logDensity = check.room(where, values.length / d);
  const most = Math.max(1, Math.floor(KEPT / (m * m)));
  let whole = noMoments(system);
  let shard = noMoments(system);
  for (const run of runsOf(lengths, rows, most, size)) {
    const state = engine.priors(run.end - run.first);
    const pieces = piecesOf(run, lengths, rows);
    const track = roomFor(where, m, run.to - run.from, 'filtered');
    for (const piece of pieces)
      yield* filterPiece(where, engine, values, piece, state, 'filtered', track, logDensity, run.from);
    // whole shards are added by bind, one by one; the parts of one are summed by themselves
    const isWhole = run.first % size === 0 && pieces.length === 1 && run.end - run.first > size;
    const sums = isWhole ? whole : shard;
    for (const piece of pieces.reverse()) {
      const { from, to } = piece;
      const args = {
        ...{ lengths: piece.lengths, model: engine.resident, ended: flags(piece, piece.isLast ? 1 : 0), state },
        started: flags(piece, piece.isFirst ? 0 : 1),
        initialMean: system.initialMean,
        x: values.subarray(from * d, to * d),
        mean: track.means.subarray((from - run.from) * m, (to - run.from) * m),
        covariance: track.covariances.subarray((from - run.from) * m * m, (to - run.from) * m * m),
        ...{ S00: sums.previous, cross: sums.transitionCross, W: sums.transitionResidual, Szz: sums.state },
        ...{ observed: sums.observationCross, residual: sums.observationResidual },
        ...{ first: sums.initialResidual, firstSquare: sums.initialSquare },
      };
      try {
        yield work(engine.kernels.moments, { d, latent: m }, args, { owned: true, shardSize: size });
      } catch (error) {
        throw toUserError(where, error, from);
      }
    }
    if (!isWhole && (run.end % size === 0 || run.end === lengths.length)) {
      whole = mergeMoments(whole, shard);
      shard = noMoments(system);
    }
  }
  return finish(where, whole, data, logDensity, size);
}
/** The sums with the counts of the data. Throws NON_FINITE: a sum overflows. */
function finish(where: string, sums: Moments, data: Observations, logDensity: Float64Array, size: number): Moments {
  for (const name of sumNames) check.finite(where, 'y', sums[name]);
  const { lengths, values } = data;
  const { d } = sums.system;
  let logLikelihood = 0;
  let from = 0;
  // sequence by sequence and shard by shard, as the sums are
  for (let s = 0; s < lengths.length; ) {
    let shard = 0;
    for (const end = Math.min(s + size, lengths.length); s < end; s++) {
      let own = 0;
      for (const to = from + lengths[s]!; from < to; from++) own += logDensity[from]!;
      shard += own;
    }
    logLikelihood += shard;
  }
  return markMoments({
    ...sums,
    rows: values.length / d,
    transitions: lengths.reduce((sum, T) => sum + Math.max(T - 1, 0), 0),
    sequences: lengths.reduce((sum, T) => sum + (T > 0 ? 1 : 0), 0),
    observedRows: observedRows(data, d),
    logLikelihood,
  });
}
