/** One Gaussian. Equations: docs/math.md § gaussian. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Matrix, Points, Vector } from '../check.ts';
import * as check from '../check.ts';
import { SeqlikError } from '../errors.ts';
import type { FitReport } from '../training/report.ts';
import { Components, type Parts } from './components.ts';
import { conditionalParts } from './conditional.ts';
import { fitted } from './em.ts';
import { factorise, notPositiveDefinite } from './factor.ts';
import { built, columnsOf, columnsText, lengthOf, malformed, onlyTensors, opened, tensorOf, written } from './file.ts';
import { isA } from './model.ts';
import { Scored } from './scored.ts';
import { type ComponentFitOptions, componentFitOptions, readFit } from './settings.ts';

/** A mean and exactly one way to say the covariance. */
export interface GaussianParameters {
  /** [d] */
  readonly mean: Vector;
  /** [d,d], symmetric positive definite */
  readonly covariance?: Matrix;
  /** [d,d], its lower triangular Cholesky factor */
  readonly cholesky?: Matrix;
  /** [d], its diagonal */
  readonly variances?: Vector;
}
export type GaussianLike = Gaussian | GaussianParameters;
export interface OnBackend {
  readonly backend?: Backend;
}
/** The option of those who load. */
export const onBackend = (where: string, options: unknown): { readonly backend: Backend } => ({
  backend: check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend),
});
export interface Named {
  /** Names of the d coordinates: kept, and written into the model's file. */
  readonly columns?: readonly string[];
}
export interface GaussianFitOptions extends ComponentFitOptions {
  /** Default: full. */
  readonly covarianceType?: 'full' | 'diagonal';
  readonly init?: GaussianLike;
}

const spreads = ['covariance', 'cholesky', 'variances'] as const;
type Spread = (typeof spreads)[number];

