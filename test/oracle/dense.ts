/** Linear layers by their formulas. */
import type { Oracle } from '../oracle.ts';
import { type Draws, shrunk } from './draws.ts';
import { range } from './matrices.ts';

export const dense: Oracle['dense'] = {
  affine({ n, i, o }, { x, W, y }) {
    for (const r of range(n))
      for (const q of range(o)) for (const j of range(i)) y[r * o + q]! += x[r * i + j]! * W[j * (W.length / i) + q]!;
  },
  gradient({ n, i, o }, { x, dy, dW, db }) {
    for (const r of range(n))
      for (const q of range(o)) {
        for (const j of range(i)) dW[q * i + j]! += dy[r * o + q]! * x[r * i + j]!;
        db[q]! += dy[r * o + q]!;
      }
  },
};

export const draws: Draws<'dense'> = {
  kernels: {
    affine: { args: { W: shrunk('i') }, extremes: ['x'] },
    gradient: { extremes: ['x', 'dy'] },
  },
};
