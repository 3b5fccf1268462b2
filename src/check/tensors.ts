/** Parameters: nested or flat numbers become a flat f64 copy of a known shape. */
import { argumentError, type SeqlikError } from '../errors.ts';
import { allocate, detachedMemory, fixedBuffer, isDetached, lengthOf, plain, sharedMemory, tagOf } from '../memory.ts';
import { describe, invalid, isArray, lengthIn, mismatch, type Real, room } from './values.ts';

/** A flat copy of nested or flat numbers of `shape`; one undefined size is read off the number of values. */
export function tensor(
  where: string,
  argument: string,
  value: unknown,
  shape: readonly (number | undefined)[],
): Float64Array {
  const into = new Numbers(where);
  const own = real(where, argument, value);
  const sizes = own ? [own.length] : flatten(where, argument, value, into);
  const values = own ? allocate(where, own.length, () => Float64Array.from(own)) : into.take();
  const rest = shape.reduce<number>((n, size) => n * (size ?? 1), 1);
  const want = shape.map((size) => size ?? values.length / rest);
  const product = want.reduce((a, b) => a * b, 1);
  // flat data for any rank, or data nested in exactly this shape
  const fits =
    sizes.length > 1 ? want.join() === sizes.join() : product === values.length && want.every(Number.isInteger);
  if (fits) return values;
  throw mismatch(where, argument, shape.map((s) => s ?? 'any').join(' x '), valuesText(sizes));
}
/** '1 value', '2 x 3 values' */
const valuesText = (shape: readonly number[]): string => `${shape.join(' x ')} value${shape.join() === '1' ? '' : 's'}`;
/** A Float64Array or Float32Array in memory of fixed size, as a plain array of ours, or a copy of whole numbers;
 * undefined for a value that is not a typed array. Arrays of BigInts are refused. */
export function real(where: string, argument: string, value: unknown): Real | undefined {
  const tag = tagOf(value);
  if (tag === undefined) return undefined;
  const isWhole = /^(?:Int|Uint)(?:8|8Clamped|16|32)Array$/.test(tag);
  if (!isWhole && tag !== 'Float64Array' && tag !== 'Float32Array')
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: 'a typed array or an array of numbers',
      received: `a ${tag}`,
    });
  if (!fixedBuffer(value as Real)) throw sharedMemory(where, argument);
  if (isDetached(value as Real)) throw detachedMemory(where, argument);
  if (!isWhole) return plain(value as Real);
  const length = lengthOf(value as Int32Array);
  return allocate(where, length, () => Float64Array.from({ length }, (_, i) => (value as Int32Array)[i]!));
}
/** A growing list of numbers, of any length. An Array that has to grow beyond some 10^8 entries ends the process. */
export class Numbers {
  /** Begins small enough for the JavaScript heap: a list may have many short rows. */
  private values: Float64Array = new Float64Array(8);
  private length = 0;
  constructor(private readonly where: string) {}
  push(value: number): void {
    if (this.length === this.values.length) {
      const more = room(this.where, 2 * this.length);
      more.set(this.values);
      this.values = more;
    }
    this.values[this.length++] = value;
  }
  take(): Float64Array {
    return allocate(this.where, this.length, () => this.values.slice(0, this.length));
  }
}
/** How numbers are read: `gaps`: null, undefined and holes are NaN; `d`: the width of the rows of data, if they are data,
 * whose faults are placed at a row and a column. */
export interface Reading {
  readonly gaps?: boolean;
  readonly d?: number;
}
/** Appends the numbers of nested arrays, all of one shape, and returns that shape. Reads by index: an iterator may
 * never end. `path`: the indices of this array in the whole. */
export function flatten(
  where: string,
  argument: string,
  value: unknown,
  into: Numbers,
  reading: Reading = {},
  path: readonly number[] = [],
): number[] {
  const own = real(where, argument, value);
  if (own) {
    for (let i = 0; i < own.length; i++) into.push(own[i]!);
    return [own.length];
  }
  if (!isArray(value) || path.length > 3) {
    if (path.length > 0) throw notNumber(where, argument, value, path, reading, ROW);
    throw invalid(where, argument, 'an array of numbers', value);
  }
  const length = lengthIn(where, argument, value);
  if (length === 0) return [0];
  const first = value[0];
  const isGap = (v: unknown): boolean => reading.gaps === true && (v === null || v === undefined);
  if (typeof first === 'number' || isGap(first)) {
    for (let i = 0; i < length; i++) {
      const v = i === 0 ? first : value[i];
      if (typeof v === 'number') into.push(v);
      else if (isGap(v)) into.push(Number.NaN);
      else throw notNumber(where, argument, v, [...path, i], reading, 'numbers only');
    }
    return [length];
  }
  if (!isArray(first) && tagOf(first) === undefined)
    throw notNumber(where, argument, first, [...path, 0], reading, 'numbers only');
  const shape = flatten(where, argument, first, into, reading, [...path, 0]);
  for (let i = 1; i < length; i++) {
    const own = flatten(where, argument, value[i], into, reading, [...path, i]);
    if (own.join() !== shape.join()) throw mismatch(where, argument, shape.join(' x '), `${valuesText(own)} at [${i}]`);
  }
  return [length, ...shape];
}
const ROW = 'an array of numbers';
/** The error of a value that is no number, at its place. */
function notNumber(
  where: string,
  argument: string,
  value: unknown,
  path: readonly number[],
  { d, gaps }: Reading,
  expected: string,
): SeqlikError {
  const [i = 0, j] = path;
  const isRow = expected === ROW && path.length === 1;
  const isPlaced = d !== undefined && path.length <= 2;
  const place = !isPlaced ? undefined : isRow ? { row: i } : j === undefined ? flatPlace(i, d) : { row: i, column: j };
  const column = place && 'column' in place ? `, column ${place.column}` : '';
  const text = place ? `row ${place.row}${column}` : path.map((i) => `[${i}]`).join('');
  const isGap = (value === null || value === undefined) && gaps === false;
  const hint = isGap ? "; a gap? say missing: 'nan'" : '';
  return argumentError('INVALID_ARGUMENT', where, argument, {
    expected,
    received: describe(value),
    reason: `must hold ${expected}, not ${describe(value)} at ${text}${hint}`,
    ...place,
  });
}
const flatPlace = (i: number, d: number): { row: number; column: number } => ({
  row: Math.floor(i / d),
  column: i % d,
});
export function finite(where: string, argument: string, values: Real): void {
  const i = values.findIndex((v) => !Number.isFinite(v));
  if (i >= 0)
    throw argumentError('NON_FINITE', where, argument, {
      expected: 'finite numbers',
      received: `${values[i]}`,
      reason: `is ${values[i]} at index ${i}`,
      value: values[i]!,
    });
}
/** Throws NOT_SYMMETRIC for the first of k matrices with max |S - Sᵀ| > 1e-9 max |S|. */
export function symmetric(where: string, argument: string, S: Float64Array, k: number, d: number): void {
  for (let c = 0; c < k; c++) {
    let skew = 0;
    let largest = 0;
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) {
        const v = S[(c * d + i) * d + j]!;
        largest = Math.max(largest, Math.abs(v));
        skew = Math.max(skew, Math.abs(v - S[(c * d + j) * d + i]!));
      }
    if (skew > 1e-9 * largest)
      throw argumentError('NOT_SYMMETRIC', where, argument, {
        expected: 'a symmetric matrix',
        received: `one that differs from its transpose by ${skew}`,
        reason: `differs from its transpose by ${skew}`,
        ...(k > 1 && { component: c }),
      });
  }
}
