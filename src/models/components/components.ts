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
  type Factors,
  factoriseRows,
  invert,
  notPositiveDefinite,
  PIECE,
  pieces,
  tri,
} from '../triangles.ts';
import { type Pass, rest, runAsync, runNow, type Work, work } from '../work.ts';
import { type CovarianceType, expand, hasMatrices, marginalise, selectColumns } from './covariances.ts';
import { factorsOf } from './factors.ts';
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
  readonly b: Real | Resident<Real>;
  readonly mean: Real | Resident<Real>;
  readonly low: Real | Resident<Real>;
  readonly W: Real | Resident<Real>;
}
/** How components are made. */
interface Making {
  /** Their factors, if they are known. */
  readonly factors?: Factors;
  /** They serve one pass over the data, as those of EM do, so nothing of them is kept resident. */
  readonly once?: boolean;
}

export class Components {
  /** Whether each component has a matrix; else it has d variances. */
  readonly full: boolean;
  /** Cholesky factors packed by rows [k,tri(d)], or standard deviations [k,d]. */
  readonly L: Float64Array;
  /** log |covariance| of each component. */
  readonly logDet: Float64Array;
  /** Whether the inverse of a factor overflows in f32. */
  private narrow = false;
  private readonly prepared: { f64?: Prepared; f32?: Prepared } = {};
  private readonly oneRow: { f64?: OneRow; f32?: OneRow } = {};
  private readonly single: Components[] = [];
  private expanded?: Float64Array;
  readonly #once: boolean;

  /** `where` and `which`: the public names of the call and of its covariances. Throws NOT_POSITIVE_DEFINITE. */
  constructor(
    readonly backend: Backend,
    readonly parts: Parts,
    readonly where: string,
    readonly which: string,
    { factors = runNow(factorsOf(backend, parts, where, which)), once = false }: Making = {},
  ) {
    this.full = hasMatrices(parts.type);
    this.L = factors.L;
    this.logDet = factors.logDet;
    this.#once = once;
  }
  /** Components for one pass over the data, factorised in small pieces. Throws NOT_POSITIVE_DEFINITE. */
  static *forOnePass(backend: Backend, parts: Parts, where: string, which: string): Pass<Components> {
    const factors = yield* factorsOf(backend, parts, where, which);
    return new Components(backend, parts, where, which, { factors, once: true });
  }
  /** Whether it was made here: no code of a caller's runs. */
  static is(value: unknown): value is Components {
    return typeof value === 'object' && value !== null && #once in value;
  }
  /** One matrix [k,d,d] or d variances [k,d] per component, whatever the type. */
  get covariances(): Float64Array {
    const { type, k, d, covariances } = this.parts;
    this.expanded ??= expand(type, covariances, k, d);
    return this.expanded;
  }

