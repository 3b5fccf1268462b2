/** Recurrent classifiers in every command: the columns they read, their pass over blocks, their architecture in words. */
import type { RecurrentClassifier } from '../index.ts';
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
  /** The units after the last row so far; undefined if they have overflowed. */
  private last: Float64Array | undefined;
  constructor(private readonly model: RecurrentClassifier) {
    this.last = new Float64Array(model.hidden);
  }
  /** The outputs after each of the next rows x [n, inputs], NaN where they overflow; the rows `starts` begin a sequence. */
  next(x: Float64Array, n: number, starts: readonly number[]): Outputs {
    const { model, last } = this;
    const { hidden: H, outputs: o } = model;
    const goesOn = n > 0 && starts[0] !== 0;
    const skipped = goesOn && !last ? (starts[0] ?? n) : 0;
    if (n === skipped) return lostRows(n * o);
    const bounds = [...(goesOn && skipped === 0 ? [0] : []), ...starts, n];
    const lengths = Int32Array.from(bounds.slice(1), (end, s) => end - bounds[s]!);
    const h0 = new Float64Array(lengths.length * H);
    if (goesOn && last) h0.set(last);
    const options = { h0, lossAt: 'all', unscorable: 'mark' } as const;
    const values = x.subarray(skipped * model.inputs);
    const { logits, probabilities, hidden } = model.forward({ values, lengths }, options);
    const units = hidden.slice(-H) as Float64Array;
    this.last = logits.at(-1) === Number.NEGATIVE_INFINITY && units.every((v) => v === 0) ? undefined : units;
    const outputs = lostRows(n * o);
    for (const [at, logit] of logits.entries()) {
      if (logit === Number.NEGATIVE_INFINITY) continue;
      outputs.logits[skipped * o + at] = logit;
      outputs.probabilities[skipped * o + at] = probabilities[at]!;
    }
    return outputs;
  }
}
const lostRows = (values: number): Outputs => ({
  logits: new Float64Array(values).fill(Number.NaN),
  probabilities: new Float64Array(values).fill(Number.NaN),
});
/** The words for rows whose outputs overflow. */
export const overflowText = (isOne: boolean): string =>
  `${isOne ? 'is' : 'are'} so far from the data of the fit that the outputs overflow`;
/** The width of a row that bounds the rows of a block: the values a pass computes per row, or more, so that a block
 * takes some 1e8 multiplications at most and a signal need not wait long. */
export const widthOf = (model: RecurrentClassifier): number =>
  Math.max(model.outputs + 8 * model.hidden, Math.ceil(model.parameterCount / 200));

/** The architecture in one line. */
export const architectureText = ({ hidden, outputs, lossAt, parameterCount }: RecurrentClassifier): string =>
  `${hidden} relu units, ${outputs} output${outputs === 1 ? '' : 's'} ${
    lossAt === 'final' ? 'after the last row of a sequence' : 'at every row'
  }: ${parameterCount.toLocaleString('en')} parameters`;
