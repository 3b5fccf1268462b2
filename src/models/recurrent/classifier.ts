/**
 * A recurrent classifier: one layer of ReLU over sequences, whose outputs are probabilities (docs/math/recurrent.md).
 * Its passes are stack/pass.ts, its loss is classifier/entropy.ts, its learning is classifier/fit.ts.
 */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Real, Scoring, Sequences, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError, callError } from '../../errors.ts';
import { decode, decodeColumns, encode, encodeColumns, orMalformed } from '../../file.ts';
import type { DType } from '../../grammar.ts';
import { allFinite } from '../../training/clip.ts';
import type { TrainingReport } from '../../training/report.ts';
import { type CalibrationReport, calibrateLogits } from '../classifier/calibration.ts';
import {
  crossEntropy,
  type Entropies,
  markRows,
  probabilitiesOf,
  takeOverflows,
  toLossError,
} from '../classifier/entropy.ts';
import { readClassWeights } from '../classifier/targets.ts';
import type { Prediction } from '../dense/classifier.ts';
import { Model, type OnBackend } from '../model.ts';
import { type Standardization, standardise } from '../standardization.ts';
import { Weights } from '../weights.ts';
import { runNow } from '../work.ts';
import { Workspace } from '../workspace.ts';
import { diagnosableOf } from './classifier/diagnosis.ts';
import { type Examples, type Part, partsOf, readExamples, rowsOf } from './classifier/examples.ts';
import { decodeRecurrent, encodeRecurrent } from './classifier/file.ts';
import { fitRecurrent, type RecurrentFitOptions, total } from './classifier/fit.ts';
import { OneSequence, type OneShape } from './classifier/one.ts';
import { type LossAt, lossAts, matricesOf, type RecurrentParameters, readRecurrent } from './classifier/parameters.ts';
import type { StackArchitecture } from './stack/architecture.ts';
import { DIAGNOSABLE, type Diagnosable } from './stack/diagnosable.ts';
import { InitialStates } from './stack/initial.ts';
import { backward, forward, type PassContext, type StackWeights, type Trace } from './stack/pass.ts';

export type { CalibrationReport } from '../classifier/calibration.ts';
export type { RecurrentFitOptions } from './classifier/fit.ts';
export type { LossAt, RecurrentParameters } from './classifier/parameters.ts';

/** The backend of a classifier, and names of its inputs and outputs. */
export interface ClassifierOn extends OnBackend {
  /** Names of the inputs, if they are known. */
  readonly columns?: readonly string[];
  /** Names of the outputs, if they are known. */
  readonly labels?: readonly string[];
  /** Name of the column that tells the sequences of a table apart: kept, and written into the file. */
  readonly sequenceColumn?: string;
}
/** Where a sequence begins, and where its outputs are. */
export interface RecurrentStart {
  /** The units before the first step, h0 [hidden] for all sequences or [sequences, hidden]; default zeros. */
  readonly h0?: Real | Vector | readonly (readonly number[])[];
  /** Default: that of the classifier. */
  readonly lossAt?: LossAt;
}
/** Options of a loss. */
export interface RecurrentLossOptions extends RecurrentStart {
  /** The weight of each output's cross-entropy [outputs] >= 0; default 1. */
  readonly classWeights?: Vector;
  /** The weight of each sequence [sequences] >= 0; default 1. */
  readonly sampleWeights?: Vector;
}
/** Options of a loss with its gradient. */
export interface RecurrentGradientOptions extends RecurrentLossOptions {
  /** Whether the derivative by x is wanted; default true. */
  readonly dx?: boolean;
}
/** Results of `forward`, in the dtype of the data. */
export interface RecurrentForward extends Prediction {
  /** The hidden units after each step [steps, hidden]; the slope of a unit there is 1 where it is > 0, else 0. */
  hidden: Real;
}
/** Results of `lossGradient`. */
export interface RecurrentGradient extends Prediction {
  /** The weighted sum of the cross-entropies. */
  loss: number;
  /** The derivative of the loss by U [hidden, hidden], V [hidden, inputs] and W [outputs, hidden], in f64. */
  dU: Float64Array;
  dV: Float64Array;
  dW: Float64Array;
  /** The derivative by x [steps, inputs], in the dtype of the data; empty if it is not wanted. */
  dx: Real;
  /** The derivative by h0, in its shape; [sequences, hidden] if none was given. */
  dh0: Real;
}

