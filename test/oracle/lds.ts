/** Linear dynamical systems by the textbook: dense matrices, inverses, Joseph's form, one row at a time. */
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, definite } from './draws.ts';
import { add, type Dense, type F64, inverse, lower, matrix, range, times, transpose, tri } from './matrices.ts';

const pad = (n: number): number => Math.ceil(n / 8) * 8;
const identity = (n: number): Dense => matrix(n, n, (i, j) => Number(i === j));
const plus = (A: Dense, B: Dense, sign = 1): Dense => A.map((row, i) => row.map((v, j) => v + sign * B[i]![j]!));
const minus = (A: Dense, B: Dense): Dense => plus(A, B, -1);
const square = (A: Dense, S: Dense): Dense => times(times(A, S), transpose(A));
const outer = (a: Dense, b = a): Dense => times(a, transpose(b));
/** By elimination; the matrices here may be near the edge of definiteness. */
const logDet = (S: Dense): number => {
  const M = S.map((row) => [...row]);
  return add(
    range(M.length).map((i) => {
      for (const r of range(M.length).slice(i + 1)) {
        const f = M[r]![i]! / M[i]![i]!;
        M[r] = M[r]!.map((v, j) => v - f * M[i]![j]!);
      }
      return Math.log(M[i]![i]!);
    }),
  );
};
/** Row-major values, each row padded to `width`. */
const read = (values: F64, at: number, rows: number, columns: number, width = columns): Dense =>
  matrix(rows, columns, (i, j) => values[at + i * width + j]!);
const write = (A: Dense, values: F64, at: number, width = A[0]!.length): void => {
  for (const [i, row] of A.entries()) values.set(row, at + i * width);
};
const addTo = (A: Dense, sum: F64): void => {
  for (const [i, v] of A.flat().entries()) sum[i]! += v;
};

/** The parts of `model`, in their order: rows, columns. */
const parts = (m: number, d: number) => ({
  A: [m, m],
  AT: [m, m],
  Q: [m, m],
  LQT: [m, m],
  B: [d, m],
  H: [d, m],
  HT: [m, d],
  R: [d, d],
  WT: [d, d],
});
type Part = keyof ReturnType<typeof parts>;
const places = (m: number, d: number): { readonly [P in Part | 'constant']: number } => {
  let at = 0;
  const found: Record<string, number> = {};
  for (const [name, [rows, columns]] of Object.entries(parts(m, d)) as [string, [number, number]][]) {
    found[name] = at;
    at += rows * pad(columns);
  }
  return { ...found, constant: at } as Record<Part | 'constant', number>;
};
function layOut(m: number, d: number, A: Dense, B: Dense, Q: Dense, LQ: Dense, R: Dense, LR: Dense, model: F64): void {
  const place = places(m, d);
  const W = inverse(LR);
  const H = times(W, B);
  const all = { A, AT: transpose(A), Q, LQT: transpose(LQ), B, H, HT: transpose(H), R, WT: transpose(W) };
  model.fill(0);
  for (const name of Object.keys(all) as Part[]) write(all[name], model, place[name], pad(parts(m, d)[name][1]!));
  model[place.constant] = (d * Math.log(2 * Math.PI)) / 2 + add(range(d).map((i) => Math.log(LR[i]![i]!)));
}
function parameters(model: F64, m: number, d: number) {
  const part = (name: 'A' | 'B' | 'Q' | 'R', rows: number, columns: number): Dense =>
    read(model, places(m, d)[name], rows, columns, pad(columns));
  return { A: part('A', m, m), B: part('B', d, m), Q: part('Q', m, m), R: part('R', d, d) };
}
const select = (A: Dense, rows: readonly number[], columns: readonly number[]): Dense =>
  rows.map((i) => columns.map((j) => A[i]![j]!));

interface Smoothed {
  readonly mean: Dense;
  readonly covariance: Dense;
}
const stateOf = (state: F64, s: number, m: number): Smoothed => {
  const at = s * (m + m * m);
  return { mean: read(state, at, m, 1), covariance: read(state, at + m, m, m) };
};
const keepState = ({ mean, covariance }: Smoothed, state: F64, s: number, m: number): void => {
  write(mean, state, s * (m + m * m), 1);
  write(covariance, state, s * (m + m * m) + m);
};

