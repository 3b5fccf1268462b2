/** Additive statistics of data under a mixture, as a value of its own. Equations: docs/math.md § mixture. */
import { SeqlikError } from '../errors.ts';
import { malformed, numberOf, opened, tensorOf, written } from '../file.ts';
import type { Parts } from './components/components.ts';
import { partsIn, tensorsOf } from './components/file.ts';
import { areTotals, merged, type Totals, totalsOf } from './components/sums.ts';
import { tri } from './triangles.ts';

/** Additive statistics of data under a mixture: `merge` them, over shards, files or machines, and `update` the mixture. */
export class MixtureStatistics {
  readonly #made = true;
  /** @internal `totals` of `expect`. */
  constructor(readonly totals: Totals) {
    if (!areTotals(totals))
      throw new SeqlikError('INVALID_ARGUMENT', 'MixtureStatistics: made by GaussianMixture.statistics and fromBytes', {
        argument: 'totals',
      });
  }
  /** @internal No prototype and no proxy can lie here. */
  static is(value: unknown): value is MixtureStatistics {
    return typeof value === 'object' && value !== null && #made in value;
  }
  /** Rows of which something was observed. */
  get rows(): number {
    return this.totals.rows;
  }
  /** Of these rows under the mixture; each times its sample weight. */
  get logLikelihood(): number {
    return this.totals.logLikelihood;
  }
  /** The statistics of both data. Throws INVALID_ARGUMENT: made under another mixture. */
  merge(other: MixtureStatistics): MixtureStatistics {
    if (!MixtureStatistics.is(other) || !other.madeUnder(this.totals.parts))
      throw new SeqlikError('INVALID_ARGUMENT', 'MixtureStatistics.merge: other was made under another mixture', {
        argument: 'other',
      });
    return new MixtureStatistics(merged(this.totals, other.totals));
  }
  /** As a file (docs/format.md), with the parameters of the mixture. */
  toBytes(): Uint8Array {
    const { parts, rows, logLikelihood, count, first, second } = this.totals;
    const { type, k, d } = parts;
    const width = type === 'full' || type === 'tied' ? tri(d) : d;
    const metadata = { covarianceType: type, rows: `${rows}`, logLikelihood: `${logLikelihood}` };
    return written('mixture-statistics', metadata, {
      ...tensorsOf(parts),
      count: { shape: [k], values: count },
      first: { shape: [k, d], values: first },
      second: { shape: [k, width], values: second },
    });
  }
  /** Throws FORMAT (tensor, reason), INVALID_ARGUMENT. */
  static fromBytes(bytes: Uint8Array): MixtureStatistics {
    const file = opened(bytes, 'mixture-statistics');
    const parts = partsIn(file, ['count', 'first', 'second']);
    const { type, k, d } = parts;
    const rows = numberOf(file, 'rows');
    const logLikelihood = numberOf(file, 'logLikelihood');
    if (rows === undefined || logLikelihood === undefined) throw malformed('it lacks rows or logLikelihood');
    const count = tensorOf(file, 'count', [k]);
    const first = tensorOf(file, 'first', [k, d]);
    const second = tensorOf(file, 'second', [k, type === 'full' || type === 'tied' ? tri(d) : d]);
    return new MixtureStatistics(totalsOf({ parts, rows, logLikelihood, count, first, second }));
  }
  /** @internal */
  madeUnder(other: Parts): boolean {
    const own = this.totals.parts;
    const same = (['weights', 'means', 'covariances'] as const).every(
      (name) => own[name].length === other[name].length && own[name].every((v, i) => v === other[name][i]),
    );
    return same && own.type === other.type && own.d === other.d;
  }
}
