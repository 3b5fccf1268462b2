// Linear dynamical systems: filter, smoother, sums of the E step. docs/math/lds.md. Twin: native/lds.cc
// Matrices of a step are products of `gemm`; their rows are padded to whole lines, m x M or d x M, M = pad(m).
import { log, logOne, madd, maddOne, mul, neg, nmaddOne, splat, splatAt } from "./simd";
import { entry, gemm, get, pad, put, size, spot, tri } from "./linalg";
import {
  addLines, addOuter, addProduct, addRow, addRows, addTimes, clear, copy, countSeen, factorSeen, HALF_LOG_2PI, mirror,
  negate, pack, spread, Sums, whiten,
} from "./lds-observations";
import { filterLanes, momentsLanes, ROWS, SMALL, smoothLanes } from "./lds-lanes";

const PIVOTS = 8; // rows of a factor that are eliminated one by one

// C = c I
function diagonal(n: i32, width: i32, c: f64, C: usize): void {
  clear(C, n * width);
  for (let i = 0; i < n; i++) store<f64>(spot(C, i, width, i), c);
}
// C += A B, on and above the diagonal; what lies below is of no account
function upper(n: i32, inner: i32, A: usize, row: i32, step: i32, B: usize, C: usize, width: i32): void {
  for (let b = 0; b < n; b += PIVOTS)
    gemm<f64>(min(PIVOTS, n - b), inner, n - b, A + size<f64>(b * row), size<f64>(row), size<f64>(step),
      B + size<f64>(b), size<f64>(width), spot(C, b, width, b), size<f64>(width));
}