/** The smoothed moments of a row, of the row after it, and between them. */
interface Step extends Smoothed {
  readonly t: number;
  readonly next?: Smoothed & { readonly J: Dense; readonly C: Dense };
}
/** Each sequence backwards. */
function smooth(
  m: number,
  { A, Q }: { readonly A: Dense; readonly Q: Dense },
  args: { readonly lengths: Int32Array; readonly ended: Int32Array; readonly state: F64 } & Readonly<
    Record<'mean' | 'covariance', F64>
  >,
  see: (sequence: number, step: Step, first: boolean) => void,
): void {
  let end = 0;
  for (const [s, length] of args.lengths.entries()) {
    end += length;
    let after = args.ended[s] ? undefined : stateOf(args.state, s, m);
    for (const back of range(length)) {
      const t = end - 1 - back;
      const mean = read(args.mean, t * m, m, 1);
      const F = read(args.covariance, t * m * m, m, m);
      let step: Step = { t, mean, covariance: F };
      if (after) {
        const J = times(times(F, transpose(A)), inverse(plus(square(A, F), Q)));
        const C = plus(square(minus(identity(m), times(J, A)), F), square(J, Q));
        step = {
          t,
          mean: plus(mean, times(J, minus(after.mean, times(A, mean)))),
          covariance: plus(C, square(J, after.covariance)),
          next: { ...after, J, C },
        };
      }
      see(s, step, back === length - 1);
      after = step;
    }
    if (length > 0) keepState(after!, args.state, s, m);
  }
}

export const lds: Oracle['lds'] = {
  prepare({ d, latent: m }, { A, B, Q, LQ, R, LR, model }) {
    layOut(
      m,
      d,
      read(A, 0, m, m),
      read(B, 0, d, m),
      read(Q, 0, m, m),
      lower(m, LQ, 0),
      read(R, 0, d, d),
      lower(d, LR, 0),
      model,
    );
  },
  filter({ d, latent: m, keep }, args) {
    const { A, B, Q, R } = parameters(args.model, m, d);
    let t = 0;
    for (const [s, length] of args.lengths.entries()) {
      let { mean, covariance } = stateOf(args.state, s, m);
      for (const row of range(length)) {
        if (row > 0 || args.started[s]) {
          mean = times(A, mean);
          covariance = plus(square(A, covariance), Q);
        }
        if (keep === 'all') {
          write(mean, args.predictedMean, t * m, 1);
          write(covariance, args.predictedCovariance, t * m * m);
        }
        const seen = range(d).filter((j) => !Number.isNaN(args.x[t * d + j]!));
        args.logDensity[t] = 0;
        if (seen.length > 0) {
          const C = select(B, seen, range(m));
          const N = select(R, seen, seen);
          const S = plus(square(C, covariance), N);
          const v = minus(
            seen.map((j) => [args.x[t * d + j]!]),
            times(C, mean),
          );
          const K = times(times(covariance, transpose(C)), inverse(S));
          const distance = times(times(transpose(v), inverse(S)), v)[0]![0]!;
          args.logDensity[t] = -(seen.length * Math.log(2 * Math.PI) + logDet(S) + distance) / 2;
          mean = plus(mean, times(K, v));
          covariance = plus(square(minus(identity(m), times(K, C)), covariance), square(K, N));
        }
        if (keep !== 'none') {
          write(mean, args.mean, t * m, 1);
          write(covariance, args.covariance, t * m * m);
        }
        t++;
      }
      if (length > 0) keepState({ mean, covariance }, args.state, s, m);
    }
  },
  smooth({ d, latent: m }, { model, smoothedMean, smoothedCovariance, lagOne, ...args }) {
    smooth(m, parameters(model, m, d), args, (_, { t, mean, covariance, next }) => {
      write(mean, smoothedMean, t * m, 1);
      write(covariance, smoothedCovariance, t * m * m);
      write(next ? times(next.covariance, transpose(next.J)) : matrix(m, m, () => 0), lagOne, t * m * m);
    });
  },
  moments({ d, latent: m }, { model, started, initialMean, x, S00, cross, W, Szz, observed, residual, ...args }) {
    const { A, B, Q, R } = parameters(model, m, d);
    const mu = read(initialMean, 0, m, 1);
    smooth(m, { A, Q }, args, (s, { t, mean, covariance, next }, first) => {
      const second = plus(covariance, outer(mean));
      addTo(second, Szz);
      if (next) {
        const lagOne = times(next.covariance, transpose(next.J));
        const v = minus(next.mean, times(A, mean));
        const D = minus(identity(m), times(A, next.J));
        addTo(second, S00);
        addTo(plus(outer(v, mean), minus(lagOne, times(A, covariance))), cross);
        addTo(plus(outer(v), plus(square(D, next.covariance), square(A, next.C))), W);
      }
      if (first && !started[s]) {
        addTo(minus(mean, mu), args.first);
        addTo(plus(covariance, outer(minus(mean, mu))), args.firstSquare);
      }
      // x = c + K z + e: what is not observed by its moments given what is
      const gaps = range(d).filter((j) => Number.isNaN(x[t * d + j]!));
      const seen = range(d).filter((j) => !gaps.includes(j));
      const c = matrix(d, 1, (j) => (seen.includes(j) ? x[t * d + j]! : 0));
      const K = matrix(d, m, (j, i) => (gaps.includes(j) ? B[j]![i]! : 0));
      const noise = matrix(d, d, (i, j) => (gaps.includes(i) && gaps.includes(j) ? R[i]![j]! : 0));
      if (seen.length > 0 && gaps.length > 0) {
        const G = times(select(R, gaps, seen), inverse(select(R, seen, seen)));
        const known = times(G, select(c, seen, [0]));
        const explained = times(G, select(B, seen, range(m)));
        const less = times(G, select(R, seen, gaps));
        for (const [i, j] of gaps.entries()) {
          c[j]![0] = known[i]![0]!;
          K[j] = K[j]!.map((v, k) => v - explained[i]![k]!);
          for (const [h, k] of gaps.entries()) noise[j]![k]! -= less[i]![h]!;
        }
      }
      const D = minus(K, B);
      const e = plus(c, times(D, mean));
      addTo(plus(outer(e, mean), times(D, covariance)), observed);
      addTo(plus(outer(e), plus(square(D, covariance), noise)), residual);
    });
  },
};

