/** One Gaussian. Equations: docs/math/gaussian.md. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Matrix, Points, Vector } from '../check.ts';
import * as check from '../check.ts';
import {
  decode,
  decodeColumns,
  encode,
  encodeColumns,
  malformed,
  orMalformed,
  refuseOthers,
  sizeOf,
  tensorOf,
} from '../file.ts';
import type { FitReport } from '../training/report.ts';
import { Components, type Parts } from './components/components.ts';
import { conditionOn } from './components/conditional.ts';
import { freeValues } from './components/covariances.ts';
import { fitComponents } from './components/em.ts';
import { nothingHeld, parameterNames, readHeld } from './components/held.ts';
import { type CovarianceForm, covarianceForms, ParameterReader } from './components/parameters.ts';
import { Scored } from './components/scored.ts';
import { type ComponentFitOptions, componentFitOptions, readFit } from './components/settings.ts';
import { isA, type Named, type OnBackend, onBackend } from './model.ts';
import { diagonalMatrix, diagonalOf } from './triangles.ts';

/** A mean, and the covariance in one of three forms. */
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
/** A Gaussian, or the parameters of one. */
export type GaussianLike = Gaussian | GaussianParameters;
/** Options of `Gaussian.fit`. */
export interface GaussianFitOptions extends ComponentFitOptions {
  /** Default: full. */
  readonly covarianceType?: 'full' | 'diagonal';
  /** Warm start; `restarts` is ignored. */
  readonly init?: GaussianLike;
  /** The parameters to change, the other one keeps the value of `init`; default: both. */
  readonly update?: readonly ('mean' | 'covariance')[];
}

/**
 * N(mean, covariance) in d dimensions. Parameters are kept in f64; results have the dtype of the data.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (which,
 * pivot).
 * @example
 * const g = new Gaussian({ mean: [0, 0], covariance: [[2, 1], [1, 2]] });
 * g.logDensity([[1, 0]]); // Float64Array(1) [ -2.72051654... ]
 */
export class Gaussian extends Scored {
  /** The kind of model, as files and commands call it. */
  readonly kind = 'gaussian';
  /** Coordinates of a point: d. */
  readonly dimension: number;
  /** Names of the coordinates, if they are known. */
  readonly columns: readonly string[] | undefined;
  protected readonly title = 'Gaussian';
  protected readonly components: Components;
  private readonly read: Pick<ParameterReader, 'form' | 'mean' | 'values' | 'd'>;

  /** `columns`: names of the d coordinates. `backend` defaults to defaultBackend(). */
  constructor(parameters: GaussianParameters, options?: OnBackend & Named) {
    super();
    const given = check.options('Gaussian', options, ['backend', 'columns']);
    const backend = check.backend('Gaussian', given.backend, defaultBackend);
    // what a fit has made is checked, and its covariance is factorised
    const made = Components.is(parameters) ? parameters : undefined;
    const read = made ? undefined : readGaussian(parameters);
    this.read = read ?? readOf(made!.parts);
    this.dimension = this.read.d;
    this.columns = check.names('Gaussian', 'columns', given.columns, this.read.d);
    this.components = made ?? new Components(backend, read!.parts(backend), 'Gaussian', read!.form);
  }

  /** { mean, covariance | cholesky | variances }, as given; f64, flat. */
  get parameters(): { mean: Float64Array } & { [F in CovarianceForm]?: Float64Array } {
    return { mean: this.read.mean.slice(), [this.read.form]: this.read.values.slice() };
  }
  /** d for the mean, and d(d+1)/2 for a covariance or d for variances. */
  get parameterCount(): number {
    const { type, k, d } = this.components.parts;
    return d + freeValues(type, k, d);
  }

  toBytes(): Uint8Array {
    const { mean, form, values, d } = this.read;
    const tensors = { mean: { shape: [d], values: mean }, [form]: { shape: shapeOf(form, d), values } };
    return encode(this.kind, encodeColumns(this.columns), tensors);
  }
  /**
   * The inverse of toBytes. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (bytes, backend).
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [1, 4] }, { columns: ['x', 'y'] });
   * Gaussian.fromBytes(g.toBytes()).columns; // [ 'x', 'y' ]
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer, options?: OnBackend): Gaussian {
    const on = onBackend('Gaussian.fromBytes', options);
    const file = decode('Gaussian.fromBytes', bytes, 'gaussian');
    const form = covarianceForms.find((name) => name in file.tensors);
    if (!form) throw malformed(`it has none of ${covarianceForms.join(', ')}`);
    refuseOthers(file, ['mean', form]);
    const d = sizeOf(file, 'mean', 1);
    const parameters = { mean: tensorOf(file, 'mean', [d]), [form]: tensorOf(file, form, shapeOf(form, d)) };
    return orMalformed(() => new Gaussian(parameters, { ...on, ...decodeColumns(file) }));
  }

  /**
   * ½ d log 2πe + ½ log |covariance|, in nats.
   * @example
   * const g = new Gaussian({ mean: [0], variances: [1] });
   * g.entropy(); // 1.41893853...
   */
  entropy(): number {
    return 0.5 * (this.dimension * Math.log(2 * Math.PI * Math.E) + this.components.logDet[0]!);
  }

