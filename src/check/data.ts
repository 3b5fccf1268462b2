/** Data: rows of points, their gaps and weights, and the arrays that take results. */
import { SeqlikError } from '../errors.ts';
import type { Resident } from '../grammar.ts';
import { allocated, fixedBuffer, lengthOf, overlap, plain, tagOf } from '../memory.ts';
import { choice } from './options.ts';
import { finite, flatten, Numbers, real, tensor } from './tensors.ts';
import { described, invalid, isArray, lengthIn, mismatch, type Real, room } from './values.ts';

/** What of the data was not observed: NaN under `missing: 'nan'`, or where `mask` (one byte a value) is 0. */
export interface Gaps {
  readonly missing?: 'nan';
  readonly mask?: Uint8Array;
}

export interface Rows {
  readonly values: Real;
  readonly n: number;
  /** The same values where the kernels live, if they stay for several calls. */
  readonly resident?: Resident<Real>;
}
/** Typed arrays are used as they are; numbers are copied into a Float64Array. */
export function points(where: string, argument: string, value: unknown, d: number): Rows {
  let values = real(where, argument, value);
  if (!values) {
    const into = new Numbers(where);
    const shape = flatten(where, argument, value, into);
    if (shape.length > 2 || (shape.length === 2 && shape[1] !== d))
      throw mismatch(where, argument, `has rows of ${shape.slice(1).join(' x ')} values, not ${d}`);
    values = into.taken();
  }
  const { length } = values;
  if (length % d !== 0) throw mismatch(where, argument, `has ${length} values, not a multiple of dimension ${d}`);
  return { values, n: length / d };
}
/**
 * Whether x is one point in an array of its own, and `into`, if given, another one for its result: of these nothing but
 * elements is read and written, of which a caller's class cannot say anything. If not, `points` and `out` tell why. (What
 * they make takes as long as the density of a point.)
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
/** Two arguments with a row for each row of the other. */
export function sameRows(where: string, argument: string, rows: Rows, other: string, others: Rows): void {
  if (rows.n !== others.n) throw mismatch(where, argument, `has ${rows.n} rows, but ${other} ${others.n}`);
}
/** What each of n rows weighs: >= 0, some more; 1 if not given. */
export function weights(where: string, value: unknown, n: number): Float64Array {
  if (value === undefined) return room(where, n).fill(1) as Float64Array;
  const weights = tensor(where, 'sampleWeights', value, [n]);
  finite(where, 'sampleWeights', weights);
  if (weights.some((w) => w < 0) || (n > 0 && !weights.some((w) => w > 0)))
    throw invalid(where, 'sampleWeights', 'must be >= 0, and one of them > 0');
  return weights;
}
/** Data that say themselves how many columns they have: nested rows; or flat, with `d`. */
export function table(
  where: string,
  argument: string,
  value: unknown,
  d: number | undefined,
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
      throw new SeqlikError('EMPTY_INPUT', `${where}: ${argument} is empty`, { argument });
    if (!isArray(value) && !tagOf(value)) points(where, argument, value, 1);
    throw invalid(where, 'dimension', `is needed: ${argument} is flat`);
  }
  if (columns < 1) throw invalid(where, argument, 'has no columns');
  return { ...points(where, argument, value, columns), d: columns };
}
/** The first value that is not finite, by its row and column. */
export function finiteRows(where: string, argument: string, { values }: Rows, d: number): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw wrongValue(where, argument, values[i]!, Math.floor(i / d), i % d);
}
/** The memory of the caller's array for `n` results of the dtype of the data, or a new one. */
export function out(where: string, value: unknown, x: Real, n: number): Real {
  const tag = tagOf(x)!;
  if (value === undefined) return room(where, n, tag === 'Float32Array');
  if (tagOf(value) !== tag) throw invalid(where, 'out', `must be a ${tag} like the data, not ${described(value)}`);
  const array = value as Real;
  if (!fixedBuffer(array)) throw invalid(where, 'out', 'lies in a shared or resizable buffer');
  if (lengthOf(array) !== n) throw mismatch(where, 'out', `has ${lengthOf(array)} values, not ${n}`);
  if (overlap(array, x)) throw invalid(where, 'out', 'overlaps the data');
  return plain(array);
}
/** The words of Gaps: 'nan', a mask, or neither. Before anything else is looked at. */
export function gapOptions(
  where: string,
  { missing, mask }: { readonly missing?: unknown; readonly mask?: unknown },
): Gaps {
  if (missing !== undefined && mask !== undefined) throw invalid(where, 'mask', 'and missing exclude each other');
  if (missing !== undefined) return { missing: choice(where, 'missing', missing, ['nan']) };
  if (mask === undefined) return {};
  if (tagOf(mask) !== 'Uint8Array') throw invalid(where, 'mask', `must be a Uint8Array, not ${described(mask)}`);
  if (!fixedBuffer(mask as Uint8Array)) throw invalid(where, 'mask', 'lies in a shared or resizable buffer');
  return { mask: plain(mask as Uint8Array) };
}
/** One byte a value, 1 = observed; undefined: no gaps were announced. What is observed is finite from here on. */
export function gaps(
  where: string,
  argument: string,
  { values, n }: Rows,
  { missing, mask }: Gaps,
): Uint8Array | undefined {
  if (missing === undefined && mask === undefined) return undefined;
  if (mask && mask.length !== values.length)
    throw mismatch(where, 'mask', `has ${mask.length} values, not ${values.length}`);
  const d = values.length / n;
  const seen = allocated(where, values.length, () => new Uint8Array(values.length));
  for (let i = 0; i < seen.length; i++) {
    const value = values[i]!;
    if (mask ? mask[i] === 0 : Number.isNaN(value)) continue;
    seen[i] = 1;
    if (!(value - value === 0)) throw wrongValue(where, argument, value, Math.floor(i / d), i % d);
  }
  return seen;
}
/** What is wrong with a row that has no density: a value that is not finite, or a distance that overflows. `place` is
 * its row in the caller's data, if that is another. */
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
    return new SeqlikError(
      'NON_FINITE',
      `${where}: the squared distance of ${argument} at row ${place} overflows in every component`,
      { argument, row: place },
    );
  return wrongValue(where, argument, x[column]!, place, column);
}
export function wrongValue(where: string, argument: string, value: number, row: number, column: number): SeqlikError {
  const hint = Number.isNaN(value) ? "; a gap? say missing: 'nan'" : '';
  return new SeqlikError('NON_FINITE', `${where}: ${argument} is ${value} at row ${row}, column ${column}${hint}`, {
    argument,
    row,
    column,
    value,
  });
}
