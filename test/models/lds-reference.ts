/** References for linear dynamical systems: the joint Gaussian of all states and rows, and the Nile. */

import type { SystemParameters } from '../../src/index.ts';
import { Random } from '../../src/random.ts';

/** Annual flow of the Nile at Aswan, 1871 to 1970 (Cobb 1978). */
export const nile = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100,
  1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456,
  824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897,
  822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975,
  815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];

/** A stable system drawn with the seed. */
export function drawn(m: number, d: number, seed: number, tied = false): SystemParameters {
  const random = new Random(seed);
  const normals = (n: number): number[] => Array.from({ length: n }, () => random.normal());
  const definite = (n: number): number[] => {
    const B = normals(n * n);
    return Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return Number(i === j) + B.slice(i * n, i * n + n).reduce((s, v, p) => s + (v * B[j * n + p]!) / n, 0);
    });
  };
  return {
    transition: normals(m * m).map((v, at) => (0.2 * v) / Math.sqrt(m) + (at % (m + 1) === 0 ? 0.5 : 0)),
    observation: normals(d * m),
    transitionCovariance: definite(m),
    observationCovariance: definite(d),
    initialMean: normals(m),
    ...(!tied && { initialCovariance: definite(m) }),
  };
}
export const level = (q: number, r: number, V0 = 1e7): SystemParameters => ({
  transition: [1],
  observation: [1],
  transitionCovariance: [q],
  observationCovariance: [r],
  initialMean: [0],
  initialCovariance: [V0],
});

type Matrix = number[][];
const times = (A: Matrix, B: Matrix): Matrix =>
  A.map((row) => B[0]!.map((_, j) => row.reduce((s, v, p) => s + v * B[p]![j]!, 0)));
const transpose = (A: Matrix): Matrix => A[0]!.map((_, j) => A.map((row) => row[j]!));
/** By Gauss and Jordan, with the logarithm of the determinant. */
function inverse(S: Matrix): { X: Matrix; logDet: number } {
  const n = S.length;
  const M = S.map((row, i) => [...row, ...row.map((_, j) => Number(i === j))]);
  let logDet = 0;
  for (let p = 0; p < n; p++) {
    const pivot = M[p]![p]!;
    logDet += Math.log(pivot);
    M[p] = M[p]!.map((v) => v / pivot);
    for (let i = 0; i < n; i++) {
      const f = M[i]![p]!;
      if (i !== p) M[i] = M[i]!.map((v, j) => v - f * M[p]![j]!);
    }
  }
  return { X: M.map((row) => row.slice(n)), logDet };
}
const square = (flat: Float64Array, n: number): Matrix =>
  Array.from({ length: flat.length / n }, (_, i) => [...flat.subarray(i * n, (i + 1) * n)]);

/** Moments of all states given y [T,d], NaN where not observed, by conditioning their joint Gaussian at once. */
export function joint(p: Readonly<Record<string, Float64Array>>, m: number, d: number, y: Float64Array) {
  const T = y.length / d;
  const [A, B, Q, R] = [
    square(p['transition']!, m),
    square(p['observation']!, m),
    square(p['transitionCovariance']!, m),
    square(p['observationCovariance']!, d),
  ];
  let mean = [...p['initialMean']!].map((v) => [v]);
  const means: Matrix = [];
  const blocks: Matrix[][] = Array.from({ length: T }, () => []);
  for (let t = 0; t < T; t++) {
    if (t > 0) mean = times(A, mean);
    means.push(...mean);
    const before = t > 0 ? times(times(A, blocks[t - 1]![t - 1]!), transpose(A)) : square(p['initialCovariance']!, m);
    blocks[t]![t] = t > 0 ? before.map((row, i) => row.map((v, j) => v + Q[i]![j]!)) : before;
    for (let s = t - 1; s >= 0; s--) {
      blocks[t]![s] = times(A, blocks[t - 1]![s]!);
      blocks[s]![t] = transpose(blocks[t]![s]!);
    }
  }
  const Z = Array.from({ length: T * m }, (_, i) =>
    Array.from({ length: T * m }, (_, j) => blocks[Math.floor(i / m)]![Math.floor(j / m)]![i % m]![j % m]!),
  );
  const seen = [...y.keys()].filter((i) => !Number.isNaN(y[i]!));
  const C = seen.map((i) =>
    Array.from({ length: T * m }, (_, j) => (Math.floor(j / m) === Math.floor(i / d) ? B[i % d]![j % m]! : 0)),
  );
  const ZC = times(Z, transpose(C));
  const S = times(C, ZC).map((row, a) =>
    row.map(
      (v, b) => v + (Math.floor(seen[a]! / d) === Math.floor(seen[b]! / d) ? R[seen[a]! % d]![seen[b]! % d]! : 0),
    ),
  );
  const { X, logDet } = inverse(S);
  const e = seen.map((i, a) => [y[i]! - times([C[a]!], means)[0]![0]!]);
  const K = times(ZC, X);
  const posterior = times(K, e).map(([v], i) => v! + means[i]![0]!);
  const KZ = times(K, transpose(ZC));
  const P = Z.map((row, i) => row.map((v, j) => v - KZ[i]![j]!));
  const block = (t: number, s: number): number[] =>
    Array.from({ length: m * m }, (_, at) => P[t * m + Math.floor(at / m)]![s * m + (at % m)]!);
  const rows = [...Array(T).keys()];
  return {
    means: posterior,
    covariances: rows.flatMap((t) => block(t, t)),
    lagOne: rows.slice(1).flatMap((t) => block(t, t - 1)),
    logLikelihood: -(seen.length * Math.log(2 * Math.PI) + logDet + times(times(transpose(e), X), e)[0]![0]!) / 2,
  };
}
