// Systems of at most SMALL states, whose matrices lie in lanes: docs/math/lds.md. Twin: native/lds-lanes.h
// A line is one element of as many matrices as there are lanes. Rows of one
// sequence are in lanes, for all but the recursion itself. No lane looks at another one, so results do not depend on who
// is beside whom. M is known where a function is inlined; symmetric matrices are squares, their factors triangles.
import { div, madd, mul, neg, nmadd, splat, splatAt, sub, whereGreater, zero } from "./simd";
import { at, get, offset, pad, set, size, spot, transposeIn, transposeOut } from "./linalg";
import { addLines, addOuter, addRow, copy, mirror, spread, Sums } from "./lds-observations";

export const SMALL = 8;
const N = 2;

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

// ---- smoother ----
// Some rows of a sequence, as many as there are lanes, which are all followed by another row: where their parts stand.
// Lines: means x and covariances F filtered, xp = A x, P = A F Aᵀ + Q as a factor L and inverse pivots, G = P⁻¹ A F,
// C = (I - GᵀA) F (I - GᵀA)ᵀ + Gᵀ Q G on and above the diagonal, which is the covariance given the next row's state; and
// scratch.
// Rows: the same, and what follows from the recursion: z and S smoothed, those of the row after the last one too.
const LIST: usize = <usize>SMALL * 16, SQUARE = <usize>SMALL * LIST;
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
