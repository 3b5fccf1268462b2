// Chains of Jacobians; columns of the product in lanes. docs/math/jacobian.md. Twin: native/jacobian.cc
import {
  abs, add, constant, everyGreater, exp, K, F64, LANES, lanesGreater, LN2, loadSome, log, logOne, madd, maddOne, mul, neg,
  nmadd, pmax, sech2, splat, splatAt, storeSome, sub, tanh, whereGreater, zero
} from "./simd";
import { gemm, get, nonzero, pad, put, size } from "./linalg";
import { Activation } from "./contract";

// A product is multiplied by STEP or its inverse, exactly, until the square of its norm lies within these bounds.
@inline function STEP<T>(): T { return <T>(F64<T>() ? 1.157920892373162e77 : 4294967296.0); }              // 2^256, 2^32
@inline function INVERSE<T>(): T { return <T>(F64<T>() ? 8.636168555094445e-78 : 2.3283064365386963e-10); }
@inline function LEAST<T>(): f64 { return F64<T>() ? 3.872591914849318e-121 : 8.881784197001252e-16; }      // 2^-400, 2^-50
@inline function MOST<T>(): f64 { return F64<T>() ? 2.582249878086909e120 : 1125899906842624.0; }
@inline function EXPONENT<T>(): i32 { return F64<T>() ? 256 : 32; }
const ROUNDS = 40;  // rescales any finite number, and ends for those that are not

// ---- C[row] = slope[row] Σ_c U[row,c] M[c] over the given rows and columns ----
// Two rows and a line of four vectors; a row without another is computed twice. (n=200, T=100, half the units active:
// 162 us a step, 178 with four rows and two vectors; three and three, or two columns a turn, take 230 to 340.)
@inline function tile<T>(u0: usize, u1: usize, column: usize, count: i32, M: usize, width: usize, s0: usize, s1: usize,
    c0: usize, c1: usize): void {
  let a0 = zero<T>(), a1 = a0, b0 = a0, b1 = a0, d0 = a0, d1 = a0, e0 = a0, e1 = a0;
  for (const end = column + size<i32>(count); column < end; column += 4) {
    const p = <usize>load<u32>(column), m = M + p * width, o = p * sizeof<T>();
    const x = splatAt<T>(u0 + o), z = splatAt<T>(u1 + o);
    let y = v128.load(m);
    a0 = madd<T>(x, y, a0); a1 = madd<T>(z, y, a1);
    y = v128.load(m, 16);
    b0 = madd<T>(x, y, b0); b1 = madd<T>(z, y, b1);
    y = v128.load(m, 32);
    d0 = madd<T>(x, y, d0); d1 = madd<T>(z, y, d1);
    y = v128.load(m, 48);
    e0 = madd<T>(x, y, e0); e1 = madd<T>(z, y, e1);
  }
  let s = splatAt<T>(s0);
  v128.store(c0, mul<T>(s, a0)); v128.store(c0, mul<T>(s, b0), 16);
  v128.store(c0, mul<T>(s, d0), 32); v128.store(c0, mul<T>(s, e0), 48);
  s = splatAt<T>(s1);
  v128.store(c1, mul<T>(s, a1)); v128.store(c1, mul<T>(s, b1), 16);
  v128.store(c1, mul<T>(s, d1), 32); v128.store(c1, mul<T>(s, e1), 48);
}
// `compact`: the rows of C follow each other, and do not stand where those of U do. 192 bytes of each row of M stay in
// the first cache while all rows of U pass. `width` is in bytes.
function multiply<T>(d: i32, U: usize, slopes: usize, row: usize, rows: i32, column: usize, columns: i32, M: usize,
    width: usize, C: usize, compact: bool): void {
  for (let from: usize = 0; from < width; from += 192) {
    const end = min<usize>(from + 192, width);
    for (let i = 0; i < rows; i += 2) {
      const i1 = min(i + 1, rows - 1), r0 = get<i32>(row, i), r1 = get<i32>(row, i1);
      const u0 = U + size<T>(r0 * d), u1 = U + size<T>(r1 * d);
      const s0 = slopes + size<T>(r0), s1 = slopes + size<T>(r1);
      const c0 = C + <usize>(compact ? i : r0) * width, c1 = C + <usize>(compact ? i1 : r1) * width;
      for (let j = from; j < end; j += 64)
        tile<T>(u0, u1, column, columns, M + j, width, s0, s1, c0 + j, c1 + j);
    }
  }
}

