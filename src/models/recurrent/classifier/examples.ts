/** Sequences with their targets, and the batches made of them. */
import { abreast } from '../../../bind.ts';
import type { Ragged, Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { checkTargets } from '../../classifier/targets.ts';
import { type Standardization, standardise } from '../../standardization.ts';
import type { StackArchitecture } from '../stack/architecture.ts';
import type { Batch } from '../stack/pass.ts';
import type { LossAt } from './parameters.ts';

/** Most steps of one pass, which bounds its memory: a pass takes at least one sequence, and an empty one counts as one
 * step. */
const STEPS = 8192;
/** Hidden values of a pass that stay in the cache from kernel to kernel, if they are of TOGETHER sequences or more, which
 * share the weights. (24-200-3, 128 sequences of 24 steps in f64, avx512: 4000 -> 3500 ns a step.) */
const VALUES = 2 ** 17;
const TOGETHER = 16;
/** Most steps of a pass through so many units. */
const stepsOf = (units: number, lengths: Int32Array): number =>
  Math.min(STEPS, Math.max(VALUES / units, TOGETHER * lengths.reduce((most, length) => Math.max(most, length), 0)));

export interface Examples extends Ragged {
  /** Targets: a row for each sequence, or for each of its steps [rows, outputs], in the dtype of the values. */
  readonly y: Real;
  readonly lossAt: LossAt;
}
/** Rows of outputs that a sequence of this length has. */
export const rowsOf = (lossAt: LossAt, length: number): number => (lossAt === 'final' ? 1 : length);

/** Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (argument x or y; row, column). */
export function readExamples(
  where: string,
  x: unknown,
  y: unknown,
  stack: StackArchitecture,
  lossAt: LossAt,
): Examples {
  const ragged = check.sequences(where, 'x', x, stack.inputs);
  const read = readTargets(where, y, ragged.lengths, stack.outputs, lossAt);
  checkTargets(where, 'y', read, stack.outputs);
  const dtype = check.dtypeOf(ragged.values);
  const targets = check.room(where, read.length, dtype);
  targets.set(read);
  return { ...ragged, y: targets, lossAt };
}
function readTargets(where: string, y: unknown, lengths: Int32Array, outputs: number, lossAt: LossAt): Real {
  if (lossAt === 'final') {
    const { values, n } = check.points(where, 'y', y, outputs);
    if (n !== lengths.length) throw wrongRows(where, n, `${lengths.length}, one for each sequence`);
    return values;
  }
  const steps = lengths.reduce((sum, length) => sum + length, 0);
  const { values, lengths: own } = check.sequences(where, 'y', y, outputs);
  const n = values.length / outputs;
  if (n !== steps) throw wrongRows(where, n, `${steps}, one for each step`);
  const at = own.length === lengths.length ? own.findIndex((length, s) => length !== lengths[s]) : -1;
  if (at >= 0)
    throw argumentError('DIMENSION_MISMATCH', where, 'y', {
      expected: `${lengths[at]} rows for sequence ${at}`,
      received: `${own[at]} rows`,
      reason: `has ${own[at]} rows for sequence ${at}, which has ${lengths[at]} steps`,
    });
  return values;
}
const wrongRows = (where: string, n: number, expected: string) =>
  argumentError('DIMENSION_MISMATCH', where, 'y', {
    expected: `${expected}`,
    received: `${n} rows`,
    reason: `has ${n} rows, not ${expected}`,
  });

/** Whole sequences, ready for a pass, and the places of the first one's first step and first row of outputs. */
export interface Part extends Batch {
  readonly sequence: number;
  readonly step: number;
  readonly row: number;
  /** Rows of outputs. */
  readonly rows: number;
}
/** Cuts sequences into passes, in order. The inputs of a pass are those of the data, or copies in units of the model, in
 * which those that are `far` may overflow. */
export function* partsOf(
  where: string,
  { values, lengths }: Ragged,
  { inputs, hidden: [H] }: StackArchitecture,
  lossAt: LossAt,
  units: Standardization | undefined,
  far = false,
): Generator<Part> {
  const most = stepsOf(H!, lengths);
  let [step, row] = [0, 0];
  for (let s = 0; s < lengths.length; ) {
    const sequence = s;
    let [steps, size] = [0, 0];
    for (; s < lengths.length && (s === sequence || size + lengths[s]! <= most); s++) {
      steps += lengths[s]!;
      size += Math.max(lengths[s]!, 1);
    }
    if (s < lengths.length) for (let more = abreast(s - sequence); more > 0; more--) steps -= lengths[--s]!;
    let own = values.subarray(step * inputs, (step + steps) * inputs);
    if (units) {
      own = check.alike(own, own.length);
      own.set(values.subarray(step * inputs, (step + steps) * inputs));
      standardise(where, 'x', own, units, far);
    }
    const rows = lossAt === 'final' ? s - sequence : steps;
    yield { lengths: lengths.subarray(sequence, s), inputs: own, steps, sequence, step, row, rows };
    step += steps;
    row += rows;
  }
}
