/** Models that score rows independently, by Gaussian components: Gaussian and GaussianMixture. */
import type { Backend } from '../../bind.ts';
import type { Gaps, Points, Real, Result, Scoring, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { dtypeOf } from '../../check.ts';
import { allocate } from '../../memory.ts';
import { Random } from '../../random.ts';
import { Model } from '../model.ts';
import { runNow } from '../work.ts';
import type { Components } from './components.ts';
import { gradientByPoint } from './gradient.ts';
import { impute } from './impute.ts';
import { batchesOf, expect, type Totals } from './sums.ts';

/** How often each row counts in a sum. */
export interface Weighted {
  /** [n], >= 0 and not all 0; default 1. */
  readonly sampleWeights?: Vector;
}
/** Results of `logDensityGradient`, in the dtype of x. */
export interface PointGradient<R extends Real = Real> {
  /** [n] */
  logDensity: R;
  /** [n,d]: of each log-density, by its point. */
  dx: R;
}
const logDensityOptions = ['out', 'missing', 'mask', 'unscorable'] as const;

export abstract class Scored extends Model {
  /** Coordinates of a point. */
  abstract readonly dimension: number;
  protected abstract readonly components: Components;
  protected abstract readonly title: string;
  get backend(): Backend {
    return this.components?.backend; // undefined on an object that merely inherits from Model
  }

  /**
   * log p(x) of each row of x [n,d], in the dtype of x; into `out` [n] if given (which may hold part of the results
   * when an error is thrown). With gaps the density of what was observed; 0 where nothing was.
   * `unscorable: 'mark'`: a row so far away that its distance overflows scores -Infinity, and ends nothing.
   * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [1, 4] });
   * g.logDensity([[0, 0], [1, NaN]], { missing: 'nan' }); // Float64Array(2) [ -2.53102424..., -1.41893853... ]
   */
  logDensity<X extends Points>(x: X, options?: { readonly out?: Real } & Gaps & Scoring): Result<X> {
    const where = `${this.title}.logDensity`;
    const { out: own, missing: word, mask, unscorable } = check.options(where, options, logDensityOptions);
    const mark = check.marking(where, unscorable);
    const missing = check.gapOptions(where, { missing: word, mask });
    const whole = word === undefined && mask === undefined && !mark;
    if (whole && check.isOnePoint(x, this.dimension, own)) {
      this.live();
      const dtype = dtypeOf(x);
      const one = (own ?? check.room(where, 1, dtype)) as Real;
      one[0] = this.components.logDensityOfOne(where, x, dtype);
      return one as Result<X>;
    }
    const rows = check.points(where, 'x', x, this.dimension, missing);
    const out = check.out(where, own, rows.values, rows.n);
    this.live();
    if (whole && rows.n === 1) out[0] = this.components.logDensityOfOne(where, rows.values, dtypeOf(rows.values));
    else this.components.logDensity(where, rows, missing, out, mark);
    return (own ?? out) as Result<X>;
  }

  /**
   * The same off the event loop, on a copy of x. Throws as logDensity, and ABORTED (cause: signal.reason).
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [1, 4] });
   * await g.logDensityAsync([[0, 0]]); // Float64Array(1) [ -2.53102424... ]
   */
  async logDensityAsync<X extends Points>(
    x: X,
    options?: { readonly signal?: AbortSignal } & Gaps & Scoring,
  ): Promise<Result<X>> {
    const where = `${this.title}.logDensityAsync`;
    const given = check.options(where, options, ['signal', 'missing', 'mask', 'unscorable']);
    const mark = check.marking(where, given.unscorable);
    const { signal } = check.signal(where, given.signal);
    const missing = check.gapOptions(where, given);
    const rows = check.points(where, 'x', x, this.dimension, missing);
    this.live();
    return this.components.logDensityAsync(where, rows, missing, signal, mark) as Promise<Result<X>>;
  }

  /**
   * log p(x) of each row of x [n,d], and its gradient by x, -Σ r_c Σ_c⁻¹ (x - m_c). Gaps have no gradient. Throws as
   * logDensity, and NON_FINITE (row) for a gradient that overflows.
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [1, 4] });
   * g.logDensityGradient([[3, 2]]).dx; // Float64Array(2) [ -3, -0.5 ]
   */
  logDensityGradient<X extends Points>(x: X): PointGradient<Result<X>> {
    const where = `${this.title}.logDensityGradient`;
    const rows = check.points(where, 'x', x, this.dimension);
    check.finiteRows(where, 'x', rows, this.dimension);
    this.live();
    const logDensity = this.components.logDensity(where, rows, {}, check.out(where, undefined, rows.values, rows.n));
    return { logDensity, dx: gradientByPoint(where, this.components, rows) } as PointGradient<Result<X>>;
  }

  /**
   * Σ log p(x) over the rows of x [n,d], each times its sample weight, added in their order in f64. Throws as
   * logDensity.
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [1, 4] });
   * g.logLikelihood([[0, 0], [1, 2]]); // -6.06204849...
   */
  logLikelihood(x: Points, options?: Gaps & Scoring & Weighted): number {
    return this.sumLogDensity(`${this.title}.logLikelihood`, x, options).logLikelihood;
  }

  /**
   * The Bayesian information criterion of x [n,d], -2 logLikelihood + parameterCount · log(observed rows); less is
   * better. A row counts as often as its sample weight says. Throws as logDensity, and EMPTY_INPUT.
   * @example
   * const g = new Gaussian({ mean: [0], variances: [1] });
   * g.bic([[0], [1], [2]]); // 12.71085577...
   */
  bic(x: Points, options?: Gaps & Scoring & Weighted): number {
    const where = `${this.title}.bic`;
    const { logLikelihood, rows } = this.sumLogDensity(where, x, options);
    return this.bayesianCriterion(where, 'x', logLikelihood, rows);
  }
  /**
   * Akaike's information criterion of x [n,d], -2 logLikelihood + 2 · parameterCount; less is better. Throws as
   * logDensity.
   * @example
   * const g = new Gaussian({ mean: [0], variances: [1] });
   * g.aic([[0], [1], [2]]); // 14.51363119...
   */
  aic(x: Points, options?: Gaps & Scoring & Weighted): number {
    return this.akaikeCriterion(this.sumLogDensity(`${this.title}.aic`, x, options).logLikelihood);
  }

  /**
   * The rows of x [n,d] with their gaps filled, in the dtype of x: by their means given what was observed of the row, or
   * with `draws` by that many draws given the same, [draws,n,d]. What was observed stays; a row without observations gets
   * mean(), or draws from the model. The same draws for the same seed (default 0) on one engine. A row so far from every
   * component that the means overflow is an error; with `unscorable: 'mark'` its gaps stay NaN.
   * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
   * @example
   * const g = new Gaussian({ mean: [0, 0], covariance: [[4, 2], [2, 4]] });
   * g.impute([[2, NaN], [1, 5]], { missing: 'nan' }); // Float64Array(4) [ 2, 1, 1, 5 ]
   */
  impute<X extends Points>(
    x: X,
    options?: { readonly draws?: number; readonly seed?: number } & Gaps & Scoring,
  ): Result<X> {
    const where = `${this.title}.impute`;
    const given = check.options(where, options, ['draws', 'seed', 'missing', 'mask', 'unscorable']);
    const mark = check.marking(where, given.unscorable);
    const missing = check.gapOptions(where, given);
    const seed = check.seed(where, given.seed);
    const draws = given.draws === undefined ? undefined : check.count(where, 'draws', given.draws);
    const rows = check.points(where, 'x', x, this.dimension, missing);
    if (missing.missing === undefined && missing.mask === undefined)
      check.finiteRows(where, 'x', rows, this.dimension, check.gapHint);
    this.live();
    const drawing = draws === undefined ? undefined : { draws, random: new Random(seed) };
    return impute(where, this.components, rows, missing, mark, drawing) as Result<X>;
  }

  /**
   * The mean of the distribution [d].
   * @example
   * const m = new GaussianMixture({ weights: [0.25, 0.75], means: [0, 4], covariances: [1, 1] });
   * m.mean(); // Float64Array(1) [ 3 ]
   */
  mean(): Float64Array {
    const { k, d, weights, means } = this.components.parts;
    const mean = new Float64Array(d);
    for (let c = 0; c < k; c++) for (let j = 0; j < d; j++) mean[j]! += weights[c]! * means[c * d + j]!;
    return mean;
  }
  /**
   * The covariance of the distribution [d,d], whatever the form of the parameters: of a mixture Σ w (Σ_c + δ δᵀ) with
   * δ = m_c - mean().
   * @example
   * const m = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 4], covariances: [1, 1] });
   * m.covariance(); // Float64Array(1) [ 5 ]
   */
  covariance(): Float64Array {
    const { parts, full, covariances } = this.components;
    const { k, d, weights, means } = parts;
    const mean = this.mean();
    const S = new Float64Array(d * d);
    for (let c = 0; c < k; c++)
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++) {
          const within = full ? covariances[(c * d + i) * d + j]! : i === j ? covariances[c * d + i]! : 0;
          const between = (means[c * d + i]! - mean[i]!) * (means[c * d + j]! - mean[j]!);
          S[i * d + j]! += weights[c]! * (within + between);
        }
    return S;
  }

  /**
   * n draws [n,d], f64; the same for the same seed (default 0) on one engine. Throws INVALID_ARGUMENT.
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [1, 4] });
   * g.sample(3, { seed: 7 }).length; // 6
   */
  sample(n: number, options?: { readonly seed?: number }): Float64Array {
    const where = `${this.title}.sample`;
    return this.draw(where, n, check.options(where, options, ['seed']).seed).x;
  }

  /** Draws, and the component of each. */
  protected draw(where: string, n: unknown, seed: unknown): { x: Float64Array; components: Int32Array } {
    const random = new Random(check.seed(where, seed));
    const d = this.dimension;
    const count = check.count(where, 'n', n, 0, Math.floor((2 ** 31 - 1) / d));
    const x = check.room(where, count * d);
    const components = allocate(where, count, () => new Int32Array(count));
    this.live();
    const { weights } = this.components.parts;
    for (let i = 0; i < count; i++) {
      const c = weights.length > 1 ? random.categorical(weights) : 0;
      components[i] = c;
      this.components.draw(random, c, x.subarray(i * d, (i + 1) * d));
    }
    return { x, components };
  }
  /** Σ w log p(x), and the weight of the rows of which something was observed. */
  private sumLogDensity(where: string, x: Points, options: unknown): { logLikelihood: number; rows: number } {
    const given = check.options(where, options, ['missing', 'mask', 'unscorable', 'sampleWeights']);
    const mark = check.marking(where, given.unscorable);
    const missing = check.gapOptions(where, given);
    const rows = check.points(where, 'x', x, this.dimension, missing);
    const weights = given.sampleWeights === undefined ? undefined : check.weights(where, given.sampleWeights, rows.n);
    const seen = check.gaps(where, 'x', rows, missing);
    this.live();
    const density = check.out(where, undefined, rows.values, rows.n);
    this.components.logDensity(where, rows, missing, density, mark);
    const d = this.dimension;
    let logLikelihood = 0;
    let observed = 0;
    for (let i = 0; i < rows.n; i++) {
      const weight = weights ? weights[i]! : 1;
      if (weight === 0) continue; // 0 times the -Infinity of a row that is marked would be NaN
      logLikelihood += weight * density[i]!;
      if (!seen || seen.subarray(i * d, (i + 1) * d).includes(1)) observed += weight;
    }
    return { logLikelihood, rows: observed };
  }
  /** The E step, in shards of `shardSize` rows. */
  protected expect(where: string, rows: check.Rows, missing: Gaps, weights: Float64Array, shardSize?: number): Totals {
    this.live();
    const batches = batchesOf(where, rows, missing, weights, this.dimension, shardSize);
    return runNow(expect(where, this.components, batches, shardSize));
  }
  protected override summary(): object {
    return { dimension: this.dimension };
  }
  protected release(): void {
    this.components.dispose();
  }
}
