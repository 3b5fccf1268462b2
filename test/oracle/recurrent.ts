/** Recurrent layers, one sequence, one step and one unit at a time. */
import type { Oracle } from '../oracle.ts';
import { type Draws, shrunk } from './draws.ts';
import { add, range } from './matrices.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const recurrent: Oracle['recurrent'] = {
  forward({ units, cell, begun, inputs }, { lengths, a, x, Wx, W, bias, state, saved, h }) {
    const gates = { tanh: 1, relu: 1, lstm: 4, gru: 3 }[cell];
    const width = W.length / units;
    const carried = state.length / lengths.length;
    let t = 0;
    for (const [s, length] of lengths.entries())
      for (const _ of range(length)) {
        const last = state.slice(s * carried, (s + 1) * carried);
        for (const u of range(units)) {
          const input = (gate: number): number =>
            (begun ? a[t * gates * units + gate * units + u]! : 0) +
            add(range(inputs).map((j) => Wx[j * width + gate * units + u]! * x[t * inputs + j]!));
          const recurrent = (gate: number): number =>
            add(range(units).map((j) => W[j * width + gate * units + u]! * last[j]!));
          const z = (gate: number): number => input(gate) + recurrent(gate);
          const keep = (...values: number[]): void => {
            for (const [block, value] of values.entries()) saved[(t * values.length + block) * units + u] = value;
          };
          let out: number;
          if (cell === 'tanh') out = Math.tanh(z(0));
          else if (cell === 'relu') out = z(0) > 0 ? z(0) : 0;
          else if (cell === 'lstm') {
            const [i, f, g, o] = [sigmoid(z(0)), sigmoid(z(1)), Math.tanh(z(2)), sigmoid(z(3))];
            const c = f * last[units + u]! + i * g;
            out = o * Math.tanh(c);
            keep(i, f, g, o, c);
            state[s * carried + units + u] = c;
          } else {
            const [reset, update, product] = [sigmoid(z(0)), sigmoid(z(1)), recurrent(2) + bias[u]!];
            const n = Math.tanh(input(2) + reset * product);
            out = (1 - update) * n + update * last[u]!;
            keep(reset, update, n, product);
          }
          state[s * carried + u] = h[t * units + u] = out;
        }
        t++;
      }
  },
  backward({ units, cell, fed }, { lengths, before, h, last, saved, W, e, du, dState }) {
    const gates = { tanh: 1, relu: 1, lstm: 4, gru: 3 }[cell];
    const width = W.length / (gates * units);
    const carried = dState.length / lengths.length;
    let end = 0;
    for (const [s, length] of lengths.entries()) {
      end += length;
      const carry = dState.subarray(s * carried, (s + 1) * carried); // dh of the step, and of lstm dc
      for (const back of range(length)) {
        const t = end - 1 - back;
        const through = Array<number>(gates * units).fill(0); // dLoss/d(Wh h')
        const aside = Array<number>(units).fill(0); // the gradient that reaches h' on other paths
        for (const u of range(units)) {
          const d = carry[u]!;
          const kept = (block: number): number => saved[t * (saved.length / h.length) * units + block * units + u]!;
          const lastOfUnit = last[t * units + u]!;
          const give = (...values: number[]): void => {
            for (const [gate, value] of values.entries())
              e[(t * gates + gate) * units + u] = through[gate * units + u] = value;
          };
          if (cell === 'tanh') give(d * (1 - h[t * units + u]! ** 2));
          else if (cell === 'relu') give(h[t * units + u]! > 0 ? d : 0);
          else if (cell === 'lstm') {
            const [i, f, g, o, c] = range(5).map(kept) as [number, number, number, number, number];
            const dc = d * o * (1 - Math.tanh(c) ** 2) + carry[units + u]!;
            give(
              dc * g * i * (1 - i),
              dc * lastOfUnit * f * (1 - f),
              dc * i * (1 - g * g),
              d * Math.tanh(c) * o * (1 - o),
            );
            carry[units + u] = dc * f;
          } else {
            const [reset, update, n, product] = range(4).map(kept) as [number, number, number, number];
            const dn = d * (1 - update) * (1 - n * n);
            give(dn * product * reset * (1 - reset), d * (lastOfUnit - n) * update * (1 - update), dn);
            du[t * units + u] = through[2 * units + u] = dn * reset;
            aside[u] = update * d;
          }
        }
        for (const u of range(units))
          carry[u] =
            (fed ? before[t * units + u]! : 0) +
            aside[u]! +
            add(through.map((value, row) => value * W[row * width + u]!));
      }
    }
  },
};

export const draws: Draws<'recurrent'> = {
  sizes(sizes, { cell }) {
    const { n, units, i } = sizes as { n: number; units: number; i: number };
    sizes['fed'] = n % 2 ? units : 0;
    sizes['begun'] = n % 2 && cell !== 'gru' ? 0 : { tanh: 1, relu: 1, lstm: 4, gru: 3 }[cell as 'gru'] * units;
    sizes['inputs'] = cell === 'gru' ? 0 : i;
  },
  kernels: {
    forward: { args: { W: shrunk('units'), Wx: shrunk('units') }, extremes: ['a', 'x'] },
    backward: { args: { W: shrunk('units') }, extremes: ['before', 'dState'] },
  },
};
