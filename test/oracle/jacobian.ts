/** Chains of Jacobians by their formulas: whole products in f64, a QR by Gram-Schmidt done twice. */
import { KernelFailure } from '../../src/errors.ts';
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, shrunk } from './draws.ts';
import { range } from './matrices.ts';

type Chain = {
  readonly W: ArrayLike<number>;
  readonly slopes: ArrayLike<number>;
  readonly shift?: ArrayLike<number>;
};
const jacobianAt = (d: number, matrices: number, { W, slopes, shift }: Chain, t: number): number[][] =>
  range(d).map((i) =>
    range(d).map(
      (j) => slopes[t * d + i]! * W[(matrices > 1 ? t * d * d : 0) + i * d + j]! * 2 ** (shift ? shift[t]! : 0),
    ),
  );
const times = (A: number[][], B: number[][]): number[][] =>
  A.map((row) => B[0]!.map((_, j) => row.reduce((sum, a, c) => sum + a * B[c]![j]!, 0)));
const norm = (values: readonly number[]): number => Math.hypot(...values);

export const jacobian: Oracle['jacobian'] = {
  moderate(_, { x, inverse, most }) {
    const n = x.findIndex((v) => !(v === 0 || (Math.abs(v) >= 1 / inverse[0]! && Math.abs(v) <= most[0]!)));
    if (n >= 0) throw new KernelFailure('jacobian.moderate', { n });
  },
  product({ n, d, matrices }, chain) {
    const { product, exponent, logNorm } = chain;
    const width = product.length / d;
    let P = range(d).map((i) => range(d).map((j) => Number(i === j)));
    let log = 0;
    for (const t of range(n)) {
      P = times(jacobianAt(d, matrices, chain, t), P);
      const size = norm(P.flat());
      log += Math.log(size);
      logNorm[t] = log;
      if (size > 0) P = P.map((row) => row.map((v) => v / size));
    }
    // the product of norm 1 to 2, and the power of two that was divided out, beside that of the shifts
    const shifted = chain.shift.reduce((a, b) => a + b, 0);
    const zero = log === Number.NEGATIVE_INFINITY;
    exponent[0] = zero ? 0 : shifted + Math.floor(log / Math.LN2 - shifted);
    const scale = zero ? 0 : Math.exp(log - exponent[0] * Math.LN2);
    for (const i of range(d)) for (const j of range(d)) product[i * width + j] = scale * P[i]![j]!;
  },
  spectrum({ n, d, matrices, exponents }, chain) {
    const { Q, logR } = chain;
    const width = Q.length / d;
    for (const t of range(n)) {
      const J = jacobianAt(d, matrices, chain, t);
      const columns = range(exponents).map((c) =>
        J.map((row) => row.reduce((s, a, i) => s + a * Q[i * width + c]!, 0)),
      );
      Q.fill(0);
      const rank = J.filter((row) => row.some((v) => v !== 0)).length;
      for (const [c, column] of columns.entries()) {
        for (const _ of range(2))
          for (const before of columns.slice(0, c)) {
            const dot = column.reduce((s, v, i) => s + v * before[i]!, 0);
            for (const i of range(d)) column[i]! -= dot * before[i]!;
          }
        const size = c < rank ? norm(column) : 0;
        logR[t * exponents + c] = Math.log(size);
        for (const i of range(d)) column[i] = size > 0 ? column[i]! / size : 0;
        for (const i of range(d)) Q[i * width + c] = column[i]!;
      }
    }
  },
  backpropagate({ n, d, matrices }, { W, slopes, g, adjoint }) {
    adjoint.set(g);
    for (let t = n - 1; t >= 0; t--) {
      const J = jacobianAt(d, matrices, { W, slopes }, t);
      for (const j of range(d)) for (const i of range(d)) adjoint[t * d + j]! += J[i]![j]! * adjoint[(t + 1) * d + i]!;
    }
  },
  unroll({ n, d, activation }, { a, W, first, h, slopes }) {
    for (const t of range(n))
      for (const j of range(d)) {
        let z = a[t * d + j]!;
        for (const i of range(d)) z += (t ? h[(t - 1) * d + i]! : first[i]!) * W[i * (W.length / d) + j]!;
        h[t * d + j] = activation === 'tanh' ? Math.tanh(z) : Math.max(z, 0);
        slopes[t * d + j] = activation === 'tanh' ? 1 / Math.cosh(z) ** 2 : Number(z > 0);
      }
  },
};

/** About half the units at work, as relu has it. */
const halved: Draw = (slopes) => {
  for (let i = 0; i < slopes.length; i++) if (slopes[i]! < 0) slopes[i] = 0;
};
/** The first columns of the identity. */
const startingQ: Draw = (Q, { sizes }) => {
  const width = Q.length / sizes['d']!;
  Q.fill(0);
  for (let j = 0; j < sizes['exponents']!; j++) Q[j * width + j] = 1;
};
export const draws: Draws<'jacobian'> = {
  sizes(sizes) {
    sizes['matrices'] = sizes['n']! % 2 ? 1 : sizes['n']!;
    sizes['exponents'] = Math.ceil((sizes['d']! * 2) / 3);
  },
  kernels: {
    moderate: {
      args: { inverse: (values) => values.fill(2 ** 40), most: (values) => values.fill(2 ** 20) },
      extremes: ['x'],
    },
    product: { args: { W: shrunk('d'), slopes: halved } },
    spectrum: { args: { W: shrunk('d'), slopes: halved, Q: startingQ } },
    backpropagate: { args: { W: shrunk('d'), slopes: halved }, extremes: ['g'] },
    unroll: { args: { W: shrunk('d') }, extremes: ['a'] },
  },
};
