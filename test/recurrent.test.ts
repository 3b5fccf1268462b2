/** The gradients of one recurrent layer against central differences of its forward pass, for each cell and argument. */
import { describe, expect, test } from 'vitest';
import type { Backend } from '../src/bind.ts';
import { contract } from '../src/contract.ts';
import { derivedSizes, pad } from '../src/grammar.ts';
import { backends } from './support/backends.ts';
import { uniform } from './support/cases.ts';
import { expectBits } from './support/models.ts';
import type { Table } from './support/table.ts';

type Cell = (typeof contract.recurrent.forward.options.cell)[number];
const i = 3;
const m = 5;
const lengths = Int32Array.of(3, 0, 5, 1, 0, 4, 2);
const n = lengths.reduce((sum, length) => sum + length, 0);
const sizesOf = (cell: Cell) => derivedSizes(contract.recurrent.forward)({ units: m, cell });

type Drawn = (length: number) => Float64Array;
const drawn = (seed: number): Drawn => {
  const random = uniform(seed);
  return (length) => Float64Array.from({ length }, random);
};
/** The arguments that are varied: rows of weights are gates, without padding. */
function parameters(cell: Cell, values: Drawn) {
  const { gates, biased, carried } = sizesOf(cell);
  return {
    x: values(n * i),
    Wx: values(gates * i),
    b: values(gates),
    Wh: values(gates * m),
    bias: values(biased),
    state: values(lengths.length * carried),
  };
}
type Parameters = ReturnType<typeof parameters>;
const names = ['x', 'Wx', 'b', 'Wh', 'bias', 'state'] as const;

/** Pads each row of W, transposed if `turned`, to whole lines. */
function padded(W: Float64Array, rows: number, columns: number, turned: boolean): Float64Array {
  const [height, width] = turned ? [columns, rows] : [rows, columns];
  const line = pad(width, 'f64');
  const out = new Float64Array(height * line);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[turned ? c * line + r : r * line + c] = W[r * columns + c]!;
  return out;
}
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, j) => sum + value * b[j]!, 0);

function forward({ f64 }: Backend<Table>, cell: Cell, { x, Wx, b, Wh, bias, state: before }: Parameters) {
  const { gates, kept } = sizesOf(cell);
  const a = Float64Array.from({ length: n * gates }, (_, j) => b[j % gates]!);
  f64.dense.affine({ n, i, o: gates }, { x, W: padded(Wx, gates, i, true), y: a });
  const [h, saved, state] = [new Float64Array(n * m), new Float64Array(n * kept), before.slice()];
  const none = { x: new Float64Array(), Wx: new Float64Array() };
  const W = padded(Wh, gates, m, true);
  const dims = { units: m, cell, begun: gates, inputs: 0 };
  f64.recurrent.forward(dims, { lengths, a, ...none, W, bias, state, saved, h });
  return { h, saved, state };
}

/** The same array one step earlier; the first step of a sequence gets its `state`, from `at` on. */
function delayed(values: (row: number) => Float64Array, state: Float64Array, at: number): Float64Array {
  const out = new Float64Array(n * m);
  const v = state.length / lengths.length;
  let row = 0;
  for (const [s, length] of lengths.entries())
    for (let t = 0; t < length; t++, row++)
      out.set(t > 0 ? values(row - 1) : state.subarray(s * v + at, s * v + at + m), row * m);
  return out;
}

/** The gradients of the loss Σ r h + Σ q state, the state after the last step. */
function gradients(
  backend: Backend<Table>,
  cell: Cell,
  given: Parameters,
  r: Float64Array,
  q: Float64Array,
): Parameters {
  const { f64 } = backend;
  const { gates } = sizesOf(cell);
  const { x, Wx, Wh, bias, state } = given;
  const { h, saved } = forward(backend, cell, given);
  const lastH = delayed((row) => h.subarray(row * m, (row + 1) * m), state, 0);
  const lastC = delayed((row) => saved.subarray((row * 5 + 4) * m, (row * 5 + 5) * m), state, m);
  const last = { tanh: new Float64Array(), relu: new Float64Array(), lstm: lastC, gru: lastH }[cell];
  const [e, du] = [new Float64Array(n * gates), new Float64Array(n * bias.length)];
  const before = delayed((row) => r.subarray(row * m, (row + 1) * m), new Float64Array(lengths.length * m), 0);
  const dState = q.slice();
  const v = state.length / lengths.length;
  let end = 0;
  for (const [s, length] of lengths.entries()) {
    end += length;
    for (let j = 0; j < m && length > 0; j++) dState[s * v + j]! += r[(end - 1) * m + j]!;
  }
  const W = padded(Wh, gates, m, false);
  f64.recurrent.backward({ units: m, cell, fed: m }, { lengths, before, h, last, saved, W, e, du, dState });

  // gradients by Wh h, which in gru's n block are not those by a
  const through = e.slice();
  for (let t = 0; t < n && cell === 'gru'; t++) through.set(du.subarray(t * m, (t + 1) * m), t * gates + 2 * m);
  const d = Object.fromEntries(
    names.map((name) => [name, new Float64Array(given[name].length)]),
  ) as unknown as Parameters;
  const dThrough = new Float64Array(gates);
  f64.dense.gradient({ n, i, o: gates }, { x, dy: e, dW: d.Wx, db: d.b });
  f64.dense.gradient({ n, i: m, o: gates }, { x: lastH, dy: through, dW: d.Wh, db: dThrough });
  f64.dense.affine({ n, i: gates, o: i }, { x: e, W: padded(Wx, gates, i, false), y: d.x });
  d.bias.set(dThrough.subarray(2 * m, 2 * m + d.bias.length));
  d.state.set(dState);
  return d;
}

