/** Learning a network from sequences: units, starting point, and the task that training/ descends on. */

import { defaultBackend } from '../../../backends/default.ts';
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { type Ragged, type Sequences, sequences } from '../../../check.ts';
import { callError, SeqlikError } from '../../../errors.ts';
import { allocated } from '../../../memory.ts';
import { type Task, train } from '../../../training/loop.ts';
import { Pace } from '../../../training/pace.ts';
import type { TrainingReport } from '../../../training/report.ts';
import { readTraining, type TrainingOptions, trainingOptions } from '../../../training/settings.ts';
import { binaryTargets } from '../../density/failure.ts';
import { isA, Model } from '../../model.ts';
import { type Pass, runAsync } from '../../work.ts';
import type { Architecture } from '../stack/architecture.ts';
import { type Batch, backward, forward, type Place } from '../stack/pass.ts';
import { Weights } from '../stack/weights.ts';
import { Workspace } from '../stack/workspace.ts';
import { batchOf, type Standardization, standardise, startsOf, termsOf } from './batch.ts';
import { Head, total } from './head.ts';
import { architectureOf, floorOf, type NetworkOptions, parametersOf } from './options.ts';

export interface NetworkFitOptions extends TrainingOptions, Omit<NetworkOptions, 'parameters' | 'standardization'> {
  /** Names of the coordinates, kept with the model. */
  readonly columns?: readonly string[];
  /** Where learning starts: a network, or parameters of its own; default: drawn with the seed. */
  readonly init?: { readonly parameters: NonNullable<NetworkOptions['parameters']> } | NetworkOptions['parameters'];
  /** Default 1e-3 standard deviations of the data: what keeps a component off a point. Data on a grid (pixels, rounded
   * readings) have no density: give them uniform noise of one grid step first. */
  readonly minStandardDeviation?: number;
  readonly backend?: Backend;
  /** Steps whose gradients are summed together before sums are added; default 8192. */
  readonly shardSize?: number;
}
const shapeOptions = ['dimension', 'hidden', 'components', 'mapping', 'cell', 'inputSkip', 'binary'] as const;
const known = [
  ...trainingOptions,
  ...shapeOptions,
  'columns',
  'init',
  'minStandardDeviation',
  'backend',
  'shardSize',
] as const;

export interface Trained {
  readonly network: NetworkOptions;
  readonly report: TrainingReport;
  readonly backend: Backend;
  readonly columns: readonly string[] | undefined;
}

export async function trained(where: string, seqs: Sequences, options: NetworkFitOptions): Promise<Trained> {
  const given = check.options(where, options, known);
  const backend = check.backend(where, given.backend, defaultBackend);
  const settings = readTraining(where, given);
  const architecture = architectureOf(where, given);
  const columns = check.names(where, 'columns', given.columns, architecture.dimension);
  const least = check.amount(where, 'minStandardDeviation', check.or(given.minStandardDeviation, 1e-3));
  const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
  const start = startOf(where, architecture, given.init, settings.seed);
  const read = sequences(where, 'seqs', seqs, architecture.dimension);
  const ragged = { ...read, values: allocated(where, read.values.length, () => read.values.slice()) }; // a fit outlives the call, and standardises them
  if (!ragged.lengths.some((length) => length > 1))
    throw new SeqlikError('EMPTY_INPUT', `${where}: no sequence has two observations`, { argument: 'seqs' });
  binaryTargets(where, 'seqs', ragged.values, architecture.dimension, architecture.head);
  const { units, constant } = unitsOf(where, ragged, architecture);
  standardise(where, 'seqs', ragged.values, units);
  const task = new NetworkTask(
    where,
    backend,
    architecture,
    ragged,
    units,
    floorOf(architecture.mapping, least),
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
        parameters: architecture.named(parameters),
        standardization: units,
        minStandardDeviation: least,
      },
      report,
      backend,
      columns,
    };
  } finally {
    task.dispose();
  }
}

