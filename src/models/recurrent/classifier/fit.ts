/** Fits a recurrent classifier: measures units, chooses a starting point, and gives training/ its task. */
import { defaultBackend } from '../../../backends/default.ts';
import type { Backend } from '../../../bind.ts';
import type { Real, Sequences, Vector } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { allocate } from '../../../memory.ts';
import { Random } from '../../../random.ts';
import type { TrainingIdentity } from '../../../training/checkpoint.ts';
import { type Task, train } from '../../../training/loop.ts';
import { Pace } from '../../../training/pace.ts';
import type { TrainingReport } from '../../../training/report.ts';
import { readTraining, type TrainingOptions, trainingOptions } from '../../../training/settings.ts';
import { crossEntropy, toLossError } from '../../classifier/entropy.ts';
import { readStart } from '../../classifier/start.ts';
import { readClassWeights, warnOfOneClass } from '../../classifier/targets.ts';
import { measureUnits, standardise } from '../../standardization.ts';
import { Weights } from '../../weights.ts';
import { type Pass, runAsync } from '../../work.ts';
import { Workspace } from '../../workspace.ts';
import type { StackArchitecture } from '../stack/architecture.ts';
import { backward, forward, type StackWeights } from '../stack/pass.ts';
import { type Examples, readExamples, rowsOf } from './examples.ts';
import {
  type LossAt,
  lossAts,
  matricesOf,
  parameterNames,
  type RecurrentParameters,
  readRecurrent,
  stackOf,
} from './parameters.ts';

/** Options of `RecurrentClassifier.fit`: of the training run, and of the classifier to make. */
export interface RecurrentFitOptions extends TrainingOptions {
  /** Inputs of a step. */
  readonly inputs: number;
  /** Hidden units. */
  readonly hidden: number;
  /** Outputs, each with a probability of its own. */
  readonly outputs: number;
  /** Targets after the last step of each sequence, or at all of its steps; default 'final'. */
  readonly lossAt?: LossAt;
  /** The weight of each output's cross-entropy [outputs] >= 0; default 1. */
  readonly classWeights?: Vector;
  /** The weight of each sequence [sequences] >= 0, in training and where it is held out: 2 is worth two such sequences;
   * default 1. */
  readonly sampleWeights?: Vector;
  /** Names of the inputs, kept with the model. */
  readonly columns?: readonly string[];
  /** Names of the outputs, kept with the model. */
  readonly labels?: readonly string[];
  /** Name of the column that tells the sequences of a table apart, kept with the model. */
  readonly sequenceColumn?: string;
  /** Where learning starts: a classifier, or the parameters of one; default: drawn with the seed. */
  readonly init?: RecurrentParameters | { readonly parameters: RecurrentParameters };
  /** Default: defaultBackend(). */
  readonly backend?: Backend;
  /** Steps whose gradients are summed together before sums are added; default 8192. */
  readonly shardSize?: number;
}
const fitOptions = [
  ...trainingOptions,
  'inputs',
  'hidden',
  'outputs',
  'lossAt',
  'classWeights',
  'sampleWeights',
  'columns',
  'labels',
  'sequenceColumn',
  'init',
  'backend',
  'shardSize',
] as const;

export interface FittedRecurrent {
  readonly parameters: RecurrentParameters;
  readonly report: TrainingReport;
  readonly names: {
    readonly columns?: readonly string[];
    readonly labels?: readonly string[];
    readonly sequenceColumn?: string;
  };
  readonly backend: Backend;
}

