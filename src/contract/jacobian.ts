/**
 * Kernels of chains of Jacobians, J[t] = 2^shift[t] diag(slopes[t]) W[t], over one W for all steps or one for each
 * (`matrices` is 1 or n). Steps follow each other, so that no kernel has rows to cut. A row or a column that a slope
 * of 0 makes zero is skipped. |W| and |slopes| up to 2^20 keep products finite, however long: the
 * callers see to it, by `shift`. Equations: docs/math/jacobian.md.
 */
import type { NounSpec } from '../grammar.ts';

const chain = { W: 'in matrices d d', slopes: 'in n d', shift: 'in f64 n' } as const;
// rows that are not zero now, and in the step before
const skipping = { active: 'tmp i32 d', before: 'tmp i32 d' } as const;

export const jacobian = {
  moderate: {
    formula: 'fails at the first i where x[i] is not 0, and not |x[i]| >= 1/inverse, or not |x[i]| <= most',
    dims: ['n'],
    args: { x: 'in n', inverse: 'in 1', most: 'in 1' },
    rows: 'n',
    cost: 'n',
    info: ['n'],
    rtol: { f64: 1e-12, f32: 1e-5 },
  },
  product: {
    formula:
      'J[n-1] … J[0] = 2^exponent product, 1 <= ‖product‖ < 2 or 0 (‖·‖: Frobenius);  ' +
      'logNorm[t] = log ‖J[t] … J[0]‖, -infinity if it is 0',
    dims: ['n', 'd', 'matrices'],
    args: {
      ...chain,
      ...skipping,
      next: 'tmp d pad(d)',
      line: 'tmp 16',
      exponents: 'tmp f64 n',
      product: 'out d pad(d)',
      exponent: 'out f64 1',
      logNorm: 'out f64 n',
    },
    cost: 'n d d d',
    rtol: { f64: 1e-10, f32: 1e-3 },
  },
  spectrum: {
    formula:
      'J[t] Q = Q R by Householder reflections, t ascending, Q replaced;  logR[t,j] = log |R[j,j]|, -infinity if 0',
    dims: ['n', 'd', 'matrices', 'exponents'],
    args: {
      ...chain,
      ...skipping,
      next: 'tmp d pad(exponents)',
      dots: 'tmp pad(exponents)',
      beta: 'tmp exponents',
      Q: 'inout d pad(exponents)',
      logR: 'out f64 n exponents',
    },
    cost: 'n d d exponents + n d exponents exponents 4',
    rtol: { f64: 1e-9, f32: 2e-2 },
  },
  backpropagate: {
    formula: 'adjoint[n] = g[n];  adjoint[t] = g[t] + J[t]ᵀ adjoint[t+1], where J[t] = diag(slopes[t]) W[t]',
    dims: ['n', 'd', 'matrices', 'states'],
    derived: { states: 'n + 1' },
    args: {
      W: 'in matrices d d',
      slopes: 'in n d',
      g: 'in states d',
      active: 'tmp i32 d',
      weight: 'tmp d',
      adjoint: 'out states d',
    },
    cost: 'n d d',
    rtol: { f64: 1e-10, f32: 1e-3 },
  },
  unroll: {
    formula: "z = a[t] + Σ_j h[t-1,j] W[j];  h[t] = φ(z), slopes[t] = φ'(z);  h[-1] = first",
    dims: ['n', 'd'],
    options: { activation: ['tanh', 'relu'] },
    args: { a: 'in n d', W: 'in d pad(d)', first: 'in d', z: 'tmp pad(d)', h: 'out n d', slopes: 'out n d' },
    cost: 'n d d + n d 40',
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
} as const satisfies NounSpec;
