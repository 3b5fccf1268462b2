/**
 * Kernels of linear layers. Each element adds its terms one by one in ascending order, and sums over rows a tile at a
 * time, so cuts and threads change no bit. Weights are padded to whole lines, data are not. Equations:
 * docs/math/dense.md.
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
} as const satisfies NounSpec;
