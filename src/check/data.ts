/** Data: rows of points, their gaps and weights, and the arrays that take results. */
import { argumentError, callError, counted, type SeqlikError } from '../errors.ts';
import type { Resident } from '../grammar.ts';
import {
  allocate,
  detachedMemory,
  fixedBuffer,
  isDetached,
  lengthOf,
  overlap,
  plain,
  sharedMemory,
  tagOf,
} from '../memory.ts';
import { choice } from './options.ts';
import { finite, flatten, Numbers, real, tensor } from './tensors.ts';
import { countIn, describe, dtypeOf, invalid, isArray, lengthIn, mismatch, type Real, room } from './values.ts';

/** The values that were not observed: NaN under `missing: 'nan'`, or those where `mask` (one byte a value) is 0. */
export interface Gaps {
  /** 'nan': NaN is a gap, and not an error. */
  readonly missing?: 'nan';
  /** [n,d]: 1 = observed; a value under a 0 is never read. */
  readonly mask?: Uint8Array;
}

export interface Rows {
  readonly values: Real;
  readonly n: number;
  /** The same values where the kernels live, if they stay for several calls. */
  readonly resident?: Resident<Real>;
}
/**
 * Floats are used as they are; other numbers are copied into a Float64Array. `gaps`: those of a call that knows any; null
 * and undefined are among them if they were announced.
 */
export function points(where: string, argument: string, value: unknown, d: number, gaps?: Gaps): Rows {
  let values = real(where, argument, value);
  if (!values) {
    const into = new Numbers(where);
    const announced = gaps && (gaps.missing !== undefined || gaps.mask !== undefined);
    const shape = flatten(where, argument, value, into, { d, ...(announced !== undefined && { gaps: announced }) });
    if (shape.length > 2 || (shape.length === 2 && shape[1] !== d))
      throw mismatch(where, argument, `${d}`, `rows of ${shape.slice(1).join(' x ')} values`);
    values = into.take();
  }
  const { length } = values;
  if (length % d !== 0) throw mismatch(where, argument, `a multiple of dimension ${d}`, counted(length, 'value'));
  return { values, n: length / d };
}
/**
 * Whether x is one point in an array of its own, and `into`, if given, another array for its result. Only elements of
 * such arrays are read and written, which a caller's class cannot intercept. Otherwise `points` and `out` report the
 * reason. (The objects they allocate cost as much as the density of a point.)
 */
