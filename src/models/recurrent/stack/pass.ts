/**
 * Passes through a stack, forward and backward: kernel calls, layer by layer, over a batch of ragged sequences.
 * Additions are made in the order bias, input, layer below, recurrent, each sum in ascending order, so that a batch,
 * one sequence and one step give the same bits.
 */
import { ABREAST, type Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import { contract } from '../../../contract.ts';
import type { DType } from '../../../grammar.ts';
import type { Weights } from '../../weights.ts';
import { byRows, type Pass, repeatRow, type Work, work } from '../../work.ts';
import type { Workspace } from '../../workspace.ts';
import type { StackArchitecture } from './architecture.ts';
import { layerWork } from './pieces.ts';

/** Sequences ready for the kernels, one after the other. */
export interface Batch {
  readonly lengths: Int32Array;
  readonly inputs: Real;
  /** Steps of all sequences. */
  readonly steps: number;
}
/** The results of a layer that its backward pass needs. */
export interface Trace {
  readonly h: Real;
  /** The same memory, a row before: h[t-1] of every step but the first ones. */
  readonly before: Real;
  readonly saved: Real;
  /** States before the first step of each sequence, and after the last [S, carried]. */
  readonly first: Real;
  readonly last: Real;
}
/** Where gradients are added up, by parameter. */
export type Gradient = Readonly<Record<string, Float64Array>>;

export type StackWeights<D extends DType = DType> = Weights<D, StackArchitecture>;
/** Where a pass runs, with which parameters, in which memory. */
export interface PassContext {
  readonly backend: Backend;
  readonly weights: StackWeights;
  readonly room: Workspace;
}

/** Where there are outputs: at every step, or after the last of each sequence. */
export type OutputsAt = 'all' | 'final';

/**
 * Computes the hidden layers and the outputs [steps, outputs]; with `at` final those of the states after the last step
 * [S, outputs], also of sequences without steps. `states` [S, carried] per layer.
 */
export function* forward(
  { backend, weights, room }: PassContext,
  { lengths, inputs, steps: n }: Batch,
  states: readonly Real[],
  at: OutputsAt = 'all',
): Pass<{ layers: Trace[]; outputs: Real }> {
  const { architecture } = weights;
  const { cell, hidden } = architecture;
  const { dense, recurrent } = backend.kernels(weights.dtype);
  const layers: Trace[] = [];
  for (const [layer, units] of hidden.entries()) {
    const { gates: o, kept, biased } = architecture.sizes[layer]!;
    const below = layers[layer - 1];
    const sees = architecture.seesInputs(layer);
    // Step by step, rows stay in the cache, but there are only as many as sequences: they must fill the registers.
    const many = lengths.length >= ABREAST && architecture.inputs <= units;
    const within = sees && !below && cell !== 'gru' && many;
    const begun = within && !architecture.hasBiases ? 0 : o;
    const y = yield* startOf(weights, `b${layer}`, begun && n, o, room);
    const Wx = sees ? weights.across(`Wx${layer}`) : room.array(0);
    if (sees && !within) yield work(dense.affine, { n, i: architecture.inputs, o }, { x: inputs, W: Wx, y });
    if (below)
      yield work(dense.affine, { n, i: hidden[layer - 1]!, o }, { x: below.h, W: weights.across(`Wd${layer}`), y });
    const first = states[layer]!;
    const last = room.copy(first);
    const all = room.array((n + 1) * units);
    const h = all.subarray(units);
    const saved = room.array(n * kept);
    const bias = biased > 0 ? weights.bias(`bh${layer}`) : room.array(0);
    const W = weights.across(`Wh${layer}`);
    const from = within ? { x: inputs, Wx } : { x: room.array(0), Wx: room.array(0) };
    const args = { lengths, a: y, ...from, W, bias, state: last, saved, h };
    const dims = { units, cell, begun, inputs: within ? architecture.inputs : 0 };
    yield layerWork(backend, contract.recurrent.forward, recurrent.forward, dims, args, o);
    layers.push({ h, before: all.subarray(0, n * units), saved, first, last });
  }
  const o = architecture.outputs;
  const rows = at === 'final' ? lengths.length : n;
  const outputs = yield* startOf(weights, 'by', rows, o, room);
  for (const [layer, i] of hidden.entries()) {
    const x = at === 'final' ? statesIn(layers[layer]!.last, rows, i, room) : layers[layer]!.h;
    yield work(dense.affine, { n: rows, i, o }, { x, W: weights.across(`Wy${layer}`), y: outputs });
  }
  return { layers, outputs };
}

export interface BackwardOptions {
  readonly spans?: Int32Array;
  readonly at?: OutputsAt;
  readonly shardSize?: number;
  readonly dInputs?: Real;
}
/**
 * Adds the derivative of the loss by each parameter to `gradient`, given that by the outputs, and returns
 * dLoss/dstates. `spans` are the lengths over which gradients flow back: those of the batch, or shorter ones that cut
 * its sequences (truncated BPTT, only with outputs at all steps); `shardSize` is the number of steps whose gradients are
 * summed before sums are added; `dInputs` [steps, inputs] takes the derivative by the inputs, added to what it holds.
 */
export function* backward(
  { backend, weights, room }: PassContext,
  { lengths, inputs, steps: n }: Batch,
  layers: readonly Trace[],
  dOutputs: Real,
  gradient: Gradient,
  { spans = lengths, at = 'all', dInputs, ...how }: BackwardOptions = {},
): Pass<Real[]> {
  const { architecture } = weights;
  const { cell, hidden, outputs } = architecture;
  const { dense, recurrent } = backend.kernels(weights.dtype);
  const dStates: Real[] = [];
  let above: { e: Real; gates: number } | undefined;
  for (let layer = hidden.length - 1; layer >= 0; layer--) {
    const units = hidden[layer]!;
    const { gates, biased, kept, carried } = architecture.sizes[layer]!;
    const trace = layers[layer]!;
    // the first layer gets nothing from above at other steps than the last: it reads no dh
    const fed = at === 'all' || above ? units : 0;
    const dhs = room.array(fed && (n + 1) * fed); // dh[t-1] in row t: that of the last step is row n
    // new memory is zero
    if (room.reused && fed) yield* byRows(n, units, (from, end) => dhs.fill(0, (from + 1) * units, (end + 1) * units));
    const dh = dhs.subarray(fed);
    const ends = lengths.length;
    const dEnds = room.zeros(at === 'final' ? ends * units : 0);
    const [rows, y] = at === 'final' ? [ends, dEnds] : [n, dh];
    yield work(dense.affine, { n: rows, i: outputs, o: units }, { x: dOutputs, W: weights.along(`Wy${layer}`), y });
    if (above) {
      const W = weights.along(`Wd${layer + 1}`);
      yield work(dense.affine, { n, i: above.gates, o: units }, { x: above.e, W, y: dh });
    }
    const dState = room.zeros(spans.length * carried);
    if (fed) moveLastSteps(dhs, spans, units, dState, carried);
    for (let i = 0; i < dEnds.length; i++) dState[Math.floor(i / units) * carried + (i % units)]! += dEnds[i]!;
    // gru needs it beside h
    const hBefore = cell === 'gru' ? yield* statesBefore(trace, lengths, units, room) : room.array(0);
    const last =
      cell === 'lstm'
        ? yield* cellsBefore(trace, lengths, units, kept, room)
        : cell === 'gru'
          ? hBefore
          : room.array(0);
    const e = room.array(n * gates);
    const du = room.array(n * biased);
    const W = weights.along(`Wh${layer}`);
    const before = dhs.subarray(0, n * fed);
    const args = { lengths: spans, before, h: trace.h, last, saved: trace.saved, W, e, du, dState };
    yield layerWork(backend, contract.recurrent.backward, recurrent.backward, { units, cell, fed }, args, gates, true);

    const add = (n: number, x: Real, i: number, dy: Real, o: number, dW: string, db?: string): Work =>
      work(
        dense.gradient,
        { n, i, o },
        { x, dy, dW: gradient[dW]!, db: (db && gradient[db]) || new Float64Array(o) },
        how,
      );
    const seen = at === 'final' ? statesIn(trace.last, ends, units, room) : trace.h;
    yield add(rows, seen, units, dOutputs, outputs, `Wy${layer}`, layer === 0 ? 'by' : undefined);
    const sees = architecture.seesInputs(layer);
    if (sees) yield add(n, inputs, architecture.inputs, e, gates, `Wx${layer}`, `b${layer}`);
    if (layer > 0)
      yield add(n, layers[layer - 1]!.h, hidden[layer - 1]!, e, gates, `Wd${layer}`, sees ? undefined : `b${layer}`);
    if (cell === 'gru') {
      const sums = new Float64Array(gates);
      const dWh = gradient[`Wh${layer}`]!;
      const products = yield* productsOf(e, du, units, room);
      yield work(dense.gradient, { n, i: units, o: gates }, { x: hBefore, dy: products, dW: dWh, db: sums }, how);
      for (let i = 0; i < units; i++) gradient[`bh${layer}`]![i]! += sums[2 * units + i]!;
    } else {
      const others = exchangeFirstSteps(trace, lengths, units, statesIn(trace.first, ends, units, room).slice());
      yield add(n, trace.before, units, e, gates, `Wh${layer}`);
      exchangeFirstSteps(trace, lengths, units, others);
    }
    if (sees && dInputs) {
      const W = weights.along(`Wx${layer}`);
      yield work(dense.affine, { n, i: gates, o: architecture.inputs }, { x: e, W, y: dInputs });
    }
    dStates[layer] = spans === lengths ? dState : firstSpans(dState, lengths, spans, carried, room);
    above = { e, gates };
  }
  return dStates;
}

/** Rows to add products to: a bias, or zeros. */
function* startOf(weights: StackWeights, bias: string, n: number, o: number, room: Workspace): Pass<Real> {
  if (weights.architecture.hasBiases) return yield* repeatRow(weights.bias(bias), n, room.array(n * o));
  const to = room.array(n * o);
  if (room.reused) yield* byRows(n, o, (from, end) => to.fill(0, from * o, end * o));
  return to;
}
/** The h of states [S, carried], which begin with it. */
function statesIn(states: Real, S: number, units: number, room: Workspace): Real {
  const carried = states.length / Math.max(1, S);
  if (carried === units) return states;
  const to = room.array(S * units);
  for (let s = 0; s < S; s++) to.set(states.subarray(s * carried, s * carried + units), s * units);
  return to;
}
/**
 * Moves dh of the last step of each span to `dState`, where the gradient of its state begins. Zeros are left in its
 * place: no gradient comes from before the first step of a span.
 */
function moveLastSteps(dhs: Real, spans: Int32Array, units: number, dState: Real, carried: number): void {
  dhs.fill(0, 0, units);
  let at = 0;
  for (const [span, length] of spans.entries()) {
    if (length === 0) continue;
    at += length * units;
    dState.set(dhs.subarray(at, at + units), span * carried);
    dhs.fill(0, at, at + units);
  }
}
/** h[t-1] of every step. */
function* statesBefore({ h, first }: Trace, lengths: Int32Array, units: number, room: Workspace): Pass<Real> {
  const to = room.array(h.length);
  yield* byRows(h.length / units - 1, units, (from, end) =>
    to.set(h.subarray(from * units, end * units), (from + 1) * units),
  );
  return setFirstSteps(to, lengths, units, first, 0);
}
/**
 * Puts rows [S, units] before the first steps of the sequences, and returns those that were there: the last steps of the
 * sequences before. (A copy of all rows took 70 of 3000 ns per step of 24-200-3.)
 */
function exchangeFirstSteps({ before }: Trace, lengths: Int32Array, units: number, rows: Real): Real {
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    if (length > 0) {
      const own = rows.subarray(s * units, (s + 1) * units);
      const row = before.subarray(at, at + units);
      const other = row.slice();
      row.set(own);
      own.set(other);
    }
    at += length * units;
  }
  return rows;
}
/** c[t-1] of every step of lstm, whose saved rows of `kept` values end in c. */
function* cellsBefore(
  { saved, first }: Trace,
  lengths: Int32Array,
  units: number,
  kept: number,
  room: Workspace,
): Pass<Real> {
  const n = saved.length / kept;
  const to = room.array(n * units);
  yield* byRows(n - 1, kept, (from, end) => {
    for (let row = from; row < end; row++) {
      const c = (row + 1) * kept - units;
      for (let j = 0; j < units; j++) to[(row + 1) * units + j] = saved[c + j]!;
    }
  });
  return setFirstSteps(to, lengths, units, first, units);
}
/** Writes the state of each sequence, from `offset` on, to the row of its first step. */
function setFirstSteps(to: Real, lengths: Int32Array, units: number, states: Real, offset: number): Real {
  const carried = states.length / lengths.length;
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    if (length > 0) to.set(states.subarray(s * carried + offset, s * carried + offset + units), at);
    at += length * units;
  }
  return to;
}
/** Gradients by W_h h of gru: e, but in the candidate's block du, which the reset gate scales. */
function* productsOf(e: Real, du: Real, units: number, room: Workspace): Pass<Real> {
  const to = room.array(e.length);
  yield* byRows(du.length / units, 3 * units, (from, end) => {
    to.set(e.subarray(3 * from * units, 3 * end * units), 3 * from * units);
    for (let row = from; row < end; row++) to.set(du.subarray(row * units, (row + 1) * units), (3 * row + 2) * units);
  });
  return to;
}
/** When sequences are split, keeps the gradient of each sequence's first span. */
function firstSpans(dState: Real, lengths: Int32Array, spans: Int32Array, width: number, room: Workspace): Real {
  const to = room.zeros(lengths.length * width);
  for (let s = 0, span = 0; s < lengths.length; s++) {
    to.set(dState.subarray(span * width, (span + 1) * width), s * width);
    for (let left = lengths[s]!; left > 0; span++) left -= spans[span]!;
    if (lengths[s] === 0) span++;
  }
  return to;
}
/** Cuts sequences into spans of at most `most` steps; an empty sequence is one empty span. */
export function spansOf(lengths: Int32Array, most: number): Int32Array {
  const spans: number[] = [];
  for (const length of lengths) {
    for (let left = length; left > most; left -= most) spans.push(most);
    spans.push(length === 0 ? 0 : length % most || most);
  }
  return Int32Array.from(spans);
}
