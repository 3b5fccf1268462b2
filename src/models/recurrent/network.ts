/**
 * TEDnet: a recurrent network whose outputs are a mixture density of the next observation (Bishop 1994, Graves 2013;
 * docs/math/network.md). Its passes are stack/pass.ts, its head is network/head.ts, its learning is network/fit.ts.
 */

import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Real, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { dtypeOf, type Ragged, type Scoring, type Sequences, sequences } from '../../check.ts';
import { callError } from '../../errors.ts';
import { decode, decodeColumns, encode, encodeColumns, orMalformed } from '../../file.ts';
import type { DType } from '../../grammar.ts';
import type { TrainingReport } from '../../training/report.ts';
import { checkBinaryTargets } from '../density/failure.ts';
import type { Mapping } from '../density/mapping.ts';
import type { Distribution } from '../density.ts';
import type { OnBackend } from '../model.ts';
import { Model } from '../model.ts';
import type { Standardization } from '../standardization.ts';
import { Weights } from '../weights.ts';
import { type Pass, runNow } from '../work.ts';
import { Workspace } from '../workspace.ts';
import type { NetworkArchitecture } from './network/architecture.ts';
import { batchOf, firstOf, type Part, partsOf, startsOf, termsOf } from './network/batch.ts';
import { decodeNetwork, encodeNetwork } from './network/file.ts';
import { fitNetwork, type NetworkFitOptions } from './network/fit.ts';
import { Head, total } from './network/head.ts';
import { floorOf, type NetworkOptions, readNetwork } from './network/options.ts';
import { readStep, type State, Stepper } from './network/stepper.ts';
import type { Cell } from './stack/cell.ts';
import { DIAGNOSABLE, type Diagnosable, type Task } from './stack/diagnosable.ts';
import { InitialStates } from './stack/initial.ts';
import { backward, forward, type PassContext, type StackWeights, spansOf } from './stack/pass.ts';

export type { Standardization } from '../standardization.ts';
export type { NetworkFitOptions } from './network/fit.ts';
export type { NetworkOptions } from './network/options.ts';
export type { State } from './network/stepper.ts';
export type { Cell } from './stack/cell.ts';

/** The backend of a network, and names of its coordinates. */
export interface NetworkOn extends OnBackend {
  /** Names of the coordinates, if they are known. */
  readonly columns?: readonly string[];
  /** Name of the column that tells the sequences of a table apart: kept, and written into the file. */
  readonly sequenceColumn?: string;
}
/** Results of `forward`: T terms, raw outputs and hidden units, in the dtype of the data. */
export interface NetworkForward {
  /** Minus the sum of logDensity. */
  loss: number;
  /** [T]: log density of each observation but the first of its sequence, given those before it. */
  logDensity: Real;
  /** [T, outputs], in units of the network. */
  raw: Real;
  /** Per layer [T, H]. */
  hidden: Real[];
}
/** Results of `lossGradient`. */
export interface NetworkGradient {
  /** Minus the sum of logDensity. */
  loss: number;
  /** The derivative of the loss by each parameter, under the names of `parameters`. */
  gradient: Record<string, Float64Array>;
  /** Per layer, of the shape of `initialState`; [S, H] (lstm: [S, 2H]) if none was given. */
  dInitialState: Real[];
}

/**
 * A recurrent network that predicts the next observation of a sequence as a mixture density: log p(x[t] | x[0..t-1]) is
 * exact. Stacked layers of `cell` feed raw outputs, which MixtureDensity turns into a mixture (TEDnet; Bishop 1994;
 * Graves 2013, section 4; docs/math/network.md). A sequence of L observations has L - 1 terms: the first is only read.
 * Computes in f32 for Float32Array sequences, else in f64; results are of that dtype. Parameters are kept in f64.
 *
 * @example
 * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
 * network.logDensity([0, 1, 0]).length; // 2
 */