function startOf(where: string, architecture: Architecture, init: unknown, seed: number): Float64Array {
  if (init === undefined) return architecture.initial(where, seed);
  if (isA(Model, init)) return parametersOf(where, architecture, init.parameters);
  const names = architecture.slots.map(({ name }) => name);
  const { parameters } = check.fields(where, 'init', init, ['parameters', ...names]);
  return parametersOf(where, architecture, check.or(parameters, init));
}
/** Mean and standard deviation of every Gaussian coordinate over all observations. */
function unitsOf(
  where: string,
  { values }: Ragged,
  { dimension: d, head }: Architecture,
): { units: Standardization; constant: number[] } {
  const n = values.length / d;
  const mean = new Float64Array(d);
  const standardDeviation = new Float64Array(d).fill(1);
  const constant: number[] = [];
  for (let j = 0; j < head; j++) {
    let sum = 0;
    for (let i = j; i < values.length; i += d) sum += values[i]! / n;
    mean[j] = sum;
    let furthest = 0;
    for (let i = j; i < values.length; i += d) furthest = Math.max(furthest, Math.abs(values[i]! - sum));
    if (furthest === Number.POSITIVE_INFINITY)
      throw callError('NON_FINITE', where, `the spread of column ${j} overflows`, {
        argument: 'seqs',
        column: j,
      });
    const unit = furthest > 0 ? 2 ** Math.floor(Math.log2(furthest)) : 1; // whose squares neither overflow nor vanish
    let squares = 0;
    for (let i = j; i < values.length; i += d) squares += ((values[i]! - sum) / unit) ** 2 / n;
    const deviation = unit * Math.sqrt(squares);
    if (deviation > 1e-12 * Math.abs(sum)) standardDeviation[j] = deviation;
    else constant.push(j);
  }
  return { units: { mean, standardDeviation }, constant };
}

class NetworkTask implements Task {
  readonly lengths: Int32Array;
  /** What has to be the same for a checkpoint to be gone on from. */
  readonly signature: Readonly<Record<string, string>>;
  private readonly weights: Weights;
  private readonly starts: Float64Array;
  private readonly head: Head;
  private readonly room: Workspace;
  private readonly pace: Pace;
  private readonly how: { readonly shardSize?: number };
  constructor(
    private readonly where: string,
    private readonly backend: Backend,
    private readonly architecture: Architecture,
    /** In standard units: those of the network. */
    private readonly ragged: Ragged,
    units: Standardization,
    floor: number,
    readonly parameters: Float64Array,
    shardSize: number | undefined,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.lengths = ragged.lengths.map(termsOf);
    this.starts = startsOf(ragged.lengths, architecture.dimension);
    this.head = new Head(backend, architecture, floor, units);
    const single = ragged.values instanceof Float32Array;
    this.room = new Workspace(where, single, true);
    this.pace = new Pace(signal, where);
    this.weights = new Weights(backend, architecture, parameters, single);
    this.signature = Object.fromEntries(
      Object.entries({ ...architecture.shape, floor, dtype: single ? 'f32' : 'f64', shardSize }).map(
        ([name, value]) => [name, String(value)],
      ),
    );
    this.how = shardSize === undefined ? {} : { shardSize };
  }

  async loss(parameters: Float64Array, examples: Int32Array): Promise<number> {
    const { place, batch, states } = this.begun(parameters, examples);
    const { raw } = await runAsync(forward(place, batch, states), this.pace, this.signal);
    return 0 - total(await this.tried(examples, batch, raw, this.head.forward(place.room, batch, raw)));
  }
  async lossGradient(parameters: Float64Array, examples: Int32Array, gradient: Float64Array): Promise<number> {
    const { place, batch, states } = this.begun(parameters, examples);
    const { layers, raw } = await runAsync(forward(place, batch, states), this.pace, this.signal);
    const { logDensity, dRaw } = await this.tried(examples, batch, raw, this.head.lossGradient(place.room, batch, raw));
    const named = this.architecture.named(gradient);
    await runAsync(backward(place, batch, layers, dRaw, named, this.how), this.pace, this.signal);
    return 0 - total(logDensity);
  }
  dispose(): void {
    this.weights.dispose();
  }

  private begun(parameters: Float64Array, examples: Int32Array): { place: Place; batch: Batch; states: Real[] } {
    const { weights, room, architecture } = this;
    weights.write(parameters);
    room.restart();
    const batch = batchOf(this.where, this.ragged, this.starts, examples, architecture.dimension);
    const states = architecture.hidden.map((_, n) => room.zeros(examples.length * architecture.states(n)));
    return { place: { backend: this.backend, weights, room }, batch, states };
  }
  private async tried<R>(examples: Int32Array, batch: Batch, raw: Real, pass: Pass<R>): Promise<R> {
    try {
      return await runAsync(pass, this.pace, this.signal);
    } catch (error) {
      throw this.head.told(this.where, error, batch, raw, (row) => this.termOf(examples, row));
    }
  }
  /** Among the terms of all sequences that of a row of a batch. */
  private termOf(examples: Int32Array, row: number): number {
    let rest = row;
    for (const example of examples) {
      if (rest < this.lengths[example]!) return this.lengths.subarray(0, example).reduce((a, b) => a + b, rest);
      rest -= this.lengths[example]!;
    }
    return row;
  }
}
