/** Small kernels that use every word of the grammar: only the test build contains them. */
import type { NounSpec } from '../../src/grammar.ts';

const close = { f64: 1e-12, f32: 2e-4 };

export const probe = {
  masked: {
    formula: 'out[i] = Σ_j mask[i,j] (c[j] - (u[j] (x[i,j] - mean[j]))²); what the mask hides is never read',
    dims: ['n', 'd'],
    args: { x: 'in n d', mask: 'in u8 n d', c: 'in d', mean: 'in d', u: 'in d', row: 'tmp d', out: 'out n' },
    rows: 'n',
    rtol: close,
  },
  recur: {
    formula: 'h[t] = activation(a[t] + h[t-1] W), h[-1] = state; state becomes the last h of its sequence',
    dims: ['n', 's', 't', 'units', 'gates'],
    options: { activation: ['tanh', 'relu'] },
    derived: { gates: { tanh: 'units', relu: 'units' } },
    args: {
      lengths: 'in i32 s', a: 'in n gates', W: 'in units pad(units)',
      z: 'tmp t pad(units)', state: 'inout s units', h: 'out n units',
    },
    rows: 'n',
    lengths: 'lengths',
    longest: 't',
    cost: 'n units units',
    rtol: close,
  },
  tally: {
    formula: 'per sequence: steps += lengths, first += x[first row], total += Σ_t x[t]. Fails at (row, column) of a NaN',
    dims: ['n', 's', 'd'],
    args: { lengths: 'in i32 s', x: 'in n d', steps: 'sum 1', first: 'sum d', total: 'sum d' },
    rows: 'n',
    lengths: 'lengths',
    info: ['n', 'd'],
    rtol: close,
  },
  rotate: {
    formula: 'v becomes G v, ‖v‖² is added to norm; no rows. Fails at the first v[j] that is not finite',
    dims: ['d'],
    args: { G: 'in d d', v: 'inout d', w: 'tmp d', norm: 'sum 1' },
    info: ['d'],
    rtol: close,
  },
} as const satisfies NounSpec;