// P = Uᵀ D U with ones on the diagonal of U: P becomes D U, N becomes -U above the diagonal, pivots become D and, one
// line further, 1/D. Only the triangle above the diagonal of P counts. Returns whether all pivots are positive.
function factorise(n: i32, width: i32, P: usize, N: usize, pivots: usize): bool {
  const line = size<f64>(width);
  for (let b = 0; b < n; b += PIVOTS) {
    const rows = min(PIVOTS, n - b);
    gemm<f64>(rows, b, n - b, N + size<f64>(b), 8, line, P + size<f64>(b), line, spot(P, b, width, b), line);
    for (let j = b; j < b + rows; j++) {
      const p = spot(P, j, width), u = spot(N, j, width), pivot = get<f64>(p, j), inverse: f64 = 1 / pivot;
      if (!(pivot > 0)) return false;
      put<f64>(pivots, j, pivot);
      put<f64>(pivots, width + j, inverse);
      const first = size<f64>(b), last = size<f64>(n), scale = splat<f64>(inverse);
      for (let c = first; c < last; c += 16) v128.store(u + c, neg<f64>(mul<f64>(v128.load(p + c), scale)));
      for (let i = j + 1; i < b + rows; i++) {
        const x = splatAt<f64>(u + size<f64>(i)), q = spot(P, i, width);
        for (let c = first; c < last; c += 16) v128.store(q + c, madd<f64>(x, v128.load(p + c), v128.load(q + c)));
      }
    }
  }
  return true;
}
// X = U⁻ᵀ X or U⁻¹ X for `rows` rows, whose factor begins at N: eight at once stay in registers
function down(rows: i32, width: i32, N: usize, columns: i32, X: usize, line: i32): void {
  const wide = size<f64>(width), long = size<f64>(line);
  if (rows < PIVOTS) {
    for (let j = 0; j < rows; j++)
      for (let i = j + 1; i < rows; i++) addTimes(columns, entry(N, j, width, i), spot(X, j, line), spot(X, i, line));
    return;
  }
  const N1 = N + wide, N2 = N1 + wide, N3 = N2 + wide, N4 = N3 + wide, N5 = N4 + wide, N6 = N5 + wide;
  for (let end = X + size<f64>(columns); X < end; X += 16) {
    const X1 = X + long, X2 = X1 + long, X3 = X2 + long, X4 = X3 + long, X5 = X4 + long, X6 = X5 + long, X7 = X6 + long;
    let x0 = v128.load(X), x1 = v128.load(X1), x2 = v128.load(X2), x3 = v128.load(X3);
    let x4 = v128.load(X4), x5 = v128.load(X5), x6 = v128.load(X6), x7 = v128.load(X7);
    x1 = madd<f64>(v128.load_splat<f64>(N, 8), x0, x1); x2 = madd<f64>(v128.load_splat<f64>(N, 16), x0, x2);
    x3 = madd<f64>(v128.load_splat<f64>(N, 24), x0, x3); x4 = madd<f64>(v128.load_splat<f64>(N, 32), x0, x4);
    x5 = madd<f64>(v128.load_splat<f64>(N, 40), x0, x5); x6 = madd<f64>(v128.load_splat<f64>(N, 48), x0, x6);
    x7 = madd<f64>(v128.load_splat<f64>(N, 56), x0, x7);
    x2 = madd<f64>(v128.load_splat<f64>(N1, 16), x1, x2); x3 = madd<f64>(v128.load_splat<f64>(N1, 24), x1, x3);
    x4 = madd<f64>(v128.load_splat<f64>(N1, 32), x1, x4); x5 = madd<f64>(v128.load_splat<f64>(N1, 40), x1, x5);
    x6 = madd<f64>(v128.load_splat<f64>(N1, 48), x1, x6); x7 = madd<f64>(v128.load_splat<f64>(N1, 56), x1, x7);
    x3 = madd<f64>(v128.load_splat<f64>(N2, 24), x2, x3); x4 = madd<f64>(v128.load_splat<f64>(N2, 32), x2, x4);
    x5 = madd<f64>(v128.load_splat<f64>(N2, 40), x2, x5); x6 = madd<f64>(v128.load_splat<f64>(N2, 48), x2, x6);
    x7 = madd<f64>(v128.load_splat<f64>(N2, 56), x2, x7);
    x4 = madd<f64>(v128.load_splat<f64>(N3, 32), x3, x4); x5 = madd<f64>(v128.load_splat<f64>(N3, 40), x3, x5);
    x6 = madd<f64>(v128.load_splat<f64>(N3, 48), x3, x6); x7 = madd<f64>(v128.load_splat<f64>(N3, 56), x3, x7);
    x5 = madd<f64>(v128.load_splat<f64>(N4, 40), x4, x5); x6 = madd<f64>(v128.load_splat<f64>(N4, 48), x4, x6);
    x7 = madd<f64>(v128.load_splat<f64>(N4, 56), x4, x7);
    x6 = madd<f64>(v128.load_splat<f64>(N5, 48), x5, x6); x7 = madd<f64>(v128.load_splat<f64>(N5, 56), x5, x7);
    x7 = madd<f64>(v128.load_splat<f64>(N6, 56), x6, x7);
    v128.store(X, x0); v128.store(X1, x1); v128.store(X2, x2); v128.store(X3, x3);
    v128.store(X4, x4); v128.store(X5, x5); v128.store(X6, x6); v128.store(X7, x7);
  }
}
function up(rows: i32, width: i32, N: usize, columns: i32, X: usize, line: i32): void {
  const wide = size<f64>(width), long = size<f64>(line);
  if (rows < PIVOTS) {
    for (let i = rows - 1; i > 0; i--)
      for (let j = 0; j < i; j++) addTimes(columns, entry(N, j, width, i), spot(X, i, line), spot(X, j, line));
    return;
  }
  const N1 = N + wide, N2 = N1 + wide, N3 = N2 + wide, N4 = N3 + wide, N5 = N4 + wide, N6 = N5 + wide;
  for (let end = X + size<f64>(columns); X < end; X += 16) {
    const X1 = X + long, X2 = X1 + long, X3 = X2 + long, X4 = X3 + long, X5 = X4 + long, X6 = X5 + long, X7 = X6 + long;
    let x0 = v128.load(X), x1 = v128.load(X1), x2 = v128.load(X2), x3 = v128.load(X3);
    let x4 = v128.load(X4), x5 = v128.load(X5), x6 = v128.load(X6), x7 = v128.load(X7);
    x0 = madd<f64>(v128.load_splat<f64>(N, 56), x7, x0); x1 = madd<f64>(v128.load_splat<f64>(N1, 56), x7, x1);
    x2 = madd<f64>(v128.load_splat<f64>(N2, 56), x7, x2); x3 = madd<f64>(v128.load_splat<f64>(N3, 56), x7, x3);
    x4 = madd<f64>(v128.load_splat<f64>(N4, 56), x7, x4); x5 = madd<f64>(v128.load_splat<f64>(N5, 56), x7, x5);
    x6 = madd<f64>(v128.load_splat<f64>(N6, 56), x7, x6);
    x0 = madd<f64>(v128.load_splat<f64>(N, 48), x6, x0); x1 = madd<f64>(v128.load_splat<f64>(N1, 48), x6, x1);
    x2 = madd<f64>(v128.load_splat<f64>(N2, 48), x6, x2); x3 = madd<f64>(v128.load_splat<f64>(N3, 48), x6, x3);
    x4 = madd<f64>(v128.load_splat<f64>(N4, 48), x6, x4); x5 = madd<f64>(v128.load_splat<f64>(N5, 48), x6, x5);
    x0 = madd<f64>(v128.load_splat<f64>(N, 40), x5, x0); x1 = madd<f64>(v128.load_splat<f64>(N1, 40), x5, x1);
    x2 = madd<f64>(v128.load_splat<f64>(N2, 40), x5, x2); x3 = madd<f64>(v128.load_splat<f64>(N3, 40), x5, x3);
    x4 = madd<f64>(v128.load_splat<f64>(N4, 40), x5, x4);
    x0 = madd<f64>(v128.load_splat<f64>(N, 32), x4, x0); x1 = madd<f64>(v128.load_splat<f64>(N1, 32), x4, x1);
    x2 = madd<f64>(v128.load_splat<f64>(N2, 32), x4, x2); x3 = madd<f64>(v128.load_splat<f64>(N3, 32), x4, x3);
    x0 = madd<f64>(v128.load_splat<f64>(N, 24), x3, x0); x1 = madd<f64>(v128.load_splat<f64>(N1, 24), x3, x1);
    x2 = madd<f64>(v128.load_splat<f64>(N2, 24), x3, x2);
    x0 = madd<f64>(v128.load_splat<f64>(N, 16), x2, x0); x1 = madd<f64>(v128.load_splat<f64>(N1, 16), x2, x1);
    x0 = madd<f64>(v128.load_splat<f64>(N, 8), x1, x0);
    v128.store(X, x0); v128.store(X1, x1); v128.store(X2, x2); v128.store(X3, x3);
    v128.store(X4, x4); v128.store(X5, x5); v128.store(X6, x6); v128.store(X7, x7);
  }
}
// X = P⁻¹ X, X of n rows of `columns`, `line` apart
function solve(n: i32, width: i32, N: usize, pivots: usize, columns: i32, X: usize, line: i32): void {
  const wide = size<f64>(width), long = size<f64>(line);
  for (let b = 0; b < n; b += PIVOTS) {
    const rows = min(PIVOTS, n - b);
    gemm<f64>(rows, b, columns, N + size<f64>(b), 8, wide, X, long, spot(X, b, line), long);
    down(rows, width, spot(N, b, width, b), columns, spot(X, b, line), line);
  }
  for (let i = 0; i < n; i++) {
    const inverse = splatAt<f64>(pivots + size<f64>(width + i));
    for (let x = spot(X, i, line), end = x + size<f64>(columns); x < end; x += 16)
      v128.store(x, mul<f64>(v128.load(x), inverse));
  }
  for (let b = (n - 1) / PIVOTS * PIVOTS; b >= 0; b -= PIVOTS) {
    const end = min(b + PIVOTS, n), from = spot(X, end, line), to = spot(X, b, line);
    gemm<f64>(end - b, n - end, columns, spot(N, b, width, end), wide, 8, from, long, to, long);
    up(end - b, width, spot(N, b, width, b), columns, to, line);
  }
}
// uᵀ P⁻¹ u; u is lost
function distance(n: i32, width: i32, N: usize, pivots: usize, u: usize): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < n; j++) {
    const v = get<f64>(u, j), first = j / PIVOTS * PIVOTS;
    sum = maddOne<f64>(v * get<f64>(pivots, width + j), v, sum);
    addTimes(n - first, v, spot(N, j, width, first), u + size<f64>(first));
  }
  return sum;
}
// log |P|; pivots are lost
function logDet(n: i32, pivots: usize): f64 {
  let sum: f64 = 0;
  for (let j = n; j < pad<f64>(n); j++) put<f64>(pivots, j, 1);
  for (let p = pivots, end = p + size<f64>(n); p < end; p += 16) v128.store(p, log<f64>(v128.load(p)));
  for (let j = 0; j < n; j++) sum += get<f64>(pivots, j);
  return sum;
}