export class MixtureDensityNetwork extends Model {
  /** The kind of model, as files and commands call it. */
  readonly kind = 'mixture-density-network';
  /** The backend that its kernels run on. */
  readonly backend: Backend;
  /** Names of the coordinates, if they are known. */
  readonly columns: readonly string[] | undefined;
  /** Name of the column that tells the sequences of a table apart, if it is known. */
  readonly sequenceColumn: string | undefined;
  /** Lower bound of the standard deviations, in units of the network. */
  readonly minStandardDeviation: number;
  private readonly architecture: NetworkArchitecture;
  private readonly flat: Float64Array;
  private readonly floor: number;
  private readonly units: Standardization | undefined;
  private readonly head: Head;
  private readonly weights: { [D in DType]?: StackWeights<D> } = {};
  private stepping: Stepper | undefined;

  /**
   * Parameters are those given, else drawn with the seed. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE
   * (argument: the option or the parameter at fault), OUT_OF_MEMORY.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 2, hidden: [2], components: 3, cell: 'lstm', seed: 1 });
   * network.parameterCount; // 94
   */
  constructor(options: NetworkOptions, on?: NetworkOn) {
    super();
    const where = 'MixtureDensityNetwork';
    const { backend, columns, sequenceColumn } = check.options(where, on, ['backend', 'columns', 'sequenceColumn']);
    const { architecture, flat, standardization, minStandardDeviation } = readNetwork(where, options);
    this.architecture = architecture;
    this.flat = flat;
    this.units = standardization;
    this.minStandardDeviation = minStandardDeviation;
    this.floor = floorOf(this.mapping, minStandardDeviation);
    this.columns = check.names(where, 'columns', columns, this.dimension);
    this.sequenceColumn =
      sequenceColumn === undefined ? undefined : check.text(where, 'sequenceColumn', sequenceColumn);
    this.backend = check.backend(where, backend, defaultBackend);
    this.head = new Head(this.backend, architecture.density, this.floor, standardization);
  }
  /** Coordinates of an observation, binary ones included. */
  get dimension(): number {
    return this.architecture.shape.dimension;
  }
  /** Units of each hidden layer. */
  get hidden(): readonly number[] {
    return this.architecture.shape.hidden;
  }
  /** Components of the mixture: M. */
  get components(): number {
    return this.architecture.shape.components;
  }
  /** The mapping from raw outputs to covariances. */
  get mapping(): Mapping {
    return this.architecture.shape.mapping;
  }
  /** The cell of every layer. */
  get cell(): Cell {
    return this.architecture.shape.cell;
  }
  /** Whether every layer reads the input. */
  get inputSkip(): boolean {
    return this.architecture.shape.inputSkip;
  }
  /** Binary coordinates, the last ones: q. */
  get binary(): number {
    return this.architecture.shape.binary;
  }
  /** Numbers of a row of raw outputs. */
  get outputs(): number {
    return this.architecture.density.outputs;
  }
  /** The units of the network, unless they are those of the data: a fresh copy. */
  get standardization(): Standardization | undefined {
    return this.units && { mean: this.units.mean.slice(), standardDeviation: this.units.standardDeviation.slice() };
  }
  /** The length of all parameters together. */
  get parameterCount(): number {
    return this.architecture.stack.size;
  }
  /** Flat tensors by name, a fresh copy: Wx0 Wh0 b0 Wy0 Wd1 ... by, of the shapes that NetworkOptions lists. */
  get parameters(): Record<string, Float64Array> {
    return this.architecture.stack.splitByName(this.flat.slice());
  }

