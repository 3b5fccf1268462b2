/** The kernels of the test build. */
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, shrunk } from './draws.ts';
import { add, range } from './matrices.ts';

export const probe: Oracle['probe'] = {
  masked({ n, d }, { x, mask, c, mean, u, out }) {
    for (const i of range(n))
      out[i] = add(
        range(d)
          .filter((j) => mask[i * d + j])
          .map((j) => c[j]! - (u[j]! * (x[i * d + j]! - mean[j]!)) ** 2),
      );
  },
  recur({ units, activation }, { lengths, a, W, state, h }) {
    const width = W.length / units;
    const f = activation === 'tanh' ? Math.tanh : (v: number) => Math.max(v, 0);
    let row = 0;
    for (const [i, length] of lengths.entries()) {
      const last = state.subarray(i * units, (i + 1) * units);
      for (const _ of range(length)) {
        const next = range(units).map((j) =>
          f(a[row * units + j]! + add(range(units).map((p) => last[p]! * W[p * width + j]!))),
        );
        last.set(next);
        h.set(next, row++ * units);
      }
    }
  },
  tally({ d }, { lengths, x, steps, first, total }) {
    let row = 0;
    for (const length of lengths) {
      steps[0]! += length;
      for (const t of range(length)) {
        for (const j of range(d)) {
          if (t === 0) first[j]! += x[row * d + j]!;
          total[j]! += x[row * d + j]!;
        }
        row++;
      }
    }
  },
  rotate({ d }, { G, v, norm }) {
    const w = range(d).map((i) => add(range(d).map((j) => G[i * d + j]! * v[j]!)));
    v.set(w);
    norm[0]! += add(w.map((value) => value ** 2));
  },
};

/** NaN where the mask hides a value: it is never to be read. */
const hidden: Draw = (x, { args }) => {
  for (let i = 0; i < x.length; i++) if (!args['mask']![i]) x[i] = NaN;
};
export const draws: Draws<'probe'> = {
  kernels: {
    masked: { args: { x: hidden }, extremes: ['x'] },
    recur: { args: { W: shrunk('units') }, extremes: ['a'] },
    tally: { extremes: ['x'] },
    rotate: { extremes: ['v'] },
  },
};
