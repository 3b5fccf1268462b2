/** Mixtures of Gaussians. Equations: docs/math/mixture.md. */

import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Gaps, Points, Real, Result, Scoring, Tensor, Vector } from '../check.ts';
import * as check from '../check.ts';
import { argumentError, counted } from '../errors.ts';
import { decode, decodeColumns, encode, encodeColumns, numberOf, orMalformed } from '../file.ts';
import type { FitReport } from '../training/report.ts';
import { Components, type Parts } from './components/components.ts';
import { conditionOn } from './components/conditional.ts';
import { type CovarianceType, covarianceTypes, freeValues } from './components/covariances.ts';
import { fitComponents } from './components/em.ts';
import { decodeParts, encodeParts } from './components/file.ts';
import { gradients, weightGradient } from './components/gradient.ts';
import { type MixtureParameter, maximiseOthers, nothingHeld, parameterNames, readHeld } from './components/held.ts';
import { columnVariances } from './components/maximise.ts';
import { readMixture } from './components/parameters.ts';
import { Scored } from './components/scored.ts';
import { type ComponentFitOptions, componentFitOptions, readFit } from './components/settings.ts';
import { logShares, refuseFar } from './components/shares.ts';
import { type MixtureStart, readStart, type Start } from './components/start.ts';
import { isA, type Named, type OnBackend, onBackend } from './model.ts';
import { describeStatistics, MixtureStatistics } from './statistics.ts';
import { runNow } from './work.ts';

export type { CovarianceType } from './components/covariances.ts';
export type { MixtureParameter } from './components/held.ts';
export type { PointGradient, Weighted } from './components/scored.ts';
export type { ComponentFitOptions, FitOptions, FitProgress, Initialization } from './components/settings.ts';
export type { MixtureStart } from './components/start.ts';

/** Parameters of a mixture of M Gaussians in d dimensions. */
export interface MixtureParameters {
  /** [M], >= 0, sum 1 within 1e-9 */
  readonly weights: Vector;
  /** [M,d] */
  readonly means: Tensor;
  /** full [M,d,d], tied [d,d], diagonal [M,d] (variances), spherical [M] (variances) */
  readonly covariances: Tensor;
  /** Default: full. */
  readonly covarianceType?: CovarianceType;
}
/** A mixture, or the parameters of one. */
export type MixtureLike = GaussianMixture | MixtureParameters;
/** Results of `lossGradient`, in f64. */
export interface MixtureGradient {
  /** -Σ log p(x) */
  loss: number;
  /** [M]; the weights are taken as free. */
  dWeights: Float64Array;
  /** [M,d] */
  dMeans: Float64Array;
  /** In the shape of the covariances; matrices symmetric unconstrained. */
  dCovariances: Float64Array;
}
/** Draws from a mixture. */
export interface MixtureDraws {
  /** [n,d] */
  x: Float64Array;
  /** [n], from 0: the component that each was drawn from. */
  components: Int32Array;
}
/** A row whose log-density is below the threshold is an anomaly. */
export interface Anomaly {
  /** A log-density, in nats. */
  readonly threshold: number;
  /** Fraction of the training rows below the threshold. */
  readonly falsePositiveRate: number;
}
/** Options of `GaussianMixture.fit`. */
export interface MixtureFitOptions extends ComponentFitOptions {
  /** Needed without `init`; at most the observed rows. */
  readonly components?: number;
  /** Default: full, or that of `init`. */
  readonly covarianceType?: CovarianceType;
  /**
   * Warm start from a mixture, or from a part of one: means, with weights or covariances; the labels of the rows; or
   * their responsibilities. `restarts` is ignored.
   */
  readonly init?: MixtureLike | MixtureStart;
  /** The parameters to change, the others keep the values of `init`; default: all. */
  readonly update?: readonly MixtureParameter[];
  /** Fraction of the training rows to flag as anomalies, between 0 and 1; stored with the model. */
  readonly falsePositiveRate?: number;
}

