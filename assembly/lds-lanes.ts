// Systems of at most SMALL states, whose matrices lie in lanes: docs/math/lds.md. Twin: native/lds-lanes.h
// A line is one element of as many matrices as there are lanes. The filter has sequences in lanes; the smoother has rows
// of one sequence in lanes, for all but the recursion itself. No lane looks at another one, so results do not depend on
// who is beside whom. M is known where a function is inlined; symmetric matrices are squares, their factors triangles.
import {
  add, div, everyGreater, greater, log, madd, mul, neg, nmadd, splat, splatAt, sub, whereGreater,
  whereNotGreater, zero,
} from "./simd";
import { at, get, offset, pad, put, set, size, spot, transposeIn, transposeOut } from "./linalg";
import {
  addLines, addOuter, addRow, copy, countSeen, factorSeen, mirror, spread, Sums, whiten,
} from "./lds-observations";

export const SMALL = 8;
const N = 2;
const LIST: usize = <usize>SMALL * 16, SQUARE = <usize>SMALL * LIST; // bytes of a vector and of a square of lines

// sum + Σ x_k times the lines at b, `step` apart
@inline function times(M: i32, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128,
    b: usize, step: usize, sum: v128): v128 {
  sum = madd<f64>(x0, v128.load(b), sum);
  if (M > 1) sum = madd<f64>(x1, v128.load(b + step), sum);
  if (M > 2) sum = madd<f64>(x2, v128.load(b + 2 * step), sum);
  if (M > 3) sum = madd<f64>(x3, v128.load(b + 3 * step), sum);
  if (M > 4) sum = madd<f64>(x4, v128.load(b + 4 * step), sum);
  if (M > 5) sum = madd<f64>(x5, v128.load(b + 5 * step), sum);
  if (M > 6) sum = madd<f64>(x6, v128.load(b + 6 * step), sum);
  if (M > 7) sum = madd<f64>(x7, v128.load(b + 7 * step), sum);
  return sum;
}
// sum + Σ x_k times the values at a, `step` apart
@inline function timesEach(M: i32, x0: v128, x1: v128, x2: v128, x3: v128, x4: v128, x5: v128, x6: v128, x7: v128,
    a: usize, step: usize, sum: v128): v128 {
  sum = madd<f64>(x0, splatAt<f64>(a), sum);
  if (M > 1) sum = madd<f64>(x1, splatAt<f64>(a + step), sum);
  if (M > 2) sum = madd<f64>(x2, splatAt<f64>(a + 2 * step), sum);
  if (M > 3) sum = madd<f64>(x3, splatAt<f64>(a + 3 * step), sum);
  if (M > 4) sum = madd<f64>(x4, splatAt<f64>(a + 4 * step), sum);
  if (M > 5) sum = madd<f64>(x5, splatAt<f64>(a + 5 * step), sum);
  if (M > 6) sum = madd<f64>(x6, splatAt<f64>(a + 6 * step), sum);
  if (M > 7) sum = madd<f64>(x7, splatAt<f64>(a + 7 * step), sum);
  return sum;
}
// line k of M lines at b, `step` apart; and value k of M at a; without a meaning beyond M
@inline function lineOf(M: i32, k: i32, b: usize, step: usize): v128 { return v128.load(k < M ? b + <usize>k * step : b); }
@inline function valueOf(M: i32, k: i32, a: usize, step: usize): v128 {
  return splatAt<f64>(k < M ? a + <usize>k * step : a);
}
@inline function place(i: i32, j: i32): i32 { return i < j ? j * (j + 1) / 2 + i : i * (i + 1) / 2 + j; }

