/**
 * Kernels of convolution, which sum directly or by Fourier transforms (`Fft`). `convolve` has a short w and a long x,
 * `correlate` two long ones and few results: with arguments exchanged or reversed these are y, dx and dw in every mode.
 * `gradientFft` has dx and dw of one transform of dy.
 * x counts as 0 before its first and behind its last value. Equations: docs/math/convolution.md.
 *
 *   n values of x    taps: values of w    results: values of out    parts of w, one transform each
 */
import { type NounSpec, PLANE, TILE, TRANSFORM } from '../grammar.ts';

/**
 * Transforms pay from so many values of the shortest of the three arrays on, and from so many products on. One constant
 * for all machines, so that all have the same bits; measured in f64, ns a sample of n, direct sums and transforms:
 *
 *                    avx512         avx2           baseline       wasm
 *   n=100,000 K=48   0.96 / 1.22    1.82 / 1.87    4.2 / 3.6      3.8 / 6.5
 *             K=64   1.20 / 1.28    2.4 / 1.85     5.4 / 3.6      5.0 / 6.5
 *             K=96   1.73 / 1.32    3.5 / 1.86     7.8 / 3.7      7.3 / 6.6
 *   n=16,384  K=64   1.20 / 1.91    2.3 / 2.8      5.3 / 5.6      5.1 / 7.4
 *             K=128  2.3 / 1.92     4.6 / 2.8      10.2 / 5.6     9.8 / 7.4
 */
export const CROSSOVER = { shortest: 64, products: 2 ** 20 } as const;

const rtol = { f64: 1e-12, f32: 2e-4 };
// segments of the signal side by side: one line is one value of each
const lines = { lines: 'tmp span 16', tile: `tmp ${TILE + 16} 16` } as const;
const transforms = { twiddles: `in 2 ${TRANSFORM}`, roots: 'in 2 64', columns: 'tmp 128 16' } as const;
// for each group of 16 values: whether a value near the largest is among them; whether the transform is exact enough
const trust = { loud: 'tmp i32 2 256', sure: 'tmp i32 2 256' } as const;

export const convolution = {
  finite: {
    formula: 'fails at the first i where x[i] is NaN or infinite',
    dims: ['n'],
    args: { x: 'in n' },
    rows: 'n',
    cost: 'n',
    info: ['n'],
    rtol,
  },
  convolve: {
    formula: 'out[i] = Σ_j w[j] x[i + start - j];  fails at the first i where it is not finite',
    dims: ['n', 'taps', 'results', 'start', 'span'],
    derived: { span: `taps + ${TILE + 32}` },
    args: { x: 'in n', w: 'in taps', ...lines, out: 'out results' },
    cost: 'taps results',
    info: ['results'],
    rtol,
  },
  correlate: {
    formula: 'out[j] = Σ_i w[i] x[i + j - start];  fails at the first j where it is not finite',
    dims: ['n', 'taps', 'results', 'start', 'span'],
    derived: { span: `results + ${TILE + 32}` },
    args: { x: 'in n', w: 'in taps', ...lines, total: 'tmp f64 results', out: 'out results' },
    cost: 'taps results',
    info: ['results'],
    rtol,
  },
  convolveFft: {
    formula: 'out[i] = Σ_j w[j] x[i + start - j], by transforms where that is as exact',
    dims: ['n', 'taps', 'results', 'start', 'parts', 'span'],
    derived: { span: `taps + ${TILE + 32}` },
    args: {
      x: 'in n',
      w: 'in taps',
      ...transforms,
      spectra: `tmp parts 2 ${PLANE}`,
      block: `tmp 6 ${PLANE}`,
      ...trust,
      ...lines,
      out: 'out results',
    },
    cost: 'results parts 64',
    rtol,
  },
  correlateFft: {
    formula: 'out[j] = Σ_i w[i] x[i + j - start], by transforms where that is as exact',
    dims: ['n', 'taps', 'results', 'start', 'span'],
    derived: { span: `results + ${TILE + 32}` },
    args: {
      x: 'in n',
      w: 'in taps',
      ...transforms,
      block: `tmp 8 ${PLANE}`,
      loud: 'tmp i32 256',
      ...lines,
      total: 'tmp f64 results',
      out: 'out results',
    },
    cost: 'taps 64',
    rtol,
  },
  gradientFft: {
    formula:
      'dx[i] = Σ_j w[taps-1-j] dy[i + j - start];  dw[j] = Σ_i x[i] dy[i + j - start], ' +
      'by transforms where that is as exact',
    dims: ['n', 'taps', 'results', 'start', 'span'],
    derived: { span: `taps + ${TILE + 32}` },
    args: {
      x: 'in n',
      w: 'in taps',
      dy: 'in results',
      ...transforms,
      spectra: `tmp 2 ${PLANE}`,
      block: `tmp 8 ${PLANE}`,
      ...trust,
      ...lines,
      total: 'tmp f64 taps',
      dx: 'out n',
      dw: 'out taps',
    },
    cost: 'n 128',
    rtol,
  },
} as const satisfies NounSpec;
