/** The scores of sequences by a system: filter, smoother, log densities and criteria (docs/math/lds.md). */
import type { Gaps, Points, Real, Scoring, Sequences } from '../../check.ts';
import * as check from '../../check.ts';
import { Pace } from '../../training/pace.ts';
import { Model } from '../model.ts';
import { type Pass, runAsync, runNow } from '../work.ts';
import type { Engine } from './engine.ts';
import { scoreMarking } from './marking.ts';
import { inDtypeOf, type Observations, observedRows, ownCopy, readObservations } from './observations.ts';
import { filter, type Store, smooth } from './passes.ts';
import type { SystemState } from './state.ts';
import { type Steady, type SteadyState, steadyFilter } from './steady.ts';

/** One state, or one per sequence if several were given. */
type StateOf<Y> = Y extends Points ? SystemState : readonly SystemState[];
/**
 * The result of `filter`, in the dtype of the data: n rows of m latent coordinates. Moments of all rows; of the last row
 * of each sequence (store: 'last'); or empty arrays ('none').
 */
export interface FilteredSystem<Y = Sequences> {
  /** E z[t] given the rows before t [n,m]. */
  predictedMeans: Real;
  /** Cov z[t] given the rows before t [n,m,m]. */
  predictedCovariances: Real;
  /** E z[t] given the rows up to t [n,m]. */
  means: Real;
  /** Cov z[t] given the rows up to t [n,m,m]. */
  covariances: Real;
  /** log p(y[t] | y[..t-1]) of what was observed [n]; 0 where nothing was. */
  logDensity: Real;
  /** Σ logDensity. */
  logLikelihood: number;
  /** After the last row: where `step` and `forecast` go on. */
  state: StateOf<Y>;
  /** With `steadyState`, unless the full filter ran: where the gain was frozen, and bounds of the errors. */
  steadyState?: SteadyState;
}
/** The result of `smooth`, in the dtype of the data: moments given all rows of a sequence. */
export interface SmoothedSystem {
  /** [n,m] */
  means: Real;
  /** [n,m,m] */
  covariances: Real;
  /** Cov(z[t+1], z[t]) of each row but the last of its sequence, one sequence after the other [Σ max(T - 1, 0),m,m]. */
  lagOneCovariances: Real;
  logLikelihood: number;
}
/** Options of `filter`. */
export interface FilterOptions extends Gaps {
  /** Default all. */
  readonly store?: Store;
  /**
   * Whether to freeze the gain once covariances stand still, which is faster (default: no). Needs data without gaps:
   * with any gap, and if they never stand still, the full filter runs.
   */
  readonly steadyState?: boolean;
}
/** The checked arguments of `filter`. */
interface Request {
  readonly data: Observations;
  readonly store: Store;
  readonly steady: boolean;
}
const stores = ['all', 'last', 'none'] as const;

export abstract class ScoredSystem extends Model {
  /** Coordinates of an observation: d. */
  abstract readonly dimension: number;
  protected abstract readonly engine: Engine;

  /**
   * The Kalman filter over sequences y [n,d]: moments of the states given the rows so far, log densities, and the state
   * after the last row. Gaps are left out exactly. Throws DIMENSION_MISMATCH, NON_FINITE (row, column; or the system
   * explodes: row), INVALID_ARGUMENT, DISPOSED.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * system.filter([1, NaN], { missing: 'nan' }).covariances; // Float64Array(2) [ 1, 2 ]
   */
  filter<Y extends Sequences>(y: Y, options?: FilterOptions): FilteredSystem<Y> {
    return runNow(this.filtering<Y>('LinearDynamicalSystem.filter', this.readFilter('filter', y, options, [])));
  }
  /**
   * The same off the event loop, on a copy of y. Throws as filter, and ABORTED (cause: signal.reason).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * (await system.filterAsync([1])).means; // Float64Array(1) [ 0.5 ]
   */
  async filterAsync<Y extends Sequences>(
    y: Y,
    options?: FilterOptions & { readonly signal?: AbortSignal },
  ): Promise<FilteredSystem<Y>> {
    const where = 'LinearDynamicalSystem.filterAsync';
    const request = this.readFilter('filterAsync', y, options, ['signal']);
    const own = { ...request, data: ownCopy(where, request.data) };
    return this.later(where, request.signal, this.filtering<Y>(where, own));
  }

