/** Fits a network to sequences: measures units, chooses a starting point, and gives training/ its task. */

import { defaultBackend } from '../../../backends/default.ts';
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { dtypeOf, type Ragged, type Sequences, sequences } from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { allocate } from '../../../memory.ts';
import type { TrainingIdentity } from '../../../training/checkpoint.ts';
import { type Task, train } from '../../../training/loop.ts';
import { Pace } from '../../../training/pace.ts';
import type { TrainingReport } from '../../../training/report.ts';
import { readTraining, type TrainingOptions, trainingOptions } from '../../../training/settings.ts';
import { checkBinaryTargets } from '../../density/failure.ts';
import { isA, Model } from '../../model.ts';
import { measureUnits, type Standardization, standardise } from '../../standardization.ts';
import { Weights } from '../../weights.ts';
import { type Pass, runAsync } from '../../work.ts';
import { Workspace } from '../../workspace.ts';
import { backward, forward, type PassContext, type StackWeights } from '../stack/pass.ts';
import type { NetworkArchitecture } from './architecture.ts';
import { batchOf, startsOf, type TermBatch, termsOf } from './batch.ts';
import { Head, total } from './head.ts';
import { floorOf, type NetworkOptions, readArchitecture, readParameters } from './options.ts';

/** Options of `MixtureDensityNetwork.fit`: of the training run, and of the network to make. */
export interface NetworkFitOptions extends TrainingOptions, Omit<NetworkOptions, 'parameters' | 'standardization'> {
  /** Names of the coordinates, kept with the model. */
  readonly columns?: readonly string[];
  /** Name of the column that tells the sequences of a table apart, kept with the model. */
  readonly sequenceColumn?: string;
  /** Where learning starts: a network, or the parameters of one; default: drawn with the seed. */
  readonly init?: { readonly parameters: NonNullable<NetworkOptions['parameters']> } | NetworkOptions['parameters'];
  /**
   * Lower bound of the standard deviations in those of the data, which keeps a component from collapsing onto a point;
   * default 1e-3. Data on a grid (pixels, rounded readings) have no density: add uniform noise of one grid step first.
   */
  readonly minStandardDeviation?: number;
  /** Default: defaultBackend(). */
  readonly backend?: Backend;
  /** Steps whose gradients are summed together before sums are added; default 8192. */
  readonly shardSize?: number;
}
const shapeOptions = ['dimension', 'hidden', 'components', 'mapping', 'cell', 'inputSkip', 'binary'] as const;
const fitOptions = [
  ...trainingOptions,
  ...shapeOptions,
  'columns',
  'sequenceColumn',
  'init',
  'minStandardDeviation',
  'backend',
  'shardSize',
] as const;

export interface FittedNetwork {
  readonly network: NetworkOptions;
  readonly report: TrainingReport;
  /** The backend and the names that the network keeps. */
  readonly on: { readonly backend: Backend; readonly columns?: readonly string[]; readonly sequenceColumn?: string };
}

export async function fitNetwork(where: string, seqs: Sequences, options: NetworkFitOptions): Promise<FittedNetwork> {
  const given = check.options(where, options, fitOptions);
  const backend = check.backend(where, given.backend, defaultBackend);
  const settings = readTraining(where, given);
  const architecture = readArchitecture(where, given);
  const { dimension, gaussian, mapping } = architecture.density;
  const columns = check.names(where, 'columns', given.columns, dimension);
  const { sequenceColumn } = given;
  const named = {
    ...(columns && { columns }),
    ...(sequenceColumn !== undefined && { sequenceColumn: check.text(where, 'sequenceColumn', sequenceColumn) }),
  };
  const least = check.amount(where, 'minStandardDeviation', check.or(given.minStandardDeviation, 1e-3));
  const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
  const start = initialParameters(where, architecture, given.init, settings.seed);
  const read = sequences(where, 'seqs', seqs, dimension);
  // a copy: a fit outlives the call, and standardises the values
  const ragged = { ...read, values: allocate(where, read.values.length, () => read.values.slice()) };
  if (!ragged.lengths.some((length) => length > 1))
    throw argumentError('EMPTY_INPUT', where, 'seqs', {
      expected: 'a sequence of two observations or more',
      received: 'none',
      sentence: 'no sequence has two observations',
    });
  checkBinaryTargets(where, 'seqs', ragged.values, dimension, gaussian);
  const { units, constant } = measureUnits(where, 'seqs', ragged.values, dimension, gaussian);
  standardise(where, 'seqs', ragged.values, units);
  const task = new NetworkTask(
    where,
    backend,
    architecture,
    ragged,
    units,
    floorOf(mapping, least),
    start,
    shardSize,
    settings.signal,
  );
  try {
    const { parameters, report } = await train(task, settings);
    if (constant.length > 0)
      report.warnings.push(
        `constant coordinates: ${constant.map((j) => columns?.[j] ?? j).join()}; they were not scaled`,
      );
    return {
      network: {
        ...architecture.shape,
        parameters: architecture.stack.splitByName(parameters),
        standardization: units,
        minStandardDeviation: least,
      },
      report,
      on: { backend, ...named },
    };
  } finally {
    task.dispose();
  }
}

