/**
 * A two-layer net with sigmoid outputs (docs/math/dense.md). Its passes are classifier/pass.ts, its learning is
 * classifier/fit.ts and, row by row, classifier/descend.ts.
 */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Matrix, Points, Real, Scoring, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError, callError } from '../../errors.ts';
import {
  decode,
  decodeColumns,
  encode,
  encodeColumns,
  malformed,
  numberOf,
  orMalformed,
  refuseOthers,
  sizeOf,
  tensorOf,
} from '../../file.ts';
import type { DType } from '../../grammar.ts';
import type { TrainingReport } from '../../training/report.ts';
import { type CalibrationReport, calibrateLogits } from '../classifier/calibration.ts';
import { crossEntropy, type Entropies, markRows, takeOverflows, toLossError } from '../classifier/entropy.ts';
import { readClassWeights } from '../classifier/targets.ts';
import { Model, type OnBackend } from '../model.ts';
import { Weights } from '../weights.ts';
import { runNow } from '../work.ts';
import { Workspace } from '../workspace.ts';
import { descend } from './classifier/descend.ts';
import { type Examples, readExamples } from './classifier/examples.ts';
import { fitTwoLayers, type TwoLayerFitOptions, total } from './classifier/fit.ts';
import { type Layers, readTwoLayers, type TwoLayerParameters } from './classifier/layers.ts';
import { type Activations, backward, forward, type PassContext } from './classifier/pass.ts';

export type { TwoLayerFitOptions } from './classifier/fit.ts';
export type { TwoLayerParameters } from './classifier/layers.ts';

/** Results of `predict`, in the dtype of the data. */
export interface Prediction {
  /** [n, outputs] */
  logits: Real;
  /** sigmoid(logits) [n, outputs]: independent of each other, they need not sum to 1. */
  probabilities: Real;
}
/** The backend of a two-layer classifier, and names of its inputs and outputs. */
export interface TwoLayerOn extends OnBackend {
  /** Names of the inputs, if they are known. */
  readonly columns?: readonly string[];
  /** Names of the outputs, if they are known. */
  readonly labels?: readonly string[];
}
/** The weights of a loss. */
export interface TwoLayerLossOptions {
  /** The weight of each output's cross-entropy [outputs] >= 0; default 1. */
  readonly classWeights?: Vector;
  /** The weight of each row [n] >= 0; default 1. */
  readonly sampleWeights?: Vector;
}
/** Results of `lossGradient`. */
export interface TwoLayerGradient extends Prediction {
  /** The weighted sum of the cross-entropies. */
  loss: number;
  /** The derivative of the loss by V [hidden, inputs + 1]. */
  dV: Float64Array;
  /** The derivative of the loss by W [outputs, hidden + 1]. */
  dW: Float64Array;
}

/** Rows of one pass, which bounds its memory. */
const ROWS = 4096;

/**
 * A net of one hidden layer, and outputs that are probabilities of their own: hidden = tanh(V [x; 1]), logits =
 * W [hidden; 1], probabilities = sigmoid(logits). The loss is the sum of binary cross-entropies over rows and outputs
 * (docs/math/dense.md). Computes in f32 for Float32Array data, else in f64; parameters are kept in f64.
 *
 * @example
 * const xor = new TwoLayerClassifier({ V: [[9, 9, -4], [9, 9, -13]], W: [[9, -9, -9]] });
 * xor.predict([[0, 0], [0, 1], [1, 0], [1, 1]]).probabilities.map(Math.round); // Float64Array(4) [ 0, 1, 1, 0 ]
 */
export class TwoLayerClassifier extends Model {
  /** The kind of model, as files and commands call it. */
  readonly kind = 'two-layer-classifier';
  /** The backend that its kernels run on. */
  readonly backend: Backend;
  /** Names of the inputs, if they are known. */
  readonly columns: readonly string[] | undefined;
  /** Names of the outputs, if they are known. */
  readonly labels: readonly string[] | undefined;
  /** The probabilities are sigmoid(logits / temperature). */
  readonly temperature: number;
  private readonly layers: Layers;
  private readonly flat: Float64Array;
  private readonly weights: { [D in DType]?: Weights<D, Layers> } = {};

