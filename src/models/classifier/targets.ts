/** Targets and weights of classifiers: one number in [0,1] for each output. */
import type { Real } from '../../check.ts';
import * as check from '../../check.ts';
import { argumentError } from '../../errors.ts';

/** Throws NON_FINITE or INVALID_ARGUMENT (row, column) for the first target [rows, outputs] outside [0,1]. */
export function checkTargets(where: string, argument: string, y: Real, outputs: number): void {
  check.finiteRows(where, argument, { values: y, n: y.length / outputs }, outputs);
  const at = y.findIndex((v) => v < 0 || v > 1);
  if (at < 0) return;
  const [row, column] = [Math.floor(at / outputs), at % outputs];
  throw argumentError('INVALID_ARGUMENT', where, argument, {
    expected: 'targets from 0 to 1',
    received: `${y[at]}`,
    reason: `is ${y[at]} at row ${row}, column ${column}: targets are from 0 to 1`,
    row,
    column,
    value: y[at]!,
  });
}
/** The weight of each output's cross-entropy: all >= 0, at least one > 0; 1 if not given. */
export function readClassWeights(where: string, value: unknown, outputs: number): Float64Array {
  if (value === undefined) return new Float64Array(outputs).fill(1);
  const weights = check.tensor(where, 'classWeights', value, [outputs]);
  check.finite(where, 'classWeights', weights);
  if (weights.some((w) => w < 0) || !weights.some((w) => w > 0))
    throw argumentError('INVALID_ARGUMENT', where, 'classWeights', {
      expected: '>= 0, and one of them > 0',
      received: `${weights.find((w) => w < 0) ?? 'only 0'}`,
    });
  return weights;
}
/**
 * A sentence for each output whose targets are 0 in every row, or 1 in every row: one class is all that such data show,
 * and its cross-entropy only vanishes as the logit goes to infinity.
 */
export function warnOfOneClass(y: Real, outputs: number, names?: readonly string[]): string[] {
  const warnings: string[] = [];
  for (let j = 0; j < outputs; j++) {
    const first = y[j];
    if (first !== 0 && first !== 1) continue;
    let i = j;
    while (i < y.length && y[i] === first) i += outputs;
    if (i >= y.length)
      warnings.push(`output ${names?.[j] ?? j} is ${first} in every target: nothing can be learnt but this one class`);
  }
  return warnings;
}
