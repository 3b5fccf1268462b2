/** Descent one row at a time, in the order of the caller: `dense.sgd` over many rows at once. */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { callError, KernelFailure } from '../../../errors.ts';
import { type Arrays, type DType, pad } from '../../../grammar.ts';
import type { Examples } from './examples.ts';
import type { Layers } from './layers.ts';

/** Values of x and y that one call takes, 8 MB or less. */
const VALUES = 2 ** 20;

/**
 * Visits the rows `order` and changes `flat` after each; returns the loss of each row before its change. Computes in
 * the dtype of x, to which the parameters are rounded first. Throws DIVERGED.
 */
export function descend(
  where: string,
  backend: Backend,
  layers: Layers,
  flat: Float64Array,
  { x, y }: Examples,
  order: Int32Array,
  learningRate: number,
): Float64Array {
  const { inputs: i, hidden: units, outputs: o } = layers;
  const dtype = check.dtypeOf(x);
  const { sgd } = backend.kernels(dtype).dense;
  const room = (length: number): Arrays[DType] => check.room(where, length, dtype);
  const [width, line] = [pad(units, dtype), pad(o, dtype)];
  const own = { V: room(i * width), b: room(width), W: room(units * line), c: room(line) };
  const parts = layers.split(flat);
  const matrices = [
    [parts.V, own.V, units, i, width],
    [parts.b, own.b, units, 1, width],
    [parts.W, own.W, o, units, line],
    [parts.c, own.c, o, 1, line],
  ] as const;
  for (const [from, to, rows, columns, step] of matrices) transpose(from, to, rows, columns, step);
  const rate = room(1).fill(learningRate);
  const losses = check.room(where, order.length);
  const most = Math.max(1, Math.floor(VALUES / (i + o)));
  for (let from = 0; from < order.length; from += most) {
    const visited = order.subarray(from, from + most);
    const n = visited.length;
    const loss = room(n);
    const inputs = gather(x, i, visited, room(n * i));
    const targets = gather(y, o, visited, room(n * o));
    try {
      sgd({ n, i, units, o }, { x: inputs, y: targets, rate, ...own, loss });
    } catch (error) {
      if (!(error instanceof KernelFailure)) throw error;
      const at = from + error.at['n']!;
      throw diverged(where, `the loss of row ${order[at]}, visit ${at}, is not finite`);
    }
    losses.set(loss, from);
  }
  for (const [to, from, rows, columns, step] of matrices) {
    for (let row = 0; row < rows; row++)
      for (let j = 0; j < columns; j++) to[row * columns + j] = from[j * step + row]!;
    if (!to.every(Number.isFinite)) throw diverged(where, 'a parameter is not finite');
  }
  return losses;
}
function diverged(where: string, fault: string): Error {
  const reason = `diverged: ${fault}`;
  return callError('DIVERGED', where, `${reason}; a smaller learningRate may help`, { reason });
}
/** [rows, columns] becomes [columns, step]. */
function transpose(from: Real, to: Real, rows: number, columns: number, step: number): void {
  for (let row = 0; row < rows; row++) for (let j = 0; j < columns; j++) to[j * step + row] = from[row * columns + j]!;
}
/** The rows `chosen` of x, one after the other. */
export function gather(x: Real, width: number, chosen: Int32Array, to: Real): Real {
  for (let i = 0; i < chosen.length; i++) to.set(x.subarray(chosen[i]! * width, (chosen[i]! + 1) * width), i * width);
  return to;
}