// ---- filter ----
// P = A F Aᵀ + Q, and T = A F; on and above the diagonal
function predict(m: i32, M: i32, A: usize, AT: usize, Q: usize, F: usize, T: usize, P: usize): void {
  const line = size<f64>(M);
  clear(T, m * M);
  gemm<f64>(m, m, m, A, line, 8, F, line, T, line);
  copy(P, Q, m * M);
  upper(m, m, T, M, 1, AT, P, M);
}
// xp = A x
function move(m: i32, M: i32, AT: usize, x: usize, xp: usize): void {
  clear(xp, M);
  gemm<f64>(1, m, m, x, 0, 8, AT, size<f64>(M), xp, size<f64>(M));
}
// The mean xp and covariance P become those given y = H z + N(0, I) (Joseph's form); returns the density's exponent:
// S = H P Hᵀ + I, K becomes Kᵀ = S⁻¹ H P, E becomes (I - K H)ᵀ, P becomes Eᵀ P E + K Kᵀ;
// (log |S| + |y - H xp|² in the metric of S)/2, or NaN
function update(d: i32, m: i32, D: i32, M: i32, H: usize, HT: usize, u: usize, x: usize, P: usize, K: usize, G: usize,
    S: usize, N: usize, pivots: usize, E: usize, T: usize, minus: usize): f64 {
  const line = size<f64>(M), wide = size<f64>(D);
  negate(M, x, minus);
  gemm<f64>(1, m, d, minus, 0, 8, HT, wide, u, wide);
  clear(K, d * M);
  gemm<f64>(d, m, m, H, line, 8, P, line, K, line);
  diagonal(d, D, 1, S);
  upper(d, m, K, M, 1, HT, S, D);
  if (!factorise(d, D, S, N, pivots)) return NaN;
  solve(d, D, N, pivots, m, K, M);
  negate(d * M, K, G);
  diagonal(m, M, 1, E);
  gemm<f64>(m, d, m, H, 8, line, G, line, E, line);
  clear(T, m * M);
  gemm<f64>(m, m, m, P, line, 8, E, line, T, line);
  clear(P, m * M);
  upper(m, m, E, 1, M, T, P, M);
  upper(m, d, K, 1, M, K, P, M);
  mirror(m, M, P);
  gemm<f64>(1, d, m, u, 0, 8, K, line, x, line);
  const q = distance(d, D, N, pivots, u);
  return 0.5 * (q + logDet(d, pivots));
}
// whether the mean x and the variances in P are finite
function finite(m: i32, M: i32, x: usize, P: usize): bool {
  let sum: f64 = 0;
  for (let j = 0; j < m; j++) {
    const a = get<f64>(x, j), b = entry(P, j, M, j);
    sum += (a - a) + (b - b);
  }
  return sum == 0;
}