/** Options of a fit that starts by itself. */
interface CountedFit extends MixtureFitOptions {
  readonly components: number;
}
/** Options of a fit that starts from given components. */
interface WarmFit extends MixtureFitOptions {
  readonly init: MixtureLike | MixtureStart;
}

/**
 * Σ_c weights[c] N(means[c], covariances[c]) with M components in d dimensions. Parameters are kept in f64; results
 * have the dtype of the data.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC (component), NOT_POSITIVE_DEFINITE
 * (which, component, pivot).
 * @example
 * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
 * m.logDensity([[0], [2]]); // Float64Array(2) [ -1.61175030..., -2.91893853... ]
 */
export class GaussianMixture extends Scored {
  /** The kind of model, as files and commands call it. */
  readonly kind = 'gaussian-mixture';
  /** Coordinates of a point: d. */
  readonly dimension: number;
  /** M */
  readonly componentCount: number;
  /** The form of the covariances, which gives their shape. */
  readonly covarianceType: CovarianceType;
  /** Set by `fit` with a false positive rate. */
  readonly anomaly: Anomaly | undefined;
  /** Names of the coordinates, if they are known. */
  readonly columns: readonly string[] | undefined;
  protected readonly title = 'GaussianMixture';
  protected readonly components: Components;

  /** `columns`: names of the d coordinates. `anomaly` is kept with the model. `backend` defaults to defaultBackend(). */
  constructor(parameters: MixtureParameters, options?: OnBackend & Named & { readonly anomaly?: Anomaly }) {
    super();
    const where = 'GaussianMixture';
    const given = check.options(where, options, ['backend', 'columns', 'anomaly']);
    const backend = check.backend(where, given.backend, defaultBackend);
    // what a fit has made is checked, and its covariances are factorised
    const made = Components.is(parameters) ? parameters : undefined;
    const parts = made?.parts ?? readMixture(where, '', parameters);
    this.dimension = parts.d;
    this.componentCount = parts.k;
    this.covarianceType = parts.type;
    this.anomaly = readAnomaly(where, given.anomaly);
    this.columns = check.names(where, 'columns', given.columns, parts.d);
    this.components = made ?? new Components(backend, parts, where, 'covariances');
  }

  /** { weights, means, covariances, covarianceType }, f64, flat. */
  get parameters(): {
    weights: Float64Array;
    means: Float64Array;
    covariances: Float64Array;
    covarianceType: CovarianceType;
  } {
    const { weights, means, covariances, type } = this.components.parts;
    return { weights: weights.slice(), means: means.slice(), covariances: covariances.slice(), covarianceType: type };
  }

  /**
   * The inverses of the covariances, in their shape: full [M,d,d], tied [d,d], diagonal [M,d], spherical [M].
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0, 0], covariances: [[[2, 1], [1, 2]]] });
   * m.precisions(); // Float64Array(4) [ 0.66666666..., -0.33333333..., -0.33333333..., 0.66666666... ]
   */
  precisions(): Float64Array {
    return this.components.precisions();
  }

  toBytes(): Uint8Array {
    const { threshold, falsePositiveRate } = this.anomaly ?? {};
    const anomaly = threshold !== undefined && { threshold: `${threshold}`, falsePositiveRate: `${falsePositiveRate}` };
    const metadata = { covarianceType: this.covarianceType, ...anomaly, ...encodeColumns(this.columns) };
    return encode(this.kind, metadata, encodeParts(this.components.parts));
  }
  /**
   * The inverse of toBytes. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (bytes, backend).
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0, 0], covariances: [1, 2], covarianceType: 'diagonal' });
   * GaussianMixture.fromBytes(m.toBytes()).covarianceType; // 'diagonal'
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer, options?: OnBackend): GaussianMixture {
    const on = onBackend('GaussianMixture.fromBytes', options);
    const file = decode('GaussianMixture.fromBytes', bytes, 'gaussian-mixture');
    const { type: covarianceType, weights, means, covariances } = decodeParts(file);
    const [threshold, falsePositiveRate] = [numberOf(file, 'threshold'), numberOf(file, 'falsePositiveRate')];
    const anomaly = threshold !== undefined && {
      anomaly: { threshold, falsePositiveRate: falsePositiveRate ?? Number.NaN },
    };
    const named = { ...on, ...decodeColumns(file), ...anomaly };
    return orMalformed(() => new GaussianMixture({ weights, means, covariances, covarianceType }, named));
  }

  /**
   * P(component | x) for each row of x [n,d]: [n,M], in the dtype of x. Shares of 2^-60 of the largest and below are 0;
   * for a row without observations they are the weights. A row that is marked as unscorable has
   * none: zeros. Throws as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
   * m.responsibilities([[2]]); // Float64Array(2) [ 0.5, 0.5 ]
   */
  responsibilities<X extends Points>(x: X, options?: Gaps & Scoring): Result<X> {
    return this.computeShares('GaussianMixture.responsibilities', x, options) as Result<X>;
  }

