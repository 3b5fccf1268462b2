/** Fits a two-layer net by mini-batches: chooses a starting point, and gives training/ its task. */
import { defaultBackend } from '../../../backends/default.ts';
import type { Backend } from '../../../bind.ts';
import type { Matrix, Points } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { allocate } from '../../../memory.ts';
import { Random } from '../../../random.ts';
import type { TrainingIdentity } from '../../../training/checkpoint.ts';
import { type Task, train } from '../../../training/loop.ts';
import { Pace } from '../../../training/pace.ts';
import type { TrainingReport } from '../../../training/report.ts';
import { readTraining, type TrainingOptions, trainingOptions } from '../../../training/settings.ts';
import { isA, Model } from '../../model.ts';
import { Weights } from '../../weights.ts';
import { type Pass, runAsync } from '../../work.ts';
import { Workspace } from '../../workspace.ts';
import { gather } from './descend.ts';
import { Layers, readTwoLayers, type TwoLayerParameters } from './layers.ts';
import { backward, entropy, forward, type PassContext } from './pass.ts';
import { type Examples, readExamples } from './targets.ts';

/** Options of `TwoLayerClassifier.fit`: of the training run, and of the net to make. */
export interface TwoLayerFitOptions extends TrainingOptions {
  /** Inputs of a row. */
  readonly inputs: number;
  /** Hidden units. */
  readonly hidden: number;
  /** Outputs, each with a probability of its own. */
  readonly outputs: number;
  /** Names of the inputs, kept with the model. */
  readonly columns?: readonly string[];
  /** Where learning starts: a classifier, or the parameters of one; default: drawn with the seed. */
  readonly init?: TwoLayerParameters;
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
  'columns',
  'init',
  'backend',
  'shardSize',
] as const;

export interface FittedTwoLayers {
  readonly layers: Layers;
  readonly flat: Float64Array;
  readonly report: TrainingReport;
  readonly backend: Backend;
  readonly columns: readonly string[] | undefined;
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
  const columns = check.names(where, 'columns', given.columns, layers.inputs);
  const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
  const start = initialParameters(where, layers, given.init, settings.seed);
  const read = readExamples(where, x, y, layers);
  if (read.n === 0)
    throw argumentError('EMPTY_INPUT', where, 'x', {
      expected: 'at least one row',
      received: 'none',
      reason: 'is empty',
    });
  // copies: a fit outlives the call
  const copy = <A extends Examples['x']>(values: A): A => allocate(where, values.length, () => values.slice() as A);
  const examples = { n: read.n, x: copy(read.x), y: copy(read.y) };
  const task = new TwoLayerTask(where, backend, layers, examples, start, shardSize, settings.signal);
  try {
    const { parameters, report } = await train(task, settings);
    const constant = constantOutputs(examples, layers.outputs);
    if (constant.length > 0)
      report.warnings.push(
        `one class only: all targets of ${constant.length === 1 ? 'output' : 'outputs'} ${constant.join()} are the same`,
      );
    return { layers, flat: parameters, report, backend, columns };
  } finally {
    task.dispose();
  }
}

function initialParameters(where: string, layers: Layers, init: unknown, seed: number): Float64Array {
  if (init === undefined) return layers.initialise(where, new Random(seed));
  const given = isA(Model, init) ? init.parameters : check.fields(where, 'init', init, ['V', 'W', 'hidden']);
  const { layers: own, flat } = readTwoLayers(where, given);
  for (const name of ['inputs', 'hidden', 'outputs'] as const)
    if (own[name] !== layers[name])
      throw argumentError('DIMENSION_MISMATCH', where, 'init', {
        expected: `${layers[name]} ${name}`,
        received: `${own[name]} ${name}`,
        reason: `has ${own[name]} ${name}, not ${layers[name]}`,
      });
  return flat;
}
/** The outputs of which all targets are the same. */
function constantOutputs({ n, y }: Examples, outputs: number): number[] {
  return Array.from({ length: outputs }, (_, j) => j).filter((j) => {
    for (let row = 1; row < n; row++) if (y[row * outputs + j] !== y[j]) return false;
    return true;
  });
}

class TwoLayerTask implements Task {
  readonly lengths: Int32Array;
  readonly identity: TrainingIdentity;
  private readonly weights: Weights<'f32' | 'f64', Layers>;
  private readonly room: Workspace;
  private readonly pace: Pace;
  private readonly how: { readonly shardSize?: number };
  constructor(
    private readonly where: string,
    private readonly backend: Backend,
    private readonly layers: Layers,
    private readonly examples: Examples,
    readonly parameters: Float64Array,
    shardSize: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    const { inputs, hidden, outputs } = layers;
    const dtype = check.dtypeOf(examples.x);
    this.lengths = new Int32Array(examples.n).fill(1);
    this.room = new Workspace(where, dtype, true);
    this.pace = new Pace(signal, where);
    this.weights = new Weights(backend, layers, parameters, dtype);
    const facts = Object.entries({ inputs, hidden, outputs, dtype, shardSize });
    this.identity = Object.fromEntries(facts.map(([name, value]) => [name, String(value)]));
    this.how = shardSize === undefined ? {} : { shardSize };
  }
  async loss(parameters: Float64Array, chosen: Int32Array): Promise<number> {
    const { loss } = await this.run(this.evaluate(parameters, chosen));
    return total(loss);
  }
  async lossGradient(parameters: Float64Array, chosen: Int32Array, gradient: Float64Array): Promise<number> {
    const { context, x, activations, loss, dLogits } = await this.run(this.evaluate(parameters, chosen));
    await this.run(backward(context, x, activations, dLogits, this.layers.split(gradient), this.how));
    return total(loss);
  }
  dispose(): void {
    this.weights.dispose();
  }

  private run<R>(pass: Pass<R>): Promise<R> {
    return runAsync(pass, this.pace, this.signal);
  }
  private *evaluate(parameters: Float64Array, chosen: Int32Array) {
    const { weights, room, layers, examples, backend } = this;
    weights.write(parameters);
    room.restart();
    const n = chosen.length;
    const context: PassContext = { backend, weights, room };
    const x = gather(examples.x, layers.inputs, chosen, room.array(n * layers.inputs));
    const y = gather(examples.y, layers.outputs, chosen, room.array(n * layers.outputs));
    const activations = yield* forward(context, x, n);
    const each = { rows: room.array(n).fill(1), classes: room.array(layers.outputs).fill(1) };
    const results = yield* entropy(this.where, context, activations.logits, y, each, (row) => chosen[row]!);
    return { context, x, activations, ...results };
  }
}

export function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum;
}
