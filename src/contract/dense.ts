/**
 * Kernels of linear layers, of tanh and the loss behind them, and of descent row by row. Each element adds its terms one
 * by one in ascending order, and sums of f32 over rows a tile at a time, so cuts and threads change no bit. Weights are
 * padded to whole lines, data are not. INFO: the loss of the row is not finite. Equations: docs/math/dense.md.
 */
import { type NounSpec, TILE } from '../grammar.ts';

// With few inputs, loading and storing y (dy) dominates: 1.5 ns per element, 4 on wasm.
const cost = 'n i o + n o 16';

export const dense = {
  affine: {
    formula: 'y[r] += Σ_j x[r,j] W[j]',
    dims: ['n', 'i', 'o'],
    args: { x: 'in n i', W: 'in i pad(o)', y: 'inout n o' },
    rows: 'n',
    cost,
    rtol: { f64: 1e-12, f32: 1e-4 },
  },
  gradient: {
    formula: 'dW[j] += Σ_r dy[r,j] x[r];  db[j] += Σ_r dy[r,j]',
    dims: ['n', 'i', 'o'],
    args: {
      x: 'in n i',
      dy: 'in n o',
      lines: `tmp ${TILE} pad(i)`,
      strip: `tmp ${TILE} 32`,
      part: 'tmp 24 pad(i)',
      total: 'tmp 32',
      dW: 'sum o i',
      db: 'sum o',
    },
    rows: 'n',
    cost,
    rtol: { f64: 1e-12, f32: 1e-4 },
  },
  activate: {
    formula: 'h = tanh(a);  slope = sech²(a) = 1 - h²',
    dims: ['n', 'o'],
    args: { a: 'in n o', h: 'out n o', slope: 'out n o' },
    rows: 'n',
    cost: 'n o 30',
    rtol: { f64: 1e-12, f32: 1e-4 },
  },
  crossEntropy: {
    formula:
      'loss[r] = weights[r] Σ_j classWeights[j] bce(logits[r,j], y[r,j]);  probabilities = sigmoid(logits);' +
      '  dLogits[r,j] = weights[r] classWeights[j] (probabilities[r,j] - y[r,j])',
    dims: ['n', 'o'],
    args: {
      logits: 'in n o',
      y: 'in n o',
      weights: 'in n',
      classWeights: 'in o',
      terms: `tmp ${TILE} o`,
      loss: 'out n',
      probabilities: 'out n o',
      dLogits: 'out n o',
    },
    rows: 'n',
    cost: 'n o 30',
    info: ['n'],
    rtol: { f64: 1e-12, f32: 2e-4 },
  },
  sgd: {
    formula:
      'for each row in turn:  h = tanh(b + Vᵀx), a = c + Wᵀh, loss = Σ_j bce(a[j], y[j]);  Q = sigmoid(a) - y,' +
      ' e = (W Q) ⊙ sech²;  then W -= rate h Qᵀ, c -= rate Q, V -= rate x eᵀ, b -= rate e',
    dims: ['n', 'i', 'units', 'o'],
    args: {
      x: 'in n i',
      y: 'in n o',
      rate: 'in 1',
      active: 'tmp i32 i',
      h: 'tmp pad(units)',
      slope: 'tmp pad(units)',
      e: 'tmp pad(units)',
      logits: 'tmp pad(o)',
      Q: 'tmp pad(o)',
      terms: 'tmp pad(o)',
      back: 'tmp o pad(units)',
      V: 'inout i pad(units)',
      b: 'inout pad(units)',
      W: 'inout units pad(o)',
      c: 'inout pad(o)',
      loss: 'out n',
    },
    cost: 'n i units 2 + n units o 5',
    info: ['n'],
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
} as const satisfies NounSpec;