  /**
   * Moments of the states given all rows of their sequence. Throws as filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.smooth([0, 5]).means.map(Math.round); // Float64Array(2) [ 1, 3 ]
   */
  smooth(y: Sequences, options?: Gaps): SmoothedSystem {
    const where = 'LinearDynamicalSystem.smooth';
    return runNow(this.smoothing(where, this.readScored('smooth', y, options).data));
  }
  /**
   * The same off the event loop, on a copy of y. Throws as filter, and ABORTED (cause: signal.reason).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * (await system.smoothAsync([0, 5])).means.map(Math.round); // Float64Array(2) [ 1, 3 ]
   */
  async smoothAsync(y: Sequences, options?: Gaps & { readonly signal?: AbortSignal }): Promise<SmoothedSystem> {
    const where = 'LinearDynamicalSystem.smoothAsync';
    const { data, signal } = this.readScored('smoothAsync', y, options, ['signal']);
    return this.later(where, signal, this.smoothing(where, ownCopy(where, data)));
  }

  /**
   * log p(y[t] | y[..t-1]) of each row, one sequence after the other [n]; 0 where nothing was observed.
   * `unscorable: 'mark'`: a row whose distance overflows has -Infinity, and those after it are scored as if it were a
   * gap; where the state itself overflows, all rows from there to the end of their sequence have -Infinity. Throws as
   * filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.logDensity([0, NaN], { missing: 'nan' }); // Float64Array(2) [ -1.26551212..., 0 ]
   */
  logDensity(y: Sequences, options?: Gaps & Scoring): Real {
    const where = 'LinearDynamicalSystem.logDensity';
    const { data, mark } = this.readScored('logDensity', y, options, ['unscorable']);
    return inDtypeOf(where, data, this.score(where, data, mark));
  }
  /**
   * The same off the event loop, on a copy of y. Throws as filter, and ABORTED (cause: signal.reason).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * await system.logDensityAsync([0]); // Float64Array(1) [ -1.26551212... ]
   */
  async logDensityAsync(y: Sequences, options?: Gaps & Scoring & { readonly signal?: AbortSignal }): Promise<Real> {
    const where = 'LinearDynamicalSystem.logDensityAsync';
    const { data, mark, signal } = this.readScored('logDensityAsync', y, options, ['signal', 'unscorable']);
    const pass = this.scoring(where, ownCopy(where, data), mark);
    return inDtypeOf(where, data, await this.later(where, signal, pass));
  }
  /**
   * The sums of logDensity per sequence [S], in f64. Throws as filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.logLikelihoods([Float64Array.of(0), Float64Array.of()]); // Float64Array(2) [ -1.26551212..., 0 ]
   */
  logLikelihoods(y: Sequences, options?: Gaps & Scoring): Float64Array {
    const { data, mark } = this.readScored('logLikelihoods', y, options, ['unscorable']);
    const logDensity = this.score('LinearDynamicalSystem.logLikelihoods', data, mark);
    let from = 0;
    return Float64Array.from(data.lengths, (T) => total(logDensity.subarray(from, (from += T))));
  }
  /**
   * The sum of logDensity over all rows, in f64. Throws as filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.logLikelihood([0, 0]); // -2.64259602...
   */
  logLikelihood(y: Sequences, options?: Gaps & Scoring): number {
    const { data, mark } = this.readScored('logLikelihood', y, options, ['unscorable']);
    return total(this.score('LinearDynamicalSystem.logLikelihood', data, mark));
  }
  /**
   * The Bayesian information criterion, -2 logLikelihood + parameterCount · log(observed rows); less is better. Throws as
   * filter, and EMPTY_INPUT.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.bic([0, 1, 0]) > system.bic([0, 0, 0]); // true
   */
  bic(y: Sequences, options?: Gaps & Scoring): number {
    const where = 'LinearDynamicalSystem.bic';
    const { data, mark } = this.readScored('bic', y, options, ['unscorable']);
    return this.bayesianCriterion(where, 'y', total(this.score(where, data, mark)), observedRows(data, this.dimension));
  }
  /**
   * Akaike's information criterion, -2 logLikelihood + 2 · parameterCount; less is better. Throws as filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.aic([0, 1, 0]) > system.aic([0, 0, 0]); // true
   */
  aic(y: Sequences, options?: Gaps & Scoring): number {
    return this.akaikeCriterion(this.logLikelihood(y, options));
  }
  protected readScored(
    method: string,
    y: unknown,
    options: unknown,
    more: readonly ('signal' | 'unscorable')[] = [],
  ): { data: Observations; mark: boolean; signal?: AbortSignal } {
    const where = `LinearDynamicalSystem.${method}`;
    const given = check.options(where, options, ['missing', 'mask', ...more]);
    const rest = given as { readonly signal?: unknown; readonly unscorable?: unknown };
    const signal = check.signal(where, rest.signal);
    const mark = check.marking(where, rest.unscorable);
    const missing = check.gapOptions(where, given);
    const data = readObservations(where, y, this.dimension, missing);
    this.live();
    return { data, mark, ...signal };
  }
  private readFilter(
    method: string,
    y: unknown,
    options: unknown,
    more: readonly 'signal'[],
  ): Request & { signal?: AbortSignal } {
    const where = `LinearDynamicalSystem.${method}`;
    const { store, steadyState, ...rest } = check.options(where, options, [
      ...['store', 'steadyState', 'missing', 'mask'],
      ...more,
    ]);
    return {
      store: check.choice(where, 'store', check.or(store, 'all'), stores),
      steady: check.flag(where, 'steadyState', check.or(steadyState, false)),
      ...this.readScored(method, y, rest, more),
    };
  }
  private *filtering<Y>(where: string, { data, store, steady }: Request): Pass<FilteredSystem<Y>> {
    const found: Steady = yield* (steady ? steadyFilter : filter)(where, this.engine, data, store);
    const { predictedMeans, predictedCovariances, means, covariances } = found.track;
    return {
      predictedMeans: inDtypeOf(where, data, predictedMeans),
      predictedCovariances: inDtypeOf(where, data, predictedCovariances),
      means: inDtypeOf(where, data, means),
      covariances: inDtypeOf(where, data, covariances),
      logDensity: inDtypeOf(where, data, found.logDensity),
      logLikelihood: total(found.logDensity),
      state: (data.several ? found.states : found.states[0]!) as StateOf<Y>,
      ...(found.steadyState && { steadyState: found.steadyState }),
    };
  }
  private *smoothing(where: string, data: Observations): Pass<SmoothedSystem> {
    const { means, covariances, lagOneCovariances, logDensity } = yield* smooth(where, this.engine, data);
    return {
      means: inDtypeOf(where, data, means),
      covariances: inDtypeOf(where, data, covariances),
      lagOneCovariances: inDtypeOf(where, data, lagOneCovariances),
      logLikelihood: total(logDensity),
    };
  }
  private later<R>(where: string, signal: AbortSignal | undefined, pass: Pass<R>): Promise<R> {
    const pace = new Pace(signal, where);
    return pace.rest().then(() => runAsync(pass, pace, signal));
  }
  private *scoring(where: string, data: Observations, mark: boolean): Pass<Float64Array> {
    if (mark) return yield* scoreMarking(where, this.engine, data);
    return (yield* filter(where, this.engine, data, 'none')).logDensity;
  }
  private score(where: string, data: Observations, mark: boolean): Float64Array {
    return runNow(this.scoring(where, data, mark));
  }
}
function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
