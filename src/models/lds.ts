/** Linear dynamical systems: Kalman filter, smoother, exact EM (docs/math/lds.md). */

import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Gaps, Points, Real, Scoring, Sequences } from '../check.ts';
import * as check from '../check.ts';
import { argumentError, callError } from '../errors.ts';
import { decode, decodeColumns, encode, encodeColumns, orMalformed } from '../file.ts';
import { Random } from '../random.ts';
import { Pace } from '../training/pace.ts';
import { eigenvalues } from './lds/eigen.ts';
import { fitSystem, type SystemFitReport } from './lds/em.ts';
import { Engine } from './lds/engine.ts';
import { decodeSystem, encodeSystem } from './lds/file.ts';
import { factorOf, gradientOf, type SystemGradient } from './lds/gradient.ts';
import { scoreMarking, stepMarking } from './lds/marking.ts';
import { times } from './lds/matrix.ts';
import { maximise } from './lds/maximise.ts';
import type { Moments } from './lds/moments.ts';
import { type Observability, observabilityOf } from './lds/observability.ts';
import { inDtypeOf, type Observations, observedRows, ownCopy, readObservations } from './lds/observations.ts';
import {
  copyOf,
  freeValues,
  type ParameterName,
  readSystem,
  type System,
  type SystemParameters,
} from './lds/parameters.ts';
import { expect, filter, type Store, smooth } from './lds/passes.ts';
import {
  type Floor,
  fitOptions,
  readConstraints,
  readFit,
  type Structures,
  type SystemFitProgress,
} from './lds/settings.ts';
import { type Forecast, forecastFrom, readState, type SystemState, startOf } from './lds/state.ts';
import { isA, Model, type Named, type OnBackend } from './model.ts';
import { describeStatistics, SystemStatistics } from './system-statistics.ts';
import { addProduct } from './triangles.ts';
import { type Pass, runAsync, runNow } from './work.ts';

export type { SystemFitReport } from './lds/em.ts';
export type { SystemGradient } from './lds/gradient.ts';
export type { Structure } from './lds/maximise.ts';
export type { Observability } from './lds/observability.ts';
export type { ParameterName, SystemParameters } from './lds/parameters.ts';
export type { Store } from './lds/passes.ts';
export type { Floor, Structures, SystemFitProgress } from './lds/settings.ts';
export type { Forecast, SystemState } from './lds/state.ts';

/** A system, or the parameters of one. */
export type SystemLike = LinearDynamicalSystem | SystemParameters;
/** The backend of a system, and names. */
export interface SystemOn extends OnBackend, Named {
  /** Name of the column that tells the sequences of a table apart: kept, and written into the file. */
  readonly sequenceColumn?: string;
}
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
}
const stores = ['all', 'last', 'none'] as const;
/** Options of `LinearDynamicalSystem.fit`. */
export interface SystemFitOptions extends Gaps {
  /** Latent coordinates; needed without `init`. */
  readonly latent?: number;
  /** Warm start; `restarts` is ignored. Default: a subspace method (docs/math/lds.md). */
  readonly init?: SystemLike;
  /** The number of columns of flat data; default 1. */
  readonly dimension?: number;
  /** The parameters to change; default: all. */
  readonly update?: readonly ParameterName[];
  /** Whether the initial covariance is the transition covariance; default: as in `init`, else no. */
  readonly tied?: boolean;
  /** The form of the noise covariances; default full. */
  readonly structure?: Structures;
  /** The least eigenvalue of the covariances; default 0. */
  readonly floor?: Floor;
  /** 1 .. 1000 starts, of which the best is kept: the first from the data, others drawn with the seed. Default 1. */
  readonly restarts?: number;
  /** Default none. squarem takes longer steps where the likelihood allows. */
  readonly acceleration?: 'none' | 'squarem';
  /** 0 .. 2^32-1, default 0. */
  readonly seed?: number;
  /** 0 .. 2^31-1, default 200. */
  readonly maxIterations?: number;
  /** Stop when the log-likelihood gains less than tolerance (1 + |it|); default 1e-8, 0 = never stop early. */
  readonly tolerance?: number;
  /** An abort ends the fit with ABORTED (cause: signal.reason). */
  readonly signal?: AbortSignal;
  /** Called after every iteration. */
  readonly onProgress?: (progress: SystemFitProgress) => void;
  /** Names of the coordinates, kept with the model. */
  readonly columns?: readonly string[];
  /** Name of the column that tells the sequences of a table apart, kept with the model. */
  readonly sequenceColumn?: string;
  /** Default: defaultBackend(). */
  readonly backend?: Backend;
}