// The lines at x, `step` apart, become P⁻¹ x, where P = L D Lᵀ with ones on the diagonal of L; inverse = 1/D
@inline function solve(M: i32, L: usize, inverse: usize, x: usize, step: usize): void {
  let x0 = lineOf(M, 0, x, step), x1 = lineOf(M, 1, x, step), x2 = lineOf(M, 2, x, step), x3 = lineOf(M, 3, x, step);
  let x4 = lineOf(M, 4, x, step), x5 = lineOf(M, 5, x, step), x6 = lineOf(M, 6, x, step), x7 = lineOf(M, 7, x, step);
  if (M > 1) x1 = nmadd<f64>(at(L, 1), x0, x1);
  if (M > 2) { x2 = nmadd<f64>(at(L, 3), x0, x2); x2 = nmadd<f64>(at(L, 4), x1, x2); }
  if (M > 3) {
    x3 = nmadd<f64>(at(L, 6), x0, x3); x3 = nmadd<f64>(at(L, 7), x1, x3); x3 = nmadd<f64>(at(L, 8), x2, x3);
  }
  if (M > 4) {
    x4 = nmadd<f64>(at(L, 10), x0, x4); x4 = nmadd<f64>(at(L, 11), x1, x4); x4 = nmadd<f64>(at(L, 12), x2, x4);
    x4 = nmadd<f64>(at(L, 13), x3, x4);
  }
  if (M > 5) {
    x5 = nmadd<f64>(at(L, 15), x0, x5); x5 = nmadd<f64>(at(L, 16), x1, x5); x5 = nmadd<f64>(at(L, 17), x2, x5);
    x5 = nmadd<f64>(at(L, 18), x3, x5); x5 = nmadd<f64>(at(L, 19), x4, x5);
  }
  if (M > 6) {
    x6 = nmadd<f64>(at(L, 21), x0, x6); x6 = nmadd<f64>(at(L, 22), x1, x6); x6 = nmadd<f64>(at(L, 23), x2, x6);
    x6 = nmadd<f64>(at(L, 24), x3, x6); x6 = nmadd<f64>(at(L, 25), x4, x6); x6 = nmadd<f64>(at(L, 26), x5, x6);
  }
  if (M > 7) {
    x7 = nmadd<f64>(at(L, 28), x0, x7); x7 = nmadd<f64>(at(L, 29), x1, x7); x7 = nmadd<f64>(at(L, 30), x2, x7);
    x7 = nmadd<f64>(at(L, 31), x3, x7); x7 = nmadd<f64>(at(L, 32), x4, x7); x7 = nmadd<f64>(at(L, 33), x5, x7);
    x7 = nmadd<f64>(at(L, 34), x6, x7);
  }
  x0 = mul<f64>(x0, at(inverse, 0));
  if (M > 1) x1 = mul<f64>(x1, at(inverse, 1));
  if (M > 2) x2 = mul<f64>(x2, at(inverse, 2));
  if (M > 3) x3 = mul<f64>(x3, at(inverse, 3));
  if (M > 4) x4 = mul<f64>(x4, at(inverse, 4));
  if (M > 5) x5 = mul<f64>(x5, at(inverse, 5));
  if (M > 6) x6 = mul<f64>(x6, at(inverse, 6));
  if (M > 7) x7 = mul<f64>(x7, at(inverse, 7));
  if (M > 7) { v128.store(x + 7 * step, x7); x6 = nmadd<f64>(at(L, 34), x7, x6); }
  if (M > 6) {
    v128.store(x + 6 * step, x6);
    x5 = nmadd<f64>(at(L, 26), x6, x5); if (M > 7) x5 = nmadd<f64>(at(L, 33), x7, x5);
  }
  if (M > 5) {
    v128.store(x + 5 * step, x5);
    x4 = nmadd<f64>(at(L, 19), x5, x4); if (M > 6) x4 = nmadd<f64>(at(L, 25), x6, x4);
    if (M > 7) x4 = nmadd<f64>(at(L, 32), x7, x4);
  }
  if (M > 4) {
    v128.store(x + 4 * step, x4);
    x3 = nmadd<f64>(at(L, 13), x4, x3); if (M > 5) x3 = nmadd<f64>(at(L, 18), x5, x3);
    if (M > 6) x3 = nmadd<f64>(at(L, 24), x6, x3); if (M > 7) x3 = nmadd<f64>(at(L, 31), x7, x3);
  }
  if (M > 3) {
    v128.store(x + 3 * step, x3);
    x2 = nmadd<f64>(at(L, 8), x3, x2); if (M > 4) x2 = nmadd<f64>(at(L, 12), x4, x2);
    if (M > 5) x2 = nmadd<f64>(at(L, 17), x5, x2); if (M > 6) x2 = nmadd<f64>(at(L, 23), x6, x2);
    if (M > 7) x2 = nmadd<f64>(at(L, 30), x7, x2);
  }
  if (M > 2) {
    v128.store(x + 2 * step, x2);
    x1 = nmadd<f64>(at(L, 4), x2, x1); if (M > 3) x1 = nmadd<f64>(at(L, 7), x3, x1);
    if (M > 4) x1 = nmadd<f64>(at(L, 11), x4, x1); if (M > 5) x1 = nmadd<f64>(at(L, 16), x5, x1);
    if (M > 6) x1 = nmadd<f64>(at(L, 22), x6, x1); if (M > 7) x1 = nmadd<f64>(at(L, 29), x7, x1);
  }
  if (M > 1) {
    v128.store(x + step, x1);
    x0 = nmadd<f64>(at(L, 1), x1, x0); if (M > 2) x0 = nmadd<f64>(at(L, 3), x2, x0);
    if (M > 3) x0 = nmadd<f64>(at(L, 6), x3, x0); if (M > 4) x0 = nmadd<f64>(at(L, 10), x4, x0);
    if (M > 5) x0 = nmadd<f64>(at(L, 15), x5, x0); if (M > 6) x0 = nmadd<f64>(at(L, 21), x6, x0);
    if (M > 7) x0 = nmadd<f64>(at(L, 28), x7, x0);
  }
  v128.store(x, x0);
}

