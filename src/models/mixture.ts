/** Mixtures of Gaussians. Equations: docs/math.md § mixture. */

import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Gaps, Points, Real, Result, Rows, Tensor, Vector } from '../check.ts';
import * as check from '../check.ts';
import { SeqlikError } from '../errors.ts';
import { built, columnsOf, columnsText, numberOf, opened, written } from '../file.ts';
import type { FitReport } from '../training/report.ts';
import { Components, type CovarianceType, covarianceTypes, type Parts } from './components/components.ts';
import { conditionalParts } from './components/conditional.ts';
import { fitted } from './components/em.ts';
import { partsIn, shapeOf, tensorsOf } from './components/file.ts';
import { gradients } from './components/gradient.ts';
import { Scored } from './components/scored.ts';
import { type ComponentFitOptions, componentFitOptions, readFit } from './components/settings.ts';
import { batches, expect, maximise } from './components/sums.ts';
import { isA, type Named, type OnBackend, onBackend } from './model.ts';
import { MixtureStatistics } from './statistics.ts';

export type { CovarianceType } from './components/components.ts';
export type { FitProgress } from './components/em.ts';
export type { ComponentFitOptions, FitOptions } from './components/settings.ts';

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
export type MixtureLike = GaussianMixture | MixtureParameters;
export interface MixtureGradient {
  /** -Σ log p(x) */
  loss: number;
  /** [M], the weights taken as free */
  dWeights: Float64Array;
  /** [M,d] */
  dMeans: Float64Array;
  /** The shape of the covariances; symmetric unconstrained. */
  dCovariances: Float64Array;
}
/** A row whose log-density is below the threshold is called an anomaly. */
export interface Anomaly {
  readonly threshold: number;
  readonly falsePositiveRate: number;
}
export interface MixtureFitOptions extends ComponentFitOptions {
  /** Needed without `init`; at most the observed rows. */
  readonly components?: number;
  /** Default: full, or that of `init`. */
  readonly covarianceType?: CovarianceType;
  /** Warm start; `restarts` is ignored. */
  readonly init?: MixtureLike;
  /** Of the data fitted on, how many to call anomalies; stored with the model. */
  readonly falsePositiveRate?: number;
}

const LIGHT = 1e-3; // shares below 2^-60 count as 0: that is 1e-15 of the derivative of a weight of 1e-3

/**
 * Σ_c weights[c] N(means[c], covariances[c]) with M components in d dimensions.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC (component), NOT_POSITIVE_DEFINITE
 * (which, component, pivot).
 */
export class GaussianMixture extends Scored {
  readonly kind = 'gaussian-mixture';
  readonly dimension: number;
  readonly componentCount: number;
  readonly covarianceType: CovarianceType;
  /** Set by `fit` with a false positive rate. */
  readonly anomaly: Anomaly | undefined;
  readonly columns: readonly string[] | undefined;
  protected readonly title = 'GaussianMixture';
  protected readonly components: Components;

