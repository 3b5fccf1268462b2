/** The recursions of one sequence, in TypeScript. Equations: docs/math/lds.md. */
import { KernelFailure } from '../../errors.ts';
import { pivotOf, solveLower, solveTransposed, tri } from '../triangles.ts';
import { plus, product, sandwich, symmetric, times, transpose } from './matrix.ts';
import type { System } from './parameters.ts';

/** What a filter keeps of each row. */
export interface Track {
  readonly predictedMeans: Float64Array;
  readonly predictedCovariances: Float64Array;
  readonly means: Float64Array;
  readonly covariances: Float64Array;
}
export interface Carry {
  mean: Float64Array;
  covariance: Float64Array;
  /** Whether there was a row before. */
  started: boolean;
}
const toFailure = (row: number, pivot: number, value: number): KernelFailure =>
  new KernelFailure('lds.filter', { n: row, pivot, value });
const LOG_2PI = Math.log(2 * Math.PI);

/** Rows from .. to of x [n,d], into `track` (row t at t - at) and logDensity. */
export function filterRows(
  { m, d, transition: A, observation: B, transitionCovariance: Q, observationCovariance: R }: System,
  x: Float64Array,
  seen: Uint8Array | undefined,
  from: number,
  to: number,
  carry: Carry,
  logDensity: Float64Array,
  track: Track | undefined,
  at = 0,
): void {
  for (let t = from; t < to; t++) {
    let { mean, covariance: P } = carry;
    if (carry.started) {
      mean = times(A, mean, m, m);
      P = plus(sandwich(A, P, m, m), Q);
    }
    carry.started = true;
    track?.predictedMeans.set(mean, (t - at) * m);
    track?.predictedCovariances.set(P, (t - at) * m * m);
    const seenOf = (j: number): boolean => seen === undefined || seen[t * d + j] === 1;
    const o = [...Array(d).keys()].filter(seenOf);
    logDensity[t] = 0;
    if (o.length > 0) {
      const k = o.length;
      const C = Float64Array.from(o.flatMap((i) => [...B.subarray(i * m, (i + 1) * m)]));
      const Ro = Float64Array.from(o.flatMap((i) => o.map((j) => R[i * d + j]!)));
      const S = plus(sandwich(C, P, k, m), Ro);
      const L = new Float64Array(tri(k));
      for (let i = 0; i < k; i++)
        for (let j = 0; j <= i; j++) {
          let s = S[i * k + j]!;
          for (let q = 0; q < j; q++) s -= L[tri(i) + q]! * L[tri(j) + q]!;
          if (i === j && !(s > 0 && s < Number.POSITIVE_INFINITY)) throw toFailure(t, o[i]!, pivotOf(S, k, i));
          L[tri(i) + j] = i === j ? Math.sqrt(s) : s / L[tri(j) + j]!;
        }
      const CP = product(C, P, k, m, m);
      const v = Float64Array.from(o, (i, a) => {
        let s = x[t * d + i]!;
        for (let p = 0; p < m; p++) s -= C[a * m + p]! * mean[p]!;
        return s;
      });
      const K = new Float64Array(m * k); // row i: gains of state i
      for (let p = 0; p < m; p++) {
        const column = Float64Array.from({ length: k }, (_, a) => CP[a * m + p]!);
        K.set(solveTransposed(L, solveLower(L, column)), p * k);
      }
      mean = plus(mean, times(K, v, m, k));
      const E = product(K, C, m, k, m).map((value, i) => (i % (m + 1) === 0 ? 1 : 0) - value);
      P = symmetric(plus(sandwich(E, P, m, m), sandwich(K, Ro, m, k)), m);
      const w = solveLower(L, v);
      let q = 0;
      for (let a = 0; a < k; a++) q += w[a]! * w[a]! + 2 * Math.log(L[tri(a) + a]!);
      logDensity[t] = -(k * LOG_2PI + q) / 2;
      if (!Number.isFinite(logDensity[t]) || !mean.every(Number.isFinite)) throw toFailure(t, -1, Number.NaN);
    }
    carry.mean = mean;
    carry.covariance = P;
    track?.means.set(mean, (t - at) * m);
    track?.covariances.set(P, (t - at) * m * m);
  }
}

/** The step back from row t + 1 to row t. */
export interface Back {
  readonly mean: Float64Array;
  readonly covariance: Float64Array;
  /** J [m,m], Cov(z[t] | z[t+1], x[..t]) [m,m], and Cov(z[t+1], z[t] | x) [m,m]; none at the last row. */
  readonly gain?: Float64Array;
  readonly conditional?: Float64Array;
  readonly lagOne?: Float64Array;
}
/** The smoothed moments of row t, from its filtered ones and the smoothed ones of the row after; `at`: rows of track. */
export function smoothRow(
  { m, transition: A, transitionCovariance: Q }: System,
  track: Track,
  t: number,
  next: Back | undefined,
): Back {
  const mean = track.means.slice(t * m, (t + 1) * m);
  const F = track.covariances.slice(t * m * m, (t + 1) * m * m);
  if (!next) return { mean, covariance: F };
  const P = track.predictedCovariances.slice((t + 1) * m * m, (t + 2) * m * m);
  const L = new Float64Array(tri(m));
  for (let i = 0; i < m; i++)
    for (let j = 0; j <= i; j++) {
      let s = P[i * m + j]!;
      for (let q = 0; q < j; q++) s -= L[tri(i) + q]! * L[tri(j) + q]!;
      L[tri(i) + j] = i === j ? Math.sqrt(s) : s / L[tri(j) + j]!;
    }
  const AF = product(A, F, m, m, m);
  const J = new Float64Array(m * m);
  for (let p = 0; p < m; p++) {
    const column = Float64Array.from({ length: m }, (_, a) => AF[a * m + p]!);
    J.set(solveTransposed(L, solveLower(L, column)), p * m);
  }
  const E = product(J, A, m, m, m).map((value, i) => (i % (m + 1) === 0 ? 1 : 0) - value);
  const C = symmetric(plus(sandwich(E, F, m, m), sandwich(J, Q, m, m)), m);
  const d = plus(next.mean, track.predictedMeans.subarray((t + 1) * m, (t + 2) * m), -1);
  return {
    mean: plus(mean, times(J, d, m, m)),
    covariance: symmetric(plus(C, sandwich(J, next.covariance, m, m)), m),
    gain: J,
    conditional: C,
    lagOne: product(next.covariance, transpose(J, m, m), m, m, m),
  };
}