// ---- filter ----
// P = A F Aᵀ + Q and xp = A x; T is scratch
@inline function predictOf(M: i32, A: usize, Q: usize, x: usize, F: usize, xp: usize, P: usize, T: usize): void {
  const line = offset(M);
  for (let i = 0; i < M; i++) {
    const a = spot(A, i, SMALL);
    const a0 = valueOf(M, 0, a, 8), a1 = valueOf(M, 1, a, 8), a2 = valueOf(M, 2, a, 8), a3 = valueOf(M, 3, a, 8);
    const a4 = valueOf(M, 4, a, 8), a5 = valueOf(M, 5, a, 8), a6 = valueOf(M, 6, a, 8), a7 = valueOf(M, 7, a, 8);
    set(xp, i, times(M, a0, a1, a2, a3, a4, a5, a6, a7, x, 16, zero<f64>()));
    for (let j: usize = 0; j < line; j += 16)
      v128.store(T + j, times(M, a0, a1, a2, a3, a4, a5, a6, a7, F + j, line, zero<f64>()));
    const t0 = lineOf(M, 0, T, 16), t1 = lineOf(M, 1, T, 16), t2 = lineOf(M, 2, T, 16), t3 = lineOf(M, 3, T, 16);
    const t4 = lineOf(M, 4, T, 16), t5 = lineOf(M, 5, T, 16), t6 = lineOf(M, 6, T, 16), t7 = lineOf(M, 7, T, 16);
    for (let j = i; j < M; j++) {
      const p = timesEach(M, t0, t1, t2, t3, t4, t5, t6, t7, spot(A, j, SMALL), 8, splatAt<f64>(spot(Q, i, SMALL, j)));
      set(P, i * M + j, p);
      set(P, j * M + i, p);
    }
  }
}
function predict(m: i32, A: usize, Q: usize, x: usize, F: usize, xp: usize, P: usize, T: usize): void {
  switch (m) {
    case 1: predictOf(1, A, Q, x, F, xp, P, T); return;
    case 2: predictOf(2, A, Q, x, F, xp, P, T); return;
    case 3: predictOf(3, A, Q, x, F, xp, P, T); return;
    case 4: predictOf(4, A, Q, x, F, xp, P, T); return;
    case 5: predictOf(5, A, Q, x, F, xp, P, T); return;
    case 6: predictOf(6, A, Q, x, F, xp, P, T); return;
    case 7: predictOf(7, A, Q, x, F, xp, P, T); return;
    default: predictOf(8, A, Q, x, F, xp, P, T); return;
  }
}
// The density of a row is e^-(constant + (log |S| + square)/2); logarithms are taken of products that stay below this.
const MUCH: f64 = 1e100;
// The mean x and covariance P become those given y = H z + N(0, I) (Joseph's form), as in `update` of lds.ts; u is y,
// then y - H x. Returns log |S| + |y - H x|² in the metric of S, not finite where S is not positive definite.
@inline function observeOf(M: i32, d: i32, H: usize, u: usize, x: usize, P: usize, K: usize, S: usize, E: usize, T: usize,
    pivots: usize, w: usize): v128 {
  const line = offset(M), much = splat<f64>(MUCH);
  for (let i = 0; i < d; i++) { // K = H P, S = K Hᵀ + I, u = y - H x
    const h = H + <usize>i * line, k = K + <usize>i * line;
    const h0 = lineOf(M, 0, h, 16), h1 = lineOf(M, 1, h, 16), h2 = lineOf(M, 2, h, 16), h3 = lineOf(M, 3, h, 16);
    const h4 = lineOf(M, 4, h, 16), h5 = lineOf(M, 5, h, 16), h6 = lineOf(M, 6, h, 16), h7 = lineOf(M, 7, h, 16);
    let v = at(u, i);
    for (let q = 0; q < M; q++) v = nmadd<f64>(at(h, q), at(x, q), v);
    set(u, i, v);
    set(w, i, v);
    for (let j: usize = 0; j < line; j += 16)
      v128.store(k + j, times(M, h0, h1, h2, h3, h4, h5, h6, h7, P + j, line, zero<f64>()));
    const k0 = lineOf(M, 0, k, 16), k1 = lineOf(M, 1, k, 16), k2 = lineOf(M, 2, k, 16), k3 = lineOf(M, 3, k, 16);
    const k4 = lineOf(M, 4, k, 16), k5 = lineOf(M, 5, k, 16), k6 = lineOf(M, 6, k, 16), k7 = lineOf(M, 7, k, 16);
    for (let j = 0; j <= i; j++)
      set(S, i * d + j,
        times(M, k0, k1, k2, k3, k4, k5, k6, k7, H + <usize>j * line, 16, splat<f64>(i == j ? 1 : 0)));
  }
  let product = splat<f64>(1), sum = zero<f64>(), positive = product;
  for (let j = 0; j < d; j++) { // S = L D Lᵀ
    const pivot = at(S, j * d + j), inverse = div<f64>(splat<f64>(1), pivot), grown = mul<f64>(product, pivot);
    positive = whereGreater<f64>(pivot, zero<f64>(), positive);
    set(pivots, j, inverse);
    if (everyGreater<f64>(much, grown)) {
      product = grown;
    } else {
      sum = add<f64>(sum, whereNotGreater<f64>(much, grown, log<f64>(product)));
      product = v128.bitselect(grown, pivot, greater<f64>(much, grown));
    }
    for (let i = j + 1; i < d; i++) {
      const raw = at(S, i * d + j);
      set(S, i * d + j, mul<f64>(raw, inverse));
      for (let c = j + 1; c <= i; c++) set(S, i * d + c, nmadd<f64>(raw, at(S, c * d + j), at(S, i * d + c)));
    }
  }
  sum = add<f64>(sum, log<f64>(product));
  for (let i = 0; i < d; i++) { // K = S⁻¹ K
    const k = K + <usize>i * line;
    let v = at(w, i);
    for (let p = 0; p < i; p++) {
      const l = at(S, i * d + p), from = K + <usize>p * line;
      v = nmadd<f64>(l, at(w, p), v);
      for (let j: usize = 0; j < line; j += 16)
        v128.store(k + j, nmadd<f64>(l, v128.load(from + j), v128.load(k + j)));
    }
    set(w, i, v);
    sum = madd<f64>(mul<f64>(v, at(pivots, i)), v, sum);
  }
  for (let i = d - 1; i >= 0; i--) {
    const k = K + <usize>i * line, inverse = at(pivots, i);
    for (let j: usize = 0; j < line; j += 16) v128.store(k + j, mul<f64>(v128.load(k + j), inverse));
    for (let p = i + 1; p < d; p++) {
      const l = at(S, p * d + i), from = K + <usize>p * line;
      for (let j: usize = 0; j < line; j += 16)
        v128.store(k + j, nmadd<f64>(l, v128.load(from + j), v128.load(k + j)));
    }
  }
  for (let j = 0; j < M; j++) { // x += Kᵀ u
    let v = at(x, j);
    for (let p = 0; p < d; p++) v = madd<f64>(at(u, p), at(K, p * M + j), v);
    set(x, j, v);
  }
  for (let i = 0; i < M; i++) // E = I - Hᵀ K
    for (let j = 0; j < M; j++) {
      let e = splat<f64>(i == j ? 1 : 0);
      for (let p = 0; p < d; p++) e = nmadd<f64>(at(H, p * M + i), at(K, p * M + j), e);
      set(E, i * M + j, e);
    }
  for (let i = 0; i < M; i++) { // T = P E
    const p = P + <usize>i * line;
    const p0 = lineOf(M, 0, p, 16), p1 = lineOf(M, 1, p, 16), p2 = lineOf(M, 2, p, 16), p3 = lineOf(M, 3, p, 16);
    const p4 = lineOf(M, 4, p, 16), p5 = lineOf(M, 5, p, 16), p6 = lineOf(M, 6, p, 16), p7 = lineOf(M, 7, p, 16);
    for (let j: usize = 0; j < line; j += 16)
      v128.store(T + <usize>i * line + j, times(M, p0, p1, p2, p3, p4, p5, p6, p7, E + j, line, zero<f64>()));
  }
  for (let i = 0; i < M; i++) { // P = Eᵀ T + Kᵀ K
    const e = E + offset(i);
    const e0 = lineOf(M, 0, e, line), e1 = lineOf(M, 1, e, line), e2 = lineOf(M, 2, e, line), e3 = lineOf(M, 3, e, line);
    const e4 = lineOf(M, 4, e, line), e5 = lineOf(M, 5, e, line), e6 = lineOf(M, 6, e, line), e7 = lineOf(M, 7, e, line);
    for (let j = i; j < M; j++) {
      let v = times(M, e0, e1, e2, e3, e4, e5, e6, e7, T + offset(j), line, zero<f64>());
      for (let q = 0; q < d; q++) v = madd<f64>(at(K, q * M + i), at(K, q * M + j), v);
      set(P, i * M + j, v);
      set(P, j * M + i, v);
    }
  }
  return add<f64>(sum, sub<f64>(div<f64>(splat<f64>(1), positive), splat<f64>(1)));
}
function observe(m: i32, d: i32, H: usize, u: usize, x: usize, P: usize, K: usize, S: usize, E: usize, T: usize,
    pivots: usize, w: usize): v128 {
  switch (m) {
    case 1: return observeOf(1, d, H, u, x, P, K, S, E, T, pivots, w);
    case 2: return observeOf(2, d, H, u, x, P, K, S, E, T, pivots, w);
    case 3: return observeOf(3, d, H, u, x, P, K, S, E, T, pivots, w);
    case 4: return observeOf(4, d, H, u, x, P, K, S, E, T, pivots, w);
    case 5: return observeOf(5, d, H, u, x, P, K, S, E, T, pivots, w);
    case 6: return observeOf(6, d, H, u, x, P, K, S, E, T, pivots, w);
    case 7: return observeOf(7, d, H, u, x, P, K, S, E, T, pivots, w);
    default: return observeOf(8, d, H, u, x, P, K, S, E, T, pivots, w);
  }
}
// Lines of w values as rows of `to`, each lane that is in use at its own row
function scatter(used: i32, lanes: usize, rows: usize, w: i32, lines: usize, to: usize): void {
  if (used < N || w < N) {
    for (let u = 0; u < used; u++) {
      const lane = get<i32>(lanes, u), row = spot(to, get<i32>(rows, lane), w);
      for (let j = 0; j < w; j++) put<f64>(row, j, get<f64>(lines, j * N + lane));
    }
    return;
  }
  const a = spot(to, get<i32>(rows, 0), w), b = spot(to, get<i32>(rows, 1), w);
  let j = 0;
  for (; j + 1 < w; j += 2) {
    const p = at(lines, j), q = at(lines, j + 1);
    v128.store(a + size<f64>(j), v128.shuffle<f64>(p, q, 0, 2));
    v128.store(b + size<f64>(j), v128.shuffle<f64>(p, q, 1, 3));
  }
  if (j < w) {
    put<f64>(a, j, get<f64>(lines, j * N));
    put<f64>(b, j, get<f64>(lines, j * N + 1));
  }
}
// As many sequences as there are lanes go side by side; when one ends, the next one takes its lane. d <= SMALL, too.
export function filterLanes(m: i32, s: i32, d: i32, carried: i32, predicted: bool, filtered: bool, lengths: usize,
    model: usize, started: usize, x: usize, work: usize, state: usize, predictedMean: usize,
    predictedCovariance: usize, mean: usize, covariance: usize, logDensity: usize): i32 {
  const D = pad<f64>(d), wide = size<f64>(m * SMALL), square = offset(m * m), vector = offset(m), all = offset(d * m);
  const A = model, Q = A + 2 * wide, B = Q + 2 * wide, H = B + size<f64>(d * SMALL), HT = H + size<f64>(d * SMALL);
  const R = HT + size<f64>(m * D), WT = R + size<f64>(d * D), constant = WT + size<f64>(d * D);
  const z = work, zp = z + LIST, X = zp + LIST, u = X + LIST, w = u + LIST, pivots = w + LIST, F = pivots + LIST;
  const P = F + SQUARE, K = P + SQUARE, S = K + SQUARE, E = S + SQUARE, T = E + SQUARE, common = T + SQUARE;
  const own = common + SQUARE, finite = own + SQUARE, results = finite + 16, constants = results + 16;
  const owners = constants + 16, rows = owners + 16, left = rows + 16, lanes = left + 16, counts = lanes + 16;
  const H1 = counts + 16, HT1 = H1 + size<f64>(SMALL * SMALL), L = HT1 + size<f64>(SMALL * SMALL);
  const y = L + size<f64>(SMALL * SMALL);
  let used = 0, next = 0, row = 0, failure = 0;
  for (let lane = 0; lane < N; lane++) put<i32>(left, lane, 0);
  // lanes without a sequence compute with zeros; all other lines are written before they are read
  memory.fill(z, 0, vector);
  memory.fill(X, 0, offset(d));
  memory.fill(F, 0, square);
  for (let i = 0; i < d; i++) for (let j = 0; j < m; j++) set(common, i * m + j, splatAt<f64>(spot(H, i, SMALL, j)));
  while (true) {
    let first = false;
    used = 0;
    for (let lane = 0; lane < N; lane++) {
      if (get<i32>(left, lane) == 0) {
        while (next < s && get<i32>(lengths, next) == 0) next++;
        if (next == s) continue;
        const from = spot(state, next, carried), whole = from + size<f64>(m);
        for (let i = 0; i < m; i++) {
          put<f64>(z, i * N + lane, get<f64>(from, i));
          for (let j = i; j < m; j++) {
            const v = get<f64>(whole, i * m + j);
            put<f64>(F, (i * m + j) * N + lane, v);
            put<f64>(F, (j * m + i) * N + lane, v);
          }
        }
        put<i32>(owners, lane, next);
        put<i32>(rows, lane, row);
        put<i32>(left, lane, get<i32>(lengths, next));
        if (!get<i32>(started, next)) first = true;
        row += get<i32>(lengths, next++);
      }
      put<i32>(lanes, used++, lane);
    }
    if (used == 0) return failure;

    predict(m, A, Q, z, F, zp, P, T);
    for (let n = 0; first && n < used; n++) { // a sequence begins with its state
      const lane = get<i32>(lanes, n), owner = get<i32>(owners, lane);
      if (get<i32>(left, lane) < get<i32>(lengths, owner) || get<i32>(started, owner)) continue;
      for (let i = 0; i < m; i++) put<f64>(zp, i * N + lane, get<f64>(z, i * N + lane));
      for (let i = 0; i < m * m; i++) put<f64>(P, i * N + lane, get<f64>(F, i * N + lane));
    }
    if (predicted) {
      scatter(used, lanes, rows, m, zp, predictedMean);
      scatter(used, lanes, rows, m * m, P, predictedCovariance);
    }

    let most = 0, gappy = false;
    for (let n = 0; n < used; n++) {
      const lane = get<i32>(lanes, n), values = spot(x, get<i32>(rows, lane), d), count = countSeen(d, values);
      put<i32>(counts, lane, count);
      most = max(count, most);
      if (count < d) gappy = true;
      for (let j = 0; j < d; j++) put<f64>(X, j * N + lane, get<f64>(values, j));
    }
    let exponent = zero<f64>();
    if (most > 0) {
      for (let j = 0; j < d; j++) {
        let value = zero<f64>();
        for (let p = 0; p <= j; p++) value = madd<f64>(splatAt<f64>(spot(WT, p, D, j)), at(X, p), value);
        set(u, j, value);
      }
      v128.store(constants, splatAt<f64>(constant));
      if (gappy) {
        memory.copy(own, common, all);
        for (let n = 0; n < used; n++) {
          const lane = get<i32>(lanes, n), values = spot(x, get<i32>(rows, lane), d);
          if (get<i32>(counts, lane) == d) continue;
          factorSeen(d, D, values, R, L);
          put<f64>(constants, lane, whiten(d, m, D, SMALL, values, B, L, H1, HT1, y));
          for (let i = 0; i < d; i++) {
            put<f64>(u, i * N + lane, get<f64>(y, i));
            for (let j = 0; j < m; j++) put<f64>(own, (i * m + j) * N + lane, get<f64>(H1, i * SMALL + j));
          }
        }
      }
      const sum = observe(m, d, gappy ? own : common, u, zp, P, K, S, E, T, pivots, w);
      exponent = add<f64>(v128.load(constants), mul<f64>(splat<f64>(0.5), sum));
    } else {
      // beside a row that is seen, products with the identity would have made 0 of -0
      for (let i = 0; i < m * m; i++) set(P, i, add<f64>(at(P, i), zero<f64>()));
    }
    let check = sub<f64>(exponent, exponent);
    for (let i = 0; i < m; i++) {
      const a = at(zp, i), b = at(P, i * m + i);
      check = add<f64>(check, add<f64>(sub<f64>(a, a), sub<f64>(b, b)));
    }
    v128.store(finite, check);
    v128.store(results, neg<f64>(exponent));
    memory.copy(z, zp, vector);
    memory.copy(F, P, square);
    if (filtered) {
      scatter(used, lanes, rows, m, z, mean);
      scatter(used, lanes, rows, m * m, F, covariance);
    }
    for (let n = 0; n < used; n++) {
      const lane = get<i32>(lanes, n), row = get<i32>(rows, lane);
      put<f64>(logDensity, row, get<i32>(counts, lane) > 0 ? get<f64>(results, lane) : 0);
      put<i32>(rows, lane, row + 1);
      put<i32>(left, lane, get<i32>(left, lane) - 1);
      if (!(get<f64>(finite, lane) == 0)) { // nothing after the first failure counts
        if (failure == 0 || row + 1 < failure) failure = row + 1;
        put<i32>(left, lane, 0);
        next = s;
      } else if (get<i32>(left, lane) == 0) {
        const to = spot(state, get<i32>(owners, lane), carried), whole = to + size<f64>(m);
        for (let i = 0; i < m; i++) put<f64>(to, i, get<f64>(z, i * N + lane));
        for (let i = 0; i < m * m; i++) put<f64>(whole, i, get<f64>(F, i * N + lane));
      }
    }
  }
}

