/** The options of a fit: as a caller gives them, and as em.ts reads them after the checks. */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Gaps, Sequences } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError } from '../../errors.ts';
import { type Constraints, type Structure, structures } from './maximise.ts';
import { type Observations, ownCopy, readObservations } from './observations.ts';
import { type CovarianceName, covarianceNames, type ParameterName, parameterNames, type System } from './parameters.ts';

export const fitOptions = [
  ...[
    'seed',
    'maxIterations',
    'tolerance',
    'signal',
    'onProgress',
    'backend',
    'shardSize',
    'columns',
    'sequenceColumn',
  ],
  ...['latent', 'init', 'dimension', 'update', 'tied', 'structure', 'floor', 'restarts', 'acceleration'],
  ...['missing', 'mask'],
] as const;
export const accelerations = ['none', 'squarem'] as const;
export type Acceleration = (typeof accelerations)[number];

/** Structures of the two noise covariances. */
export interface Structures {
  readonly transitionCovariance?: Structure;
  readonly observationCovariance?: Structure;
}
/** The least eigenvalue of all covariances, or of some of them; in units of the data or the states. */
export type Floor = number | { readonly [N in CovarianceName]?: number };

/** A fit so far, as `onProgress` receives it after each iteration. */
export interface SystemFitProgress {
  /** Counted from 0, of `restarts`. */
  restart: number;
  /** Starts in all. */
  restarts: number;
  /** Steps done in this restart. */
  iteration: number;
  /** The most steps of a restart. */
  maxIterations: number;
  /** Log-likelihood of the data after this iteration. */
  logLikelihood: number;
}
/** Options of a fit that were checked. */
export interface Settings extends Constraints {
  readonly where: string;
  readonly backend: Backend;
  readonly data: Observations;
  readonly m: number;
  readonly d: number;
  readonly init?: System;
  readonly restarts: number;
  readonly acceleration: Acceleration;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly seed: number;
  readonly shardSize?: number;
  readonly columns?: readonly string[];
  readonly sequenceColumn?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SystemFitProgress) => void;
}
type Given = { readonly [K in (typeof fitOptions)[number]]?: unknown };

/**
 * The data (a copy: a fit outlives the call) and the settings of a fit. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH,
 * NON_FINITE.
 */
export function readFit(where: string, y: Sequences, given: Given, init: System | undefined): Settings {
  const backend = check.backend(where, given.backend, defaultBackend);
  const missing: Gaps = check.gapOptions(where, given);
  if (init && given.latent !== undefined && given.latent !== init.m)
    throw argumentError('INVALID_ARGUMENT', where, 'latent', {
      expected: `${init.m}, as in init`,
      received: check.describe(given.latent),
    });
  const m = init?.m ?? check.count(where, 'latent', given.latent, 1, 1000);
  const asked = given.dimension === undefined ? undefined : check.count(where, 'dimension', given.dimension);
  const constraints = readConstraints(where, given, init?.tied ?? false);
  const { sequenceColumn: sequence } = given;
  const settings = {
    where,
    backend,
    m,
    ...constraints,
    ...(init && { init: { ...init, tied: constraints.tied, ...tiedTo(init, constraints.tied) } }),
    restarts: check.count(where, 'restarts', check.or(given.restarts, 1), 1, 1000),
    acceleration: check.choice(where, 'acceleration', check.or(given.acceleration, 'none'), accelerations),
    maxIterations: check.count(where, 'maxIterations', check.or(given.maxIterations, 200), 0),
    tolerance: check.amount(where, 'tolerance', check.or(given.tolerance, 1e-8)),
    seed: check.seed(where, given.seed),
    ...(given.shardSize !== undefined && { shardSize: check.count(where, 'shardSize', given.shardSize) }),
    ...(sequence !== undefined && { sequenceColumn: check.text(where, 'sequenceColumn', sequence) }),
    ...check.signal(where, given.signal),
    ...check.callback(where, 'onProgress', given.onProgress),
  };
  const d = init?.d ?? asked ?? check.columnsOf(where, 'y', y) ?? 1;
  if (asked !== undefined && asked !== d)
    throw argumentError('INVALID_ARGUMENT', where, 'dimension', { expected: `${d}, as in init`, received: `${asked}` });
  const columns = check.names(where, 'columns', given.columns, d);
  const data = ownCopy(where, readObservations(where, y, d, missing));
  return { ...settings, d, data, ...(columns && { columns }) } as Settings;
}
const tiedTo = (init: System, tied: boolean) => (tied ? { initialCovariance: init.transitionCovariance } : {});

/** The constraints of an M step. Throws INVALID_ARGUMENT. */
export function readConstraints(
  where: string,
  { update, tied, structure, floor }: Pick<Given, 'update' | 'tied' | 'structure' | 'floor'>,
  isTied: boolean,
): Constraints {
  const names = update === undefined ? parameterNames : check.list(where, 'update', update, 100);
  for (const name of names) check.choice(where, 'update', name, parameterNames);
  const forms = structure === undefined ? {} : check.fields(where, 'structure', structure, covarianceNames.slice(0, 2));
  const floors: Record<string, unknown> = {};
  if (typeof floor === 'number') for (const name of covarianceNames) floors[name] = floor;
  else if (floor !== undefined) Object.assign(floors, check.fields(where, 'floor', floor, covarianceNames));
  const wanted = <T>(values: Readonly<Record<string, unknown>>, read: (value: unknown) => T) =>
    Object.fromEntries(
      covarianceNames.filter((name) => values[name] !== undefined).map((name) => [name, read(values[name])]),
    );
  return {
    update: new Set(names as readonly ParameterName[]),
    tied: tied === undefined ? isTied : check.flag(where, 'tied', tied),
    structure: wanted(forms, (form) => check.choice(where, 'structure', form, structures)),
    floor: wanted(floors, (least) => check.amount(where, 'floor', least)),
  };
}