/**
 * A layer of rectified linear units over a sequence, and outputs that are probabilities of their own: h[t] =
 * max(0, U h[t-1] + V x[t]), logits = W h, probabilities = sigmoid(logits), after the last step or after each
 * (`lossAt`). There is no bias: append an input that is always 1. The loss is the sum of binary cross-entropies over
 * sequences (or steps) and outputs. Computes in f32 for Float32Array data, else in f64; parameters are kept in f64.
 *
 * @example
 * // counts the ones: h[t] = h[t-1] + x[t]
 * const counter = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[1]] });
 * counter.predict([1, 0, 1]).logits; // Float64Array(1) [ 2 ]
 */
export class RecurrentClassifier extends Model {
  /** The kind of model, as files and commands call it. */
  readonly kind = 'recurrent-classifier';
  /** The backend that its kernels run on. */
  readonly backend: Backend;
  /** Names of the inputs, if they are known. */
  readonly columns: readonly string[] | undefined;
  /** Names of the outputs, if they are known. */
  readonly labels: readonly string[] | undefined;
  /** Name of the column that tells the sequences of a table apart, if it is known. */
  readonly sequenceColumn: string | undefined;
  /** Where there are outputs: after the last step of each sequence, or at all steps. */
  readonly lossAt: LossAt;
  /** The probabilities are sigmoid(logits / temperature). */
  readonly temperature: number;
  private readonly stack: StackArchitecture;
  private readonly flat: Float64Array;
  private readonly units: Standardization | undefined;
  private readonly weights: { [D in DType]?: StackWeights<D> } = {};
  private readonly rooms: { [D in DType]?: Workspace } = {};
  private readonly ones: { [D in DType]?: Ones } = {};

  /**
   * U [hidden, hidden], V [hidden, inputs], W [outputs, hidden], flat or nested. Throws INVALID_ARGUMENT,
   * DIMENSION_MISMATCH, NON_FINITE (argument: U, V, W or the option at fault).
   *
   * @example
   * new RecurrentClassifier({ U: [0, 1, 1, 0], V: [1, 2], W: [3, 4] }).hidden; // 2
   */
  constructor(parameters: RecurrentParameters, on?: ClassifierOn) {
    super();
    const where = 'RecurrentClassifier';
    const given = check.options(where, on, ['backend', 'columns', 'labels', 'sequenceColumn']);
    const { backend, columns, labels, sequenceColumn } = given;
    const { stack, flat, lossAt, temperature, standardization } = readRecurrent(where, parameters);
    this.stack = stack;
    this.flat = flat;
    this.lossAt = lossAt;
    this.temperature = temperature;
    this.units = standardization;
    this.columns = check.names(where, 'columns', columns, stack.inputs);
    this.labels = check.names(where, 'labels', labels, stack.outputs);
    this.sequenceColumn =
      sequenceColumn === undefined ? undefined : check.text(where, 'sequenceColumn', sequenceColumn);
    this.backend = check.backend(where, backend, defaultBackend);
  }
  /** Inputs of a step. */
  get inputs(): number {
    return this.stack.inputs;
  }
  /** Hidden units. */
  get hidden(): number {
    return this.stack.hidden[0]!;
  }
  /** Outputs. */
  get outputs(): number {
    return this.stack.outputs;
  }
  /** The units of the inputs, unless they are those of the data: a fresh copy. */
  get standardization(): Standardization | undefined {
    return this.units && { mean: this.units.mean.slice(), standardDeviation: this.units.standardDeviation.slice() };
  }
  /** The length of U, V and W together. */
  get parameterCount(): number {
    return this.stack.size;
  }
  /** A fresh copy of what the constructor was given: U, V, W, lossAt, temperature, standardization. */
  get parameters(): Omit<RecurrentParameters, 'U' | 'V' | 'W'> & Record<'U' | 'V' | 'W', Float64Array> {
    const { lossAt, temperature, standardization } = this;
    const matrices = matricesOf(this.stack, this.flat.slice());
    return { ...matrices, lossAt, temperature, ...(standardization && { standardization }) };
  }