// ---- the norm of a product ----
// Sums of squares by 64-byte lines, so that every level adds in the same order: even rows, odd rows, then the lanes
function squaresOf<T>(row: usize, rows: i32, C: usize, width: usize, total: usize): void {
  let e0 = zero<T>(), e1 = e0, e2 = e0, e3 = e0, o0 = e0, o1 = e0, o2 = e0, o3 = e0;
  let i = 0;
  for (; i + 2 <= rows; i += 2, row += 8) {
    const a = C + <usize>load<u32>(row) * width, b = C + <usize>load<u32>(row, 4) * width;
    let x = v128.load(a); e0 = madd<T>(x, x, e0);
    x = v128.load(a, 16); e1 = madd<T>(x, x, e1);
    x = v128.load(a, 32); e2 = madd<T>(x, x, e2);
    x = v128.load(a, 48); e3 = madd<T>(x, x, e3);
    x = v128.load(b); o0 = madd<T>(x, x, o0);
    x = v128.load(b, 16); o1 = madd<T>(x, x, o1);
    x = v128.load(b, 32); o2 = madd<T>(x, x, o2);
    x = v128.load(b, 48); o3 = madd<T>(x, x, o3);
  }
  if (i < rows) {
    const a = C + <usize>load<u32>(row) * width;
    let x = v128.load(a); e0 = madd<T>(x, x, e0);
    x = v128.load(a, 16); e1 = madd<T>(x, x, e1);
    x = v128.load(a, 32); e2 = madd<T>(x, x, e2);
    x = v128.load(a, 48); e3 = madd<T>(x, x, e3);
  }
  v128.store(total, add<T>(v128.load(total), add<T>(e0, o0)));
  v128.store(total, add<T>(v128.load(total, 16), add<T>(e1, o1)), 16);
  v128.store(total, add<T>(v128.load(total, 32), add<T>(e2, o2)), 32);
  v128.store(total, add<T>(v128.load(total, 48), add<T>(e3, o3)), 48);
}
function squares<T>(row: usize, rows: i32, C: usize, width: usize, line: usize): f64 {
  memory.fill(line, 0, 64);
  for (let j: usize = 0; j < width; j += 64) squaresOf<T>(row, rows, C + j, width, line);
  let sum: f64 = 0;
  for (let i = 0; i < 64 / <i32>sizeof<T>(); i++) sum += <f64>get<T>(line, i);
  return sum;
}
// logs[t] = ½ log logs[t] + exponents[t] log 2, for squares that are normal numbers
function logNorms(n: i32, exponents: usize, logs: usize): void {
  for (; n > 0; n -= 2, exponents += 16, logs += 16) {
    const half = mul<f64>(constant<f64>(K.half), log<f64>(loadSome<f64>(logs, n)));
    storeSome<f64>(logs, madd<f64>(constant<f64>(K.ln2), loadSome<f64>(exponents, n), half), n);
  }
}
function isZero<T>(row: usize, rows: i32, C: usize, width: usize): bool {
  for (let i = 0; i < rows; i++)
    for (let c = C + <usize>get<i32>(row, i) * width, end = c + width; c < end; c += sizeof<T>())
      if (load<T>(c) != 0) return false;
  return true;
}
function rescale<T>(row: usize, rows: i32, C: usize, width: usize, by: T): void {
  const factor = splat<T>(by);
  for (let i = 0; i < rows; i++)
    for (let c = C + <usize>get<i32>(row, i) * width, end = c + width; c < end; c += 16)
      v128.store(c, mul<T>(v128.load(c), factor));
}

