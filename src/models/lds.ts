/** Linear dynamical systems: Kalman filter, smoother, exact EM (docs/math/lds.md). */

import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Gaps, Points, Scoring, Sequences } from '../check.ts';
import * as check from '../check.ts';
import { argumentError } from '../errors.ts';
import { decode, decodeColumns, encode, encodeColumns, orMalformed } from '../file.ts';
import { Random } from '../random.ts';
import { draw } from './lds/draw.ts';
import { eigenvalues } from './lds/eigen.ts';
import { fitSystem, type SystemFitReport } from './lds/em.ts';
import { Engine } from './lds/engine.ts';
import { decodeSystem, encodeSystem } from './lds/file.ts';
import { gradientOf, type SystemGradient } from './lds/gradient.ts';
import { stepMarking } from './lds/marking.ts';
import { maximise } from './lds/maximise.ts';
import type { Moments } from './lds/moments.ts';
import { type Observability, observabilityOf } from './lds/observability.ts';
import { inDtypeOf, type Observations, readObservations } from './lds/observations.ts';
import {
  copyOf,
  freeValues,
  type ParameterName,
  readSystem,
  type System,
  type SystemParameters,
} from './lds/parameters.ts';
import { expect, filter } from './lds/passes.ts';
import { ScoredSystem } from './lds/scored.ts';
import {
  type Floor,
  fitOptions,
  readConstraints,
  readFit,
  type Structures,
  type SystemFitProgress,
} from './lds/settings.ts';
import { type Forecast, forecastFrom, readState, type SystemState, startOf } from './lds/state.ts';
import { isA, type Named, type OnBackend } from './model.ts';
import { describeStatistics, SystemStatistics } from './system-statistics.ts';
import { runNow } from './work.ts';

export type { SystemFitReport } from './lds/em.ts';
export type { SystemGradient } from './lds/gradient.ts';
export type { Structure } from './lds/maximise.ts';
export type { Observability } from './lds/observability.ts';
export type { ParameterName, SystemParameters } from './lds/parameters.ts';
export type { Store } from './lds/passes.ts';
export type { FilteredSystem, FilterOptions, SmoothedSystem } from './lds/scored.ts';
export type { Floor, Structures, SystemFitProgress } from './lds/settings.ts';
export type { Forecast, SystemState } from './lds/state.ts';
export type { SteadyState } from './lds/steady.ts';

/** A system, or the parameters of one. */
export type SystemLike = LinearDynamicalSystem | SystemParameters;
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
  /** Sequences whose sums are added on their own before they join the rest; default 64. */
  readonly shardSize?: number;
  /** Names of the coordinates, kept with the model. */
  readonly columns?: readonly string[];
  /** The column that tells the sequences of a table apart, kept with the model. */
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
export class LinearDynamicalSystem extends ScoredSystem {
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
  protected readonly engine: Engine;

  /** `columns`: names of the d coordinates. `backend` defaults to defaultBackend(). */
  constructor(parameters: SystemParameters, options?: OnBackend & Named & { readonly sequenceColumn?: string }) {
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
    const { sequenceColumn } = given;
    this.sequenceColumn =
      sequenceColumn === undefined ? undefined : check.text(where, 'sequenceColumn', sequenceColumn);
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
    const { sequenceColumn } = this;
    const named = { ...encodeColumns(this.columns), ...(sequenceColumn !== undefined && { sequenceColumn }) };
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
   * Statistics of y for `update`: an additive value. Sums are added sequence by sequence within shards of `shardSize`
   * (default 64) sequences, and shard by shard, so that statistics of whole shards merge to the same bits. Throws as
   * filter.
   * @example
   * const level = { transition: [1], observation: [1], transitionCovariance: [1], observationCovariance: [2] };
   * const system = new LinearDynamicalSystem({ ...level, initialMean: [0], initialCovariance: [2] });
   * system.statistics([1, 2, 3]).rows; // 3
   */
  statistics(y: Sequences, options?: Gaps & { readonly shardSize?: number }): SystemStatistics {
    const where = 'LinearDynamicalSystem.statistics';
    const { shardSize, ...gaps } = check.options(where, options, ['missing', 'mask', 'shardSize']);
    const size = shardSize === undefined ? undefined : check.count(where, 'shardSize', shardSize);
    const { data } = this.readScored('statistics', y, gaps);
    return new SystemStatistics(this.expect(where, data, size));
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

  private expect(where: string, data: Observations, shardSize?: number): Moments {
    return runNow(expect(where, this.engine, data, shardSize));
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
  const names = { ...(columns && { columns }), ...(sequenceColumn !== undefined && { sequenceColumn }) };
  return new LinearDynamicalSystem(copyOf(system) as SystemParameters, { backend, ...names });
}
function isState(value: unknown): value is SystemState {
  try {
    return typeof value === 'object' && value !== null && !check.isArray(value) && 'mean' in value;
  } catch {
    return false; // a revoked proxy: the checks of sequences say so
  }
}