  /**
   * Logits and probabilities of sequences x: a row for each sequence [sequences, outputs], or with `lossAt` all for each
   * step [steps, outputs]. Without a step, those of h0. `unscorable: 'mark'`: a row whose logits overflow has logits of
   * -Infinity and probabilities of 0; where the units overflow, so do all rows from there to the end of the sequence.
   * Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row), DISPOSED.
   *
   * @example
   * const classifier = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[1]] });
   * classifier.predict([[0], [3]], { lossAt: 'all' }).logits; // Float64Array(2) [ 0, 3 ]
   */
  predict(x: Sequences, options?: RecurrentStart & Scoring): Prediction {
    const { logits, probabilities } = this.score('RecurrentClassifier.predict', x, options, false);
    return { logits, probabilities };
  }
  /**
   * The same, and the hidden units after each step; units that have overflowed are 0 if they are marked. Throws as
   * predict does.
   *
   * @example
   * const classifier = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[1]] });
   * classifier.forward([[2], [-3]]).hidden; // Float64Array(2) [ 2, 0 ]
   */
  forward(x: Sequences, options?: RecurrentStart & Scoring): RecurrentForward {
    return this.score('RecurrentClassifier.forward', x, options, true);
  }
  /**
   * The sum of the cross-entropies of sequences x with targets y in [0, 1]: [sequences, outputs], or with `lossAt` all
   * [steps, outputs]. In f64. Throws as predict does, INVALID_ARGUMENT also for a target outside [0, 1] (row, column).
   *
   * @example
   * const classifier = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[1]] });
   * classifier.loss([0], [1]) === Math.log(2); // true
   */
  loss(x: Sequences, y: Sequences, options?: RecurrentLossOptions): number {
    return this.lossOf('RecurrentClassifier.loss', x, y, options).loss;
  }
  /**
   * The loss, its derivatives by U, V, W, x and h0, by exact backpropagation through time, and the predictions. The
   * slope of a unit whose pre-activation is exactly 0 is 0. Throws as loss does, NON_FINITE (argument `parameters`) for
   * a gradient that overflows.
   *
   * @example
   * const classifier = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[0]] });
   * classifier.lossGradient([2], [1]).dW; // Float64Array(1) [ -1 ]
   */
  lossGradient(x: Sequences, y: Sequences, options?: RecurrentGradientOptions): RecurrentGradient {
    const where = 'RecurrentClassifier.lossGradient';
    const { stack } = this;
    const gradient = check.room(where, stack.size);
    const named = stack.splitByName(gradient);
    let dx: Real | undefined;
    let dh0: Real[] | undefined;
    const result = this.lossOf(
      where,
      x,
      y,
      options,
      ({ context, part, layers, entropies, examples, initial, lossAt, wantsDx }) => {
        dx ??= check.alike(examples.values, wantsDx ? examples.values.length : 0);
        dh0 ??= initial.gradient();
        const dInputs = dx.subarray(part.step * stack.inputs, (part.step + part.steps) * stack.inputs);
        const how = { at: lossAt, ...(wantsDx && { dInputs }) };
        const dStates = runNow(backward(context, part, layers, entropies.dLogits, named, how));
        initial.addGradient(part, dStates, dh0);
      },
    );
    const { units } = this;
    dx ??= check.alike(result.examples.values, 0);
    if (units) for (let i = 0; i < dx.length; i++) dx[i]! /= units.standardDeviation[i % stack.inputs]!;
    const [state] = dh0 ?? result.initial.gradient();
    if (![gradient, dx, state!].every(allFinite))
      throw callError('NON_FINITE', where, 'the gradient overflows', { argument: 'parameters' });
    const { U: dU, V: dV, W: dW } = matricesOf(stack, gradient);
    const { loss, logits, probabilities } = result;
    return { loss, logits, probabilities, dU, dV, dW, dx, dh0: state! };
  }

