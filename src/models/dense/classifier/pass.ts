/** Passes through a two-layer net, forward and backward: kernel calls over rows (docs/math/dense.md). */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import type { DType } from '../../../grammar.ts';
import type { Weights } from '../../weights.ts';
import { byRows, type Pass, repeatRow, work } from '../../work.ts';
import type { Workspace } from '../../workspace.ts';
import type { Layers, Parts } from './layers.ts';

/** Where a pass runs, with which parameters, in which memory. */
export interface PassContext {
  readonly backend: Backend;
  readonly weights: Weights<DType, Layers>;
  readonly room: Workspace;
}
/** Results of the forward pass, all of them the memory of its room. */
export interface Activations {
  /** [n, hidden]: tanh of the pre-activations, and its derivative. */
  readonly h: Real;
  readonly slope: Real;
  /** [n, outputs] */
  readonly logits: Real;
}
/** Computes the hidden units and the logits of n rows. */
export function* forward({ backend, weights, room }: PassContext, x: Real, n: number): Pass<Activations> {
  const { inputs: i, hidden, outputs: o } = weights.architecture;
  const { dense } = backend.kernels(weights.dtype);
  const a = yield* repeatRow(weights.bias('b'), n, room.array(n * hidden));
  yield work(dense.affine, { n, i, o: hidden }, { x, W: weights.across('V'), y: a });
  const h = room.array(n * hidden);
  const slope = room.array(n * hidden);
  yield work(dense.activate, { n, o: hidden }, { a, h, slope });
  const logits = yield* repeatRow(weights.bias('c'), n, room.array(n * o));
  yield work(dense.affine, { n, i: hidden, o }, { x: h, W: weights.across('W'), y: logits });
  return { h, slope, logits };
}

/** Adds the derivative of the loss by the parameters to the parts of a gradient. */
export function* backward(
  { backend, weights, room }: PassContext,
  x: Real,
  { h, slope }: Activations,
  dLogits: Real,
  gradient: Parts,
  how: { readonly shardSize?: number } = {},
): Pass<void> {
  const { inputs: i, hidden, outputs: o } = weights.architecture;
  const n = h.length / hidden;
  const { dense } = backend.kernels(weights.dtype);
  yield work(dense.gradient, { n, i: hidden, o }, { x: h, dy: dLogits, dW: gradient.W, db: gradient.c }, how);
  const e = room.zeros(n * hidden);
  yield work(dense.affine, { n, i: o, o: hidden }, { x: dLogits, W: weights.along('W'), y: e });
  yield* byRows(n, hidden, (from, end) => {
    for (let j = from * hidden; j < end * hidden; j++) e[j]! *= slope[j]!;
  });
  yield work(dense.gradient, { n, i, o: hidden }, { x, dy: e, dW: gradient.V, db: gradient.b }, how);
}