// ---- smoother ----
// From the filtered mean and covariance F of a row, and the smoothed mean x and covariance S of the row after it:
// P = A F Aᵀ + Q as a factor, G = P⁻¹ A F, delta = x - A mean, lagOne = S G, C = (I - GᵀA) F (I - GᵀA)ᵀ + Gᵀ Q G.
// Returns whether P is positive definite.
function gain(m: i32, M: i32, A: usize, AT: usize, Q: usize, LQT: usize, mean: usize, F: usize, x: usize, S: usize,
    G: usize, delta: usize, lagOne: usize, C: usize, N: usize, pivots: usize, P: usize, T: usize, E: usize): bool {
  const line = size<f64>(M);
  predict(m, M, A, AT, Q, F, G, P);
  if (!factorise(m, M, P, N, pivots)) return false;
  solve(m, M, N, pivots, m, G, M);
  move(m, M, AT, mean, delta);
  for (let j = 0; j < m; j++) put<f64>(delta, j, get<f64>(x, j) - get<f64>(delta, j));
  clear(lagOne, m * M);
  gemm<f64>(m, m, m, S, line, 8, G, line, lagOne, line);
  negate(m * M, G, P);
  diagonal(m, M, 1, E);
  gemm<f64>(m, m, m, A, 8, line, P, line, E, line);
  clear(T, m * M);
  gemm<f64>(m, m, m, F, line, 8, E, line, T, line);
  clear(C, m * M);
  upper(m, m, E, 1, M, T, C, M);
  clear(T, m * M);
  gemm<f64>(m, m, m, LQT, line, 8, G, line, T, line);
  upper(m, m, T, 1, M, T, C, M);
  return true;
}
// x = mean + Gᵀ delta, S = C + Gᵀ lagOne
function retreat(m: i32, M: i32, mean: usize, G: usize, delta: usize, lagOne: usize, C: usize, x: usize,
    S: usize): void {
  copy(x, mean, m);
  gemm<f64>(1, m, m, delta, 0, 8, G, size<f64>(M), x, size<f64>(M));
  copy(S, C, m * M);
  upper(m, m, G, 1, M, lagOne, S, M);
  mirror(m, M, S);
}

