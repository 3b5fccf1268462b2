/** Mixture densities: a row of raw numbers is the distribution of a vector. Equations: docs/math/density.md. */

import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Points, Real, Result, Rows, Scoring } from '../check.ts';
import * as check from '../check.ts';
import { alike, dtypeOf } from '../check.ts';
import type { Table } from '../contract.ts';
import { argumentError } from '../errors.ts';
import type { Dims, DType, Kernels } from '../grammar.ts';
import { Random } from '../random.ts';
import { addDeviation, covariancesOf, drawBinary, drawComponent, sharpen } from './density/draw.ts';
import { checkBinaryTargets, overflow, toUserError } from './density/failure.ts';
import { type Mapping, mappings, type Shape, shapeOf } from './density/mapping.ts';
import { forwardMarking } from './density/marking.ts';
import { INSPECT, type OnBackend, printable } from './model.ts';
import { runNow } from './work.ts';

export type { Mapping };

/** The shape of a mixture density: M components over k Gaussian coordinates, and q binary ones. */
export interface MixtureDensityShape {
  /** M >= 1 */
  readonly components: number;
  /** Coordinates of x: first k Gaussian ones (at least one; exactly two for 'graves'), then the binary ones. */
  readonly dimension: number;
  /** How p raw values per component become a covariance; default 'chol-exp'. */
  readonly mapping?: Mapping;
  /** The last q coordinates are Bernoulli, with logits of their own; default 0. */
  readonly binary?: number;
}
/** Results of `forward`, in the dtype of raw. */
export interface DensityForward<R extends Real = Real> {
  /** -Σ log p(x), added in the order of the rows in f64. */
  loss: number;
  /** [n] */
  logDensity: R;
  /** [n,M] */
  responsibilities: R;
}
/** Results of `lossGradient`, in the dtype of raw. */
export interface DensityGradient<R extends Real = Real> extends DensityForward<R> {
  /** [n,outputs], the gradient of the loss: columns [logits | means | covariance values | Bernoulli logits]. */
  dRaw: R;
  /** [n,dimension], the gradient of the loss */
  dx: R;
}
/** The caller's memory for some of the results, of the dtype of raw and of the shapes of DensityGradient. */
export interface GradientOut {
  /** [n] */
  readonly logDensity?: Real;
  /** [n,M] */
  readonly responsibilities?: Real;
  /** [n,outputs] */
  readonly dRaw?: Real;
  /** [n,dimension] */
  readonly dx?: Real;
}
/** Mixtures of n rows, in the dtype of raw: flat, row-major. */
export interface Distribution<R extends Real = Real> {
  /** [n,M] */
  weights: R;
  /** [n,M,k] */
  means: R;
  /** [n,M,k,k] */
  covariances: R;
  /** [n,q]; present only if there are binary coordinates */
  probabilities?: R;
}

const WIDEST_ROW = 2 ** 27; // raw values, of which kernels hold 16 rows at once

/**
 * The density of x given raw numbers, such as the outputs of a network: Σ_j π_j N(x | μ_j, Σ_j) and Bernoulli
 * coordinates, all read off a row of raw [logits M | means M k | covariance values M p | Bernoulli logits q] (Bishop
 * 1994; Graves 2013, equations 17 to 25; docs/math/density.md). Rows are independent; results have the dtype of raw:
 * f32 for Float32Array, f64 for Float64Array and nested arrays.
 *
 * @example
 * const density = new MixtureDensity({ components: 1, dimension: 1 });
 * density.logDensity([[0, 0, 0]], [[0]])[0]; // -0.9189...
 */
export class MixtureDensity {
  /** M */
  readonly components: number;
  /** Coordinates of x, the binary ones included. */
  readonly dimension: number;
  /** The mapping from raw values to covariances. */
  readonly mapping: Mapping;
  /** q */
  readonly binary: number;
  /** The length of a raw row: M (1 + k + p) + q. */
  readonly outputs: number;
  /** The backend that its kernels run on. */
  readonly backend: Backend;
  private readonly shape: Shape;

