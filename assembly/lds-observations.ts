// The observations of a system: rows with gaps, and the sums of the E step. docs/math/lds.md. Twin:
// native/lds-observations.h
import { add, logOne, madd, maddOne, neg, nmaddOne, splat } from "./simd";
import { entry, gemm, get, put, size, spot } from "./linalg";

@inline export function copy(to: usize, from: usize, n: i32): void { memory.copy(to, from, size<f64>(n)); }
@inline export function clear(to: usize, n: i32): void { memory.fill(to, 0, size<f64>(n)); }
// n rows of d values as lines, and lines as rows
export function spread(n: i32, d: i32, width: i32, rows: usize, lines: usize): void {
  for (let i = 0; i < n; i++) copy(spot(lines, i, width), spot(rows, i, d), d);
}
export function pack(n: i32, d: i32, width: i32, lines: usize, rows: usize): void {
  for (let i = 0; i < n; i++) copy(spot(rows, i, d), spot(lines, i, width), d);
}
// the triangle above the diagonal becomes the one below, too
export function mirror(n: i32, width: i32, C: usize): void {
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) store<f64>(spot(C, i, width, j), entry(C, j, width, i));
}
// to = -from
export function negate(n: i32, from: usize, to: usize): void {
  for (let j = 0; j < n; j += 2, from += 16, to += 16) v128.store(to, neg<f64>(v128.load(from)));
}
// x += a y
@inline export function addTimes(n: i32, a: f64, y: usize, x: usize): void {
  const c = splat<f64>(a);
  for (let end = x + size<f64>(n); x < end; x += 16, y += 16)
    v128.store(x, madd<f64>(c, v128.load(y), v128.load(x)));
}

// ---- observations with gaps ----
export const HALF_LOG_2PI: f64 = 0.9189385332046727;
@inline export function seen(x: f64): bool { return x == x; }
export function countSeen(d: i32, x: usize): i32 {
  let count = 0;
  for (let j = 0; j < d; j++) count += i32(seen(get<f64>(x, j)));
  return count;
}
// L = the factor of the block of R that is seen, with rows and columns of the identity where x has gaps
export function factorSeen(d: i32, D: i32, x: usize, R: usize, L: usize): void {
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      if (!seen(get<f64>(x, i)) || !seen(get<f64>(x, j))) {
        store<f64>(spot(L, i, D, j), i == j ? 1 : 0);
        continue;
      }
      let s = entry(R, i, D, j);
      for (let p = 0; p < j; p++) s = nmaddOne<f64>(entry(L, i, D, p), entry(L, j, D, p), s);
      store<f64>(spot(L, i, D, j), i == j ? sqrt<f64>(s) : s / entry(L, j, D, j));
    }
}
// H = L⁻¹ B, its transpose, and y = L⁻¹ x, 0 in the rows of gaps; returns -log of the density's constant
export function whiten(d: i32, m: i32, D: i32, M: i32, x: usize, B: usize, L: usize, H: usize, HT: usize, y: usize): f64 {
  let constant: f64 = 0;
  for (let i = 0; i < d; i++) {
    const h = spot(H, i, M), pivot = entry(L, i, D, i);
    let s: f64 = seen(get<f64>(x, i)) ? get<f64>(x, i) : 0;
    clear(h, M);
    if (seen(get<f64>(x, i))) {
      copy(h, spot(B, i, M), m);
      for (let p = 0; p < i; p++) {
        addTimes(m, -entry(L, i, D, p), spot(H, p, M), h);
        s = nmaddOne<f64>(entry(L, i, D, p), get<f64>(y, p), s);
      }
      for (let j = 0; j < m; j++) put<f64>(h, j, get<f64>(h, j) / pivot);
      constant += logOne(pivot) + HALF_LOG_2PI;
    }
    put<f64>(y, i, s / pivot);
    for (let j = 0; j < m; j++) store<f64>(spot(HT, j, D, i), get<f64>(h, j));
  }
  return constant;
}