  /**
   * The most responsible component of each row of x [n,d]: [n], the first of several; -1 for a row that was marked.
   * Throws as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
   * m.classify([[-1], [5], [2]]); // Int32Array(3) [ 0, 1, 0 ]
   */
  classify(x: Points, options?: Gaps & Scoring): Int32Array {
    const r = this.computeShares('GaussianMixture.classify', x, options);
    const k = this.componentCount;
    return Int32Array.from({ length: r.length / k }, (_, i) => {
      let best = 0;
      for (let c = 1; c < k; c++) if (r[i * k + c]! > r[i * k + best]!) best = c;
      return r[i * k + best] === 0 ? -1 : best;
    });
  }

  /**
   * log N(x | component) of each row of x [n,d], without the weights: [n,M], in the dtype of x, computed in f64. With
   * gaps the density of what was observed; 0 where nothing was. -Infinity where a distance overflows; a row where all
   * of them do is an error, unless it is to be marked. Throws as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 40], covariances: [1, 1] });
   * m.componentLogDensity([[0]]); // Float64Array(2) [ -0.91893853..., -800.91893853... ]
   */
  componentLogDensity<X extends Points>(x: X, options?: Gaps & Scoring): Result<X> {
    const where = 'GaussianMixture.componentLogDensity';
    const { rows, missing, mark } = this.readScored(where, x, options);
    const densities = this.components.componentLogDensity(where, rows, missing);
    if (!mark) refuseFar(where, densities, this.componentCount, rows, this.dimension);
    return likeData(rows.values, densities) as Result<X>;
  }

  /**
   * log P(component | x) of each row of x [n,d]: [n,M], in the dtype of x, computed in f64. However small, each share is
   * exact; for a row without observations they are the weights, and -Infinity for a row that is marked.
   * Throws as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 40], covariances: [1, 1] });
   * m.logResponsibilities([[0]]); // Float64Array(2) [ 0, -800 ]
   */
  logResponsibilities<X extends Points>(x: X, options?: Gaps & Scoring): Result<X> {
    const where = 'GaussianMixture.logResponsibilities';
    const { rows, missing, mark } = this.readScored(where, x, options);
    return likeData(rows.values, logShares(where, this.components, rows, missing, mark)) as Result<X>;
  }

  /**
   * loss = -Σ log p(x) over the rows of x [n,d], and its gradients, in f64. Throws as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
   * m.lossGradient([[2]]).dMeans; // Float64Array(2) [ -1, 1 ]
   */
  lossGradient(x: Points): MixtureGradient {
    const where = 'GaussianMixture.lossGradient';
    const rows = check.points(where, 'x', x, this.dimension);
    check.finiteRows(where, 'x', rows, this.dimension); // gaps have no gradient here
    const totals = this.expect(where, rows, {}, new Float64Array(rows.n).fill(1));
    const dWeights = weightGradient(where, this.components, rows, totals);
    return { loss: 0 - totals.logLikelihood, dWeights, ...gradients(this.components, totals) };
  }

