/** Mixture densities: what a row of raw numbers says of a vector. Equations: docs/math.md § density. */

import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Points, Real, Result, Rows } from '../check.ts';
import * as check from '../check.ts';
import { alike, isSingle } from '../check.ts';
import { SeqlikError } from '../errors.ts';
import { Random } from '../random.ts';
import { sharpen } from './density/draw.ts';
import { binaryTargets, densityFailure, overflow } from './density/failure.ts';
import { isFull, type Mapping, mappings, type Shape, valuesOf } from './density/mapping.ts';
import { INSPECT, type OnBackend, printable } from './model.ts';
import { reconstruct } from './triangles.ts';

export type { Mapping };

export interface MixtureDensityShape {
  /** M >= 1 */
  readonly components: number;
  /** Of x: k Gaussian coordinates (at least one; of `graves` two), then the binary ones. */
  readonly dimension: number;
  /** Default: chol-exp. */
  readonly mapping?: Mapping;
  /** The last q coordinates are Bernoulli, with logits of their own. Default: 0. */
  readonly binary?: number;
}
export interface DensityForward<R extends Real = Real> {
  /** -Σ log p(x), added in the order of the rows in f64. */
  loss: number;
  /** [n] */
  logDensity: R;
  /** [n,M] */
  responsibilities: R;
}
export interface DensityGradient<R extends Real = Real> extends DensityForward<R> {
  /** [n,outputs], of the loss: in columns [logits | means | covariance values | Bernoulli logits]. */
  dRaw: R;
  /** [n,dimension] */
  dx: R;
}
/** Memory of the caller for some of the results, of the dtype of raw. */
export interface GradientOut {
  readonly logDensity?: Real;
  readonly responsibilities?: Real;
  readonly dRaw?: Real;
  readonly dx?: Real;
}
export interface Distribution<R extends Real = Real> {
  /** [n,M] */
  weights: R;
  /** [n,M,k] */
  means: R;
  /** [n,M,k,k] */
  covariances: R;
  /** [n,q]; only of a density with binary coordinates */
  probabilities?: R;
}

type Name = keyof Backend['f64']['density'];
const LIMIT = 2 ** 31; // elements of any array
const WIDEST = 2 ** 27; // values of a raw row, of which kernels hold 16 at once

/**
 * The density of x given raw numbers, those of a network say: Σ_j π_j N(x | μ_j, Σ_j) and Bernoulli coordinates, everything
 * read off a row of raw [logits M | means M k | covariance values M p | Bernoulli logits q] (Graves 2013, equations 17 to
 * 25, and the notes' TEDnet). Rows are independent; results have the dtype of raw.
 * Throws SeqlikError INVALID_ARGUMENT (components, dimension, binary, mapping).
 */
export class MixtureDensity {
  readonly components: number;
  readonly dimension: number;
  readonly mapping: Mapping;
  readonly binary: number;
  /** The length of a raw row. */
  readonly outputs: number;
  readonly backend: Backend;

