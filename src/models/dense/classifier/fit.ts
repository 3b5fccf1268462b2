/** Fits a two-layer net by mini-batches: chooses a starting point, and gives training/ its task. */
import { defaultBackend } from '../../../backends/default.ts';
import type { Backend } from '../../../bind.ts';
import type { Matrix, Points, Real, Vector } from '../../../check.ts';
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
import { Weights } from '../../weights.ts';
import { type Pass, runAsync } from '../../work.ts';
import { Workspace } from '../../workspace.ts';
import { gather } from './descend.ts';
import { type Examples, readExamples } from './examples.ts';
import { Layers, parameterNames, readTwoLayers, type TwoLayerParameters } from './layers.ts';
import { backward, forward, type PassContext } from './pass.ts';

/** Options of `TwoLayerClassifier.fit`: of the training run, and of the net to make. */
export interface TwoLayerFitOptions extends TrainingOptions {
  /** Inputs of a row. */
  readonly inputs: number;
  /** Hidden units. */
  readonly hidden: number;
  /** Outputs, each with a probability of its own. */
  readonly outputs: number;
  /** The weight of each output's cross-entropy [outputs] >= 0; default 1. */
  readonly classWeights?: Vector;
  /** The weight of each row [n] >= 0, in training and where it is held out: 2 is worth two such rows; default 1. */
  readonly sampleWeights?: Vector;
  /** Names of the inputs, kept with the model. */
  readonly columns?: readonly string[];
  /** Names of the outputs, kept with the model. */
  readonly labels?: readonly string[];
  /** Where learning starts: a classifier, or the parameters of one; default: drawn with the seed. */
  readonly init?: TwoLayerParameters | { readonly parameters: TwoLayerParameters };
  /** Default: defaultBackend(). */
  readonly backend?: Backend;
  /** Rows whose gradients are summed together before sums are added; default 8192. */
  readonly shardSize?: number;
}
const fitOptions = [
  ...trainingOptions,
  'inputs',
  'hidden',
  'outputs',
  'classWeights',
  'sampleWeights',
  'columns',
  'labels',
  'init',
  'backend',
  'shardSize',
] as const;

export interface FittedTwoLayers {
  readonly layers: Layers;
  readonly flat: Float64Array;
  readonly report: TrainingReport;
  readonly backend: Backend;
  readonly names: { readonly columns?: readonly string[]; readonly labels?: readonly string[] };
}

export async function fitTwoLayers(
  where: string,
  x: Points,
  y: Matrix,
  options: TwoLayerFitOptions,
): Promise<FittedTwoLayers> {
  const given = check.options(where, options, fitOptions);
  const backend = check.backend(where, given.backend, defaultBackend);
  const settings = readTraining(where, given);
  const layers = new Layers(where, {
    inputs: check.count(where, 'inputs', given.inputs),
    hidden: check.count(where, 'hidden', given.hidden),
    outputs: check.count(where, 'outputs', given.outputs),
  });
  const classes = readClassWeights(where, given.classWeights, layers.outputs);
  const columns = check.names(where, 'columns', given.columns, layers.inputs);
  const labels = check.names(where, 'labels', given.labels, layers.outputs);
  const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
  const start = initialParameters(where, layers, given.init, settings.seed);
  const read = readExamples(where, x, y, layers);
  const weights = check.weights(where, given.sampleWeights, read.n);
  if (read.n === 0)
    throw argumentError('EMPTY_INPUT', where, 'x', {
      expected: 'at least one row',
      received: 'none',
      reason: 'is empty',
    });
  // copies: a fit outlives the call
  const copy = (values: Real): Real => allocate(where, values.length, () => values.slice());
  const examples = { n: read.n, x: copy(read.x), y: copy(read.y) };
  const weighting = { weights, classes };
  const task = new TwoLayerTask(where, backend, layers, examples, weighting, start, shardSize, settings.signal);
  try {
    const { parameters, report } = await train(task, settings);
    report.warnings.push(...warnOfOneClass(examples.y, layers.outputs, labels));
    const names = { ...(columns && { columns }), ...(labels && { labels }) };
    return { layers, flat: parameters, report, backend, names };
  } finally {
    task.dispose();
  }
}

function initialParameters(where: string, layers: Layers, init: unknown, seed: number): Float64Array {
  if (init === undefined) return layers.initialise(where, new Random(seed));
  const read = (given: unknown) => {
    const { layers: own, flat } = readTwoLayers(where, given, 'init');
    return { inputs: own.inputs, hidden: own.hidden, outputs: own.outputs, flat };
  };
  return readStart(where, init, parameterNames, read, layers).flat;
}
class TwoLayerTask implements Task {
  readonly lengths: Int32Array;
  readonly terms: Float64Array;
  readonly identity: TrainingIdentity;
  private readonly weights: Weights<'f32' | 'f64', Layers>;
  private readonly classes: Real;
  private readonly room: Workspace;
  private readonly pace: Pace;
  private readonly how: { readonly shardSize?: number };
  constructor(
    private readonly where: string,
    private readonly backend: Backend,
    private readonly layers: Layers,
    private readonly examples: Examples,
    private readonly weighting: { readonly weights: Float64Array; readonly classes: Float64Array },
    readonly parameters: Float64Array,
    shardSize: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    const { inputs, hidden, outputs } = layers;
    const dtype = check.dtypeOf(examples.x);
    this.lengths = new Int32Array(examples.n).fill(1);
    this.terms = weighting.weights;
    this.classes = check.room(where, outputs, dtype);
    this.classes.set(weighting.classes);
    this.room = new Workspace(where, dtype, true);
    this.pace = new Pace(signal, where);
    this.weights = new Weights(backend, layers, parameters, dtype);
    const facts = Object.entries({ inputs, hidden, outputs, dtype, shardSize, classWeights: weighting.classes });
    this.identity = Object.fromEntries(facts.map(([name, value]) => [name, String(value)]));
    this.how = shardSize === undefined ? {} : { shardSize };
  }
  async loss(parameters: Float64Array, chosen: Int32Array): Promise<number> {
    return total((await this.run(chosen, this.evaluate(parameters, chosen))).loss);
  }
  async lossGradient(parameters: Float64Array, chosen: Int32Array, gradient: Float64Array): Promise<number> {
    const { context, x, activations, loss, dLogits } = await this.run(chosen, this.evaluate(parameters, chosen));
    const parts = this.layers.split(gradient);
    await this.run(chosen, backward(context, x, activations, dLogits, parts, this.how));
    return total(loss);
  }
  dispose(): void {
    this.weights.dispose();
  }

  private async run<R>(chosen: Int32Array, pass: Pass<R>): Promise<R> {
    try {
      return await runAsync(pass, this.pace, this.signal);
    } catch (error) {
      throw toLossError(this.where, error, (row) => chosen[row]!);
    }
  }
  private *evaluate(parameters: Float64Array, chosen: Int32Array) {
    const { weights, room, layers, examples, backend, classes } = this;
    const { inputs: i, outputs: o } = layers;
    weights.write(parameters);
    room.restart();
    const n = chosen.length;
    const context: PassContext = { backend, weights, room };
    const x = gather(examples.x, i, chosen, room.array(n * i));
    const y = gather(examples.y, o, chosen, room.array(n * o));
    const rows = gather(this.weighting.weights, 1, chosen, room.array(n));
    const activations = yield* forward(context, x, n);
    const results = yield* crossEntropy(backend, room, o, activations.logits, y, { rows, classes, temperature: 1 });
    return { context, x, activations, ...results };
  }
}

/** Adds in order, in f64. */
export function total(values: Real): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
