/**
 * Log singular values of a product, by a graded factorisation: P = Q diag(e^d) T, where Q is orthogonal and no entry of
 * T exceeds 1, so that nothing overflows or is lost beside the largest. docs/math/jacobian.md. In plain JavaScript: 6 d³
 * operations a step are meant for d <= 64.
 */
import type { ScaledSteps } from './chain.ts';

/** Square matrices, flat, row-major. */
interface Graded {
  readonly Q: Float64Array;
  readonly d: Float64Array;
  readonly T: Float64Array;
}
/** Times that R is transposed and factorised again, until its rows are nearly orthogonal. */
const SWEEPS = 8;
/** Rows of which e^(d - largest d) still counts beside the largest. */
const LEAST = -250;

/** Log singular values [d], descending; -Infinity for those that are 0. */
export function logSingularValues(steps: ScaledSteps): Float64Array {
  const n = steps.d;
  let state: Graded = { Q: identity(n), d: new Float64Array(n), T: identity(n) };
  for (let t = 0; t < steps.n; t++) {
    state = step(n, jacobianTimes(steps, t, state.Q), state);
    for (let r = 0; r < n; r++) state.d[r]! += steps.shift[t]! * Math.LN2;
  }
  for (let sweep = 0; sweep < SWEEPS; sweep++) state = step(n, transpose(n, state.T), { ...state, T: identity(n) });
  return rotate(n, state);
}
const identity = (n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, at) => Number(at % (n + 1) === 0));
const transpose = (n: number, A: Float64Array): Float64Array => A.map((_, at) => A[(at % n) * n + Math.floor(at / n)]!);
/** J[t] Q */
function jacobianTimes({ d: n, matrices, W, slopes }: ScaledSteps, t: number, Q: Float64Array): Float64Array {
  const C = new Float64Array(n * n);
  const from = matrices > 1 ? t * n * n : 0;
  for (let i = 0; i < n; i++) {
    const slope = slopes[t * n + i]!;
    if (slope === 0) continue;
    for (let c = 0; c < n; c++) {
      const w = slope * W[from + i * n + c]!;
      if (w !== 0) for (let j = 0; j < n; j++) C[i * n + j]! += w * Q[c * n + j]!;
    }
  }
  return C;
}

