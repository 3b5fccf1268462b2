/**
 * Initial values from the data: canonical correlations of the past with the future (Larimore 1990; van Overschee and de
 * Moor 1996). Gaps are filled by straight lines here, and only here. Equations: docs/math/lds.md.
 */
import { Random } from '../../random.ts';
import { diagonalMatrix, solve, tri } from '../triangles.ts';
import { singularValues } from './eigen.ts';
import { factorOf } from './gradient.ts';
import { identity, product, symmetric, times, transpose } from './matrix.ts';
import type { Observations } from './observations.ts';
import type { System } from './parameters.ts';

export interface Initial {
  readonly system: System;
  /** Canonical correlations in descending order: as many of them are large as latent coordinates are needed. */
  readonly singularValues?: Float64Array;
}
/** A part of each second moment that is added to its diagonal, so that it has a factor. */
const RIDGE = 1e-9;

/** The initial values for m latent coordinates; drawn from the seed if there are too few rows for a subspace. */
export function initialSystem(data: Observations, d: number, m: number, tied: boolean, seed: number): Initial {
  const filled = fillGaps(data, d);
  const h = horizonOf(data.lengths, d, m);
  return (
    (h > 0 && fromSubspace(filled, data.lengths, d, m, h, tied)) || { system: drawSystem(filled, d, m, tied, seed) }
  );
}

/** Rows of the past, as many of the future: twice what m states need, as far as the rows allow. */
function horizonOf(lengths: Int32Array, d: number, m: number): number {
  const least = Math.ceil(m / d) + 1;
  const windows = (h: number): number => lengths.reduce((sum, T) => sum + Math.max(T - 2 * h + 1, 0), 0);
  for (let h = Math.min(2 * least, Math.max(least, Math.floor(60 / d))); h >= least - 1 && h > 0; h--)
    if (h * d >= m && windows(h) >= 3 * h * d + 2) return h;
  return 0;
}