  constructor(shape: MixtureDensityShape, options?: OnBackend) {
    const where = 'MixtureDensity';
    const given = check.options(where, options, ['backend']);
    this.backend = check.backend(where, given.backend, defaultBackend);
    const read = check.fields(where, 'shape', shape, ['components', 'dimension', 'mapping', 'binary']);
    this.components = check.count(where, 'components', read['components']);
    this.dimension = check.count(where, 'dimension', read['dimension']);
    this.mapping = check.choice(where, 'mapping', check.or(read['mapping'], 'chol-exp'), mappings);
    this.binary = check.count(where, 'binary', check.or(read['binary'], 0), 0, this.dimension - 1);
    if (this.mapping === 'graves' && this.gaussian !== 2)
      throw new SeqlikError(
        'INVALID_ARGUMENT',
        `${where}: mapping graves is for 2 coordinates besides the binary ones, not ${this.gaussian}`,
        { argument: 'mapping' },
      );
    this.outputs = this.components * (1 + this.gaussian + this.values) + this.binary;
    if (this.outputs >= WIDEST)
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: a raw row would have ${this.outputs} values`, {
        argument: 'components',
      });
  }
  /** @internal */
  [INSPECT](): object {
    const { components, dimension, mapping, binary, outputs, backend } = this;
    if (!backend) return {}; // it merely inherits from MixtureDensity
    const facts = { components, dimension, mapping, binary, outputs };
    return printable(this, { ...facts, backend: `${backend.name} ${backend.isa}` });
  }
  private get shape(): Shape {
    const { components, gaussian, mapping, outputs, dimension } = this;
    return { components, gaussian, mapping, outputs, dimension };
  }
  /** k, the Gaussian coordinates. */
  private get gaussian(): number {
    return this.dimension - this.binary;
  }
  private get full(): boolean {
    return isFull(this.mapping);
  }
  /** p, the covariance values of a component. */
  private get values(): number {
    return valuesOf(this.mapping, this.gaussian);
  }

  /**
   * log p(x) of each row of x [n,dimension] under that of raw [n,outputs], and the share of each component in it.
   * Throws DIMENSION_MISMATCH (raw, x), INVALID_ARGUMENT (x: a binary target outside [0,1]), NON_FINITE (raw, x; row, column;
   * or only row: its density overflows), NOT_POSITIVE_DEFINITE (row, component, pivot).
   */
  forward<R extends Points>(raw: R, x: Points): DensityForward<Result<R>> {
    return this.evaluate('MixtureDensity.forward', raw, x, {}) as DensityForward<Result<R>>;
  }

  /** Only log p(x), into `out` [n] if given. Throws as forward. */
  logDensity<R extends Points>(raw: R, x: Points, options?: { readonly out?: Real }): Result<R> {
    const where = 'MixtureDensity.logDensity';
    const { out } = check.options(where, options, ['out']);
    return this.evaluate(where, raw, x, { logDensity: out }).logDensity as Result<R>;
  }

  /**
   * What forward gives, and the gradient of the loss; arrays of `out` are used instead of new ones (they may hold part of
   * the results when an error is thrown). Throws as forward.
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
    this.run(where, 'lossGradient', rows, points, { logDensity, r: responsibilities, dRaw, dx });
    const results = { logDensity, responsibilities, dRaw, dx };
    for (const [name, array] of Object.entries(own)) if (array !== undefined) Object.assign(results, { [name]: array });
    return { loss: lossOf(logDensity), ...results } as DensityGradient<Result<R>>;
  }

  /**
   * What each row of raw [n,outputs] says: weights, means and covariances, and the probabilities of the binary coordinates.
   * Throws DIMENSION_MISMATCH, NON_FINITE (raw; row, column; or only row: a covariance overflows), NOT_POSITIVE_DEFINITE.
   */
  distribution<R extends Points>(raw: R): Distribution<Result<R>> {
    const where = 'MixtureDensity.distribution';
    const { components: m, gaussian: k, values: p, outputs: w } = this;
    const rows = check.points(where, 'raw', raw, w);
    const { n, values } = rows;
    if (n * m * k * k >= LIMIT)
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: the covariances of ${n} rows have 2^31 values or more`, {
        argument: 'raw',
      });
    const { weights, L, probabilities } = this.factors(where, rows);
    const means = check.room(where, n * m * k, isSingle(values));
    for (let i = 0; i < n; i++) means.set(values.subarray(i * w + m, i * w + m + m * k), i * m * k);
    const covariances = check.room(where, n * m * k * k, isSingle(values));
    for (let j = 0; j < n * m; j++) {
      const S = covariances.subarray(j * k * k, (j + 1) * k * k);
      reconstruct(L.subarray(j * p, (j + 1) * p), k, this.full, S);
      if (!S.every(Number.isFinite)) throw overflow(where, Math.floor(j / m));
    }
    const result = { weights, means, covariances, ...(this.binary > 0 && { probabilities }) };
    return result as Distribution<Result<R>>;
  }

  /**
   * One draw [n,dimension] for each row of raw. `bias` b >= 0 draws nearer to the likely: logits times 1 + b, standard
   * deviations times e^-b (Graves 2013, section 5.4). The same for the same seed on one engine. Throws as distribution.
   */
  sample(raw: Points, options?: { readonly seed?: number; readonly bias?: number }): Float64Array {
    const where = 'MixtureDensity.sample';
    const given = check.options(where, options, ['seed', 'bias']);
    const random = new Random(check.seed(where, given.seed));
    const bias = check.amount(where, 'bias', check.or(given.bias, 0));
    const { components: m, gaussian: k, values: p, outputs: w, binary: q, dimension } = this;
    const { values, n } = check.points(where, 'raw', raw, w);
    const wide = { values: Float64Array.from(values), n };
    check.finiteRows(where, 'raw', wide, w);
    for (let i = 0; i < n; i++) sharpen(wide.values.subarray(i * w, i * w + m), bias);
    const { weights, L, probabilities } = this.factors(where, wide);
    const shrink = Math.exp(-bias);
    const x = check.room(where, n * dimension) as Float64Array;
    for (let i = 0; i < n; i++) {
      const own = x.subarray(i * dimension, (i + 1) * dimension);
      const j = random.categorical(weights.subarray(i * m, (i + 1) * m) as Float64Array);
      const factor = L.subarray((i * m + j) * p, (i * m + j + 1) * p);
      const z = Float64Array.from({ length: k }, () => shrink * random.normal());
      for (let l = 0, at = 0; l < k; l++) {
        let value = wide.values[i * w + m + j * k + l]!;
        if (this.full) for (let h = 0; h <= l; h++) value += factor[at++]! * z[h]!;
        else value += factor[l]! * z[l]!;
        own[l] = value;
      }
      for (let b = 0; b < q; b++) own[k + b] = Number(random.uniform() < probabilities[i * q + b]!);
      if (!own.every(Number.isFinite)) throw overflow(where, i);
    }
    return x;
  }

  private evaluate(where: string, raw: Points, x: Points, own: { readonly logDensity?: unknown }): DensityForward {
    const { rows, points, n } = this.read(where, raw, x);
    const logDensity = check.out(where, own.logDensity, rows.values, n);
    const r = check.room(where, n * this.components, isSingle(rows.values));
    this.run(where, 'forward', rows, points, { logDensity, r });
    const given = (own.logDensity as Real | undefined) ?? logDensity;
    return { loss: lossOf(logDensity), logDensity: given, responsibilities: r };
  }
  /** Rows of raw and of x, of the same dtype and as many. */
  private read(where: string, raw: Points, x: Points): { rows: Rows; points: Rows; n: number } {
    const rows = check.points(where, 'raw', raw, this.outputs);
    const points = check.points(where, 'x', x, this.dimension);
    check.sameRows(where, 'x', points, 'raw', rows);
    const { gaussian: k, dimension } = this;
    binaryTargets(where, 'x', points.values, dimension, k);
    if (isSingle(points.values) === isSingle(rows.values)) return { rows, points, n: rows.n };
    const values = alike(rows.values, points.values.length);
    values.set(points.values);
    return { rows, points: { values, n: rows.n }, n: rows.n };
  }
  private run(
    where: string,
    name: Name,
    raw: Rows,
    x: Rows | undefined,
    results: Readonly<Record<string, Real>>,
  ): void {
    const kernels = (isSingle(raw.values) ? this.backend.f32 : this.backend.f64).density;
    const dims = { n: raw.n, d: this.gaussian, k: this.components, q: this.binary, mapping: this.mapping };
    const floor = alike(raw.values, 1).fill(Number.NEGATIVE_INFINITY); // no smallest deviation
    const args = { raw: raw.values, floor, ...(x && { x: x.values }), ...results };
    try {
      (kernels as unknown as Record<Name, (dims: object, args: object) => void>)[name](dims, args);
    } catch (error) {
      throw densityFailure(where, error, this.shape, raw.values, x?.values);
    }
  }
  private factors(where: string, raw: Rows): { weights: Real; L: Real; probabilities: Real } {
    const room = (count: number): Real => check.room(where, raw.n * count, isSingle(raw.values));
    const results = {
      weights: room(this.components),
      L: room(this.components * this.values),
      probabilities: room(this.binary),
    };
    this.run(where, 'distribution', raw, undefined, results);
    return results;
  }
}

function lossOf(logDensity: Real): number {
  let loss = 0;
  for (let i = 0; i < logDensity.length; i++) loss -= logDensity[i]!;
  return loss;
}
