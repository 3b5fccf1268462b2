/**
 * k weighted Gaussians on a backend, factorised once and resident: what Gaussian (k = 1) and GaussianMixture share.
 * Equations: docs/math.md § mixture.
 */

import type { Backend } from '../../bind.ts';
import { alike, type Gaps, isSingle, nonFinite, type Real, type Rows } from '../../check.ts';
import { KernelFailure, SeqlikError } from '../../errors.ts';
import type { How, Resident } from '../../grammar.ts';
import type { Random } from '../../random.ts';
import { factorise, notPositiveDefinite, tri } from '../triangles.ts';
import { type Pattern, patterns } from './patterns.ts';

export const covarianceTypes = ['full', 'tied', 'diagonal', 'spherical'] as const;
export type CovarianceType = (typeof covarianceTypes)[number];

/** Parameters that were checked. */
export interface Parts {
  readonly type: CovarianceType;
  readonly k: number;
  readonly d: number;
  /** [k] */
  readonly weights: Float64Array;
  /** [k,d] */
  readonly means: Float64Array;
  /** full [k,d,d], tied [d,d], diagonal [k,d], spherical [k] */
  readonly covariances: Float64Array;
  /** The Cholesky factors of full covariances, packed by rows, where the caller has them. */
  readonly L?: Float64Array;
}
/** What an `expect` kernel adds up: second moments about the means are [k,d,width] or, with variances, [k,width]. */
export interface Sums {
  readonly width: number;
  readonly count: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly logLikelihood: Float64Array;
}
/** A prepared call for one row. */
interface Single {
  readonly x: Real;
  readonly out: Real;
  run(): void;
  dispose(): void;
}
type Prepared = { readonly b: Resident<Real>; readonly mean: Resident<Real>; readonly W: Resident<Real> };
type Name = 'logDensity' | 'responsibilities' | 'expect';
export type Asynchronous = How & { readonly signal?: AbortSignal };

export class Components {
  /** Whether each component has a matrix; else it has d variances. */
  readonly full: boolean;
  /** One matrix [k,d,d] or d variances [k,d] per component, whatever the type. */
  readonly covariances: Float64Array;
  /** Cholesky factors packed by rows [k,tri(d)], or standard deviations [k,d]. */
  readonly L: Float64Array;
  /** log |covariance| of each. */
  readonly logDet: Float64Array;
  private readonly prepared: { f64?: Prepared; f32?: Prepared } = {};
  private readonly singles: { f64?: Single; f32?: Single } = {};

  /** `where` and `which`: the public names of the call and of its covariances. Throws NOT_POSITIVE_DEFINITE. */
  constructor(
    readonly backend: Backend,
    readonly parts: Parts,
    readonly where: string,
    readonly which: string,
  ) {
    const { type, k, d, covariances } = parts;
    this.full = type === 'full' || type === 'tied';
    this.covariances = spread(type, covariances, k, d);
    const { L, logDet } = parts.L ? { L: parts.L, logDet: this.logPivots(parts.L) } : this.factorised();
    this.L = L;
    this.logDet = logDet;
  }

  /** log Σ_c w_c N(x | c) of each row, into `out`; of a row without observations 0. */
  logDensity(where: string, x: Rows, missing: Gaps, out: Real): Real {
    const first = new FirstFailure();
    for (const { part, dims, rows, of } of this.marginals(patterns(where, x, missing, this.parts.d))) {
      const own = of ? alike(out, rows.n) : out;
      if (dims.length > 0) first.of(() => part.call(where, 'logDensity', rows, { out: own }, of));
      of?.forEach((row, i) => {
        out[row] = own[i]!;
      });
    }
    first.raise();
    return out;
  }

  /** Of one complete row: planned once, as a plan costs more than the row. */
  logDensityOfOne(where: string, x: Real, single: boolean): number {
    const dtype = single ? 'f32' : 'f64';
    this.singles[dtype] ??= this.single(single);
    const call = this.singles[dtype];
    for (let j = 0; j < this.parts.d; j++) call.x[j] = x[j]!;
    try {
      call.run();
    } catch (error) {
      throw this.told(where, { values: call.x.slice(), n: 1 }, error);
    }
    return call.out[0]!;
  }

