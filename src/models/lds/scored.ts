/** The passes with public errors. */
import * as check from '../../check.ts';
import { KernelFailure } from '../../errors.ts';
import type { Pass } from '../work.ts';
import type { Moments } from './moments.ts';
import { type Observations, toUserError } from './observations.ts';
import type { System } from './parameters.ts';
import { expectPass, type Filtered, filterPass, roomFor, smoothPass } from './passes.ts';
import type { Track } from './recursions.ts';

function* withUserErrors<R>(where: string, pass: Pass<R>): Pass<R> {
  try {
    return yield* pass;
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
    const { n, pivot, value } = error.at as { n: number; pivot: number; value: number };
    throw toUserError(where, n, pivot, value);
  }
}
const roomIn =
  (where: string) =>
  (n: number): Float64Array =>
    check.room(where, n);

/** The E step. Throws NON_FINITE, NOT_POSITIVE_DEFINITE (row). */
export const expectMoments = (where: string, system: System, data: Observations): Pass<Moments> =>
  withUserErrors(where, expectPass(system, data, roomIn(where)));
/** Log densities and last states; with `keep` all moments of all rows. */
export function* filter(
  where: string,
  system: System,
  data: Observations,
  keep: boolean,
): Pass<Filtered & { track?: Track }> {
  const n = data.values.length / system.d;
  const track = keep ? roomFor(system.m, n, roomIn(where)) : undefined;
  const filtered = yield* withUserErrors(
    where,
    filterPass(system, data, check.room(where, n), ...(track ? [track] : [])),
  );
  return { ...filtered, ...(track && { track }) };
}
export interface Smoothed {
  readonly means: Float64Array;
  readonly covariances: Float64Array;
  /** [Σ max(T - 1, 0),m,m] */
  readonly lagOneCovariances: Float64Array;
  readonly logDensity: Float64Array;
}
export function* smooth(where: string, system: System, data: Observations): Pass<Smoothed> {
  const { m } = system;
  const { lengths } = data;
  const filtered = yield* filter(where, system, data, true);
  const track = filtered.track!;
  const lags = lengths.reduce((sum, T) => sum + Math.max(T - 1, 0), 0);
  const lagOneCovariances = check.room(where, lags * m * m);
  // a row of a sequence has lag row - sequences that are not empty before it
  const before = new Int32Array(data.values.length / system.d);
  let [row, parts] = [0, 0];
  for (const T of lengths) {
    before.fill(parts, row, row + T);
    row += T;
    if (T > 0) parts++;
  }
  yield* smoothPass(system, lengths, track, ({ mean, covariance, lagOne }, at) => {
    track.means.set(mean, at * m);
    track.covariances.set(covariance, at * m * m);
    if (lagOne) lagOneCovariances.set(lagOne, (at - before[at]!) * m * m);
  });
  return { means: track.means, covariances: track.covariances, lagOneCovariances, logDensity: filtered.logDensity };
}