export function isOnePoint(x: unknown, d: number, into: unknown): x is Real {
  const tag = tagOf(x);
  if ((tag !== 'Float64Array' && tag !== 'Float32Array') || lengthOf(x as Real) !== d) return false;
  const memory = fixedBuffer(x as Real);
  if (into === undefined) return memory !== undefined;
  if (tagOf(into) !== tag || lengthOf(into as Real) !== 1) return false;
  const other = fixedBuffer(into as Real);
  return memory !== undefined && other !== undefined && memory !== other;
}
/** Two arguments of equally many rows. */
export function sameRows(where: string, argument: string, rows: Rows, other: string, others: Rows): void {
  if (rows.n === others.n) return;
  throw argumentError('DIMENSION_MISMATCH', where, argument, {
    expected: `${counted(others.n, 'row')}, as many as ${other}`,
    received: counted(rows.n, 'row'),
    reason: `has ${counted(rows.n, 'row')}, but ${other} ${others.n}`,
  });
}
/** Indices of n rows, in any order and number. */
export function indices(where: string, argument: string, value: unknown, n: number): Int32Array {
  const count = countIn(where, argument, value);
  const read = allocate(where, count, () => new Int32Array(count));
  for (let i = 0; i < count; i++) {
    const row = (value as ArrayLike<unknown>)[i];
    if (typeof row !== 'number' || !Number.isInteger(row) || row < 0 || row >= n)
      throw argumentError('INVALID_ARGUMENT', where, argument, {
        expected: `indices of ${n} rows`,
        received: describe(row),
        reason: `has ${describe(row)} at [${i}], which is no index of ${n} rows`,
      });
    read[i] = row;
  }
  return read;
}
/** The weights of n rows: all >= 0, at least one > 0; 1 if not given. */
export function weights(where: string, value: unknown, n: number): Float64Array {
  if (value === undefined) return room(where, n).fill(1);
  const weights = tensor(where, 'sampleWeights', value, [n]);
  finite(where, 'sampleWeights', weights);
  if (weights.some((w) => w < 0) || (n > 0 && !weights.some((w) => w > 0)))
    throw argumentError('INVALID_ARGUMENT', where, 'sampleWeights', {
      expected: '>= 0, and one of them > 0',
      received: `${weights.find((w) => w < 0) ?? 'only 0'}`,
      reason: 'must be >= 0, and one of them > 0',
    });
  return weights;
}
/** Data whose number of columns is read off nested rows, or given as `d`. */
export function table(
  where: string,
  argument: string,
  value: unknown,
  d: number | undefined,
  gaps?: Gaps,
): Rows & { readonly d: number } {
  const first = isArray(value) && lengthIn(where, argument, value) > 0 ? value[0] : undefined;
  const inFirst = isArray(first)
    ? lengthIn(where, argument, first)
    : tagOf(first)
      ? lengthOf(first as Real)
      : undefined;
  const columns = d ?? inFirst;
  if (columns === undefined) {
    if (
      (isArray(value) && first === undefined && lengthIn(where, argument, value) === 0) ||
      (tagOf(value) && lengthOf(value as Real) === 0)
    )
      throw argumentError('EMPTY_INPUT', where, argument, {
        expected: 'at least one value',
        received: 'none',
        reason: 'is empty',
      });
    if (!isArray(value) && !tagOf(value)) points(where, argument, value, 1);
    throw argumentError('INVALID_ARGUMENT', where, 'dimension', {
      expected: `the number of columns of ${argument}, which is flat`,
      received: 'undefined',
      reason: `is needed: ${argument} is flat`,
    });
  }
  if (columns < 1)
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: 'at least one column',
      received: 'none',
      reason: 'has no columns',
    });
  return { ...points(where, argument, value, columns, gaps), d: columns };
}
/** Throws NON_FINITE for the first value that is not finite, with its row and column. `hint`: as of `wrongValue`. */
export function finiteRows(where: string, argument: string, { values }: Rows, d: number, hint = ''): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw wrongValue(where, argument, values[i]!, Math.floor(i / d), i % d, hint);
}
/** An array for `n` results of the dtype of the data: the caller's memory if given, else new. */
export function out(where: string, value: unknown, x: Real, n: number): Real {
  const tag = tagOf(x)!;
  if (value === undefined) return room(where, n, dtypeOf(x));
  if (tagOf(value) !== tag) throw invalid(where, 'out', `a ${tag} like the data`, value);
  const array = value as Real;
  if (!fixedBuffer(array)) throw sharedMemory(where, 'out');
  if (isDetached(array)) throw detachedMemory(where, 'out');
  if (lengthOf(array) !== n) throw mismatch(where, 'out', `${n}`, counted(lengthOf(array), 'value'));
  if (overlap(array, x))
    throw argumentError('INVALID_ARGUMENT', where, 'out', {
      expected: 'memory of its own',
      received: 'memory of the data',
      reason: 'overlaps the data',
    });
  return plain(array);
}
/** The options of Gaps, `missing` or `mask` or neither; checked before the data. */
export function gapOptions(
  where: string,
  { missing, mask }: { readonly missing?: unknown; readonly mask?: unknown },
): Gaps {
  if (missing !== undefined && mask !== undefined)
    throw argumentError('INVALID_ARGUMENT', where, 'mask', {
      expected: 'mask or missing',
      received: 'both',
      reason: 'and missing exclude each other',
    });
  if (missing !== undefined) return { missing: choice(where, 'missing', missing, ['nan']) };
  if (mask === undefined) return {};
  if (tagOf(mask) !== 'Uint8Array') throw invalid(where, 'mask', 'a Uint8Array', mask);
  if (!fixedBuffer(mask as Uint8Array)) throw sharedMemory(where, 'mask');
  if (isDetached(mask as Uint8Array)) throw detachedMemory(where, 'mask');
  return { mask: plain(mask as Uint8Array) };
}
/** The treatment of rows that are too far away to score. */
export interface Scoring {
  /** 'throw' (the default): the error NON_FINITE with its row. 'mark': it scores -Infinity, and the others are scored. */
  readonly unscorable?: 'throw' | 'mark';
}
/** Whether rows that are too far away are to be marked. */
export const marking = (where: string, value: unknown): boolean =>
  value !== undefined && choice(where, 'unscorable', value, ['throw', 'mark']) === 'mark';
/** The mask of the data, 1 = observed, one byte a value; undefined if no gaps were announced. Observed values that are
 * not finite are refused. */
export function gaps(
  where: string,
  argument: string,
  { values, n }: Rows,
  { missing, mask }: Gaps,
): Uint8Array | undefined {
  if (missing === undefined && mask === undefined) return undefined;
  if (mask && mask.length !== values.length)
    throw mismatch(where, 'mask', `${values.length}`, counted(mask.length, 'value'));
  const d = values.length / n;
  const seen = allocate(where, values.length, () => new Uint8Array(values.length));
  for (let i = 0; i < seen.length; i++) {
    const value = values[i]!;
    if (mask ? mask[i] === 0 : Number.isNaN(value)) continue;
    seen[i] = 1;
    if (!(value - value === 0)) throw wrongValue(where, argument, value, Math.floor(i / d), i % d);
  }
  return seen;
}
/** How the error of a row that is too far away begins, without its call. */
export const FAR = 'the squared distance';
/** The error of a row that has no density: it holds a value that is not finite, or its distance overflows. `place` is
 * the row in the caller's data, where that differs. */
export function nonFinite(
  where: string,
  argument: string,
  values: Real,
  row: number,
  d: number,
  place = row,
): SeqlikError {
  const x = values.subarray(row * d, (row + 1) * d);
  const column = x.findIndex((v) => !Number.isFinite(v));
  if (column < 0)
    return callError('NON_FINITE', where, `${FAR} of ${argument} at row ${place} overflows in every component`, {
      argument,
      row: place,
    });
  return wrongValue(where, argument, x[column]!, place, column, gapHint);
}
/** The hint of calls that know gaps, where they find a NaN. */
export const gapHint = "; a gap? say missing: 'nan'";
/** The error of a value that is not finite; `hint`: what to say of a NaN. */
export function wrongValue(
  where: string,
  argument: string,
  value: number,
  row: number,
  column: number,
  hint = '',
): SeqlikError {
  return argumentError('NON_FINITE', where, argument, {
    expected: 'a finite number',
    received: `${value}`,
    reason: `is ${value} at row ${row}, column ${column}${Number.isNaN(value) ? hint : ''}`,
    row,
    column,
    value,
  });
}
