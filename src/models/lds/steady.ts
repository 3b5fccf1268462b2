/**
 * The filter with a frozen gain. Covariances do not depend on the data, and their recursion is a contraction: once they
 * have all but stopped, the rest of a sequence is a linear recursion of means. Equations and bounds: docs/math/lds.md.
 */
import * as check from '../../check.ts';
import { SeqlikError } from '../../errors.ts';
import { pad } from '../../grammar.ts';
import { factorise, notPositiveDefinite, solve, solveLower } from '../triangles.ts';
import { type Pass, work } from '../work.ts';
import { eigenSymmetric } from './eigen.ts';
import type { Engine } from './engine.ts';
import { identity, plus, product, sandwich, symmetric, transpose } from './matrix.ts';
import type { Observations } from './observations.ts';
import type { System } from './parameters.ts';
import { type Filtered, filter, type Store } from './passes.ts';

/** Where a filter froze its gain, and how far the results may be from those of the full filter (docs/math/lds.md). */
export interface SteadyState {
  /** The first row of a sequence that has the covariances of the row before it. */
  readonly from: number;
  /** The largest relative error of a covariance, in any direction. */
  readonly covarianceError: number;
  /** The largest error of a mean, in standard deviations of the filtered state. */
  readonly meanError: number;
  /** The largest error of a log-density. */
  readonly logDensityError: number;
}

export interface Steady extends Filtered {
  /** Absent if the full filter ran. */
  readonly steadyState?: SteadyState;
}

/** A relative change of the predicted covariance, in any direction, that is as good as none. */
const STILL = 1e-12;
/** The rows of a first look for it; the next looks are twice as long. */
const LOOK = 64;
/** Values of covariances that are kept while looking. */
const KEPT = 2 ** 22;
/** Rows that are filtered at once. */
const BLOCK = 2048;

/** The covariances from row `from` on, and what the recursion of means needs. */
interface Frozen {
  readonly from: number;
  /** Predicted [m,m], filtered [m,m]. */
  readonly P: Float64Array;
  readonly F: Float64Array;
  /** mean[t] = G mean[t-1] + K y[t], whitened innovation = W y[t] - E mean[t-1]. */
  readonly G: Float64Array;
  readonly K: Float64Array;
  readonly W: Float64Array;
  readonly E: Float64Array;
  /** The log-density of an innovation of 0. */
  readonly constant: number;
  /** P[t] of all later rows is within the factors exp(±eta) of P. */
  readonly eta: number;
  /** A mean is wrong by at most `gain` times the largest whitened innovation. */
  readonly gain: number;
}

/**
 * The filter over complete sequences, with a frozen gain from the row on where covariances stand still. The full filter,
 * if there are gaps or they never do. Throws NON_FINITE (row).
 */
export function* steadyFilter(where: string, engine: Engine, data: Observations, store: Store): Pass<Steady> {
  const longest = data.lengths.reduce((most, T) => Math.max(most, T), 0);
  const frozen = data.gaps ? undefined : yield* freeze(where, engine, longest);
  if (!frozen) return yield* filter(where, engine, data, store);
  const { system } = engine;
  const { d, m } = system;
  const { lengths, values } = data;
  const own = lengths.map((T) => Math.min(T, frozen.from));
  const first = yield* filter(where, engine, { ...data, ...heads(data, own, d) }, store);
  const n = values.length / d;
  const logDensity = check.room(where, n);
  const kept = store === 'all' ? n : store === 'last' ? lengths.length : 0;
  const track = {
    predictedMeans: check.room(where, kept * m),
    predictedCovariances: check.room(where, kept * m * m),
    means: check.room(where, kept * m),
    covariances: check.room(where, kept * m * m),
  };
  const states = first.states.slice();
  let worst = 0;
  for (let s = 0, row = 0, head = 0; s < lengths.length; s++) {
    const [T, H] = [lengths[s]!, own[s]!];
    logDensity.set(first.logDensity.subarray(head, head + H), row);
    for (const name of ['predictedMeans', 'predictedCovariances', 'means', 'covariances'] as const) {
      const width = name.endsWith('eans') ? m : m * m;
      if (store === 'all') track[name].set(first.track[name].subarray(head * width, (head + H) * width), row * width);
      else if (store === 'last') track[name].set(first.track[name].subarray(s * width, (s + 1) * width), s * width);
    }
    let mean: Float64Array = first.states[s]!.mean;
    for (let from = H; from < T; from += BLOCK) {
      const to = Math.min(from + BLOCK, T);
      const y = values.subarray((row + from) * d, (row + to) * d);
      const block = yield* advance(engine, frozen, mean, y, store !== 'none');
      const rows = to - from;
      for (let t = 0; t < rows; t++) {
        let square = 0;
        for (let j = 0; j < d; j++) square += block.whitened[t * d + j]! ** 2;
        logDensity[row + from + t] = frozen.constant - square / 2;
        worst = Math.max(worst, square);
      }
      mean = block.means.slice((rows - 1) * m);
      // as for the prefix: every row, or the last one of a sequence
      const [at, seen] = store === 'all' ? [row + from, 0] : [s, rows - 1];
      if (store !== 'none') {
        track.means.set(block.means.subarray(seen * m), at * m);
        track.predictedMeans.set(block.predicted.subarray(seen * m), at * m);
        for (let t = at; t < at + rows - seen; t++) {
          track.covariances.set(frozen.F, t * m * m);
          track.predictedCovariances.set(frozen.P, t * m * m);
        }
      }
    }
    if (T > H) states[s] = { time: T, mean, covariance: frozen.F.slice() };
    row += T;
    head += H;
  }
  // the full filter says which row overflows
  if (!Number.isFinite(worst) || !states.every(({ mean }) => mean.every(Number.isFinite)))
    return yield* filter(where, engine, data, store);
  return { track, logDensity, states, steadyState: errorsOf(frozen, Math.sqrt(worst), system) };
}

