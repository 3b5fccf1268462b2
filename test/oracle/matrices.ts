/** Small dense matrices as nested arrays, in which the oracle is written. */
import { tri } from '../../src/grammar.ts';
export const range = (n: number): number[] => [...Array(n).keys()];
export const add = (terms: readonly number[]): number => terms.reduce((sum, term) => sum + term, 0);
export { tri };
export type F64 = Float64Array;
export type Dense = number[][];

export const matrix = (rows: number, columns: number, entry: (i: number, j: number) => number): Dense =>
  range(rows).map((i) => range(columns).map((j) => entry(i, j)));
export const transpose = (A: Dense): Dense => matrix(A[0]!.length, A.length, (i, j) => A[j]![i]!);
export const times = (A: Dense, B: Dense): Dense =>
  matrix(A.length, B[0]!.length, (i, j) => add(B.map((row, p) => A[i]![p]! * row[j]!)));
/** By Gauss and Jordan, without pivoting: the matrices here are triangular or positive definite. */
export function inverse(A: Dense): Dense {
  const d = A.length;
  const M = A.map((row, i) => [...row, ...range(d).map((j) => Number(i === j))]);
  for (const i of range(d)) {
    M[i] = M[i]!.map((v) => v / M[i]![i]!);
    for (const r of range(d)) if (r !== i) M[r] = M[r]!.map((v, j) => v - M[r]![i]! * M[i]![j]!);
  }
  return M.map((row) => row.slice(d));
}
export const lower = (d: number, L: F64, at: number): Dense =>
  matrix(d, d, (i, j) => (j > i ? 0 : L[at + tri(i) + j]!));
