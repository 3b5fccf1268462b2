/** The options of a fit of Gaussian components: as a caller gives them, and as em.ts reads them after the checks. */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Gaps, Points, Rows, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError, counted } from '../../errors.ts';
import { allocate } from '../../memory.ts';
import type { Parts } from './components.ts';
import type { CovarianceType } from './covariances.ts';
import type { Held } from './held.ts';
import type { Start } from './start.ts';

const initializations = ['short-runs', 'k-means++', 'random'] as const;
/** Where the components of a fit start: from short runs, at rows far apart (k-means++), or at any rows. */
export type Initialization = (typeof initializations)[number];

/** A fit so far, as `onProgress` receives it after each iteration. */
export interface FitProgress {
  /** Counted from 0, of `restarts`. */
  restart: number;
  /** Starts in all. */
  restarts: number;
  /** M steps done in this restart. */
  iteration: number;
  /** The most M steps of a restart. */
  maxIterations: number;
  /** Log-likelihood of the data after this iteration. */
  logLikelihood: number;
}

/** Options that every fit has. */
export interface FitOptions {
  /** 0 .. 2^32-1, default 0; the same seed gives the same result on one engine. */
  readonly seed?: number;
  /** 0 .. 2^31-1, default 500. */
  readonly maxIterations?: number;
  /** Stop when the log-likelihood gains less, per unit of weight; default 3e-7, 0 = never stop early. */
  readonly tolerance?: number;
  /** The signal of an AbortController; an abort ends the fit with the error ABORTED (cause: signal.reason). */
  readonly signal?: AbortSignal;
  /** Called after every iteration, with the log-likelihood so far; must not take long. */
  readonly onProgress?: (progress: FitProgress) => void;
  /** The backend that computes, of openBackend(); default: defaultBackend(). */
  readonly backend?: Backend;
  /** Rows summed together before such sums are added, which decides the last bits of a fit; default 8192. */
  readonly shardSize?: number;
}
/** Options that the fits of Gaussian and GaussianMixture share. */
export interface ComponentFitOptions extends FitOptions, Gaps {
  /** The number of columns; needed for flat data only. */
  readonly dimension?: number;
  /** 1 .. 1000 starts, as many at a time as the backend has threads; the best is kept. Default 1. */
  readonly restarts?: number;
  /**
   * Where the components start: `short-runs`, the default: at most ten runs of at most 8 iterations from k-means++ over
   * some thousand rows, the best of which is continued; `k-means++`: at rows far apart; or `random` rows.
   */
  readonly initialization?: Initialization;
  /**
   * Added to every covariance diagonal, in units of that column's variance over all data, whose outliers are drawn in
   * (docs/math/mixture.md); default 1e-6.
   */
  readonly regularization?: number;
  /** [n], >= 0 and not all 0: how often each row counts; default 1. */
  readonly sampleWeights?: Vector;
}
export const fitOptions = [
  'seed',
  'maxIterations',
  'tolerance',
  'signal',
  'onProgress',
  'backend',
  'shardSize',
] as const;
export const componentFitOptions = [
  ...fitOptions,
  'dimension',
  'restarts',
  'initialization',
  'regularization',
  'sampleWeights',
  'missing',
  'mask',
] as const;
/** Options of a fit that were checked. */
export interface Settings {
  readonly where: string;
  readonly backend: Backend;
  readonly type: CovarianceType;
  readonly k: number;
  readonly d: number;
  readonly init?: Parts;
  /** Part of a mixture to start from, where there is no whole one. */
  readonly start?: Start;
  /** The parameters that stay as they are. */
  readonly held: Held;
  readonly initialization: Initialization;
  readonly restarts: number;
  readonly regularization: number;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly seed: number;
  readonly shardSize?: number;
  readonly sampleWeights: Float64Array;
  readonly missing: Gaps;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FitProgress) => void;
}
type Given = { readonly [K in (typeof componentFitOptions)[number]]?: unknown };

/**
 * The data (a copy: a fit outlives the call) and the settings of a fit. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH,
 * NON_FINITE.
 */
export function readFit(
  where: string,
  x: Points,
  given: Given,
  chosen: Pick<Settings, 'type' | 'k' | 'held'> & { readonly init?: Parts; readonly start?: Start },
): { rows: Rows; settings: Settings } {
  const backend = check.backend(where, given.backend, defaultBackend);
  const missing = check.gapOptions(where, given);
  const settings = {
    where,
    backend,
    type: chosen.type,
    k: chosen.k,
    held: chosen.held,
    ...(chosen.init && { init: chosen.init }),
    ...(chosen.start && { start: chosen.start }),
    initialization: check.choice(
      where,
      'initialization',
      check.or(given.initialization, 'short-runs'),
      initializations,
    ),
    restarts: check.count(where, 'restarts', check.or(given.restarts, 1), 1, 1000),
    regularization: check.amount(where, 'regularization', check.or(given.regularization, 1e-6)),
    maxIterations: check.count(where, 'maxIterations', check.or(given.maxIterations, 500), 0),
    tolerance: check.amount(where, 'tolerance', check.or(given.tolerance, 3e-7)),
    seed: check.seed(where, given.seed),
    ...(given.shardSize !== undefined && { shardSize: check.count(where, 'shardSize', given.shardSize) }),
    ...check.signal(where, given.signal),
    ...check.callback(where, 'onProgress', given.onProgress),
  };
  const dimension = given.dimension === undefined ? undefined : check.count(where, 'dimension', given.dimension);
  const parts = chosen.init ?? chosen.start?.parts;
  const { values, n, d } = check.table(where, 'x', x, dimension ?? parts?.d, missing);
  if (parts && parts.d !== d)
    throw argumentError('DIMENSION_MISMATCH', where, 'x', {
      expected: `${counted(parts.d, 'column')}, as many as init`,
      received: counted(d, 'column'),
      reason: `has ${counted(d, 'column')}, init ${parts.d}`,
    });
  const rows = { values: allocate(where, values.length, () => values.slice()), n };
  const mask = check.gaps(where, 'x', rows, missing);
  if (!mask) check.finiteRows(where, 'x', rows, d, check.gapHint);
  const weights = check.weights(where, given.sampleWeights, n);
  return { rows, settings: { ...settings, d, sampleWeights: weights, missing: mask ? { mask } : {} } as Settings };
}
