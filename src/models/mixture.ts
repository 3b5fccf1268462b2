/** Mixtures of Gaussians. Equations: docs/math.md § mixture. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Gaps, Points, Real, Tensor, Vector } from '../check.ts';
import * as check from '../check.ts';
import { SeqlikError } from '../errors.ts';
import { Random } from '../random.ts';
import { Components, type Sums } from './components.ts';
import { type OnBackend, scored } from './gaussian.ts';
import { Model } from './model.ts';

export const covarianceTypes = ['full', 'tied', 'diagonal', 'spherical'] as const;
export type CovarianceType = (typeof covarianceTypes)[number];
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

/**
 * Σ_c weights[c] N(means[c], covariances[c]) with M components in d dimensions.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC (component), NOT_POSITIVE_DEFINITE
 * (which, component, pivot).
 */
export class GaussianMixture extends Model {
  readonly kind = 'gaussian-mixture';
  readonly backend: Backend;
  readonly dimension: number;
  readonly componentCount: number;
  readonly covarianceType: CovarianceType;
  private readonly covariances: Float64Array;
  private readonly components: Components;

  constructor(parameters: MixtureParameters, options?: OnBackend) {
    super();
    const where = 'GaussianMixture',
      at = (argument: string) => ({ argument });
    this.backend = check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend);
    const given = check.fields(where, 'parameters', parameters);
    const type = check.choice(where, 'covarianceType', given['covarianceType'] ?? 'full', covarianceTypes);
    const weights = check.tensor(where, 'weights', given['weights'], [undefined]),
      k = weights.length;
    if (k < 1) throw new SeqlikError('INVALID_ARGUMENT', `${where}: there are no weights`, at('weights'));
    const means = check.tensor(where, 'means', given['means'], [k, undefined]),
      d = means.length / k;
    if (d < 1) throw new SeqlikError('INVALID_ARGUMENT', `${where}: means have no coordinates`, at('means'));
    const shape = { full: [k, d, d], tied: [d, d], diagonal: [k, d], spherical: [k] }[type];
    const covariances = check.tensor(where, 'covariances', given['covariances'], shape);
    for (const [name, values] of Object.entries({ weights, means, covariances })) check.finite(where, name, values);
    const sum = weights.reduce((a, b) => a + b, 0),
      negative = weights.findIndex((w) => w < 0);
    if (negative >= 0)
      throw new SeqlikError(
        'INVALID_ARGUMENT',
        `${where}: weights[${negative}] is ${weights[negative]}, not >= 0`,
        at('weights'),
      );
    if (!(Math.abs(sum - 1) <= 1e-9))
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: weights sum to ${sum}, not 1`, at('weights'));
    if (type === 'full' || type === 'tied')
      check.symmetric(where, 'covariances', covariances, type === 'full' ? k : 1, d);
    this.dimension = d;
    this.componentCount = k;
    this.covarianceType = type;
    this.covariances = covariances;
    this.components = new Components(
      this.backend,
      {
        shape: type === 'full' || type === 'tied' ? 'full' : 'diagonal',
        k,
        d,
        weights,
        means,
        covariances: spread(type, covariances, k, d),
      },
      where,
      'covariances',
    );
  }

  /** { weights, means, covariances, covarianceType }, f64, flat. */
  get parameters(): {
    weights: Float64Array;
    means: Float64Array;
    covariances: Float64Array;
    covarianceType: CovarianceType;
  } {
    const { weights, means } = this.components.parts;
    return {
      weights: weights.slice(),
      means: means.slice(),
      covariances: this.covariances.slice(),
      covarianceType: this.covarianceType,
    };
  }

  /**
   * log p(x) of each row of x [n,d], in the dtype of x; into `out` [n] if given (which may hold part of the results when
   * an error is thrown). With gaps the density of what was observed; 0 where nothing was.
   * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
   */
  logDensity(x: Points, options?: { readonly out?: Real } & Gaps): Real {
    return scored(this, this.components, 'GaussianMixture.logDensity', x, options, () => this.live());
  }

  /** P(component | x) of each row [n,M]; shares below 2^-60 of the largest are 0. Throws as logDensity. */
  responsibilities(x: Points, options?: Gaps): Real {
    return this.shares('GaussianMixture.responsibilities', x, options);
  }

  /** The most responsible component of each row [n]; the first of several. Throws as logDensity. */
  classify(x: Points, options?: Gaps): Int32Array {
    const r = this.shares('GaussianMixture.classify', x, options),
      k = this.componentCount;
    return Int32Array.from({ length: r.length / k }, (_, i) => {
      let best = 0;
      for (let c = 1; c < k; c++) if (r[i * k + c]! > r[i * k + best]!) best = c;
      return best;
    });
  }

  /** Σ log p(x) over the rows. Throws as logDensity. */
  logLikelihood(x: Points, options?: Gaps): number {
    const where = 'GaussianMixture.logLikelihood',
      { missing, mask } = check.options(where, options, ['missing', 'mask']);
    const given = { ...(missing !== undefined && { missing }), ...(mask !== undefined && { mask }) } as Gaps;
    let sum = 0;
    for (const value of scored(this, this.components, where, x, given, () => this.live())) sum += value;
    return sum;
  }

  /**
   * loss = -Σ log p(x) over the rows of x [n,d], and its gradients: equations 18 to 20 of the notes, corrected.
   * Throws as logDensity.
   */
  lossGradient(x: Points): MixtureGradient {
    const where = 'GaussianMixture.lossGradient',
      rows = check.points(where, 'x', x, this.dimension);
    this.live();
    const sums = this.components.expect(where, rows),
      k = this.componentCount,
      d = this.dimension;
    const { weights, shape } = this.components.parts;
    const dWeights = Float64Array.from(weights, (w, c) =>
      w > 0 ? -sums.count[c]! / w : this.freeWeight(where, rows, c),
    );
    const dMeans = new Float64Array(k * d),
      each = new Float64Array(k * d * (shape === 'full' ? d : 1));
    for (let c = 0; c < k; c++) (shape === 'full' ? dense : diagonal)(this.components, sums, c, dMeans, each);
    return {
      loss: -sums.logLikelihood[0]! || 0,
      dWeights,
      dMeans,
      dCovariances: gathered(this.covarianceType, each, k, d),
    };
  }

  /** n draws [n,d]; the same for the same seed. */
  sample(n: number, options?: { readonly seed?: number }): Float64Array {
    const where = 'GaussianMixture.sample',
      random = new Random(check.seed(where, check.options(where, options, ['seed']).seed));
    const d = this.dimension,
      x = new Float64Array(check.count(where, 'n', n, 0, Math.floor((2 ** 31 - 1) / d)) * d);
    const { weights } = this.components.parts;
    for (let at = 0; at < x.length; at += d)
      this.components.draw(random, random.categorical(weights), x.subarray(at, at + d));
    return x;
  }

  private shares(where: string, x: Points, options?: Gaps): Real {
    const given = check.options(where, options, ['missing', 'mask']);
    const rows = check.points(where, 'x', x, this.dimension);
    this.live();
    return this.components.responsibilities(where, rows, given as Gaps);
  }
  /** d loss / d weight of a component that weighs nothing: -Σ N(x | c)/p(x), which no responsibility tells. */
  private freeWeight(where: string, rows: check.Rows, c: number): number {
    const { shape, d, means, covariances } = this.components.parts,
      size = shape === 'full' ? d * d : d;
    const alone = new Components(
      this.backend,
      {
        shape,
        k: 1,
        d,
        weights: Float64Array.of(1),
        means: means.slice(c * d, (c + 1) * d),
        covariances: covariances.slice(c * size, (c + 1) * size),
      },
      where,
      'covariances',
    );
    try {
      const logDensity = (part: Components): Real =>
        part.logDensity(where, rows, {}, check.out(where, undefined, rows.values, rows.n));
      const own = logDensity(alone),
        all = logDensity(this.components);
      let sum = 0;
      for (let i = 0; i < rows.n; i++) sum -= Math.exp(own[i]! - all[i]!);
      return sum;
    } finally {
      alone.dispose();
    }
  }
  protected release(): void {
    this.components.dispose();
  }
}

/** Covariances as the kernels want them: one full matrix or d variances per component. */
function spread(type: CovarianceType, covariances: Float64Array, k: number, d: number): Float64Array {
  if (type === 'tied') return Float64Array.from({ length: k * d * d }, (_, i) => covariances[i % (d * d)]!);
  if (type === 'spherical') return Float64Array.from({ length: k * d }, (_, i) => covariances[Math.floor(i / d)]!);
  return covariances;
}
/** The transpose of `spread`: gradients of shared values add up. */
function gathered(type: CovarianceType, each: Float64Array, k: number, d: number): Float64Array {
  if (type !== 'tied' && type !== 'spherical') return each;
  const sums = new Float64Array(type === 'tied' ? d * d : k);
  for (const [i, g] of each.entries()) sums[type === 'tied' ? i % (d * d) : Math.floor(i / d)]! += g;
  return sums;
}

/** dMeans[c] = -Σ⁻¹ first, dCovariances[c] = ½ (count Σ⁻¹ - Σ⁻¹ second Σ⁻¹) */
function dense(
  { parts: { d }, L }: Components,
  { width, count, first, second }: Sums,
  c: number,
  dMeans: Float64Array,
  each: Float64Array,
): void {
  const inverse = inverseOf(L.subarray((c * d * (d + 1)) / 2), d);
  const S = (i: number, j: number): number => second[(c * d + Math.max(i, j)) * width + Math.min(i, j)]!;
  const times = Array.from({ length: d }, (_, i) =>
    Array.from({ length: d }, (_, j) => {
      let s = 0;
      for (let p = 0; p < d; p++) s += inverse[i]![p]! * S(p, j);
      return s;
    }),
  );
  for (let i = 0; i < d; i++) {
    let g = 0;
    for (let p = 0; p < d; p++) g -= inverse[i]![p]! * first[c * width + p]!;
    dMeans[c * d + i] = g;
    for (let j = 0; j <= i; j++) {
      let s = count[c]! * inverse[i]![j]!;
      for (let p = 0; p < d; p++) s -= times[i]![p]! * inverse[p]![j]!;
      each[(c * d + i) * d + j] = each[(c * d + j) * d + i] = 0.5 * s;
    }
  }
}
/** The same of variances v: dMeans = -first / v, dCovariances = ½ (count - second / v) / v */
function diagonal(
  { parts: { d, covariances } }: Components,
  { width, count, first, second }: Sums,
  c: number,
  dMeans: Float64Array,
  each: Float64Array,
): void {
  for (let j = 0; j < d; j++) {
    const v = covariances[c * d + j]!;
    dMeans[c * d + j] = -first[c * width + j]! / v;
    each[c * d + j] = (0.5 * (count[c]! - second[c * width + j]! / v)) / v;
  }
}
/** (L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹, L packed by rows. */
function inverseOf(L: Float64Array, d: number): number[][] {
  const X = Array.from({ length: d }, () => new Array<number>(d).fill(0));
  for (let j = 0; j < d; j++)
    for (let i = j; i < d; i++) {
      let s = Number(i === j);
      for (let p = j; p < i; p++) s -= L[(i * (i + 1)) / 2 + p]! * X[p]![j]!;
      X[i]![j] = s / L[(i * (i + 1)) / 2 + i]!;
    }
  return X.map((_, i) => X.map((_, j) => X.reduce((s, row) => s + row[i]! * row[j]!, 0)));
}
