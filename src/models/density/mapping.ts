/** Mappings: how the raw numbers of a component become a covariance, and how many there are. */
import { tri } from '../triangles.ts';

export const mappings = [
  'tanh-full',
  'tanh-diag',
  'chol-exp',
  'chol-softplus',
  'diag-exp',
  'diag-softplus',
  'graves',
] as const;
/** How raw values become a covariance: docs/math.md § density. */
export type Mapping = (typeof mappings)[number];

/** Of a head: its Gaussian coordinates, and the length of its rows. */
export interface Shape {
  readonly components: number;
  readonly gaussian: number;
  readonly mapping: Mapping;
  readonly outputs: number;
  readonly dimension: number;
}
/** Whether each component has a triangle of covariance values; else it has one per coordinate. */
export const isFull = (mapping: Mapping): boolean =>
  mapping === 'tanh-full' || mapping.startsWith('chol') || mapping === 'graves';
/** The covariance values of a component of k Gaussian coordinates. */
export const valuesOf = (mapping: Mapping, k: number): number => (isFull(mapping) ? tri(k) : k);