  /**
   * Statistics of x [n,d] for `update`: an additive value. `sampleWeights` [n] >= 0, default 1; `shardSize` rows are
   * summed together before such sums are added, default 8192. Throws as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
   * m.statistics([[0], [1], [4]]).rows; // 3
   */
  statistics(
    x: Points,
    options?: { readonly sampleWeights?: Vector; readonly shardSize?: number } & Gaps,
  ): MixtureStatistics {
    const where = 'GaussianMixture.statistics';
    const given = check.options(where, options, ['sampleWeights', 'shardSize', 'missing', 'mask']);
    const missing = check.gapOptions(where, given);
    const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
    const rows = check.points(where, 'x', x, this.dimension, missing);
    const weights = check.weights(where, given.sampleWeights, rows.n);
    return new MixtureStatistics(this.expect(where, rows, missing, weights, shardSize));
  }

  /**
   * The M step: the mixture of greatest expected likelihood, from statistics made under this one. `regularization` is
   * added to each diagonal in units of the variance of its column over the statistics (`fit` has a unit that outliers do
   * not move), default 1e-6. `update`: the parameters to change, default all. Throws INVALID_ARGUMENT, EMPTY_INPUT,
   * NOT_POSITIVE_DEFINITE (component, pivot).
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0], covariances: [1] });
   * m.update(m.statistics([[1], [3]])).parameters.means; // Float64Array(1) [ 2 ]
   */
  update(
    statistics: MixtureStatistics,
    options?: { readonly regularization?: number; readonly update?: readonly MixtureParameter[] },
  ): GaussianMixture {
    const where = 'GaussianMixture.update';
    const given = check.options(where, options, ['regularization', 'update']);
    const held = readHeld(where, given.update, parameterNames, new Set(parameterNames));
    const regularization = check.amount(where, 'regularization', check.or(given.regularization, 1e-6));
    if (!MixtureStatistics.is(statistics) || !statistics.madeUnder(this.components.parts))
      throw argumentError('INVALID_ARGUMENT', where, 'statistics', {
        expected: 'statistics of this mixture',
        received: describeStatistics(statistics),
        reason: 'must be made by this mixture',
      });
    this.live();
    const { totals } = statistics;
    const floor = columnVariances(totals).map((v) => v * regularization);
    return fromParts(runNow(maximiseOthers(where, totals, floor, held)), this.backend);
  }

  /**
   * n draws [n,d], f64; the same for the same seed (default 0) on one engine. With `components: true` an object of the
   * draws x and of the component of each [n]. Throws INVALID_ARGUMENT.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 90], covariances: [1, 1] });
   * const { x, components } = m.sample(9, { seed: 1, components: true });
   * components.every((c, i) => (c === 1) === x[i] > 45); // true
   */
  override sample(n: number, options: { readonly seed?: number; readonly components: true }): MixtureDraws;
  override sample(n: number, options?: { readonly seed?: number; readonly components?: false }): Float64Array;
  override sample(
    n: number,
    options?: { readonly seed?: number; readonly components?: boolean },
  ): Float64Array | MixtureDraws {
    const where = 'GaussianMixture.sample';
    const { seed, components } = check.options(where, options, ['seed', 'components']);
    const asked = check.flag(where, 'components', check.or(components, false));
    const draws = this.draw(where, n, seed);
    return asked ? draws : draws.x;
  }

  /** M - 1 weights, M d means, and the free values of the covariances. */
  get parameterCount(): number {
    const { k, d, type } = this.components.parts;
    return k - 1 + k * d + freeValues(type, k, d);
  }

  /**
   * The log-density below which the fraction `falsePositiveRate` (between 0 and 1) of the rows of x [n,d] lies, by
   * linear interpolation. Rows that `unscorable` marks lie below it; it is finite. Throws EMPTY_INPUT, and as logDensity.
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
   * m.threshold([[0], [1], [9]], { falsePositiveRate: 0.5 }); // -2.09393578...
   */
  threshold(x: Points, options: { readonly falsePositiveRate: number } & Gaps & Scoring): number {
    const where = 'GaussianMixture.threshold';
    const given = check.options(where, options, ['falsePositiveRate', 'missing', 'mask', 'unscorable']);
    const mark = check.marking(where, given.unscorable);
    const rate = check.betweenZeroAndOne(where, 'falsePositiveRate', given.falsePositiveRate);
    const missing = check.gapOptions(where, given);
    const rows = check.points(where, 'x', x, this.dimension, missing);
    this.live();
    const out = check.out(where, undefined, rows.values, rows.n);
    return quantile(where, this.components.logDensity(where, rows, missing, out, mark), rate);
  }