/**
 * z[t] = A z[t-1] + N(0, transitionCovariance), y[t] = B z[t] + N(0, observationCovariance), z[0] ~ N(initialMean,
 * initialCovariance), with m latent and d observed coordinates (docs/math/lds.md). The prior is that of the state of the
 * first observation. Parameters are kept in f64, and everything is computed in f64; results have the dtype of the data.
 * Throws SeqlikError INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (which,
 * pivot).
 * @example
 * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
 * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [10] });
 * system.logLikelihood([1, 2, 1.5]); // -5.66768428...
 */
export class LinearDynamicalSystem extends Model {
  /** The kind of model, as files and commands call it. */
  readonly kind = 'linear-dynamical-system';
  /** Coordinates of an observation: d. */
  readonly dimension: number;
  /** Coordinates of a state: m. */
  readonly latent: number;
  /** Whether the initial covariance is the transition covariance. */
  readonly tied: boolean;
  /** The backend that its kernels run on. */
  readonly backend: Backend;
  /** Names of the coordinates, if they are known. */
  readonly columns: readonly string[] | undefined;
  /** Name of the column that tells the sequences of a table apart, if it is known. */
  readonly sequenceColumn: string | undefined;
  private readonly system: System;
  private readonly engine: Engine;

  /**
   * `columns`: names of the d coordinates; `sequenceColumn`: that of the column that tells the sequences of a table apart.
   * `backend` defaults to defaultBackend().
   */
  constructor(parameters: SystemParameters, options?: SystemOn) {
    super();
    const where = 'LinearDynamicalSystem';
    const given = check.options(where, options, ['backend', 'columns', 'sequenceColumn']);
    this.backend = check.backend(where, given.backend, defaultBackend);
    this.system = readSystem(where, '', parameters);
    const { m, d, tied } = this.system;
    this.dimension = d;
    this.latent = m;
    this.tied = tied;
    this.columns = check.names(where, 'columns', given.columns, d);
    this.sequenceColumn =
      given.sequenceColumn === undefined ? undefined : check.text(where, 'sequenceColumn', given.sequenceColumn);
    this.engine = new Engine(this.backend, this.system);
  }

  /** Flat and f64, a fresh copy; without initialCovariance if tied. */
  get parameters(): Record<Exclude<ParameterName, 'initialCovariance'>, Float64Array> & {
    initialCovariance?: Float64Array;
  } {
    return copyOf(this.system);
  }
  /** Entries of A, B and the mean, and the triangles of the covariances; states may be turned without any effect. */
  get parameterCount(): number {
    return freeValues(this.system);
  }

  toBytes(): Uint8Array {
    const { columns, sequenceColumn } = this;
    const named = { ...encodeColumns(columns), ...(sequenceColumn !== undefined && { sequenceColumn }) };
    return encode(this.kind, named, encodeSystem(this.system));
  }
  /**
   * The inverse of toBytes. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (bytes, backend).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0] });
   * LinearDynamicalSystem.fromBytes(system.toBytes()).tied; // true
   */
  static fromBytes(bytes: Uint8Array, options?: OnBackend): LinearDynamicalSystem {
    const { backend } = check.options('LinearDynamicalSystem.fromBytes', options, ['backend']);
    const file = decode('LinearDynamicalSystem.fromBytes', bytes, 'linear-dynamical-system');
    const parameters = decodeSystem(file);
    const { sequenceColumn } = file.metadata;
    const named = { ...decodeColumns(file), ...(sequenceColumn !== undefined && { sequenceColumn }) };
    const on = { ...named, ...(backend !== undefined && { backend: backend as Backend }) };
    return orMalformed(() => new LinearDynamicalSystem(parameters, on));
  }

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
    const { data, store } = this.readFilter('filter', y, options, []);
    return runNow(this.filtering<Y>('LinearDynamicalSystem.filter', data, store));
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
    const { data, store, signal } = this.readFilter('filterAsync', y, options, ['signal']);
    return this.later(where, signal, this.filtering<Y>(where, ownCopy(where, data), store));
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
  /**
   * The log-likelihood and its derivative by each parameter, by Fisher's identity; covariances symmetric unconstrained,
   * dInitialCovariance absent if tied. Throws as filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [1] });
   * system.logLikelihoodGradient([2]).dInitialMean; // Float64Array(1) [ 1 ]
   */
  logLikelihoodGradient(y: Sequences, options?: Gaps): SystemGradient {
    const { data } = this.readScored('logLikelihoodGradient', y, options);
    return gradientOf(this.expect('LinearDynamicalSystem.logLikelihoodGradient', data));
  }

