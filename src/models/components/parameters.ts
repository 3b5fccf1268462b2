/** The parameters of Gaussians and mixtures as callers give them: read and checked. */
import type { Backend } from '../../bind.ts';
import * as check from '../../check.ts';
import { argumentError, type SeqlikError } from '../../errors.ts';
import { diagonalMatrix, factorise, notPositiveDefinite, packLower, reconstruct } from '../triangles.ts';
import type { Parts } from './components.ts';
import { covarianceTypes, hasMatrices, shapeOf } from './covariances.ts';

export const covarianceForms = ['covariance', 'cholesky', 'variances'] as const;
/** The form in which a covariance was given. */
export type CovarianceForm = (typeof covarianceForms)[number];

/** Reads one Gaussian. Each check is called for all Gaussians of a call before the next: docs/math.md § Conventions. */
export class ParameterReader {
  readonly form: CovarianceForm;
  mean: Float64Array = new Float64Array();
  /** As given: [d,d], or [d] for variances. */
  values: Float64Array = new Float64Array();
  private readonly given: Readonly<Record<string, unknown>>;
  /** `prefix` stands before the public names ('p.mean'). Throws INVALID_ARGUMENT. */
  constructor(
    readonly where: string,
    readonly prefix: string,
    given: unknown,
  ) {
    this.given = check.fields(where, prefix.slice(0, -1) || 'parameters', given, ['mean', ...covarianceForms]);
    const named = covarianceForms.filter((name) => this.given[name] !== undefined);
    if (named.length !== 1) {
      const names = covarianceForms.map((name) => prefix + name).join(', ');
      throw argumentError('INVALID_ARGUMENT', where, prefix + (named[0] ?? covarianceForms[0]), {
        expected: `one of ${names}`,
        received: `${named.length} of them`,
        sentence: `give one of ${names}, not ${named.length} of them`,
      });
    }
    this.form = named[0]!;
  }
  /** `size` is the dimension already bound, if any. */
  readTensors(size?: number): void {
    const { where, prefix, form, given } = this;
    this.mean = check.tensor(where, `${prefix}mean`, given['mean'], [size]);
    if (this.d < 1)
      throw argumentError('INVALID_ARGUMENT', where, `${prefix}mean`, {
        expected: 'at least one coordinate',
        received: 'none',
        reason: 'is empty',
      });
    this.values = check.tensor(where, this.name, given[form], form === 'variances' ? [this.d] : [this.d, this.d]);
  }
  get d(): number {
    return this.mean.length;
  }
  get name(): string {
    return this.prefix + this.form;
  }
  checkFinite(): void {
    check.finite(this.where, `${this.prefix}mean`, this.mean);
    check.finite(this.where, this.name, this.values);
  }
  checkSymmetric(): void {
    const { d, values, where } = this;
    if (this.form === 'covariance') check.symmetric(where, this.name, values, 1, d);
    if (this.form !== 'cholesky') return;
    const above = values.findIndex((v, at) => at % d > Math.floor(at / d) && v !== 0);
    if (above >= 0)
      throw argumentError('INVALID_ARGUMENT', where, this.name, {
        expected: '0 above its diagonal',
        received: `${values[above]}`,
        reason: `is ${values[above]} above its diagonal`,
      });
  }
  /** The covariance [d,d], given in any form. */
  covariance(): Float64Array {
    const { d, values, form } = this;
    if (form === 'covariance') return values;
    if (form === 'variances') return diagonalMatrix(values);
    const S = new Float64Array(d * d);
    reconstruct(packLower(values, d), d, true, S);
    return S;
  }
  /** The Cholesky factor, packed [tri(d)]. Throws NOT_POSITIVE_DEFINITE. */
  factor(backend: Backend): Float64Array {
    const { d, values } = this;
    if (this.form !== 'cholesky')
      return factorise(backend, this.covariance(), 1, d, ({ pivot, value }) => this.notDefinite(pivot, value)).L;
    for (let i = 0; i < d; i++) if (!(values[i * d + i]! > 0)) throw this.notDefinite(i, values[i * d + i]!);
    return packLower(values, d);
  }
  /** The variances [d], each > 0. Throws NOT_POSITIVE_DEFINITE. */
  positiveVariances(): Float64Array {
    const pivot = this.values.findIndex((v) => !(v > 0));
    if (pivot >= 0) throw this.notDefinite(pivot, this.values[pivot]!);
    return this.values;
  }
  /** The Gaussian as one component; `Components` factorises it, unless the factor was given. */
  parts(backend: Backend): Parts {
    const { mean: means, d, form } = this;
    const weights = Float64Array.of(1);
    if (form === 'variances') return { type: 'diagonal', k: 1, d, weights, means, covariances: this.values };
    const L = form === 'cholesky' ? { L: this.factor(backend) } : {};
    return { type: 'full', k: 1, d, weights, means, covariances: this.covariance(), ...L };
  }
  private notDefinite(pivot: number, value: number): SeqlikError {
    return notPositiveDefinite(this.where, this.name, pivot, value);
  }
}

export const mixtureFields = ['weights', 'means', 'covariances', 'covarianceType'];
/** A mixture, checked in the order of docs/math.md § Conventions; `prefix` stands before the public names. */
export function readMixture(where: string, prefix: string, parameters: unknown): Parts {
  const wrong = (argument: string, expected: string, received: string, reason: string): SeqlikError =>
    argumentError('INVALID_ARGUMENT', where, prefix + argument, { expected, received, reason });
  const given = check.fields(where, prefix.slice(0, -1) || 'parameters', parameters, mixtureFields);
  const word = check.or(given['covarianceType'], 'full');
  const type = check.choice(where, `${prefix}covarianceType`, word, covarianceTypes);
  const weights = check.tensor(where, `${prefix}weights`, given['weights'], [undefined]);
  const k = weights.length;
  if (k < 1) throw wrong('weights', 'at least one weight', 'none', 'are empty');
  const means = check.tensor(where, `${prefix}means`, given['means'], [k, undefined]);
  const d = means.length / k;
  if (d < 1) throw wrong('means', 'at least one coordinate', 'none', 'have no coordinates');
  const covariances = check.tensor(where, `${prefix}covariances`, given['covariances'], shapeOf(type, k, d));
  for (const [name, values] of Object.entries({ weights, means, covariances }))
    check.finite(where, prefix + name, values);
  const negative = weights.findIndex((w) => w < 0);
  if (negative >= 0)
    throw wrong('weights', '>= 0', `${weights[negative]}`, `has ${weights[negative]} at [${negative}], not >= 0`);
  const sum = weights.reduce((a, b) => a + b, 0);
  if (!(Math.abs(sum - 1) <= 1e-6)) throw wrong('weights', 'a sum of 1', `${sum}`, `sum to ${sum}, not 1`);
  if (hasMatrices(type)) check.symmetric(where, `${prefix}covariances`, covariances, type === 'full' ? k : 1, d);
  // weights of elsewhere may have been f32; those whose sum is 1 in f64 stay as they are
  const normalised = Math.abs(sum - 1) <= 1e-9 ? weights : weights.map((w) => w / sum);
  return { type, k, d, weights: normalised, means, covariances };
}
