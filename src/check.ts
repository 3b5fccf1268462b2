/**
 * The only argument checks: what a caller passes becomes what models work on, or a SeqlikError that names the argument
 * with what was expected and what came. `where` is the public name of the call, `argument` that of the argument.
 */
import { type Backend, isBackend } from './bind.ts';
import { SeqlikError } from './errors.ts';
import type { Resident } from './grammar.ts';
import { allocated, fixedBuffer, lengthOf, overlap, plain, tagOf } from './memory.ts';

export type Real = Float64Array | Float32Array;
export type Vector = Real | readonly number[];
/** Flat row-major, or nested rows; parameters of any rank may be flat. */
export type Matrix = Vector | readonly (readonly number[])[];
export type Tensor = Matrix | readonly (readonly (readonly number[])[])[];
/** n x d; one point is an array of length d. */
export type Points = Matrix;
/** What of the data was not observed: NaN under `missing: 'nan'`, or where `mask` (one byte a value) is 0. */
export interface Gaps {
  readonly missing?: 'nan';
  readonly mask?: Uint8Array;
}

const LIMIT = 2 ** 31; // elements of any array
type Fields = ConstructorParameters<typeof SeqlikError>[2];
const invalid = (where: string, argument: string, what: string, fields: Fields = {}): SeqlikError =>
  new SeqlikError('INVALID_ARGUMENT', `${where}: ${argument} ${what}`, { argument, ...fields });
const mismatch = (where: string, argument: string, what: string): SeqlikError =>
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
function hasFields(value: unknown): value is object {
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

// ---- options ----
/** One last object; an option it does not know is a typing mistake worth telling. */
export function options<const K extends string>(
  where: string,
  given: unknown,
  known: readonly K[],
): { [P in K]?: unknown } {
  if (given === undefined) return {};
  if (!hasFields(given)) throw invalid(where, 'options', `must be an object, not ${described(given)}`);
  for (const name of Object.keys(given))
    if (!known.includes(name as K))
      throw invalid(where, name, `is no option here (${known.join(', ') || 'there are none'})`);
  const read: { [P in K]?: unknown } = {}; // each is read once: a getter may say something else the next time
  for (const name of known) {
    const value = (given as { [P in K]?: unknown })[name];
    if (value !== undefined) read[name] = value;
  }
  return read;
}
export function count(where: string, argument: string, value: unknown, least = 1, most = LIMIT - 1): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw invalid(where, argument, `must be a whole number from ${least} to ${most}, not ${described(value)}`);
  return value;
}
/** A finite number >= 0. */
export function amount(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw invalid(where, argument, `must be a finite number >= 0, not ${described(value)}`);
  return value;
}
/** A finite number > 0. */
export function positive(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < Number.POSITIVE_INFINITY))
    throw invalid(where, argument, `must be a finite number > 0, not ${described(value)}`);
  return value;
}
/** A number from 0 up to, but not, 1. */
export function share(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value < 1))
    throw invalid(where, argument, `must be a number >= 0 and < 1, not ${described(value)}`);
  return value;
}
/** A number strictly between 0 and 1. */
export function fraction(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < 1))
    throw invalid(where, argument, `must be a number between 0 and 1, not ${described(value)}`);
  return value;
}
export function flag(where: string, argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid(where, argument, `must be true or false, not ${described(value)}`);
  return value;
}
export function text(where: string, argument: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(where, argument, `must be a string, not ${described(value)}`);
  return value;
}
export function signal(where: string, value: unknown): { signal?: AbortSignal } {
  if (value === undefined) return {};
  if (!isSignal(value)) throw invalid(where, 'signal', `must be an AbortSignal, not ${described(value)}`);
  return { signal: value };
}
/** What only has the prototype of one throws when it is asked. */
function isSignal(value: unknown): value is AbortSignal {
  try {
    return value instanceof AbortSignal && typeof value.aborted === 'boolean';
  } catch {
    return false;
  }
}
export function callback(where: string, argument: string, value: unknown): object {
  if (value === undefined) return {};
  if (typeof value !== 'function') throw invalid(where, argument, `must be a function, not ${described(value)}`);
  return { [argument]: value };
}
/** What was given, or what stands for nothing; null is a mistake. */
export const or = (value: unknown, fallback: unknown): unknown => (value === undefined ? fallback : value);
/** Distinct coordinates of d, between `least` and `most` of them. */
export function subset(where: string, value: unknown, d: number, least: number, most = d): number[] {
  const length = isArray(value) ? lengthIn(where, 'dims', value) : tagOf(value) ? lengthOf(value as Real) : -1;
  const fits = length >= least && length <= most && (isArray(value) || fixedBuffer(value as Real));
  const dims = Array.from({ length: fits ? length : 0 }, (_, i) => (value as ArrayLike<unknown>)[i]);
  const wrong = (j: unknown): boolean => typeof j !== 'number' || !Number.isInteger(j) || j < 0 || j >= d;
  if (!fits || dims.some(wrong) || new Set(dims).size < dims.length)
    throw invalid(where, 'dims', `must be ${least} to ${most} distinct coordinates from 0 to ${d - 1}`);
  return dims as number[];
}
export const seed = (where: string, value: unknown): number =>
  value === undefined ? 0 : count(where, 'seed', value, 0, 2 ** 32 - 1);
