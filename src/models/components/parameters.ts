/** The parameters of one Gaussian as they are read and checked. */
import type { Backend } from '../../bind.ts';
import * as check from '../../check.ts';
import { SeqlikError } from '../../errors.ts';
import { factorise, notPositiveDefinite } from '../triangles.ts';
import type { Parts } from './components.ts';

export const spreads = ['covariance', 'cholesky', 'variances'] as const;
export type Spread = (typeof spreads)[number];

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
