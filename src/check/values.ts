/** The arrays that callers pass, and how a refused value is described in an error. */
import { SeqlikError } from '../errors.ts';
import type { DType } from '../grammar.ts';
import { allocated, tagOf } from '../memory.ts';

export type Real = Float64Array | Float32Array;
export type Vector = Real | readonly number[];
/** Flat row-major, or nested rows; parameters of any rank may be flat. */
export type Matrix = Vector | readonly (readonly number[])[];
export type Tensor = Matrix | readonly (readonly (readonly number[])[])[];
/** n x d; one point is an array of length d. */
export type Points = Matrix;
/** Results have the dtype of the data; f64 for nested numbers. */
export type Result<X> = X extends Float32Array ? Float32Array : Float64Array;

export const LIMIT = 2 ** 31; // elements of any array
type Fields = ConstructorParameters<typeof SeqlikError>[2];
export const invalid = (where: string, argument: string, what: string, fields: Fields = {}): SeqlikError =>
  new SeqlikError('INVALID_ARGUMENT', `${where}: ${argument} ${what}`, { argument, ...fields });
export const mismatch = (where: string, argument: string, what: string): SeqlikError =>
  new SeqlikError('DIMENSION_MISMATCH', `${where}: ${argument} ${what}`, { argument });
/** A revoked proxy is no array, and no reason to throw a TypeError. */
export function isArray(value: unknown): value is unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}
/** Known to every model, and to what inherits from one. */
export const MODEL = Symbol('model');
/** An object to read fields of; a revoked proxy has none, and answers every question with a TypeError. So does what only
 * inherits from a model, and a model is no options. */
export function hasFields(value: unknown): value is object {
  try {
    if (typeof value !== 'object' || value === null || MODEL in value) return false;
    Object.getPrototypeOf(value); // a proxy that will not even say this
    return !Array.isArray(value) && tagOf(value) === undefined;
  } catch {
    return false;
  }
}
/** The length of an array, read once: a proxy may say anything. */
export function lengthIn(where: string, argument: string, array: unknown[]): number {
  const length: unknown = array.length;
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length >= LIMIT)
    throw invalid(where, argument, `has ${described(length)} entries`);
  return length;
}
/** A short name of any value, for messages; never calls into it. */
export function described(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'object' && value) return tagOf(value) ?? (isArray(value) ? 'an array' : 'an object');
  return typeof value === 'function' ? 'a function' : String(value);
}
/** Room for n results. Throws OUT_OF_MEMORY. */
export const room = (where: string, n: number, single = false): Real =>
  allocated(where, n, () => (single ? new Float32Array(n) : new Float64Array(n)));
/** Whether an array holds f32, as its engine says and not its class. */
export const isSingle = (values: Real): boolean => tagOf(values) === 'Float32Array';
/** The dtype of the kernels for an array. */
export const dtypeOf = (values: Real): DType => (isSingle(values) ? 'f32' : 'f64');
/** Room for n results of the dtype of `values`. Throws OUT_OF_MEMORY. */
export const alike = (values: Real, n: number): Real => room('seqlik', n, isSingle(values));