/** From C = A Q to A Q diag(e^d) T as Q' diag(e^d') T', by Householder reflections with the largest column first. */
function step(n: number, C: Float64Array, { d: given, T: old }: Graded): Graded {
  const d = given.slice();
  const T = old.slice();
  const Q = identity(n);
  for (let j = 0; j < n; j++) {
    let pivot = j;
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = j; c < n; c++) {
      const size = Math.log(norm(n, C, j, c)) + d[c]!;
      if (size > largest) [largest, pivot] = [size, c];
    }
    if (largest === Number.NEGATIVE_INFINITY) break; // nothing is left
    exchange(n, C, T, d, j, pivot);
    reflect(n, C, Q, j);
  }
  return split(n, Q, C, d, T);
}
/** The norm of column c from row j on. */
function norm(n: number, C: Float64Array, j: number, c: number): number {
  let most = 0;
  for (let i = j; i < n; i++) most = Math.max(most, Math.abs(C[i * n + c]!));
  if (most === 0) return 0;
  let sum = 0;
  for (let i = j; i < n; i++) sum += (C[i * n + c]! / most) ** 2;
  return most * Math.sqrt(sum);
}
/** Exchanges columns a and b of C, and with them the numbers of d and the rows of T. */
function exchange(n: number, C: Float64Array, T: Float64Array, d: Float64Array, a: number, b: number): void {
  if (a === b) return;
  for (let i = 0; i < n; i++) {
    [C[i * n + a], C[i * n + b]] = [C[i * n + b]!, C[i * n + a]!];
    [T[a * n + i], T[b * n + i]] = [T[b * n + i]!, T[a * n + i]!];
  }
  [d[a], d[b]] = [d[b]!, d[a]!];
}
/** Makes column j of C zero below its diagonal: C becomes H C, and Q becomes Q H. */
function reflect(n: number, C: Float64Array, Q: Float64Array, j: number): void {
  const size = norm(n, C, j, j);
  if (size === 0) return;
  const v = new Float64Array(n);
  for (let i = j; i < n; i++) v[i] = C[i * n + j]! / size;
  v[j]! += v[j]! < 0 ? -1 : 1;
  const beta = 1 / Math.abs(v[j]!); // 2 / |v|²
  const dots = new Float64Array(n);
  for (let i = j; i < n; i++) for (let c = j; c < n; c++) dots[c]! += v[i]! * C[i * n + c]!;
  for (let i = j; i < n; i++) for (let c = j; c < n; c++) C[i * n + c]! -= beta * v[i]! * dots[c]!;
  for (let i = j + 1; i < n; i++) C[i * n + j] = 0;
  for (let i = 0; i < n; i++) {
    let dot = 0;
    for (let c = j; c < n; c++) dot += Q[i * n + c]! * v[c]!;
    for (let c = j; c < n; c++) Q[i * n + c]! -= beta * dot * v[c]!;
  }
}
/** R diag(e^d) T = diag(e^d') (U T): U = diag(e^-d') R diag(e^d) has a diagonal of 1, and no entry much above 1. */
function split(n: number, Q: Float64Array, R: Float64Array, d: Float64Array, T: Float64Array): Graded {
  const next = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  const product = new Float64Array(n * n);
  for (let r = 0; r < n; r++) {
    const diagonal = R[r * n + r]!;
    if (diagonal === 0 || d[r] === Number.NEGATIVE_INFINITY) continue;
    next[r] = d[r]! + Math.log(Math.abs(diagonal));
    for (let c = r; c < n; c++) {
      const u = d[c] === Number.NEGATIVE_INFINITY ? 0 : (R[r * n + c]! / diagonal) * Math.exp(d[c]! - d[r]!);
      if (u !== 0) for (let j = 0; j < n; j++) product[r * n + j]! += u * T[c * n + j]!;
    }
    // d' counts |R[r,r]|: its sign goes to the column of Q
    if (diagonal < 0) for (let i = 0; i < n; i++) Q[i * n + r]! *= -1;
  }
  return { Q, d: next, T: product };
}

/** One-sided Jacobi rotations of the rows e^d T, those that count: their norms become the singular values. */
function rotate(n: number, { d, T }: Graded): Float64Array {
  const top = d.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY);
  const rows = [...d.keys()]
    .filter((r) => d[r]! - top > LEAST)
    .map((r) => T.slice(r * n, (r + 1) * n).map((v) => v * Math.exp(d[r]! - top)));
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  for (let sweep = 0, off = 1; sweep < 40 && off >= 1e-15; sweep++) {
    off = 0;
    for (let p = 0; p < rows.length; p++)
      for (let q = p + 1; q < rows.length; q++) {
        const [x, y] = [rows[p]!, rows[q]!];
        const [a, b, c] = [dot(x, x), dot(y, y), dot(x, y)];
        const scale = Math.sqrt(a) * Math.sqrt(b);
        if (c === 0 || Math.abs(c) < 1e-16 * scale) continue;
        off = Math.max(off, Math.abs(c) / scale);
        const z = (b - a) / (2 * c);
        const t = (z < 0 ? -1 : 1) / (Math.abs(z) + Math.hypot(1, z));
        const cos = 1 / Math.hypot(1, t);
        const sin = cos * t;
        for (let i = 0; i < n; i++) [x[i], y[i]] = [cos * x[i]! - sin * y[i]!, sin * x[i]! + cos * y[i]!];
      }
  }
  const out = d.slice();
  let at = 0;
  for (const [r, value] of d.entries())
    if (value - top > LEAST) {
      const row = rows[at++]!;
      out[r] = top + 0.5 * Math.log(dot(row, row));
    }
  return out.sort().reverse();
}