  /**
   * The state before any observation: the prior.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [1] };
   * new LinearDynamicalSystem({ ...level, initialMean: [3] }).start().mean; // Float64Array(1) [ 3 ]
   */
  start(): SystemState {
    return startOf(this.system);
  }
  /**
   * Reads one observation y [d]: its log density given those before it, the state after it, and the moments of z. In
   * f64: the same numbers as `filter`, to the bit. The given state stays as it is. `unscorable: 'mark'`: a row whose
   * distance overflows has -Infinity, and the state after it is that after a gap. Throws DIMENSION_MISMATCH, NON_FINITE,
   * INVALID_ARGUMENT, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (state.covariance), DISPOSED.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * const { state } = system.step(system.start(), [1]);
   * system.step(state, [NaN], { missing: 'nan' }).covariance; // Float64Array(1) [ 2 ]
   */
  step(
    state: SystemState,
    y: Points,
    options?: Gaps & Scoring,
  ): { state: SystemState; logDensity: number; mean: Float64Array; covariance: Float64Array } {
    const where = 'LinearDynamicalSystem.step';
    const { unscorable, ...gaps } = check.options(where, options, ['missing', 'mask', 'unscorable']);
    const mark = check.marking(where, unscorable);
    const missing = check.gapOptions(where, gaps);
    const before = readState(where, state, this.system);
    const data = readObservations(where, y, this.dimension, missing);
    if (data.values.length !== this.dimension)
      throw argumentError('DIMENSION_MISMATCH', where, 'y', {
        expected: `${this.dimension} values`,
        received: `${data.values.length} values`,
        reason: `has ${data.values.length} values, not ${this.dimension}`,
      });
    this.live();
    const { logDensity, state: next } = mark
      ? stepMarking(where, this.engine, before, data)
      : this.engine.step(where, before, data);
    return { state: next, logDensity, mean: next.mean.slice(), covariance: next.covariance.slice() };
  }
  /**
   * Moments of the `steps` states and observations after a sequence y, or after a state. Throws as filter and step,
   * INVALID_ARGUMENT (steps), DIMENSION_MISMATCH (y: several sequences).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * system.forecast([1], 2).observationCovariances; // Float64Array(2) [ 4, 5 ]
   */
  forecast(y: Sequences | SystemState, steps: number, options?: Gaps): Forecast {
    const where = 'LinearDynamicalSystem.forecast';
    const missing = check.gapOptions(where, check.options(where, options, ['missing', 'mask']));
    const { m, d } = this.system;
    const most = Math.floor((2 ** 31 - 1) / (Math.max(m, d) * Math.max(m, d)));
    const count = check.count(where, 'steps', steps, 0, most);
    if (isState(y)) {
      const state = readState(where, y, this.system);
      this.live();
      return this.forecastFrom(where, state, count);
    }
    const data = readObservations(where, y, this.dimension, missing);
    if (data.lengths.length > 1)
      throw argumentError('DIMENSION_MISMATCH', where, 'y', {
        expected: 'one sequence',
        received: `${data.lengths.length} sequences`,
        reason: `has ${data.lengths.length} sequences, not one`,
      });
    this.live();
    const { states } = runNow(filter(where, this.engine, data, 'none'));
    const f = this.forecastFrom(where, states[0] ?? startOf(this.system), count);
    if (!data.single) return f;
    return {
      means: inDtypeOf(where, data, f.means),
      covariances: inDtypeOf(where, data, f.covariances),
      observationMeans: inDtypeOf(where, data, f.observationMeans),
      observationCovariances: inDtypeOf(where, data, f.observationCovariances),
    };
  }
  /**
   * Draws a sequence [steps,d], f64; the same for the same seed (default 0) on one engine. Throws INVALID_ARGUMENT,
   * NON_FINITE (argument `parameters`: the system explodes).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * new LinearDynamicalSystem({ ...level, initialMean: [0] }).sample(5, { seed: 7 }).length; // 5
   */
  sample(steps: number, options?: { readonly seed?: number }): Float64Array {
    const where = 'LinearDynamicalSystem.sample';
    const random = new Random(check.seed(where, check.options(where, options, ['seed']).seed));
    const { d } = this.system;
    const count = check.count(where, 'steps', steps, 0, Math.floor((2 ** 31 - 1) / d));
    this.live();
    return draw(where, this.system, random, check.room(where, count * d));
  }