/** The first `own` rows of each sequence. */
function heads({ values, lengths }: Observations, own: Int32Array, d: number) {
  const all = new Float64Array(own.reduce((sum, H) => sum + H, 0) * d);
  for (let s = 0, row = 0, at = 0; s < lengths.length; s++) {
    all.set(values.subarray(row * d, (row + own[s]!) * d), at);
    at += own[s]! * d;
    row += lengths[s]!;
  }
  return { values: all, lengths: own };
}

/** Looks for the row where covariances stand still, on rows of zeros. undefined: none before the last one. */
function* freeze(where: string, engine: Engine, longest: number): Pass<Frozen | undefined> {
  const { system } = engine;
  const { m, d } = system;
  const most = Math.min(longest - 1, Math.floor(KEPT / (m * m)));
  for (let rows = Math.min(LOOK, most), next = 1; next < most; rows = Math.min(2 * rows, most)) {
    const zeros = { values: new Float64Array(rows * d), lengths: Int32Array.of(rows), gaps: false };
    let all: Float64Array;
    try {
      const { track } = yield* filter(
        where,
        engine,
        { ...zeros, single: false, several: false, borrowed: false },
        'all',
      );
      all = track.predictedCovariances;
    } catch (error) {
      if (error instanceof SeqlikError && error.code === 'NON_FINITE') return undefined;
      throw error;
    }
    for (; next < rows; next++) {
      const at = next * m * m;
      const [before, P] = [all.subarray(at - m * m, at), all.slice(at, at + m * m)];
      if (!isStill(before, P, m)) continue;
      const frozen = frozenAt(engine, next + 1, before, P);
      if (frozen) return frozen;
      next += next >> 2; // rounding may keep it from standing still in every direction
    }
  }
  return undefined;
}
/** Whether no entry changes by more than rounding, beside its standard deviations: a cheap look. */
function isStill(before: Float64Array, P: Float64Array, m: number): boolean {
  for (let i = 0; i < m; i++)
    for (let j = 0; j <= i; j++) {
      const size = Math.sqrt(P[i * (m + 1)]! * P[j * (m + 1)]!);
      if (!(Math.abs(P[i * m + j]! - before[i * m + j]!) <= STILL * size)) return false;
    }
  return true;
}

