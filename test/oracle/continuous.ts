/** The continuous-time network, one step and one unit at a time. */
import type { Oracle } from '../oracle.ts';
import { type Draws, positive, shrunk } from './draws.ts';
import { range } from './matrices.ts';

export const continuous: Oracle['continuous'] = {
  run({ n, d }, { state, W, b, alpha, x, slopes }) {
    const width = W.length / d;
    for (const t of range(n))
      for (const j of range(d)) {
        const last = (i: number): number => (t > 0 ? x[(t - 1) * d + i]! : state[i]!);
        let p = b[j]!;
        for (const i of range(d)) p += last(i) * W[i * width + j]!;
        slopes[t * d + j] = 1 / Math.cosh(p) ** 2;
        x[t * d + j] = last(j) + alpha[0]! * (Math.tanh(p) - last(j));
      }
  },
  jacobians({ n, d }, { slopes, back, alpha, J }) {
    for (const t of range(n))
      for (const i of range(d))
        for (const j of range(d))
          J[(t * d + i) * d + j] = alpha[0]! * slopes[t * d + i]! * back[i * d + j]! + (i === j ? 1 - alpha[0]! : 0);
  },
  adjoint({ n, d }, { dx, slopes, back, alpha, e, l }) {
    const width = back.length / d;
    for (const t of range(n).reverse()) {
      for (const j of range(d)) e[t * d + j] = alpha[0]! * slopes[t * d + j]! * l[j]!;
      for (const j of range(d)) {
        let sum = dx[t * d + j]! + (1 - alpha[0]!) * l[j]!;
        for (const i of range(d)) sum += e[t * d + i]! * back[i * width + j]!;
        l[j] = sum;
      }
    }
  },
  sensitivities({ n, d, columns }, { J, S }) {
    for (const t of range(n).slice(1))
      for (const i of range(d))
        for (const c of range(columns))
          for (const j of range(d))
            S[(t * d + i) * columns + c]! += J[(t * d + i) * d + j]! * S[((t - 1) * d + j) * columns + c]!;
  },
};
export const draws: Draws<'continuous'> = {
  sizes(sizes) {
    sizes['columns'] = sizes['d']! + 2;
  },
  kernels: {
    run: { args: { W: shrunk('d'), alpha: positive }, extremes: ['state', 'b'] },
    jacobians: { args: { slopes: positive, alpha: positive } },
    adjoint: { args: { slopes: positive, back: shrunk('d'), alpha: positive } },
    sensitivities: { args: { J: shrunk('d') } },
  },
};