  /**
   * Statistics of y for `update`: an additive value. Sums are added sequence by sequence within shards of 64, and shard
   * by shard, so that statistics of whole shards merge to the same bits. Throws as filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * system.statistics([1, 2, 3]).rows; // 3
   */
  statistics(y: Sequences, options?: Gaps): SystemStatistics {
    const { data } = this.readScored('statistics', y, options);
    return new SystemStatistics(this.expect('LinearDynamicalSystem.statistics', data));
  }
  /**
   * The M step: the system of greatest expected likelihood among those that differ in the parameters `update` (default:
   * all), from statistics made under this one. `tied`, `structure` and `floor` as in fit. Throws INVALID_ARGUMENT
   * (statistics), EMPTY_INPUT, NOT_POSITIVE_DEFINITE (which: S_zz or S_00 of dependent states, or a covariance).
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * system.update(system.statistics([2]), { update: ['initialMean'] }).parameters.initialMean; // Float64Array(1) [ 1 ]
   */
  update(
    statistics: SystemStatistics,
    options?: Pick<SystemFitOptions, 'update' | 'tied' | 'structure' | 'floor'>,
  ): LinearDynamicalSystem {
    const where = 'LinearDynamicalSystem.update';
    const given = check.options(where, options, ['update', 'tied', 'structure', 'floor']);
    const constraints = readConstraints(where, given, this.tied);
    if (!SystemStatistics.is(statistics) || !statistics.madeUnder(this.system))
      throw argumentError('INVALID_ARGUMENT', where, 'statistics', {
        expected: 'statistics of this system',
        received: describeStatistics(statistics),
        reason: 'must be made by this system',
      });
    this.live();
    return fromSystem(maximise(where, statistics.moments, constraints), this.backend, this);
  }

  /**
   * Expectation maximisation on sequences y [n,d]: nested rows, or flat with `dimension`. Gaps count with their exact
   * conditional moments. Off the event loop (native) or in slices (wasm). The report has the last relative gain and the
   * last relative change of a parameter, and singular values of initial values from the data.
   * Throws EMPTY_INPUT (y: nothing observed), INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_POSITIVE_DEFINITE,
   * ABORTED.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const init = { ...level, initialMean: [0], initialCovariance: [100] };
   * const update = ['transitionCovariance', 'observationCovariance'];
   * const { report } = await LinearDynamicalSystem.fit([1, 2, 1, 3, 2, 4], { init, update });
   * report.logLikelihood > report.history[0]; // true
   */
  static async fit(
    y: Sequences,
    options?: SystemFitOptions,
  ): Promise<{ model: LinearDynamicalSystem; report: SystemFitReport }> {
    const where = 'LinearDynamicalSystem.fit';
    const given = check.options(where, options, fitOptions);
    const init = given.init === undefined ? undefined : readInit(where, given.init);
    const settings = readFit(where, y, given, init);
    const { system, report } = await fitSystem(settings);
    return { model: fromSystem(system, settings.backend, settings), report };
  }

