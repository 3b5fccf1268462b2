/** One Gaussian, and divergences between two. Equations: docs/math.md § gaussian. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Gaps, Matrix, Points, Real, Vector } from '../check.ts';
import * as check from '../check.ts';
import { SeqlikError } from '../errors.ts';
import { Random } from '../random.ts';
import { Components, factorise, notPositiveDefinite } from './components.ts';
import { Model } from './model.ts';

/** mean [d] and one of: covariance [d,d], its lower triangular Cholesky factor [d,d], variances [d]. */
export type GaussianParameters =
  | { readonly mean: Vector; readonly covariance: Matrix }
  | { readonly mean: Vector; readonly cholesky: Matrix }
  | { readonly mean: Vector; readonly variances: Vector };
export type GaussianLike = Gaussian | GaussianParameters;
export interface OnBackend {
  readonly backend?: Backend;
}

const spreads = ['covariance', 'cholesky', 'variances'] as const;
type Spread = (typeof spreads)[number];

/** Parameters that were read: `definite` comes last, after all checks of all Gaussians of a call. */
class Read {
  readonly mean: Float64Array;
  readonly spread: Spread;
  /** As given: [d,d], or [d] for variances. */
  readonly values: Float64Array;
  readonly d: number;
  /** `prefix` stands before the public names ('p.mean'); `size` is the dimension already bound, if any. */
  constructor(
    readonly where: string,
    readonly prefix: string,
    given: unknown,
    size?: number,
  ) {
    const fields = check.fields(where, prefix.slice(0, -1) || 'parameters', given);
    const named = spreads.filter((name) => fields[name] !== undefined);
    if (named.length !== 1)
      throw new SeqlikError(
        'INVALID_ARGUMENT',
        `${where}: give one of ${spreads.map((name) => prefix + name).join(', ')}, not ${named.length}`,
        { argument: prefix + spreads[0] },
      );
    this.spread = named[0]!;
    this.mean = check.tensor(where, `${prefix}mean`, fields['mean'], [size]);
    this.d = this.mean.length;
    if (this.d < 1)
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${prefix}mean is empty`, { argument: `${prefix}mean` });
    const shape = this.spread === 'variances' ? [this.d] : [this.d, this.d];
    this.values = check.tensor(where, this.name, fields[this.spread], shape);
  }
  get name(): string {
    return this.prefix + this.spread;
  }
  finite(): void {
    check.finite(this.where, `${this.prefix}mean`, this.mean);
    check.finite(this.where, this.name, this.values);
  }
  symmetric(): void {
    const { d, values, where } = this;
    if (this.spread === 'covariance') check.symmetric(where, this.name, values, 1, d);
    if (this.spread === 'cholesky')
      for (let i = 0; i < d; i++)
        for (let j = i + 1; j < d; j++)
          if (values[i * d + j] !== 0)
            throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${this.name} is not lower triangular at [${i},${j}]`, {
              argument: this.name,
            });
  }
  /** [d,d], also of variances. */
  covariance(): Float64Array {
    const { d, values, spread } = this;
    if (spread === 'covariance') return values;
    return Float64Array.from({ length: d * d }, (_, at) => {
      const i = Math.floor(at / d),
        j = at % d;
      if (spread === 'variances') return i === j ? values[i]! : 0;
      let s = 0;
      for (let p = 0; p <= Math.min(i, j); p++) s += values[i * d + p]! * values[j * d + p]!;
      return s;
    });
  }
  /** The Cholesky factor packed by rows. Throws NOT_POSITIVE_DEFINITE. */
  definite(backend: Backend): Float64Array {
    const { d, values } = this,
      failed = (pivot: number, value: number) => notPositiveDefinite(this.where, this.name, pivot, value);
    if (this.spread !== 'cholesky')
      return factorise(backend, this.covariance(), 1, d, ({ pivot, value }) => failed(pivot, value)).L;
    for (let i = 0; i < d; i++) if (!(values[i * d + i]! > 0)) throw failed(i, values[i * d + i]!);
    return values.filter((_, at) => at % d <= Math.floor(at / d));
  }
  /** Variances, each > 0. Throws NOT_POSITIVE_DEFINITE. */
  variances(): Float64Array {
    const pivot = this.values.findIndex((v) => !(v > 0));
    if (pivot >= 0) throw notPositiveDefinite(this.where, this.name, pivot, this.values[pivot]!);
    return this.values;
  }
}

/**
 * N(mean, covariance) in d dimensions.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (which, pivot).
 */
export class Gaussian extends Model {
  readonly kind = 'gaussian';
  readonly backend: Backend;
  readonly dimension: number;
  private readonly read: Read;
  private readonly components: Components;

