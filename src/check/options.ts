/** Options and parameter objects: single values, each read once and checked. */
import { type Backend, isBackend } from '../bind.ts';
import { argumentError, nearest } from '../errors.ts';
import { isReadable, lengthOf, tagOf } from '../memory.ts';
import { describe, hasFields, invalid, isArray, LIMIT, lengthIn, type Real } from './values.ts';

/** The options of a call, its one last object. An unknown option is refused: it is most likely misspelt. */
export function options<const K extends string>(
  where: string,
  given: unknown,
  known: readonly K[],
): { [P in K]?: unknown } {
  if (given === undefined) return {};
  if (!hasFields(given)) throw invalid(where, 'options', 'an object', given);
  for (const name of Object.keys(given))
    if (!known.includes(name as K))
      throw argumentError('INVALID_ARGUMENT', where, name, {
        expected: known.length > 0 ? `one of the options ${known.join(', ')}` : 'no options',
        received: name,
        reason: `is no option here${guess(name, known)} (${known.join(', ') || 'there are none'})`,
      });
  const read: { [P in K]?: unknown } = {}; // each is read once: a getter may give something else the next time
  for (const name of known) {
    const value = (given as { [P in K]?: unknown })[name];
    if (value !== undefined) read[name] = value;
  }
  return read;
}
const guess = (name: string, known: readonly string[]): string => {
  const close = nearest(name, known);
  return close === undefined ? '' : `; did you mean ${close}?`;
};
export function count(where: string, argument: string, value: unknown, least = 1, most = LIMIT - 1): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw invalid(where, argument, `a whole number from ${least} to ${most}`, value);
  return value;
}
/** A finite number >= 0. */
export function amount(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value < Number.POSITIVE_INFINITY))
    throw invalid(where, argument, 'a finite number >= 0', value);
  return value;
}
/** A finite number > 0. */
export function positive(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < Number.POSITIVE_INFINITY))
    throw invalid(where, argument, 'a finite number > 0', value);
  return value;
}
/** A number from 0 up to, but not including, 1. */
export function belowOne(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value >= 0 && value < 1))
    throw invalid(where, argument, 'a number >= 0 and < 1', value);
  return value;
}
/** A number strictly between 0 and 1. */
export function betweenZeroAndOne(where: string, argument: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0 && value < 1))
    throw invalid(where, argument, 'a number between 0 and 1', value);
  return value;
}
export function flag(where: string, argument: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid(where, argument, 'true or false', value);
  return value;
}
export function text(where: string, argument: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(where, argument, 'a string', value);
  return value;
}
export function signal(where: string, value: unknown): { signal?: AbortSignal } {
  if (value === undefined) return {};
  if (!isSignal(value)) throw invalid(where, 'signal', 'an AbortSignal', value);
  return { signal: value };
}
/** Whether a value is an AbortSignal. An object that merely has its prototype throws when read. */
function isSignal(value: unknown): value is AbortSignal {
  try {
    return value instanceof AbortSignal && typeof value.aborted === 'boolean';
  } catch {
    return false;
  }
}
export function callback(where: string, argument: string, value: unknown): object {
  if (value === undefined) return {};
  if (typeof value !== 'function') throw invalid(where, argument, 'a function', value);
  return { [argument]: value };
}
/** The fallback if the value is undefined; null is a value, and refused later. */
export const or = (value: unknown, fallback: unknown): unknown => (value === undefined ? fallback : value);
/** Between `least` and `most` distinct coordinates of d. */
export function subset(where: string, value: unknown, d: number, least: number, most = d): number[] {
  const length = isArray(value) ? lengthIn(where, 'dims', value) : tagOf(value) ? lengthOf(value as Real) : -1;
  const fits = length >= least && length <= most && (isArray(value) || isReadable(value as Real));
  const dims = Array.from({ length: fits ? length : 0 }, (_, i) => (value as ArrayLike<unknown>)[i]);
  const wrong = (j: unknown): boolean => typeof j !== 'number' || !Number.isInteger(j) || j < 0 || j >= d;
  if (!fits || dims.some(wrong) || new Set(dims).size < dims.length)
    throw argumentError('INVALID_ARGUMENT', where, 'dims', {
      expected: `${least} to ${most} distinct coordinates from 0 to ${d - 1}`,
      received: fits ? `${dims.map(describe)}` : length < 0 ? describe(value) : `${length} entries`,
      reason: `must be ${least} to ${most} distinct coordinates from 0 to ${d - 1}`,
    });
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
  if (!words.includes(value as W)) {
    const expected = `one of ${words.join(', ')}`;
    const close = typeof value === 'string' ? nearest(value, words) : undefined;
    if (close === undefined) throw invalid(where, argument, expected, value);
    const received = describe(value);
    const reason = `must be ${expected}, not ${received}; did you mean '${close}'?`;
    throw argumentError('INVALID_ARGUMENT', where, argument, { expected, received, reason });
  }
  return value as W;
}
export function backend(where: string, value: unknown, fallback: () => Backend): Backend {
  if (value === undefined) return fallback();
  if (!isBackend(value))
    throw argumentError('INVALID_ARGUMENT', where, 'backend', {
      expected: 'a backend of openBackend()',
      received: describe(value),
      reason: `must come from openBackend(), not ${describe(value)}`,
    });
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
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: `${d} distinct names`,
      received: fits ? `${names.map(describe)}` : describe(value),
      reason: `must be ${d} distinct names`,
    });
  return Object.freeze(names as string[]);
}
/** The entries of a short array, each read once. Copying 2^28 holes would end the process. */
export function list(where: string, argument: string, value: unknown, most = 1000): unknown[] {
  if (!isArray(value)) throw invalid(where, argument, 'an array', value);
  const length = lengthIn(where, argument, value);
  if (length > most)
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: `at most ${most} entries`,
      received: `${length} entries`,
      reason: `has ${length} entries, more than ${most}`,
    });
  return Array.from({ length }, (_, i) => value[i]);
}
/** The fields of a parameter object. An unknown field is refused: it is most likely misspelt. */
export function fields(
  where: string,
  argument: string,
  value: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (!hasFields(value)) throw invalid(where, argument, 'an object', value);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: `the fields ${known.join(', ')}`,
      received: unknown,
      reason: `has an unknown field ${unknown} (${known.join(', ')})`,
    });
  return value as Readonly<Record<string, unknown>>;
}
