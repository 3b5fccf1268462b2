/** The gradient of the log-likelihood by Fisher's identity. Equations: docs/math/lds.md. */
import { packLower, solve, solveLower, solveTransposed, tri } from '../triangles.ts';
import { symmetric, transpose } from './matrix.ts';
import type { Moments } from './moments.ts';
import type { System } from './parameters.ts';

/** Derivatives of the log-likelihood by each parameter, in their shapes; covariances symmetric unconstrained. */
export interface SystemGradient {
  logLikelihood: number;
  dTransition: Float64Array;
  dObservation: Float64Array;
  dTransitionCovariance: Float64Array;
  dObservationCovariance: Float64Array;
  dInitialMean: Float64Array;
  /** Absent if tied: the transition covariance has both. */
  dInitialCovariance?: Float64Array;
}
/** The Cholesky factor [tri(n)] of a positive definite S [n,n]. */
export function factorOf(S: Float64Array, n: number): Float64Array {
  const L = packLower(S, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      for (let p = 0; p < j; p++) L[tri(i) + j]! -= L[tri(i) + p]! * L[tri(j) + p]!;
      L[tri(i) + j] = i === j ? Math.sqrt(L[tri(i) + i]!) : L[tri(i) + j]! / L[tri(j) + j]!;
    }
  return L;
}

export function gradientOf(moments: Moments): SystemGradient {
  const { system, rows, transitions, sequences } = moments;
  const { m, d, tied } = system;
  const [Q, R, V] = factorsOf(system);
  const dTransitionCovariance = byCovariance(Q, moments.transitionResidual, transitions, m);
  const dInitialCovariance = byCovariance(V, moments.initialSquare, sequences, m);
  if (tied) for (let i = 0; i < m * m; i++) dTransitionCovariance[i]! += dInitialCovariance[i]!;
  return {
    logLikelihood: moments.logLikelihood,
    dTransition: solveColumns(Q, moments.transitionCross, m, m),
    dObservation: solveColumns(R, moments.observationCross, d, m),
    dTransitionCovariance,
    dObservationCovariance: byCovariance(R, moments.observationResidual, rows, d),
    dInitialMean: solve(V, moments.initialResidual.slice()),
    ...(!tied && { dInitialCovariance }),
  };
}
const factorsOf = ({
  m,
  d,
  transitionCovariance,
  observationCovariance,
  initialCovariance,
}: System): [Float64Array, Float64Array, Float64Array] => [
  factorOf(transitionCovariance, m),
  factorOf(observationCovariance, d),
  factorOf(initialCovariance, m),
];
/** (L Lᵀ)⁻¹ C of C [n,k]. */
function solveColumns(L: Float64Array, C: Float64Array, n: number, k: number): Float64Array {
  const columns = transpose(C, n, k);
  for (let j = 0; j < k; j++) columns.set(solve(L, columns.slice(j * n, (j + 1) * n)), j * n);
  return transpose(columns, k, n);
}
/** ½ L⁻ᵀ [L⁻¹ W L⁻ᵀ - count I] L⁻¹ [n,n]: whitened first, so that what cancels is of the size of the result. */
function byCovariance(L: Float64Array, W: Float64Array, count: number, n: number): Float64Array {
  const rows = (M: Float64Array, act: (row: Float64Array) => Float64Array): Float64Array => {
    const out = new Float64Array(n * n);
    for (let i = 0; i < n; i++) out.set(act(M.slice(i * n, (i + 1) * n)), i * n);
    return out;
  };
  const forward = (row: Float64Array): Float64Array => solveLower(L, row);
  const back = (row: Float64Array): Float64Array => solveTransposed(L, row);
  const white = rows(transpose(rows(W, forward), n, n), forward);
  for (let i = 0; i < n; i++) white[i * (n + 1)]! -= count;
  const G = rows(transpose(rows(white, back), n, n), back);
  return symmetric(
    G.map((v) => v / 2),
    n,
  );
}
