/** The arrays that callers pass, and how a refused value is described in an error. */
import { argumentError, type SeqlikError } from '../errors.ts';
import { type Arrays, type DType, realArrays } from '../grammar.ts';
import { allocate, isReadable, lengthOf, tagOf } from '../memory.ts';

/** Numbers in either dtype. */
export type Real = Float64Array | Float32Array;
/** Whole numbers, which are copied into f64. */
export type Integers = Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array;
/** A list of numbers. */
export type Vector = Real | Integers | readonly number[];
/** Flat row-major, or nested rows; parameters of any rank may be flat. */
export type Matrix = Vector | readonly (readonly number[])[] | readonly Real[];
/** Flat row-major, or nested to up to three levels. */
export type Tensor = Matrix | readonly (readonly (readonly number[])[])[];
/** n x d; one point is an array of length d. */
export type Points = Matrix;
/** Results have the dtype of the data; f64 for nested numbers. */
export type Result<X> = X extends Float32Array ? Float32Array : Float64Array;

export const LIMIT = 2 ** 31; // elements of any array
/** An argument of the wrong type or range: `must be expected, not received`. */
export const invalid = (where: string, argument: string, expected: string, value: unknown): SeqlikError =>
  argumentError('INVALID_ARGUMENT', where, argument, { expected, received: describe(value) });
/** An argument of the wrong size: `has received, not expected`. */
export const mismatch = (where: string, argument: string, expected: string, received: string): SeqlikError =>
  argumentError('DIMENSION_MISMATCH', where, argument, {
    expected,
    received,
    reason: `has ${received}, not ${expected}`,
  });
/** Whether a value is an array. A revoked proxy is not, where Array.isArray would throw a TypeError. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
/** Marks every model, and every object that inherits from one. */
export const MODEL = Symbol('model');
/** Whether a value is an object with fields to read. A revoked proxy, or an object that merely inherits from a model,
 * would throw a TypeError when read; a model is not an options object. */
export function hasFields(value: unknown): value is object {
  try {
    if (typeof value !== 'object' || value === null || MODEL in value) return false;
    Object.getPrototypeOf(value); // throws for a revoked proxy
    return !Array.isArray(value) && tagOf(value) === undefined;
  } catch {
    return false;
  }
}
/** The length of an array, read once: a proxy may answer anything. */
export function lengthIn(where: string, argument: string, array: unknown[]): number {
  const length: unknown = array.length;
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length >= LIMIT)
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: `fewer than ${LIMIT} entries`,
      received: `${describe(length)} entries`,
      reason: `has ${describe(length)} entries`,
    });
  return length;
}
/** The length of an array, or of a typed array of integers. */
export function countIn(where: string, argument: string, given: unknown): number {
  const tag = tagOf(given);
  const whole = tag !== undefined && /^(Int|Uint)(8|16|32)Array$/.test(tag);
  if (whole && isReadable(given as Int32Array)) return lengthOf(given as Int32Array);
  if (isArray(given)) return lengthIn(where, argument, given);
  throw argumentError('INVALID_ARGUMENT', where, argument, {
    expected: 'an array of whole numbers',
    received: `a ${tag ?? describe(given)}`,
  });
}
/** A short name of any value, for messages; never runs code of the value. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'object' && value) return tagOf(value) ?? (isArray(value) ? 'an array' : 'an object');
  if (typeof value === 'bigint') return `${String(value).slice(0, 40)}n`;
  return typeof value === 'function' ? 'a function' : String(value);
}
/**
 * A new array for the n values of a result, whose size follows from the rows of `argument`. Throws INVALID_ARGUMENT
 * (2^31 values or more), OUT_OF_MEMORY.
 */
export function room<D extends DType = 'f64'>(
  where: string,
  n: number,
  dtype: D = 'f64' as D,
  argument = 'x',
): Arrays[D] {
  if (n >= LIMIT)
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: `results of fewer than ${LIMIT} values`,
      received: `${n} values`,
      sentence: `the result for ${argument} would have ${n} values, ${LIMIT} or more`,
    });
  return allocate(where, n, () => new realArrays[dtype](n));
}
/** Whether an array holds f32, by what the engine says and not by its class. */
export const isSingle = (values: Real): boolean => tagOf(values) === 'Float32Array';
/** The dtype of the kernels for an array. */
export const dtypeOf = (values: Real): DType => (isSingle(values) ? 'f32' : 'f64');
/** A new array for n results of the dtype of `values`. Throws OUT_OF_MEMORY. */
export const alike = (values: Real, n: number): Real => room('seqlik', n, dtypeOf(values));
