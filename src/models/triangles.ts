/**
 * Small dense matrices: packing, Cholesky factors, solving, inverting, multiplying. A lower triangle [tri(d)] is packed
 * by rows, entry (i, j) at tri(i) + j; a square matrix [d,d] is flat, row-major. Equations: docs/math/gaussian.md.
 */
import type { Backend } from '../bind.ts';
import type { Real } from '../check.ts';
import { callError, KernelFailure, type SeqlikError } from '../errors.ts';
import { tri } from '../grammar.ts';
import { type Pass, runNow, work } from './work.ts';

export { tri };

// ---- packing ----
/** Where a symmetric matrix has entry (i, j) in its packed triangle, on either side of the diagonal. */
export const packedIndex = (i: number, j: number): number => (i < j ? tri(j) + i : tri(i) + j);

/** The lower triangle [tri(d)] of A [d,d]. */
export const packLower = (A: Float64Array, d: number): Float64Array =>
  A.filter((_, at) => at % d <= Math.floor(at / d));
/** The symmetric matrix [d,d] with the lower triangle `packed` [tri(d)]. */
export function unpackSymmetric(packed: Float64Array, d: number): Float64Array {
  const A = new Float64Array(d * d);
  for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) A[i * d + j] = packed[packedIndex(i, j)]!;
  return A;
}
/** Lower triangles [count,tri(d)] with the diagonals `values` [count,d], zero elsewhere. */
export function packDiagonals(values: Float64Array, count: number, d: number): Float64Array {
  const packed = new Float64Array(count * tri(d));
  for (let c = 0; c < count; c++)
    for (let i = 0; i < d; i++) packed[c * tri(d) + packedIndex(i, i)] = values[c * d + i]!;
  return packed;
}
/** The diagonals [count,d] of lower triangles [count,tri(d)]. */
export function unpackDiagonals(packed: Float64Array, count: number, d: number): Float64Array {
  const values = new Float64Array(count * d);
  for (let c = 0; c < count; c++)
    for (let i = 0; i < d; i++) values[c * d + i] = packed[c * tri(d) + packedIndex(i, i)]!;
  return values;
}
/** The diagonal [d] of A [d,d]. */
export const diagonalOf = (A: Float64Array, d: number): Float64Array => A.filter((_, at) => at % (d + 1) === 0);
/** The matrix [d,d] with this diagonal [d], zero elsewhere. */
export function diagonalMatrix(diagonal: Float64Array): Float64Array {
  const d = diagonal.length;
  const A = new Float64Array(d * d);
  for (let i = 0; i < d; i++) A[i * (d + 1)] = diagonal[i]!;
  return A;
}

// ---- factorising ----
/** The error for a matrix `which` (of component `component`, if there are several) with a pivot that is not > 0. */
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

/** Where a factorisation stopped: the first pivot that is not > 0, with its value. */
export interface FailedPivot {
  readonly matrix: number;
  readonly pivot: number;
  readonly value: number;
}
/** L [count,tri(d)], packed by rows, and logDet [count] = 2 Σ log L[j,j]. */
export interface Factors {
  readonly L: Float64Array;
  readonly logDet: Float64Array;
}
/**
 * A = L Lᵀ for `count` matrices A [count,d,d], on the backend. A matrix that is not positive definite throws the error
 * that `failed` makes of its first bad pivot.
 */
export const factorise = (
  backend: Backend,
  A: Float64Array,
  count: number,
  d: number,
  failed: (failure: FailedPivot) => Error,
): Factors => runNow(factorising(backend, A, count, d, failed));
/** The same as a pass. */
export function* factorising(
  backend: Backend,
  A: Float64Array,
  count: number,
  d: number,
  failed: (failure: FailedPivot) => Error,
): Pass<Factors> {
  const { factor, factorPart } = backend.f64.gaussian;
  const L = new Float64Array(count * tri(d));
  const logDet = new Float64Array(count);
  const failAt = (error: unknown, matrix: number, from: number): unknown => {
    if (!(error instanceof KernelFailure)) return error;
    const { n = matrix, d: pivot } = error.at as { n?: number; d: number };
    const own = L.subarray(n * tri(d), (n + 1) * tri(d));
    return failed({ matrix: n, pivot, value: pivotOf(A.subarray(n * d * d, (n + 1) * d * d), d, pivot, own, from) });
  };
  if (count * d ** 3 <= PIECE)
    try {
      yield work(factor, { n: count, d }, { A, L, logDet }, { owned: true });
    } catch (error) {
      throw failAt(error, 0, 0);
    }
  else
    for (let c = 0; c < count; c++) {
      const [own, log] = [L.subarray(c * tri(d), (c + 1) * tri(d)), logDet.subarray(c, c + 1)];
      const args = { A: A.subarray(c * d * d, (c + 1) * d * d), L: own, logDet: log };
      for (const [from, part] of pieces(d))
        try {
          yield work(factorPart, { d, from, part }, args, { owned: true });
        } catch (error) {
          throw failAt(error, c, from);
        }
    }
  return { L, logDet };
}
/** Multiply-adds of a call that others may have to wait for, at most: 5 ms, or 20 in wasm. */
export const PIECE = 2 ** 25;
/** Rows or columns of a triangle of d rows, [from, how many], each of at most PIECE multiply-adds: whole groups of lanes. */
export function* pieces(d: number): Generator<readonly [from: number, part: number]> {
  const most = Math.max(32, Math.floor(PIECE / (d * d) / 32) * 32);
  for (let from = 0; from < d; from += most) yield [from, Math.min(most, d - from)];
}
/**
 * The Cholesky factor [tri(o)] of the o rows and columns `dims` of L Lᵀ, on the backend; L [tri(d)]. Products are taken
 * of L over its largest entry: those of L itself may underflow.
 */
