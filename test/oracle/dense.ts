/** Linear layers by their formulas. */
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, positive, shrunk } from './draws.ts';
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
  crossEntropy({ n, o }, { logits, y, weights, classWeights, loss, probabilities, dLogits }) {
    const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
    const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
    for (const r of range(n)) {
      loss[r] = 0;
      for (const q of range(o)) {
        const at = r * o + q;
        const [a, target, weight] = [logits[at]!, y[at]!, weights[r]! * classWeights[q]!];
        loss[r]! += weight * (target * softplus(-a) + (1 - target) * softplus(a));
        probabilities[at] = sigmoid(a);
        dLogits[at] = weight * (sigmoid(a) - target);
      }
    }
  },
};

/** In [0, 1], some at its ends. */
const targets: Draw = (y) => {
  for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.abs(y[i]!) * 1.5, 1) * Number(i % 3 > 0);
};

export const draws: Draws<'dense'> = {
  kernels: {
    affine: { args: { W: shrunk('i') }, extremes: ['x'] },
    gradient: { extremes: ['x', 'dy'] },
    crossEntropy: { args: { y: targets, weights: positive, classWeights: positive }, extremes: ['logits', 'y'] },
  },
};
