/**
 * k weighted Gaussians on a backend, factorised once and resident: what Gaussian (k = 1) and GaussianMixture share.
 * Equations: docs/math/mixture.md.
 */
import type { Backend } from '../../bind.ts';
import { alike, dtypeOf, FAR, type Gaps, isSingle, nonFinite, type Real, type Rows, room } from '../../check.ts';
import { callError, KernelFailure, SeqlikError } from '../../errors.ts';
import { type DType, pad, type Resident } from '../../grammar.ts';
import type { Random } from '../../random.ts';
import { Pace } from '../../training/pace.ts';
import { scoreEach } from '../marking.ts';
import {
  addProduct,
  type FailedPivot,
  factorise,
  factoriseRows,
  invert,
  notPositiveDefinite,
  unpackDiagonals,
} from '../triangles.ts';
import { type Pass, runAsync, runNow, type Work, work } from '../work.ts';
import {
  type CovarianceType,
  expand,
  hasMatrices,
  marginalise,
  repeat,
  selectColumns,
  sumRows,
} from './covariances.ts';
import { groupByGaps, type Pattern } from './patterns.ts';

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
/** The sums of one `expect` call, in rows of `width` values: second moments about the means are [k,d,width], or of
 * variances [k,width]. */
export interface PaddedSums {
  readonly width: number;
  readonly count: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly logLikelihood: Float64Array;
}
/** A prepared call for one row. */
interface OneRow {
  readonly x: Real;
  readonly out: Real;
  run(): void;
  dispose(): void;
}
/** The parameters as the kernels read them, in one dtype: a mean is the sum of `mean` and of the rest `low` that its
 * rounding left; where there are variances W is called u. */
interface Prepared {
  readonly b: Resident<Real>;
  readonly mean: Resident<Real>;
  readonly low: Resident<Real>;
  readonly W: Resident<Real>;
}

export class Components {
  /** Whether each component has a matrix; else it has d variances. */
  readonly full: boolean;
  /** One matrix [k,d,d] or d variances [k,d] per component, whatever the type. */
  readonly covariances: Float64Array;
  /** Cholesky factors packed by rows [k,tri(d)], or standard deviations [k,d]. */
  readonly L: Float64Array;
  /** log |covariance| of each component. */
  readonly logDet: Float64Array;
  /** Whether the inverse of a factor overflows in f32. */
  private narrow = false;
  private readonly prepared: { f64?: Prepared; f32?: Prepared } = {};
  private readonly oneRow: { f64?: OneRow; f32?: OneRow } = {};
  private readonly single: Components[] = [];

  /** `where` and `which`: the public names of the call and of its covariances. Throws NOT_POSITIVE_DEFINITE. */
  constructor(
    readonly backend: Backend,
    readonly parts: Parts,
    readonly where: string,
    readonly which: string,
  ) {
    const { type, k, d, covariances } = parts;
    this.full = hasMatrices(type);
    this.covariances = expand(type, covariances, k, d);
    const { L, logDet } = parts.L ? { L: parts.L, logDet: this.logDeterminants(parts.L) } : this.factoriseAll();
    this.L = L;
    this.logDet = logDet;
  }

  /** log Σ_c w_c N(x | c) of each row, into `out`; 0 for a row without observations. Throws NON_FINITE (row). */
  logDensity(where: string, x: Rows, missing: Gaps, out: Real, mark = false): Real {
    return runNow(this.score('logDensity', where, groupByGaps(where, x, missing, this.parts.d), out, mark));
  }
  /** The same off the event loop, on copies of what the caller owns. */
  async logDensityAsync(where: string, x: Rows, missing: Gaps, signal?: AbortSignal, mark = false): Promise<Real> {
    const patterns = [...groupByGaps(where, x, missing, this.parts.d)]; // all, before the caller can change anything
    const pass = this.score('logDensity', where, patterns, alike(x.values, x.n), mark);
    return runAsync(pass, new Pace(signal, where), signal);
  }
  /** log Σ_c w_c N(x | c) of one complete row: planned once, as a plan costs more than the row. */
  logDensityOfOne(where: string, x: Real, dtype: DType): number {
    this.oneRow[dtype] ??= this.prepareOneRow(dtype);
    const call = this.oneRow[dtype];
    for (let j = 0; j < this.parts.d; j++) call.x[j] = x[j]!;
    try {
      call.run();
    } catch (error) {
      throw this.toUserError(where, { values: call.x.slice(), n: 1 }, error);
    }
    return call.out[0]!;
  }
  /** w_c N(x | c) / Σ, [n,k]; the weights for a row without observations. Throws NON_FINITE (row). */
  responsibilities(where: string, x: Rows, missing: Gaps, mark = false): Real {
    const { k, d } = this.parts;
    const r = room(where, x.n * k, dtypeOf(x.values));
    return runNow(this.score('responsibilities', where, groupByGaps(where, x, missing, d), r, mark));
  }

