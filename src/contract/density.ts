/**
 * Kernels of the mixture density: a row of raw numbers is the distribution of a vector x. Raw rows are
 * [logits k | means k d | covariance values k values | Bernoulli logits q], rows of x are [d | q]; the mappings are in
 * docs/math/density.md. `floor` is the raw value of the smallest standard deviation (-infinity: none): a raw r of a
 * standard deviation counts as floor + softplus(r - floor). INFO counts d + 1 pivots per component: one that is not
 * positive; or number d of component 0: the row is not finite, has no density, or some of its results are not finite.
 */
import type { NounSpec } from '../grammar.ts';

// the mappings, and the covariance values of each
const values = {
  'tanh-full': 'tri(d)',
  'tanh-diag': 'd',
  'chol-exp': 'tri(d)',
  'chol-softplus': 'tri(d)',
  'diag-exp': 'd',
  'diag-softplus': 'd',
  graves: '3',
} as const;
const shape = {
  dims: ['n', 'd', 'k', 'q', 'values', 'outputs', 'observed', 'pivots'],
  options: { mapping: Object.keys(values) as readonly (keyof typeof values)[] },
  derived: { values, outputs: 'k + k d + k values + q', observed: 'd + q', pivots: 'd + 1' },
  rows: 'n',
  info: ['n', 'k', 'pivots'],
} as const;
// one vector of rows in lanes, 64 bytes at most: 16 values a line
const tile = { tile: 'tmp outputs 16', e: 'tmp k d 16', slope: 'tmp k d 16', failed: 'tmp i32 16' } as const;
const scored = {
  ...tile,
  line: 'tmp 16',
  y: 'tmp observed 16',
  u: 'tmp k d 16',
  L: 'tmp values 16',
  joint: 'tmp k 16',
} as const;

export const density = {
  forward: {
    formula:
      'logDensity[i] = log Σ_j π[i,j] N(x[i] | μ[i,j], Σ[i,j]) - Σ_b bce(logit[i,b], x[i,d+b]);  ' +
      'r[i,j] = the share of j',
    ...shape,
    args: { raw: 'in n outputs', x: 'in n observed', floor: 'in 1', ...scored, logDensity: 'out n', r: 'out n k' },
    cost: 'n k values + n k d 20 + n k 40',
    rtol: { f64: 1e-12, f32: 2e-4 },
  },
  lossGradient: {
    formula: 'the same, and the gradients dRaw, dx of the loss -Σ_i logDensity[i]',
    ...shape,
    args: {
      raw: 'in n outputs',
      x: 'in n observed',
      floor: 'in 1',
      ...scored,
      inverse: 'tmp values 16',
      dy: 'tmp observed 16',
      logDensity: 'out n',
      r: 'out n k',
      dRaw: 'out n outputs',
      dx: 'out n observed',
    },
    cost: 'n k values 2 + n k d 20 + n k 40',
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
  distribution: {
    formula:
      'weights[i] = softmax of the logits;  L[i,j] lower, packed: Σ = L Lᵀ ' +
      '(diagonal mappings: the standard deviations)',
    ...shape,
    args: {
      raw: 'in n outputs',
      floor: 'in 1',
      ...tile,
      sums: 'tmp k 16',
      weights: 'out n k',
      L: 'out n k values',
      probabilities: 'out n q',
    },
    cost: 'n k values + n k d 20 + n k 20',
    rtol: { f64: 1e-12, f32: 2e-4 },
  },
} as const satisfies NounSpec;