  /**
   * log p(x[t] | x[0..t-1]) of every observation but the first of its sequence, one sequence after the other [T].
   * `unscorable: 'mark'`: a term that has no density, because it overflows or because an outlier before it left no
   * covariance, has -Infinity. The network reads that observation like any other, and terms after it are scored given
   * it; where its state overflows, all terms from there to the end of the sequence have -Infinity.
   * Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE, NOT_POSITIVE_DEFINITE (tanh mappings; row: an index into
   * T, component, pivot), DISPOSED.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.logDensity({ values: Float64Array.of(0, 1, 0, 5, 6), lengths: [3, 2] }).length; // 3
   */
  logDensity(seqs: Sequences, options?: Scoring): Real {
    return this.scoreOnly('logDensity', seqs, options).logDensity;
  }
  /**
   * The sums of logDensity per sequence [S], in f64; 0 for a sequence of one observation or none. Throws as logDensity
   * does.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.logLikelihoods([Float64Array.of(3)]); // Float64Array(1) [ 0 ]
   */
  logLikelihoods(seqs: Sequences, options?: Scoring): Float64Array {
    const { logDensity, lengths } = this.scoreOnly('logLikelihoods', seqs, options);
    let at = 0;
    return Float64Array.from(lengths, (length) => {
      let sum = 0;
      for (const end = at + termsOf(length); at < end; at++) sum += logDensity[at]!;
      return sum;
    });
  }
  /**
   * The sum of logDensity over all sequences, in f64. Throws as logDensity does.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.logLikelihood([0, 1, 0]) === network.logLikelihoods([0, 1, 0])[0]; // true
   */
  logLikelihood(seqs: Sequences, options?: Scoring): number {
    return total(this.scoreOnly('logLikelihood', seqs, options).logDensity);
  }
  /**
   * The Bayesian information criterion, -2 logLikelihood + parameterCount · log T; less is better. Throws as logDensity
   * does, and EMPTY_INPUT if no sequence has two observations.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.bic([0, 1, 0]) > network.bic([0, 1]); // true
   */
  bic(seqs: Sequences, options?: Scoring): number {
    const { logDensity } = this.scoreOnly('bic', seqs, options);
    return this.bayesianCriterion('MixtureDensityNetwork.bic', 'seqs', total(logDensity), logDensity.length);
  }
  /**
   * Akaike's information criterion, -2 logLikelihood + 2 · parameterCount; less is better. Throws as logDensity does.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.aic([Float64Array.of(3)]) === 2 * network.parameterCount; // true
   */
  aic(seqs: Sequences, options?: Scoring): number {
    return this.akaikeCriterion(total(this.scoreOnly('aic', seqs, options).logDensity));
  }

  /**
   * The results of a pass: loss, logDensity [T], raw outputs [T, outputs] and hidden units [T, H] per layer.
   * `initialState`: one state per layer, [H] for all sequences or [S, H] (lstm: 2H, h then c); default zeros.
   * `unscorable` as in logDensity; where a state has overflowed, raw outputs and hidden units are 0. Throws as logDensity
   * does, DIMENSION_MISMATCH and NON_FINITE for initialState as well.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.forward([0, 1, 0], { initialState: [Float64Array.of(0.5, -0.5)] }).hidden[0].length; // 4
   */
  forward(seqs: Sequences, options?: { readonly initialState?: readonly Real[] } & Scoring): NetworkForward {
    const where = 'MixtureDensityNetwork.forward';
    const { initialState, unscorable } = check.options(where, options, ['initialState', 'unscorable']);
    const mark = check.marking(where, unscorable);
    const { lengths, ...results } = this.evaluate(where, seqs, { initialState, keep: true, mark });
    return results;
  }

