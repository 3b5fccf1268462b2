/** Gaussians by the textbook: factors row by row; divergences with inverses, traces and determinants. */
import { KernelFailure } from '../../src/errors.ts';
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, definite, positive, triangles } from './draws.ts';
import { add, type Dense, type F64, inverse, lower, range, times, transpose, tri } from './matrices.ts';

function factorRows(d: number, c: number, from: number, part: number, A: F64, L: F64, logDet: F64): void {
  for (const i of range(part).map((row) => from + row))
    for (const j of range(i + 1)) {
      const row = c * tri(d) + tri(i);
      const column = c * tri(d) + tri(j);
      const s = A[c * d * d + i * d + j]! - add(range(j).map((p) => L[row + p]! * L[column + p]!));
      if (i === j && !(s > d * 2 ** -52 * A[c * d * d + i * d + i]!))
        throw new KernelFailure('gaussian.factor', { n: c, d: i });
      L[row + j] = i === j ? Math.sqrt(s) : s / L[column + j]!;
      if (i === j) logDet[c]! += Math.log(s);
    }
}
export const gaussian: Oracle['gaussian'] = {
  factor({ n, d }, { A, L, logDet }) {
    for (const c of range(n)) {
      logDet[c] = 0;
      factorRows(d, c, 0, d, A, L, logDet);
    }
  },
  factorPart({ d, from, part }, { A, L, logDet }) {
    factorRows(d, 0, from, part, A, L, logDet);
  },
  divergence({ n, d }, { meanP, LP, meanQ, LQ, kl, a, dP, dQ }) {
    for (const i of range(n)) {
      const [P, Q] = [LP, LQ].map((L) => lower(d, L, i * tri(d))).map((L) => times(L, transpose(L))) as [Dense, Dense];
      const logDet = (L: F64): number => 2 * add(range(d).map((j) => Math.log(L[i * tri(d) + tri(j) + j]!)));
      const iP = inverse(P);
      const iQ = inverse(Q);
      const m = range(d).map((j) => [meanP[i * d + j]! - meanQ[i * d + j]!]);
      const am = times(iQ, m);
      const trace = add(times(iQ, P).map((row, j) => row[j]!));
      kl[i] = (logDet(LQ) - logDet(LP) + trace + times(transpose(m), am)[0]![0]! - d) / 2;
      const middle = times(times(iQ, P), iQ);
      for (const j of range(d)) {
        a[i * d + j] = am[j]![0]!;
        for (const h of range(d)) {
          dP[(i * d + j) * d + h] = (iQ[j]![h]! - iP[j]![h]!) / 2;
          dQ[(i * d + j) * d + h] = (iQ[j]![h]! - middle[j]![h]! - am[j]![0]! * am[h]![0]!) / 2;
        }
      }
    }
  },
  divergenceDiagonal({ n, d }, { meanP, vP, meanQ, vQ, kl, a, dP, dQ }) {
    for (const i of range(n)) {
      kl[i] = 0;
      for (const j of range(d)) {
        const at = i * d + j;
        const p = vP[at]!;
        const q = vQ[at]!;
        const delta = meanP[at]! - meanQ[at]!;
        kl[i]! += (Math.log(q / p) + p / q - 1 + delta ** 2 / q) / 2;
        a[at] = delta / q;
        dP[at] = (1 / q - 1 / p) / 2;
        dQ[at] = (1 / q - p / q ** 2 - (delta / q) ** 2) / 2;
      }
    }
  },
};

/** The factor of A, of which a part is then done again. */
const factored: Draw = (L, { sizes, args }) => {
  factorRows(sizes['d']!, 0, 0, sizes['d']!, args['A'] as F64, L as F64, new Float64Array(1));
};
export const draws: Draws<'gaussian'> = {
  sizes(sizes) {
    sizes['from'] = Math.floor(sizes['d']! / 3);
    sizes['part'] = sizes['d']! - sizes['from'];
  },
  kernels: {
    factor: { args: { A: definite } },
    factorPart: { args: { A: definite, L: factored } },
    divergence: { args: { LP: triangles, LQ: triangles }, extremes: ['meanP'] },
    divergenceDiagonal: { args: { vP: positive, vQ: positive }, extremes: ['meanP'] },
  },
};