  /**
   * The distribution of the coordinates `dims`, in the order named. Throws INVALID_ARGUMENT (dims).
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [1, 2], covariances: [1, 4], covarianceType: 'diagonal' });
   * m.marginal([1]).parameters.means; // Float64Array(1) [ 2 ]
   */
  marginal(dims: readonly number[]): GaussianMixture {
    const chosen = check.subset('GaussianMixture.marginal', dims, this.dimension, 1);
    return fromParts(this.components.marginalParts(chosen), this.backend);
  }

  /**
   * The distribution of the other coordinates, given that those in `dims` have `values`.
   * Throws INVALID_ARGUMENT (dims), DIMENSION_MISMATCH (values), NON_FINITE.
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0, 0], covariances: [4, 2, 2, 4] });
   * m.conditional([0], [2]).parameters.means; // Float64Array(1) [ 1 ]
   */
  conditional(dims: readonly number[], values: Vector): GaussianMixture {
    const where = 'GaussianMixture.conditional';
    const chosen = check.subset(where, dims, this.dimension, 0, this.dimension - 1);
    const at = check.tensor(where, 'values', values, [chosen.length]);
    check.finite(where, 'values', at);
    this.live();
    return fromParts(conditionOn(where, this.components, chosen, at), this.backend);
  }

  /**
   * Expectation maximisation on x [n,d]: nested rows, or flat with `dimension`. Rows with gaps count with the exact
   * conditional moments of what is missing. The work is off the event loop (native) or in slices of 20 ms (wasm).
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_POSITIVE_DEFINITE (constant column:
   * pivot), ABORTED.
   * @example
   * const { model } = await GaussianMixture.fit([[0], [1], [9], [10]], { components: 2, regularization: 0 });
   * model.parameters.means.sort(); // Float64Array(2) [ 0.5, 9.5 ]
   */
  static async fit(x: Points, options: CountedFit | WarmFit): Promise<{ model: GaussianMixture; report: FitReport }> {
    const where = 'GaussianMixture.fit';
    const known = [
      ...componentFitOptions,
      'components',
      'covarianceType',
      'init',
      'update',
      'falsePositiveRate',
    ] as const;
    const given = check.options(where, options, known);
    const init = given.init === undefined ? undefined : readInit(where, given);
    const k = check.count(where, 'components', check.or(given.components, init?.k));
    const type = check.choice(
      where,
      'covarianceType',
      check.or(given.covarianceType, init?.parts?.type ?? 'full'),
      covarianceTypes,
    );
    const form = init?.parts?.type ?? type;
    if (init && (init.k !== k || form !== type))
      throw argumentError('INVALID_ARGUMENT', where, 'init', {
        expected: counted(k, `${type} component`),
        received: counted(init.k, `${form} component`),
        reason: `has ${counted(init.k, `${form} component`)}, not ${k} ${type}`,
      });
    const held = readHeld(where, given.update, parameterNames, init?.given ?? nothingHeld);
    const whole = init?.parts && init.given.size === parameterNames.length;
    const rate =
      given.falsePositiveRate === undefined
        ? undefined
        : check.betweenZeroAndOne(where, 'falsePositiveRate', given.falsePositiveRate);
    const { rows, settings } = readFit(where, x, given, {
      ...{ type, k, held },
      ...(whole ? { init: init.parts! } : init && { start: init }),
    });
    const { parts, factors, report } = await fitComponents(rows, settings);
    const fitted = (anomaly?: Anomaly): GaussianMixture => {
      const components = new Components(settings.backend, parts, 'GaussianMixture', 'covariances', { factors });
      const more = { backend: settings.backend, ...(anomaly && { anomaly }) };
      return new GaussianMixture(components as unknown as MixtureParameters, more);
    };
    const model = fitted();
    if (rate === undefined) return { model, report };
    const how = settings.signal ? { signal: settings.signal } : {};
    const density = model.logDensityAsync(rows.values, { ...settings.missing, ...how });
    const threshold = quantile(where, await density.finally(() => model.dispose()), rate);
    return { model: fitted({ threshold, falsePositiveRate: rate }), report };
  }