  /**
   * The inverse of the covariance [d,d], whatever the form of the parameters.
   * @example
   * const g = new Gaussian({ mean: [0, 0], variances: [2, 4] });
   * g.precision(); // Float64Array(4) [ 0.5, 0, 0, 0.25 ]
   */
  precision(): Float64Array {
    const inverse = this.components.precisions();
    return this.components.full ? inverse : diagonalMatrix(inverse);
  }

  /**
   * The distribution of the coordinates `dims`, in the order named. Throws INVALID_ARGUMENT (dims).
   * @example
   * const g = new Gaussian({ mean: [0, 1, 2], variances: [1, 4, 9] });
   * g.marginal([2, 0]).parameters; // { mean: Float64Array(2) [ 2, 0 ], variances: Float64Array(2) [ 9, 1 ] }
   */
  marginal(dims: readonly number[]): Gaussian {
    const where = 'Gaussian.marginal';
    return fromParts(this.components.marginalParts(check.subset(where, dims, this.dimension, 1)), this.backend);
  }

  /**
   * The distribution of the other coordinates, given that those in `dims` have `values`.
   * Throws INVALID_ARGUMENT (dims), DIMENSION_MISMATCH (values), NON_FINITE.
   * @example
   * const g = new Gaussian({ mean: [0, 0], covariance: [[4, 2], [2, 4]] });
   * g.conditional([0], [2]).parameters; // { mean: Float64Array(1) [ 1 ], covariance: Float64Array(1) [ 3 ] }
   */
  conditional(dims: readonly number[], values: Vector): Gaussian {
    const where = 'Gaussian.conditional';
    const given = check.subset(where, dims, this.dimension, 0, this.dimension - 1);
    const at = check.tensor(where, 'values', values, [given.length]);
    check.finite(where, 'values', at);
    this.live();
    return fromParts(conditionOn(where, this.components, given, at), this.backend);
  }

  /**
   * The Gaussian of greatest likelihood of x [n,d], nested rows, or flat with `dimension`; by EM if there are gaps.
   * Throws EMPTY_INPUT, INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_POSITIVE_DEFINITE (constant column:
   * pivot), ABORTED.
   * @example
   * const { model } = await Gaussian.fit([[1], [2], [3]], { regularization: 0 });
   * model.parameters; // { mean: Float64Array(1) [ 2 ], covariance: Float64Array(1) [ 0.66666666... ] }
   */
  static async fit(x: Points, options?: GaussianFitOptions): Promise<{ model: Gaussian; report: FitReport }> {
    const where = 'Gaussian.fit';
    const given = check.options(where, options, [...componentFitOptions, 'covarianceType', 'init', 'update']);
    const type = check.choice(where, 'covarianceType', check.or(given.covarianceType, 'full'), ['full', 'diagonal']);
    const init = given.init === undefined ? undefined : readInit(where, given.init, type);
    const names = [undefined, 'mean', 'covariance'];
    const held = readHeld(where, given.update, names, init ? new Set(parameterNames) : nothingHeld);
    const { rows, settings } = readFit(where, x, given, { type, k: 1, held, ...(init && { init }) });
    const { parts, factors, report } = await fitComponents(rows, settings);
    const { backend } = settings;
    const made = new Components(backend, parts, 'Gaussian', readOf(parts).form, { factors });
    return { model: new Gaussian(made as unknown as GaussianParameters, { backend }), report };
  }

  /** @internal The parameters as they were given, for divergences. */
  static parametersOf(like: unknown): unknown {
    return isA(Gaussian, like) ? like.parameters : like;
  }
}

function readGaussian(parameters: unknown): ParameterReader {
  const read = new ParameterReader('Gaussian', '', parameters);
  read.readTensors();
  read.checkFinite();
  read.checkSymmetric();
  return read;
}
const readOf = ({ type, d, means, covariances }: Parts): Pick<ParameterReader, 'form' | 'mean' | 'values' | 'd'> => ({
  form: type === 'full' ? 'covariance' : 'variances',
  mean: means,
  values: covariances,
  d,
});
function fromParts({ type, means, covariances }: Parts, backend: Backend): Gaussian {
  return new Gaussian({ mean: means, [type === 'full' ? 'covariance' : 'variances']: covariances }, { backend });
}
const shapeOf = (form: CovarianceForm, d: number): number[] => (form === 'variances' ? [d] : [d, d]);
function readInit(where: string, like: unknown, type: 'full' | 'diagonal'): Parts {
  const read = new ParameterReader(where, 'init.', Gaussian.parametersOf(like));
  read.readTensors();
  read.checkFinite();
  read.checkSymmetric();
  const { d, mean: means } = read;
  const covariance = read.covariance();
  const covariances = type === 'full' ? covariance : diagonalOf(covariance, d);
  return { type, k: 1, d, weights: Float64Array.of(1), means, covariances };
}