  constructor(parameters: GaussianParameters, options?: OnBackend) {
    super();
    const where = 'Gaussian';
    this.backend = check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend);
    this.read = new Read(where, '', parameters);
    this.read.finite();
    this.read.symmetric();
    const { d, mean, spread, values } = this.read,
      shape = spread === 'variances' ? 'diagonal' : 'full';
    this.dimension = d;
    const covariances = shape === 'diagonal' ? values : this.read.covariance();
    this.components = new Components(
      this.backend,
      {
        shape,
        k: 1,
        d,
        weights: Float64Array.of(1),
        means: mean,
        covariances,
        ...(spread === 'cholesky' && { L: this.read.definite(this.backend) }),
      },
      where,
      spread,
    );
  }

  /** { mean, covariance | cholesky | variances }, as given; f64, flat. */
  get parameters(): { mean: Float64Array } & Partial<Record<Spread, Float64Array>> {
    return { mean: this.read.mean.slice(), [this.read.spread]: this.read.values.slice() };
  }

  /**
   * log N(x) of each row of x [n,d], in the dtype of x; into `out` [n] if given (which may hold part of the results when
   * an error is thrown). With gaps the density of what was observed; 0 where nothing was.
   * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
   */
  logDensity(x: Points, options?: { readonly out?: Real } & Gaps): Real {
    return scored(this, this.components, 'Gaussian.logDensity', x, options, () => this.live());
  }

  /** ½ d log 2πe + ½ log |covariance|, in nats. */
  entropy(): number {
    return 0.5 * (this.dimension * Math.log(2 * Math.PI * Math.E) + this.components.logDet[0]!);
  }

  /** n draws [n,d]; the same for the same seed. */
  sample(n: number, options?: { readonly seed?: number }): Float64Array {
    const where = 'Gaussian.sample',
      random = new Random(check.seed(where, check.options(where, options, ['seed']).seed));
    const d = this.dimension,
      x = new Float64Array(check.count(where, 'n', n, 0, Math.floor((2 ** 31 - 1) / d)) * d);
    for (let at = 0; at < x.length; at += d) this.components.draw(random, 0, x.subarray(at, at + d));
    return x;
  }

  /** What divergences read: the parameters as they were given. */
  static parametersOf(like: unknown): unknown {
    return like instanceof Gaussian ? like.parameters : like;
  }
  protected release(): void {
    this.components.dispose();
  }
}

/** logDensity of Gaussian and GaussianMixture. */
export function scored(
  model: { dimension: number },
  components: Components,
  where: string,
  x: Points,
  given: ({ readonly out?: Real } & Gaps) | undefined,
  live: () => void,
): Real {
  const options = check.options(where, given, ['out', 'missing', 'mask']);
  const rows = check.points(where, 'x', x, model.dimension);
  const out = check.out(where, options.out, rows.values, rows.n);
  live();
  return components.logDensity(where, rows, options as Gaps, out);
}

/** Two Gaussians of one dimension, checked together in the order of docs/math.md § Conventions. */
function pair(
  where: string,
  p: GaussianLike,
  q: GaussianLike,
  given?: OnBackend,
): { p: Read; q: Read; backend: Backend } {
  const options = check.options(where, given, ['backend']);
  const own = [p, q].find((like) => like instanceof Gaussian)?.backend;
  const backend = check.backend(where, options.backend, () => own ?? defaultBackend());
  const P = new Read(where, 'p.', Gaussian.parametersOf(p)),
    Q = new Read(where, 'q.', Gaussian.parametersOf(q), P.d);
  for (const read of [P, Q]) read.finite();
  for (const read of [P, Q]) read.symmetric();
  return { p: P, q: Q, backend };
}
interface Divergence {
  kl: Float64Array;
  a: Float64Array;
  dP: Float64Array;
  dQ: Float64Array;
  diagonal: boolean;
  d: number;
}
function divergence(where: string, ...given: [GaussianLike, GaussianLike, OnBackend?]): Divergence {
  const { p, q, backend } = pair(where, ...given),
    { d } = p;
  const diagonal = p.spread === 'variances' && q.spread === 'variances',
    size = diagonal ? d : d * d;
  const results = {
    kl: new Float64Array(1),
    a: new Float64Array(d),
    dP: new Float64Array(size),
    dQ: new Float64Array(size),
  };
  const means = { meanP: p.mean, meanQ: q.mean },
    { gaussian } = backend.f64;
  if (diagonal)
    gaussian.divergenceDiagonal({ n: 1, d }, { ...means, vP: p.variances(), vQ: q.variances(), ...results });
  else gaussian.divergence({ n: 1, d }, { ...means, LP: p.definite(backend), LQ: q.definite(backend), ...results });
  for (const values of Object.values(results))
    if (!values.every(Number.isFinite))
      throw new SeqlikError('NON_FINITE', `${where}: the divergence of these Gaussians overflows`, { argument: 'p' });
  return { ...results, diagonal, d };
}

/**
 * KL(p ‖ q) in nats, >= 0. Both given by variances: the diagonal form.
 * Throws what the constructor of Gaussian throws; names begin with 'p.' or 'q.'. NON_FINITE if it overflows.
 */
export function klDivergence(p: GaussianLike, q: GaussianLike, options?: OnBackend): number {
  return divergence('klDivergence', p, q, options).kl[0]!;
}

export interface DivergenceGradient {
  kl: number;
  /** [d] */
  dMeanP: Float64Array;
  dMeanQ: Float64Array;
  /** Symmetric unconstrained [d,d], and with respect to the packed lower triangle [d(d+1)/2]. */
  dCovarianceP?: Float64Array;
  dCovarianceQ?: Float64Array;
  dPackedP?: Float64Array;
  dPackedQ?: Float64Array;
  /** [d]; both given by variances. */
  dVariancesP?: Float64Array;
  dVariancesQ?: Float64Array;
}
/** klDivergence and its gradients; throws the same. */
export function klDivergenceGradient(p: GaussianLike, q: GaussianLike, options?: OnBackend): DivergenceGradient {
  const { kl, a, dP, dQ, diagonal, d } = divergence('klDivergenceGradient', p, q, options);
  const means = { kl: kl[0]!, dMeanP: a, dMeanQ: a.map((v) => -v) };
  if (diagonal) return { ...means, dVariancesP: dP, dVariancesQ: dQ };
  return { ...means, dCovarianceP: dP, dCovarianceQ: dQ, dPackedP: packed(dP, d), dPackedQ: packed(dQ, d) };
}
/** Of a symmetric gradient: an off-diagonal packed value feeds two entries. */
function packed(G: Float64Array, d: number): Float64Array {
  const values: number[] = [];
  for (let i = 0; i < d; i++) for (let j = 0; j <= i; j++) values.push((i === j ? 1 : 2) * G[i * d + j]!);
  return Float64Array.from(values);
}