export async function fitRecurrent(
  where: string,
  x: Sequences,
  y: Sequences,
  options: RecurrentFitOptions,
): Promise<FittedRecurrent> {
  const given = check.options(where, options, fitOptions);
  const backend = check.backend(where, given.backend, defaultBackend);
  const settings = readTraining(where, given);
  const stack = stackOf(where, {
    inputs: check.count(where, 'inputs', given.inputs),
    hidden: check.count(where, 'hidden', given.hidden),
    outputs: check.count(where, 'outputs', given.outputs),
  });
  const lossAt = check.choice(where, 'lossAt', check.or(given.lossAt, 'final'), lossAts);
  const classes = readClassWeights(where, given.classWeights, stack.outputs);
  const columns = check.names(where, 'columns', given.columns, stack.inputs);
  const labels = check.names(where, 'labels', given.labels, stack.outputs);
  const sequenceColumn =
    given.sequenceColumn === undefined
      ? {}
      : { sequenceColumn: check.text(where, 'sequenceColumn', given.sequenceColumn) };
  const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
  const start = initialParameters(where, stack, given.init, settings.seed);
  const read = readExamples(where, x, y, stack, lossAt);
  const weights = check.weights(where, given.sampleWeights, read.lengths.length);
  // a copy: a fit outlives the call, and standardises the values
  const examples = { ...read, values: allocate(where, read.values.length, () => read.values.slice()) };
  if (examples.y.length === 0)
    throw argumentError('EMPTY_INPUT', where, 'x', {
      expected: lossAt === 'final' ? 'at least one sequence' : 'at least one step',
      received: 'none',
      reason: lossAt === 'final' ? 'has no sequence' : 'has no step',
    });
  const each = stepWeights(where, weights, examples.lengths);
  const { units, constant } = measureUnits(where, 'x', examples.values, stack.inputs, stack.inputs, each);
  for (const j of constant) units.mean[j] = 0; // a constant column stands for a bias
  standardise(where, 'x', examples.values, units);
  const task = new RecurrentTask(
    where,
    backend,
    stack,
    examples,
    { weights, classes },
    start,
    shardSize,
    settings.signal,
  );
  try {
    const { parameters, report } = await train(task, settings);
    report.warnings.push(...warnOfOneClass(examples.y, stack.outputs, labels));
    return {
      parameters: { ...matricesOf(stack, parameters), lossAt, standardization: units },
      report,
      names: { ...(columns && { columns }), ...(labels && { labels }), ...sequenceColumn },
      backend,
    };
  } finally {
    task.dispose();
  }
}
/** The weight of each step: that of its sequence. */
function stepWeights(where: string, weights: Float64Array, lengths: Int32Array): Float64Array {
  const each = check.room(
    where,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  let at = 0;
  for (const [s, length] of lengths.entries()) each.fill(weights[s]!, at, (at += length));
  return each;
}
function initialParameters(where: string, stack: StackArchitecture, init: unknown, seed: number): Float64Array {
  if (init === undefined) return stack.initialise(where, new Random(seed));
  const read = (given: unknown) => {
    const { stack: own, flat } = readRecurrent(where, given, 'init');
    return { ...sizesOf(own), flat };
  };
  return readStart(where, init, parameterNames, read, sizesOf(stack)).flat;
}
const sizesOf = ({ inputs, hidden, outputs }: StackArchitecture) => ({ inputs, hidden: hidden[0]!, outputs });

class RecurrentTask implements Task {
  readonly lengths: Int32Array;
  readonly terms: Float64Array;
  readonly identity: TrainingIdentity;
  private readonly weights: StackWeights;
  private readonly starts: { readonly steps: Float64Array; readonly rows: Float64Array };
  private readonly classes: Real;
  private readonly room: Workspace;
  private readonly pace: Pace;
  private readonly how: { readonly shardSize?: number };
  constructor(
    private readonly where: string,
    private readonly backend: Backend,
    private readonly stack: StackArchitecture,
    /** In units of the model. */
    private readonly examples: Examples,
    private readonly weighting: { readonly weights: Float64Array; readonly classes: Float64Array },
    readonly parameters: Float64Array,
    shardSize: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    const { lengths, lossAt, values } = examples;
    const dtype = check.dtypeOf(values);
    this.lengths = lengths;
    this.terms = Float64Array.from(lengths, (length, s) => weighting.weights[s]! * rowsOf(lossAt, length));
    this.starts = { steps: startsOf(lengths), rows: startsOf(lengths.map((length) => rowsOf(lossAt, length))) };
    this.classes = check.room(where, stack.outputs, dtype);
    this.classes.set(weighting.classes);
    this.room = new Workspace(where, dtype, true);
    this.pace = new Pace(signal, where);
    this.weights = new Weights(backend, stack, parameters, dtype);
    const { inputs, hidden, outputs } = stack;
    const facts = { inputs, hidden, outputs, lossAt, dtype, shardSize, classWeights: weighting.classes };
    this.identity = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)]));
    this.how = shardSize === undefined ? {} : { shardSize };
  }
  async loss(parameters: Float64Array, chosen: Int32Array): Promise<number> {
    return total((await this.run(chosen, this.evaluate(parameters, chosen))).entropies.loss);
  }
  async lossGradient(parameters: Float64Array, chosen: Int32Array, gradient: Float64Array): Promise<number> {
    const { context, batch, layers, entropies } = await this.run(chosen, this.evaluate(parameters, chosen));
    const how = { ...this.how, at: this.examples.lossAt };
    const named = this.stack.splitByName(gradient);
    await this.run(chosen, backward(context, batch, layers, entropies.dLogits, named, how));
    return total(entropies.loss);
  }
  dispose(): void {
    this.weights.dispose();
  }

  private async run<R>(chosen: Int32Array, pass: Pass<R>): Promise<R> {
    try {
      return await runAsync(pass, this.pace, this.signal);
    } catch (error) {
      throw toLossError(this.where, error, (row) => this.rowOf(chosen, row));
    }
  }
  private *evaluate(parameters: Float64Array, chosen: Int32Array) {
    const { weights, room, stack, backend, examples, starts, classes, weighting } = this;
    const { lossAt, values, y } = examples;
    weights.write(parameters);
    room.restart();
    const { inputs: i, outputs: o, hidden } = stack;
    const lengths = Int32Array.from(chosen, (s) => examples.lengths[s]!);
    const steps = lengths.reduce((sum, length) => sum + length, 0);
    const counts = lengths.map((length) => rowsOf(lossAt, length));
    const rows = counts.reduce((sum, count) => sum + count, 0);
    const inputs = room.array(steps * i);
    const targets = room.array(rows * o);
    const each = room.array(rows);
    let [step, row] = [0, 0];
    for (const [at, s] of chosen.entries()) {
      const [from, first] = [starts.steps[s]!, starts.rows[s]!];
      inputs.set(values.subarray(from * i, (from + lengths[at]!) * i), step * i);
      targets.set(y.subarray(first * o, (first + counts[at]!) * o), row * o);
      each.fill(weighting.weights[s]!, row, row + counts[at]!);
      step += lengths[at]!;
      row += counts[at]!;
    }
    const context = { backend, weights, room };
    const batch = { lengths, inputs, steps };
    const states = [room.zeros(chosen.length * hidden[0]!)];
    const { layers, outputs: logits } = yield* forward(context, batch, states, lossAt);
    const loss = { rows: each, classes, temperature: 1 };
    const entropies = yield* crossEntropy(backend, room, o, logits, targets, loss);
    return { context, batch, layers, entropies };
  }
  /** The row of targets, counted over all sequences, in a row of a batch. */
  private rowOf(chosen: Int32Array, row: number): number {
    let rest = row;
    for (const s of chosen) {
      const rows = rowsOf(this.examples.lossAt, this.lengths[s]!);
      if (rest < rows) return this.starts.rows[s]! + rest;
      rest -= rows;
    }
    return row;
  }
}
function startsOf(lengths: Int32Array): Float64Array {
  let at = 0;
  return Float64Array.from(lengths, (length) => (at += length) - length);
}
/** Adds in order, in f64. */
export function total(values: Real): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
