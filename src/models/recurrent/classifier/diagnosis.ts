/** A recurrent classifier as `diagnose` takes it: its sequences and its loss. */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { crossEntropy, toLossError } from '../../classifier/entropy.ts';
import { type Standardization, standardise } from '../../standardization.ts';
import { Weights } from '../../weights.ts';
import { runNow } from '../../work.ts';
import { Workspace } from '../../workspace.ts';
import type { StackArchitecture } from '../stack/architecture.ts';
import type { Diagnosable, Task } from '../stack/diagnosable.ts';
import { type Batch, forward, type PassContext } from '../stack/pass.ts';
import { total } from './fit.ts';
import type { LossAt } from './parameters.ts';

export interface Diagnosed {
  readonly backend: Backend;
  readonly stack: StackArchitecture;
  readonly flat: Float64Array;
  readonly lossAt: LossAt;
  readonly temperature: number;
  readonly units: Standardization | undefined;
}
export function diagnosableOf(model: Diagnosed): Diagnosable {
  const { backend, stack, flat } = model;
  const context = (where: string, flat: Float64Array): PassContext => ({
    backend,
    weights: new Weights(backend, stack, flat, 'f64'),
    room: new Workspace(where, 'f64'),
  });
  return {
    architecture: stack,
    flat,
    context,
    read(where, seqs, most, longest = most) {
      const batch = readHeads(where, model, seqs, most, longest);
      return taskOf(where, model, batch, oppositeOf(context(where, flat), batch));
    },
  };
}

/** The first sequences, or their heads of `longest` steps, in units of the model. */
function readHeads(where: string, { stack, units }: Diagnosed, seqs: unknown, most: number, longest: number): Batch {
  const { inputs: d } = stack;
  const { values, lengths } = check.sequences(where, 'seqs', seqs, d);
  const heads: number[] = [];
  let steps = 0;
  for (const length of lengths) {
    const head = Math.min(length, longest, most);
    if (steps + head > most) break;
    heads.push(head);
    steps += head;
  }
  const inputs = check.room(where, steps * d);
  let [from, to] = [0, 0];
  for (const [s, head] of heads.entries()) {
    inputs.set(values.subarray(from, from + head * d), to);
    from += lengths[s]! * d;
    to += head * d;
  }
  if (units) standardise(where, 'seqs', inputs, units);
  return { lengths: Int32Array.from(heads), inputs, steps };
}
/** Targets, the opposite of what the model decides: where it is sure and right, the loss has no gradient to measure. */
function oppositeOf(context: PassContext, batch: Batch): Real {
  try {
    const states = context.weights.architecture.sizes.map(
      ({ carried }) => new Float64Array(batch.lengths.length * carried),
    );
    return runNow(forward(context, batch, states)).outputs.map((logit) => Number(logit <= 0));
  } finally {
    context.weights.dispose();
  }
}
/** The cross-entropy of the last step of each sequence, or of all. */
function taskOf(where: string, { stack, lossAt, temperature }: Diagnosed, batch: Batch, y: Real): Task {
  const { outputs: o } = stack;
  const classes = new Float64Array(o).fill(1);
  const rows = new Float64Array(batch.steps).fill(lossAt === 'all' ? 1 : 0);
  let end = 0;
  for (const length of batch.lengths) {
    end += length;
    if (length > 0) rows[end - 1] = 1;
  }
  return {
    batch,
    lossGradient({ backend, room }, outputs) {
      try {
        const { loss, dLogits } = runNow(crossEntropy(backend, room, o, outputs, y, { rows, classes, temperature }));
        return { loss: total(loss), dOutputs: dLogits };
      } catch (error) {
        throw toLossError(where, error);
      }
    },
  };
}
