/**
 * TEDnet: a recurrent network whose outputs are a mixture density of the next observation (Bishop 1994, Graves 2013;
 * docs/math.md § network). Its head is density.ts, its passes are pass.ts, its learning is fit.ts.
 */

import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Real, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { type Ragged, type Sequences, sequences } from '../../check.ts';
import { SeqlikError } from '../../errors.ts';
import { decode, decodeColumns, encode, encodeColumns, numberOf, orMalformed } from '../../file.ts';
import type { TrainingReport } from '../../training/report.ts';
import { binaryTargets } from '../density/failure.ts';
import type { Mapping } from '../density/mapping.ts';
import type { Distribution } from '../density.ts';
import type { OnBackend } from '../model.ts';
import { Model } from '../model.ts';
import { type Pass, runNow } from '../work.ts';
import { type Part, partsOf, type Standardization } from './network/batch.ts';
import { type NetworkFitOptions, trained } from './network/fit.ts';
import { Head, total } from './network/head.ts';
import { floorOf, type NetworkOptions, readNetwork } from './network/options.ts';
import { readStep, type State, Stepper } from './network/stepper.ts';
import { fromFile, tensorsOf } from './network/stored.ts';
import type { Architecture, Cell } from './stack/architecture.ts';
import { Initial } from './stack/initial.ts';
import { backward, forward, type Place, spansOf, type Trace } from './stack/pass.ts';
import { Weights } from './stack/weights.ts';
import { Workspace } from './stack/workspace.ts';

export type { Standardization } from './network/batch.ts';
export type { NetworkFitOptions } from './network/fit.ts';
export type { NetworkOptions } from './network/options.ts';
export type { State } from './network/stepper.ts';
export type { Cell } from './stack/architecture.ts';

export interface NetworkOn extends OnBackend {
  /** Names of the coordinates, if they are known. */
  readonly columns?: readonly string[];
}
export interface NetworkForward {
  /** Minus the sum of logDensity. */
  loss: number;
  /** [T]: of each observation but the first of its sequence, given those before it. */
  logDensity: Real;
  /** [T, outputs], in units of the network. */
  raw: Real;
  /** Per layer [T, H]. */
  hidden: Real[];
}
export interface NetworkGradient {
  loss: number;
  /** By the names of the parameters. */
  gradient: Record<string, Float64Array>;
  /** Per layer, of the shape of `initialState`; [S, H] if none was given. */
  dInitialState: Real[];
}

export class MixtureDensityNetwork extends Model {
  readonly kind = 'mixture-density-network';
  readonly backend: Backend;
  readonly columns: readonly string[] | undefined;
  readonly minStandardDeviation: number;
  private readonly architecture: Architecture;
  private readonly flat: Float64Array;
  private readonly floor: number;
  private readonly units: Standardization | undefined;
  private readonly head: Head;
  private readonly weights: { f64?: Weights; f32?: Weights } = {};
  private stepping: Stepper | undefined;

  /** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE. */
  constructor(options: NetworkOptions, on?: NetworkOn) {
    super();
    const where = 'MixtureDensityNetwork';
    const { backend, columns } = check.options(where, on, ['backend', 'columns']);
    const { architecture, flat, standardization, minStandardDeviation } = readNetwork(where, options);
    this.architecture = architecture;
    this.flat = flat;
    this.units = standardization;
    this.minStandardDeviation = minStandardDeviation;
    this.floor = floorOf(architecture.mapping, minStandardDeviation);
    this.columns = check.names(where, 'columns', columns, this.dimension);
    this.backend = check.backend(where, backend, defaultBackend);
    this.head = new Head(this.backend, architecture, this.floor, standardization);
  }
  get dimension(): number {
    return this.architecture.dimension;
  }
  get hidden(): readonly number[] {
    return this.architecture.hidden;
  }
  get components(): number {
    return this.architecture.components;
  }
  get mapping(): Mapping {
    return this.architecture.mapping;
  }
  get cell(): Cell {
    return this.architecture.cell;
  }
  get inputSkip(): boolean {
    return this.architecture.inputSkip;
  }
  get binary(): number {
    return this.architecture.binary;
  }
  /** Numbers of a row of raw outputs. */
  get outputs(): number {
    return this.architecture.outputs;
  }
  /** What is subtracted and divided by first, if anything: a fresh copy. */
  get standardization(): Standardization | undefined {
    return this.units && { mean: this.units.mean.slice(), standardDeviation: this.units.standardDeviation.slice() };
  }
  get parameterCount(): number {
    return this.architecture.size;
  }
  get parameters(): Record<string, Float64Array> {
    return this.architecture.named(this.flat.slice());
  }