  /**
   * A classifier with the same logits, whose temperature minimises the cross-entropy of x and y (Guo et al. 2017): data
   * it was not fitted to. The report has cross-entropy and expected calibration error before and after; the
   * cross-entropy never rises. Throws as loss does, EMPTY_INPUT for no targets.
   *
   * @example
   * const sure = new RecurrentClassifier({ U: [[0]], V: [[1]], W: [[9]] });
   * const { model, report } = sure.calibrate([[[1]], [[1]], [[1]]], [1, 1, 0]);
   * [report.temperature.toFixed(1), model.predict([1]).probabilities[0].toFixed(2)]; // [ '13.0', '0.67' ]
   */
  calibrate(x: Sequences, y: Sequences): { model: RecurrentClassifier; report: CalibrationReport } {
    const where = 'RecurrentClassifier.calibrate';
    const { logits, examples } = this.lossOf(where, x, y, undefined);
    if (logits.length === 0)
      throw argumentError('EMPTY_INPUT', where, 'y', { expected: 'at least one target', received: 'none' });
    const report = calibrateLogits(logits, examples.y, this.temperature);
    const { parameters, backend, columns, labels, sequenceColumn } = this;
    const named = sequenceColumn === undefined ? {} : { sequenceColumn };
    const names = { ...(columns && { columns }), ...(labels && { labels }), ...named };
    const { temperature } = report;
    return { model: new RecurrentClassifier({ ...parameters, temperature }, { backend, ...names }), report };
  }

  /**
   * The classifier as a file: safetensors with a checksum (docs/format.md).
   *
   * @example
   * const classifier = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[1]] });
   * RecurrentClassifier.fromBytes(classifier.toBytes()).parameters.W; // Float64Array(1) [ 1 ]
   */
  toBytes(): Uint8Array {
    const { metadata, tensors } = encodeRecurrent(this.stack, this.parameters, this);
    return encode(this.kind, { ...metadata, ...encodeColumns(this.columns) }, tensors);
  }
  /**
   * Reads what toBytes wrote. Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND.
   *
   * @example
   * const bytes = new RecurrentClassifier({ U: [[1]], V: [[1]], W: [[1]] }).toBytes();
   * RecurrentClassifier.fromBytes(bytes).inputs; // 1
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer, options?: OnBackend): RecurrentClassifier {
    const { backend } = check.options('RecurrentClassifier.fromBytes', options, ['backend']);
    const file = decode('RecurrentClassifier.fromBytes', bytes, 'recurrent-classifier');
    const { parameters, named } = orMalformed(() => decodeRecurrent(file));
    const on = { ...decodeColumns(file), ...named, ...(backend !== undefined && { backend: backend as Backend }) };
    return orMalformed(() => new RecurrentClassifier(parameters, on));
  }

  /**
   * Fits a classifier to sequences x with targets y in [0, 1]: [sequences, outputs], or with `lossAt` all [steps,
   * outputs]. Descends on the mean cross-entropy from parameters drawn with the seed or from `init`; the best epoch by
   * the held-out sequences is returned (docs/math/training.md). Inputs are standardised, except those that are constant.
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, ABORTED (checkpoint, cause), DIVERGED
   * (checkpoint).
   *
   * @example
   * const x = Array.from({ length: 40 }, (_, s) => Float64Array.of(1, s % 2, 1, s % 3));
   * const y = x.map((sequence) => sequence[1]);
   * const options = { inputs: 2, hidden: 4, outputs: 1, maxIterations: 30, learningRate: 0.05 };
   * const { model } = await RecurrentClassifier.fit(x, y, options);
   * model.loss(x, y) < 40 * Math.log(2); // true
   */
  static async fit(
    x: Sequences,
    y: Sequences,
    options: RecurrentFitOptions,
  ): Promise<{ model: RecurrentClassifier; report: TrainingReport }> {
    const { parameters, names, backend, report } = await fitRecurrent('RecurrentClassifier.fit', x, y, options);
    return { model: new RecurrentClassifier(parameters, { ...names, backend }), report };
  }