function fromSubspace(
  y: Float64Array,
  lengths: Int32Array,
  d: number,
  m: number,
  h: number,
  tied: boolean,
): Initial | undefined {
  const k = h * d;
  // rows where a whole past ends and a whole future begins, and whether the next row is one, too
  const centres: number[] = [];
  let from = 0;
  for (const T of lengths) {
    for (let t = h; t + h <= T; t++) centres.push(from + t);
    from += T;
  }
  const pasts = (row: number): Float64Array => {
    const p = new Float64Array(k); // the last row first
    for (let i = 0; i < h; i++) for (let j = 0; j < d; j++) p[i * d + j] = y[(row - 1 - i) * d + j]!;
    return p;
  };
  const [pp, ff, fp] = [0, 1, 2].map(() => new Float64Array(k * k)) as [Float64Array, Float64Array, Float64Array];
  for (const row of centres) {
    const p = pasts(row);
    const f = y.subarray(row * d, row * d + k);
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) {
        pp[i * k + j]! += p[i]! * p[j]!;
        ff[i * k + j]! += f[i]! * f[j]!;
        fp[i * k + j]! += f[i]! * p[j]!;
      }
  }
  const [Lp, Lf] = [pp, ff].map((S) => factorOf(regular(S, k), k)) as [Float64Array, Float64Array];
  if (!Lp.every(Number.isFinite) || !Lf.every(Number.isFinite)) return undefined;
  // Lf⁻¹ (f pᵀ) Lp⁻ᵀ
  const M = whiten(Lp, transpose(whiten(Lf, fp, k), k, k), k);
  const { values, left } = singularValues(M, k, k); // M is transposed: `left` are directions of the past
  // states: s^½ vᵀ Lp⁻¹ p, one more at the end of each run of centres
  const T = new Float64Array(m * k);
  for (let i = 0; i < m; i++)
    T.set(
      solveRow(Lp, left.slice(i * k, (i + 1) * k), Math.sqrt(Math.max(values[i]!, 1e-3) * Math.max(centres.length, 1))),
      i * k,
    );
  const state = (row: number): Float64Array => times(T, pasts(row), m, k);
  const zz = new Float64Array(m * m);
  const next = new Float64Array(m * m);
  const yz = new Float64Array(d * m);
  const pairs = centres;
  const add = (S: Float64Array, a: ArrayLike<number>, b: ArrayLike<number>, n: number): void => {
    for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) S[i * m + j]! += a[i]! * b[j]!;
  };
  for (const row of pairs) {
    const z = state(row);
    add(zz, z, z, m);
    add(next, state(row + 1), z, m);
    add(yz, y.subarray(row * d, (row + 1) * d), z, d);
  }
  const L = factorOf(regular(zz, m), m);
  if (!L.every(Number.isFinite)) return undefined;
  const A = stable(rowsSolved(L, next, m, m), m);
  const B = rowsSolved(L, yz, d, m);
  const Q = new Float64Array(m * m);
  const R = new Float64Array(d * d);
  for (const row of pairs) {
    const z = state(row);
    const e = state(row + 1).map((v, i) => v - dot(A, i, z, m));
    const r = Float64Array.from({ length: d }, (_, i) => y[row * d + i]! - dot(B, i, z, m));
    for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) Q[i * m + j]! += (e[i]! * e[j]!) / pairs.length;
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) R[i * d + j]! += (r[i]! * r[j]!) / pairs.length;
  }
  const initialMean = new Float64Array(m);
  const V = zz.map((v) => v / pairs.length);
  const transitionCovariance = padded(Q, V, m);
  // the residuals of the observations are innovations: half of their variance is left to the states
  const scale = Float64Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? variance(y, d, at % d) : 0));
  const observationCovariance = padded(
    R.map((v) => v / 2),
    scale,
    d,
  );
  const initialCovariance = tied ? transitionCovariance : padded(V, V, m);
  const system = { m, d, tied, transition: A, observation: B, transitionCovariance, observationCovariance };
  const whole = { ...system, initialMean, initialCovariance };
  const isFine = [A, B, transitionCovariance, observationCovariance, initialCovariance].every((S) =>
    S.every(Number.isFinite),
  );
  return isFine ? { system: whole, singularValues: values } : undefined;
}
const dot = (A: Float64Array, i: number, z: Float64Array, m: number): number => {
  let s = 0;
  for (let p = 0; p < m; p++) s += A[i * m + p]! * z[p]!;
  return s;
};
/** S with a little of each diagonal entry, and of the largest, added. */
function regular(S: Float64Array, n: number): Float64Array {
  const R = S.slice();
  let most = 0;
  for (let i = 0; i < n; i++) most = Math.max(most, S[i * (n + 1)]!);
  for (let i = 0; i < n; i++) R[i * (n + 1)]! += RIDGE * (S[i * (n + 1)]! + 1e-3 * most) + Number.MIN_VALUE;
  return R;
}
/** S + a hundredth of the diagonal of another one: residuals of a perfect fit have no variance of their own. */
function padded(S: Float64Array, of: Float64Array, n: number): Float64Array {
  const P = symmetric(S.slice(), n);
  let most = 0;
  for (let i = 0; i < n; i++) most = Math.max(most, of[i * (n + 1)]!);
  for (let i = 0; i < n; i++) P[i * (n + 1)]! += 1e-4 * of[i * (n + 1)]! + (1e-9 * most || 1e-12);
  return P;
}
/** L⁻¹ S, column by column, of S [k,k]. */
function whiten(L: Float64Array, S: Float64Array, k: number): Float64Array {
  const W = S.slice();
  for (let i = 0; i < k; i++)
    for (let j = 0; j < k; j++) {
      let v = W[i * k + j]!;
      for (let p = 0; p < i; p++) v -= L[tri(i) + p]! * W[p * k + j]!;
      W[i * k + j] = v / L[tri(i) + i]!;
    }
  return W;
}
/** scale · L⁻ᵀ v: the coefficients of a whitened direction. */
function solveRow(L: Float64Array, v: Float64Array, scale: number): Float64Array {
  const k = v.length;
  for (let i = k - 1; i >= 0; i--) {
    for (let p = i + 1; p < k; p++) v[i]! -= L[tri(p) + i]! * v[p]!;
    v[i]! /= L[tri(i) + i]!;
  }
  return v.map((value) => scale * value);
}
function rowsSolved(L: Float64Array, C: Float64Array, n: number, m: number): Float64Array {
  const X = C.slice();
  for (let i = 0; i < n; i++) X.set(solve(L, C.slice(i * m, (i + 1) * m)), i * m);
  return X;
}
/** A, or A shrunk so that no power of it grows: an initial value that explodes is a bad place to start from. */
function stable(A: Float64Array, m: number): Float64Array {
  let P = A;
  for (let i = 0; i < 6; i++) P = product(P, P, m, m, m); // A^64
  const growth = Math.sqrt(P.reduce((sum, v) => sum + v * v, 0) / m) ** (1 / 64);
  return growth > 1 ? A.map((v) => (v * 0.999) / growth) : A;
}