  /**
   * V [hidden, inputs + 1] and W [outputs, hidden + 1]; the last column of each is a bias. `hidden` is needed if both
   * are flat. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE (argument: V, W, hidden or the option at fault).
   *
   * @example
   * new TwoLayerClassifier({ V: [1, 0, 0, 1, 0, 0], W: [1, 1, 0], hidden: 2 }).inputs; // 2
   */
  constructor(parameters: TwoLayerParameters, on?: TwoLayerOn) {
    super();
    const where = 'TwoLayerClassifier';
    const { backend, columns, labels } = check.options(where, on, ['backend', 'columns', 'labels']);
    const { layers, flat, temperature } = readTwoLayers(where, parameters);
    this.layers = layers;
    this.flat = flat;
    this.temperature = temperature;
    this.columns = check.names(where, 'columns', columns, layers.inputs);
    this.labels = check.names(where, 'labels', labels, layers.outputs);
    this.backend = check.backend(where, backend, defaultBackend);
  }
  /** Inputs of a row, without the 1. */
  get inputs(): number {
    return this.layers.inputs;
  }
  /** Hidden units. */
  get hidden(): number {
    return this.layers.hidden;
  }
  /** Outputs. */
  get outputs(): number {
    return this.layers.outputs;
  }
  /** The length of V and W together. */
  get parameterCount(): number {
    return this.layers.size;
  }
  /** The argument of the constructor, a fresh copy. */
  get parameters(): { V: Float64Array; W: Float64Array; hidden: number; temperature: number } {
    const { hidden, temperature } = this;
    return { ...this.layers.matrices('TwoLayerClassifier', this.flat), hidden, temperature };
  }

  /**
   * Logits and probabilities of rows x [n, inputs]. `unscorable: 'mark'`: a row whose logits overflow has logits of
   * -Infinity, and probabilities of 0. Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row), DISPOSED.
   *
   * @example
   * new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).predict([3]).probabilities; // Float64Array(1) [ 0.5 ]
   */
  predict(x: Points, options?: Scoring): Prediction {
    const where = 'TwoLayerClassifier.predict';
    const mark = check.marking(where, check.options(where, options, ['unscorable']).unscorable);
    const rows = check.points(where, 'x', x, this.inputs);
    check.finiteRows(where, 'x', rows, this.inputs);
    const y = check.alike(rows.values, rows.n * this.outputs);
    return this.evaluate(where, { x: rows.values, y, n: rows.n }, undefined, undefined, mark).prediction;
  }
  /**
   * The weighted sum of the cross-entropies of rows x [n, inputs] with targets y [n, outputs], in f64. Throws as predict
   * does, INVALID_ARGUMENT also for a target outside [0, 1] (row, column) and for the weights.
   *
   * @example
   * new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).loss([3], [1]) === Math.log(2); // true
   */
  loss(x: Points, y: Matrix, options?: TwoLayerLossOptions): number {
    const where = 'TwoLayerClassifier.loss';
    const { examples, weights } = this.read(where, x, y, options);
    return this.evaluate(where, examples, weights).loss;
  }
  /**
   * The loss, its derivatives by V and W in f64, and the predictions. Throws as loss does, NON_FINITE (argument
   * `parameters`) for a gradient that overflows.
   *
   * @example
   * new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).lossGradient([0], [1]).dW; // Float64Array(2) [ 0, -0.5 ]
   */
  lossGradient(x: Points, y: Matrix, options?: TwoLayerLossOptions): TwoLayerGradient {
    const where = 'TwoLayerClassifier.lossGradient';
    const { layers } = this;
    const gradient = check.room(where, layers.size);
    const { examples, weights } = this.read(where, x, y, options);
    const { loss, prediction } = this.evaluate(where, examples, weights, (context, rows, activations, { dLogits }) =>
      runNow(backward(context, rows, activations, dLogits, layers.split(gradient))),
    );
    if (!gradient.every(Number.isFinite))
      throw callError('NON_FINITE', where, 'the gradient by V or W overflows', { argument: 'parameters' });
    const { V: dV, W: dW } = layers.matrices(where, gradient);
    return { loss, ...prediction, dV, dW };
  }

