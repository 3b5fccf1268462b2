/** Ragged sequences: what callers pass as one, several or ragged becomes one array of rows and the lengths. */
import type { Points, Real } from './check.ts';
import * as check from './check.ts';
import { SeqlikError } from './errors.ts';
import { fixedBuffer, lengthOf, tagOf } from './memory.ts';

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
  if (!check.isArray(value)) return fromLengths(where, argument, value, d);
  const entries = check.list(where, argument, value);
  return isSeveral(entries) ? joined(entries.map((points, i) => one(points, `${argument}[${i}]`))) : one(entries);
}
/** By the first entry that tells: a number or an array of numbers is part of one sequence. */
function isSeveral(list: readonly unknown[]): boolean {
  for (const entry of list) {
    if (tagOf(entry) !== undefined) return true;
    if (!check.isArray(entry)) return false;
    const first: unknown = entry[0];
    if (first !== undefined) return check.isArray(first) || tagOf(first) !== undefined;
  }
  return true; // nothing but empty sequences
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
  const counts = countsIn(where, `${argument}.lengths`, given);
  const lengths = new Int32Array(counts.length);
  let total = 0;
  for (const [s, length] of counts.entries()) {
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
/** Of an array or of a typed array of integers. */
function countsIn(where: string, argument: string, given: unknown): readonly unknown[] {
  const tag = tagOf(given);
  if (tag === undefined) return check.list(where, argument, given);
  if (!/^(Int|Uint)(8|16|32)Array$/.test(tag) || !fixedBuffer(given as Int32Array))
    throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${argument} must be an array of whole numbers, not a ${tag}`, {
      argument,
    });
  const array = given as Int32Array;
  return Array.from({ length: lengthOf(array) }, (_, i) => array[i]);
}