const flags: Draw = (values, { seed }) => {
  for (let i = 0; i < values.length; i++) values[i] = ((i * 7 + seed) >> 1) % 2;
};
/** Each block becomes B Bᵀ + I, its size a dim. */
const definiteOf =
  (dim: string): Draw =>
  (values, drawn) =>
    definite(values, { ...drawn, sizes: { d: drawn.sizes[dim]! } });
const state: Draw = (values, drawn) => {
  const m = drawn.sizes['latent']!;
  for (let at = 0; at < values.length; at += m + m * m)
    definiteOf('latent')(values.subarray(at + m, at + m + m * m), drawn);
};
/** The lower factor of the covariance that another argument holds. */
const factorOf =
  (name: string, dim: string): Draw =>
  (values, { args, sizes }) => {
    const L = cholesky(read(args[name] as F64, 0, sizes[dim]!, sizes[dim]!));
    for (const [i, row] of L.entries()) for (const j of range(i + 1)) values[tri(i) + j] = row[j]!;
  };
const cholesky = (S: Dense): Dense => {
  const L = matrix(S.length, S.length, () => 0);
  for (const i of range(S.length))
    for (const j of range(i + 1)) {
      const s = S[i]![j]! - add(range(j).map((p) => L[i]![p]! * L[j]![p]!));
      L[i]![j] = i === j ? Math.sqrt(s) : s / L[j]![j]!;
    }
  return L;
};
/** The result of `prepare` for a stable system with correlated noise. */
const model: Draw = (values, drawn) => {
  const m = drawn.sizes['latent']!;
  const d = drawn.sizes['d']!;
  const from = (values as F64).slice();
  const drawnAt = (at: number, rows: number, columns: number): Dense => read(from, at, rows, columns);
  const covariance = (n: number, scale: number): Dense =>
    plus(outer(drawnAt(0, n, n)), identity(n)).map((row) => row.map((v) => scale * v));
  const A = drawnAt(m * m, m, m).map((row) => row.map((v) => v / Math.sqrt(m)));
  const [Q, R] = [covariance(m, 0.3), covariance(d, 0.5)];
  layOut(m, d, A, drawnAt(2 * m * m, d, m), Q, cholesky(Q), R, cholesky(R), values as F64);
};
/** Gaps in single values, and in whole rows. */
const gappy: Draw = (values, { sizes, seed }) => {
  const d = sizes['d']!;
  for (let i = 0; i < values.length; i++) {
    const [row, j] = [Math.floor(i / d), i % d];
    if ((row * 5 + seed) % 7 === 0 || ((row + seed) % 3 === 0 && (row * 3 + j * 5) % 4 === 0)) values[i] = NaN;
  }
};
const covariance = definiteOf('latent');

export const draws: Draws<'lds'> = {
  // one in five is longer than registers have lanes, several times
  lengthOf: (length, sequence) => (sequence % 5 === 0 ? 5 * length + 3 : length),
  sizes: (sizes) => {
    sizes['latent'] = sizes['units']!;
  },
  kernels: {
    prepare: {
      args: { Q: covariance, LQ: factorOf('Q', 'latent'), R: definite, LR: factorOf('R', 'd') },
    },
    filter: { args: { model, started: flags, x: gappy, state }, extremes: ['x'] },
    smooth: { args: { model, ended: flags, covariance, state }, extremes: ['mean'] },
    moments: { args: { model, started: flags, ended: flags, x: gappy, covariance, state }, extremes: ['mean'] },
  },
};