  /** The same on copies, off the event loop. */
  async logDensityAsync(where: string, x: Rows, missing: Gaps, how: Asynchronous): Promise<Real> {
    const out = alike(x.values, x.n);
    const first = new FirstFailure();
    // all patterns are gathered before the first wait: the caller's memory may change meanwhile
    for (const { part, dims, rows, of } of this.marginals([...patterns(where, x, missing, this.parts.d)])) {
      const own = of ? alike(out, rows.n) : out;
      if (dims.length > 0)
        await part.callAsync(where, 'logDensity', rows, { out: own }, how, of).catch((error) => first.note(error));
      of?.forEach((row, i) => {
        out[row] = own[i]!;
      });
    }
    first.raise();
    return out;
  }

  /** w_c N(x | c) / Σ, [n,k]; of a row without observations the weights. */
  responsibilities(where: string, x: Rows, missing: Gaps): Real {
    const { k, d, weights } = this.parts;
    const r = alike(x.values, x.n * k);
    const first = new FirstFailure();
    for (const { part, dims, rows, of } of this.marginals(patterns(where, x, missing, d))) {
      const own = of ? alike(r, rows.n * k) : r;
      if (dims.length > 0) first.of(() => part.call(where, 'responsibilities', rows, { r: own }, of));
      of?.forEach((row, i) => {
        r.set(dims.length > 0 ? own.subarray(i * k, (i + 1) * k) : weights, row * k);
      });
    }
    first.raise();
    return r;
  }

  /** Each pattern with the marginal over its dims; marginals are made once and disposed of at the end. */
  *marginals<P extends Pattern>(each: Iterable<P>): Generator<P & { readonly part: Components }> {
    const made = new Map<string, Components>();
    try {
      for (const pattern of each) {
        const { dims } = pattern;
        const key = dims.join();
        if (dims.length > 0 && dims.length < this.parts.d && !made.has(key)) made.set(key, this.marginal(dims));
        yield { ...pattern, part: made.get(key) ?? this };
      }
    } finally {
      for (const part of made.values()) part.dispose();
    }
  }

  /** The same Gaussians over some of the coordinates, in the order named. */
  marginal(dims: readonly number[]): Components {
    const parts = this.marginalParts(dims);
    return new Components(
      this.backend,
      this.parts.L ? { ...parts, L: this.factorOf(dims) } : parts,
      this.where,
      this.which,
    );
  }
  /** The factor of one component over some coordinates, of the rows of L: scaled, as L Lᵀ may underflow. */
  private factorOf(dims: readonly number[]): Float64Array {
    const { L } = this;
    const scale = L.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const product = dims.flatMap((i) =>
      dims.map((j) => {
        let s = 0;
        for (let p = 0; p <= Math.min(i, j); p++) s += (L[tri(i) + p]! / scale) * (L[tri(j) + p]! / scale);
        return s;
      }),
    );
    const failed = ({ pivot, value }: { pivot: number; value: number }) =>
      notPositiveDefinite(this.where, this.which, pivot, value);
    return factorise(this.backend, Float64Array.from(product), 1, dims.length, failed).L.map((v) => v * scale);
  }
  marginalParts(dims: readonly number[]): Parts {
    const { k, d, type, weights, means, covariances } = this.parts;
    const each = (values: Float64Array, count: number): Float64Array =>
      Float64Array.from({ length: count * dims.length }, (_, i) => {
        return values[Math.floor(i / dims.length) * d + dims[i % dims.length]!]!;
      });
    const square = (count: number): Float64Array => {
      const o = dims.length;
      return Float64Array.from({ length: count * o * o }, (_, i) => {
        const c = Math.floor(i / (o * o));
        return covariances[(c * d + dims[Math.floor(i / o) % o]!) * d + dims[i % o]!]!;
      });
    };
    const cut = {
      full: () => square(k),
      tied: () => square(1),
      diagonal: () => each(covariances, k),
      spherical: () => covariances,
    };
    return { type, k, d: dims.length, weights, means: each(means, k), covariances: cut[type]() };
  }

