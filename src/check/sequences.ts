/** Ragged sequences: what callers pass as one, several or ragged becomes one array of rows and the lengths. */
import { argumentError } from '../errors.ts';
import { allocate, lengthOf, tagOf } from '../memory.ts';
import { finiteRows, type Gaps, gaps, points } from './data.ts';
import { fields } from './options.ts';
import { countIn, describe, isArray, lengthIn, type Points, type Real, room } from './values.ts';

/**
 * One sequence, several, or ragged. An array of number arrays is ONE sequence; an array of typed arrays, or of arrays
 * of arrays, is several.
 */
export type Sequences = Points | readonly Points[] | { readonly values: Real; readonly lengths: ArrayLike<number> };

export interface Ragged {
  /** The rows of all sequences, one after the other [Σ lengths, d]. */
  readonly values: Real;
  readonly lengths: Int32Array;
  /** Whether they were given as several sequences; one could be the only one of several. */
  readonly several: boolean;
}
/** Sequences with gaps, and what was observed of them, one byte a value; undefined: everything. */
export interface RaggedWithGaps extends Ragged {
  readonly seen: Uint8Array | undefined;
}

/** Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row: counted over all sequences; column). */
export function sequences(where: string, argument: string, value: unknown, d: number): Ragged {
  const ragged = read(where, argument, value, d);
  finiteRows(where, argument, { values: ragged.values, n: ragged.values.length / d }, d);
  return ragged;
}
/** The same with gaps, whose options were checked before. Throws as `sequences` does; DIMENSION_MISMATCH (mask). */
export function sequencesWithGaps(
  where: string,
  argument: string,
  value: unknown,
  d: number,
  missing: Gaps,
): RaggedWithGaps {
  const ragged = read(where, argument, value, d);
  const rows = { values: ragged.values, n: ragged.values.length / d };
  const seen = gaps(where, argument, rows, missing);
  if (!seen) finiteRows(where, argument, rows, d);
  return { ...ragged, seen: seen?.includes(0) ? seen : undefined };
}
/** The number of columns of sequences whose rows are nested; undefined for flat numbers, which do not tell. */
export function columnsOf(where: string, argument: string, value: unknown): number | undefined {
  if (!isArray(value)) return undefined;
  const length = lengthIn(where, argument, value);
  for (let i = 0; i < length; i++) {
    const entry: unknown = value[i];
    if (!isArray(entry)) return undefined;
    if (entry.length === 0) continue;
    const first: unknown = entry[0];
    if (isArray(first)) return lengthIn(where, argument, first) || undefined;
    if (tagOf(first) !== undefined) return lengthOf(first as Real);
    return lengthIn(where, argument, entry);
  }
  return undefined;
}

function read(where: string, argument: string, value: unknown, d: number): Ragged {
  if (tagOf(value) === undefined && typeof value === 'object' && value !== null) {
    if (!isArray(value)) return fromLengths(where, argument, value, d);
    if (isSeveral(where, argument, value)) return joinSequences(where, argument, value, d);
  }
  const { values, n } = points(where, argument, value, d);
  return { values, lengths: Int32Array.of(n), several: false };
}
/** Whether a list holds several sequences. The first entry that is not empty decides: a number or an array of numbers
 * is part of one. */
function isSeveral(where: string, argument: string, list: unknown[]): boolean {
  const length = lengthIn(where, argument, list);
  for (let i = 0; i < length; i++) {
    const entry = list[i];
    if (tagOf(entry) !== undefined) return true;
    if (!isArray(entry)) return false;
    const first: unknown = entry[0];
    if (first !== undefined) return isArray(first) || tagOf(first) !== undefined;
  }
  return true; // nothing but empty sequences
}

/** Sequences joined one by one: the list may be as long as the heap has room for. */
function joinSequences(where: string, argument: string, list: unknown[], d: number): Ragged {
  const count = lengthIn(where, argument, list);
  const lengths = allocate(where, count, () => new Int32Array(count));
  const joined = new Joined(where);
  for (let s = 0; s < count; s++) {
    const { values, n } = points(where, `${argument}[${s}]`, list[s], d);
    joined.add(values, s === 0);
    lengths[s] = n;
  }
  return { values: joined.take(), lengths, several: true };
}
/** Values one after the other, f32 if all of them are. */
class Joined {
  private values: Real = new Float64Array(0);
  private length = 0;
  constructor(private readonly where: string) {}
  add(part: Real, first: boolean): void {
    const single = part instanceof Float32Array && (first || this.values instanceof Float32Array);
    const length = this.length + part.length;
    const kept = this.values instanceof Float32Array === single && length <= this.values.length;
    if (!kept) {
      const more = room(this.where, Math.max(length, 2 * this.length), single ? 'f32' : 'f64');
      more.set(this.values.subarray(0, this.length));
      this.values = more;
    }
    this.values.set(part, this.length);
    this.length = length;
  }
  take(): Real {
    return this.values.length === this.length ? this.values : this.values.subarray(0, this.length);
  }
}

function fromLengths(where: string, argument: string, value: object, d: number): Ragged {
  const { values: all, lengths: given } = fields(where, argument, value, ['values', 'lengths']);
  const { values, n } = points(where, `${argument}.values`, all, d);
  const name = `${argument}.lengths`;
  const size = countIn(where, name, given);
  const lengths = allocate(where, size, () => new Int32Array(size));
  let total = 0;
  for (let s = 0; s < size; s++) {
    const length = (given as ArrayLike<unknown>)[s];
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > n)
      throw argumentError('INVALID_ARGUMENT', where, name, {
        expected: `a length from 0 to ${n}`,
        received: describe(length),
        reason: `has ${describe(length)} at [${s}], not a length from 0 to ${n}`,
      });
    lengths[s] = length;
    total += length;
  }
  if (total !== n)
    throw argumentError('DIMENSION_MISMATCH', where, name, {
      expected: `${n}`,
      received: `${total}`,
      reason: `add up to ${total}, not ${n}`,
    });
  return { values, lengths, several: true };
}
