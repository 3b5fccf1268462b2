/**
 * Kernels of linear dynamical systems: z[t] = A z[t-1] + N(0, Q), x[t] = B z[t] + N(0, R), z of `latent` coordinates
 * (m in the formulas), x of d. A NaN in x is a gap. `model` is what `prepare` makes of the parameters; `state` holds a
 * mean [latent] and a covariance [latent, latent] for each sequence, is read on entry and written on exit, so that a
 * sequence can be processed in chunks, with the same bits. All is f64. Equations: docs/math/lds.md.
 */
import type { NounSpec } from '../grammar.ts';

const sizes = {
  // A, its transpose, Q, LQᵀ; B, L⁻¹B; its transpose; R, L⁻ᵀ; a constant
  prepared: '4 latent pad(latent) + 2 d pad(latent) + latent pad(d) + 2 d pad(d) + 8',
  carried: 'latent + latent latent',
  // matrices and vectors of a step
  scratch: '16 latent pad(latent) + 3 d pad(latent) + latent pad(d) + 3 d pad(d) + 6 pad(latent) + 6 pad(d) + 6144',
} as const;
const ragged = { rows: 'n', lengths: 'lengths', info: ['n'] } as const;
const close = { f64: 1e-9, f32: 1e-3 };

export const lds = {
  prepare: {
    formula: 'model of A, B, Q = LQ LQᵀ and R = LR LRᵀ, LQ and LR packed: padded copies, transposes, LR⁻¹ B, LR⁻¹',
    dims: ['d', 'latent', 'prepared'],
    derived: { prepared: sizes.prepared },
    args: {
      A: 'in f64 latent latent',
      B: 'in f64 d latent',
      Q: 'in f64 latent latent',
      LQ: 'in f64 tri(latent)',
      R: 'in f64 d d',
      LR: 'in f64 tri(d)',
      model: 'out f64 prepared',
    },
    cost: 'd d latent + d d d',
    rtol: close,
  },
  filter: {
    formula:
      'predicted: of z[t] given x[..t-1];  mean, covariance: given x[..t];  logDensity[t] = log p(x[t] | x[..t-1]).' +
      '  state: of the row before (started = 1) or of the first row before its observation (0); then of the last row.' +
      '  Fails at a row whose results are not finite',
    dims: ['n', 's', 'd', 'latent', 'prepared', 'carried', 'scratch', 'predicted', 'filtered'],
    options: { keep: ['all', 'filtered', 'none'] },
    derived: {
      ...sizes,
      predicted: { all: 'latent', filtered: '0', none: '0' },
      filtered: { all: 'latent', filtered: 'latent', none: '0' },
    },
    ...ragged,
    together: 8,
    args: {
      lengths: 'in i32 s',
      model: 'in f64 prepared',
      started: 'in i32 s',
      x: 'in f64 n d',
      work: 'tmp f64 scratch',
      state: 'inout f64 s carried',
      predictedMean: 'out f64 n predicted',
      predictedCovariance: 'out f64 n predicted latent',
      mean: 'out f64 n filtered',
      covariance: 'out f64 n filtered latent',
      logDensity: 'out f64 n',
    },
    cost: 'n latent latent latent 4 + n latent latent d 3 + n latent d d + n 200',
    rtol: close,
  },
  smooth: {
    formula:
      'smoothed: of z[t] given all x;  lagOne[t] = Cov(z[t+1], z[t]), 0 at the last row of an ended sequence.' +
      '  state: of the row after the last (ended = 0), unused if there is none (1); then of the first row.' +
      '  Fails at a row t where the predicted covariance of t+1 is not positive definite',
    dims: ['n', 's', 'd', 'latent', 'prepared', 'carried', 'scratch'],
    derived: sizes,
    ...ragged,
    args: {
      lengths: 'in i32 s',
      model: 'in f64 prepared',
      ended: 'in i32 s',
      mean: 'in f64 n latent',
      covariance: 'in f64 n latent latent',
      work: 'tmp f64 scratch',
      state: 'inout f64 s carried',
      smoothedMean: 'out f64 n latent',
      smoothedCovariance: 'out f64 n latent latent',
      lagOne: 'out f64 n latent latent',
    },
    cost: 'n latent latent latent 8 + n 200',
    rtol: close,
  },
  moments: {
    formula:
      'smooth, and sums of what the M step needs, over rows t, of expectations E given all x:' +
      '  S00 of E z[t] z[t]ᵀ, cross of E v zᵀ and W of E v vᵀ with v = z[t+1] - A z[t], z = z[t], where t+1 is known;' +
      '  Szz of E z zᵀ, observed of E e zᵀ and residual of E e eᵀ with e = x[t] - B z[t];' +
      '  first of E z - initialMean and firstSquare of E (z - initialMean)(z - initialMean)ᵀ at first rows (started = 0)',
    dims: ['n', 's', 'd', 'latent', 'prepared', 'carried', 'scratch'],
    derived: sizes,
    ...ragged,
    args: {
      lengths: 'in i32 s',
      model: 'in f64 prepared',
      started: 'in i32 s',
      ended: 'in i32 s',
      initialMean: 'in f64 latent',
      x: 'in f64 n d',
      mean: 'in f64 n latent',
      covariance: 'in f64 n latent latent',
      work: 'tmp f64 scratch',
      state: 'inout f64 s carried',
      S00: 'sum latent latent',
      cross: 'sum latent latent',
      W: 'sum latent latent',
      Szz: 'sum latent latent',
      observed: 'sum d latent',
      residual: 'sum d d',
      first: 'sum latent',
      firstSquare: 'sum latent latent',
    },
    cost: 'n latent latent latent 11 + n latent d 2 + n 200',
    rtol: close,
  },
} as const satisfies NounSpec;