/** The filter frozen at P; undefined if P still changes too much for the bounds to hold. */
function frozenAt({ backend, system }: Engine, from: number, before: Float64Array, P: Float64Array) {
  const { m, d, transition: A, observation: B, transitionCovariance: Q, observationCovariance: R } = system;
  const factor = (name: string, S: Float64Array, n: number): Float64Array =>
    factorise(backend, S, 1, n, ({ pivot, value }) => notPositiveDefinite('LinearDynamicalSystem', name, pivot, value))
      .L;
  /** Eigenvalues of a symmetric X relative to the matrix of factor L. */
  const relative = (L: Float64Array, X: Float64Array, n: number): Float64Array =>
    eigenSymmetric(symmetric(whiten(L, transpose(whiten(L, X, n, n), n, n), n, n), n), n).values;
  const change = relative(factor('state.covariance', P, m), plus(before, P, -1), m);
  const epsilon = change.reduce((most, v) => Math.max(most, Math.abs(Math.log1p(v))), 0);
  const S = plus(sandwich(B, P, d, m), R);
  const L = factor('observationCovariance', S, d);
  const kappa = Math.max(...relative(factor('transitionCovariance', Q, m), P, m)) * Math.exp(epsilon);
  const sigma = Math.max(...relative(factor('observationCovariance', R, d), S, d));
  const eta = 2 * kappa * epsilon;
  const gain = 4 * kappa * Math.expm1(eta) * Math.sqrt(sigma);
  if (!(epsilon <= STILL * m && eta <= Math.LN2 && 4 * kappa * epsilon <= 1 && gain <= 0.5)) return undefined;
  const K = transpose(
    byColumns(product(B, P, d, m, m), d, m, (column) => solve(L, column)),
    d,
    m,
  );
  const rest = plus(identity(m), product(K, B, m, d, m), -1);
  const W = whiten(L, identity(d), d, d);
  let constant = (-d / 2) * Math.log(2 * Math.PI);
  for (let j = 0; j < d; j++) constant -= Math.log(L[(j * (j + 3)) / 2]!);
  return {
    ...{ from, P, K, W, constant, eta, gain },
    F: plus(sandwich(rest, P, m, m), sandwich(K, R, m, d)),
    G: product(rest, A, m, m, m),
    E: product(W, product(B, A, d, m, m), d, d, m),
  };
}
/** Applies `act` to each column of X [n,k], in place. */
function byColumns(X: Float64Array, n: number, k: number, act: (column: Float64Array) => void): Float64Array {
  const columns = transpose(X, n, k);
  for (let at = 0; at < n * k; at += n) act(columns.subarray(at, at + n));
  return transpose(columns, k, n);
}
/** L⁻¹ X of X [n,k]. */
const whiten = (L: Float64Array, X: Float64Array, n: number, k: number): Float64Array =>
  byColumns(X, n, k, (column) => solveLower(L, column));

/** The rows y [n,d] after a row whose mean is `before`. */
function* advance(
  engine: Engine,
  { G, K, W, E }: Frozen,
  before: Float64Array,
  y: Float64Array,
  predict: boolean,
): Pass<{ means: Float64Array; predicted: Float64Array; whitened: Float64Array }> {
  const { m, d, transition } = engine.system;
  const n = y.length / d;
  const all = new Float64Array((n + 1) * m);
  const [previous, means] = [all.subarray(0, n * m), all.subarray(m)];
  all.set(before);
  yield* addRows(engine, y, K, means, d, m);
  for (let at = 0; at < n * m; at += m)
    for (let i = 0; i < m; i++) {
      let v = means[at + i]!;
      for (let j = 0; j < m; j++) v += G[i * m + j]! * previous[at + j]!;
      means[at + i] = v;
    }
  const whitened = new Float64Array(n * d);
  yield* addRows(engine, y, W, whitened, d, d);
  yield* addRows(
    engine,
    previous,
    E.map((v) => -v),
    whitened,
    m,
    d,
  );
  const predicted = new Float64Array(predict ? n * m : 0);
  if (predict) yield* addRows(engine, previous, transition, predicted, m, m);
  return { means, predicted, whitened };
}
/** y [n,o] += x [n,i] Mᵀ of M [o,i], on the backend. */
function* addRows(
  { backend }: Engine,
  x: Float64Array,
  M: Float64Array,
  y: Float64Array,
  i: number,
  o: number,
): Pass<void> {
  const wide = pad(o, 'f64');
  const across = new Float64Array(i * wide);
  for (let p = 0; p < o; p++) for (let j = 0; j < i; j++) across[j * wide + p] = M[p * i + j]!;
  yield work(backend.f64.dense.affine, { n: y.length / o, i, o }, { x, W: across, y }, { owned: true });
}

/** The bounds for a largest whitened innovation. */
function errorsOf({ from, eta, gain }: Frozen, worst: number, { m, d }: System): SteadyState {
  const meanError = (gain * worst) / (1 - gain);
  const most = worst + meanError;
  const quadratic = Math.expm1(eta) * most ** 2 + 2 * worst * meanError + meanError ** 2;
  return {
    from,
    covarianceError: Math.expm1(eta),
    meanError,
    logDensityError: (Math.min(d, m) * eta + quadratic) / 2,
  };
}