  /**
   * `mapping` defaults to 'chol-exp', `binary` to 0, the backend to defaultBackend().
   * Throws SeqlikError INVALID_ARGUMENT (components, dimension, binary, mapping).
   *
   * @example
   * const density = new MixtureDensity({ components: 2, dimension: 3, mapping: 'graves', binary: 1 });
   * density.outputs; // 13
   */
  constructor(shape: MixtureDensityShape, options?: OnBackend) {
    const where = 'MixtureDensity';
    const given = check.options(where, options, ['backend']);
    this.backend = check.backend(where, given.backend, defaultBackend);
    const read = check.fields(where, 'shape', shape, ['components', 'dimension', 'mapping', 'binary']);
    const components = check.count(where, 'components', read['components']);
    const dimension = check.count(where, 'dimension', read['dimension']);
    const mapping = check.choice(where, 'mapping', check.or(read['mapping'], 'chol-exp'), mappings);
    const binary = check.count(where, 'binary', check.or(read['binary'], 0), 0, dimension - 1);
    this.shape = shapeOf({ components, dimension, mapping, binary });
    const { gaussian, outputs } = this.shape;
    if (mapping === 'graves' && gaussian !== 2)
      throw argumentError('INVALID_ARGUMENT', where, 'mapping', {
        expected: '2 coordinates besides the binary ones',
        received: `${gaussian}`,
        reason: `graves is for 2 coordinates besides the binary ones, not ${gaussian}`,
      });
    if (outputs >= WIDEST_ROW)
      throw argumentError('INVALID_ARGUMENT', where, 'components', {
        expected: `fewer than ${WIDEST_ROW} values in a raw row`,
        received: `${outputs} values`,
        sentence: `a raw row would have ${outputs} values`,
      });
    this.components = components;
    this.dimension = dimension;
    this.mapping = mapping;
    this.binary = binary;
    this.outputs = outputs;
  }
  /** @internal */
  [INSPECT](): object {
    const { components, dimension, mapping, binary, outputs, backend } = this;
    if (!backend) return {}; // it merely inherits from MixtureDensity
    const facts = { components, dimension, mapping, binary, outputs };
    return printable(this, { ...facts, backend: `${backend.name} ${backend.isa}` });
  }

  /**
   * log p(x) of each row of x [n,dimension] given that of raw [n,outputs]: logDensity [n], the responsibility of each
   * component for it [n,M], and the loss, -Σ log p(x). `unscorable: 'mark'`: a row whose density overflows has
   * -Infinity and responsibilities of 0, and the loss is Infinity.
   * Throws DIMENSION_MISMATCH (raw, x), INVALID_ARGUMENT (x: a binary target outside [0,1]), NON_FINITE (raw, x; row,
   * column; or only row: its density overflows), NOT_POSITIVE_DEFINITE (row, component, pivot; tanh mappings).
   *
   * @example
   * const density = new MixtureDensity({ components: 2, dimension: 1, mapping: 'diag-exp' });
   * density.forward([[0, 0, -1, 1, 0, 0]], [[0]]).responsibilities; // Float64Array(2) [ 0.5, 0.5 ]
   */
  forward<R extends Points>(raw: R, x: Points, options?: Scoring): DensityForward<Result<R>> {
    const where = 'MixtureDensity.forward';
    const { unscorable } = check.options(where, options, ['unscorable']);
    const mark = check.marking(where, unscorable);
    return this.evaluate(where, raw, x, {}, mark) as DensityForward<Result<R>>;
  }

  /**
   * log p(x) [n] alone, into `out` [n] if given; `unscorable` as in forward. Throws as forward does.
   *
   * @example
   * const density = new MixtureDensity({ components: 1, dimension: 1 });
   * density.logDensity([[0, 0, 0]], [[1]])[0]; // -1.4189...
   */
  logDensity<R extends Points>(raw: R, x: Points, options?: { readonly out?: Real } & Scoring): Result<R> {
    const where = 'MixtureDensity.logDensity';
    const { out, unscorable } = check.options(where, options, ['out', 'unscorable']);
    const mark = check.marking(where, unscorable);
    return this.evaluate(where, raw, x, { logDensity: out }, mark).logDensity as Result<R>;
  }