  /** mean + L z of component c, into `to`. */
  draw(random: Random, c: number, to: Float64Array): void {
    const { d, means } = this.parts;
    const z = to.map(() => random.normal());
    for (let i = 0, at = c * tri(d); i < d; i++) {
      let value = means[c * d + i]!;
      if (this.full) for (let j = 0; j <= i; j++) value += this.L[at++]! * z[j]!;
      else value += this.L[c * d + i]! * z[i]!;
      to[i] = value;
    }
  }

  /** Arrays for an `expect` kernel, zero. */
  sums(single: boolean): Sums {
    const { k, d } = this.parts;
    const line = single ? 16 : 8;
    const width = Math.ceil(d / line) * line;
    return {
      width,
      count: new Float64Array(k),
      first: new Float64Array(k * width),
      second: new Float64Array(k * width * (this.full ? d : 1)),
      logLikelihood: new Float64Array(1),
    };
  }

  /** One kernel call over complete rows, which lie at `of` in the caller's data (undefined: they are it). */
  call(where: string, name: Name, rows: Rows, more: object, of?: Int32Array, how?: How): void {
    const { kernel, dims, args } = this.bound(name, rows, more);
    try {
      kernel(dims, args, how);
    } catch (error) {
      throw this.told(where, rows, error, of);
    }
  }
  async callAsync(
    where: string,
    name: Name,
    rows: Rows,
    more: object,
    how: Asynchronous,
    of?: Int32Array,
  ): Promise<void> {
    const { kernel, dims, args } = this.bound(name, rows, more);
    try {
      await kernel.async(dims, args, how);
    } catch (error) {
      throw this.told(where, rows, error, of);
    }
  }

  dispose(): void {
    for (const single of Object.values(this.singles)) single.dispose();
    for (const { b, mean, W } of Object.values(this.prepared)) for (const held of [b, mean, W]) held.dispose();
  }

  private single(single: boolean): Single {
    const values = single ? new Float32Array(this.parts.d) : new Float64Array(this.parts.d);
    const { kernel, dims, args } = this.bound('logDensity', { values, n: 1 }, { out: alike(values, 1) });
    const prepared = kernel.prepare(dims, args);
    return { x: prepared.args.x, out: prepared.args.out, run: prepared.run, dispose: prepared.dispose };
  }
  private bound(name: Name, { values, n, resident }: Rows, more: object) {
    const { k, d } = this.parts;
    const single = isSingle(values);
    const { b, mean, W } = this.resident(single);
    const kernel = this.kernels(single)[this.full ? name : (`${name}Diagonal` as const)];
    const args = { x: resident ?? values, b, mean, [this.full ? 'W' : 'u']: W, ...more };
    return { kernel: kernel as unknown as Loose, dims: { n, d, k }, args };
  }
  /** A row without density is NON_FINITE, at its place in the caller's data. */
  private told(where: string, { values }: Rows, error: unknown, of?: Int32Array): unknown {
    if (!(error instanceof KernelFailure)) return error;
    const row = error.at['n']!;
    return nonFinite(where, 'x', values, row, this.parts.d, of?.[row]);
  }

  private kernels(single: boolean): Backend['f64']['mixture'] {
    return (single ? this.backend.f32 : this.backend.f64).mixture as Backend['f64']['mixture'];
  }
  /** The parameters of the kernels, made once per dtype. */
  private resident(single: boolean): Prepared {
    const dtype = single ? 'f32' : 'f64';
    this.prepared[dtype] ??= this.prepare(single);
    return this.prepared[dtype];
  }
  private prepare(single: boolean): Prepared {
    const { k, d, weights, means } = this.parts;
    const { L, logDet, backend } = this;
    const array = (n: number): Float64Array => (single ? new Float32Array(n) : new Float64Array(n)) as Float64Array;
    const b = array(k);
    const W = array(L.length);
    const mean = array(k * d);
    mean.set(means);
    const kernels = this.kernels(single);
    if (this.full) kernels.prepare({ k, d }, { weights, L, logDet, b, W });
    else kernels.prepareDiagonal({ k, d }, { weights, L, logDet, b, u: W });
    const held: Resident<Real>[] = [];
    try {
      for (const values of [b, mean, W]) held.push(backend.hold(values));
    } catch (error) {
      for (const resident of held) resident.dispose(); // all of it or nothing
      throw error;
    }
    return { b: held[0]!, mean: held[1]!, W: held[2]! };
  }