for (const backend of backends)
  describe.each(contract.recurrent.forward.options.cell)(`${backend.name} ${backend.isa} %s`, (cell) => {
    const given = parameters(cell, drawn(11));
    const r = drawn(5)(n * m);
    const q = drawn(6)(given.state.length);
    const d = gradients(backend, cell, given, r, q);
    const loss = (at: Parameters): number => {
      const { h, state } = forward(backend, cell, at);
      return dot(r, h) + dot(q, state);
    };
    test.each(names.filter((name) => given[name].length > 0))('the gradient of %s is that of differences', (name) => {
      const directions = drawn(23);
      for (let times = 0; times < 5; times++) {
        const direction = directions(given[name].length);
        const moved = (by: number): Parameters => ({
          ...given,
          [name]: given[name].map((value, j) => value + by * direction[j]!),
        });
        const step = 1e-5;
        const slope = (loss(moved(step)) - loss(moved(-step))) / (2 * step);
        expect(Math.abs(dot(d[name], direction) - slope)).toBeLessThan(1e-7 * Math.max(1, Math.abs(slope)));
      }
    });
    test('a sequence without steps leaves the gradient of its state as it is', () => {
      const v = given.state.length / lengths.length;
      const own = (values: Float64Array, s: number): number[] => [...values.subarray(s * v, (s + 1) * v)];
      for (const [s, length] of lengths.entries()) if (length === 0) expect(own(d.state, s)).toEqual(own(q, s));
    });

    test.each(['f64', 'f32'] as const)('%s: a sequence in pieces gives the bits of one call', (dtype) => {
      const { forward, backward } = (backend[dtype] as Backend<Table>['f64']).recurrent;
      const values = drawn(31);
      const real = (length: number): Float64Array =>
        (dtype === 'f32' ? Float32Array.from(values(length)) : values(length)) as Float64Array;
      const [T, g, z, v] = [13, sizesOf(cell).gates, sizesOf(cell).kept, given.state.length / lengths.length];
      const pad = dtype === 'f32' ? 16 : 8;
      const [W, across] = [real(g * pad), real(m * Math.ceil(g / pad) * pad)];
      const [a, bias, state, before, dState] = [real(T * g), real(given.bias.length), real(v), real(T * m), real(v)];
      const last = real(cell === 'lstm' || cell === 'gru' ? T * m : 0);
      /** Runs forward and backward in calls of that many steps. */
      const run = (...steps: number[]) => {
        const own = { state: state.slice(), saved: real(T * z), h: real(T * m) };
        const ways = { dState: dState.slice(), e: real(T * g), du: real(cell === 'gru' ? T * m : 0) };
        const starts = steps.map((_, i) => steps.slice(0, i).reduce((sum, step) => sum + step, 0));
        const part = (x: Float64Array, i: number): Float64Array => {
          const width = x.length / T;
          return x.subarray(starts[i]! * width, (starts[i]! + steps[i]!) * width);
        };
        for (const i of steps.keys())
          forward(
            { units: m, cell, begun: g, inputs: 0 },
            {
              lengths: Int32Array.of(steps[i]!),
              a: part(a, i),
              x: real(0),
              Wx: real(0),
              W: across,
              bias,
              state: own.state,
              saved: part(own.saved, i),
              h: part(own.h, i),
            },
          );
        for (const i of [...steps.keys()].reverse())
          backward(
            { units: m, cell, fed: m },
            {
              lengths: Int32Array.of(steps[i]!),
              before: part(before, i),
              h: part(own.h, i),
              last: part(last, i),
              saved: part(own.saved, i),
              W,
              e: part(ways.e, i),
              du: part(ways.du, i),
              dState: ways.dState,
            },
          );
        return { ...own, ...ways };
      };
      const whole = run(T);
      for (const steps of [[1, 12], [12, 1], [4, 0, 5, 4], Array<number>(T).fill(1)])
        for (const [name, x] of Object.entries(run(...steps))) expectBits(x, whole[name as 'h']);
      expect(whole.dState).not.toEqual(dState);
    });
  });