export function prepare<T>(d: i32, latent: i32, prepared: i32, A: usize, B: usize, Q: usize, LQ: usize, R: usize,
    LR: usize, model: usize): i32 {
  const m = latent, M = pad<f64>(m), D = pad<f64>(d), square = size<f64>(m * M), tall = size<f64>(d * M);
  const AT = model + square, q = AT + square, LQT = q + square, b = LQT + square, H = b + tall, HT = H + tall;
  const r = HT + size<f64>(m * D), WT = r + size<f64>(d * D), constant = WT + size<f64>(d * D);
  memory.fill(model, 0, constant - model + 64);
  spread(m, m, M, A, model);
  spread(m, m, M, Q, q);
  spread(d, m, M, B, b);
  spread(d, d, D, R, r);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) {
      store<f64>(spot(AT, j, M, i), entry(A, i, m, j));
      store<f64>(spot(LQT, j, M, i), j > i ? 0 : get<f64>(LQ, tri(i) + j));
    }
  for (let i = 0; i < d; i++) {
    const row = LR + size<f64>(tri(i)), pivot = get<f64>(row, i);
    for (let j = 0; j < m; j++) {
      let s = entry(B, i, m, j);
      for (let p = 0; p < i; p++) s = nmaddOne<f64>(get<f64>(row, p), entry(H, p, M, j), s);
      s /= pivot;
      store<f64>(spot(H, i, M, j), s);
      store<f64>(spot(HT, j, D, i), s);
    }
    for (let j = 0; j <= i; j++) {
      let s: f64 = i == j ? 1 : 0;
      for (let p = j; p < i; p++) s = nmaddOne<f64>(get<f64>(row, p), entry(WT, j, D, p), s);
      store<f64>(spot(WT, j, D, i), s / pivot);
    }
    store<f64>(constant, load<f64>(constant) + (logOne(pivot) + HALF_LOG_2PI));
  }
  return 0;
}

