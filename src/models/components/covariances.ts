/** Covariances of k components in d dimensions, by type: their shapes, and how they share matrices and variances. */
import { diagonalMatrix, tri } from '../triangles.ts';

export const covarianceTypes = ['full', 'tied', 'diagonal', 'spherical'] as const;
/** One matrix or d variances or one variance per component, or one matrix for all (tied). */
export type CovarianceType = (typeof covarianceTypes)[number];

/** Whether a component has a matrix; else it has variances. */
export const hasMatrices = (type: CovarianceType): boolean => type === 'full' || type === 'tied';
export const shapeOf = (type: CovarianceType, k: number, d: number): number[] =>
  ({ full: [k, d, d], tied: [d, d], diagonal: [k, d], spherical: [k] })[type];
/** The numbers that are free: a symmetric matrix is determined by its lower triangle. */
export const freeValues = (type: CovarianceType, k: number, d: number): number =>
  ({ full: k * tri(d), tied: tri(d), diagonal: k * d, spherical: k })[type];

/** One matrix [k,d,d] or d variances [k,d] per component, from covariances of any type. */
export function expand(type: CovarianceType, covariances: Float64Array, k: number, d: number): Float64Array {
  if (type === 'tied') return repeat(covariances, k);
  if (type === 'spherical') return Float64Array.from({ length: k * d }, (_, i) => covariances[Math.floor(i / d)]!);
  return covariances;
}
/** The transpose of `expand`: what belongs to one shared value adds up. */
export function sumShared(type: CovarianceType, each: Float64Array, k: number, d: number): Float64Array {
  if (type !== 'tied' && type !== 'spherical') return each;
  const sums = new Float64Array(type === 'tied' ? d * d : k);
  for (const [i, g] of each.entries()) sums[type === 'tied' ? i % (d * d) : Math.floor(i / d)]! += g;
  return sums;
}
/** The covariances of the coordinates `dims`, in their order. */
export function marginalise(
  type: CovarianceType,
  covariances: Float64Array,
  k: number,
  d: number,
  dims: readonly number[],
): Float64Array {
  if (type === 'spherical') return covariances;
  if (type === 'diagonal') return selectColumns(covariances, k, d, dims);
  const o = dims.length;
  const matrices = new Float64Array((covariances.length / (d * d)) * o * o);
  for (let c = 0, at = 0; at < matrices.length; c++)
    for (let a = 0; a < o; a++)
      for (let b = 0, row = (c * d + dims[a]!) * d; b < o; b++) matrices[at++] = covariances[row + dims[b]!]!;
  return matrices;
}
/** The columns `dims` of values [k,d], in their order. */
export function selectColumns(values: Float64Array, k: number, d: number, dims: readonly number[]): Float64Array {
  const columns = new Float64Array(k * dims.length);
  for (let c = 0, at = 0; c < k; c++) for (const j of dims) columns[at++] = values[c * d + j]!;
  return columns;
}
/** Covariances of a type under which every component has these variances [d], or for spherical ones their mean. */
export function fromVariances(type: CovarianceType, k: number, variances: Float64Array): Float64Array {
  return {
    full: () => repeat(diagonalMatrix(variances), k),
    tied: () => diagonalMatrix(variances),
    diagonal: () => repeat(variances, k),
    spherical: () => new Float64Array(k).fill(variances.reduce((a, b) => a + b, 0) / variances.length),
  }[type]();
}

export function repeat(values: Float64Array, times: number): Float64Array {
  const all = new Float64Array(values.length * times);
  for (let c = 0; c < times; c++) all.set(values, c * values.length);
  return all;
}
/** The sum of each row of values [k,d]. */
export const sumRows = (values: Float64Array, k: number, d: number): Float64Array =>
  Float64Array.from({ length: k }, (_, c) => values.subarray(c * d, (c + 1) * d).reduce((a, b) => a + b, 0));