function initialParameters(
  where: string,
  architecture: NetworkArchitecture,
  init: unknown,
  seed: number,
): Float64Array {
  const { stack } = architecture;
  if (init === undefined) return architecture.initialise(where, seed);
  if (isA(Model, init)) return readParameters(where, stack, init.parameters);
  const names = stack.slots.map(({ name }) => name);
  const { parameters } = check.fields(where, 'init', init, ['parameters', ...names]);
  return readParameters(where, stack, check.or(parameters, init));
}
class NetworkTask implements Task {
  readonly lengths: Int32Array;
  readonly identity: TrainingIdentity;
  private readonly weights: StackWeights;
  private readonly starts: Float64Array;
  private readonly head: Head;
  private readonly room: Workspace;
  private readonly pace: Pace;
  private readonly how: { readonly shardSize?: number };
  constructor(
    private readonly where: string,
    private readonly backend: Backend,
    private readonly architecture: NetworkArchitecture,
    /** Sequences in units of the network. */
    private readonly ragged: Ragged,
    units: Standardization,
    floor: number,
    readonly parameters: Float64Array,
    shardSize: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.lengths = ragged.lengths.map(termsOf);
    this.starts = startsOf(ragged.lengths, architecture.density.dimension);
    this.head = new Head(backend, architecture.density, floor, units);
    const dtype = dtypeOf(ragged.values);
    this.room = new Workspace(where, dtype, true);
    this.pace = new Pace(signal, where);
    this.weights = new Weights(backend, architecture.stack, parameters, dtype);
    const facts = Object.entries({ ...architecture.shape, floor, dtype, shardSize });
    this.identity = Object.fromEntries(facts.map(([name, value]) => [name, String(value)]));
    this.how = shardSize === undefined ? {} : { shardSize };
  }

  async loss(parameters: Float64Array, examples: Int32Array): Promise<number> {
    const { context, batch, states } = this.begin(parameters, examples);
    const { outputs: raw } = await runAsync(forward(context, batch, states), this.pace, this.signal);
    return 0 - total(await this.withUserErrors(examples, batch, raw, this.head.forward(this.room, batch, raw)));
  }
  async lossGradient(parameters: Float64Array, examples: Int32Array, gradient: Float64Array): Promise<number> {
    const { context, batch, states } = this.begin(parameters, examples);
    const { layers, outputs: raw } = await runAsync(forward(context, batch, states), this.pace, this.signal);
    const head = this.head.lossGradient(this.room, batch, raw);
    const { logDensity, dRaw } = await this.withUserErrors(examples, batch, raw, head);
    const named = this.architecture.stack.splitByName(gradient);
    await runAsync(backward(context, batch, layers, dRaw, named, this.how), this.pace, this.signal);
    return 0 - total(logDensity);
  }
  dispose(): void {
    this.weights.dispose();
  }

  private begin(
    parameters: Float64Array,
    examples: Int32Array,
  ): { context: PassContext; batch: TermBatch; states: Real[] } {
    const { weights, room, architecture } = this;
    weights.write(parameters);
    room.restart();
    const batch = batchOf(this.where, this.ragged, this.starts, examples, architecture.density.dimension);
    const states = architecture.stack.sizes.map(({ carried }) => room.zeros(examples.length * carried));
    return { context: { backend: this.backend, weights, room }, batch, states };
  }
  private async withUserErrors<R>(examples: Int32Array, batch: TermBatch, raw: Real, pass: Pass<R>): Promise<R> {
    try {
      return await runAsync(pass, this.pace, this.signal);
    } catch (error) {
      throw this.head.toUserError(this.where, error, batch, raw, (row) => this.termOf(examples, row));
    }
  }
  /** The term, counted over all sequences, in a row of a batch. */
  private termOf(examples: Int32Array, row: number): number {
    let rest = row;
    for (const example of examples) {
      if (rest < this.lengths[example]!) return this.lengths.subarray(0, example).reduce((a, b) => a + b, rest);
      rest -= this.lengths[example]!;
    }
    return row;
  }
}