  /**
   * The results of forward, and the gradient of the loss by raw and x: dRaw [n,outputs], dx [n,dimension]. Arrays of
   * `out` are used instead of new ones (they may hold part of the results when an error is thrown). Throws as forward
   * does.
   *
   * @example
   * const density = new MixtureDensity({ components: 1, dimension: 1 });
   * density.lossGradient([[0, 0, 0]], [[2]]).dRaw; // Float64Array(3) [ 0, -2, -3 ]
   */
  lossGradient<R extends Points>(
    raw: R,
    x: Points,
    options?: { readonly out?: GradientOut },
  ): DensityGradient<Result<R>> {
    const where = 'MixtureDensity.lossGradient';
    const { out: given = {} } = check.options(where, options, ['out']);
    // each is read once: a getter may say something else the next time
    const names = ['logDensity', 'responsibilities', 'dRaw', 'dx'];
    const memory = check.fields(where, 'out', given, names);
    const own = Object.fromEntries(names.map((name) => [name, memory[name]]));
    const { rows, points, n } = this.read(where, raw, x);
    const room = (name: string, count: number): Real => check.out(where, own[name], rows.values, n * count);
    const logDensity = room('logDensity', 1);
    const responsibilities = room('responsibilities', this.components);
    const dRaw = room('dRaw', this.outputs);
    const dx = room('dx', this.dimension);
    this.withUserErrors(where, rows, points, ({ lossGradient }, dims, given) =>
      lossGradient(dims, { ...given, x: points.values, logDensity, r: responsibilities, dRaw, dx }),
    );
    const results = { logDensity, responsibilities, dRaw, dx };
    for (const [name, array] of Object.entries(own)) if (array !== undefined) Object.assign(results, { [name]: array });
    return { loss: lossOf(logDensity), ...results } as DensityGradient<Result<R>>;
  }

  /**
   * The mixture of each row of raw [n,outputs]: weights [n,M], means [n,M,k] and covariances [n,M,k,k]; with binary
   * coordinates also their probabilities [n,q].
   * Throws DIMENSION_MISMATCH, NON_FINITE (raw; row, column; or only row: a covariance overflows),
   * NOT_POSITIVE_DEFINITE.
   *
   * @example
   * const density = new MixtureDensity({ components: 1, dimension: 1, mapping: 'diag-exp' });
   * density.distribution([[0, 3, Math.log(2)]]).covariances; // Float64Array(1) [ 4 ]
   */
  distribution<R extends Points>(raw: R): Distribution<Result<R>> {
    const where = 'MixtureDensity.distribution';
    const { components: k, gaussian: d, outputs } = this.shape;
    const rows = check.points(where, 'raw', raw, outputs);
    const { n, values } = rows;
    const covariances = check.room(where, n * k * d * d, dtypeOf(values), 'raw');
    const { weights, L, probabilities } = this.factors(where, rows);
    const means = check.room(where, n * k * d, dtypeOf(values));
    for (let i = 0; i < n; i++) means.set(values.subarray(i * outputs + k, i * outputs + k + k * d), i * k * d);
    covariancesOf(L, this.shape, covariances);
    const at = covariances.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw overflow(where, Math.floor(at / (k * d * d)));
    const result = { weights, means, covariances, ...(this.binary > 0 && { probabilities }) };
    return result as Distribution<Result<R>>;
  }

  /**
   * One draw [n,dimension] for each row of raw, in f64. `seed` (default 0): the same draws for the same seed on one
   * engine. `bias` b >= 0 (default 0) draws closer to the mode: logits times 1 + b, standard deviations times e^-b
   * (Graves 2013, section 5.4). Throws INVALID_ARGUMENT (seed, bias), else as distribution does.
   *
   * @example
   * const density = new MixtureDensity({ components: 1, dimension: 1 });
   * density.sample([[0, 7, -9]], { seed: 1, bias: 30 }); // Float64Array(1) [ 7 ]
   */
  sample(raw: Points, options?: { readonly seed?: number; readonly bias?: number }): Float64Array {
    const where = 'MixtureDensity.sample';
    const given = check.options(where, options, ['seed', 'bias']);
    const random = new Random(check.seed(where, given.seed));
    const bias = check.amount(where, 'bias', check.or(given.bias, 0));
    const { components: k, gaussian: d, outputs, binary: q, dimension } = this.shape;
    const { values, n } = check.points(where, 'raw', raw, outputs);
    const wide = { values: Float64Array.from(values), n };
    check.finiteRows(where, 'raw', wide, outputs);
    for (let i = 0; i < n; i++) sharpen(wide.values.subarray(i * outputs, i * outputs + k), bias);
    const { weights, L, probabilities } = this.factors(where, wide) as Factors<Float64Array>;
    const shrink = Math.exp(-bias);
    const x = check.room(where, n * dimension);
    for (let i = 0; i < n; i++) {
      const own = x.subarray(i * dimension, (i + 1) * dimension);
      const { component, z } = drawComponent(random, weights.subarray(i * k, (i + 1) * k), d);
      const mean = i * outputs + k + component * d;
      own.set(wide.values.subarray(mean, mean + d));
      for (let j = 0; j < d; j++) z[j]! *= shrink;
      addDeviation(L, i * k + component, this.shape, z, own);
      drawBinary(random, probabilities.subarray(i * q, (i + 1) * q), own.subarray(d));
      if (!own.every(Number.isFinite)) throw overflow(where, i);
    }
    return x;
  }

