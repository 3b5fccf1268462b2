/** Mixture densities: what a row of raw numbers says of a vector. Equations: docs/math.md § density. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Points, Real, Rows } from '../check.ts';
import * as check from '../check.ts';
import { KernelFailure, SeqlikError } from '../errors.ts';
import { Random } from '../random.ts';
import { pivotOf, tri } from './factor.ts';
import type { OnBackend } from './gaussian.ts';
import { alike, isSingle } from './patterns.ts';
import type { Result } from './scored.ts';

export const mappings = [
  'tanh-full',
  'tanh-diag',
  'chol-exp',
  'chol-softplus',
  'diag-exp',
  'diag-softplus',
  'graves',
] as const;
/** How raw values become a covariance: docs/math.md § density. */
export type Mapping = (typeof mappings)[number];
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
      product(L.subarray(j * p, (j + 1) * p), k, this.full, S);
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
    const dims = { n: raw.n, k: this.gaussian, m: this.components, q: this.binary, mapping: this.mapping };
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

/** Of a head: its Gaussian coordinates, and the length of its rows. */
interface Shape {
  readonly components: number;
  readonly gaussian: number;
  readonly mapping: Mapping;
  readonly outputs: number;
  readonly dimension: number;
}
/** Whether each component has a triangle of covariance values; else it has one per coordinate. */
export const isFull = (mapping: Mapping): boolean =>
  mapping === 'tanh-full' || mapping.startsWith('chol') || mapping === 'graves';
/** The covariance values of a component of k Gaussian coordinates. */
export const valuesOf = (mapping: Mapping, k: number): number => (isFull(mapping) ? tri(k) : k);

/** Throws INVALID_ARGUMENT: one of the coordinates from `first` on is neither 0 nor 1 nor between them. */
export function binaryTargets(where: string, argument: string, x: Real, dimension: number, first: number): void {
  for (let i = first; first < dimension && i < x.length; i += i % dimension === dimension - 1 ? first + 1 : 1) {
    const target = x[i]!;
    if (!(target < 0 || target > 1)) continue;
    const place = { argument, row: Math.floor(i / dimension), column: i % dimension, value: target };
    const what = `${argument} is ${target} at row ${place.row}, column ${place.column}: no binary target is outside [0, 1]`;
    throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${what}`, place);
  }
}

/**
 * What a user is told of a kernel that failed: what is not finite comes before what is not definite, whichever row is
 * first. `names` are the public names of raw and x, `place` says which row of the caller's a row is.
 */
export function densityFailure(
  where: string,
  error: unknown,
  shape: Shape,
  raw: Real,
  x: Real | undefined,
  names = { raw: 'raw', x: 'x' },
  place: (row: number) => number = (row) => row,
): unknown {
  if (!(error instanceof KernelFailure)) return error;
  const { outputs, dimension } = shape;
  for (const [argument, values, width] of [
    [names.raw, raw, outputs],
    [names.x, x, dimension],
  ] as const) {
    const at = values?.findIndex((v) => !Number.isFinite(v)) ?? -1;
    if (at >= 0) return check.wrongValue(where, argument, values![at]!, place(Math.floor(at / width)), at % width);
  }
  const { n, m: component, f: pivot } = error.at as { n: number; m: number; f: number };
  const row = place(n);
  if (pivot < shape.gaussian) {
    const value = pivotIn(raw, shape, n, component, pivot);
    const message = `${where}: the covariance of row ${row}, component ${component} is not positive definite: pivot ${pivot} is ${value}`;
    return new SeqlikError('NOT_POSITIVE_DEFINITE', message, { row, component, pivot, value });
  }
  if (!x) return overflow(where, row);
  const message = `${where}: the density of ${names.x} at row ${row}, or its gradient, overflows in every component`;
  return new SeqlikError('NON_FINITE', message, { argument: names.x, row });
}
/** The pivot of a covariance that has none > 0: what a person would compute. */
function pivotIn(
  raw: Real,
  { components: m, gaussian: k, mapping, outputs: w }: Shape,
  row: number,
  component: number,
  pivot: number,
): number {
  const c = raw.subarray(row * w + m + m * k + component * valuesOf(mapping, k));
  const value = {
    'tanh-full': () => {
      const S = Float64Array.from({ length: k * k }, (_, at) => {
        const [i, j] = [Math.floor(at / k), at % k];
        return Math.tanh(c[tri(Math.max(i, j)) + Math.min(i, j)]!);
      });
      return pivotOf(S, k, pivot);
    },
    'tanh-diag': () => Math.tanh(c[pivot]!),
    'chol-exp': () => Math.exp(2 * c[tri(pivot) + pivot]!),
    'chol-softplus': () => Math.log1p(Math.exp(c[tri(pivot) + pivot]!)) ** 2,
    'diag-exp': () => Math.exp(2 * c[pivot]!),
    'diag-softplus': () => Math.log1p(Math.exp(c[pivot]!)) ** 2,
    graves: () => Math.exp(2 * c[pivot]!) / (pivot === 1 ? Math.cosh(c[2]!) ** 2 : 1),
  }[mapping]();
  return isSingle(raw) ? Math.fround(value) : value;
}

function overflow(where: string, row: number): SeqlikError {
  const message = `${where}: the distribution of raw row ${row} overflows`;
  return new SeqlikError('NON_FINITE', message, { argument: 'raw', row });
}
function lossOf(logDensity: Real): number {
  let loss = 0;
  for (let i = 0; i < logDensity.length; i++) loss -= logDensity[i]!;
  return loss;
}
/** S = L Lᵀ of a packed triangle, or of standard deviations. */
export function product(L: Real, k: number, full: boolean, S: Real): void {
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let s = 0;
      if (full) for (let p = 0; p <= j; p++) s += L[tri(i) + p]! * L[tri(j) + p]!;
      else if (i === j) s = L[i]! * L[i]!;
      S[i * k + j] = S[j * k + i] = s;
    }
}
/** Logits times 1 + bias, less the largest, so that nothing overflows. */
export function sharpen(logits: Float64Array, bias: number): void {
  const top = logits.reduce((a, b) => Math.max(a, b));
  for (let j = 0; j < logits.length; j++) logits[j] = Math.max((logits[j]! - top) * (1 + bias), -1e300);
}
