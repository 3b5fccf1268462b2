/**
 * Kernels of the mixture density: a row of raw numbers is the distribution of a vector x. Raw rows are
 * [logits m | means m k | covariance values m p | Bernoulli logits q], rows of x are [k | q]; the mappings are those of
 * docs/math.md § density. `floor` is the raw value of the smallest standard deviation (-infinity: none): a raw r of a
 * standard deviation counts as floor + softplus(r - floor). INFO counts k + 1 per component: a pivot that is not
 * positive; or k of component 0: the row is not finite, has no density, or not all of its results are finite.
 */
import type { NounSpec } from '../grammar.ts';

const p = {
  'tanh-full': 'tri(k)',
  'tanh-diag': 'k',
  'chol-exp': 'tri(k)',
  'chol-softplus': 'tri(k)',
  'diag-exp': 'k',
  'diag-softplus': 'k',
  graves: '3',
} as const;
const shape = {
  dims: ['n', 'k', 'm', 'q', 'p', 'w', 'v', 'f'],
  options: {
    mapping: ['tanh-full', 'tanh-diag', 'chol-exp', 'chol-softplus', 'diag-exp', 'diag-softplus', 'graves'],
  },
  derived: { p, w: 'm + m k + m p + q', v: 'k + q', f: 'k + 1' },
  rows: 'n',
  info: ['n', 'm', 'f'],
} as const;
// one vector of rows in lanes, 64 bytes at most: 16 values a line
const tile = { tile: 'tmp w 16', e: 'tmp m k 16', slope: 'tmp m k 16', failed: 'tmp i32 16' } as const;
const scored = { ...tile, line: 'tmp 16', y: 'tmp v 16', u: 'tmp m k 16', L: 'tmp p 16', joint: 'tmp m 16' } as const;

export const density = {
  forward: {
    formula:
      'logDensity[i] = log Σ_j π[i,j] N(x[i] | μ[i,j], Σ[i,j]) - Σ_b bce(logit[i,b], x[i,k+b]);  r[i,j] = the share of j',
    ...shape,
    args: { raw: 'in n w', x: 'in n v', floor: 'in 1', ...scored, logDensity: 'out n', r: 'out n m' },
    cost: 'n m p + n m k 20 + n m 40',
    rtol: { f64: 1e-12, f32: 2e-4 },
  },
  lossGradient: {
    formula: 'the same; and of the loss -Σ_i logDensity[i]: dRaw, dx',
    ...shape,
    args: {
      raw: 'in n w',
      x: 'in n v',
      floor: 'in 1',
      ...scored,
      inverse: 'tmp p 16',
      dy: 'tmp v 16',
      logDensity: 'out n',
      r: 'out n m',
      dRaw: 'out n w',
      dx: 'out n v',
    },
    cost: 'n m p 2 + n m k 20 + n m 40',
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
  distribution: {
    formula:
      'weights[i] = softmax of the logits;  L[i,j] lower, packed: Σ = L Lᵀ (diagonal mappings: the standard deviations)',
    ...shape,
    args: {
      raw: 'in n w',
      floor: 'in 1',
      ...tile,
      sums: 'tmp m 16',
      weights: 'out n m',
      L: 'out n m p',
      probabilities: 'out n q',
    },
    cost: 'n m p + n m k 20 + n m 20',
    rtol: { f64: 1e-12, f32: 2e-4 },
  },
} as const satisfies NounSpec;
