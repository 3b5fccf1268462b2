/**
 * One way through a network and back: kernel calls, layer by layer, over a batch of ragged sequences. Order of additions:
 * bias, input, layer below, recurrent; each sum in ascending order, so that a batch, one sequence and one step give the
 * same bits.
 */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import { contract } from '../../../contract.ts';
import { byRows, type Pass, type Work, work } from '../../work.ts';
import type { Architecture } from './architecture.ts';
import { throughTime } from './pieces.ts';
import type { Weights } from './weights.ts';
import type { Workspace } from './workspace.ts';

/** Sequences ready for the kernels: step t of a sequence sees `inputs[t]` and is to foretell `targets[t]`. */
export interface Batch {
  readonly lengths: Int32Array;
  readonly inputs: Real;
  readonly targets: Real;
  /** Steps of all sequences. */
  readonly steps: number;
}
/** What a layer leaves behind. */
export interface Trace {
  readonly h: Real;
  readonly saved: Real;
  /** Before the first step of each sequence, and after the last [S, states]. */
  readonly first: Real;
  readonly last: Real;
}
/** Where gradients are added up, by parameter. */
export type Gradient = Readonly<Record<string, Float64Array>>;

/** Where a pass runs, with which parameters, in which memory. */
export interface Place {
  readonly backend: Backend;
  readonly weights: Weights;
  readonly room: Workspace;
}
/** Hidden layers and raw outputs; `states` [S, states] per layer. */
export function* forward(
  { backend, weights, room }: Place,
  { lengths, inputs, steps }: Pick<Batch, 'lengths' | 'inputs' | 'steps'>,
  states: readonly Real[],
): Pass<{ layers: Trace[]; raw: Real }> {
  const { architecture } = weights;
  const { cell, hidden, dimension, outputs } = architecture;
  const { dense, recurrent } = backend.kernels(weights.dtype);
  const n = steps;
  const layers: Trace[] = [];
  for (const [layer, m] of hidden.entries()) {
    const o = architecture.gates(layer);
    const y = yield* repeated(weights.bias(`b${layer}`), n, room.array(n * o));
    if (architecture.sees(layer))
      yield work(dense.affine, { n, i: dimension, o }, { x: inputs, W: weights.across(`Wx${layer}`), y });
    const below = layers[layer - 1];
    if (below)
      yield work(dense.affine, { n, i: hidden[layer - 1]!, o }, { x: below.h, W: weights.across(`Wd${layer}`), y });
    const first = states[layer]!;
    const last = room.copy(first);
    const h = room.array(n * m);
    const saved = room.array(n * savedOf(architecture) * m);
    const bias = cell === 'gru' ? weights.bias(`bh${layer}`) : room.array(0);
    const W = weights.across(`Wh${layer}`);
    const args = { lengths, a: y, W, bias, state: last, saved, h };
    yield throughTime(backend, contract.recurrent.forward, recurrent.forward, { units: m, cell }, args, o);
    layers.push({ h, saved, first, last });
  }
  const raw = yield* repeated(weights.bias('by'), n, room.array(n * outputs));
  for (const [layer, m] of hidden.entries())
    yield work(dense.affine, { n, i: m, o: outputs }, { x: layers[layer]!.h, W: weights.across(`Wy${layer}`), y: raw });
  return { layers, raw };
}

/**
 * Adds to `gradient` what the loss changes by with each parameter, and returns dLoss/dstates. `spans` are the lengths
 * over which gradients flow back: those of the batch, or shorter ones that cut its sequences (truncated BPTT);
 * `shardSize` the steps whose gradients are summed before sums are added.
 */
export function* backward(
  { backend, weights, room }: Place,
  { lengths, inputs, steps }: Batch,
  layers: readonly Trace[],
  dRaw: Real,
  gradient: Gradient,
  { spans = lengths, ...how }: { readonly spans?: Int32Array; readonly shardSize?: number } = {},
): Pass<Real[]> {
  const { architecture } = weights;
  const { cell, hidden, dimension, outputs } = architecture;
  const { dense, recurrent } = backend.kernels(weights.dtype);
  const n = steps;
  const dStates: Real[] = [];
  let above: { e: Real; gates: number } | undefined;
  for (let layer = hidden.length - 1; layer >= 0; layer--) {
    const m = hidden[layer]!;
    const gates = architecture.gates(layer);
    const trace = layers[layer]!;
    const dhs = room.array((n + 1) * m); // dh[t-1] in row t: of the last step, row n
    // new memory is zero
    if (room.reused) yield* byRows(n, m, (from, end) => dhs.fill(0, (from + 1) * m, (end + 1) * m));
    const dh = dhs.subarray(m);
    yield work(dense.affine, { n, i: outputs, o: m }, { x: dRaw, W: weights.along(`Wy${layer}`), y: dh });
    if (above)
      yield work(dense.affine, { n, i: above.gates, o: m }, { x: above.e, W: weights.along(`Wd${layer + 1}`), y: dh });
    const v = architecture.states(layer);
    const dState = ends(dhs, spans, m, room.zeros(spans.length * v), v);
    const hBefore = yield* statesBefore(trace, lengths, m, room);
    const last =
      cell === 'lstm' ? yield* cellsBefore(trace, lengths, m, room) : cell === 'gru' ? hBefore : room.array(0);
    const e = room.array(n * gates);
    const du = room.array(cell === 'gru' ? n * m : 0);
    const W = weights.along(`Wh${layer}`);
    const before = dhs.subarray(0, n * m);
    const args = { lengths: spans, before, h: trace.h, last, saved: trace.saved, W, e, du, dState };
    yield throughTime(backend, contract.recurrent.backward, recurrent.backward, { units: m, cell }, args, gates, true);

    const add = (x: Real, i: number, dy: Real, o: number, dW: string, db?: string): Work =>
      work(
        dense.gradient,
        { n, i, o },
        { x, dy, dW: gradient[dW]!, db: db ? gradient[db]! : new Float64Array(o) },
        how,
      );
    yield add(trace.h, m, dRaw, outputs, `Wy${layer}`, layer === 0 ? 'by' : undefined);
    const sees = architecture.sees(layer);
    if (sees) yield add(inputs, dimension, e, gates, `Wx${layer}`, `b${layer}`);
    if (layer > 0)
      yield add(layers[layer - 1]!.h, hidden[layer - 1]!, e, gates, `Wd${layer}`, sees ? undefined : `b${layer}`);
    if (cell === 'gru') {
      const sums = new Float64Array(gates);
      const dWh = gradient[`Wh${layer}`]!;
      const products = yield* productsOf(e, du, m, room);
      yield work(dense.gradient, { n, i: m, o: gates }, { x: hBefore, dy: products, dW: dWh, db: sums }, how);
      for (let i = 0; i < m; i++) gradient[`bh${layer}`]![i]! += sums[2 * m + i]!;
    } else yield add(hBefore, m, e, gates, `Wh${layer}`);
    dStates[layer] = spans === lengths ? dState : firstSpans(dState, lengths, spans, v, room);
    above = { e, gates };
  }
  return dStates;
}