// ---- smoother ----
// Some rows of a sequence, as many as there are lanes, which are all followed by another row: where their parts stand.
// Lines: means x and covariances F filtered, xp = A x, P = A F Aᵀ + Q as a factor L and inverse pivots, G = P⁻¹ A F,
// C = (I - GᵀA) F (I - GᵀA)ᵀ + Gᵀ Q G on and above the diagonal, which is the covariance given the next row's state; and
// scratch.
// Rows: the same, and what follows from the recursion: z and S smoothed, those of the row after the last one too.
const x_: usize = 0, F_ = x_ + LIST, xp_ = F_ + SQUARE, L_ = xp_ + LIST, pivots_ = L_ + SQUARE, G_ = pivots_ + LIST;
const C_ = G_ + SQUARE, T_ = C_ + SQUARE, E_ = T_ + SQUARE, U_ = E_ + SQUARE, means_ = U_ + SQUARE;
const predicted_ = means_ + LIST + 16, gains_ = predicted_ + LIST + 16, rests_ = gains_ + SQUARE + 16;
const lagOne_ = rests_ + SQUARE + 16, z_ = lagOne_ + SQUARE + 16, S_ = z_ + LIST + SMALL * 8;
const sums_ = S_ + SQUARE + SMALL * SMALL * 8;
export const ROWS: usize = sums_ + 3 * (SMALL * SMALL * 8 + 16);

