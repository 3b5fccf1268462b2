/** Ragged sequences: what callers pass as one, several or ragged becomes one array of rows and the lengths. */
import type { Points, Real } from './check.ts';
import * as check from './check.ts';
import { SeqlikError } from './errors.ts';
import { lengthOf, tagOf } from './memory.ts';

/**
 * One sequence, several, or ragged. An array of number arrays is ONE sequence; an array of typed arrays, or of arrays of
 * arrays, is several.
 */
export type Sequences = Points | readonly Points[] | { readonly values: Real; readonly lengths: ArrayLike<number> };

export interface Ragged {
  /** The rows of all sequences, one after the other [Σ lengths, d]. */
  readonly values: Real;
  readonly lengths: Int32Array;
}

/** Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row: counted over all sequences; column). */
export function sequences(where: string, argument: string, value: unknown, d: number): Ragged {
  const ragged = read(where, argument, value, d);
  check.finiteRows(where, argument, { values: ragged.values, n: ragged.values.length / d }, d);
  return ragged;
}

function read(where: string, argument: string, value: unknown, d: number): Ragged {
  const one = (points: unknown, name = argument): Ragged => {
    const { values, n } = check.points(where, name, points, d);
    return { values, lengths: Int32Array.of(n) };
  };
  if (tagOf(value) !== undefined || typeof value !== 'object' || value === null) return one(value);
  if (!isList(value)) return fromLengths(where, argument, value, d);
  return isSeveral(value)
    ? joined(value.map((points, i) => one(points, `${argument}[${i}]`)))
    : one(value);
}
/** By the first entry that tells: a number or an array of numbers is part of one sequence. */
function isSeveral(list: readonly unknown[]): boolean {
  for (const entry of list) {
    if (tagOf(entry) !== undefined) return true;
    if (!isList(entry)) return false;
    if (entry.length > 0) return isList(entry[0]) || tagOf(entry[0]) !== undefined;
  }
  return true; // nothing but empty sequences
}
function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy
  }
}

function joined(parts: readonly Ragged[]): Ragged {
  const single = parts.length > 0 && parts.every(({ values }) => values instanceof Float32Array);
  const total = parts.reduce((sum, { values }) => sum + values.length, 0);
  const values = single ? new Float32Array(total) : new Float64Array(total);
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  return { values, lengths: Int32Array.from(parts, (part) => part.lengths[0]!) };
}

function fromLengths(where: string, argument: string, value: object, d: number): Ragged {
  const { values: all, lengths: given } = check.fields(where, argument, value, ['values', 'lengths']);
  const { values, n } = check.points(where, `${argument}.values`, all, d);
  const wrong = (what: string): SeqlikError =>
    new SeqlikError('INVALID_ARGUMENT', `${where}: ${argument}.lengths ${what}`, { argument: `${argument}.lengths` });
  if (!isList(given) && tagOf(given) === undefined) throw wrong(`must be an array, not ${check.described(given)}`);
  const count = isList(given) ? given.length : lengthOf(given as Int32Array);
  const lengths = new Int32Array(count);
  let total = 0;
  for (let s = 0; s < count; s++) {
    const length = (given as ArrayLike<unknown>)[s];
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > n)
      throw wrong(`has ${check.described(length)} at [${s}], not a length from 0 to ${n}`);
    lengths[s] = length;
    total += length;
  }
  if (total !== n)
    throw new SeqlikError('DIMENSION_MISMATCH', `${where}: ${argument}.lengths add up to ${total}, not ${n}`, {
      argument: `${argument}.lengths`,
    });
  return { values, lengths };
}