  /**
   * log N(x | c) of each row and component [n,k], without the weights, in f64 whatever x is: -Infinity where a distance
   * overflows; 0 for a row without observations. Throws NON_FINITE (row, column: a value that is not finite).
   */
  componentLogDensity(where: string, x: Rows, missing: Gaps): Float64Array {
    const { k, d } = this.parts;
    const out = room(where, x.n * k);
    const wide = isSingle(x.values) ? { n: x.n, values: room(where, x.values.length) } : x;
    if (wide !== x) wide.values.set(x.values);
    const patterns = [...groupByGaps(where, wide, missing, d)];
    const own = room(where, x.n);
    for (let c = 0; c < k; c++) {
      runNow(this.alone(c).score('logDensity', where, patterns, own, true));
      for (let i = 0; i < x.n; i++) out[i * k + c] = own[i]!;
    }
    return out;
  }
  /** Component c with the weight 1; made once. */
  private alone(c: number): Components {
    const { k, d, means, L } = this.parts;
    if (k === 1) return this;
    const size = this.covariances.length / k;
    this.single[c] ??= new Components(
      this.backend,
      {
        type: this.full ? 'full' : 'diagonal',
        k: 1,
        d,
        weights: Float64Array.of(1),
        means: means.subarray(c * d, (c + 1) * d),
        covariances: this.covariances.subarray(c * size, (c + 1) * size),
        ...(L && { L: this.factorOf(c) }),
      },
      this.where,
      this.which,
    );
    return this.single[c];
  }

  /** One call per pattern of gaps, whose results go to their rows of `out`. */
  private *score(
    name: 'logDensity' | 'responsibilities',
    where: string,
    patterns: Iterable<Pattern>,
    out: Real,
    mark = false,
  ): Pass<Real> {
    const { weights } = this.parts;
    const width = name === 'logDensity' ? 1 : weights.length;
    const first = new FirstFailure();
    for (const { part, dims, rows, rowIndices } of this.marginals(patterns)) {
      const own = rowIndices ? alike(out, rows.n * width) : out;
      if (dims.length > 0)
        try {
          yield part.call(name, rows, own);
        } catch (error) {
          const failure = part.toUserError(where, rows, error, rowIndices);
          if (mark && isFar(failure)) yield* part.scoreMarking(name, where, rows, own, first, rowIndices);
          else first.record(failure);
        }
      else if (name === 'responsibilities') for (let i = 0; i < rows.n; i++) own.set(weights, i * width);
      rowIndices?.forEach((row, i) => {
        for (let c = 0; c < width; c++) out[row * width + c] = own[i * width + c]!;
      });
    }
    first.raise();
    return out;
  }

  /**
   * Scores rows of which one at least is too far away: it gets -Infinity, or responsibilities of 0.
   */
  private *scoreMarking(
    name: 'logDensity' | 'responsibilities',
    where: string,
    rows: Rows,
    own: Real,
    first: FirstFailure,
    rowIndices?: Int32Array,
  ): Pass<void> {
    const { k, d } = this.parts;
    const width = name === 'logDensity' ? 1 : k;
    const part = (from: number, end: number): Rows => ({
      values: rows.values.subarray(from * d, end * d),
      n: end - from,
    });
    yield* scoreEach(
      rows.n,
      (from, end) => this.call(name, part(from, end), own.subarray(from * width, end * width)),
      (row, error) => {
        const place = Int32Array.of(rowIndices?.[row] ?? row);
        const failure = this.toUserError(where, part(row, row + 1), error, place);
        if (!isFar(failure)) first.record(failure);
        own.fill(name === 'logDensity' ? Number.NEGATIVE_INFINITY : 0, row * width, (row + 1) * width);
      },
    );
  }