  private factorised(): { L: Float64Array; logDet: Float64Array } {
    const { k, d, type, covariances } = this.parts;
    const fail = (pivot: number, value: number, component?: number): SeqlikError =>
      notPositiveDefinite(this.where, this.which, pivot, value, k > 1 ? component : undefined);
    if (type === 'tied') {
      const { L, logDet } = factorise(this.backend, covariances, 1, d, ({ pivot, value }) => fail(pivot, value));
      return { L: repeated(L, k), logDet: repeated(logDet, k) };
    }
    if (type === 'full')
      return factorise(this.backend, covariances, k, d, ({ matrix, pivot, value }) => fail(pivot, value, matrix));
    // variances are matrices of size 1
    const { L, logDet } = factorise(this.backend, this.covariances, k * d, 1, ({ matrix, value }) =>
      fail(matrix % d, value, Math.floor(matrix / d)),
    );
    return { L, logDet: rowSums(logDet, k, d) };
  }
  /** 2 Σ log L[j,j]: the logarithms are those of the kernels, on every engine. */
  private logPivots(L: Float64Array): Float64Array {
    const { k, d } = this.parts;
    const pivots = Float64Array.from(
      { length: k * d },
      (_, i) => L[Math.floor(i / d) * tri(d) + tri((i % d) + 1) - 1]!,
    );
    const { logDet } = factorise(this.backend, pivots, k * d, 1, () => new Error('pivots are positive'));
    return rowSums(logDet, k, d).map((log) => 2 * log);
  }
}
/** Patterns come one after the other: of the rows that fail the first one is told. */
class FirstFailure {
  private error: SeqlikError | undefined;
  of(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.note(error);
    }
  }
  note(error: unknown): void {
    if (!(error instanceof SeqlikError) || error.row === undefined) throw error;
    if (!this.error || error.row < this.error.row!) this.error = error;
  }
  raise(): void {
    if (this.error) throw this.error;
  }
}

interface Loose {
  (dims: object, args: object, how?: How): void;
  async(dims: object, args: object, how?: Asynchronous): Promise<void>;
  prepare(dims: object, args: object): { args: { x: Real; out: Real }; run(): void; dispose(): void };
}
const repeated = (values: Float64Array, times: number): Float64Array =>
  Float64Array.from({ length: values.length * times }, (_, i) => values[i % values.length]!);
const rowSums = (values: Float64Array, k: number, d: number): Float64Array =>
  Float64Array.from({ length: k }, (_, c) => values.subarray(c * d, (c + 1) * d).reduce((a, b) => a + b, 0));

/** Covariances of any type as one matrix or d variances per component. */
export function spread(type: CovarianceType, covariances: Float64Array, k: number, d: number): Float64Array {
  if (type === 'tied') return repeated(covariances, k);
  if (type === 'spherical') return Float64Array.from({ length: k * d }, (_, i) => covariances[Math.floor(i / d)]!);
  return covariances;
}
/** The transpose of `spread`: what belongs to one shared value adds up. */
export function gathered(type: CovarianceType, each: Float64Array, k: number, d: number): Float64Array {
  if (type !== 'tied' && type !== 'spherical') return each;
  const sums = new Float64Array(type === 'tied' ? d * d : k);
  for (const [i, g] of each.entries()) sums[type === 'tied' ? i % (d * d) : Math.floor(i / d)]! += g;
  return sums;
}
