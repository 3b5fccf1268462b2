/**
 * Kernels of one recurrent layer over ragged sequences; what does not depend on the step before (bias, inputs, the layer
 * below) is given as `a`. Cells and their equations: docs/math.md § recurrent. `saved` is what a backward pass needs:
 * lstm i f g o c, gru r z n u (u = W_n h + bias), of the others nothing. `state` is h, of lstm h then c. Both ways it is
 * taken up and left behind, so that a sequence can be gone through in pieces, with the same bits.
 */
import type { NounSpec } from '../grammar.ts';

// 64 sequences go in lock step: of each the number and the row it is at, and one line of scratch
const shape = {
  dims: ['n', 's', 'm', 'g', 'b', 'z', 'l', 'v'],
  options: { cell: ['tanh', 'relu', 'lstm', 'gru'] },
  derived: {
    g: { tanh: 'm', relu: 'm', lstm: '4 m', gru: '3 m' },
    b: { tanh: '0', relu: '0', lstm: '0', gru: 'm' },
    z: { tanh: '0', relu: '0', lstm: '5 m', gru: '4 m' },
    l: { tanh: '0', relu: '0', lstm: 'm', gru: 'm' },
    v: { tanh: 'm', relu: 'm', lstm: '2 m', gru: 'm' },
  },
  rows: 'n',
  lengths: 'lengths',
  cost: 'n m g + n g 20 + n 200', // with few units the step itself dominates
} as const;

export const recurrent = {
  forward: {
    formula: 'h[t] = cell(a[t] + Σ_j h[t-1,j] W[j]);  state: before the first step, then after the last',
    ...shape,
    args: {
      lengths: 'in i32 s',
      a: 'in n g',
      W: 'in m pad(g)',
      bias: 'in b',
      active: 'tmp i32 64',
      row: 'tmp i32 64',
      line: 'tmp 64 pad(g)',
      now: 'tmp 64 v',
      state: 'inout s v',
      saved: 'out n z',
      h: 'out n m',
    },
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
  backward: {
    formula:
      'e[t] = dLoss/da[t] of dh[t];  dh[t-1] = before[t] + Wᵀ du[t], du = e (gru: its n block, r ⊙ e_n, is also du);' +
      '  dState: dLoss/dstate after the last step (of h: dh of it), then before the first;' +
      '  last[t] = c[t-1] of lstm, h[t-1] of gru',
    ...shape,
    args: {
      lengths: 'in i32 s',
      before: 'in n m',
      h: 'in n m',
      last: 'in n l',
      saved: 'in n z',
      W: 'in g pad(m)',
      active: 'tmp i32 64',
      row: 'tmp i32 64',
      line: 'tmp 64 pad(m)',
      carry: 'tmp 64 m',
      now: 'tmp 64 g',
      e: 'out n g',
      du: 'out n b',
      dState: 'inout s v',
    },
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
} as const satisfies NounSpec;
