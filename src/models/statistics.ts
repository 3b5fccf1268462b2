/** Additive statistics of data under a mixture, as a value of its own. Equations: docs/math/mixture.md. */
import { describe } from '../check.ts';
import { argumentError } from '../errors.ts';
import { decode, encode, malformed, numberOf, tensorOf } from '../file.ts';
import type { Parts } from './components/components.ts';
import { hasMatrices } from './components/covariances.ts';
import { decodeParts, encodeParts } from './components/file.ts';
import { isTotals, markTotals, mergeTotals, type Totals } from './components/sums.ts';
import { INSPECT, printable } from './model.ts';
import { tri } from './triangles.ts';

/**
 * Additive statistics of data under a mixture: made by `GaussianMixture.statistics`, merged over shards, files or
 * machines, and given to `update` for the M step. Immutable.
 * @example
 * const m = new GaussianMixture({ weights: [1], means: [0], covariances: [1] });
 * m.statistics([[1], [2]]).merge(m.statistics([[3]])).rows; // 3
 */
export class MixtureStatistics {
  readonly #made = true;
  /** @internal `totals` of `expect`. */
  constructor(readonly totals: Totals) {
    if (!isTotals(totals))
      throw argumentError('INVALID_ARGUMENT', 'MixtureStatistics', 'totals', {
        expected: 'those of GaussianMixture.statistics or fromBytes',
        received: describe(totals),
        sentence: 'made by GaussianMixture.statistics and fromBytes',
      });
  }
  /** @internal No prototype and no proxy can lie here. */
  static is(value: unknown): value is MixtureStatistics {
    return typeof value === 'object' && value !== null && #made in value;
  }
  /** The number of rows with at least one observed value. */
  get rows(): number {
    return this.totals.rows;
  }
  /** Σ log p(x) of these rows under the mixture, each times its sample weight. */
  get logLikelihood(): number {
    return this.totals.logLikelihood;
  }
  /**
   * The statistics of both data sets; neither operand changes. Throws INVALID_ARGUMENT (other: made under
   * another mixture).
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0], covariances: [1] });
   * m.statistics([[0]]).merge(m.statistics([[0]])).logLikelihood; // -1.83787706...
   */
  merge(other: MixtureStatistics): MixtureStatistics {
    if (!MixtureStatistics.is(other) || !other.madeUnder(this.totals.parts))
      throw argumentError('INVALID_ARGUMENT', 'MixtureStatistics.merge', 'other', {
        expected: 'statistics of the same mixture',
        received: describeStatistics(other),
        reason: 'was made under another mixture',
      });
    return new MixtureStatistics(mergeTotals(this.totals, other.totals));
  }
  /**
   * A file (docs/format.md) of the statistics, with the parameters of the mixture.
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0], covariances: [1] });
   * MixtureStatistics.fromBytes(m.statistics([[1], [2]]).toBytes()).rows; // 2
   */
  toBytes(): Uint8Array {
    const { parts, rows, logLikelihood, count, first, second } = this.totals;
    const { type, k, d } = parts;
    const metadata = { covarianceType: type, rows: `${rows}`, logLikelihood: `${logLikelihood}` };
    return encode('mixture-statistics', metadata, {
      ...encodeParts(parts),
      count: { shape: [k], values: count },
      first: { shape: [k, d], values: first },
      second: { shape: [k, widthOf(parts)], values: second },
    });
  }
  /**
   * The inverse of toBytes. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (bytes).
   * @example
   * const m = new GaussianMixture({ weights: [1], means: [0], covariances: [1] });
   * MixtureStatistics.fromBytes(m.statistics([[1], [2]]).toBytes()).rows; // 2
   */
  static fromBytes(bytes: Uint8Array | ArrayBuffer): MixtureStatistics {
    const file = decode('MixtureStatistics.fromBytes', bytes, 'mixture-statistics');
    const parts = decodeParts(file, ['count', 'first', 'second']);
    const { k, d } = parts;
    const rows = numberOf(file, 'rows');
    const logLikelihood = numberOf(file, 'logLikelihood');
    if (rows === undefined || logLikelihood === undefined) throw malformed('it lacks rows or logLikelihood');
    const count = tensorOf(file, 'count', [k]);
    const first = tensorOf(file, 'first', [k, d]);
    const second = tensorOf(file, 'second', [k, widthOf(parts)]);
    return new MixtureStatistics(markTotals({ parts, rows, logLikelihood, count, first, second }));
  }
  /** @internal */
  madeUnder(other: Parts): boolean {
    const own = this.totals.parts;
    const same = (['weights', 'means', 'covariances'] as const).every(
      (name) => own[name].length === other[name].length && own[name].every((v, i) => v === other[name][i]),
    );
    return same && own.type === other.type && own.d === other.d;
  }
  /** @internal */
  [INSPECT](): object {
    if (!MixtureStatistics.is(this)) return {};
    const { rows, logLikelihood, parts } = this.totals;
    return printable(this, { rows, logLikelihood, dimension: parts.d, components: parts.k });
  }
}
/** The second moments of a component: a packed triangle, or one square per coordinate. */
const widthOf = ({ type, d }: Parts): number => (hasMatrices(type) ? tri(d) : d);
/** A short name of a value where the statistics of one mixture are expected. */
export const describeStatistics = (value: unknown): string =>
  MixtureStatistics.is(value) ? 'statistics of another mixture' : describe(value);
