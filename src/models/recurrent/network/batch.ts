/** Batches of sequences, in units of the network: each step predicts the next observation. */
import type { Ragged, Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { dtypeOf } from '../../../check.ts';
import { type Standardization, standardise } from '../../standardization.ts';
import type { Batch } from '../stack/pass.ts';

/** Most steps of one pass, which bounds the memory of a long score: a pass takes at least one sequence, and an empty
 * sequence counts as one step. */
const STEPS = 8192;

/** Terms a sequence of `length` observations has. */
export const termsOf = (length: number): number => Math.max(length - 1, 0);

/** Step t of a sequence sees `inputs[t]` and predicts `targets[t]`. */
export interface TermBatch extends Batch {
  readonly targets: Real;
}
/** A batch and where it begins: its first sequence and term. */
export interface Part extends TermBatch {
  readonly sequence: number;
  readonly term: number;
}

/** Cuts sequences into passes of whole ones, in order, without empty passes; the same for any number of threads. `far`:
 * values may overflow in units of the network. */
export function* partsOf(
  where: string,
  ragged: Ragged,
  d: number,
  units?: Standardization,
  far = false,
): Generator<Part> {
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
    if (steps > 0) yield { ...batchOf(where, ragged, starts, chosen, d, units, far), sequence: chosen[0]!, term };
    term += steps;
  }
}
/** The first sequences, or their heads of no more than `longest` terms, in f64 and with no more than `most` terms in all. */
export function firstOf(where: string, { values, lengths }: Ragged, d: number, most: number, longest: number): Ragged {
  const heads: number[] = [];
  let steps = 0;
  for (const length of lengths) {
    const head = Math.min(length, longest + 1, most + 1);
    if (steps + termsOf(head) > most) break;
    heads.push(head);
    steps += termsOf(head);
  }
  const to = check.room(where, heads.reduce((sum, head) => sum + head, 0) * d);
  const starts = startsOf(lengths, d);
  let at = 0;
  for (const [s, head] of heads.entries()) {
    to.set(values.subarray(starts[s]!, starts[s]! + head * d), at);
    at += head * d;
  }
  return { values: to, lengths: Int32Array.from(heads), several: true };
}
/** The place of each sequence's first value. */
export function startsOf(lengths: Int32Array, d: number): Float64Array {
  const starts = new Float64Array(lengths.length);
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    starts[s] = at;
    at += length * d;
  }
  return starts;
}

/** Gathers the sequences named by `chosen`, one after the other. */
export function batchOf(
  where: string,
  { values, lengths }: Ragged,
  starts: Float64Array,
  chosen: ArrayLike<number>,
  d: number,
  units?: Standardization,
  far = false,
): TermBatch {
  const terms = Int32Array.from(chosen, (s) => termsOf(lengths[s]!));
  const steps = terms.reduce((sum, t) => sum + t, 0);
  const array = (): Real => check.room(where, steps * d, dtypeOf(values));
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
    standardise(where, 'seqs', inputs, units, far);
    standardise(where, 'seqs', targets, units, far);
  }
  return { lengths: terms, inputs, targets, steps };
}
/** log |dx/dz| of one row: the difference between log densities in units of the network and of the data. */
export function logScale({ standardDeviation }: Standardization): number {
  let sum = 0;
  for (const s of standardDeviation) sum += Math.log(s);
  return sum;
}
