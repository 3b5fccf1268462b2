/** Rows with their targets, as classifiers read them. */
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { checkTargets } from '../../classifier/targets.ts';
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
  checkTargets(where, 'y', targets.values, outputs);
  const dtype = check.dtypeOf(rows.values);
  if (check.dtypeOf(targets.values) === dtype) return { n: rows.n, x: rows.values, y: targets.values };
  const same = check.room(where, targets.values.length, dtype);
  same.set(targets.values);
  return { n: rows.n, x: rows.values, y: same };
}
