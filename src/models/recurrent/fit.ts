/** Learning a network from sequences: units, starting point, and the task that training/ descends on. */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Real } from '../../check.ts';
import * as check from '../../check.ts';
import { SeqlikError } from '../../errors.ts';
import { type Ragged, type Sequences, sequences } from '../../sequences.ts';
import { type Task, train } from '../../training/loop.ts';
import type { TrainingReport } from '../../training/report.ts';
import { readTraining, type TrainingOptions, trainingOptions } from '../../training/settings.ts';
import type { Architecture } from './architecture.ts';
import { batchOf, type Standardization, startsOf, termsOf } from './batch.ts';
import { Head, total } from './head.ts';
import { architectureOf, floorOf, type NetworkOptions, parametersOf } from './options.ts';
import { type Batch, backward, elsewhere, forward } from './pass.ts';
import { Weights } from './weights.ts';

export interface NetworkFitOptions extends TrainingOptions, Omit<NetworkOptions, 'parameters' | 'standardization'> {
  /** Names of the coordinates, kept with the model. */
  readonly columns?: readonly string[];
  /** Where learning starts: a network, or parameters of its own; default: drawn with the seed. */
  readonly init?: { readonly parameters: NonNullable<NetworkOptions['parameters']> } | NetworkOptions['parameters'];
  /** Default 1e-3 standard deviations of the data: what keeps a component off a point. Data on a grid (pixels, rounded
   * readings) have no density: give them uniform noise of one grid step first. */
  readonly minStandardDeviation?: number;
  readonly backend?: Backend;
  /** Sequences that are summed together before sums are added; default 64. */
  readonly shardSize?: number;
}
const shapeOptions = ['dimension', 'hidden', 'components', 'mapping', 'cell', 'inputSkip', 'binary'] as const;
const known = [...trainingOptions, ...shapeOptions, 'columns', 'init', 'minStandardDeviation', 'backend', 'shardSize'] as const;

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
  const start = startOf(where, architecture, given.init, settings.seed);
  const read = sequences(where, 'seqs', seqs, architecture.dimension);
  const ragged = { ...read, values: read.values.slice() as Real }; // a fit outlives the call
  if (!ragged.lengths.some((length) => length > 1))
    throw new SeqlikError('EMPTY_INPUT', `${where}: no sequence has two observations`, { argument: 'seqs' });
  const { units, constant } = unitsOf(ragged, architecture);
  const task = new NetworkTask(where, backend, architecture, ragged, units, floorOf(architecture.mapping, least), start, settings.signal);
  try {
    const { parameters, report } = await train(task, settings);
    if (constant.length > 0) report.warnings.push(`constant coordinates: ${constant.join()}; they were not scaled`);
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
  if (init === undefined) return architecture.initial(seed);
  const model = typeof init === 'object' && init !== null && 'parameters' in init;
  return parametersOf(where, architecture, model ? init.parameters : init);
}
/** Mean and standard deviation of every Gaussian coordinate over all observations. */
function unitsOf({ values }: Ragged, { dimension: d, head }: Architecture): { units: Standardization; constant: number[] } {
  const n = values.length / d;
  const mean = new Float64Array(d);
  const standardDeviation = new Float64Array(d).fill(1);
  const constant: number[] = [];
  for (let j = 0; j < head; j++) {
    let sum = 0;
    for (let i = j; i < values.length; i += d) sum += values[i]! / n;
    mean[j] = sum;
    let squares = 0;
    for (let i = j; i < values.length; i += d) squares += (values[i]! - sum) ** 2 / n;
    const deviation = Math.sqrt(squares);
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
  constructor(
    private readonly where: string,
    private readonly backend: Backend,
    private readonly architecture: Architecture,
    private readonly ragged: Ragged,
    private readonly units: Standardization,
    floor: number,
    readonly parameters: Float64Array,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.lengths = ragged.lengths.map(termsOf);
    this.starts = startsOf(ragged.lengths, architecture.dimension);
    this.head = new Head(backend, architecture, floor, units);
    this.weights = new Weights(backend, architecture, parameters, ragged.values instanceof Float32Array);
    this.signature = Object.fromEntries(Object.entries({ ...architecture.shape, floor }).map(([k, v]) => [k, String(v)]));
  }

  async loss(parameters: Float64Array, examples: Int32Array): Promise<number> {
    this.weights.write(parameters);
    const batch = this.batch(examples);
    const { raw } = await elsewhere(forward(this.backend, this.weights, batch, this.zeros(batch)), this.signal);
    return -total(await this.tried(batch, raw, elsewhere(this.head.forward(batch, raw), this.signal)));
  }
  async lossGradient(parameters: Float64Array, examples: Int32Array, gradient: Float64Array): Promise<number> {
    this.weights.write(parameters);
    const { backend, weights, head, signal } = this;
    const batch = this.batch(examples);
    const { layers, raw } = await elsewhere(forward(backend, weights, batch, this.zeros(batch)), signal);
    const { logDensity, dRaw } = await this.tried(batch, raw, elsewhere(head.lossGradient(batch, raw), signal));
    await elsewhere(backward(backend, weights, batch, layers, dRaw, this.architecture.named(gradient)), signal);
    return -total(logDensity);
  }
  dispose(): void {
    this.weights.dispose();
  }

  private async tried<R>(batch: Batch, raw: Real, call: Promise<R>): Promise<R> {
    try {
      return await call;
    } catch (error) {
      throw this.head.told(this.where, error, batch, raw, 0);
    }
  }
  private batch(examples: Int32Array): Batch {
    return batchOf(this.ragged, this.starts, examples, this.architecture.dimension, this.units);
  }
  private zeros({ lengths }: Batch): Real[] {
    return this.architecture.hidden.map((_, n) => this.weights.array(lengths.length * this.architecture.states(n)));
  }
}