  /**
   * Descent one row at a time: for each index of `order` (default: every row once, as they stand) the gradient of that
   * row alone, times `learningRate`, is taken off V and W. Returns the new model, and the loss of each row visited
   * before its step. Computes in the dtype of x, to which the parameters are then rounded. A calibrated classifier
   * learns by its logits, and comes out with temperature 1. Throws as loss does, INVALID_ARGUMENT for order and
   * learningRate, DIVERGED.
   *
   * @example
   * const net = new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] });
   * const { model, losses } = net.sgd([[0], [1]], [[0], [1]], { order: [0, 1, 0], learningRate: 0.1 });
   * [losses.length, model.loss([0], [0]) < net.loss([0], [0])]; // [ 3, true ]
   */
  sgd(
    x: Points,
    y: Matrix,
    options: { readonly order?: ArrayLike<number>; readonly learningRate: number },
  ): { model: TwoLayerClassifier; losses: Float64Array } {
    const where = 'TwoLayerClassifier.sgd';
    const given = check.options(where, options, ['order', 'learningRate']);
    const learningRate = check.positive(where, 'learningRate', given.learningRate);
    const examples = readExamples(where, x, y, this.layers);
    const order =
      given.order === undefined
        ? Int32Array.from({ length: examples.n }, (_, i) => i)
        : check.indices(where, 'order', given.order, examples.n);
    this.live();
    const flat = this.flat.slice();
    const losses = descend(where, this.backend, this.layers, flat, examples, order, learningRate);
    const parameters = { ...this.layers.matrices(where, flat), hidden: this.hidden };
    return { model: new TwoLayerClassifier(parameters, this.on()), losses };
  }

  /**
   * A classifier with the same logits, whose temperature minimises the cross-entropy of x and y (Guo et al. 2017): data
   * it was not fitted to. The report has cross-entropy and expected calibration error before and after; the
   * cross-entropy never rises. Throws as loss does, EMPTY_INPUT for no targets.
   *
   * @example
   * const sure = new TwoLayerClassifier({ V: [[9, 0]], W: [[9, 0]] });
   * const { model, report } = sure.calibrate([[1], [1], [1]], [1, 1, 0]);
   * [report.temperature.toFixed(1), model.predict([1]).probabilities[0].toFixed(2)]; // [ '13.0', '0.67' ]
   */
  calibrate(x: Points, y: Matrix): { model: TwoLayerClassifier; report: CalibrationReport } {
    const where = 'TwoLayerClassifier.calibrate';
    const examples = readExamples(where, x, y, this.layers);
    if (examples.n === 0)
      throw argumentError('EMPTY_INPUT', where, 'y', { expected: 'at least one target', received: 'none' });
    const { logits } = this.evaluate(where, examples).prediction;
    const report = calibrateLogits(logits, examples.y, this.temperature);
    const parameters = { ...this.parameters, temperature: report.temperature };
    return { model: new TwoLayerClassifier(parameters, this.on()), report };
  }

  /**
   * The classifier as a file: safetensors with a checksum (docs/format.md).
   *
   * @example
   * const net = new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] });
   * TwoLayerClassifier.fromBytes(net.toBytes()).parameters.V; // Float64Array(2) [ 1, 0 ]
   */
  toBytes(): Uint8Array {
    const { parameters, labels, columns } = this;
    const { V, W, temperature } = parameters;
    const metadata = { temperature: String(temperature), ...(labels && { labels: JSON.stringify(labels) }) };
    return encode(
      this.kind,
      { ...metadata, ...encodeColumns(columns) },
      {
        V: { shape: [this.hidden, this.inputs + 1], values: V },
        W: { shape: [this.outputs, this.hidden + 1], values: W },
      },
    );
  }
  /**
   * Reads what toBytes wrote. Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND.
   *
   * @example
   * const bytes = new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).toBytes();
   * TwoLayerClassifier.fromBytes(bytes).hidden; // 1
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer, options?: OnBackend): TwoLayerClassifier {
    const { backend } = check.options('TwoLayerClassifier.fromBytes', options, ['backend']);
    const file = decode('TwoLayerClassifier.fromBytes', bytes, 'two-layer-classifier');
    refuseOthers(file, ['V', 'W']);
    const hidden = sizeOf(file, 'V', 2);
    const V = tensorOf(file, 'V', [hidden, sizeOf(file, 'V', 2, 1)]);
    const W = tensorOf(file, 'W', [sizeOf(file, 'W', 2), hidden + 1]);
    const temperature = numberOf(file, 'temperature') ?? 1;
    const named = { ...decodeColumns(file), ...decodeLabels(file.metadata) };
    const on = { ...named, ...(backend !== undefined && { backend: backend as Backend }) };
    return orMalformed(() => new TwoLayerClassifier({ V, W, hidden, temperature }, on));
  }

  /**
   * Fits a net to rows x [n, inputs] with targets y [n, outputs] in [0, 1] by mini-batches, from weights drawn with the
   * seed, N(0, 1/inputs of the layer), or from `init`; the best epoch by the held-out rows is returned
   * (docs/math/training.md). Throws EMPTY_INPUT, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, ABORTED (cause),
   * DIVERGED (checkpoint).
   *
   * @example
   * const x = [[0, 0], [0, 1], [1, 0], [1, 1]];
   * const options = { inputs: 2, hidden: 4, outputs: 1, validation: 0, learningRate: 0.1, maxIterations: 200 };
   * const { model } = await TwoLayerClassifier.fit(x, [0, 1, 1, 0], options);
   * model.predict(x).probabilities.map(Math.round); // Float64Array(4) [ 0, 1, 1, 0 ]
   */
  static async fit(
    x: Points,
    y: Matrix,
    options: TwoLayerFitOptions,
  ): Promise<{ model: TwoLayerClassifier; report: TrainingReport }> {
    const where = 'TwoLayerClassifier.fit';
    const { layers, flat, report, backend, names } = await fitTwoLayers(where, x, y, options);
    const parameters = { ...layers.matrices(where, flat), hidden: layers.hidden };
    return { model: new TwoLayerClassifier(parameters, { backend, ...names }), report };
  }