export function filter<T>(n: i32, s: i32, d: i32, latent: i32, prepared: i32, carried: i32, scratch: i32,
    predicted: i32, filtered: i32, keep: i32, lengths: usize, model: usize, started: usize, x: usize, work: usize,
    state: usize, predictedMean: usize, predictedCovariance: usize, mean: usize, covariance: usize,
    logDensity: usize): i32 {
  const m = latent, M = pad<f64>(m), D = pad<f64>(d), square = size<f64>(m * M), tall = size<f64>(d * M);
  if (m <= SMALL && d <= SMALL)
    return filterLanes(m, s, d, carried, predicted > 0, filtered > 0, lengths, model, started, x, work, state,
      predictedMean, predictedCovariance, mean, covariance, logDensity);
  const line = size<f64>(M), wide = size<f64>(D);
  const A = model, AT = A + square, Q = AT + square, B = Q + 2 * square, H = B + tall, HT = H + tall;
  const R = HT + size<f64>(m * D), WT = R + size<f64>(d * D), constant = WT + size<f64>(d * D);
  const F = work, P = F + square, U = P + square, E = U + square, K = E + square, G = K + tall, H1 = G + tall;
  const HT1 = H1 + tall, S = HT1 + size<f64>(m * D), N = S + size<f64>(d * D), L = N + size<f64>(d * D);
  const z = L + size<f64>(d * D), zp = z + line, minus = zp + line, u = minus + line, pivots = u + wide;
  for (let sequence = 0, t = 0; sequence < s; sequence++, state += size<f64>(carried)) {
    const length = get<i32>(lengths, sequence);
    if (length == 0) continue;
    copy(z, state, m);
    spread(m, m, M, state + size<f64>(m), F);
    for (let i = 0; i < length; i++, t++, x += size<f64>(d)) {
      if (i > 0 || get<i32>(started, sequence)) {
        move(m, M, AT, z, zp);
        predict(m, M, A, AT, Q, F, U, P);
        mirror(m, M, P);
      } else {
        copy(zp, z, m);
        copy(P, F, m * M);
      }
      if (predicted) {
        copy(spot(predictedMean, t, m), zp, m);
        pack(m, m, M, P, spot(predictedCovariance, t, m * m));
      }
      const count = countSeen(d, x);
      let density: f64 = 0;
      if (count > 0) {
        let h = H, hT = HT;
        clear(u, D);
        if (count == d) {
          density = load<f64>(constant);
          gemm<f64>(1, d, d, x, 0, 8, WT, wide, u, wide);
        } else {
          h = H1;
          hT = HT1;
          factorSeen(d, D, x, R, L);
          density = whiten(d, m, D, M, x, B, L, H1, HT1, u);
        }
        density = -(density + update(d, m, D, M, h, hT, u, zp, P, K, G, S, N, pivots, E, U, minus));
      }
      if (!(density - density == 0) || !finite(m, M, zp, P)) return t + 1;
      copy(z, zp, m);
      copy(F, P, m * M);
      if (filtered) {
        copy(spot(mean, t, m), z, m);
        pack(m, m, M, F, spot(covariance, t, m * m));
      }
      put<f64>(logDensity, t, density);
    }
    copy(state, z, m);
    pack(m, m, M, F, state + size<f64>(m));
  }
  return 0;
}

export function smooth<T>(n: i32, s: i32, d: i32, latent: i32, prepared: i32, carried: i32, scratch: i32,
    lengths: usize, model: usize, ended: usize, mean: usize, covariance: usize, work: usize, state: usize,
    smoothedMean: usize, smoothedCovariance: usize, lagOne: usize): i32 {
  const m = latent, M = pad<f64>(m), square = size<f64>(m * M), line = size<f64>(M);
  const A = model, AT = A + square, Q = AT + square, LQT = Q + square;
  const F = work, P = F + square, S = P + square, G = S + square, U = G + square, C = U + square, N = C + square;
  const V = N + square, E = V + square, z = E + square, delta = z + line, pivots = delta + line;
  const lanes = pivots + 2 * line;
  clear(z, M);
  clear(S, m * M);
  if (m <= SMALL) memory.fill(lanes, 0, ROWS);
  for (let sequence = 0, end = 0; sequence < s; sequence++, state += size<f64>(carried)) {
    const length = get<i32>(lengths, sequence), from = end;
    if (length == 0) continue;
    end += length;
    let t = end - 1;
    if (get<i32>(ended, sequence)) {
      copy(spot(smoothedMean, t, m), spot(mean, t, m), m);
      copy(spot(smoothedCovariance, t, m * m), spot(covariance, t, m * m), m * m);
      clear(spot(lagOne, t, m * m), m * m);
      copy(state, spot(mean, t, m), m);
      copy(state + size<f64>(m), spot(covariance, t, m * m), m * m);
      t--;
    }
    copy(z, state, m);
    spread(m, m, M, state + size<f64>(m), S);
    if (m <= SMALL) {
      const info =
        smoothLanes(m, from, t + 1, model, mean, covariance, lanes, z, S, smoothedMean, smoothedCovariance, lagOne);
      if (info > 0) return info;
    }
    for (; m > SMALL && t >= from; t--) {
      const one = spot(mean, t, m);
      spread(m, m, M, spot(covariance, t, m * m), F);
      if (!gain(m, M, A, AT, Q, LQT, one, F, z, S, G, delta, U, C, N, pivots, P, V, E)) return t + 1;
      pack(m, m, M, U, spot(lagOne, t, m * m));
      retreat(m, M, one, G, delta, U, C, z, S);
      copy(spot(smoothedMean, t, m), z, m);
      pack(m, m, M, S, spot(smoothedCovariance, t, m * m));
    }
    copy(state, z, m);
    pack(m, m, M, S, state + size<f64>(m));
  }
  return 0;
}