// ---- Householder reflections of C [rows x k], rows `width` bytes apart; column j from row p on becomes v ----
// dots[l] = Σ_i C[i,j] C[i,l] over i >= p, lanes: columns l
function dotsOf<T>(rows: i32, p: i32, j: i32, C: usize, width: usize, dots: usize): void {
  for (let l = size<T>(j / LANES<T>() * LANES<T>()); l < width; l += 16) {
    let s = zero<T>();
    for (let i = p, c = C + <usize>p * width; i < rows; i++, c += width)
      s = madd<T>(splatAt<T>(c + size<T>(j)), v128.load(c + l), s);
    v128.store(dots + l, s);
  }
}
// Makes a reflection of column j from row p on, the first that no column before it has taken, and applies it to those
// on its right; returns log |R[j,j]|. A column of zeros takes no row.
function reflect<T>(rows: i32, k: i32, p: i32, j: i32, C: usize, width: usize, dots: usize, beta: usize): f64 {
  const top = C + <usize>p * width;
  let exponent = 0;
  for (let round = 0; ; round++) {
    dotsOf<T>(rows, p, j, C, width, dots);
    const s = <f64>get<T>(dots, j);
    if ((s > LEAST<T>() && s < MOST<T>()) || round == ROUNDS) break;
    let isNull = true;
    for (let i = p, c = top; i < rows; i++, c += width) isNull = isNull && get<T>(c, j) == 0;
    if (isNull) break;
    // R[j,j] scales with its column, and Q does not change
    const by = s < 1 ? STEP<T>() : INVERSE<T>();
    for (let i = p, c = top; i < rows; i++, c += width) put<T>(c, j, get<T>(c, j) * by);
    exponent += s < 1 ? -EXPONENT<T>() : EXPONENT<T>();
  }
  const square = <f64>get<T>(dots, j);
  if (square == 0) {
    put<T>(beta, j, 0);
    return -Infinity;
  }
  const norm = <T>sqrt<f64>(square), x = get<T>(top, j), signedNorm: T = x < 0 ? -norm : norm;
  const b: T = <T>1 / (norm * (norm + (x < 0 ? -x : x)));  // 2 / |v|², v = x + signedNorm e_p
  // v ᵀ C[l] = dots[l] + signedNorm C[p,l]
  for (let l = j + 1; l < k; l++) put<T>(dots, l, b * maddOne<T>(signedNorm, get<T>(top, l), get<T>(dots, l)));
  put<T>(dots, j, 0);
  put<T>(top, j, x + signedNorm);
  const first = j / LANES<T>() * LANES<T>();
  for (let l = first; l < j; l++) put<T>(dots, l, 0);
  for (let i = p, c = top; i < rows; i++, c += width) {
    const v = splatAt<T>(c + size<T>(j));
    for (let l = size<T>(first); l < width; l += 16)
      v128.store(c + l, nmadd<T>(v, v128.load(dots + l), v128.load(c + l)));
  }
  put<T>(beta, j, b);
  return maddOne<f64>(LN2, <f64>exponent, 0.5 * logOne(square));
}
// Q[:,j..] = H Q[:,j..], the reflection of column j; rows of C are compact
function apply<T>(rows: i32, p: i32, j: i32, C: usize, width: usize, beta: usize, row: usize, Q: usize, dots: usize): void {
  const first = size<T>(j / LANES<T>() * LANES<T>()), top = C + <usize>p * width + size<T>(j);
  const b = splatAt<T>(beta + size<T>(j));
  for (let l = first; l < width; l += 16) {
    let s = zero<T>();
    for (let i = p, v = top; i < rows; i++, v += width)
      s = madd<T>(splatAt<T>(v), v128.load(Q + <usize>get<i32>(row, i) * width + l), s);
    v128.store(dots + l, mul<T>(s, b));
  }
  for (let i = p, v = top; i < rows; i++, v += width) {
    const q = Q + <usize>get<i32>(row, i) * width, x = splatAt<T>(v);
    for (let l = first; l < width; l += 16) v128.store(q + l, nmadd<T>(x, v128.load(dots + l), v128.load(q + l)));
  }
}