  private evaluate(
    where: string,
    raw: Points,
    x: Points,
    own: { readonly logDensity?: unknown },
    mark: boolean,
  ): DensityForward {
    const { rows, points, n } = this.read(where, raw, x);
    const logDensity = check.out(where, own.logDensity, rows.values, n);
    const r = check.room(where, n * this.components, dtypeOf(rows.values), 'raw');
    this.withUserErrors(where, rows, points, ({ forward }, dims, given) => {
      const args = { ...given, x: points.values, logDensity, r };
      if (!mark) forward(dims, args);
      else runNow(forwardMarking(where, forward, dims, args, this.shape));
    });
    const given = (own.logDensity as Real | undefined) ?? logDensity;
    return { loss: lossOf(logDensity), logDensity: given, responsibilities: r };
  }
  /** Rows of raw and of x: as many, and of the same dtype. */
  private read(where: string, raw: Points, x: Points): { rows: Rows; points: Rows; n: number } {
    const rows = check.points(where, 'raw', raw, this.outputs);
    const points = check.points(where, 'x', x, this.dimension);
    check.sameRows(where, 'x', points, 'raw', rows);
    checkBinaryTargets(where, 'x', points.values, this.dimension, this.shape.gaussian);
    if (dtypeOf(points.values) === dtypeOf(rows.values)) return { rows, points, n: rows.n };
    const values = alike(rows.values, points.values.length);
    values.set(points.values);
    return { rows, points: { values, n: rows.n }, n: rows.n };
  }
  private factors(where: string, raw: Rows): Factors {
    const room = (count: number): Real => check.room(where, raw.n * count, dtypeOf(raw.values), 'raw');
    const results = {
      weights: room(this.components),
      L: room(this.components * this.shape.values),
      probabilities: room(this.binary),
    };
    this.withUserErrors(where, raw, undefined, ({ distribution }, dims, given) =>
      distribution(dims, { ...given, ...results }),
    );
    return results;
  }
  /** Calls a kernel of the dtype of raw, with the sizes and arrays all of them take; its failure names raw and x. */
  private withUserErrors(
    where: string,
    { values: raw, n }: Rows,
    x: Rows | undefined,
    call: (kernels: DensityKernels, dims: DensityDims, given: { readonly raw: Real; readonly floor: Real }) => void,
  ): void {
    const { gaussian: d, components: k, binary: q, mapping } = this.shape;
    const floor = alike(raw, 1).fill(Number.NEGATIVE_INFINITY); // no smallest deviation
    try {
      call(this.backend.kernels(dtypeOf(raw)).density, { n, d, k, q, mapping }, { raw, floor });
    } catch (error) {
      throw toUserError(where, error, this.shape, raw, x?.values);
    }
  }
}

type DensityKernels = Kernels<Table, DType>['density'];
type DensityDims = Dims<Table['density']['forward']>;
interface Factors<R extends Real = Real> {
  readonly weights: R;
  readonly L: R;
  readonly probabilities: R;
}

function lossOf(logDensity: Real): number {
  let loss = 0;
  for (let i = 0; i < logDensity.length; i++) loss -= logDensity[i]!;
  return loss;
}