/** Parameters as they are read: the checks are called in their order, each for all Gaussians of a call. */
export class Read {
  readonly spread: Spread;
  mean: Float64Array = new Float64Array();
  /** As given: [d,d], or [d] for variances. */
  values: Float64Array = new Float64Array();
  private readonly given: Readonly<Record<string, unknown>>;
  /** `prefix` stands before the public names ('p.mean'). */
  constructor(
    readonly where: string,
    readonly prefix: string,
    given: unknown,
  ) {
    this.given = check.fields(where, prefix.slice(0, -1) || 'parameters', given, ['mean', ...spreads]);
    const named = spreads.filter((name) => this.given[name] !== undefined);
    if (named.length !== 1) {
      const names = spreads.map((name) => prefix + name).join(', ');
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: give one of ${names}, not ${named.length} of them`, {
        argument: prefix + (named[0] ?? spreads[0]),
      });
    }
    this.spread = named[0]!;
  }
  /** `size` is the dimension already bound, if any. */
  dimensions(size?: number): void {
    const { where, prefix, spread, given } = this;
    this.mean = check.tensor(where, `${prefix}mean`, given['mean'], [size]);
    if (this.d < 1)
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${prefix}mean is empty`, { argument: `${prefix}mean` });
    this.values = check.tensor(where, this.name, given[spread], spread === 'variances' ? [this.d] : [this.d, this.d]);
  }
  get d(): number {
    return this.mean.length;
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
    if (this.spread !== 'cholesky') return;
    const above = values.findIndex((v, at) => at % d > Math.floor(at / d) && v !== 0);
    if (above >= 0)
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${this.name} is ${values[above]} above its diagonal`, {
        argument: this.name,
      });
  }
  /** [d,d], also of variances and of a factor. */
  covariance(): Float64Array {
    const { d, values, spread } = this;
    if (spread === 'covariance') return values;
    return Float64Array.from({ length: d * d }, (_, at) => {
      const i = Math.floor(at / d);
      const j = at % d;
      if (spread === 'variances') return i === j ? values[i]! : 0;
      let s = 0;
      for (let p = 0; p <= Math.min(i, j); p++) s += values[i * d + p]! * values[j * d + p]!;
      return s;
    });
  }
  /** The Cholesky factor packed by rows. Throws NOT_POSITIVE_DEFINITE. */
  definite(backend: Backend): Float64Array {
    const { d, values } = this;
    if (this.spread !== 'cholesky')
      return factorise(backend, this.covariance(), 1, d, ({ pivot, value }) => this.indefinite(pivot, value)).L;
    for (let i = 0; i < d; i++) if (!(values[i * d + i]! > 0)) throw this.indefinite(i, values[i * d + i]!);
    return values.filter((_, at) => at % d <= Math.floor(at / d));
  }
  /** Variances, each > 0. Throws NOT_POSITIVE_DEFINITE. */
  variances(): Float64Array {
    const pivot = this.values.findIndex((v) => !(v > 0));
    if (pivot >= 0) throw this.indefinite(pivot, this.values[pivot]!);
    return this.values;
  }
  /** As one component; factorised by `Components`, unless the factor was given. */
  parts(backend: Backend): Parts {
    const { mean: means, d, spread } = this;
    const weights = Float64Array.of(1);
    if (spread === 'variances') return { type: 'diagonal', k: 1, d, weights, means, covariances: this.values };
    const L = spread === 'cholesky' ? { L: this.definite(backend) } : {};
    return { type: 'full', k: 1, d, weights, means, covariances: this.covariance(), ...L };
  }
  private indefinite(pivot: number, value: number): SeqlikError {
    return notPositiveDefinite(this.where, this.name, pivot, value);
  }
}

/**
 * N(mean, covariance) in d dimensions.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (which, pivot).
 */
export class Gaussian extends Scored {
  readonly kind = 'gaussian';
  readonly dimension: number;
  readonly columns: readonly string[] | undefined;
  protected readonly title = 'Gaussian';
  protected readonly components: Components;
  private readonly read: Read;

  constructor(parameters: GaussianParameters, options?: OnBackend & Named) {
    super();
    const given = check.options('Gaussian', options, ['backend', 'columns']);
    const backend = check.backend('Gaussian', given.backend, defaultBackend);
    this.read = new Read('Gaussian', '', parameters);
    this.read.dimensions();
    this.read.finite();
    this.read.symmetric();
    this.dimension = this.read.d;
    this.columns = check.names('Gaussian', 'columns', given.columns, this.read.d);
    this.components = new Components(backend, this.read.parts(backend), 'Gaussian', this.read.spread);
  }

  /** { mean, covariance | cholesky | variances }, as given; f64, flat. */
  get parameters(): { mean: Float64Array } & { [S in Spread]?: Float64Array } {
    return { mean: this.read.mean.slice(), [this.read.spread]: this.read.values.slice() };
  }

  toBytes(): Uint8Array {
    const { mean, spread, values, d } = this.read;
    const shape = spread === 'variances' ? [d] : [d, d];
    const tensors = { mean: { shape: [d], values: mean }, [spread]: { shape, values } };
    return written(this.kind, columnsText(this.columns), tensors);
  }
  /** Throws FORMAT (tensor, reason), INVALID_ARGUMENT. */
  static fromBytes(bytes: Uint8Array, options?: OnBackend): Gaussian {
    const on = onBackend('Gaussian.fromBytes', options);
    const file = opened(bytes, 'gaussian');
    const spread = spreads.find((name) => name in file.tensors);
    if (!spread) throw malformed(`it has none of ${spreads.join(', ')}`);
    onlyTensors(file, ['mean', spread]);
    const d = lengthOf(file, 'mean', 1);
    const shape = spread === 'variances' ? [d] : [d, d];
    const parameters = { mean: tensorOf(file, 'mean', [d]), [spread]: tensorOf(file, spread, shape) };
    return built(() => new Gaussian(parameters, { ...on, ...columnsOf(file) }));
  }

  /** ½ d log 2πe + ½ log |covariance|, in nats. */
  entropy(): number {
    return 0.5 * (this.dimension * Math.log(2 * Math.PI * Math.E) + this.components.logDet[0]!);
  }

  /** The distribution of some coordinates, in the order named. Throws INVALID_ARGUMENT. */
  marginal(dims: readonly number[]): Gaussian {
    const where = 'Gaussian.marginal';
    return fromParts(this.components.marginalParts(check.subset(where, dims, this.dimension, 1)), this.backend);
  }

  /** The distribution of the other coordinates, given that those in `dims` have `values`. Throws INVALID_ARGUMENT, ... */
  conditional(dims: readonly number[], values: Vector): Gaussian {
    const where = 'Gaussian.conditional';
    const given = check.subset(where, dims, this.dimension, 0, this.dimension - 1);
    const at = check.tensor(where, 'values', values, [given.length]);
    check.finite(where, 'values', at);
    this.live();
    return fromParts(conditionalParts(where, this.components, given, at), this.backend);
  }

  /**
   * The Gaussian of greatest likelihood of x [n,d]; with gaps by EM.
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, NON_FINITE, NOT_POSITIVE_DEFINITE (constant column), ABORTED.
   */
  static async fit(x: Points, options?: GaussianFitOptions): Promise<{ model: Gaussian; report: FitReport }> {
    const where = 'Gaussian.fit';
    const given = check.options(where, options, [...componentFitOptions, 'covarianceType', 'init']);
    const type = check.choice(where, 'covarianceType', check.or(given.covarianceType, 'full'), ['full', 'diagonal']);
    const init = given.init === undefined ? undefined : startOf(where, given.init, type);
    const { rows, settings } = readFit(where, x, given, { type, k: 1, ...(init && { init }) });
    const { parts, report } = await fitted(rows, settings);
    return { model: fromParts(parts, settings.backend), report };
  }

  /** @internal What divergences read: the parameters as they were given. */
  static parametersOf(like: unknown): unknown {
    return isA(Gaussian, like) ? like.parameters : like;
  }
}

function fromParts({ type, means, covariances }: Parts, backend: Backend): Gaussian {
  return new Gaussian({ mean: means, [type === 'full' ? 'covariance' : 'variances']: covariances }, { backend });
}
function startOf(where: string, like: unknown, type: 'full' | 'diagonal'): Parts {
  const read = new Read(where, 'init.', Gaussian.parametersOf(like));
  read.dimensions();
  read.finite();
  read.symmetric();
  const { d, mean: means } = read;
  const full = read.covariance();
  const covariances = type === 'full' ? full : full.filter((_, at) => at % (d + 1) === 0);
  return { type, k: 1, d, weights: Float64Array.of(1), means, covariances };
}