  /**
   * The loss, its gradient by every parameter (f64) and by the initial state, by exact backpropagation through time;
   * with `truncate` >= 1 no gradient flows back over more than that many steps, counted from the start of a sequence.
   * `initialState` as in forward. Throws as forward does, INVALID_ARGUMENT for truncate, NON_FINITE (argument
   * `parameters`) for a gradient that overflows.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * Object.keys(network.lossGradient([0, 1, 0]).gradient).join(' '); // 'Wx0 Wh0 b0 Wy0 by'
   */
  lossGradient(
    seqs: Sequences,
    options?: { readonly initialState?: readonly Real[]; readonly truncate?: number },
  ): NetworkGradient {
    const where = 'MixtureDensityNetwork.lossGradient';
    const { initialState, truncate } = check.options(where, options, ['initialState', 'truncate']);
    const most = truncate === undefined ? undefined : check.count(where, 'truncate', truncate);
    const ragged = this.read(where, 'seqs', seqs);
    const { stack } = this.architecture;
    const initial = new InitialStates(where, initialState, stack, ragged.lengths.length, dtypeOf(ragged.values));
    const context = this.context(where, dtypeOf(ragged.values));
    const dInitialState = initial.gradient();
    const flat = check.room(where, stack.size);
    const gradient = stack.splitByName(flat);
    let loss = 0;
    for (const part of partsOf(where, ragged, this.dimension, this.units)) {
      const states = initial.statesOf(part);
      const { layers, outputs: raw } = runNow(forward(context, part, states));
      const { logDensity, dRaw } = this.withUserErrors(
        where,
        part,
        raw,
        this.head.lossGradient(context.room, part, raw),
      );
      loss -= total(logDensity);
      const spans = most === undefined ? part.lengths : spansOf(part.lengths, most);
      const dStates = runNow(backward(context, part, layers, dRaw, gradient, { spans }));
      initial.addGradient(part, dStates, dInitialState);
    }
    const at = flat.findIndex((v) => !Number.isFinite(v));
    if (at >= 0 || dInitialState.some((values) => !values.every(Number.isFinite))) {
      const slot = stack.slots.findLast((slot) => at >= slot.at);
      const by = slot?.name ?? 'initialState';
      throw callError('NON_FINITE', where, `the gradient by ${by} overflows`, { argument: 'parameters' });
    }
    return { loss, gradient, dInitialState };
  }

  /**
   * The state before any observation: hidden states of zero, nothing predicted. Throws DISPOSED.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * network.start(); // { hidden: [ Float64Array(2) [ 0, 0 ] ] }
   */
  start(): State {
    return this.stepper().start();
  }
  /**
   * Reads one observation x [dimension]: `logDensity` of it under the last prediction (absent at the first), the state
   * after it, and the distribution of the next one, in units of the data: weights [1,M], means [1,M,k], covariances
   * [1,M,k,k], probabilities [1,q]. In f64: the same numbers as a batch, to the bit. The given state stays as it is.
   * `unscorable: 'mark'`: an observation without a density has -Infinity; an error remains where the state after it
   * overflows, too.
   * Throws DIMENSION_MISMATCH, NON_FINITE, INVALID_ARGUMENT, NOT_POSITIVE_DEFINITE, DISPOSED.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * const { state } = network.step(network.start(), [0]);
   * network.step(state, [1]).logDensity === network.logLikelihood([0, 1]); // true
   */
  step(
    state: State,
    x: Vector,
    options?: Scoring,
  ): { state: State; logDensity?: number; distribution: Distribution<Float64Array> } {
    const where = 'MixtureDensityNetwork.step';
    const mark = check.marking(where, check.options(where, options, ['unscorable']).unscorable);
    const given = readStep(where, this.architecture, state, x); // code of the caller's may run, and dispose of this
    return this.stepper().step(where, given.state, given.x, mark);
  }
  /**
   * Draws a sequence [steps, dimension], in f64. It follows `prefix` [n, dimension]; without one, an observation of
   * zeros in units of the network, the mean of the data it was fitted to. `seed` (default 0): the same draws for the
   * same seed on one engine. `bias` b >= 0 (default 0) draws closer to the mode: logits times 1 + b, standard
   * deviations times e^-b (Graves 2013, section 5.4).
   * Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_POSITIVE_DEFINITE, DISPOSED.
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 2, hidden: [2], components: 1 });
   * network.sample(3, { seed: 1, prefix: [[0, 0]] }).length; // 6
   */
  sample(
    steps: number,
    options?: { readonly seed?: number; readonly prefix?: check.Points; readonly bias?: number },
  ): Float64Array {
    const where = 'MixtureDensityNetwork.sample';
    const given = check.options(where, options, ['seed', 'prefix', 'bias']);
    const seed = check.seed(where, given.seed);
    const bias = check.amount(where, 'bias', check.or(given.bias, 0));
    const count = check.count(where, 'steps', steps, 0, Math.floor((2 ** 31 - 1) / this.dimension));
    const prefix = given.prefix === undefined ? new Float64Array(0) : this.readPrefix(where, given.prefix);
    return this.stepper().sample(where, count, seed, bias, prefix);
  }