  /** @internal */
  static of(like: MixtureLike): GaussianMixture {
    return isA(GaussianMixture, like) ? like : new GaussianMixture(like);
  }
  /** @internal */
  static partsOf(like: unknown): Parts | undefined {
    return isA(GaussianMixture, like) ? like.components.parts : undefined;
  }
  /** @internal */
  static componentsOf(mixture: GaussianMixture): Components {
    mixture.live();
    return mixture.components;
  }

  private computeShares(where: string, x: Points, options?: Gaps & Scoring): Real {
    const { rows, missing, mark } = this.readScored(where, x, options);
    return this.components.responsibilities(where, rows, missing, mark);
  }
  /** The data and options of a call that scores. */
  private readScored(where: string, x: Points, options: unknown): { rows: check.Rows; missing: Gaps; mark: boolean } {
    const given = check.options(where, options, ['missing', 'mask', 'unscorable']);
    const mark = check.marking(where, given.unscorable);
    const missing = check.gapOptions(where, given);
    const rows = check.points(where, 'x', x, this.dimension, missing);
    this.live();
    return { rows, missing, mark };
  }
  protected override summary(): object {
    const { dimension, componentCount, covarianceType, anomaly } = this;
    return { dimension, componentCount, covarianceType, ...(anomaly && { anomaly }) };
  }
}

function readAnomaly(where: string, value: unknown): Anomaly | undefined {
  if (value === undefined) return undefined;
  const { threshold, falsePositiveRate } = check.fields(where, 'anomaly', value, ['threshold', 'falsePositiveRate']);
  if (typeof threshold !== 'number' || !Number.isFinite(threshold))
    throw argumentError('INVALID_ARGUMENT', where, 'anomaly', {
      expected: 'a finite threshold',
      received: check.describe(threshold),
      sentence: 'anomaly.threshold must be a finite number',
    });
  const rate = check.betweenZeroAndOne(where, 'falsePositiveRate', falsePositiveRate);
  return Object.freeze({ threshold, falsePositiveRate: rate });
}
function readInit(
  where: string,
  { init, components, covarianceType }: { init?: unknown; components?: unknown; covarianceType?: unknown },
): Start {
  const parts = GaussianMixture.partsOf(init);
  return parts
    ? { k: parts.k, parts, given: new Set(parameterNames) }
    : readStart(where, init, components, covarianceType);
}
const fromParts = ({ weights, means, covariances, type }: Parts, backend: Backend): GaussianMixture =>
  new GaussianMixture({ weights, means, covariances, covarianceType: type }, { backend });

/** Values in the dtype of the data. */
function likeData(data: Real, values: Float64Array): Real {
  if (!check.isSingle(data)) return values;
  const narrow = check.alike(data, values.length);
  narrow.set(values);
  return narrow;
}
/** The linearly interpolated quantile. */
function quantile(where: string, values: Real, rate: number): number {
  if (values.length === 0)
    throw argumentError('EMPTY_INPUT', where, 'x', {
      expected: 'at least one row',
      received: 'none',
      reason: 'is empty',
    });
  const sorted = Float64Array.from(values).sort();
  const at = rate * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  if (low > Number.NEGATIVE_INFINITY) return low + (high - low) * (at - Math.floor(at));
  const least = sorted.find(Number.isFinite);
  if (least === undefined)
    throw argumentError('EMPTY_INPUT', where, 'x', {
      expected: 'at least one row that can be scored',
      received: 'none',
      reason: 'holds no row that can be scored',
    });
  return least;
}
