/**
 * A two-layer net with sigmoid outputs (docs/math/dense.md). Its passes are classifier/pass.ts, its learning is
 * classifier/fit.ts and, row by row, classifier/descend.ts.
 */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Matrix, Points, Real } from '../../check.ts';
import * as check from '../../check.ts';
import { callError } from '../../errors.ts';
import {
  decode,
  decodeColumns,
  encode,
  encodeColumns,
  orMalformed,
  refuseOthers,
  sizeOf,
  tensorOf,
} from '../../file.ts';
import type { DType } from '../../grammar.ts';
import type { TrainingReport } from '../../training/report.ts';
import { Model, type Named, type OnBackend } from '../model.ts';
import { Weights } from '../weights.ts';
import { runNow } from '../work.ts';
import { Workspace } from '../workspace.ts';
import { descend } from './classifier/descend.ts';
import { fitTwoLayers, type TwoLayerFitOptions, total } from './classifier/fit.ts';
import { type Layers, readTwoLayers, type TwoLayerParameters } from './classifier/layers.ts';
import { type Activations, backward, type Entropy, entropy, forward, type PassContext } from './classifier/pass.ts';
import { type Examples, readExamples } from './classifier/targets.ts';

export type { TwoLayerFitOptions } from './classifier/fit.ts';
export type { TwoLayerParameters } from './classifier/layers.ts';

/** Results of `predict`, in the dtype of the data. */
export interface Prediction {
  /** [n, outputs] */
  logits: Real;
  /** sigmoid(logits) [n, outputs]: independent of each other, they need not sum to 1. */
  probabilities: Real;
}
/** Results of `lossGradient`. */
export interface TwoLayerGradient extends Prediction {
  /** The sum of the cross-entropies. */
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
  constructor(parameters: TwoLayerParameters, options?: OnBackend & Named) {
    super();
    const where = 'TwoLayerClassifier';
    const { backend, columns } = check.options(where, options, ['backend', 'columns']);
    const { layers, flat } = readTwoLayers(where, parameters);
    this.layers = layers;
    this.flat = flat;
    this.columns = check.names(where, 'columns', columns, layers.inputs);
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
  /** V, W and hidden, a fresh copy. */
  get parameters(): { V: Float64Array; W: Float64Array; hidden: number } {
    return { ...this.layers.matrices('TwoLayerClassifier', this.flat), hidden: this.hidden };
  }

  /**
   * Logits and probabilities of rows x [n, inputs]. Throws DIMENSION_MISMATCH, INVALID_ARGUMENT, NON_FINITE (row),
   * DISPOSED.
   *
   * @example
   * new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).predict([3]).probabilities; // Float64Array(1) [ 0.5 ]
   */
  predict(x: Points): Prediction {
    const where = 'TwoLayerClassifier.predict';
    const rows = check.points(where, 'x', x, this.inputs);
    check.finiteRows(where, 'x', rows, this.inputs);
    const y = check.alike(rows.values, rows.n * this.outputs);
    return this.evaluate(where, { x: rows.values, y, n: rows.n }).prediction;
  }
  /**
   * The sum of the cross-entropies of rows x [n, inputs] with targets y [n, outputs], in f64. Throws as predict does,
   * INVALID_ARGUMENT also for a target outside [0, 1] (row, column).
   *
   * @example
   * new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).loss([3], [1]) === Math.log(2); // true
   */
  loss(x: Points, y: Matrix): number {
    const where = 'TwoLayerClassifier.loss';
    return this.evaluate(where, readExamples(where, x, y, this.layers)).loss;
  }
  /**
   * The loss, its derivatives by V and W in f64, and the predictions. Throws as loss does, NON_FINITE (argument
   * `parameters`) for a gradient that overflows.
   *
   * @example
   * new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] }).lossGradient([0], [1]).dW; // Float64Array(2) [ 0, -0.5 ]
   */
  lossGradient(x: Points, y: Matrix): TwoLayerGradient {
    const where = 'TwoLayerClassifier.lossGradient';
    const { layers } = this;
    const gradient = check.room(where, layers.size);
    const examples = readExamples(where, x, y, layers);
    const { loss, prediction } = this.evaluate(where, examples, (context, rows, activations, { dLogits }) =>
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
   * before its step. Computes in the dtype of x, to which the parameters are then rounded. Throws as loss does,
   * INVALID_ARGUMENT for order and learningRate, DIVERGED.
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
    return { model: this.like(where, flat), losses };
  }

  /**
   * The classifier as a file: safetensors with a checksum (docs/format.md).
   *
   * @example
   * const net = new TwoLayerClassifier({ V: [[1, 0]], W: [[0, 0]] });
   * TwoLayerClassifier.fromBytes(net.toBytes()).parameters.V; // Float64Array(2) [ 1, 0 ]
   */
  toBytes(): Uint8Array {
    const { V, W } = this.parameters;
    return encode(this.kind, encodeColumns(this.columns), {
      V: { shape: [this.hidden, this.inputs + 1], values: V },
      W: { shape: [this.outputs, this.hidden + 1], values: W },
    });
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
    const on = { ...decodeColumns(file), ...(backend !== undefined && { backend: backend as Backend }) };
    return orMalformed(() => new TwoLayerClassifier({ V, W, hidden }, on));
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
    const { layers, flat, report, backend, columns } = await fitTwoLayers(where, x, y, options);
    const parameters = { ...layers.matrices(where, flat), hidden: layers.hidden };
    return { model: new TwoLayerClassifier(parameters, { backend, ...(columns && { columns }) }), report };
  }

  protected override summary(): object {
    const { inputs, hidden, outputs } = this;
    return { inputs, hidden, outputs };
  }
  protected release(): void {
    this.weights.f64?.dispose();
    this.weights.f32?.dispose();
  }

  /** The same net with other parameters. */
  private like(where: string, flat: Float64Array): TwoLayerClassifier {
    const { backend, columns, layers, hidden } = this;
    return new TwoLayerClassifier(
      { ...layers.matrices(where, flat), hidden },
      { backend, ...(columns && { columns }) },
    );
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
    use?: (context: PassContext, x: Real, activations: Activations, entropy: Entropy) => void,
  ): { loss: number; prediction: Prediction } {
    const { inputs, outputs } = this;
    const dtype = check.dtypeOf(x);
    const logits = check.alike(x, n * outputs);
    const probabilities = check.alike(x, n * outputs);
    const classes = check.room(where, outputs, dtype).fill(1);
    const context = { backend: this.backend, weights: this.weightsOf(dtype), room: new Workspace(where, dtype, true) };
    let loss = 0;
    for (let from = 0; from < n; from += ROWS) {
      context.room.restart();
      const end = Math.min(from + ROWS, n);
      const rows = x.subarray(from * inputs, end * inputs);
      const activations = runNow(forward(context, rows, end - from));
      const each = { rows: context.room.array(end - from).fill(1), classes };
      const targets = y.subarray(from * outputs, end * outputs);
      const results = runNow(entropy(where, context, activations.logits, targets, each, (row) => from + row));
      loss += total(results.loss);
      logits.set(activations.logits, from * outputs);
      probabilities.set(results.probabilities, from * outputs);
      use?.(context, rows, activations, results);
    }
    return { loss, prediction: { logits, probabilities } };
  }
}