  /** log Σ_c w_c N(x | c) of each row, into `out`; 0 for a row without observations. Throws NON_FINITE (row). */
  logDensity(where: string, x: Rows, missing: Gaps, out: Real, mark = false): Real {
    return runNow(this.score('logDensity', where, groupByGaps(where, x, missing, this.parts.d), out, mark));
  }
  /** The same off the event loop, on copies of what the caller owns. */
  async logDensityAsync(where: string, x: Rows, missing: Gaps, signal?: AbortSignal, mark = false): Promise<Real> {
    // all, before the caller can change anything: the first call copies its rows, but comes late where much is prepared
    const own = this.large && !this.prepared[dtypeOf(x.values)] ? { ...x, values: x.values.slice() } : x;
    const patterns = [...groupByGaps(where, own, missing, this.parts.d)];
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
    const marginals = new Marginals(this, false); // each pattern comes once
    try {
      for (const { dims, rows, rowIndices } of patterns) {
        const part = yield* marginals.of(dims, rows.values);
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
    } finally {
      marginals.dispose();
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

  /** The same Gaussians over some of the coordinates, in the order named. */
  marginal(dims: readonly number[]): Components {
    const { backend, where, which } = this;
    const parts = this.marginalParts(dims);
    const factor = (L: Float64Array): Float64Array =>
      factoriseRows(backend, L, dims, ({ pivot, value }) => notPositiveDefinite(where, which, pivot, value));
    return new Components(backend, this.parts.L ? { ...parts, L: factor(this.parts.L) } : parts, where, which);
  }
  /** The same for one pass over the data, in small pieces. */
  *marginalPass(dims: readonly number[]): Pass<Components> {
    const { backend, where, which } = this;
    if (this.parts.L) return this.marginal(dims);
    return yield* Components.forOnePass(backend, this.marginalParts(dims), where, which);
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

  /** The diagonals [k,d] of the inverses of the covariances, in small pieces. */
  *inverseDiagonals(): Pass<Float64Array> {
    const { k, d } = this.parts;
    if (!this.full) return this.L.map((v) => 1 / (v * v));
    const { W } = this.prepared.f64 ?? this.prepared.f32 ?? (yield* this.prepare('f64'));
    const packed = W as Real; // columns of √(½ log₂e) L⁻¹
    const diagonals = new Float64Array(k * d);
    for (let c = 0, at = 0; c < k; c++)
      for (let j = 0; j < d; j++) {
        if (j % 64 === 63) yield rest;
        let sum = 0;
        for (let i = j; i < d; i++, at++) sum += packed[at]! * packed[at]!;
        diagonals[c * d + j] = (2 * sum) / Math.LOG2E;
      }
    return diagonals;
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
    const how = { owned: true, rowByRow: true, ...(shardSize !== undefined && { shardSize }) };
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
    if (this.#once) return;
    for (const held of Object.values(this.prepared))
      for (const resident of Object.values(held) as Resident<Real>[]) resident.dispose();
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
    this.prepared[dtype] ??= runNow(this.prepare(dtype));
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
  /** Prepares the parameters for rows of a dtype: at once, or if they are large in small pieces. */
  *ready(dtype: DType): Pass<void> {
    if (this.prepared[dtype]) return;
    const made = this.large ? yield* this.prepare(dtype) : runNow(this.prepare(dtype));
    this.prepared[dtype] ??= made; // what another pass has made meanwhile is as good
  }
  /** Whether others should not have to wait until all matrices are factorised. */
  private get large(): boolean {
    const { k, d } = this.parts;
    return this.full && k * d ** 3 > PIECE;
  }
  private *prepare(dtype: DType): Pass<Prepared> {
    const { k, d, weights, means } = this.parts;
    const { L, logDet, backend } = this;
    const b = room('seqlik', k, dtype);
    const W = room('seqlik', L.length, dtype);
    const mean = room('seqlik', k * d, dtype);
    mean.set(means);
    const low = dtype === 'f64' ? room('seqlik', k * d) : mean.map((m, i) => (Number.isFinite(m) ? means[i]! - m : 0));
    const { prepare, preparePart, prepareDiagonal } = backend.kernels(dtype).mixture;
    if (!this.full) yield work(prepareDiagonal, { k, d }, { weights, L, logDet, b, u: W }, ours);
    else if (!this.large) yield work(prepare, { k, d }, { weights, L, logDet, b, W }, ours);
    else
      for (let c = 0; c < k; c++) {
        const [weight, log] = [weights.subarray(c, c + 1), logDet.subarray(c, c + 1)];
        const args = { weight, L: this.factorOf(c), logDet: log, b: b.subarray(c, c + 1) };
        const own = W.subarray(c * tri(d), (c + 1) * tri(d));
        for (const [from, part] of pieces(d)) yield work(preparePart, { d, from, part }, { ...args, W: own }, ours);
      }
    if (dtype === 'f32') this.narrow = !W.every(Number.isFinite);
    if (this.#once) return { b, mean, low, W };
    const held: Resident<Real>[] = [];
    try {
      for (const values of [b, mean, low, W]) held.push(backend.hold(values));
    } catch (error) {
      for (const resident of held) resident.dispose(); // all of it or nothing
      throw error;
    }
    return { b: held[0]!, mean: held[1]!, low: held[2]!, W: held[3]! };
  }
}
/** The marginals of components: each made once if they are asked for repeatedly, else only the last is kept. */
export class Marginals {
  private readonly made = new Map<string, Components>();
  constructor(
    private readonly whole: Components,
    private readonly repeatedly: boolean,
  ) {}
  /** Those over the coordinates `dims`, ready for rows like `values`. */
  *of(dims: readonly number[], values: Real): Pass<Components> {
    const { whole, made } = this;
    let part = whole;
    if (dims.length > 0 && dims.length < whole.parts.d) {
      const key = dims.join();
      const known = made.get(key);
      if (!known && !this.repeatedly) this.dispose();
      part = known ?? (yield* whole.marginalPass(dims));
      made.set(key, part);
    }
    if (dims.length > 0) yield* part.ready(dtypeOf(values));
    return part;
  }
  dispose(): void {
    for (const part of this.made.values()) part.dispose();
    this.made.clear();
  }
}

/** An asynchronous call over arrays that nobody else changes. */
const ours = { owned: true };
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