// Fills in the lines but x and F. Returns 1 in lanes where P is positive definite, 0 in others.
@inline function gainsOf(M: i32, A: usize, Q: usize, LQT: usize, rows: usize): v128 {
  const x = rows + x_, F = rows + F_, xp = rows + xp_, L = rows + L_, inverse = rows + pivots_, G = rows + G_;
  const C = rows + C_, T = rows + T_, E = rows + E_, U = rows + U_, line = offset(M);
  let positive = splat<f64>(1);
  for (let i = 0; i < M; i++) {
    const a = spot(A, i, SMALL), T0 = T + <usize>i * line;
    const a0 = valueOf(M, 0, a, 8), a1 = valueOf(M, 1, a, 8), a2 = valueOf(M, 2, a, 8), a3 = valueOf(M, 3, a, 8);
    const a4 = valueOf(M, 4, a, 8), a5 = valueOf(M, 5, a, 8), a6 = valueOf(M, 6, a, 8), a7 = valueOf(M, 7, a, 8);
    set(xp, i, times(M, a0, a1, a2, a3, a4, a5, a6, a7, x, 16, zero<f64>()));
    for (let j: usize = 0; j < line; j += 16)
      v128.store(T0 + j, times(M, a0, a1, a2, a3, a4, a5, a6, a7, F + j, line, zero<f64>()));
    const t0 = lineOf(M, 0, T0, 16), t1 = lineOf(M, 1, T0, 16), t2 = lineOf(M, 2, T0, 16), t3 = lineOf(M, 3, T0, 16);
    const t4 = lineOf(M, 4, T0, 16), t5 = lineOf(M, 5, T0, 16), t6 = lineOf(M, 6, T0, 16), t7 = lineOf(M, 7, T0, 16);
    for (let j = i; j < M; j++)
      set(L, place(i, j),
        timesEach(M, t0, t1, t2, t3, t4, t5, t6, t7, spot(A, j, SMALL), 8, splatAt<f64>(spot(Q, i, SMALL, j))));
  }
  for (let j = 0; j < M; j++) {
    const pivot = at(L, place(j, j)), one = div<f64>(splat<f64>(1), pivot);
    positive = whereGreater<f64>(pivot, zero<f64>(), positive);
    set(inverse, j, one);
    for (let i = j + 1; i < M; i++) {
      const l = mul<f64>(at(L, place(j, i)), one);
      for (let c = i; c < M; c++) set(L, place(i, c), nmadd<f64>(l, at(L, place(j, c)), at(L, place(i, c))));
      set(L, place(j, i), l);
    }
  }
  for (let j = 0; j < M; j++) {
    const g = G + offset(j), e = E + offset(j), u = U + offset(j);
    for (let i = 0; i < M; i++) set(g, i * M, at(T, i * M + j));
    solve(M, L, inverse, g, line);
    const g0 = lineOf(M, 0, g, line), g1 = lineOf(M, 1, g, line), g2 = lineOf(M, 2, g, line), g3 = lineOf(M, 3, g, line);
    const g4 = lineOf(M, 4, g, line), g5 = lineOf(M, 5, g, line), g6 = lineOf(M, 6, g, line), g7 = lineOf(M, 7, g, line);
    const n0 = neg<f64>(g0), n1 = neg<f64>(g1), n2 = neg<f64>(g2), n3 = neg<f64>(g3);
    const n4 = neg<f64>(g4), n5 = neg<f64>(g5), n6 = neg<f64>(g6), n7 = neg<f64>(g7);
    for (let i = 0; i < M; i++)
      set(e, i * M, timesEach(M, n0, n1, n2, n3, n4, n5, n6, n7, spot(A, 0, SMALL, i), SMALL * 8,
        splat<f64>(i == j ? 1 : 0)));
    for (let i = 0; i < M; i++) {
      let sum = zero<f64>();
      for (let k = i; k < M; k++) sum = madd<f64>(splatAt<f64>(spot(LQT, i, SMALL, k)), at(g, k * M), sum);
      set(u, i * M, sum);
    }
    const e0 = lineOf(M, 0, e, line), e1 = lineOf(M, 1, e, line), e2 = lineOf(M, 2, e, line), e3 = lineOf(M, 3, e, line);
    const e4 = lineOf(M, 4, e, line), e5 = lineOf(M, 5, e, line), e6 = lineOf(M, 6, e, line), e7 = lineOf(M, 7, e, line);
    // column j of T was read: it becomes that of F E
    for (let i = 0; i < M; i++)
      set(T, i * M + j, times(M, e0, e1, e2, e3, e4, e5, e6, e7, F + <usize>i * line, 16, zero<f64>()));
    const t = T + offset(j);
    const t0 = lineOf(M, 0, t, line), t1 = lineOf(M, 1, t, line), t2 = lineOf(M, 2, t, line), t3 = lineOf(M, 3, t, line);
    const t4 = lineOf(M, 4, t, line), t5 = lineOf(M, 5, t, line), t6 = lineOf(M, 6, t, line), t7 = lineOf(M, 7, t, line);
    for (let i = 0; i <= j; i++)
      set(C, i * M + j, times(M, t0, t1, t2, t3, t4, t5, t6, t7, E + offset(i), line, zero<f64>()));
    const u0 = lineOf(M, 0, u, line), u1 = lineOf(M, 1, u, line), u2 = lineOf(M, 2, u, line), u3 = lineOf(M, 3, u, line);
    const u4 = lineOf(M, 4, u, line), u5 = lineOf(M, 5, u, line), u6 = lineOf(M, 6, u, line), u7 = lineOf(M, 7, u, line);
    for (let i = 0; i <= j; i++)
      set(C, i * M + j, times(M, u0, u1, u2, u3, u4, u5, u6, u7, U + offset(i), line, at(C, i * M + j)));
  }
  return positive;
}
function gains(m: i32, A: usize, Q: usize, LQT: usize, rows: usize): v128 {
  switch (m) {
    case 1: return gainsOf(1, A, Q, LQT, rows);
    case 2: return gainsOf(2, A, Q, LQT, rows);
    case 3: return gainsOf(3, A, Q, LQT, rows);
    case 4: return gainsOf(4, A, Q, LQT, rows);
    case 5: return gainsOf(5, A, Q, LQT, rows);
    case 6: return gainsOf(6, A, Q, LQT, rows);
    case 7: return gainsOf(7, A, Q, LQT, rows);
    default: return gainsOf(8, A, Q, LQT, rows);
  }
}
// The recursion for one row, its matrices as rows of M values: from the smoothed mean x1 and covariance S1 of the row
// after it, lagOne = S1 G, x0 = mean + Gᵀ (x1 - predicted), S0 = C + Gᵀ lagOne. Rows of S1 and S0 are SMALL values
// apart; S0 is symmetric to the bit. What is read beyond a row is of no account. l is scratch.
@inline function retreatOf(M: i32, mean: usize, G: usize, C: usize, predicted: usize, x1: usize, S1: usize,
    lagOne: usize, x0: usize, S0: usize, l: usize): void {
  const line = size<f64>(M), wide = size<f64>(SMALL), rows = <usize>M;
  for (let v: usize = 0; v < line; v += 16) {
    const g = G + v;
    const g0 = lineOf(M, 0, g, line), g1 = lineOf(M, 1, g, line), g2 = lineOf(M, 2, g, line), g3 = lineOf(M, 3, g, line);
    const g4 = lineOf(M, 4, g, line), g5 = lineOf(M, 5, g, line), g6 = lineOf(M, 6, g, line), g7 = lineOf(M, 7, g, line);
    for (let i: usize = 0; i < rows; i++)
      v128.store(l + i * wide + v, timesEach(M, g0, g1, g2, g3, g4, g5, g6, g7, S1 + i * wide, 8, zero<f64>()));
    // the differences of the means stand after the rows of l
    v128.store(l + rows * wide + v, sub<f64>(v128.load(x1 + v), v128.load(predicted + v)));
  }
  for (let v: usize = 0; v < line; v += 16) {
    const own = l + v;
    const l0 = lineOf(M, 0, own, wide), l1 = lineOf(M, 1, own, wide), l2 = lineOf(M, 2, own, wide);
    const l3 = lineOf(M, 3, own, wide), l4 = lineOf(M, 4, own, wide), l5 = lineOf(M, 5, own, wide);
    const l6 = lineOf(M, 6, own, wide), l7 = lineOf(M, 7, own, wide), last = min(rows, v / 8 + 2);
    for (let i: usize = 0; i < last; i++)
      v128.store(S0 + i * wide + v, timesEach(M, l0, l1, l2, l3, l4, l5, l6, l7, G + i * 8, line,
        v128.load(C + i * line + v)));
    const a = l + rows * wide;
    const a0 = valueOf(M, 0, a, 8), a1 = valueOf(M, 1, a, 8), a2 = valueOf(M, 2, a, 8), a3 = valueOf(M, 3, a, 8);
    const a4 = valueOf(M, 4, a, 8), a5 = valueOf(M, 5, a, 8), a6 = valueOf(M, 6, a, 8), a7 = valueOf(M, 7, a, 8);
    v128.store(x0 + v, times(M, a0, a1, a2, a3, a4, a5, a6, a7, G + v, line, v128.load(mean + v)));
  }
  for (let i = 0; i < M; i++) copy(lagOne + <usize>i * line, l + <usize>i * wide, M);
  mirror(M, SMALL, S0);
}
function retreat(m: i32, mean: usize, G: usize, C: usize, predicted: usize, x1: usize, S1: usize, lagOne: usize,
    x0: usize, S0: usize, l: usize): void {
  switch (m) {
    case 1: retreatOf(1, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    case 2: retreatOf(2, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    case 3: retreatOf(3, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    case 4: retreatOf(4, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    case 5: retreatOf(5, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    case 6: retreatOf(6, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    case 7: retreatOf(7, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
    default: retreatOf(8, mean, G, C, predicted, x1, S1, lagOne, x0, S0, l); return;
  }
}
// The rows [first, first + count), backwards. Returns 1 + the first of them whose P is not positive definite, or 0.
function smoothRows(m: i32, first: i32, count: i32, model: usize, mean: usize, covariance: usize, z: usize, S: usize,
    rows: usize): i32 {
  const square = m * m, wide = m * SMALL;
  const A = model, Q = A + 2 * size<f64>(wide), LQT = Q + size<f64>(wide);
  transposeIn<f64>(count, square, spot(covariance, first, square), rows + F_);
  transposeIn<f64>(count, m, spot(mean, first, m), rows + x_);
  v128.store(rows + lagOne_, gains(m, A, Q, LQT, rows));
  for (let i = count - 1; i >= 0; i--) if (get<f64>(rows + lagOne_, i) == 0) return first + i + 1;
  copy(rows + means_, spot(mean, first, m), count * m);
  transposeOut<f64>(count, m, rows + xp_, rows + predicted_);
  transposeOut<f64>(count, square, rows + G_, rows + gains_);
  transposeOut<f64>(count, square, rows + C_, rows + rests_);
  copy(spot(rows + z_, count, SMALL), z, SMALL);
  copy(spot(rows + S_, count, wide), S, wide);
  for (let i = count - 1; i >= 0; i--)
    retreat(m, spot(rows + means_, i, m), spot(rows + gains_, i, square), spot(rows + rests_, i, square),
      spot(rows + predicted_, i, m), spot(rows + z_, i + 1, SMALL), spot(rows + S_, i + 1, wide),
      spot(rows + lagOne_, i, square), spot(rows + z_, i, SMALL), spot(rows + S_, i, wide), rows + E_);
  return 0;
}
// The smoother for rows [from, end); z and S are those of the row after them, then those of row `from`
export function smoothLanes(m: i32, from: i32, end: i32, model: usize, mean: usize, covariance: usize, rows: usize,
    z: usize, S: usize, smoothedMean: usize, smoothedCovariance: usize, lagOne: usize): i32 {
  for (let count = 0; from < end; end -= count) {
    count = min(N, end - from);
    const first = end - count, info = smoothRows(m, first, count, model, mean, covariance, z, S, rows);
    if (info > 0) return info;
    for (let i = 0; i < count; i++) {
      const P = spot(rows + S_, i, m * SMALL), to = spot(smoothedCovariance, first + i, m * m);
      for (let r = 0; r < m; r++) copy(spot(to, r, m), spot(P, r, SMALL), m);
      copy(spot(smoothedMean, first + i, m), spot(rows + z_, i, SMALL), m);
    }
    copy(spot(lagOne, first, m * m), rows + lagOne_, count * m * m);
    copy(z, rows + z_, SMALL);
    copy(S, rows + S_, m * SMALL);
  }
  return 0;
}

// ---- sums ----
// For the rows in lanes, with z1, S1 smoothed one row later and z0: r = P⁻¹ (z1 - xp), which becomes xp, Z = P⁻¹ S1,
// X = Z G + r z0ᵀ and, on and above the diagonal, Y = Z P⁻¹ + r rᵀ
@inline function residualsOf(M: i32, rows: usize, z0: usize, z1: usize, S1: usize, X: usize, Y: usize): void {
  const Z = rows + T_, L = rows + L_, inverse = rows + pivots_, G = rows + G_, r = rows + xp_, line = offset(M);
  for (let i = 0; i < M; i++) set(r, i, sub<f64>(at(z1, i), at(r, i)));
  solve(M, L, inverse, r, 16);
  for (let j = 0; j < M; j++) {
    for (let i = 0; i < M; i++) set(Z, i * M + j, at(S1, i * SMALL + j));
    solve(M, L, inverse, Z + offset(j), line);
  }
  for (let i = 0; i < M; i++) {
    const ri = at(r, i), v = Z + <usize>i * line;
    const v0 = lineOf(M, 0, v, 16), v1 = lineOf(M, 1, v, 16), v2 = lineOf(M, 2, v, 16), v3 = lineOf(M, 3, v, 16);
    const v4 = lineOf(M, 4, v, 16), v5 = lineOf(M, 5, v, 16), v6 = lineOf(M, 6, v, 16), v7 = lineOf(M, 7, v, 16);
    for (let j = 0; j < M; j++)
      set(X, i * M + j, times(M, v0, v1, v2, v3, v4, v5, v6, v7, G + offset(j), line, mul<f64>(ri, at(z0, j))));
    solve(M, L, inverse, v, 16);
    for (let k = 0; k <= i; k++) set(Y, k * M + i, madd<f64>(at(r, k), ri, at(v, k)));
  }
}
function residuals(m: i32, rows: usize, z0: usize, z1: usize, S1: usize, X: usize, Y: usize): void {
  switch (m) {
    case 1: residualsOf(1, rows, z0, z1, S1, X, Y); return;
    case 2: residualsOf(2, rows, z0, z1, S1, X, Y); return;
    case 3: residualsOf(3, rows, z0, z1, S1, X, Y); return;
    case 4: residualsOf(4, rows, z0, z1, S1, X, Y); return;
    case 5: residualsOf(5, rows, z0, z1, S1, X, Y); return;
    case 6: residualsOf(6, rows, z0, z1, S1, X, Y); return;
    case 7: residualsOf(7, rows, z0, z1, S1, X, Y); return;
    default: residualsOf(8, rows, z0, z1, S1, X, Y); return;
  }
}
// The sums of rows [from, end); z and S are those of the row after them, then those of row `from`
export function momentsLanes(m: i32, from: i32, end: i32, d: i32, model: usize, mean: usize, covariance: usize,
    x: usize, rows: usize, z: usize, S: usize, to: Sums): i32 {
  const square = m * m, wide = m * SMALL, D = pad<f64>(d);
  const B = model + 4 * size<f64>(wide), R = B + 2 * size<f64>(d * SMALL) + size<f64>(m * D);
  const X = rows + sums_, Y = X + SMALL * SMALL * 8 + 16, C = Y + SMALL * SMALL * 8 + 16;
  memory.fill(X, 0, ROWS - sums_);
  for (let count = 0; from < end; end -= count) {
    count = min(N, end - from);
    const first = end - count, info = smoothRows(m, first, count, model, mean, covariance, z, S, rows);
    if (info > 0) return info;
    const z0 = rows + x_, z1 = rows + means_, S1 = rows + E_, linesX = rows + U_, linesY = rows + F_;
    transposeIn<f64>(count, SMALL, rows + z_, z0);
    transposeIn<f64>(count, SMALL, rows + z_ + SMALL * 8, z1);
    transposeIn<f64>(count, wide, rows + S_ + size<f64>(wide), S1);
    residuals(m, rows, z0, z1, S1, linesX, linesY);
    transposeOut<f64>(count, square, linesX, rows + gains_);
    transposeOut<f64>(count, square, linesY, rows + lagOne_);
    for (let i = count - 1; i >= 0; i--) {
      const own = spot(rows + z_, i, SMALL), P = spot(rows + S_, i, wide);
      addLines(square, spot(rows + gains_, i, square), X);
      addLines(square, spot(rows + lagOne_, i, square), Y);
      addLines(square, spot(rows + rests_, i, square), C);
      addLines(wide, P, to.Z);
      addOuter(m, m, own, own, to.Z, SMALL);
      addRow(d, m, D, SMALL, spot(x, first + i, d), B, R, own, P, to);
    }
    copy(z, rows + z_, SMALL);
    copy(S, rows + S_, wide);
  }
  spread(m, m, SMALL, X, to.X);
  spread(m, m, SMALL, Y, to.Y);
  spread(m, m, SMALL, C, to.C);
  return 0;
}
