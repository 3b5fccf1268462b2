/** The loss of classifiers: cross-entropies of sigmoid outputs, from their logits (docs/math/dense.md). */
import type { Backend } from '../../bind.ts';
import { dtypeOf, type Real } from '../../check.ts';
import { callError, KernelFailure } from '../../errors.ts';
import { type Pass, work } from '../work.ts';

/** Memory of a pass: in a block used again the values are whatever was there. */
interface Room {
  array(length: number): Real;
}
/** The weights of a loss, each in the dtype of the logits. */
export interface LossWeights {
  /** One per row. */
  readonly rows: Real;
  /** One per output. */
  readonly classes: Real;
  /** The logits are divided by it. */
  readonly temperature: number;
}
export interface Entropies {
  /** One per row, weighted. */
  readonly loss: Real;
  readonly probabilities: Real;
  /** The derivative of the sum of `loss` by the logits. */
  readonly dLogits: Real;
}

/** Computes the losses of rows of logits [n,o] for targets y [n,o]. */
export function* crossEntropy(
  backend: Backend,
  room: Room,
  o: number,
  given: Real,
  y: Real,
  { rows: weights, classes: classWeights, temperature }: LossWeights,
): Pass<Entropies> {
  const n = weights.length;
  let logits = given;
  if (temperature !== 1) {
    logits = room.array(given.length);
    for (let i = 0; i < given.length; i++) logits[i] = given[i]! / temperature;
  }
  const out = { loss: room.array(n), probabilities: room.array(n * o), dLogits: room.array(n * o) };
  const kernel = backend.kernels(dtypeOf(given)).dense.crossEntropy;
  yield work(kernel, { n, o }, { logits, y, weights, classWeights, ...out });
  if (temperature !== 1) for (let i = 0; i < out.dLogits.length; i++) out.dLogits[i]! /= temperature;
  return out;
}
/** Takes the rows of logits [n,o] that overflow out of a pass: they become 0 there. Returns their indices. */
export function takeOverflows(logits: Real, o: number, temperature: number): number[] {
  const rows: number[] = [];
  for (let at = 0; at < logits.length; at += o) {
    const row = logits.subarray(at, at + o);
    if (row.every((logit) => Number.isFinite(logit / temperature))) continue;
    row.fill(0);
    rows.push(at / o);
  }
  return rows;
}
/** Marks rows as unscorable: logits of -Infinity, probabilities of 0. */
export function markRows(rows: readonly number[], o: number, logits: Real, probabilities: Real): void {
  for (const row of rows) {
    logits.fill(Number.NEGATIVE_INFINITY, row * o, (row + 1) * o);
    probabilities.fill(0, row * o, (row + 1) * o);
  }
}
/** The public error for logits that overflow; `rowOf` turns a row of the pass into one of the data. */
export function toLossError(where: string, error: unknown, rowOf: (row: number) => number = (row) => row): unknown {
  if (!(error instanceof KernelFailure)) return error;
  const row = rowOf(error.at['n']!);
  return callError('NON_FINITE', where, `the logits of row ${row} overflow`, { argument: 'parameters', row });
}
/** The probabilities of logits, as the kernel's loss has them. */
export function probabilitiesOf(
  backend: Backend,
  room: Room,
  o: number,
  logits: Real,
  temperature: number,
): Pass<Entropies> {
  const n = logits.length / o;
  const weights = { rows: room.array(n).fill(0), classes: room.array(o).fill(0), temperature };
  return crossEntropy(backend, room, o, logits, room.array(n * o).fill(0), weights);
}
