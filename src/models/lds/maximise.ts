/** The M step: the parameters of greatest expected likelihood. Equations: docs/math/lds.md. */
import { argumentError, callError } from '../../errors.ts';
import { diagonalOf, pivotOf, solveLower, solveTransposed } from '../triangles.ts';
import { eigenSymmetric } from './eigen.ts';
import { largest, plus, symmetric } from './matrix.ts';
import type { Moments } from './moments.ts';
import type { CovarianceName, ParameterName, System } from './parameters.ts';

export const structures = ['full', 'diagonal', 'scalar'] as const;
/** The form of a covariance: any, diagonal, or one variance times the identity. */
export type Structure = (typeof structures)[number];

/** The freedom of an M step: the parameters it may change, and how. */
export interface Constraints {
  readonly update: ReadonlySet<ParameterName>;
  readonly tied: boolean;
  readonly structure: { readonly [N in CovarianceName]?: Structure };
  /** The least eigenvalue of each covariance. */
  readonly floor: { readonly [N in CovarianceName]?: number };
}

/** Throws EMPTY_INPUT (statistics), NOT_POSITIVE_DEFINITE (which: S_zz or S_00, pivot). */
export function maximise(where: string, moments: Moments, constraints: Constraints): System {
  const { system, rows, transitions, sequences } = moments;
  const { m, d } = system;
  const { update, tied } = constraints;
  if (rows === 0)
    throw argumentError('EMPTY_INPUT', where, 'statistics', {
      expected: 'those of at least one row',
      received: 'those of none',
      reason: 'are those of no rows',
    });
  const shape = (name: CovarianceName, sum: Float64Array, n: number, size: number): Float64Array =>
    constrain(
      sum.map((v) => v / n),
      size,
      constraints.structure[name] ?? 'full',
      constraints.floor[name] ?? 0,
    );

  const moves = update.has('transition') && transitions > 0;
  const A = regress(where, 'S_00', moves, system.transition, moments.transitionCross, moments.previous, m, m);
  const W = residual(moments.transitionResidual, moves ? A.whitened : undefined, m, m);
  const B = regress(
    where,
    'S_zz',
    update.has('observation'),
    system.observation,
    moments.observationCross,
    moments.state,
    d,
    m,
  );
  const observed = residual(moments.observationResidual, update.has('observation') ? B.whitened : undefined, d, m);
  const shift = moments.initialResidual.map((v) => (update.has('initialMean') ? v / sequences : 0));
  const initialMean = plus(system.initialMean, shift);
  const V = symmetric(
    moments.initialSquare.map((v, at) => {
      const [i, j] = [Math.floor(at / m), at % m];
      const { initialResidual: f } = moments;
      // Σ (u - δ)(u - δ)ᵀ = Σ u uᵀ - δ fᵀ - f δᵀ + S δ δᵀ
      return v - shift[i]! * f[j]! - f[i]! * shift[j]! + sequences * shift[i]! * shift[j]!;
    }),
    m,
  );

  let { transitionCovariance, observationCovariance, initialCovariance } = system;
  if (update.has('observationCovariance')) observationCovariance = shape('observationCovariance', observed, rows, d);
  if (tied) {
    if (update.has('transitionCovariance'))
      transitionCovariance = shape('transitionCovariance', plus(W, V), transitions + sequences, m);
    initialCovariance = transitionCovariance;
  } else {
    if (update.has('transitionCovariance') && transitions > 0)
      transitionCovariance = shape('transitionCovariance', W, transitions, m);
    if (update.has('initialCovariance')) initialCovariance = shape('initialCovariance', V, sequences, m);
  }
  return {
    ...{ m, d, tied, transition: A.coefficients, observation: B.coefficients, transitionCovariance },
    ...{ observationCovariance, initialMean, initialCovariance },
  };
}