  /**
   * log p(x[t] | what came before) of every observation but the first of its sequence, one sequence after the other [T].
   * Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE, NOT_POSITIVE_DEFINITE (tanh mappings; row: an index into T,
   * component, pivot).
   */
  logDensity(seqs: Sequences): Real {
    return this.scored('logDensity', seqs).logDensity;
  }
  /** Their sums per sequence [S]; 0 for a sequence of one observation or none. */
  logLikelihoods(seqs: Sequences): Float64Array {
    const { logDensity, lengths } = this.scored('logLikelihoods', seqs);
    let at = 0;
    return Float64Array.from(lengths, (length) => {
      let sum = 0;
      for (const end = at + Math.max(length - 1, 0); at < end; at++) sum += logDensity[at]!;
      return sum;
    });
  }
  logLikelihood(seqs: Sequences): number {
    return total(this.scored('logLikelihood', seqs).logDensity);
  }

  /** What a pass through the network leaves behind. `initialState`: per layer [H] or [S, H], of lstm 2H: h then c. */
  forward(seqs: Sequences, options?: { readonly initialState?: readonly Real[] }): NetworkForward {
    const { initialState } = check.options('MixtureDensityNetwork.forward', options, ['initialState']);
    const { lengths, ...traces } = this.scored('forward', seqs, initialState, true);
    return traces;
  }

  /**
   * The loss and its gradient by every parameter and by the initial state, exact backpropagation through time; or, with
   * `truncate`, in which no gradient flows back over more than so many steps (counted from the start of a sequence).
   */
  lossGradient(
    seqs: Sequences,
    options?: { readonly initialState?: readonly Real[]; readonly truncate?: number },
  ): NetworkGradient {
    const where = 'MixtureDensityNetwork.lossGradient';
    const { initialState, truncate } = check.options(where, options, ['initialState', 'truncate']);
    const most = truncate === undefined ? undefined : check.count(where, 'truncate', truncate);
    const ragged = this.read(where, 'seqs', seqs);
    const single = ragged.values instanceof Float32Array;
    const S = ragged.lengths.length;
    const initial = this.initial(where, initialState, S, single);
    const place = this.place(where, single);
    const dInitialState = initial.room();
    const flat = check.room(where, this.architecture.size) as Float64Array;
    const gradient = this.architecture.named(flat);
    let loss = 0;
    for (const part of this.parts(where, ragged)) {
      const states = initial.of(part);
      const { layers, raw } = runNow(forward(place, part, states));
      const { logDensity, dRaw } = this.tried(where, part, raw, (head) => head.lossGradient(place.room, part, raw));
      loss -= total(logDensity);
      const spans = most === undefined ? part.lengths : spansOf(part.lengths, most);
      initial.add(part, runNow(backward(place, part, layers, dRaw, gradient, { spans })), dInitialState);
    }
    const at = flat.findIndex((v) => !Number.isFinite(v));
    const lost = at >= 0 || dInitialState.some((values) => !values.every(Number.isFinite));
    if (lost) {
      const slot = this.architecture.slots.findLast((slot) => at >= slot.at);
      const by = slot?.name ?? 'initialState';
      throw new SeqlikError('NON_FINITE', `${where}: the gradient by ${by} overflows`, { argument: 'parameters' });
    }
    return { loss, gradient, dInitialState };
  }

  /** Before any observation. Throws nothing but DISPOSED. */
  start(): State {
    return this.stepper().start();
  }
  /**
   * Takes in one observation x [dimension]: `logDensity` of it under the last prediction (undefined at the first), the
   * state after it, and the distribution of the next one, in units of the data. The same numbers as a batch, to the bit.
   * Throws DIMENSION_MISMATCH, NON_FINITE, INVALID_ARGUMENT, NOT_POSITIVE_DEFINITE.
   */
  step(state: State, x: Vector): { state: State; logDensity?: number; distribution: Distribution<Float64Array> } {
    const where = 'MixtureDensityNetwork.step';
    const given = readStep(where, this.architecture, state, x); // code of the caller's may run, and dispose of this
    return this.stepper().step(where, given.state, given.x);
  }
  /**
   * A sequence drawn from the network [steps, dimension], after `prefix` (observations it follows; without one zeros of
   * the network's units count as observed: the mean of the data it was fitted to). `bias` >= 0 makes it neater (Graves 2013, section 5.4): logits times 1 + bias, standard
   * deviations times exp(-bias).
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
    const prefix = given.prefix === undefined ? new Float64Array(0) : this.prefix(where, given.prefix);
    return this.stepper().sample(where, count, seed, bias, prefix);
  }

  toBytes(): Uint8Array {
    const { architecture: a, units: standardization, minStandardDeviation } = this;
    const { dimension, components, mapping, cell, inputSkip, binary } = a;
    const facts = {
      dimension,
      hidden: a.hidden.join(),
      components,
      mapping,
      cell,
      inputSkip,
      binary,
      minStandardDeviation,
    };
    const metadata = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)]));
    return encode(this.kind, { ...metadata, ...encodeColumns(this.columns) }, tensorsOf(a, this.flat, standardization));
  }
  /** Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND. */
  static fromBytes(bytes: Uint8Array, options?: OnBackend): MixtureDensityNetwork {
    const { backend } = check.options('MixtureDensityNetwork.fromBytes', options, ['backend']);
    const file = decode(bytes, 'mixture-density-network');
    const own = orMalformed(() => ({
      ...fromFile(file),
      minStandardDeviation: numberOf(file, 'minStandardDeviation') ?? 0,
    }));
    const on = { ...decodeColumns(file), ...(backend !== undefined && { backend: backend as Backend }) };
    return orMalformed(() => new MixtureDensityNetwork(own, on));
  }