export function choice<const W extends string>(
  where: string,
  argument: string,
  value: unknown,
  words: readonly W[],
): W {
  if (!words.includes(value as W))
    throw invalid(where, argument, `must be one of ${words.join(', ')}, not ${described(value)}`);
  return value as W;
}
export function backend(where: string, value: unknown, fallback: () => Backend): Backend {
  if (value === undefined) return fallback();
  if (!isBackend(value)) throw invalid(where, 'backend', `must come from openBackend(), not ${described(value)}`);
  return value as Backend;
}
/** Distinct names of d coordinates, frozen; undefined if not given. */
export function names(where: string, argument: string, value: unknown, d: number): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const fits = isArray(value) && lengthIn(where, argument, value) === d;
  const names = Array.from({ length: fits ? d : 0 }, (_, i) => (value as unknown[])[i]);
  if (
    names.length !== d ||
    new Set(names).size !== d ||
    !names.every((name) => typeof name === 'string' && name !== '')
  )
    throw invalid(where, argument, `must be ${d} distinct names`);
  return Object.freeze(names as string[]);
}
/** The entries of a short array, each read once: a copy of 2^28 holes would end the process. */
export function list(where: string, argument: string, value: unknown, most = 1000): unknown[] {
  if (!isArray(value)) throw invalid(where, argument, `must be an array, not ${described(value)}`);
  const length = lengthIn(where, argument, value);
  if (length > most) throw invalid(where, argument, `has ${length} entries, more than ${most}`);
  return Array.from({ length }, (_, i) => value[i]);
}
/** The fields of a parameter object; one it does not know is a typing mistake worth telling. */
export function fields(
  where: string,
  argument: string,
  value: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (!hasFields(value)) throw invalid(where, argument, `must be an object, not ${described(value)}`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(where, argument, `has an unknown field ${unknown} (${known.join(', ')})`);
  return value as Readonly<Record<string, unknown>>;
}
/** Room for n results. Throws OUT_OF_MEMORY. */
export const room = (where: string, n: number, single = false): Real =>
  allocated(where, n, () => (single ? new Float32Array(n) : new Float64Array(n)));

// ---- parameters: copied, f64, flat ----
/** Nested or flat numbers as a flat copy of `shape`; one undefined size is read off the number of values. */
export function tensor(
  where: string,
  argument: string,
  value: unknown,
  shape: readonly (number | undefined)[],
): Float64Array {
  const into = new Numbers(where);
  const own = real(where, argument, value);
  const sizes = own ? [own.length] : flatten(where, argument, value, into);
  const values = own ? allocated(where, own.length, () => Float64Array.from(own)) : into.taken();
  const rest = shape.reduce<number>((n, size) => n * (size ?? 1), 1);
  const want = shape.map((size) => size ?? values.length / rest);
  const product = want.reduce((a, b) => a * b, 1);
  // flat data of any rank, or nested ones of just this shape
  const fits =
    sizes.length > 1 ? want.join() === sizes.join() : product === values.length && want.every(Number.isInteger);
  if (fits) return values;
  throw mismatch(where, argument, `has ${sizes.join(' x ')} values, not ${shape.map((s) => s ?? 'any').join(' x ')}`);
}
/** A Real in memory that stays, as an array of ours; undefined for what is no typed array, any other one is refused. */
function real(where: string, argument: string, value: unknown): Real | undefined {
  const tag = tagOf(value);
  if (tag === undefined) return undefined;
  if (tag !== 'Float64Array' && tag !== 'Float32Array')
    throw invalid(where, argument, `must be a Float64Array, a Float32Array or an array of numbers, not a ${tag}`);
  if (!fixedBuffer(value as Real)) throw invalid(where, argument, 'lies in a shared or resizable buffer');
  return plain(value as Real);
}
/** Numbers, however many: an Array that has to grow beyond some 10^8 entries ends the process. */
class Numbers {
  private values: Float64Array = new Float64Array(8); // so few do not leave the heap: a list may have many short rows
  private length = 0;
  constructor(private readonly where: string) {}
  push(value: number): void {
    if (this.length === this.values.length) {
      const more = room(this.where, 2 * this.length) as Float64Array;
      more.set(this.values);
      this.values = more;
    }
    this.values[this.length++] = value;
  }
  taken(): Float64Array {
    return allocated(this.where, this.length, () => this.values.slice(0, this.length));
  }
}
/** Appends the numbers of nested arrays, all of one shape; returns that shape. By index: an iterator may have no end. */
function flatten(where: string, argument: string, value: unknown, into: Numbers, depth = 0): number[] {
  const own = real(where, argument, value);
  if (own) {
    for (let i = 0; i < own.length; i++) into.push(own[i]!);
    return [own.length];
  }
  if (!isArray(value) || depth > 3)
    throw invalid(where, argument, `must be an array of numbers, not ${described(value)}`);
  const length = lengthIn(where, argument, value);
  if (length === 0) return [0];
  const first = value[0];
  if (typeof first === 'number') {
    into.push(first);
    for (let i = 1; i < length; i++) {
      const v = value[i];
      if (typeof v !== 'number') throw invalid(where, argument, `must hold numbers only, not ${described(v)}`);
      into.push(v);
    }
    return [length];
  }
  const shape = flatten(where, argument, first, into, depth + 1);
  for (let i = 1; i < length; i++) {
    const own = flatten(where, argument, value[i], into, depth + 1);
    if (own.join() !== shape.join())
      throw mismatch(where, argument, `has ${own.join(' x ')} values at [${i}], not ${shape.join(' x ')}`);
  }
  return [length, ...shape];
}
export function finite(where: string, argument: string, values: Real): void {
  const i = values.findIndex((v) => !Number.isFinite(v));
  if (i >= 0)
    throw new SeqlikError('NON_FINITE', `${where}: ${argument} is ${values[i]} at index ${i}`, {
      argument,
      value: values[i]!,
    });
}
/** Of k matrices: max |S - Sᵀ| > 1e-9 max |S| is NOT_SYMMETRIC. */
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
      throw new SeqlikError('NOT_SYMMETRIC', `${where}: ${argument} differs from its transpose by ${skew}`, {
        argument,
        ...(k > 1 && { component: c }),
      });
  }
}

// ---- data ----
export interface Rows {
  readonly values: Real;
  readonly n: number;
  /** The same values where the kernels live, if they stay for several calls. */
  readonly held?: Resident<Real>;
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
