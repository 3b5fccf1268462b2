/** Additive statistics of sequences under a linear dynamical system, as a value of its own: docs/math/lds.md. */
import { describe } from '../check.ts';
import { argumentError } from '../errors.ts';
import { decode, encode, malformed, numberOf, orMalformed, tensorOf } from '../file.ts';
import { decodeSystem, encodeSystem } from './lds/file.ts';
import {
  countNames,
  isMoments,
  type Moments,
  markMoments,
  mergeMoments,
  noMoments,
  shapeOfSum,
  sumNames,
} from './lds/moments.ts';
import { readSystem, type System, sameSystem } from './lds/parameters.ts';
import { INSPECT, printable } from './model.ts';

/**
 * Additive statistics of sequences under a linear dynamical system: made by `LinearDynamicalSystem.statistics`, merged
 * over shards, files or machines, and given to `update` for the M step. Immutable.
 * @example
 * const parameters = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
 * const system = new LinearDynamicalSystem({ ...parameters, initialMean: [0], initialCovariance: [1] });
 * system.statistics([1, 2]).merge(system.statistics([3])).rows; // 3
 */
export class SystemStatistics {
  readonly #made = true;
  /** @internal `moments` of an E step. */
  constructor(readonly moments: Moments) {
    if (!isMoments(moments))
      throw argumentError('INVALID_ARGUMENT', 'SystemStatistics', 'moments', {
        expected: 'those of LinearDynamicalSystem.statistics or fromBytes',
        received: describe(moments),
        sentence: 'made by LinearDynamicalSystem.statistics and fromBytes',
      });
  }
  /** @internal No prototype and no proxy can lie here. */
  static is(value: unknown): value is SystemStatistics {
    return typeof value === 'object' && value !== null && #made in value;
  }
  /** The number of rows, with and without observations. */
  get rows(): number {
    return this.moments.rows;
  }
  /** The number of sequences that are not empty. */
  get sequences(): number {
    return this.moments.sequences;
  }
  /** Σ log p of these sequences under the system. */
  get logLikelihood(): number {
    return this.moments.logLikelihood;
  }
  /**
   * The statistics of both data sets; neither operand changes. Throws INVALID_ARGUMENT (other: made under another
   * system).
   * @example
   * const parameters = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...parameters, initialMean: [0], initialCovariance: [1] });
   * system.statistics([1, 2]).merge(system.statistics([3])).sequences; // 2
   */
  merge(other: SystemStatistics): SystemStatistics {
    if (!SystemStatistics.is(other) || !other.madeUnder(this.moments.system))
      throw argumentError('INVALID_ARGUMENT', 'SystemStatistics.merge', 'other', {
        expected: 'statistics of the same system',
        received: describeStatistics(other),
        reason: 'was made under another system',
      });
    return new SystemStatistics(mergeMoments(this.moments, other.moments));
  }
  /**
   * A file (docs/format.md) of the statistics, with the parameters of the system.
   * @example
   * const parameters = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...parameters, initialMean: [0], initialCovariance: [1] });
   * SystemStatistics.fromBytes(system.statistics([1, 2]).toBytes()).rows; // 2
   */
  toBytes(): Uint8Array {
    const { moments } = this;
    const { m, d } = moments.system;
    const counts = Object.fromEntries(countNames.map((name) => [name, `${moments[name]}`]));
    const sums = Object.fromEntries(
      sumNames.map((name) => [name, { shape: shapeOfSum(name, m, d), values: moments[name] }]),
    );
    return encode('system-statistics', counts, { ...encodeSystem(moments.system), ...sums });
  }
  /**
   * The inverse of toBytes. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (bytes).
   * @example
   * const parameters = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...parameters, initialMean: [0], initialCovariance: [1] });
   * SystemStatistics.fromBytes(system.statistics([1, 2]).toBytes()).sequences; // 1
   */
  static fromBytes(bytes: Uint8Array): SystemStatistics {
    const file = decode('SystemStatistics.fromBytes', bytes, 'system-statistics');
    const parameters = decodeSystem(file, sumNames);
    const system = orMalformed(() => readSystem('SystemStatistics.fromBytes', '', parameters));
    const counts = Object.fromEntries(
      countNames.map((name) => {
        const value = numberOf(file, name);
        if (value === undefined) throw malformed(`it lacks ${name}`);
        return [name, value];
      }),
    );
    const sums = Object.fromEntries(
      sumNames.map((name) => [name, tensorOf(file, name, shapeOfSum(name, system.m, system.d))]),
    );
    return new SystemStatistics(markMoments({ ...noMoments(system), ...counts, ...sums } as Moments));
  }
  /** @internal */
  madeUnder(other: System): boolean {
    return sameSystem(this.moments.system, other);
  }
  /** @internal */
  [INSPECT](): object {
    if (!SystemStatistics.is(this)) return {};
    const { rows, sequences, logLikelihood, moments } = this;
    const { d: dimension, m: latent } = moments.system;
    return printable(this, { rows, sequences, logLikelihood, dimension, latent });
  }
}
/** A short name of a value where the statistics of one system are expected. */
export const describeStatistics = (value: unknown): string =>
  SystemStatistics.is(value) ? 'statistics of another system' : describe(value);