// by one look at each: s (s - 1) (most - |x|) >= 0 for s = |x| inverse, which is no subnormal number but 0
export function moderate<T>(n: i32, x: usize, inverse: usize, most: usize): i32 {
  const least = neg<T>(constant<T>(K.normal)), scale = splatAt<T>(inverse), top = splatAt<T>(most);
  for (let i = 0; i < n; i += LANES<T>()) {
    const v = abs<T>(loadSome<T>(x + size<T>(i), n - i)), s = mul<T>(v, scale);
    const sign = mul<T>(mul<T>(s, sub<T>(s, constant<T>(K.one))), sub<T>(top, v));
    if (!everyGreater<T>(sign, least)) return 1 + i + ctz(~lanesGreater<T>(sign, least));
  }
  return 0;
}

export function product<T>(n: i32, d: i32, matrices: i32, W: usize, slopes: usize, shift: usize, active: usize,
    before: usize, next: usize, line: usize, exponents: usize, product: usize, exponent: usize,
    logNorm: usize): i32 {
  const width = size<T>(pad<T>(d)), step = matrices > 1 ? size<T>(d * d) : 0;
  let now = product, other = next, e: f64 = 0, s: f64 = 0, t = 0, rows = 0;
  memory.fill(product, 0, <usize>d * width);
  for (; t < n; t++, slopes += size<T>(d), W += step) {
    const swapped = active; active = before; before = swapped;
    const columns = rows;
    rows = nonzero<T>(d, slopes, active);
    if (t == 0)
      for (let i = 0; i < rows; i++) {
        const r = get<i32>(active, i), to = now + <usize>r * width, from = W + size<T>(r * d);
        for (let j = 0; j < d; j++) put<T>(to, j, get<T>(slopes, r) * get<T>(from, j));
      }
    else {
      multiply<T>(d, W, slopes, active, rows, before, columns, now, width, other, false);
      const last = now; now = other; other = last;
    }
    e += get<f64>(shift, t);
    s = squares<T>(active, rows, now, width, line);
    for (let round = 0; !(s > LEAST<T>() && s < MOST<T>()) && round < ROUNDS; round++) {
      if (s == 0 && isZero<T>(active, rows, now, width)) break;
      rescale<T>(active, rows, now, width, s < 1 ? STEP<T>() : INVERSE<T>());
      e += <f64>(s < 1 ? -EXPONENT<T>() : EXPONENT<T>());
      s = squares<T>(active, rows, now, width, line);
    }
    if (s == 0) break;  // and so are all products after it
    put<f64>(logNorm, t, s);
    put<f64>(exponents, t, e);
  }
  logNorms(t, exponents, logNorm);
  if (t < n) { rows = 0; e = 0; }
  let by: T = 1;
  for (; s >= 4 && s < Infinity; s *= 0.25, e++) by *= <T>0.5;
  for (; s < 1 && s > 0; s *= 4, e--) by *= 2;
  rescale<T>(active, rows, now, width, by);
  for (; t < n; t++) put<f64>(logNorm, t, -Infinity);
  store<f64>(exponent, e);
  if (n == 0) {
    for (let i = 0; i < d; i++) put<T>(product + <usize>i * width, i, 1);
    return 0;
  }
  // rows that are not active hold an older product
  for (let i = 0, r = 0, to = product; i < d; i++, to += width) {
    if (r == rows || get<i32>(active, r) != i) memory.fill(to, 0, width);
    else {
      r++;
      if (now != product) memory.copy(to, now + <usize>i * width, width);
    }
  }
  return 0;
}

export function spectrum<T>(n: i32, d: i32, matrices: i32, exponents: i32, W: usize, slopes: usize, shift: usize,
    active: usize, before: usize, next: usize, dots: usize, beta: usize, Q: usize, logR: usize): i32 {
  const width = size<T>(pad<T>(exponents)), step = matrices > 1 ? size<T>(d * d) : 0;
  let rows = d;
  for (let i = 0; i < d; i++) put<i32>(active, i, i);
  for (let t = 0; t < n; t++, slopes += size<T>(d), W += step, logR += size<f64>(exponents)) {
    const swapped = active; active = before; before = swapped;
    const columns = rows;
    rows = nonzero<T>(d, slopes, active);
    multiply<T>(d, W, slopes, active, rows, before, columns, Q, width, next, true);
    let p = 0;
    for (let j = 0; j < exponents; j++) {
      put<T>(beta, j, 0);
      const log = p < rows ? reflect<T>(rows, exponents, p, j, next, width, dots, beta) : -Infinity;
      p += i32(get<T>(beta, j) != 0);
      put<f64>(logR, j, maddOne<f64>(LN2, get<f64>(shift, t), log));
    }
    memory.fill(Q, 0, <usize>d * width);
    // v[p] has the sign that R[j,j] has not: the column of Q changes its own, so that R[j,j] >= 0
    for (let j = exponents - 1; j >= 0; j--)
      if (get<T>(beta, j) != 0) {
        p--;
        put<T>(Q + <usize>get<i32>(active, p) * width, j, <T>(get<T>(next + <usize>p * width, j) > 0 ? -1 : 1));
        apply<T>(rows, p, j, next, width, beta, active, Q, dots);
      }
  }
  return 0;
}

