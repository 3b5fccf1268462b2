/** The parameters of linear dynamical systems: read, checked, copied. Equations: docs/math/lds.md. */
import type { Tensor, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError, callError } from '../../errors.ts';
import { pivotOf } from '../triangles.ts';

/** Parameters of a system with m latent and d observed coordinates: z[t] = A z[t-1] + ε, x[t] = B z[t] + η. */
export interface SystemParameters {
  /** A [m,m] */
  readonly transition: Tensor;
  /** B [d,m] */
  readonly observation: Tensor;
  /** Cov ε [m,m] */
  readonly transitionCovariance: Tensor;
  /** Cov η [d,d] */
  readonly observationCovariance: Tensor;
  /** The mean of the state of the first observation [m]. */
  readonly initialMean: Vector;
  /** Its covariance [m,m]; none: tied, it is the transitionCovariance. */
  readonly initialCovariance?: Tensor;
}
/** Their names, in the order in which they are read. */
export const parameterNames = [
  'transition',
  'observation',
  'transitionCovariance',
  'observationCovariance',
  'initialMean',
  'initialCovariance',
] as const;
export type ParameterName = (typeof parameterNames)[number];
export type CovarianceName = Extract<ParameterName, `${string}Covariance`>;
export const covarianceNames = ['transitionCovariance', 'observationCovariance', 'initialCovariance'] as const;

/** Checked parameters, f64 and flat; a tied system shares the array of its two covariances of states. */
export interface System extends Readonly<Record<ParameterName, Float64Array>> {
  /** Latent coordinates. */
  readonly m: number;
  /** Observed coordinates. */
  readonly d: number;
  readonly tied: boolean;
}

/** The shape of a parameter. */
export const shapeOf = (name: ParameterName, m: number, d: number): readonly number[] =>
  ({
    transition: [m, m],
    observation: [d, m],
    transitionCovariance: [m, m],
    observationCovariance: [d, d],
    initialMean: [m],
    initialCovariance: [m, m],
  })[name];

/**
 * Reads parameters; `prefix` stands before the public names ('init.'). Checks run in the order of docs/math.md.
 * Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE, NOT_SYMMETRIC, NOT_POSITIVE_DEFINITE (which, pivot).
 */
export function readSystem(where: string, prefix: string, parameters: unknown): System {
  const given = check.fields(where, prefix.slice(0, -1) || 'parameters', parameters, parameterNames);
  const tied = given['initialCovariance'] === undefined;
  const m = latentOf(where, `${prefix}transition`, given['transition']);
  const read = (name: ParameterName, shape: readonly (number | undefined)[]): Float64Array =>
    check.tensor(where, prefix + name, given[name], shape);
  if (m < 1) throw empty(where, `${prefix}transition`);
  const transition = read('transition', [m, m]);
  const observation = read('observation', [undefined, m]);
  const d = observation.length / m;
  if (d < 1) throw empty(where, `${prefix}observation`);
  const transitionCovariance = read('transitionCovariance', [m, m]);
  const observationCovariance = read('observationCovariance', [d, d]);
  const initialMean = read('initialMean', [m]);
  const initialCovariance = tied ? transitionCovariance : read('initialCovariance', [m, m]);
  const system = {
    ...{ m, d, tied, transition, observation, transitionCovariance, observationCovariance },
    ...{ initialMean, initialCovariance },
  };
  const names = parameterNames.filter((name) => !(tied && name === 'initialCovariance'));
  for (const name of names) check.finite(where, prefix + name, system[name]);
  const covariances = covarianceNames.filter((name) => names.includes(name));
  for (const name of covariances) {
    const size = sizeOf(name, system);
    check.symmetric(where, prefix + name, system[name], 1, size);
    symmetrise(system[name], size);
  }
  for (const name of covariances) requireDefinite(where, prefix + name, name, system[name], sizeOf(name, system));
  return system;
}
/** The rows of A: nested, or the root of the number of flat values, rounded down. */
function latentOf(where: string, argument: string, value: unknown): number {
  if (check.isArray(value) && typeof value[0] !== 'number') return check.lengthIn(where, argument, value);
  return Math.floor(Math.sqrt(check.tensor(where, argument, value, [undefined]).length));
}
const sizeOf = (name: CovarianceName, { m, d }: { readonly m: number; readonly d: number }): number =>
  name === 'observationCovariance' ? d : m;
const empty = (where: string, argument: string) =>
  argumentError('INVALID_ARGUMENT', where, argument, {
    expected: 'at least one coordinate',
    received: 'none',
    reason: 'is empty',
  });

/** A value of a covariance by its lower triangle, as a factorisation reads it. */
function symmetrise(S: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) S[j * size + i] = S[i * size + j]!;
}

/** Advice on a zero variance: its replacement, and what that costs. */
const advice: { readonly [N in CovarianceName]: string } = {
  observationCovariance:
    '; for observations without noise use a small variance, such as 1e-8 of that of the data: ' +
    'what is exact is then known to 1e-4 standard deviations of the data, and the log-density is finite',
  transitionCovariance:
    '; for a state that never changes use a small variance, such as 1e-10 of that of the data: over T steps the ' +
    'state then drifts by the square root of 1e-10 T standard deviations of the data',
  initialCovariance:
    '; for a known first state use a small variance, such as 1e-10 of that of the data, which moves it by 1e-5 ' +
    'standard deviations of the data',
};
function requireDefinite(where: string, argument: string, name: CovarianceName, S: Float64Array, size: number): void {
  for (let pivot = 0; pivot < size; pivot++) {
    const value = pivotOf(S, size, pivot);
    if (value > 0) continue;
    const zero = value === 0 ? advice[name] : '';
    throw callError(
      'NOT_POSITIVE_DEFINITE',
      where,
      `${argument} is not positive definite: pivot ${pivot} is ${value}${zero}`,
      { which: argument, pivot, value },
    );
  }
}

/** The parameters as a caller may see them: copies; without initialCovariance if tied. */
export function copyOf(system: System): Record<Exclude<ParameterName, 'initialCovariance'>, Float64Array> & {
  initialCovariance?: Float64Array;
} {
  const { transition, observation, transitionCovariance, observationCovariance, initialMean, initialCovariance } =
    system;
  return {
    transition: transition.slice(),
    observation: observation.slice(),
    transitionCovariance: transitionCovariance.slice(),
    observationCovariance: observationCovariance.slice(),
    initialMean: initialMean.slice(),
    ...(!system.tied && { initialCovariance: initialCovariance.slice() }),
  };
}
/** Whether two systems have the same parameters to the bit. */
export const sameSystem = (a: System, b: System): boolean =>
  a.m === b.m &&
  a.d === b.d &&
  a.tied === b.tied &&
  parameterNames.every((name) => a[name].every((v, i) => v === b[name][i]));
/** The number of free values: entries of A, B and the mean, triangles of the covariances. */
export function freeValues({ m, d, tied }: System): number {
  const triangle = (n: number): number => (n * (n + 1)) / 2;
  return m * m + d * m + m + triangle(m) * (tied ? 1 : 2) + triangle(d);
}