  /** @internal */
  [DIAGNOSABLE](): Diagnosable {
    this.live();
    const { backend, stack, flat, lossAt, temperature, units } = this;
    return diagnosableOf({ backend, stack, flat, lossAt, temperature, units });
  }

  protected override summary(): object {
    const { inputs, hidden, outputs, lossAt } = this;
    return { inputs, hidden, outputs, lossAt };
  }
  protected release(): void {
    this.weights.f64?.dispose();
    this.weights.f32?.dispose();
    this.ones.f64?.calls?.dispose();
    this.ones.f32?.calls?.dispose();
    delete this.rooms.f64;
    delete this.rooms.f32;
  }

  private contextOf(where: string, dtype: DType): PassContext {
    this.live();
    const weights = this.weights as { [D in DType]?: StackWeights };
    const own = (weights[dtype] ??= new Weights<DType, StackArchitecture>(this.backend, this.stack, this.flat, dtype));
    return { backend: this.backend, weights: own, room: (this.rooms[dtype] ??= new Workspace(where, dtype, true)) };
  }
  private score(
    where: string,
    x: Sequences,
    options: (RecurrentStart & Scoring) | undefined,
    keep: boolean,
  ): RecurrentForward {
    const given = check.options(where, options, ['h0', 'lossAt', 'unscorable']);
    const mark = check.marking(where, given.unscorable);
    const lossAt = check.choice(where, 'lossAt', check.or(given.lossAt, this.lossAt), lossAts);
    const ragged = check.sequences(where, 'x', x, this.inputs);
    const { lengths, values } = ragged;
    const dtype = check.dtypeOf(values);
    const one = !mark && given.h0 === undefined && !keep && this.oneOf(where, dtype, lengths, lossAt);
    if (one) return this.scoreOne(where, one, values);
    const initial = new InitialStates(where, given.h0, this.stack, lengths.length, dtype, 'h0');
    const rows = lengths.reduce((sum, length) => sum + rowsOf(lossAt, length), 0);
    const { outputs, hidden: H } = this;
    const logits = check.alike(values, rows * outputs);
    const probabilities = check.alike(values, rows * outputs);
    const hidden = check.alike(values, keep ? (values.length / this.inputs) * H : 0);
    const context = this.contextOf(where, dtype);
    for (const part of partsOf(where, ragged, this.stack, lossAt, this.units, mark)) {
      context.room.restart();
      const pass = runNow(forward(context, part, initial.statesOf(part), lossAt));
      if (mark) dropLostUnits(part, pass.layers[0]!.h, lossAt, pass.outputs);
      const lost = mark ? takeOverflows(pass.outputs, outputs, this.temperature) : [];
      const results = this.withUserErrors(where, part, () =>
        runNow(probabilitiesOf(context.backend, context.room, outputs, pass.outputs, this.temperature)),
      );
      markRows(lost, outputs, pass.outputs, results.probabilities);
      logits.set(pass.outputs, part.row * outputs);
      probabilities.set(results.probabilities, part.row * outputs);
      if (keep) hidden.set(pass.layers[0]!.h, part.step * H);
    }
    return { logits, probabilities, hidden };
  }
  /** The prepared calls for a sequence of this length, from the second one in a row on. */
  private oneOf(where: string, dtype: DType, lengths: Int32Array, lossAt: LossAt): OneSequence | undefined {
    const steps = lengths[0] ?? 0;
    if (lengths.length !== 1 || !OneSequence.suits({ steps, lossAt }, this.inputs, this.hidden)) return undefined;
    const { backend, weights } = this.contextOf(where, dtype);
    const last = this.ones[dtype];
    if (last?.shape.steps === steps && last.shape.lossAt === lossAt)
      return (last.calls ??= new OneSequence(backend, weights, last.shape));
    last?.calls?.dispose();
    this.ones[dtype] = { shape: { steps, lossAt } };
    return undefined;
  }
  private scoreOne(where: string, one: OneSequence, values: Real): RecurrentForward {
    one.x.set(values);
    if (this.units) standardise(where, 'x', one.x, this.units);
    try {
      const { logits, probabilities } = one.run(this.temperature);
      return { logits: logits.slice(), probabilities: probabilities.slice(), hidden: check.alike(values, 0) };
    } catch (error) {
      throw toLossError(where, error);
    }
  }
  /** Evaluates the loss part by part; `use` sees the results of each. */
  private lossOf(
    where: string,
    x: Sequences,
    y: Sequences,
    options: RecurrentGradientOptions | undefined,
    use?: (results: PartResults) => void,
  ) {
    const names = ['h0', 'lossAt', 'classWeights', 'sampleWeights', ...(use ? (['dx'] as const) : [])] as const;
    const given = check.options(where, options, names);
    const wantsDx = check.flag(where, 'dx', check.or(given.dx, true));
    const lossAt = check.choice(where, 'lossAt', check.or(given.lossAt, this.lossAt), lossAts);
    const { stack, outputs, temperature } = this;
    const classWeights = readClassWeights(where, given.classWeights, outputs);
    const examples = readExamples(where, x, y, stack, lossAt);
    const { values, lengths } = examples;
    const dtype = check.dtypeOf(values);
    const sampleWeights = check.weights(where, given.sampleWeights, lengths.length);
    const initial = new InitialStates(where, given.h0, stack, lengths.length, dtype, 'h0');
    const logits = check.alike(values, examples.y.length);
    const probabilities = check.alike(values, examples.y.length);
    const classes = check.room(where, outputs, dtype);
    classes.set(classWeights);
    const context = this.contextOf(where, dtype);
    let loss = 0;
    for (const part of partsOf(where, examples, stack, lossAt, this.units)) {
      context.room.restart();
      const pass = runNow(forward(context, part, initial.statesOf(part), lossAt));
      const rows = check.room(where, part.rows, dtype);
      let row = 0;
      for (const [s, length] of part.lengths.entries()) {
        const count = rowsOf(lossAt, length);
        rows.fill(sampleWeights[part.sequence + s]!, row, (row += count));
      }
      const targets = examples.y.subarray(part.row * outputs, (part.row + part.rows) * outputs);
      const entropies = this.withUserErrors(where, part, () =>
        runNow(
          crossEntropy(context.backend, context.room, outputs, pass.outputs, targets, { rows, classes, temperature }),
        ),
      );
      loss += total(entropies.loss);
      logits.set(pass.outputs, part.row * outputs);
      probabilities.set(entropies.probabilities, part.row * outputs);
      use?.({ context, part, layers: pass.layers, entropies, examples, initial, lossAt, wantsDx });
    }
    return { loss, logits, probabilities, examples, initial };
  }
  private withUserErrors<R>(where: string, { row }: Part, run: () => R): R {
    try {
      return run();
    } catch (error) {
      throw toLossError(where, error, (at) => row + at);
    }
  }
}
/** The shape of the last sequence predicted alone, and the calls prepared when it came again. */
interface Ones {
  readonly shape: OneShape;
  calls?: OneSequence;
}
interface PartResults {
  readonly context: PassContext;
  readonly part: Part;
  readonly layers: readonly Trace[];
  readonly entropies: Entropies;
  readonly examples: Examples;
  readonly initial: InitialStates;
  readonly lossAt: LossAt;
  readonly wantsDx: boolean;
}
/** Makes units 0 from the first step of each sequence on at which they are not finite, and their outputs infinite. */
function dropLostUnits({ lengths, steps }: Part, h: Real, lossAt: LossAt, outputs: Real): void {
  const H = h.length / steps;
  const o = outputs.length / (lossAt === 'final' ? lengths.length : steps);
  let from = 0;
  for (const [s, length] of lengths.entries()) {
    const end = from + length;
    const at = h.subarray(from * H, end * H).findIndex((v) => !Number.isFinite(v));
    if (at >= 0) {
      const lost = from + Math.floor(at / H);
      h.fill(0, lost * H, end * H);
      if (lossAt === 'final') outputs.fill(Number.POSITIVE_INFINITY, s * o, (s + 1) * o);
      else outputs.fill(Number.POSITIVE_INFINITY, lost * o, end * o);
    }
    from = end;
  }
}
