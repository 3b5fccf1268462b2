/**
 * Small rectangular matrices for what is off the hot path: M steps, forecasts, initial values. Flat, row-major.
 * models/triangles.ts has factors, solving and inverting.
 */

/** A B of A [n,k] and B [k,m]. */
export function product(A: Float64Array, B: Float64Array, n: number, k: number, m: number): Float64Array {
  const C = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let p = 0; p < k; p++) {
      const a = A[i * k + p]!;
      for (let j = 0; j < m; j++) C[i * m + j]! += a * B[p * m + j]!;
    }
  return C;
}
/** Aᵀ of A [n,m]. */
export function transpose(A: Float64Array, n: number, m: number): Float64Array {
  const B = new Float64Array(n * m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) B[j * n + i] = A[i * m + j]!;
  return B;
}
/** A + c B. */
export const plus = (A: Float64Array, B: Float64Array, c = 1): Float64Array => A.map((v, i) => v + c * B[i]!);
/** F S Fᵀ of F [n,m] and a symmetric S [m,m], symmetric to the bit. */
export function sandwich(F: Float64Array, S: Float64Array, n: number, m: number): Float64Array {
  return symmetric(product(product(F, S, n, m, m), transpose(F, n, m), n, m, n), n);
}
/** The mean of S [n,n] and its transpose, in place. */
export function symmetric(S: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) S[i * n + j] = S[j * n + i] = (S[i * n + j]! + S[j * n + i]!) / 2;
  return S;
}
/** y = A x of A [n,m]. */
export const times = (A: Float64Array, x: ArrayLike<number>, n: number, m: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => {
    let s = 0;
    for (let j = 0; j < m; j++) s += A[i * m + j]! * x[j]!;
    return s;
  });
/** The largest absolute value. */
export const largest = (A: Float64Array): number => A.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
export function identity(n: number): Float64Array {
  const I = new Float64Array(n * n);
  for (let i = 0; i < n; i++) I[i * (n + 1)] = 1;
  return I;
}