// ---- sums ----
// C += a bᵀ
export function addOuter(n: i32, m: i32, a: usize, b: usize, C: usize, width: i32): void {
  for (let i = 0; i < n; i++) addTimes(m, get<f64>(a, i), b, spot(C, i, width));
}
// to += from
export function addLines(n: i32, from: usize, to: usize): void {
  for (let end = to + size<f64>(n); to < end; to += 16, from += 16)
    v128.store(to, add<f64>(v128.load(to), v128.load(from)));
}
// rows of a sum += lines
export function addRows(n: i32, d: i32, width: i32, lines: usize, sum: usize): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j < d; j++, sum += 8) store<f64>(sum, load<f64>(sum) + entry(lines, i, width, j));
}
// C += A Bᵀ, which is symmetric
export function addProduct(n: i32, inner: i32, width: i32, A: usize, B: usize, line: i32, C: usize): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s: f64 = 0;
      for (let p = 0; p < inner; p++) s = maddOne<f64>(entry(A, i, width, p), entry(B, j, width, p), s);
      store<f64>(spot(C, i, line, j), entry(C, i, line, j) + s);
      if (j < i) store<f64>(spot(C, j, line, i), entry(C, j, line, i) + s);
    }
}
// A row with gaps is x = c + K z + noise given what is seen: residual += e eᵀ + D S Dᵀ + noise, observed += e meanᵀ +
// D S with e = c + D mean and D = K - B; the others are scratch.
export function addGappy(d: i32, m: i32, D: i32, M: i32, x: usize, B: usize, R: usize, mean: usize, S: usize, L: usize,
    Z: usize, V: usize, DS: usize, e: usize, observed: usize, residual: usize): void {
  factorSeen(d, D, x, R, L);
  // Z = L⁻¹ B and e = L⁻¹ (x - B mean), 0 in the rows of gaps; V = L⁻¹ R, columns of gaps only
  for (let i = 0; i < d; i++) {
    const z = spot(Z, i, M), v = spot(V, i, D), pivot = entry(L, i, D, i);
    let r: f64 = 0;
    clear(z, M);
    clear(v, D);
    if (seen(get<f64>(x, i))) {
      copy(z, spot(B, i, M), m);
      r = get<f64>(x, i);
      for (let j = 0; j < m; j++) r = nmaddOne<f64>(entry(B, i, M, j), get<f64>(mean, j), r);
      for (let j = 0; j < d; j++) put<f64>(v, j, seen(get<f64>(x, j)) ? 0 : entry(R, i, D, j));
      for (let p = 0; p < i; p++) {
        addTimes(m, -entry(L, i, D, p), spot(Z, p, M), z);
        addTimes(d, -entry(L, i, D, p), spot(V, p, D), v);
        r = nmaddOne<f64>(entry(L, i, D, p), get<f64>(e, p), r);
      }
      for (let j = 0; j < m; j++) put<f64>(z, j, get<f64>(z, j) / pivot);
      for (let j = 0; j < d; j++) put<f64>(v, j, get<f64>(v, j) / pivot);
      r /= pivot;
    }
    put<f64>(e, i, r);
  }
  // noise: R - Vᵀ V between gaps
  for (let i = 0; i < d; i++)
    for (let j = 0; j < d; j++) {
      if (seen(get<f64>(x, i)) || seen(get<f64>(x, j))) continue;
      let s = entry(R, i, D, j);
      for (let p = 0; p < d; p++) s = nmaddOne<f64>(entry(V, p, D, i), entry(V, p, D, j), s);
      store<f64>(spot(residual, i, D, j), entry(residual, i, D, j) + s);
    }
  // rows of what is seen: e = x - B mean, D = -B; rows of gaps: Vᵀ times the whitened ones
  for (let i = 0; i < d; i++) {
    if (seen(get<f64>(x, i))) continue;
    let r: f64 = 0;
    clear(spot(DS, i, M), M);
    for (let p = 0; p < d; p++) {
      if (!seen(get<f64>(x, p))) continue;
      addTimes(m, -entry(V, p, D, i), spot(Z, p, M), spot(DS, i, M));
      r = maddOne<f64>(entry(V, p, D, i), get<f64>(e, p), r);
    }
    put<f64>(e, D + i, r);
  }
  for (let i = 0; i < d; i++) {
    let r = get<f64>(e, D + i);
    if (seen(get<f64>(x, i))) {
      r = get<f64>(x, i);
      for (let j = 0; j < m; j++) r = nmaddOne<f64>(entry(B, i, M, j), get<f64>(mean, j), r);
      negate(M, spot(B, i, M), spot(DS, i, M));
    }
    put<f64>(e, i, r);
  }
  copy(Z, DS, d * M);
  clear(DS, d * M);
  gemm<f64>(d, m, m, Z, size<f64>(M), 8, S, size<f64>(M), DS, size<f64>(M));
  addLines(d * M, DS, observed);
  addOuter(d, m, e, mean, observed, M);
  addOuter(d, d, e, e, residual, D);
  addProduct(d, m, M, DS, Z, D, residual);
}
// The sums of one sequence, in lines, and scratch: those of docs/math/lds.md, C, S and Z (of S + z zᵀ, where a row
// follows) on and above the diagonal.
@unmanaged export class Sums {
  X: usize; Y: usize; C: usize; S: usize; Z: usize; observed: usize; residual: usize;
  L: usize; K: usize; V: usize; DS: usize; e: usize;
}
// The row x with its smoothed mean z and covariance S, of which the part below the diagonal may be filled in
export function addRow(d: i32, m: i32, D: i32, M: i32, x: usize, B: usize, R: usize, z: usize, S: usize,
    to: Sums): void {
  if (countSeen(d, x) < d) {
    mirror(m, M, S);
    addGappy(d, m, D, M, x, B, R, z, S, to.L, to.K, to.V, to.DS, to.e, to.observed, to.residual);
    return;
  }
  for (let i = 0; i < d; i++) {
    let r = get<f64>(x, i);
    for (let j = 0; j < m; j++) r = nmaddOne<f64>(entry(B, i, M, j), get<f64>(z, j), r);
    put<f64>(to.e, i, r);
  }
  addLines(m * M, S, to.S);
  addOuter(d, m, to.e, z, to.observed, M);
  addOuter(d, d, to.e, to.e, to.residual, D);
}
