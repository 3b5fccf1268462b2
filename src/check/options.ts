/** Options and parameter objects: single values, each read once and checked. */
import { type Backend, isBackend } from '../bind.ts';
import { fixedBuffer, lengthOf, tagOf } from '../memory.ts';
import { described, hasFields, invalid, isArray, LIMIT, lengthIn, type Real } from './values.ts';

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
