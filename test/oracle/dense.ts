/** Linear layers by their formulas. */
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, positive, shrunk } from './draws.ts';
import { add, range } from './matrices.ts';

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const bce = (a: number, y: number): number => y * softplus(-a) + (1 - y) * softplus(a);

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
  activate(_, { a, h, slope }) {
    for (const [j, value] of a.entries()) {
      h[j] = Math.tanh(value);
      slope[j] = 1 / Math.cosh(value) ** 2;
    }
  },
  crossEntropy({ n, o }, { logits, y, weights, classWeights, loss, probabilities, dLogits }) {
    for (const r of range(n)) {
      loss[r] = 0;
      for (const q of range(o)) {
        const at = r * o + q;
        const [a, target, weight] = [logits[at]!, y[at]!, weights[r]! * classWeights[q]!];
        loss[r]! += weight * bce(a, target);
        probabilities[at] = sigmoid(a);
        dLogits[at] = weight * (sigmoid(a) - target);
      }
    }
  },
  sgd({ n, i, units, o }, { x, y, rate, V, b, W, c, loss }) {
    const [width, line] = [b.length, c.length];
    for (const r of range(n)) {
      const input = x.slice(r * i, (r + 1) * i);
      const z = range(units).map((u) => b[u]! + add(range(i).map((j) => V[j * width + u]! * input[j]!)));
      const h = z.map(Math.tanh);
      const a = range(o).map((q) => c[q]! + add(range(units).map((u) => W[u * line + q]! * h[u]!)));
      loss[r] = add(a.map((value, q) => bce(value, y[r * o + q]!)));
      const Q = a.map((value, q) => sigmoid(value) - y[r * o + q]!);
      const e = z.map((value, u) => add(Q.map((d, q) => W[u * line + q]! * d)) / Math.cosh(value) ** 2);
      for (const q of range(o)) {
        c[q]! -= rate[0]! * Q[q]!;
        for (const u of range(units)) W[u * line + q]! -= rate[0]! * Q[q]! * h[u]!;
      }
      for (const u of range(units)) {
        b[u]! -= rate[0]! * e[u]!;
        for (const j of range(i)) V[j * width + u]! -= rate[0]! * e[u]! * input[j]!;
      }
    }
  },
};

/** Some of them 0. */
const sparse: Draw = (x) => {
  for (let i = 0; i < x.length; i++) x[i]! *= Number(i % 3 > 0);
};
/** A rate at which rounding errors do not grow from row to row. */
const small: Draw = (rate) => {
  rate[0] = 0.01 + Math.abs(rate[0]!) / 100;
};
/** In [0, 1], some at its ends. */
const targets: Draw = (y) => {
  for (let i = 0; i < y.length; i++) y[i] = Math.min(Math.abs(y[i]!) * 1.5, 1) * Number(i % 3 > 0);
};

export const draws: Draws<'dense'> = {
  kernels: {
    affine: { args: { W: shrunk('i') }, extremes: ['x'] },
    gradient: { extremes: ['x', 'dy'] },
    activate: { extremes: ['a'] },
    crossEntropy: { args: { y: targets, weights: positive, classWeights: positive }, extremes: ['logits', 'y'] },
    sgd: { args: { x: sparse, y: targets, rate: small, V: shrunk('i'), W: shrunk('units') } },
  },
};
