/**
 * One way through a network and back: kernel calls, layer by layer, over a batch of ragged sequences. A pass is written
 * once, as a list of calls that whoever asked for it runs: here and now, or elsewhere. Order of additions: bias, input,
 * layer below, recurrent; each sum in ascending order, so that a batch, one sequence and one step give the same bits.
 */
import type { Backend } from '../../bind.ts';
import type { Real } from '../../check.ts';
import type { Asynchronous, How } from '../../grammar.ts';
import type { Pace } from '../../training/pace.ts';
import type { Architecture } from './architecture.ts';
import type { Weights } from './weights.ts';
import type { Workspace } from './workspace.ts';

/** Kernel calls still to be made, and what they come to. */
export type Pass<Result> = Generator<Work, Result>;
interface Work {
  now(): void;
  later(signal?: AbortSignal): Promise<void>;
}
interface Loose {
  (dims: object, args: object, how: How): void;
  async(dims: object, args: object, how: Asynchronous): Promise<void>;
}
export const work = (kernel: unknown, dims: object, args: object, how: How = {}): Work => ({
  now: () => (kernel as Loose)(dims, args, how),
  later: (signal) => (kernel as Loose).async(dims, args, { ...how, ...(signal && { signal }), owned: true }),
});
/** Runs a pass in this call. */
export function here<Result>(pass: Pass<Result>): Result {
  for (;;) {
    const { done, value } = pass.next();
    if (done) return value;
    value.now();
  }
}
/** Runs it off the event loop, small calls in short slices of it (wasm: all of them). */
export async function elsewhere<Result>(pass: Pass<Result>, pace: Pace, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const { done, value } = pass.next();
    if (done) return value;
    await pace.rest();
    await value.later(signal);
  }
}

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
export const kernelsOf = (backend: Backend, single: boolean): Backend['f64'] =>
  (single ? backend.f32 : backend.f64) as Backend['f64'];

/** Hidden layers and raw outputs; `states` [S, states] per layer. */
export function* forward(
  { backend, weights, room }: Place,
  { lengths, inputs, steps }: Pick<Batch, 'lengths' | 'inputs' | 'steps'>,
  states: readonly Real[],
): Pass<{ layers: Trace[]; raw: Real }> {
  const { architecture } = weights;
  const { cell, hidden, dimension, outputs } = architecture;
  const { dense, recurrent } = kernelsOf(backend, weights.single);
  const n = steps;
  const layers: Trace[] = [];
  for (const [layer, m] of hidden.entries()) {
    const o = architecture.gates(layer);
    const y = repeated(weights.bias(`b${layer}`), n, room.array(n * o));
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
    yield work(recurrent.forward, { m, cell }, { lengths, a: y, W, bias, state: last, saved, h });
    layers.push({ h, saved, first, last });
  }
  const raw = repeated(weights.bias('by'), n, room.array(n * outputs));
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
  const { dense, recurrent } = kernelsOf(backend, weights.single);
  const n = steps;
  const dStates: Real[] = [];
  let above: { e: Real; gates: number } | undefined;
  for (let layer = hidden.length - 1; layer >= 0; layer--) {
    const m = hidden[layer]!;
    const gates = architecture.gates(layer);
    const trace = layers[layer]!;
    const dh = room.zeros(n * m);
    yield work(dense.affine, { n, i: outputs, o: m }, { x: dRaw, W: weights.along(`Wy${layer}`), y: dh });
    if (above)
      yield work(dense.affine, { n, i: above.gates, o: m }, { x: above.e, W: weights.along(`Wd${layer + 1}`), y: dh });
    const before = shifted(room.copy(trace.h), lengths, m, trace.first, architecture.states(layer), 0);
    const e = room.array(n * gates);
    const du = room.array(cell === 'gru' ? n * m : 0);
    const dState = room.array(spans.length * architecture.states(layer));
    const W = weights.along(`Wh${layer}`);
    const last = cell === 'lstm' ? cellsBefore(trace, lengths, m, room) : cell === 'gru' ? before : room.array(0);
    const back = { lengths: spans, dh, h: trace.h, last, saved: trace.saved, W, e, du, dState };
    yield work(recurrent.backward, { m, cell }, back);

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
      const products = candidates(room.copy(e), du, m);
      yield work(dense.gradient, { n, i: m, o: gates }, { x: before, dy: products, dW: dWh, db: sums }, how);
      for (let i = 0; i < m; i++) gradient[`bh${layer}`]![i]! += sums[2 * m + i]!;
    } else yield add(before, m, e, gates, `Wh${layer}`);
    dStates[layer] = spans === lengths ? dState : firstSpans(dState, lengths, spans, architecture.states(layer), room);
    above = { e, gates };
  }
  return dStates;
}

/** Vectors of m numbers per step that the backward pass of a cell needs beside h. */
const savedOf = ({ cell }: Architecture): number => ({ tanh: 0, relu: 0, lstm: 5, gru: 4 })[cell];

/** A row again and again: each step doubles what is there. */
function repeated(row: Real, times: number, to: Real): Real {
  if (times === 0) return to;
  to.set(row);
  for (let done = row.length; done < to.length; done *= 2) to.copyWithin(done, 0, Math.min(done, to.length - done));
  return to;
}
/** What was h[t] becomes h[t-1]; before the first step the state at `offset`. */
function shifted(to: Real, lengths: Int32Array, m: number, states: Real, width: number, offset: number): Real {
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    if (length === 0) continue;
    const end = at + length * m;
    to.copyWithin(at + m, at, end - m);
    to.set(states.subarray(s * width + offset, s * width + offset + m), at);
    at = end;
  }
  return to;
}
/** c[t-1] of every step of lstm, whose saved rows end in c. */
function cellsBefore({ saved, first }: Trace, lengths: Int32Array, m: number, room: Workspace): Real {
  const c = room.array(saved.length / 5);
  for (let row = 0; row * m < c.length; row++)
    for (let j = 0; j < m; j++) c[row * m + j] = saved[(5 * row + 4) * m + j]!;
  return shifted(c, lengths, m, first, 2 * m, m);
}
/** The gradients to W_h h of gru: its candidate's is scaled by the reset gate. */
function candidates(to: Real, du: Real, m: number): Real {
  for (let row = 0; row * m < du.length; row++) to.set(du.subarray(row * m, (row + 1) * m), (3 * row + 2) * m);
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
