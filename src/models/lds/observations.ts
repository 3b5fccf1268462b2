/** Sequences with gaps as a filter reads them. */
import type { Gaps, Real } from '../../check.ts';
import * as check from '../../check.ts';

/** Sequences in f64, because a filter in f32 would lose its covariances. */
export interface Observations {
  /** [n,d]; NaN: a gap. */
  readonly values: Float64Array;
  readonly lengths: Int32Array;
  /** Whether there is a gap. */
  readonly gaps: boolean;
  /** Whether the data were f32, so that results are. */
  readonly single: boolean;
  /** Whether they were given as several sequences. */
  readonly several: boolean;
  /** Whether the values are memory of the caller's. */
  readonly borrowed: boolean;
}
/** Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row: over all sequences; column). */
export function readObservations(where: string, y: unknown, d: number, missing: Gaps): Observations {
  const { values, lengths, seen, several } = check.sequencesWithGaps(where, 'y', y, d, missing);
  const single = check.isSingle(values);
  const isOwn = single || (seen !== undefined && missing.mask !== undefined);
  const own = isOwn ? check.room(where, values.length) : (values as Float64Array);
  if (isOwn) own.set(values);
  if (seen && missing.mask) for (let i = 0; i < own.length; i++) if (seen[i] === 0) own[i] = Number.NaN;
  return { values: own, lengths, gaps: seen !== undefined, single, several, borrowed: !isOwn };
}
/** Data that stay as they are, for work that outlives the call. */
export function ownCopy(where: string, data: Observations): Observations {
  if (!data.borrowed) return data;
  const values = check.room(where, data.values.length);
  values.set(data.values);
  return { ...data, values, borrowed: false };
}
/** A result in the dtype of the data. */
export function inDtypeOf(where: string, { single }: Observations, values: Float64Array): Real {
  if (!single) return values;
  const narrow = check.room(where, values.length, 'f32');
  narrow.set(values);
  return narrow;
}
/** The rows with at least one observed value. */
export function observedRows({ values, gaps }: Observations, d: number): number {
  if (!gaps) return values.length / d;
  let rows = 0;
  for (let at = 0; at < values.length; at += d) if (!values.subarray(at, at + d).every(Number.isNaN)) rows++;
  return rows;
}
