/** Sequences with gaps as a filter reads them, and its failures in public words. */
import type { Gaps, RaggedWithGaps, Real } from '../../check.ts';
import * as check from '../../check.ts';
import { callError, type SeqlikError } from '../../errors.ts';

/** Sequences in f64: a filter in f32 would lose its covariances. */
export interface Observations {
  /** [n,d] */
  readonly values: Float64Array;
  readonly lengths: Int32Array;
  /** [n,d], 1 = observed; undefined: everything. */
  readonly seen: Uint8Array | undefined;
  /** Whether the data were f32, so that results are. */
  readonly single: boolean;
  /** Whether they were given as several sequences. */
  readonly several: boolean;
}
/** Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row: over all sequences; column). */
export function readObservations(where: string, y: unknown, d: number, missing: Gaps): Observations {
  const { values, lengths, seen, several }: RaggedWithGaps = check.sequencesWithGaps(where, 'y', y, d, missing);
  const single = check.isSingle(values);
  const wide = single ? check.room(where, values.length) : (values as Float64Array);
  if (single) wide.set(values);
  return { values: wide, lengths, seen, single, several };
}
/** A copy, for work that outlives the call. */
export const copyOf = (where: string, { values, seen, lengths, ...rest }: Observations): Observations => {
  const own = check.room(where, values.length);
  own.set(values);
  return { ...rest, values: own, lengths: lengths.slice(), seen: seen?.slice() };
};
/** A result in the dtype of the data. */
export function inDtypeOf(where: string, { single }: Observations, values: Float64Array): Real {
  if (!single) return values;
  const narrow = check.room(where, values.length, 'f32');
  narrow.set(values);
  return narrow;
}

/** The error of a row where a filter stopped. */
export function toUserError(where: string, row: number, pivot: number, value: number): SeqlikError {
  if (pivot >= 0 && Number.isFinite(value))
    return callError(
      'NOT_POSITIVE_DEFINITE',
      where,
      `the covariance of the prediction of y at row ${row} is not positive definite: pivot ${pivot} is ${value}`,
      { which: 'observationCovariance', row, pivot, value },
    );
  return callError('NON_FINITE', where, `the filter overflows at row ${row} of y: the system explodes`, {
    argument: 'y',
    row,
  });
}
