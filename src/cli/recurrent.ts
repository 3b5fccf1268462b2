/** Recurrent classifiers in every command: the columns they read, their pass over blocks, their architecture in words. */
import { type RecurrentClassifier, SeqlikError } from '../index.ts';
import { rephrase } from '../table/errors.ts';
import { usageError } from './errors.ts';
import type { Inputs } from './inputs.ts';

/** The inputs of a classifier, as the other kinds have them. */
export const inputsOf = ({ inputs: dimension, columns }: RecurrentClassifier): Inputs => ({
  dimension,
  ...(columns && { columns }),
});
/** The names of the outputs: y1, y2, ... if they have none. */
export const labelsOf = ({ labels, outputs }: RecurrentClassifier): readonly string[] =>
  labels ?? Array.from({ length: outputs }, (_, j) => `y${j + 1}`);
/** Throws for a target that is an input, too. */
export function refuseShared(columns: readonly string[] | undefined, others: readonly (string | undefined)[]): void {
  const both = columns?.find((name) => others.includes(name));
  if (both !== undefined) throw usageError(`--columns: ${both} is no input, but a target or the sequence`);
}

/** Logits and probabilities of the rows of a block. */
export interface Outputs {
  readonly logits: Float64Array;
  readonly probabilities: Float64Array;
}
/** A pass of a classifier over sequences that come in blocks: the numbers of one batch to the bit, in the memory of a
 * block. */
export class ClassifierWalk {
  /** The units after the last row so far. */
  private last: Float64Array;
  constructor(private readonly model: RecurrentClassifier) {
    this.last = new Float64Array(model.hidden);
  }
  /** The outputs after each of the next rows x [n, inputs]; the rows `starts` begin a sequence. */
  next(x: Float64Array, n: number, starts: readonly number[]): Outputs {
    const { model } = this;
    const { hidden: H } = model;
    if (n === 0) return { logits: new Float64Array(), probabilities: new Float64Array() };
    const goesOn = starts[0] !== 0;
    const bounds = [...(goesOn ? [0] : []), ...starts, n];
    const lengths = Int32Array.from(bounds.slice(1), (end, s) => end - bounds[s]!);
    const h0 = new Float64Array(lengths.length * H);
    if (goesOn) h0.set(this.last);
    try {
      const { logits, probabilities, hidden } = model.forward({ values: x, lengths }, { h0, lossAt: 'all' });
      this.last = hidden.slice(-H) as Float64Array;
      return { logits: logits as Float64Array, probabilities: probabilities as Float64Array };
    } catch (error) {
      throw error instanceof SeqlikError && error.sentence !== undefined ? rephrase(error, error.sentence) : error;
    }
  }
}
/** The width of a row that bounds the rows of a block: the values a pass computes per row, or more, so that a block
 * takes some 1e8 multiplications at most and a signal need not wait long. */
export const widthOf = (model: RecurrentClassifier): number =>
  Math.max(model.outputs + 8 * model.hidden, Math.ceil(model.parameterCount / 200));

/** The architecture in one line. */
export const architectureText = ({ hidden, outputs, lossAt, parameterCount }: RecurrentClassifier): string =>
  `${hidden} relu units, ${outputs} output${outputs === 1 ? '' : 's'} ${
    lossAt === 'final' ? 'after the last row of a sequence' : 'at every row'
  }: ${parameterCount.toLocaleString('en')} parameters`;
