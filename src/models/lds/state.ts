/** The state between two rows of a sequence: what was read so far, and all that the rest depends on. */
import type { Real } from '../../check.ts';
import * as check from '../../check.ts';
import { notPositiveDefinite, pivotOf } from '../triangles.ts';
import { plus, sandwich, times } from './matrix.ts';
import type { System } from './parameters.ts';

/** Plain numbers and typed arrays: copy it, store it, send it. */
export interface SystemState {
  /** Rows read; 0: mean and covariance are the prior of the first one. */
  readonly time: number;
  /** E z [m] of the last row, given all rows up to it. */
  readonly mean: Float64Array;
  /** Cov z [m,m] */
  readonly covariance: Float64Array;
}
export const startOf = (system: System): SystemState => ({
  time: 0,
  mean: system.initialMean.slice(),
  covariance: system.initialCovariance.slice(),
});
/** A copy of a caller's state. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC,
 * NOT_POSITIVE_DEFINITE. */
export function readState(where: string, value: unknown, { m }: System): SystemState {
  const given = check.fields(where, 'state', value, ['time', 'mean', 'covariance']);
  const time = check.count(where, 'state.time', given['time'], 0, Number.MAX_SAFE_INTEGER);
  const mean = check.tensor(where, 'state.mean', given['mean'], [m]);
  const covariance = check.tensor(where, 'state.covariance', given['covariance'], [m, m]);
  check.finite(where, 'state.mean', mean);
  check.finite(where, 'state.covariance', covariance);
  check.symmetric(where, 'state.covariance', covariance, 1, m);
  for (let pivot = 0; pivot < m; pivot++) {
    const pivotValue = pivotOf(covariance, m, pivot);
    if (!(pivotValue > 0)) throw notPositiveDefinite(where, 'state.covariance', pivot, pivotValue);
  }
  return { time, mean, covariance };
}

/** Moments of the `steps` rows after a state, by prediction alone. */
export interface Forecast<R extends Real = Real> {
  /** Moments of the states: [steps,m] and [steps,m,m]. */
  means: R;
  covariances: R;
  /** Moments of the observations: [steps,d] and [steps,d,d]. */
  observationMeans: R;
  observationCovariances: R;
}
export function forecastFrom(where: string, system: System, state: SystemState, steps: number): Forecast<Float64Array> {
  const { m, d, transition: A, observation: B, transitionCovariance: Q, observationCovariance: R } = system;
  const room = (n: number): Float64Array => check.room(where, steps * n);
  const result = {
    means: room(m),
    covariances: room(m * m),
    observationMeans: room(d),
    observationCovariances: room(d * d),
  };
  let { mean, covariance: P } = state;
  for (let h = 0; h < steps; h++) {
    if (h > 0 || state.time > 0) {
      mean = times(A, mean, m, m);
      P = plus(sandwich(A, P, m, m), Q);
    }
    result.means.set(mean, h * m);
    result.covariances.set(P, h * m * m);
    result.observationMeans.set(times(B, mean, d, m), h * d);
    result.observationCovariances.set(plus(sandwich(B, P, d, m), R), h * d * d);
  }
  return result;
}
