/** Errors of densities: targets out of range, and kernel failures in the words of the caller. */

import type { Real } from '../../check.ts';
import * as check from '../../check.ts';
import { isSingle } from '../../check.ts';
import { argumentError, callError, KernelFailure, type SeqlikError } from '../../errors.ts';
import { packedIndex, pivotOf } from '../triangles.ts';
import type { Shape } from './mapping.ts';

/** Throws INVALID_ARGUMENT: a coordinate from `first` on is outside [0, 1]. */
export function checkBinaryTargets(where: string, argument: string, x: Real, dimension: number, first: number): void {
  for (let i = first; first < dimension && i < x.length; i += i % dimension === dimension - 1 ? first + 1 : 1) {
    const target = x[i]!;
    if (!(target < 0 || target > 1)) continue;
    const place = { argument, row: Math.floor(i / dimension), column: i % dimension, value: target };
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      ...place,
      expected: 'a binary target from 0 to 1',
      received: `${target}`,
      reason: `is ${target} at row ${place.row}, column ${place.column}: no binary target is outside [0, 1]`,
    });
  }
}

/**
 * Translates a kernel failure into the public error; any other error stays as it is. A value that is not finite comes
 * before a covariance that is not definite, whichever row is first. `names` are the public names of raw and x, `rowOf`
 * turns a row of the kernel's into one of the caller's.
 */
export function toUserError(
  where: string,
  error: unknown,
  shape: Shape,
  raw: Real,
  x: Real | undefined,
  names = { raw: 'raw', x: 'x' },
  rowOf: (row: number) => number = (row) => row,
): unknown {
  if (!(error instanceof KernelFailure)) return error;
  const { outputs, dimension } = shape;
  for (const [argument, values, width] of [
    [names.raw, raw, outputs],
    [names.x, x, dimension],
  ] as const) {
    const at = values?.findIndex((v) => !Number.isFinite(v)) ?? -1;
    if (at >= 0) return check.wrongValue(where, argument, values![at]!, rowOf(Math.floor(at / width)), at % width);
  }
  const { n, k: component, pivots: pivot } = error.at as { n: number; k: number; pivots: number };
  const row = rowOf(n);
  if (pivot < shape.gaussian) {
    const value = pivotIn(raw, shape, n, component, pivot);
    const what = `the covariance of row ${row}, component ${component}`;
    const sentence = `${what} is not positive definite: pivot ${pivot} is ${value}`;
    return callError('NOT_POSITIVE_DEFINITE', where, sentence, { row, component, pivot, value });
  }
  if (!x) return overflow(where, row);
  const sentence = `the density of ${names.x} at row ${row}, or its gradient, overflows in every component`;
  return callError('NON_FINITE', where, sentence, { argument: names.x, row });
}
/** The pivot, not > 0, at which a covariance fails: recomputed from the equations of the mapping. */
function pivotIn(raw: Real, shape: Shape, row: number, component: number, pivot: number): number {
  const { components, gaussian: d, mapping, values, outputs } = shape;
  const c = raw.subarray(row * outputs + components * (1 + d) + component * values);
  const value = {
    'tanh-full': () => {
      const S = Float64Array.from({ length: d * d }, (_, at) => Math.tanh(c[packedIndex(Math.floor(at / d), at % d)]!));
      return pivotOf(S, d, pivot);
    },
    'tanh-diag': () => Math.tanh(c[pivot]!),
    'chol-exp': () => Math.exp(2 * c[packedIndex(pivot, pivot)]!),
    'chol-softplus': () => Math.log1p(Math.exp(c[packedIndex(pivot, pivot)]!)) ** 2,
    'diag-exp': () => Math.exp(2 * c[pivot]!),
    'diag-softplus': () => Math.log1p(Math.exp(c[pivot]!)) ** 2,
    graves: () => Math.exp(2 * c[pivot]!) / (pivot === 1 ? Math.cosh(c[2]!) ** 2 : 1),
  }[mapping]();
  return isSingle(raw) ? Math.fround(value) : value;
}

export function overflow(where: string, row: number): SeqlikError {
  return callError('NON_FINITE', where, `the distribution of raw row ${row} overflows`, { argument: 'raw', row });
}