// ---- gaps ----
/** The data with gaps filled by straight lines, ends by the nearest value, and columns without a value by 0. */
export function fillGaps({ values, gaps, lengths }: Observations, d: number): Float64Array {
  if (!gaps) return values;
  const y = values.slice();
  let from = 0;
  for (const T of lengths) {
    for (let j = 0; j < d; j++) fillColumn(y, from, T, d, j);
    from += T;
  }
  for (let j = 0; j < d; j++) {
    let [sum, count] = [0, 0];
    for (let at = j; at < y.length; at += d)
      if (!Number.isNaN(y[at])) {
        sum += y[at]!;
        count++;
      }
    for (let at = j; at < y.length; at += d) if (Number.isNaN(y[at])) y[at] = count > 0 ? sum / count : 0;
  }
  return y;
}
function fillColumn(y: Float64Array, from: number, T: number, d: number, j: number): void {
  const at = (t: number): number => (from + t) * d + j;
  let last = -1;
  for (let t = 0; t <= T; t++) {
    if (t < T && Number.isNaN(y[at(t)])) continue;
    const [left, right] = [last >= 0 ? y[at(last)] : y[at(t)], t < T ? y[at(t)] : y[at(last)]];
    if ((t < T || last >= 0) && left !== undefined && right !== undefined)
      for (let u = last + 1; u < t; u++) y[at(u)] = left + ((right - left) * (u - last)) / (t - last);
    last = t;
  }
}
function variance(y: Float64Array, d: number, j: number): number {
  let [sum, square, count] = [0, 0, 0];
  for (let at = j; at < y.length; at += d) {
    sum += y[at]!;
    count++;
  }
  const mean = sum / Math.max(count, 1);
  for (let at = j; at < y.length; at += d) square += (y[at]! - mean) ** 2;
  return square / Math.max(count, 1) || 1;
}

// ---- draws ----
/** A stable system drawn with the seed, on the scale of the data. */
export function drawSystem(y: Float64Array, d: number, m: number, tied: boolean, seed: number): System {
  const random = new Random(seed);
  const transition = identity(m).map((v) => 0.8 * v + (0.2 / Math.sqrt(m)) * random.normal());
  const variances = Float64Array.from({ length: d }, (_, j) => variance(y, d, j));
  const observation = Float64Array.from(
    { length: d * m },
    (_, at) => Math.sqrt(variances[Math.floor(at / m)]! / m) * random.normal(),
  );
  const transitionCovariance = identity(m).map((v) => 0.3 * v);
  return {
    ...{ m, d, tied, transition: stable(transition, m), observation, transitionCovariance },
    observationCovariance: diagonalMatrix(variances.map((v) => v / 2)),
    initialMean: new Float64Array(m),
    initialCovariance: tied ? transitionCovariance : identity(m),
  };
}
