/** Rows with their targets, as classifiers read them. */
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import type { TwoLayerShape } from './layers.ts';

export interface Examples {
  readonly n: number;
  /** [n, inputs] */
  readonly x: Real;
  /** [n, outputs], of the dtype of x. */
  readonly y: Real;
}

/** Throws INVALID_ARGUMENT (a target outside [0, 1]: row, column), DIMENSION_MISMATCH, NON_FINITE (row, column). */
export function readExamples(where: string, x: unknown, y: unknown, { inputs, outputs }: TwoLayerShape): Examples {
  const rows = check.points(where, 'x', x, inputs);
  const targets = check.points(where, 'y', y, outputs);
  check.sameRows(where, 'y', targets, 'x', rows);
  check.finiteRows(where, 'x', rows, inputs);
  check.finiteRows(where, 'y', targets, outputs);
  const at = targets.values.findIndex((target) => target < 0 || target > 1);
  if (at >= 0) {
    const value = targets.values[at]!;
    const place = { row: Math.floor(at / outputs), column: at % outputs };
    throw argumentError('INVALID_ARGUMENT', where, 'y', {
      ...place,
      value,
      expected: 'a target from 0 to 1',
      received: `${value}`,
      reason: `is ${value} at row ${place.row}, column ${place.column}: no target is outside [0, 1]`,
    });
  }
  const dtype = check.dtypeOf(rows.values);
  if (check.dtypeOf(targets.values) === dtype) return { n: rows.n, x: rows.values, y: targets.values };
  const same = check.room(where, targets.values.length, dtype);
  same.set(targets.values);
  return { n: rows.n, x: rows.values, y: same };
}