  constructor(parameters: MixtureParameters, options?: OnBackend & Named & { readonly anomaly?: Anomaly }) {
    super();
    const where = 'GaussianMixture';
    const given = check.options(where, options, ['backend', 'columns', 'anomaly']);
    const backend = check.backend(where, given.backend, defaultBackend);
    const parts = read(where, '', parameters);
    this.dimension = parts.d;
    this.componentCount = parts.k;
    this.covarianceType = parts.type;
    this.anomaly = anomalyOf(where, given.anomaly);
    this.columns = check.names(where, 'columns', given.columns, parts.d);
    this.components = new Components(backend, parts, where, 'covariances');
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

  toBytes(): Uint8Array {
    const { threshold, falsePositiveRate } = this.anomaly ?? {};
    const anomaly = threshold !== undefined && { threshold: `${threshold}`, falsePositiveRate: `${falsePositiveRate}` };
    const metadata = { covarianceType: this.covarianceType, ...anomaly, ...columnsText(this.columns) };
    return written(this.kind, metadata, tensorsOf(this.components.parts));
  }
  /** Throws FORMAT (tensor, reason), INVALID_ARGUMENT. */
  static fromBytes(bytes: Uint8Array, options?: OnBackend): GaussianMixture {
    const on = onBackend('GaussianMixture.fromBytes', options);
    const file = opened(bytes, 'gaussian-mixture');
    const { type: covarianceType, weights, means, covariances } = partsIn(file);
    const [threshold, falsePositiveRate] = [numberOf(file, 'threshold'), numberOf(file, 'falsePositiveRate')];
    const anomaly = threshold !== undefined && {
      anomaly: { threshold, falsePositiveRate: falsePositiveRate ?? Number.NaN },
    };
    return built(
      () =>
        new GaussianMixture({ weights, means, covariances, covarianceType }, { ...on, ...columnsOf(file), ...anomaly }),
    );
  }

  /** P(component | x) of each row [n,M]; shares of 2^-60 of the largest and below are 0. Throws as logDensity. */
  responsibilities<X extends Points>(x: X, options?: Gaps): Result<X> {
    return this.shares('GaussianMixture.responsibilities', x, options) as Result<X>;
  }

  /** The most responsible component of each row [n]; the first of several. Throws as logDensity. */
  classify(x: Points, options?: Gaps): Int32Array {
    const r = this.shares('GaussianMixture.classify', x, options);
    const k = this.componentCount;
    return Int32Array.from({ length: r.length / k }, (_, i) => {
      let best = 0;
      for (let c = 1; c < k; c++) if (r[i * k + c]! > r[i * k + best]!) best = c;
      return best;
    });
  }

  /** loss = -Σ log p(x) over the rows of x [n,d], and its gradients. Throws as logDensity. */
  lossGradient(x: Points): MixtureGradient {
    const where = 'GaussianMixture.lossGradient';
    const rows = check.points(where, 'x', x, this.dimension);
    this.live();
    const ones = new Float64Array(rows.n).fill(1);
    const totals = expect(where, this.components, batches(where, rows, {}, ones, this.dimension));
    const { weights } = this.components.parts;
    const dWeights = weights.map((w, c) => (w > LIGHT ? -totals.count[c]! / w : this.lightWeight(where, rows, c)));
    return { loss: 0 - totals.logLikelihood, dWeights, ...gradients(this.components, totals) };
  }

  /** What `update` needs to know of data: an additive value. Throws as logDensity. */
  statistics(
    x: Points,
    options?: { readonly sampleWeights?: Vector; readonly shardSize?: number } & Gaps,
  ): MixtureStatistics {
    const where = 'GaussianMixture.statistics';
    const given = check.options(where, options, ['sampleWeights', 'shardSize', 'missing', 'mask']);
    const missing = check.gapOptions(where, given);
    const shardSize = given.shardSize === undefined ? undefined : check.count(where, 'shardSize', given.shardSize);
    const rows = check.points(where, 'x', x, this.dimension);
    const weights = check.weights(where, given.sampleWeights, rows.n);
    this.live();
    const each = batches(where, rows, missing, weights, this.dimension, shardSize);
    return new MixtureStatistics(expect(where, this.components, each, shardSize));
  }

  /** The M step: the mixture that statistics made under this one give. Throws EMPTY_INPUT, NOT_POSITIVE_DEFINITE. */
  update(statistics: MixtureStatistics, options?: { readonly regularization?: number }): GaussianMixture {
    const where = 'GaussianMixture.update';
    const given = check.options(where, options, ['regularization']);
    const regularization = check.amount(where, 'regularization', check.or(given.regularization, 1e-6));
    if (!MixtureStatistics.is(statistics) || !statistics.madeUnder(this.components.parts))
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: statistics must be made by this mixture`, {
        argument: 'statistics',
      });
    this.live();
    return fromParts(maximise(where, statistics.totals, regularization), this.backend);
  }

  /** Bayesian information criterion, -2 logLikelihood + parameters · log(observed rows); less is better. */
  bic(x: Points, options?: Gaps): number {
    const { logLikelihood, rows } = this.statistics(x, options);
    return -2 * logLikelihood + this.parameterCount * Math.log(rows);
  }
  /** Akaike information criterion, -2 logLikelihood + 2 · parameters; less is better. */
  aic(x: Points, options?: Gaps): number {
    return -2 * this.logLikelihood(x, options) + 2 * this.parameterCount;
  }
  get parameterCount(): number {
    const { k, d, type } = this.components.parts;
    const matrix = (d * (d + 1)) / 2;
    return k - 1 + k * d + { full: k * matrix, tied: matrix, diagonal: k * d, spherical: k }[type];
  }

  /** The log-density below which the share `falsePositiveRate` of the rows of x lies. Throws EMPTY_INPUT, as logDensity. */
  threshold(x: Points, options: { readonly falsePositiveRate: number } & Gaps): number {
    const where = 'GaussianMixture.threshold';
    const given = check.options(where, options, ['falsePositiveRate', 'missing', 'mask']);
    const rate = check.betweenZeroAndOne(where, 'falsePositiveRate', given.falsePositiveRate);
    const missing = check.gapOptions(where, given);
    const rows = check.points(where, 'x', x, this.dimension);
    this.live();
    const out = check.out(where, undefined, rows.values, rows.n);
    return quantile(where, this.components.logDensity(where, rows, missing, out), rate);
  }

  /** The distribution of some coordinates, in the order named. Throws INVALID_ARGUMENT. */
  marginal(dims: readonly number[]): GaussianMixture {
    const chosen = check.subset('GaussianMixture.marginal', dims, this.dimension, 1);
    return fromParts(this.components.marginalParts(chosen), this.backend);
  }

  /** The distribution of the other coordinates, given that those in `dims` have `values`. Throws INVALID_ARGUMENT, NON_FINITE. */
  conditional(dims: readonly number[], values: Vector): GaussianMixture {
    const where = 'GaussianMixture.conditional';
    const chosen = check.subset(where, dims, this.dimension, 0, this.dimension - 1);
    const at = check.tensor(where, 'values', values, [chosen.length]);
    check.finite(where, 'values', at);
    this.live();
    return fromParts(conditionalParts(where, this.components, chosen, at), this.backend);
  }

  /**
   * Expectation maximisation on x [n,d]: nested rows, or flat with `dimension`. Rows with gaps count with the exact
   * conditional moments of what is missing. The work is off the event loop (native) or in slices of 20 ms (wasm).
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, NON_FINITE, NOT_POSITIVE_DEFINITE (constant column: pivot), ABORTED.
   */
  static async fit(x: Points, options?: MixtureFitOptions): Promise<{ model: GaussianMixture; report: FitReport }> {
    const where = 'GaussianMixture.fit';
    const known = [...componentFitOptions, 'components', 'covarianceType', 'init', 'falsePositiveRate'] as const;
    const given = check.options(where, options, known);
    const init = given.init === undefined ? undefined : startOf(where, given.init);
    const k = check.count(where, 'components', check.or(given.components, init?.k));
    const type = check.choice(
      where,
      'covarianceType',
      check.or(given.covarianceType, init?.type ?? 'full'),
      covarianceTypes,
    );
    if (init && (init.k !== k || init.type !== type))
      throw new SeqlikError(
        'INVALID_ARGUMENT',
        `${where}: init has ${init.k} ${init.type} components, not ${k} ${type} ones`,
        { argument: 'init' },
      );
    const rate =
      given.falsePositiveRate === undefined
        ? undefined
        : check.betweenZeroAndOne(where, 'falsePositiveRate', given.falsePositiveRate);
    const { rows, settings } = readFit(where, x, given, { type, k, ...(init && { init }) });
    const { parts, report } = await fitted(rows, settings);
    const model = fromParts(parts, settings.backend);
    if (rate === undefined) return { model, report };
    const how = settings.signal ? { signal: settings.signal } : {};
    const density = model.logDensityAsync(rows.values, { ...settings.missing, ...how });
    const threshold = quantile(where, await density.finally(() => model.dispose()), rate);
    return { model: fromParts(parts, settings.backend, { threshold, falsePositiveRate: rate }), report };
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

  private shares(where: string, x: Points, options?: Gaps): Real {
    const missing = check.gapOptions(where, check.options(where, options, ['missing', 'mask']));
    const rows = check.points(where, 'x', x, this.dimension);
    this.live();
    return this.components.responsibilities(where, rows, missing);
  }
  /**
   * -Σ N(x | c)/p(x) of a component that weighs little: its share may count as 0 where the derivative does not. In the
   * mixture ½ p + ½ N(c) the shares of c and of the others are never both negligible.
   */
  private lightWeight(where: string, rows: Rows, c: number): number {
    const { parts } = this.components;
    const weights = parts.weights.map((w, i) => (w + Number(i === c)) / 2);
    const raised = new Components(this.backend, { ...parts, weights }, where, 'covariances');
    try {
      const r = raised.responsibilities(where, rows, {});
      const w = parts.weights[c]!;
      let sum = 0;
      for (let row = 0; row < rows.n; row++) {
        const shares = Float64Array.from(r.subarray(row * parts.k, (row + 1) * parts.k));
        const own = shares[c]! / (1 + w);
        const others = shares.reduce((a, b, i) => (i === c ? a : a + b), 0);
        const ratio = own / (others + w * own);
        if (!Number.isFinite(ratio))
          throw new SeqlikError('NON_FINITE', `${where}: the gradient of weights[${c}] overflows at row ${row} of x`, {
            argument: 'x',
            row,
          });
        sum += ratio;
      }
      return -sum;
    } finally {
      raised.dispose();
    }
  }
}

/** Parameters, checked in the order of docs/math.md § Conventions; `prefix` stands before their public names. */
function read(where: string, prefix: string, parameters: unknown): Parts {
  const wrong = (argument: string, what: string): SeqlikError =>
    new SeqlikError('INVALID_ARGUMENT', `${where}: ${prefix}${argument} ${what}`, { argument: prefix + argument });
  const given = check.fields(where, prefix.slice(0, -1) || 'parameters', parameters, [
    'weights',
    'means',
    'covariances',
    'covarianceType',
  ]);
  const type = check.choice(
    where,
    `${prefix}covarianceType`,
    check.or(given['covarianceType'], 'full'),
    covarianceTypes,
  );
  const weights = check.tensor(where, `${prefix}weights`, given['weights'], [undefined]);
  const k = weights.length;
  if (k < 1) throw wrong('weights', 'are empty');
  const means = check.tensor(where, `${prefix}means`, given['means'], [k, undefined]);
  const d = means.length / k;
  if (d < 1) throw wrong('means', 'have no coordinates');
  const covariances = check.tensor(where, `${prefix}covariances`, given['covariances'], shapeOf(type, k, d));
  for (const [name, values] of Object.entries({ weights, means, covariances }))
    check.finite(where, prefix + name, values);
  const negative = weights.findIndex((w) => w < 0);
  if (negative >= 0) throw wrong('weights', `has ${weights[negative]} at [${negative}], not >= 0`);
  const sum = weights.reduce((a, b) => a + b, 0);
  if (!(Math.abs(sum - 1) <= 1e-9)) throw wrong('weights', `sum to ${sum}, not 1`);
  if (type === 'full' || type === 'tied')
    check.symmetric(where, `${prefix}covariances`, covariances, type === 'full' ? k : 1, d);
  return { type, k, d, weights, means, covariances };
}
function anomalyOf(where: string, value: unknown): Anomaly | undefined {
  if (value === undefined) return undefined;
  const { threshold, falsePositiveRate } = check.fields(where, 'anomaly', value, ['threshold', 'falsePositiveRate']);
  if (typeof threshold !== 'number' || !Number.isFinite(threshold))
    throw new SeqlikError('INVALID_ARGUMENT', `${where}: anomaly.threshold must be a finite number`, {
      argument: 'anomaly',
    });
  const rate = check.betweenZeroAndOne(where, 'falsePositiveRate', falsePositiveRate);
  return Object.freeze({ threshold, falsePositiveRate: rate });
}
const startOf = (where: string, like: unknown): Parts => GaussianMixture.partsOf(like) ?? read(where, 'init.', like);
function fromParts({ weights, means, covariances, type }: Parts, backend: Backend, anomaly?: Anomaly): GaussianMixture {
  return new GaussianMixture(
    { weights, means, covariances, covarianceType: type },
    { backend, ...(anomaly && { anomaly }) },
  );
}

/** The linearly interpolated quantile. */
function quantile(where: string, values: Real, rate: number): number {
  if (values.length === 0) throw new SeqlikError('EMPTY_INPUT', `${where}: x is empty`, { argument: 'x' });
  const sorted = Float64Array.from(values).sort();
  const at = rate * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}