  /**
   * The network of greatest likelihood that gradient descent finds (docs/math.md § training). Sequences of one
   * observation teach nothing. Data on a grid: see minStandardDeviation.
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, ABORTED, DIVERGED (checkpoint).
   */
  static async fit(
    seqs: Sequences,
    options: NetworkFitOptions,
  ): Promise<{ model: MixtureDensityNetwork; report: TrainingReport }> {
    const { network, report, backend, columns } = await trained('MixtureDensityNetwork.fit', seqs, options);
    return { model: new MixtureDensityNetwork(network, { backend, ...(columns && { columns }) }), report };
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

  private stepper(): Stepper {
    this.live();
    this.stepping ??= new Stepper(this.backend, this.ready(false), this.floor, this.units);
    return this.stepping;
  }
  private ready(single: boolean): Weights {
    this.live();
    const dtype = single ? 'f32' : 'f64';
    this.weights[dtype] ??= new Weights(this.backend, this.architecture, this.flat, single);
    return this.weights[dtype];
  }
  private place(where: string, single: boolean): Place {
    return { backend: this.backend, weights: this.ready(single), room: new Workspace(where, single) };
  }
  private read(where: string, argument: string, seqs: unknown): Ragged {
    const ragged = sequences(where, argument, seqs, this.dimension);
    binaryTargets(where, argument, ragged.values, this.dimension, this.architecture.head);
    return ragged;
  }
  private prefix(where: string, given: unknown): Float64Array {
    const { dimension } = this;
    const { values, n } = check.points(where, 'prefix', given, dimension);
    check.finiteRows(where, 'prefix', { values, n }, dimension);
    binaryTargets(where, 'prefix', values, dimension, this.architecture.head);
    return Float64Array.from(values);
  }
  private parts(where: string, ragged: Ragged): Iterable<Part> {
    return partsOf(where, ragged, this.dimension, this.units);
  }
  private initial(where: string, given: unknown, S: number, single: boolean): Initial {
    return new Initial(where, given, this.architecture, S, single);
  }

  private scored(name: string, seqs: Sequences, initialState?: unknown, keep = false) {
    const where = `MixtureDensityNetwork.${name}`;
    const ragged = this.read(where, 'seqs', seqs);
    const { lengths } = ragged;
    const single = ragged.values instanceof Float32Array;
    const initial = this.initial(where, initialState, lengths.length, single);
    const place = this.place(where, single);
    const T = lengths.reduce((sum, length) => sum + Math.max(length - 1, 0), 0);
    const logDensity = check.room(where, T, single);
    const raw = keep ? check.room(where, T * this.outputs, single) : undefined;
    const hidden = keep ? this.hidden.map((H) => check.room(where, T * H, single)) : [];
    for (const part of this.parts(where, ragged)) {
      const pass = runNow(forward(place, part, initial.of(part)));
      logDensity.set(
        this.tried(where, part, pass.raw, (head) => head.forward(place.room, part, pass.raw)),
        part.term,
      );
      raw?.set(pass.raw, part.term * this.outputs);
      for (const [n, to] of hidden.entries()) to.set((pass.layers[n] as Trace).h, part.term * this.hidden[n]!);
    }
    return { loss: 0 - total(logDensity), logDensity, raw: raw as Real, hidden, lengths };
  }
  private tried<R>(where: string, part: Part, raw: Real, pass: (head: Head) => Pass<R>): R {
    try {
      return runNow(pass(this.head));
    } catch (error) {
      throw this.head.told(where, error, part, raw, (row) => part.term + row);
    }
  }
}