  /**
   * The network as a file: safetensors with a checksum (docs/format.md).
   *
   * @example
   * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 });
   * MixtureDensityNetwork.fromBytes(network.toBytes()).hidden; // [ 2 ]
   */
  toBytes(): Uint8Array {
    const { architecture, flat, units, minStandardDeviation, columns, sequenceColumn } = this;
    const { metadata, tensors } = encodeNetwork(architecture, flat, units, minStandardDeviation);
    const named = { ...encodeColumns(columns), ...(sequenceColumn !== undefined && { sequenceColumn }) };
    return encode(this.kind, { ...metadata, ...named }, tensors);
  }
  /**
   * Reads what toBytes wrote. Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND.
   *
   * @example
   * const bytes = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 }).toBytes();
   * MixtureDensityNetwork.fromBytes(bytes).parameters.b0; // Float64Array(2) [ 0, 0 ]
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer, options?: OnBackend): MixtureDensityNetwork {
    const { backend } = check.options('MixtureDensityNetwork.fromBytes', options, ['backend']);
    const file = decode('MixtureDensityNetwork.fromBytes', bytes, 'mixture-density-network');
    const network = orMalformed(() => decodeNetwork(file));
    const { sequenceColumn } = file.metadata;
    const named = { ...decodeColumns(file), ...(sequenceColumn !== undefined && { sequenceColumn }) };
    const on = { ...named, ...(backend !== undefined && { backend: backend as Backend }) };
    return orMalformed(() => new MixtureDensityNetwork(network, on));
  }

  /**
   * Fits a network to sequences by gradient descent on -log-likelihood per term, from parameters drawn with the seed or
   * from `init`; the best epoch by the held-out sequences is returned (docs/math/training.md). Sequences of one
   * observation have no terms. Data on a grid: see minStandardDeviation.
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, ABORTED (cause), DIVERGED (checkpoint).
   *
   * @example
   * const wave = Array.from({ length: 40 }, (_, t) => Math.sin(t));
   * const options = { dimension: 1, hidden: [2], components: 1, maxIterations: 3 };
   * (await MixtureDensityNetwork.fit(wave, options)).report.iterations; // 3
   */
  static async fit(
    seqs: Sequences,
    options: NetworkFitOptions,
  ): Promise<{ model: MixtureDensityNetwork; report: TrainingReport }> {
    const { network, report, on } = await fitNetwork('MixtureDensityNetwork.fit', seqs, options);
    return { model: new MixtureDensityNetwork(network, on), report };
  }

  protected override summary(): object {
    const { dimension, hidden, components, mapping, cell, inputSkip, binary } = this;
    return { dimension, hidden, components, mapping, cell, inputSkip, binary };
  }
  protected release(): void {
    this.weights.f64?.dispose();
    this.weights.f32?.dispose();
    this.stepping?.dispose();
  }

  /** @internal */
  [DIAGNOSABLE](): Diagnosable {
    this.live();
    const { backend, dimension } = this;
    const { stack } = this.architecture;
    return {
      architecture: stack,
      flat: this.flat,
      context: (where, flat) => ({
        backend,
        weights: new Weights(backend, stack, flat, 'f64'),
        room: new Workspace(where, 'f64'),
      }),
      read: (where, seqs, most, longest = most): Task => {
        const ragged = firstOf(where, this.read(where, 'seqs', seqs), dimension, most, longest);
        const { lengths } = ragged;
        const part = batchOf(where, ragged, startsOf(lengths, dimension), [...lengths.keys()], dimension, this.units);
        return {
          batch: part,
          lossGradient: ({ room }, raw) => {
            const batch = { ...part, sequence: 0, term: 0 };
            const { logDensity, dRaw } = this.withUserErrors(
              where,
              batch,
              raw,
              this.head.lossGradient(room, batch, raw),
            );
            return { loss: -total(logDensity), dOutputs: dRaw };
          },
        };
      },
    };
  }

