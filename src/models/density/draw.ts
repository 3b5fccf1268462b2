/** Distributions and draws, from the results of kernels: weights, factors of covariances, probabilities. */

import type { Real } from '../../check.ts';
import type { Random } from '../../random.ts';
import { addProduct, reconstruct } from '../triangles.ts';
import { isFull, type Shape } from './mapping.ts';

/** One raw row as kernels give it: weights [k], factors of the covariances [k,values], probabilities [q]. */
export interface RowDistribution {
  readonly weights: Float64Array;
  readonly L: Float64Array;
  readonly probabilities: Float64Array;
}
/** Multiplies factors [count,values] out to covariances [count,d,d]. */
export function covariancesOf(L: Real, { gaussian: d, values, mapping }: Shape, to: Real): void {
  const full = isFull(mapping);
  for (let j = 0; j * d * d < to.length; j++)
    reconstruct(L.subarray(j * values, (j + 1) * values), d, full, to.subarray(j * d * d, (j + 1) * d * d));
}

/** Logits times 1 + bias, minus the largest, so that nothing overflows. */
export function sharpen(logits: Float64Array, bias: number): void {
  const top = logits.reduce((a, b) => Math.max(a, b));
  for (let j = 0; j < logits.length; j++) logits[j] = Math.max((logits[j]! - top) * (1 + bias), -1e300);
}
/** The first random numbers of a draw: a component by the weights of its row, then d standard normals. */
export function drawComponent(
  random: Random,
  weights: Float64Array,
  d: number,
): { component: number; z: Float64Array } {
  const component = random.categorical(weights);
  return { component, z: Float64Array.from({ length: d }, () => random.normal()) };
}
/** Adds L z to the Gaussian coordinates of a draw, L the factor of its component. */
export const addDeviation = (
  L: Real,
  component: number,
  { values, mapping }: Shape,
  z: Float64Array,
  to: Float64Array,
): void => addProduct(L.subarray(component * values, (component + 1) * values), z, isFull(mapping), to);
/** The last random numbers of a draw: its binary coordinates, into `to` [q]. */
export function drawBinary(random: Random, probabilities: Float64Array, to: Float64Array): void {
  for (let b = 0; b < to.length; b++) to[b] = Number(random.uniform() < probabilities[b]!);
}
