/** What Gaussian and GaussianMixture do alike. */

import type { Backend } from '../../bind.ts';
import type { Gaps, Points, Real, Result } from '../../check.ts';
import * as check from '../../check.ts';
import { isSingle } from '../../check.ts';
import { Random } from '../../random.ts';
import { Model } from '../model.ts';
import type { Components } from './components.ts';

const logDensityOptions = ['out', 'missing', 'mask'] as const;

export abstract class Scored extends Model {
  /** Coordinates of a point. */
  abstract readonly dimension: number;
  /** Names of the coordinates, if they are known. */
  abstract readonly columns: readonly string[] | undefined;
  protected abstract readonly components: Components;
  protected abstract readonly title: string;
  get backend(): Backend {
    return this.components?.backend; // there are none of what only has the prototype of a model
  }

  /**
   * log p(x) of each row of x [n,d], in the dtype of x; into `out` [n] if given (which may hold part of the results when
   * an error is thrown). With gaps the density of what was observed; 0 where nothing was.
   * Throws DIMENSION_MISMATCH, NON_FINITE (row, column), INVALID_ARGUMENT.
   */
  logDensity<X extends Points>(x: X, options?: { readonly out?: Real } & Gaps): Result<X> {
    const where = `${this.title}.logDensity`;
    const { out: own, missing: word, mask } = check.options(where, options, logDensityOptions);
    const missing = check.gapOptions(where, { missing: word, mask });
    const whole = word === undefined && mask === undefined;
    if (whole && check.isOnePoint(x, this.dimension, own)) {
      this.live();
      const single = isSingle(x);
      const one = (own ?? check.room(where, 1, single)) as Real;
      one[0] = this.components.logDensityOfOne(where, x, single);
      return one as Result<X>;
    }
    const rows = check.points(where, 'x', x, this.dimension);
    const out = check.out(where, own, rows.values, rows.n);
    this.live();
    if (whole && rows.n === 1) out[0] = this.components.logDensityOfOne(where, rows.values, isSingle(rows.values));
    else this.components.logDensity(where, rows, missing, out);
    return (own ?? out) as Result<X>;
  }

  /** The same on a copy of x, off the event loop. Throws ABORTED besides (cause: signal.reason). */
  async logDensityAsync<X extends Points>(
    x: X,
    options?: { readonly signal?: AbortSignal } & Gaps,
  ): Promise<Result<X>> {
    const where = `${this.title}.logDensityAsync`;
    const given = check.options(where, options, ['signal', 'missing', 'mask']);
    const signal = check.signal(where, given.signal);
    const missing = check.gapOptions(where, given);
    const rows = check.points(where, 'x', x, this.dimension);
    this.live();
    return this.components.logDensityAsync(where, rows, missing, signal) as Promise<Result<X>>;
  }

  /** Σ log p(x) over the rows. Throws as logDensity. */
  logLikelihood(x: Points, options?: Gaps): number {
    const where = `${this.title}.logLikelihood`;
    const given = check.gapOptions(where, check.options(where, options, ['missing', 'mask']));
    const rows = check.points(where, 'x', x, this.dimension);
    this.live();
    let sum = 0;
    for (const value of this.components.logDensity(
      where,
      rows,
      given,
      check.out(where, undefined, rows.values, rows.n),
    ))
      sum += value;
    return sum;
  }

  /** n draws [n,d]; the same for the same seed on one engine. */
  sample(n: number, options?: { readonly seed?: number }): Float64Array {
    const where = `${this.title}.sample`;
    const random = new Random(check.seed(where, check.options(where, options, ['seed']).seed));
    const d = this.dimension;
    const x = check.room(where, check.count(where, 'n', n, 0, Math.floor((2 ** 31 - 1) / d)) * d) as Float64Array;
    this.live();
    const { weights } = this.components.parts;
    for (let at = 0; at < x.length; at += d) {
      const c = weights.length > 1 ? random.categorical(weights) : 0;
      this.components.draw(random, c, x.subarray(at, at + d));
    }
    return x;
  }

  protected release(): void {
    this.components.dispose();
  }
}