  protected override summary(): object {
    const { inputs, hidden, outputs } = this;
    return { inputs, hidden, outputs };
  }
  protected release(): void {
    this.weights.f64?.dispose();
    this.weights.f32?.dispose();
  }

  /** The backend and the names, for a classifier with other parameters. */
  private on(): TwoLayerOn {
    const { backend, columns, labels } = this;
    return { backend, ...(columns && { columns }), ...(labels && { labels }) };
  }
  private read(where: string, x: unknown, y: unknown, options: unknown): { examples: Examples; weights: Weighting } {
    const given = check.options(where, options, ['classWeights', 'sampleWeights']);
    const classes = readClassWeights(where, given.classWeights, this.outputs);
    const examples = readExamples(where, x, y, this.layers);
    return { examples, weights: { classes, rows: check.weights(where, given.sampleWeights, examples.n) } };
  }
  private weightsOf(dtype: DType): Weights<DType, Layers> {
    this.live();
    const weights = this.weights as { [D in DType]?: Weights<DType, Layers> };
    return (weights[dtype] ??= new Weights<DType, Layers>(this.backend, this.layers, this.flat, dtype));
  }
  /** Evaluates rows in order; `use` sees the results of each pass before its memory is used again. */
  private evaluate(
    where: string,
    { x, y, n }: Examples,
    weights?: Weighting,
    use?: (context: PassContext, x: Real, activations: Activations, entropies: Entropies) => void,
    mark = false,
  ): { loss: number; prediction: Prediction } {
    const { inputs, outputs, backend, temperature } = this;
    const dtype = check.dtypeOf(x);
    const logits = check.alike(x, n * outputs);
    const probabilities = check.alike(x, n * outputs);
    const classes = check.room(where, outputs, dtype).fill(1);
    if (weights) classes.set(weights.classes);
    const context = { backend, weights: this.weightsOf(dtype), room: new Workspace(where, dtype, true) };
    const { room } = context;
    let loss = 0;
    for (let from = 0; from < n; from += ROWS) {
      room.restart();
      const end = Math.min(from + ROWS, n);
      const part = x.subarray(from * inputs, end * inputs);
      const activations = runNow(forward(context, part, end - from));
      const rows = room.array(end - from).fill(1);
      if (weights) rows.set(weights.rows.subarray(from, end));
      const lost = mark ? takeOverflows(activations.logits, outputs, temperature) : [];
      const targets = y.subarray(from * outputs, end * outputs);
      const each = { rows, classes, temperature };
      const entropies = this.withUserErrors(where, from, () =>
        runNow(crossEntropy(backend, room, outputs, activations.logits, targets, each)),
      );
      loss += total(entropies.loss);
      markRows(lost, outputs, activations.logits, entropies.probabilities);
      logits.set(activations.logits, from * outputs);
      probabilities.set(entropies.probabilities, from * outputs);
      use?.(context, part, activations, entropies);
    }
    return { loss, prediction: { logits, probabilities } };
  }
  private withUserErrors<R>(where: string, from: number, run: () => R): R {
    try {
      return run();
    } catch (error) {
      throw toLossError(where, error, (row) => from + row);
    }
  }
}
/** The weights of the loss of rows. */
interface Weighting {
  readonly rows: Float64Array;
  readonly classes: Float64Array;
}
function decodeLabels({ labels }: Readonly<Record<string, string>>): { labels?: readonly string[] } {
  if (labels === undefined) return {};
  try {
    return { labels: JSON.parse(labels) as readonly string[] };
  } catch {
    throw malformed('its labels are not JSON');
  }
}