interface Regression {
  /** The new coefficients [n,m]. */
  readonly coefficients: Float64Array;
  /** L⁻¹ Cᵀ, row by row of C [n,m], with the factor of S. */
  readonly whitened: Float64Array;
}
/** C S⁻¹ added to `from` [n,m], where C [n,m] are moments of residuals with the regressors of moments S [m,m]. */
function regress(
  where: string,
  which: string,
  wanted: boolean,
  from: Float64Array,
  C: Float64Array,
  S: Float64Array,
  n: number,
  m: number,
): Regression {
  if (!wanted) return { coefficients: from, whitened: new Float64Array(0) };
  // in units of each state's root mean square, because the units of states are arbitrary
  const unit = diagonalOf(S, m).map((v) => (v > 0 ? Math.sqrt(v) : 1));
  const L = choleskyOf(
    where,
    which,
    S.map((v, at) => v / unit[Math.floor(at / m)]! / unit[at % m]!),
    m,
  );
  const coefficients = from.slice();
  const whitened = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    const row = C.slice(i * m, (i + 1) * m).map((v, j) => v / unit[j]!);
    whitened.set(solveLower(L, row), i * m);
    const change = solveTransposed(L, row);
    for (let j = 0; j < m; j++) coefficients[i * m + j]! += change[j]! / unit[j]!;
  }
  return { coefficients, whitened };
}
/** W - C S⁻¹ Cᵀ: the second moments [n,n] of the residuals after the regression. */
function residual(W: Float64Array, whitened: Float64Array | undefined, n: number, m: number): Float64Array {
  const R = W.slice();
  for (let i = 0; whitened && i < n; i++)
    for (let j = 0; j < n; j++)
      for (let p = 0; p < m; p++) R[i * n + j]! -= whitened[i * m + p]! * whitened[j * m + p]!;
  return symmetric(R, n);
}
function choleskyOf(where: string, which: string, S: Float64Array, m: number): Float64Array {
  const L = new Float64Array((m * (m + 1)) / 2);
  for (let i = 0, at = 0; i < m; i++)
    for (let j = 0; j <= i; j++, at++) {
      let s = S[i * m + j]!;
      for (let p = 0; p < j; p++) s -= L[(i * (i + 1)) / 2 + p]! * L[(j * (j + 1)) / 2 + p]!;
      if (i === j && !(s > 0))
        throw callError(
          'NOT_POSITIVE_DEFINITE',
          where,
          `the moments ${which} are not positive definite: pivot ${i} is ${pivotOf(S, m, i)}; ` +
            'states are linearly dependent, so use fewer latent coordinates',
          { which, pivot: i, value: s },
        );
      L[at] = i === j ? Math.sqrt(s) : s / L[(j * (j + 1)) / 2 + j]!;
    }
  return L;
}

/**
 * The covariance of greatest likelihood among those of the structure with eigenvalues >= floor, for the mean second
 * moments S [n,n].
 */
export function constrain(S: Float64Array, n: number, structure: Structure, floor: number): Float64Array {
  if (structure === 'full') return floor > 0 ? clip(S, n, floor) : S;
  const diagonal = diagonalOf(S, n);
  const mean = diagonal.reduce((a, b) => a + b, 0) / n;
  const C = new Float64Array(n * n);
  for (let i = 0; i < n; i++) C[i * (n + 1)] = Math.max(structure === 'scalar' ? mean : diagonal[i]!, floor);
  return C;
}
/** S with its eigenvalues below the floor raised to it. */
function clip(S: Float64Array, n: number, floor: number): Float64Array {
  const { values, vectors } = eigenSymmetric(S, n);
  if (values.every((v) => v >= floor)) return S;
  const C = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let p = 0; p < n; p++)
        C[i * n + j]! += vectors[p * n + i]! * Math.max(values[p]!, floor) * vectors[p * n + j]!;
  symmetric(C, n);
  // rounding may leave a pivot just below the floor
  for (let i = 0; i < n; i++) C[i * (n + 1)]! += 2 ** -50 * largest(C);
  return C;
}
