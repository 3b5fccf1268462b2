/** One Gaussian. Equations: docs/math.md § gaussian. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Matrix, Points, Vector } from '../check.ts';
import * as check from '../check.ts';
import { built, columnsOf, columnsText, lengthOf, malformed, onlyTensors, opened, tensorOf, written } from '../file.ts';
import type { FitReport } from '../training/report.ts';
import { Components, type Parts } from './components/components.ts';
import { conditionalParts } from './components/conditional.ts';
import { fitted } from './components/em.ts';
import { Read, type Spread, spreads } from './components/parameters.ts';
import { Scored } from './components/scored.ts';
import { type ComponentFitOptions, componentFitOptions, readFit } from './components/settings.ts';
import { isA, type Named, type OnBackend, onBackend } from './model.ts';
import { tri } from './triangles.ts';

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
export interface GaussianFitOptions extends ComponentFitOptions {
  /** Default: full. */
  readonly covarianceType?: 'full' | 'diagonal';
  readonly init?: GaussianLike;
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

  get parameterCount(): number {
    const { d, spread } = this.read;
    return d + (spread === 'variances' ? d : tri(d));
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
