/** Cholesky factors of covariances, and what to say of a matrix that has none. Equations: docs/math.md § gaussian. */
import type { Backend } from '../bind.ts';
import { KernelFailure, SeqlikError } from '../errors.ts';

export const tri = (d: number): number => (d * (d + 1)) / 2;

export const notPositiveDefinite = (
  where: string,
  which: string,
  pivot: number,
  value: number,
  component?: number,
): SeqlikError => {
  const matrix = component === undefined ? which : `${which}[${component}]`;
  const message = `${where}: ${matrix} is not positive definite: pivot ${pivot} is ${value}`;
  return new SeqlikError('NOT_POSITIVE_DEFINITE', message, {
    which,
    pivot,
    value,
    ...(component !== undefined && { component }),
  });
};

/** A = L Lᵀ of `count` matrices of size d. The first pivot not > 0 is handed to `failed`, with its value. */
export function factorise(
  backend: Backend,
  A: Float64Array,
  count: number,
  d: number,
  failed: (failure: { matrix: number; pivot: number; value: number }) => Error,
): { L: Float64Array; logDet: Float64Array } {
  const L = new Float64Array(count * tri(d));
  const logDet = new Float64Array(count);
  try {
    backend.f64.gaussian.factor({ k: count, d }, { A, L, logDet });
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
    const { k: matrix, d: pivot } = error.at as { k: number; d: number };
    throw failed({ matrix, pivot, value: pivotOf(A.subarray(matrix * d * d, (matrix + 1) * d * d), d, pivot) });
  }
  return { L, logDet };
}
/** The pivot at which a factorisation stopped: A[p,p] - |L[p,:]|². */
export function pivotOf(A: Float64Array, d: number, p: number): number {
  const L: number[][] = [];
  for (let i = 0; i <= p; i++) {
    L[i] = [];
    for (let j = 0; j <= i; j++) {
      const s = L[j]!.slice(0, j).reduce((rest, v, q) => rest - v * L[i]![q]!, A[i * d + j]!);
      if (i === p && j === p) return s;
      L[i]![j] = i === j ? Math.sqrt(s) : s / L[j]![j]!;
    }
  }
  return Number.NaN;
}