export function backpropagate<T>(n: i32, d: i32, matrices: i32, states: i32, W: usize, slopes: usize, g: usize,
    active: usize, weight: usize, adjoint: usize): i32 {
  const step = matrices > 1 ? size<T>(d * d) : 0, line = size<T>(d);
  memory.copy(adjoint, g, <usize>states * line);
  for (let t = n - 1; t >= 0; t--) {
    const J = W + <usize>t * step, slope = slopes + <usize>t * line, to = adjoint + <usize>t * line, after = to + line;
    for (let i = 0; i < d; i++) put<T>(weight, i, get<T>(slope, i) * get<T>(after, i));
    const rows = nonzero<T>(d, weight, active);
    let i = 0;
    for (; i + 4 <= rows; i += 4) {
      const i0 = get<i32>(active, i), i1 = get<i32>(active, i + 1), i2 = get<i32>(active, i + 2);
      const i3 = get<i32>(active, i + 3);
      const x0 = splatAt<T>(weight + size<T>(i0)), x1 = splatAt<T>(weight + size<T>(i1));
      const x2 = splatAt<T>(weight + size<T>(i2)), x3 = splatAt<T>(weight + size<T>(i3));
      let r0 = J + <usize>i0 * line, r1 = J + <usize>i1 * line, r2 = J + <usize>i2 * line, r3 = J + <usize>i3 * line;
      for (let left = d, at = to; left > 0; left -= LANES<T>(), at += 16, r0 += 16, r1 += 16, r2 += 16, r3 += 16) {
        let c = loadSome<T>(at, left);
        c = madd<T>(x0, loadSome<T>(r0, left), c);
        c = madd<T>(x1, loadSome<T>(r1, left), c);
        c = madd<T>(x2, loadSome<T>(r2, left), c);
        c = madd<T>(x3, loadSome<T>(r3, left), c);
        storeSome<T>(at, c, left);
      }
    }
    for (; i < rows; i++) {
      const row = get<i32>(active, i), x = splatAt<T>(weight + size<T>(row));
      for (let left = d, at = to, r = J + <usize>row * line; left > 0; left -= LANES<T>(), at += 16, r += 16)
        storeSome<T>(at, madd<T>(x, loadSome<T>(r, left), loadSome<T>(at, left)), left);
    }
  }
  return 0;
}

export function unroll<T>(n: i32, d: i32, activation: i32, a: usize, W: usize, first: usize, z: usize, h: usize,
    slopes: usize): i32 {
  const width = size<T>(pad<T>(d)), line = size<T>(d);
  memory.fill(z, 0, width);
  for (let t = 0; t < n; t++, a += line, h += line, slopes += line) {
    memory.copy(z, a, line);
    gemm<T>(1, d, d, t == 0 ? first : h - line, line, sizeof<T>(), W, width, z, width);
    for (let j = 0, at: usize = 0; j < d; j += LANES<T>(), at += 16) {
      const x = v128.load(z + at);
      if (activation == Activation.tanh) {
        storeSome<T>(h + at, tanh<T>(x), d - j);
        storeSome<T>(slopes + at, sech2<T>(exp<T>(mul<T>(constant<T>(K.minusTwo), abs<T>(x)))), d - j);
      } else {
        storeSome<T>(h + at, pmax<T>(x, zero<T>()), d - j);
        storeSome<T>(slopes + at, whereGreater<T>(x, zero<T>(), constant<T>(K.one)), d - j);
      }
    }
  }
  return 0;
}
