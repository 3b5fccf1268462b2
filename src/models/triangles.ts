/** Cholesky factors of covariances, and what to say of a matrix that has none. Equations: docs/math.md § gaussian. */
import type { Backend } from '../bind.ts';
import type { Real } from '../check.ts';
import { callError, KernelFailure, type SeqlikError } from '../errors.ts';

export const tri = (d: number): number => (d * (d + 1)) / 2;

export const notPositiveDefinite = (
  where: string,
  which: string,
  pivot: number,
  value: number,
  component?: number,
): SeqlikError => {
  const matrix = component === undefined ? which : `${which}[${component}]`;
  return callError('NOT_POSITIVE_DEFINITE', where, `${matrix} is not positive definite: pivot ${pivot} is ${value}`, {
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
    backend.f64.gaussian.factor({ n: count, d }, { A, L, logDet });
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
    const { n: matrix, d: pivot } = error.at as { n: number; d: number };
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

/** Σ⁻¹ b with the factor L of component c, packed by rows; in place: how a coordinate with covariances b regresses. */
export function regression(L: Float64Array, c: number, b: Float64Array): Float64Array {
  const d = b.length;
  const at = c * tri(d);
  for (let i = 0; i < d; i++) {
    for (let p = 0; p < i; p++) b[i]! -= L[at + tri(i) + p]! * b[p]!;
    b[i]! /= L[at + tri(i) + i]!;
  }
  for (let i = d - 1; i >= 0; i--) {
    for (let p = i + 1; p < d; p++) b[i]! -= L[at + tri(p) + i]! * b[p]!;
    b[i]! /= L[at + tri(i) + i]!;
  }
  return b;
}

/** (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹, L packed by rows. */
export function inverseOf(L: Float64Array, d: number): number[][] {
  const X = Array.from({ length: d }, () => new Array<number>(d).fill(0));
  for (let j = 0; j < d; j++)
    for (let i = j; i < d; i++) {
      let s = Number(i === j);
      for (let p = j; p < i; p++) s -= L[tri(i) + p]! * X[p]![j]!;
      X[i]![j] = s / L[tri(i) + i]!;
    }
  return X.map((_, i) => X.map((_, j) => X.reduce((s, row) => s + row[i]! * row[j]!, 0)));
}

/** S = L Lᵀ of a packed triangle, or of standard deviations. */
export function product(L: Real, k: number, full: boolean, S: Real): void {
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let s = 0;
      if (full) for (let p = 0; p <= j; p++) s += L[tri(i) + p]! * L[tri(j) + p]!;
      else if (i === j) s = L[i]! * L[i]!;
      S[i * k + j] = S[j * k + i] = s;
    }
}
