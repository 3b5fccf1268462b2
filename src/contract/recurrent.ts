/**
 * Kernels of one recurrent layer over ragged sequences. `a` holds what does not depend on the step before: bias, inputs,
 * the layer below. Inputs may be given as x instead, and are added after a. Cells and their equations: docs/math/recurrent.md. `saved` is kept for the backward pass:
 * lstm i f g o c, gru r z n u (u = W_n h + bias), nothing for the others. `state` is h; for lstm h, then c. Each pass
 * reads `state` on entry and writes it on exit, so a sequence can be processed in chunks, with the same bits.
 */
import { GROUP, type NounSpec } from '../grammar.ts';

// a group of sequences advances in lock step: the number of each, the row it is at, and its line of scratch
const shape = {
  dims: ['n', 's', 'units', 'gates', 'biased', 'kept', 'recalled', 'carried'],
  options: { cell: ['tanh', 'relu', 'lstm', 'gru'] },
  derived: {
    gates: { tanh: 'units', relu: 'units', lstm: '4 units', gru: '3 units' },
    biased: { tanh: '0', relu: '0', lstm: '0', gru: 'units' },
    kept: { tanh: '0', relu: '0', lstm: '5 units', gru: '4 units' },
    recalled: { tanh: '0', relu: '0', lstm: 'units', gru: 'units' },
    carried: { tanh: 'units', relu: 'units', lstm: '2 units', gru: 'units' },
  },
  rows: 'n',
  lengths: 'lengths',
  cost: 'n units gates + n gates 20 + n 200', // with few units the step itself dominates
} as const;

export const recurrent = {
  forward: {
    formula:
      'h[t] = cell(a[t] + Σ_j x[t,j] Wx[j] + Σ_j h[t-1,j] W[j]), a counts as 0 where begun = 0, else begun = gates' +
      ' (always of gru, whose inputs = 0);  state: before the first step, then after the last',
    ...shape,
    dims: [...shape.dims, 'begun', 'inputs'],
    cost: `${shape.cost} + n inputs gates`,
    args: {
      lengths: 'in i32 s',
      a: 'in n begun',
      x: 'in n inputs',
      Wx: 'in inputs pad(gates)',
      W: 'in units pad(gates)',
      bias: 'in biased',
      active: `tmp i32 ${GROUP}`,
      row: `tmp i32 ${GROUP}`,
      chosen: 'tmp i32 pad(units)',
      seen: `tmp ${GROUP} inputs`,
      line: `tmp ${GROUP} pad(gates)`,
      now: `tmp ${GROUP} carried`,
      state: 'inout s carried',
      saved: 'out n kept',
      h: 'out n units',
    },
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
  backward: {
    formula:
      'e[t] = dLoss/da[t] of dh[t];  dh[t-1] = before[t] + Wᵀ du[t], du = e (gru: its n block, r ⊙ e_n, is also du);' +
      '  before counts as 0 where fed = 0, else fed = units;  dState: dLoss/dstate after the last step (for h its dh), then before the first;' +
      '  last[t] = c[t-1] (lstm) or h[t-1] (gru)',
    ...shape,
    dims: [...shape.dims, 'fed'],
    args: {
      lengths: 'in i32 s',
      before: 'in n fed',
      h: 'in n units',
      last: 'in n recalled',
      saved: 'in n kept',
      W: 'in gates pad(units)',
      active: `tmp i32 ${GROUP}`,
      row: `tmp i32 ${GROUP}`,
      nothing: 'tmp units',
      line: `tmp ${GROUP} pad(units)`,
      carry: `tmp ${GROUP} units`,
      now: `tmp ${GROUP} gates`,
      e: 'out n gates',
      du: 'out n biased',
      dState: 'inout s carried',
    },
    rtol: { f64: 1e-11, f32: 2e-3 },
  },
} as const satisfies NounSpec;
