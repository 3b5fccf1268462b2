/** Heads: how the raw numbers of a row become a mixture, and how many there are. */
import { contract, type Mapping } from '../../contract.ts';
import { derivedSizes } from '../../grammar.ts';

const spec = contract.density.forward;
const sizesOf = derivedSizes(spec);

export { type Mapping, mappings } from '../../contract.ts';

/** The sizes of a head, whose rows of raw numbers are [logits | means | covariance values | Bernoulli logits]. */
export interface Shape {
  readonly components: number;
  /** Coordinates of x, the binary ones included. */
  readonly dimension: number;
  readonly mapping: Mapping;
  readonly binary: number;
  /** Coordinates of each Gaussian. */
  readonly gaussian: number;
  /** Covariance values of each component. */
  readonly values: number;
  /** Numbers of a raw row. */
  readonly outputs: number;
}
export function shapeOf(given: Pick<Shape, 'components' | 'dimension' | 'mapping' | 'binary'>): Shape {
  const { components, dimension, mapping, binary } = given;
  const gaussian = dimension - binary;
  const { values, outputs } = sizesOf({ d: gaussian, k: components, q: binary, mapping });
  return { components, dimension, mapping, binary, gaussian, values, outputs };
}
/** Whether each component has a triangle of covariance values; else it has one value per coordinate. */
export const isFull = (mapping: Mapping): boolean => spec.derived.values[mapping] !== 'd';
