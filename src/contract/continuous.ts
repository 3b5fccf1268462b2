/**
 * Kernels of the continuous-time network, one trajectory of n Euler steps in d dimensions. W[i,j] is the weight from
 * unit i to unit j, `back` its transpose; `slopes` are tanh' of each step. Equations: docs/math/continuous.md.
 */
import type { NounSpec } from '../grammar.ts';

const rtol = { f64: 1e-11, f32: 2e-3 };

export const continuous = {
  run: {
    formula: 'p = b + x[t-1] W;  x[t] = x[t-1] + alpha (tanh p - x[t-1]);  slopes[t] = sech² p;  x[-1] = state',
    dims: ['n', 'd'],
    args: {
      state: 'in d',
      W: 'in d pad(d)',
      b: 'in d',
      alpha: 'in 1',
      line: 'tmp pad(d)',
      x: 'out n d',
      slopes: 'out n d',
    },
    cost: 'n d d + n d 60',
    rtol,
  },
  jacobians: {
    formula: 'J[t,i,j] = alpha slopes[t,i] back[i,j] + (1 - alpha) [i = j]',
    dims: ['n', 'd'],
    args: { slopes: 'in n d', back: 'in d d', alpha: 'in 1', J: 'out n d d' },
    rows: 'n',
    cost: 'n d d',
    rtol,
  },
  adjoint: {
    formula: 'e[t] = alpha slopes[t] ⊙ l;  l ← dx[t] + (1 - alpha) l + e[t] back;  l: dLoss/dx after the last step',
    dims: ['n', 'd'],
    args: {
      dx: 'in n d',
      slopes: 'in n d',
      back: 'in d pad(d)',
      alpha: 'in 1',
      line: 'tmp pad(d)',
      e: 'out n d',
      l: 'inout d',
    },
    cost: 'n d d + n d 4',
    rtol,
  },
  sensitivities: {
    formula: 'S[t] ← S[t] + J[t] S[t-1], S[-1] = 0: the immediate derivatives become the total ones',
    dims: ['n', 'd', 'columns'],
    args: { J: 'in n d d', line: 'tmp d pad(columns)', S: 'inout n d columns' },
    cost: 'n d d columns',
    rtol,
  },
} as const satisfies NounSpec;