export function factoriseRows(
  backend: Backend,
  L: Float64Array,
  dims: readonly number[],
  failed: (failure: FailedPivot) => Error,
): Float64Array {
  const scale = L.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const o = dims.length;
  const product = new Float64Array(o * o);
  for (const [a, i] of dims.entries())
    for (const [b, j] of dims.entries())
      for (let p = 0; p <= Math.min(i, j); p++)
        product[a * o + b]! += (L[tri(i) + p]! / scale) * (L[tri(j) + p]! / scale);
  return factorise(backend, product, 1, o, failed).L.map((v) => v * scale);
}
/**
 * The value A[p,p] - |L[p,:p]|² of pivot p of A [d,d], whose earlier pivots are > 0: what a factorisation stopped at.
 * The rows of L before `from` are done.
 */
export function pivotOf(
  A: Float64Array,
  d: number,
  p: number,
  L: Float64Array = new Float64Array(tri(p + 1)),
  from = 0,
): number {
  for (let i = from; i <= p; i++)
    for (let j = 0; j <= i; j++) {
      let s = A[i * d + j]!;
      for (let q = 0; q < j; q++) s -= L[tri(j) + q]! * L[tri(i) + q]!;
      if (j === p) return s;
      L[tri(i) + j] = i === j ? Math.sqrt(s) : s / L[tri(j) + j]!;
    }
  return Number.NaN;
}

// ---- solving ----
/** L y = b by forward substitution, in place: b [d], at `from` of an array, becomes y. L [tri(d)]. */
export function solveLower(L: Float64Array, b: Float64Array, from = 0, d = b.length): Float64Array {
  for (let i = 0; i < d; i++) {
    let s = b[from + i]!;
    for (let p = 0, row = tri(i); p < i; p++) s -= L[row + p]! * b[from + p]!;
    b[from + i] = s / L[tri(i) + i]!;
  }
  return b;
}
/** Lᵀ x = y by back substitution, in place: y [d] becomes x. L [tri(d)]. */
export function solveTransposed(L: Float64Array, y: Float64Array): Float64Array {
  const d = y.length;
  for (let i = d - 1; i >= 0; i--) {
    for (let p = i + 1; p < d; p++) y[i]! -= L[tri(p) + i]! * y[p]!;
    y[i]! /= L[tri(i) + i]!;
  }
  return y;
}
/** L Lᵀ x = b, in place: b [d] becomes x. With b = Cov(y, x) these are the coefficients of y regressed on x. */
export const solve = (L: Float64Array, b: Float64Array): Float64Array => solveTransposed(L, solveLower(L, b));
/** (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹ [d,d]; L [tri(d)]. */
export function invert(L: Float64Array, d: number): Float64Array {
  const X = new Float64Array(d * d); // L⁻¹
  for (let j = 0; j < d; j++)
    for (let i = j; i < d; i++) {
      let s = Number(i === j);
      for (let p = j; p < i; p++) s -= L[tri(i) + p]! * X[p * d + j]!;
      X[i * d + j] = s / L[tri(i) + i]!;
    }
  const inverse = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      let s = 0;
      for (let p = i; p < d; p++) s += X[p * d + i]! * X[p * d + j]!;
      inverse[i * d + j] = inverse[j * d + i] = s;
    }
  return inverse;
}

// ---- multiplying ----
/** A B of two matrices [d,d]. */
export function multiply(A: Float64Array, B: Float64Array, d: number): Float64Array {
  const C = new Float64Array(d * d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) for (let p = 0; p < d; p++) C[i * d + j]! += A[i * d + p]! * B[p * d + j]!;
  return C;
}
/**
 * A covariance from its factor, into S [d,d]: L Lᵀ of L [tri(d)] if `full`, else the squares of standard deviations
 * [d].
 */
export function reconstruct(L: Real, d: number, full: boolean, S: Real): void {
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      let s = 0;
      if (full) for (let p = 0; p <= j; p++) s += L[tri(i) + p]! * L[tri(j) + p]!;
      else if (i === j) s = L[i]! * L[i]!;
      S[i * d + j] = S[j * d + i] = s;
    }
}
/** y += L z, term by term: L [tri(d)] if `full`, else standard deviations [d]. With z ~ N(0, I) y is a draw about y. */
export function addProduct(L: Real, z: Real, full: boolean, y: Real): void {
  for (let i = 0; i < z.length; i++) {
    let value = y[i]!;
    if (full) for (let j = 0; j <= i; j++) value += L[tri(i) + j]! * z[j]!;
    else value += L[i]! * z[i]!;
    y[i] = value;
  }
}