  /**
   * The eigenvalues of A, of largest modulus first: below 1 the state forgets, above 1 it explodes, and a pair with
   * imaginary parts turns.
   * @example
   * const noise = { transitionCovariance: [1, 0, 0, 1], observationCovariance: [1], initialMean: [0, 0] };
   * const system = new LinearDynamicalSystem({ transition: [0.9, 0, 0, 0.5], observation: [1, 1], ...noise });
   * system.eigenvalues().real; // Float64Array(2) [ 0.9, 0.5 ]
   */
  eigenvalues(): { real: Float64Array; imaginary: Float64Array } {
    return eigenvalues(this.system.transition, this.latent);
  }
  /**
   * The directions of the state that observations reveal, and those that never show in one.
   * @example
   * const noise = { transitionCovariance: [1, 0, 0, 1], observationCovariance: [1], initialMean: [0, 0] };
   * const system = new LinearDynamicalSystem({ transition: [0.9, 0, 0, 0.5], observation: [1, 0], ...noise });
   * system.observability().rank; // 1
   */
  observability(): Observability {
    return observabilityOf(this.system);
  }

  /** @internal */
  static systemOf(like: unknown): System | undefined {
    return isA(LinearDynamicalSystem, like) ? like.system : undefined;
  }
  protected override summary(): object {
    const { dimension, latent, tied } = this;
    return { dimension, latent, tied };
  }
  protected release(): void {
    this.engine.dispose();
  }

  private readScored(
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
  ): { data: Observations; store: Store; signal?: AbortSignal } {
    const where = `LinearDynamicalSystem.${method}`;
    const { store, ...rest } = check.options(where, options, ['store', 'missing', 'mask', ...more]);
    return {
      store: check.choice(where, 'store', check.or(store, 'all'), stores),
      ...this.readScored(method, y, rest, more),
    };
  }
  private *filtering<Y>(where: string, data: Observations, store: Store): Pass<FilteredSystem<Y>> {
    const found = yield* filter(where, this.engine, data, store);
    const { predictedMeans, predictedCovariances, means, covariances } = found.track;
    return {
      predictedMeans: inDtypeOf(where, data, predictedMeans),
      predictedCovariances: inDtypeOf(where, data, predictedCovariances),
      means: inDtypeOf(where, data, means),
      covariances: inDtypeOf(where, data, covariances),
      logDensity: inDtypeOf(where, data, found.logDensity),
      logLikelihood: total(found.logDensity),
      state: (data.several ? found.states : found.states[0]!) as StateOf<Y>,
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
  private expect(where: string, data: Observations): Moments {
    return runNow(expect(where, this.engine, data));
  }
  private forecastFrom(where: string, state: SystemState, steps: number): Forecast<Float64Array> {
    const forecast = forecastFrom(where, this.system, state, steps);
    check.finite(where, 'parameters', forecast.observationCovariances);
    check.finite(where, 'parameters', forecast.observationMeans);
    return forecast;
  }
}

const readInit = (where: string, like: unknown): System =>
  LinearDynamicalSystem.systemOf(like) ?? readSystem(where, 'init.', like);
function fromSystem(
  system: System,
  backend: Backend,
  { columns, sequenceColumn }: { columns?: readonly string[] | undefined; sequenceColumn?: string | undefined },
): LinearDynamicalSystem {
  return new LinearDynamicalSystem(copyOf(system) as SystemParameters, {
    backend,
    ...(columns && { columns }),
    ...(sequenceColumn !== undefined && { sequenceColumn }),
  });
}
function isState(value: unknown): value is SystemState {
  try {
    return typeof value === 'object' && value !== null && !check.isArray(value) && 'mean' in value;
  } catch {
    return false; // a revoked proxy: the checks of sequences say so
  }
}
function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
/** Draws into y [steps,d]. Throws NON_FINITE. */
function draw(where: string, system: System, random: Random, y: Float64Array): Float64Array {
  const { m, d, transition: A, observation: B } = system;
  const [Q, R, V] = [
    factorOf(system.transitionCovariance, m),
    factorOf(system.observationCovariance, d),
    factorOf(system.initialCovariance, m),
  ];
  const normals = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.normal());
  let z: Float64Array = system.initialMean.slice();
  for (let at = 0; at < y.length; at += d) {
    if (at > 0) z = times(A, z, m, m);
    addProduct(at > 0 ? Q : V, normals(m), true, z);
    const row = times(B, z, d, m);
    addProduct(R, normals(d), true, row);
    y.set(row, at);
  }
  if (!y.every(Number.isFinite))
    throw callError('NON_FINITE', where, 'a draw overflows: the system explodes', { argument: 'parameters' });
  return y;
}
