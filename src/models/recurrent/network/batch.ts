/** Sequences as a network sees them: each step foretells the next observation, in standard units. */
import type { Ragged, Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { callError } from '../../../errors.ts';
import type { Batch } from '../stack/pass.ts';

/** What was subtracted and divided by before learning; binary coordinates stay as they are (mean 0, deviation 1). */
export interface Standardization {
  readonly mean: Float64Array;
  readonly standardDeviation: Float64Array;
}

/** Steps of one pass through the network, at least one sequence, and one of no step counts as one: what bounds the memory
 * of a long score. */
const STEPS = 8192;

/** Terms a sequence of `length` observations has. */
export const termsOf = (length: number): number => Math.max(length - 1, 0);

/** A batch and where it begins: its first sequence and term. */
export interface Part extends Batch {
  readonly sequence: number;
  readonly term: number;
}

/** All sequences that have terms, in passes of whole ones, in order; the same for any number of threads. */
export function* partsOf(where: string, ragged: Ragged, d: number, units?: Standardization): Generator<Part> {
  const { lengths } = ragged;
  const starts = startsOf(lengths, d);
  let term = 0;
  for (let s = 0; s < lengths.length; ) {
    const chosen = [s];
    let steps = termsOf(lengths[s]!);
    let size = Math.max(steps, 1);
    for (s++; s < lengths.length && size + termsOf(lengths[s]!) <= STEPS; s++) {
      chosen.push(s);
      steps += termsOf(lengths[s]!);
      size += Math.max(termsOf(lengths[s]!), 1);
    }
    if (steps > 0) yield { ...batchOf(where, ragged, starts, chosen, d, units), sequence: chosen[0]!, term };
    term += steps;
  }
}
/** Where each sequence begins among the values. */
export function startsOf(lengths: Int32Array, d: number): Float64Array {
  const starts = new Float64Array(lengths.length);
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    starts[s] = at;
    at += length * d;
  }
  return starts;
}

/** The sequences named by `chosen`, one after the other. */
export function batchOf(
  where: string,
  { values, lengths }: Ragged,
  starts: Float64Array,
  chosen: ArrayLike<number>,
  d: number,
  units?: Standardization,
): Batch {
  const terms = Int32Array.from(chosen, (s) => termsOf(lengths[s]!));
  const steps = terms.reduce((sum, t) => sum + t, 0);
  const array = (): Real => check.room(where, steps * d, values instanceof Float32Array);
  const inputs = array();
  const targets = array();
  let at = 0;
  for (const [i, count] of terms.entries()) {
    const from = starts[chosen[i]!]!;
    inputs.set(values.subarray(from, from + count * d), at);
    targets.set(values.subarray(from + d * Math.min(count, 1), from + (count + Math.min(count, 1)) * d), at);
    at += count * d;
  }
  if (units) {
    standardise(where, 'seqs', inputs, units);
    standardise(where, 'seqs', targets, units);
  }
  return { lengths: terms, inputs, targets, steps };
}
/** Throws NON_FINITE: a value that no number of its type stands for in these units. */
export function standardise(
  where: string,
  argument: string,
  values: Real,
  { mean, standardDeviation }: Standardization,
): void {
  const d = mean.length;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    values[i] = (value - mean[i % d]!) / standardDeviation[i % d]!;
    if (Number.isFinite(values[i])) continue;
    const place = { argument, column: i % d, value };
    throw callError(
      'NON_FINITE',
      where,
      `${argument} is ${value} in column ${i % d}, which overflows in units of the network`,
      place,
    );
  }
}
/** log |dx/dz| of one row. */
export function logScale({ standardDeviation }: Standardization): number {
  let sum = 0;
  for (const s of standardDeviation) sum += Math.log(s);
  return sum;
}
