/** Kernels of single Gaussians: factorisation and divergences. Equations: docs/math/gaussian.md. */
import type { NounSpec } from '../grammar.ts';

const close = { f64: 1e-12, f32: 2e-4 };

export const gaussian = {
  factor: {
    formula:
      'A = L Lᵀ, lower triangle packed by rows; logDet = 2 Σ log L[j,j]. Fails at (matrix, pivot) <= d 2^-52 A[j,j]',
    dims: ['n', 'd'],
    args: { A: 'in f64 n d d', lines: 'tmp f64 32 d', L: 'out f64 n tri(d)', logDet: 'out f64 n' },
    rows: 'n',
    cost: 'n d d d',
    info: ['n', 'd'],
    rtol: close,
  },
  factorPart: {
    formula: 'the same for one matrix, rows from .. from + part - 1, when those before are done: the same bits',
    dims: ['d', 'from', 'part'],
    args: { A: 'in f64 d d', lines: 'tmp f64 32 d', L: 'inout f64 tri(d)', logDet: 'inout f64 1' },
    cost: 'part d d',
    info: ['d'],
    rtol: close,
  },
  divergence: {
    formula: 'kl = KL(N(meanP, LP LPᵀ) ‖ N(meanQ, LQ LQᵀ)), its gradients: a to meanP (-a to meanQ), dP to P, dQ to Q',
    dims: ['n', 'd'],
    args: {
      meanP: 'in f64 n d',
      LP: 'in f64 n tri(d)',
      meanQ: 'in f64 n d',
      LQ: 'in f64 n tri(d)',
      W: 'tmp f64 d d',
      inverse: 'tmp f64 d d',
      kl: 'out f64 n',
      a: 'out f64 n d',
      dP: 'out f64 n d d',
      dQ: 'out f64 n d d',
    },
    rows: 'n',
    cost: 'n d d d',
    rtol: close,
  },
  divergenceDiagonal: {
    formula: 'the same for variances vP, vQ:  t = (vP - vQ)/vQ,  kl = ½ Σ (t - log(1 + t) + (meanP - meanQ)²/vQ)',
    dims: ['n', 'd'],
    args: {
      meanP: 'in f64 n d',
      vP: 'in f64 n d',
      meanQ: 'in f64 n d',
      vQ: 'in f64 n d',
      kl: 'out f64 n',
      a: 'out f64 n d',
      dP: 'out f64 n d',
      dQ: 'out f64 n d',
    },
    rows: 'n',
    cost: 'n d 16',
    rtol: close,
  },
} as const satisfies NounSpec;