  /** Each pattern with the marginal over its dims; marginals are made once, and disposed of at the end. */
  *marginals<P extends Pattern>(patterns: Iterable<P>): Generator<P & { readonly part: Components }> {
    const made = new Map<string, Components>();
    try {
      for (const pattern of patterns) {
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
    const { backend, where, which } = this;
    const parts = this.marginalParts(dims);
    const factor = (L: Float64Array): Float64Array =>
      factoriseRows(backend, L, dims, ({ pivot, value }) => notPositiveDefinite(where, which, pivot, value));
    return new Components(backend, this.parts.L ? { ...parts, L: factor(this.parts.L) } : parts, where, which);
  }
  marginalParts(dims: readonly number[]): Parts {
    const { k, d, type, weights, means, covariances } = this.parts;
    return {
      type,
      k,
      d: dims.length,
      weights,
      means: selectColumns(means, k, d, dims),
      covariances: marginalise(type, covariances, k, d, dims),
    };
  }

  /** mean + L z with z ~ N(0, I) for component c, into `to`. */
  draw(random: Random, c: number, to: Float64Array): void {
    const { d, means } = this.parts;
    const z = to.map(() => random.normal());
    to.set(means.subarray(c * d, (c + 1) * d));
    addProduct(this.factorOf(c), z, this.full, to);
  }
  /** The inverses of the covariances, in the shape of their type. */
  precisions(): Float64Array {
    const { k, d, type, covariances } = this.parts;
    if (!this.full) return covariances.map((v) => 1 / v);
    const inverses = new Float64Array(covariances.length);
    for (let c = 0; c < (type === 'tied' ? 1 : k); c++) inverses.set(invert(this.factorOf(c), d), c * d * d);
    return inverses;
  }
  /** The Cholesky factor of component c [tri(d)], or its standard deviations [d]. */
  factorOf(c: number): Float64Array {
    const size = this.L.length / this.parts.k;
    return this.L.subarray(c * size, (c + 1) * size);
  }

  /** Arrays for `expect`, zero. */
  sums(dtype: DType): PaddedSums {
    const { k, d } = this.parts;
    const width = pad(d, dtype);
    return {
      width,
      count: new Float64Array(k),
      first: new Float64Array(k * width),
      second: new Float64Array(k * width * (this.full ? d : 1)),
      logLikelihood: new Float64Array(1),
    };
  }
  /** Adds complete rows, weighted by w, to sums: arrays that nobody else changes meanwhile. */
  expect(rows: Rows, w: Float64Array, sums: PaddedSums, shardSize?: number): Work {
    const { kernels, dims, x, b, mean, low, W } = this.bind(rows);
    const { count, first, second, logLikelihood } = sums;
    const more = { x, b, mean, low, w, count, first, second, logLikelihood };
    const how = { owned: true, ...(shardSize !== undefined && { shardSize }) };
    return this.full
      ? work(kernels.expect, dims, { ...more, W }, how)
      : work(kernels.expectDiagonal, dims, { ...more, u: W }, how);
  }
  /** A kernel failure as a user sees it: a row without density is NON_FINITE, at its place in the caller's data. */
  toUserError(where: string, { values }: Rows, error: unknown, rowIndices?: Int32Array): unknown {
    if (!(error instanceof KernelFailure)) return error;
    const row = error.at['n']!;
    const place = rowIndices?.[row] ?? row;
    const own = values.subarray(row * this.parts.d, (row + 1) * this.parts.d);
    if (isSingle(values) && this.narrow && own.every(Number.isFinite))
      return callError(
        'NON_FINITE',
        where,
        `a variance of ${this.which} is too small for f32 at row ${place} of x: pass f64`,
        {
          argument: 'x',
          row: place,
        },
      );
    return nonFinite(where, 'x', values, row, this.parts.d, place);
  }

  dispose(): void {
    for (const part of this.single) part?.dispose();
    for (const call of Object.values(this.oneRow)) call.dispose();
    for (const held of Object.values(this.prepared)) for (const resident of Object.values(held)) resident.dispose();
  }

  /** One kernel call over complete rows. */
  private call(name: 'logDensity' | 'responsibilities', rows: Rows, out: Real): Work {
    const { kernels, dims, x, b, mean, low, W } = this.bind(rows);
    if (name === 'logDensity')
      return this.full
        ? work(kernels.logDensity, dims, { x, b, mean, low, W, out }, copied)
        : work(kernels.logDensityDiagonal, dims, { x, b, mean, low, u: W, out }, copied);
    return this.full
      ? work(kernels.responsibilities, dims, { x, b, mean, low, W, r: out }, copied)
      : work(kernels.responsibilitiesDiagonal, dims, { x, b, mean, low, u: W, r: out }, copied);
  }
  /** The kernels for rows of this dtype, and the arguments they all take; with variances, W is their argument u. */
  private bind({ values, n, resident }: Rows) {
    const { k, d } = this.parts;
    const dtype = dtypeOf(values);
    this.prepared[dtype] ??= this.prepare(dtype);
    const { b, mean, low, W } = this.prepared[dtype];
    const kernels = this.backend.kernels(dtype).mixture;
    return { kernels, dims: { n, d, k }, x: resident ?? values, b, mean, low, W };
  }
  private prepareOneRow(dtype: DType): OneRow {
    const x = room('seqlik', this.parts.d, dtype);
    const out = room('seqlik', 1, dtype);
    const { kernels, dims, b, mean, low, W } = this.bind({ values: x, n: 1 });
    const { args, run, dispose } = this.full
      ? kernels.logDensity.prepare(dims, { x, b, mean, low, W, out })
      : kernels.logDensityDiagonal.prepare(dims, { x, b, mean, low, u: W, out });
    return { x: args.x, out: args.out, run, dispose };
  }
  private prepare(dtype: DType): Prepared {
    const { k, d, weights, means } = this.parts;
    const { L, logDet, backend } = this;
    const b = room('seqlik', k, dtype);
    const W = room('seqlik', L.length, dtype);
    const mean = room('seqlik', k * d, dtype);
    mean.set(means);
    const low = mean.map((m, i) => (Number.isFinite(m) ? means[i]! - m : 0)); // 0 in f64
    const kernels = backend.kernels(dtype).mixture;
    if (this.full) kernels.prepare({ k, d }, { weights, L, logDet, b, W });
    else kernels.prepareDiagonal({ k, d }, { weights, L, logDet, b, u: W });
    if (dtype === 'f32') this.narrow = !W.every(Number.isFinite);
    const held: Resident<Real>[] = [];
    try {
      for (const values of [b, mean, low, W]) held.push(backend.hold(values));
    } catch (error) {
      for (const resident of held) resident.dispose(); // all of it or nothing
      throw error;
    }
    return { b: held[0]!, mean: held[1]!, low: held[2]!, W: held[3]! };
  }

  private factoriseAll(): { L: Float64Array; logDet: Float64Array } {
    const { k, d, type, covariances } = this.parts;
    const fail = (pivot: number, value: number, component?: number): SeqlikError =>
      notPositiveDefinite(this.where, this.which, pivot, value, k > 1 ? component : undefined);
    if (type === 'tied') {
      const { L, logDet } = factorise(this.backend, covariances, 1, d, ({ pivot, value }) => fail(pivot, value));
      return { L: repeat(L, k), logDet: repeat(logDet, k) };
    }
    if (type === 'full')
      return factorise(this.backend, covariances, k, d, ({ matrix, pivot, value }) => fail(pivot, value, matrix));
    // variances are matrices of size 1
    const { L, logDet } = factorise(this.backend, this.covariances, k * d, 1, ({ matrix, value }: FailedPivot) =>
      fail(matrix % d, value, Math.floor(matrix / d)),
    );
    return { L, logDet: sumRows(logDet, k, d) };
  }
  /** 2 Σ log L[j,j] of each factor: the kernels take the logarithms, which are the same on every engine. */
  private logDeterminants(L: Float64Array): Float64Array {
    const { k, d } = this.parts;
    const pivots = unpackDiagonals(L, k, d);
    const { logDet } = factorise(this.backend, pivots, k * d, 1, () => new Error('pivots are positive'));
    return sumRows(logDet, k, d).map((log) => 2 * log);
  }
}

/** An asynchronous call reads and writes copies: the caller may change the arrays meanwhile. */
const copied = { owned: false };

/** Whether an error is about a row that is too far away, and not about a value or a parameter. */
const isFar = (error: unknown): boolean =>
  error instanceof SeqlikError && error.code === 'NON_FINITE' && Boolean(error.sentence?.startsWith(FAR));

/** Patterns run one after the other: this reports the failing row with the lowest index. */
class FirstFailure {
  private error: SeqlikError | undefined;
  record(error: unknown): void {
    if (!(error instanceof SeqlikError) || error.row === undefined) throw error;
    if (!this.error || error.row < this.error.row!) this.error = error;
  }
  raise(): void {
    if (this.error) throw this.error;
  }
}
