/** Observability: the directions of the state that observations reveal. */
import { singularValues } from './eigen.ts';
import { largest, product } from './matrix.ts';
import type { System } from './parameters.ts';

export interface Observability {
  /** The number of directions of the state that observations without noise would reveal. */
  readonly rank: number;
  /** [latent], of the matrix [B; B A; ...; B A^(m-1)] with blocks scaled alike, descending. */
  readonly singularValues: Float64Array;
  /** [latent - rank, latent]: directions of the state that never show in an observation. */
  readonly unobservable: Float64Array;
}
export function observabilityOf({ m, d, transition, observation }: System): Observability {
  const stacked = new Float64Array(d * m * m);
  // units of A that keep its powers in range do not move the directions
  const size = Math.max(largest(transition), 1);
  let block = observation.slice();
  const unit = largest(block) || 1;
  for (let k = 0; k < m; k++) {
    stacked.set(
      block.map((v) => v / unit),
      k * d * m,
    );
    block = product(block, transition, d, m, m).map((v) => v / size);
  }
  const rows = d * m;
  const { values, right } = singularValues(stacked, rows, m);
  const rank = values.filter((v) => v > values[0]! * 1e-10).length;
  return { rank, singularValues: values, unobservable: right.slice(rank * m) };
}
