/**
 * Expected moments of states and observations, summed over sequences and time: all that the M step, the gradient and
 * merged statistics need. Moments of residuals are taken under the parameters of the E step, so that what an M step
 * subtracts is small and never cancels. Equations: docs/math/lds.md.
 */
import type { System } from './parameters.ts';

/** e[t] = z[t] - A z[t-1], r[t] = x[t] - B z[t], under the parameters of `system`. */
export interface Moments {
  readonly system: System;
  /** Rows, rows that follow another one, and sequences that are not empty. */
  readonly rows: number;
  readonly transitions: number;
  readonly sequences: number;
  /** Rows with at least one observed value. */
  readonly observedRows: number;
  readonly logLikelihood: number;
  /** Σ E z[t-1] z[t-1]ᵀ [m,m] */
  readonly previous: Float64Array;
  /** Σ E e[t] z[t-1]ᵀ [m,m] */
  readonly transitionCross: Float64Array;
  /** Σ E e[t] e[t]ᵀ [m,m] */
  readonly transitionResidual: Float64Array;
  /** Σ E z[t] z[t]ᵀ [m,m] */
  readonly state: Float64Array;
  /** Σ E r[t] z[t]ᵀ [d,m] */
  readonly observationCross: Float64Array;
  /** Σ E r[t] r[t]ᵀ [d,d] */
  readonly observationResidual: Float64Array;
  /** Σ E z[0] - μ [m], over sequences */
  readonly initialResidual: Float64Array;
  /** Σ E (z[0] - μ)(z[0] - μ)ᵀ [m,m] */
  readonly initialSquare: Float64Array;
}
export const countNames = ['rows', 'transitions', 'sequences', 'observedRows', 'logLikelihood'] as const;
export const sumNames = [
  'previous',
  'transitionCross',
  'transitionResidual',
  'state',
  'observationCross',
  'observationResidual',
  'initialResidual',
  'initialSquare',
] as const;
type SumName = (typeof sumNames)[number];

/** The shape of a sum. */
export const shapeOfSum = (name: SumName, m: number, d: number): readonly number[] =>
  name === 'observationCross'
    ? [d, m]
    : name === 'observationResidual'
      ? [d, d]
      : name === 'initialResidual'
        ? [m]
        : [m, m];

const known = new WeakSet<object>();
/** Marks moments as made here. */
export function markMoments(moments: Moments): Moments {
  known.add(moments);
  return moments;
}
/** Whether moments were made here: no object of a caller's passes for them. */
export const isMoments = (value: unknown): value is Moments => known.has(value as object);

/** The moments of no data. */
export function noMoments(system: System): Moments {
  const { m, d } = system;
  const size = (name: SumName): number => shapeOfSum(name, m, d).reduce((a, b) => a * b, 1);
  const sums = Object.fromEntries(sumNames.map((name) => [name, new Float64Array(size(name))]));
  const counts = Object.fromEntries(countNames.map((name) => [name, 0]));
  return markMoments({ system, ...counts, ...sums } as unknown as Moments);
}
/** a + b, of moments under the same parameters. */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const counts = Object.fromEntries(countNames.map((name) => [name, a[name] + b[name]]));
  const sums = Object.fromEntries(sumNames.map((name) => [name, a[name].map((v, i) => v + b[name][i]!)]));
  return markMoments({ system: a.system, ...counts, ...sums } as unknown as Moments);
}