// With X = P⁻¹ (S G + delta zᵀ) and Y = P⁻¹ (S + delta deltaᵀ) P⁻¹, z that of row t, I - A Gᵀ being Q P⁻¹:
// cross = Q ΣX - A ΣC,  W = Q ΣY Q + A ΣC Aᵀ;  complete rows: observed = Σ e zᵀ - B ΣS, residual = Σ e eᵀ + B ΣS Bᵀ.
export function moments<T>(n: i32, s: i32, d: i32, latent: i32, prepared: i32, carried: i32, scratch: i32,
    lengths: usize, model: usize, started: usize, ended: usize, initialMean: usize, x: usize, mean: usize,
    covariance: usize, work: usize, state: usize, S00: usize, cross: usize, W: usize, Szz: usize, observed: usize,
    residual: usize, first: usize, firstSquare: usize): i32 {
  const m = latent, M = pad<f64>(m), D = pad<f64>(d), square = size<f64>(m * M), tall = size<f64>(d * M);
  const line = size<f64>(M), flat = size<f64>(d * D);
  const A = model, AT = A + square, Q = AT + square, LQT = Q + square, B = LQT + square;
  const R = B + 2 * tall + size<f64>(m * D);
  const F = work, P = F + square, S = P + square, G = S + square, U = G + square, C = U + square, N = C + square;
  const V = N + square, E = V + square, Y = E + square, one8 = Y + square, sums = one8 + square;
  const sumO = sums + 5 * square, K = sumO + tall, DS = K + tall, sumR = DS + tall, L = sumR + flat, VG = L + flat;
  const z = VG + flat, delta = z + line, pivots = delta + line, e = pivots + 2 * line, lanes = e + 2 * size<f64>(D);
  const sumX = sums, sumY = sumX + square, sumC = sumY + square, sumS = sumC + square, sumZ = sumS + square;
  const to = changetype<Sums>(lanes + ROWS);
  to.X = sumX; to.Y = sumY; to.C = sumC; to.S = sumS; to.Z = sumZ; to.observed = sumO; to.residual = sumR;
  to.L = L; to.K = K; to.V = VG; to.DS = DS; to.e = e;
  clear(z, M);
  clear(S, m * M);
  if (m <= SMALL) memory.fill(lanes, 0, ROWS);
  for (let sequence = 0, end = 0; sequence < s; sequence++, state += size<f64>(carried)) {
    const length = get<i32>(lengths, sequence), from = end;
    if (length == 0) continue;
    end += length;
    clear(sums, 5 * m * M);
    clear(sumO, d * M);
    clear(sumR, d * D);
    let t = end - 1;
    if (get<i32>(ended, sequence)) {
      copy(state, spot(mean, t, m), m);
      copy(state + size<f64>(m), spot(covariance, t, m * m), m * m);
    }
    copy(z, state, m);
    spread(m, m, M, state + size<f64>(m), S);
    if (get<i32>(ended, sequence)) {
      for (let i = 0; i < m; i++)
        for (let j = 0; j < m; j++) {
          const square = maddOne<f64>(get<f64>(z, i), get<f64>(z, j), entry(S, i, M, j));
          store<f64>(spot(Szz, i, m, j), entry(Szz, i, m, j) + square);
        }
      addRow(d, m, D, M, spot(x, t, d), B, R, z, S, to);
      t--;
    }
    if (m <= SMALL) {
      const info = momentsLanes(m, from, t + 1, d, model, mean, covariance, x, lanes, z, S, to);
      if (info > 0) return info;
    }
    for (; m > SMALL && t >= from; t--) {
      const one = spot(mean, t, m);
      spread(m, m, M, spot(covariance, t, m * m), F);
      if (!gain(m, M, A, AT, Q, LQT, one, F, z, S, G, delta, U, C, N, pivots, P, V, E)) return t + 1;
      addLines(m * M, C, sumC);
      // V = P⁻¹ S, and its transpose
      copy(V, S, m * M);
      retreat(m, M, one, G, delta, U, C, z, S);
      solve(m, M, N, pivots, m, V, M);
      for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) store<f64>(spot(Y, j, M, i), entry(V, i, M, j));
      solve(m, M, N, pivots, m, Y, M);
      for (let i = 0; i < m; i++) put<f64>(one8, i * 8, get<f64>(delta, i));
      solve(m, M, N, pivots, 1, one8, 8);
      for (let i = 0; i < m; i++) put<f64>(delta, i, get<f64>(one8, i * 8));
      gemm<f64>(m, m, m, V, line, 8, G, line, sumX, line);
      addOuter(m, m, delta, z, sumX, M);
      addLines(m * M, Y, sumY);
      addOuter(m, m, delta, delta, sumY, M);
      addLines(m * M, S, sumZ);
      addOuter(m, m, z, z, sumZ, M);
      addRow(d, m, D, M, spot(x, t, d), B, R, z, S, to);
    }
    // the triangles of C, S, Z and Y
    mirror(m, M, sumY);
    mirror(m, M, sumS);
    mirror(m, M, sumZ);
    const X = E, Z = K;
    addRows(m, m, M, sumZ, S00);
    addRows(m, m, M, sumZ, Szz);
    mirror(m, M, sumC);
    // U = A ΣC, X = Q ΣX - U
    clear(U, m * M);
    gemm<f64>(m, m, m, A, line, 8, sumC, line, U, line);
    negate(m * M, U, X);
    gemm<f64>(m, m, m, Q, line, 8, sumX, line, X, line);
    addRows(m, m, M, X, cross);
    clear(X, m * M);
    upper(m, m, U, M, 1, AT, X, M);
    clear(V, m * M);
    gemm<f64>(m, m, m, sumY, line, 8, Q, line, V, line);
    upper(m, m, Q, M, 1, V, X, M);
    mirror(m, M, X);
    addRows(m, m, M, X, W);
    // Z = B ΣS
    clear(Z, d * M);
    gemm<f64>(d, m, m, B, line, 8, sumS, line, Z, line);
    addProduct(d, m, M, Z, B, D, sumR);
    addRows(d, d, D, sumR, residual);
    for (let i = 0; i < d; i++)
      for (let j = 0; j < m; j++)
        store<f64>(spot(observed, i, m, j), entry(observed, i, m, j) + (entry(sumO, i, M, j) - entry(Z, i, M, j)));
    if (!get<i32>(started, sequence))
      for (let i = 0; i < m; i++) {
        const a = get<f64>(z, i) - get<f64>(initialMean, i);
        put<f64>(first, i, get<f64>(first, i) + a);
        for (let j = 0; j < m; j++) {
          const b = get<f64>(z, j) - get<f64>(initialMean, j);
          store<f64>(spot(firstSquare, i, m, j), entry(firstSquare, i, m, j) + maddOne<f64>(a, b, entry(S, i, M, j)));
        }
      }
    copy(state, z, m);
    pack(m, m, M, S, state + size<f64>(m));
  }
  return 0;
}