/** Vectors of m numbers per step that the backward pass of a cell needs beside h. */
const savedOf = ({ cell }: Architecture): number => ({ tanh: 0, relu: 0, lstm: 5, gru: 4 })[cell];

/** A row again and again: each step doubles what is there. */
function* repeated(row: Real, times: number, to: Real): Pass<Real> {
  const width = row.length;
  yield* byRows(times, width, (from, end) => {
    const part = to.subarray(from * width, end * width);
    part.set(row);
    for (let done = width; done < part.length; done *= 2) part.copyWithin(done, 0, Math.min(done, part.length - done));
  });
  return to;
}
/**
 * Takes dh of the last step of each span to where the gradient of its state begins. Zeros are left in its place: before the
 * first step of a span nothing is given.
 */
function ends(dhs: Real, spans: Int32Array, m: number, dState: Real, v: number): Real {
  dhs.fill(0, 0, m);
  let at = 0;
  for (const [span, length] of spans.entries()) {
    if (length === 0) continue;
    at += length * m;
    dState.set(dhs.subarray(at, at + m), span * v);
    dhs.fill(0, at, at + m);
  }
  return dState;
}
/** h[t-1] of every step. */
function* statesBefore({ h, first }: Trace, lengths: Int32Array, m: number, room: Workspace): Pass<Real> {
  const to = room.array(h.length);
  yield* byRows(h.length / m - 1, m, (from, end) => to.set(h.subarray(from * m, end * m), (from + 1) * m));
  return begun(to, lengths, m, first, 0);
}
/** c[t-1] of every step of lstm, whose saved rows end in c. */
function* cellsBefore({ saved, first }: Trace, lengths: Int32Array, m: number, room: Workspace): Pass<Real> {
  const to = room.array(saved.length / 5);
  yield* byRows(to.length / m - 1, 5 * m, (from, end) => {
    for (let row = from; row < end; row++)
      for (let j = 0; j < m; j++) to[(row + 1) * m + j] = saved[(5 * row + 4) * m + j]!;
  });
  return begun(to, lengths, m, first, m);
}
/** Before the first step of a sequence there is its state, from `offset` on. */
function begun(to: Real, lengths: Int32Array, m: number, states: Real, offset: number): Real {
  const v = states.length / lengths.length;
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    if (length > 0) to.set(states.subarray(s * v + offset, s * v + offset + m), at);
    at += length * m;
  }
  return to;
}
/** The gradients to W_h h of gru: its candidate's is scaled by the reset gate. */
function* productsOf(e: Real, du: Real, m: number, room: Workspace): Pass<Real> {
  const to = room.array(e.length);
  yield* byRows(du.length / m, 3 * m, (from, end) => {
    to.set(e.subarray(3 * from * m, 3 * end * m), 3 * from * m);
    for (let row = from; row < end; row++) to.set(du.subarray(row * m, (row + 1) * m), (3 * row + 2) * m);
  });
  return to;
}
/** Of cut sequences the state before the first span is theirs. */
function firstSpans(dState: Real, lengths: Int32Array, spans: Int32Array, width: number, room: Workspace): Real {
  const to = room.zeros(lengths.length * width);
  for (let s = 0, span = 0; s < lengths.length; s++) {
    to.set(dState.subarray(span * width, (span + 1) * width), s * width);
    for (let left = lengths[s]!; left > 0; span++) left -= spans[span]!;
    if (lengths[s] === 0) span++;
  }
  return to;
}
/** Sequences cut into spans of at most `most` steps; an empty one is one empty span. */
export function spansOf(lengths: Int32Array, most: number): Int32Array {
  const spans: number[] = [];
  for (const length of lengths) {
    for (let left = length; left > most; left -= most) spans.push(most);
    spans.push(length === 0 ? 0 : length % most || most);
  }
  return Int32Array.from(spans);
}