  private stepper(): Stepper {
    this.live();
    const { backend, architecture, floor, units } = this;
    this.stepping ??= new Stepper(backend, architecture, this.weightsOf('f64'), floor, units);
    return this.stepping;
  }
  private weightsOf<D extends DType>(dtype: D): StackWeights<D> {
    this.live();
    const weights = this.weights as { [K in D]?: StackWeights<D> };
    return (weights[dtype] ??= new Weights(this.backend, this.architecture.stack, this.flat, dtype));
  }
  private context(where: string, dtype: DType): PassContext {
    return { backend: this.backend, weights: this.weightsOf(dtype), room: new Workspace(where, dtype) };
  }
  private read(where: string, argument: string, seqs: unknown): Ragged {
    const { dimension, gaussian } = this.architecture.density;
    const ragged = sequences(where, argument, seqs, dimension);
    checkBinaryTargets(where, argument, ragged.values, dimension, gaussian);
    return ragged;
  }
  private readPrefix(where: string, given: unknown): Float64Array {
    const { dimension, gaussian } = this.architecture.density;
    const { values, n } = check.points(where, 'prefix', given, dimension);
    check.finiteRows(where, 'prefix', { values, n }, dimension);
    checkBinaryTargets(where, 'prefix', values, dimension, gaussian);
    return Float64Array.from(values);
  }
  private scoreOnly(name: string, seqs: Sequences, options: Scoring | undefined) {
    const where = `MixtureDensityNetwork.${name}`;
    const { unscorable } = check.options(where, options, ['unscorable']);
    return this.evaluate(where, seqs, { mark: check.marking(where, unscorable) });
  }
  private evaluate(
    where: string,
    seqs: Sequences,
    { initialState, keep = false, mark }: { initialState?: unknown; keep?: boolean; mark: boolean },
  ) {
    const ragged = this.read(where, 'seqs', seqs);
    const { lengths } = ragged;
    const dtype = dtypeOf(ragged.values);
    const room = (length: number): Real => check.room(where, length, dtype);
    const initial = new InitialStates(where, initialState, this.architecture.stack, lengths.length, dtype);
    const context = this.context(where, dtype);
    const T = lengths.reduce((sum, length) => sum + termsOf(length), 0);
    const logDensity = room(T);
    const raw = room(keep ? T * this.outputs : 0);
    const hidden = keep ? this.hidden.map((H) => room(T * H)) : [];
    for (const part of partsOf(where, ragged, this.dimension, this.units, mark)) {
      const { layers, outputs } = runNow(forward(context, part, initial.statesOf(part)));
      const termOf = (row: number): number => part.term + row;
      const pass = mark
        ? this.head.forwardMarking(context.room, part, outputs, where, termOf)
        : this.head.forward(context.room, part, outputs);
      const scores = this.withUserErrors(where, part, outputs, pass);
      const units = layers.map(({ h }) => h);
      if (mark) markLost(part.lengths, outputs, units, scores);
      logDensity.set(scores, part.term);
      if (keep) raw.set(outputs, part.term * this.outputs);
      for (const [n, to] of hidden.entries()) to.set(units[n]!, part.term * this.hidden[n]!);
    }
    return { loss: 0 - total(logDensity), logDensity, raw, hidden, lengths };
  }
  private withUserErrors<R>(where: string, part: Part, raw: Real, pass: Pass<R>): R {
    try {
      return runNow(pass);
    } catch (error) {
      throw this.head.toUserError(where, error, part, raw, (row) => part.term + row);
    }
  }
}
/** Marks the terms of each sequence from the first one on whose raw outputs are not finite: the state has overflowed. Raw
 * outputs and hidden units there become 0. */
function markLost(lengths: Int32Array, raw: Real, hidden: readonly Real[], scores: Real): void {
  const width = raw.length / scores.length;
  let from = 0;
  for (const length of lengths) {
    const end = from + length;
    const at = raw.subarray(from * width, end * width).findIndex((v) => !Number.isFinite(v));
    if (at >= 0) {
      const lost = from + Math.floor(at / width);
      scores.fill(Number.NEGATIVE_INFINITY, lost, end);
      for (const values of [raw, ...hidden]) {
        const size = values.length / scores.length;
        values.fill(0, lost * size, end * size);
      }
    }
    from = end;
  }
}
