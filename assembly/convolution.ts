// Convolution: segments of the signal, or frequencies, in lanes. docs/math/convolution.md. Twin:
// native/convolution.cc
import {
  abs, add, anyGreater, everyGreater, constant, F64, K, LANES, loadSome, madd, mul, neg, nmadd, NO, is, pmax, splat,
  splatAt,
  splatNext, sub, YES, zero,
} from "./simd";
import { get, offset, size, squareIn, squareOut, transposeOut } from "./linalg";
import { PART, PLANE, TILE, TRANSFORM } from "./contract";

// ---- direct sums: LANES segments of the signal side by side, one line is one value of each ----
// Results that are summed at once; each loaded line meets four factors (K=31 forward, dw: 4.4, 6.1 -> 2.7, 2.7 ns).
const R = 8;
@inline function wholeLines<T>(count: i32): i32 { return (count + LANES<T>() - 1) / LANES<T>() * LANES<T>(); }

// lines[j][lane] = x[from + lane step + j], 0 where there is none; `count` lines, a multiple of LANES
function pack<T>(n: i64, x: usize, from: i64, step: i32, count: i32, lines: usize): void {
  const N = LANES<T>();
  if (from >= 0 && from + (N - 1) * step + count <= n) {
    const far = size<T>(step);
    let a = x + <usize>from * sizeof<T>();
    for (let j = 0; j < count; j += N, a += 16, lines += offset(N))
      squareIn<T>(a, a + far, a + 2 * far, a + 3 * far, lines);
  } else {
    memory.fill(lines, 0, offset(count));
    for (let i = 0; i < N; i++, from += step, lines += sizeof<T>()) {
      const end = min<i64>(count, n - from);
      for (let j = max<i64>(0, -from); j < end; j++)
        store<T>(lines + <usize>j * 16, load<T>(x + <usize>(from + j) * sizeof<T>()));
    }
  }
}
// `rows` lines of a tile of what `sums` needs. Returns whether one is not finite.
function sumLines<T>(rows: i32, taps: i32, w: usize, lines: usize, tile: usize): bool {
  let bad = zero<T>();
  for (let r = 0; r < rows; r += R) {
    let a0 = zero<T>(), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
    let p = lines + offset(r + taps - 1), j = w;
    const end = w + size<T>(taps);
    for (const rest = w + size<T>(taps & 3); j < rest; j += sizeof<T>(), p -= 16) {
      const c = splatAt<T>(j);
      a0 = madd<T>(c, load<v128>(p, 0), a0);
      a1 = madd<T>(c, load<v128>(p, 16), a1);
      a2 = madd<T>(c, load<v128>(p, 32), a2);
      a3 = madd<T>(c, load<v128>(p, 48), a3);
      a4 = madd<T>(c, load<v128>(p, 64), a4);
      a5 = madd<T>(c, load<v128>(p, 80), a5);
      a6 = madd<T>(c, load<v128>(p, 96), a6);
      a7 = madd<T>(c, load<v128>(p, 112), a7);
    }
    for (; j < end; j += 4 * sizeof<T>(), p -= 64) {
      const c0 = splatAt<T>(j), c1 = splatNext<T>(j);
      const c2 = splatAt<T>(j + 2 * sizeof<T>()), c3 = splatNext<T>(j + 2 * sizeof<T>());
      let v = load<v128>(p, 112);
      a7 = madd<T>(c0, v, a7);
      v = load<v128>(p, 96);
      a6 = madd<T>(c0, v, a6);
      a7 = madd<T>(c1, v, a7);
      v = load<v128>(p, 80);
      a5 = madd<T>(c0, v, a5);
      a6 = madd<T>(c1, v, a6);
      a7 = madd<T>(c2, v, a7);
      v = load<v128>(p, 64);
      a4 = madd<T>(c0, v, a4);
      a5 = madd<T>(c1, v, a5);
      a6 = madd<T>(c2, v, a6);
      a7 = madd<T>(c3, v, a7);
      v = load<v128>(p, 48);
      a3 = madd<T>(c0, v, a3);
      a4 = madd<T>(c1, v, a4);
      a5 = madd<T>(c2, v, a5);
      a6 = madd<T>(c3, v, a6);
      v = load<v128>(p, 32);
      a2 = madd<T>(c0, v, a2);
      a3 = madd<T>(c1, v, a3);
      a4 = madd<T>(c2, v, a4);
      a5 = madd<T>(c3, v, a5);
      v = load<v128>(p, 16);
      a1 = madd<T>(c0, v, a1);
      a2 = madd<T>(c1, v, a2);
      a3 = madd<T>(c2, v, a3);
      a4 = madd<T>(c3, v, a4);
      v = load<v128>(p);
      a0 = madd<T>(c0, v, a0);
      a1 = madd<T>(c1, v, a1);
      a2 = madd<T>(c2, v, a2);
      a3 = madd<T>(c3, v, a3);
      v = load<v128>(p - 16);
      a0 = madd<T>(c1, v, a0);
      a1 = madd<T>(c2, v, a1);
      a2 = madd<T>(c3, v, a2);
      v = load<v128>(p - 32);
      a0 = madd<T>(c2, v, a0);
      a1 = madd<T>(c3, v, a1);
      v = load<v128>(p - 48);
      a0 = madd<T>(c3, v, a0);
    }
    p = tile + offset(r);
    store<v128>(p, a0); store<v128>(p, a1, 16); store<v128>(p, a2, 32); store<v128>(p, a3, 48);
    store<v128>(p, a4, 64); store<v128>(p, a5, 80); store<v128>(p, a6, 96); store<v128>(p, a7, 112);
    const none = zero<T>();
    bad = madd<T>(a0, none, bad); bad = madd<T>(a1, none, bad); bad = madd<T>(a2, none, bad);
    bad = madd<T>(a3, none, bad); bad = madd<T>(a4, none, bad); bad = madd<T>(a5, none, bad);
    bad = madd<T>(a6, none, bad); bad = madd<T>(a7, none, bad);
  }
  return !everyGreater<T>(constant<T>(K.one), bad);
}
// out[i] = Σ_j w[j] x[i + start - j], j ascending, for first <= i < last. Returns whether one may not be finite.
function sums<T>(n: i32, taps: i32, start: i64, x: usize, w: usize, first: i32, last: i32, lines: usize, tile: usize,
    out: usize): bool {
  const N = LANES<T>();
  let bad = false;
  while (first < last) {
    const count = min(last - first, N * TILE), step = min(TILE, (count + N - 1) / N);
    const rows = (step + R - 1) / R * R;
    pack<T>(n, x, first + start - (taps - 1), step, wholeLines<T>(rows + taps - 1), lines);
    bad = sumLines<T>(rows, taps, w, lines, tile) || bad;
    const whole = count / step, rest = out + size<T>(first + whole * step);
    transposeOut<T>(whole, step, tile, out + size<T>(first));
    for (let j = 0; j < count - whole * step; j++)
      store<T>(rest + size<T>(j), load<T>(tile + offset(j) + size<T>(whole)));
    first += count;
  }
  return bad;
}
// total[j + i] += each lane of row i, in their order
function addLanes<T>(rows: i32, lines: usize, total: usize): void {
  for (let i = 0; i < rows; i++, total += 8) {
    let sum = load<f64>(total);
    for (let lane = 0; lane < LANES<T>(); lane++, lines += sizeof<T>()) sum += <f64>load<T>(lines);
    store<f64>(total, sum);
  }
}
// total[j] += Σ_i w[i] x[i + j - start] for first <= i < last: a segment of TILE is summed in T
function products<T>(n: i32, results: i32, start: i64, x: usize, w: usize, first: i64, last: i64, lines: usize,
    tile: usize, total: usize): void {
  const N = LANES<T>(), sum = tile + offset(TILE);
  for (; first < last; first += N * TILE) {
    const rows = <i32>min<i64>(TILE, last - first);
    pack<T>(last, w, first, TILE, wholeLines<T>(rows), tile);
    pack<T>(n, x, first - start, TILE, wholeLines<T>(rows + (results + R - 1) / R * R - 1), lines);
    for (let j = 0; j < results; j += R) {
      let a0 = zero<T>(), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
      let p = lines + offset(j), q = tile;
      const end = tile + offset(rows);
      for (const rest = tile + offset(rows & 3); q < rest; p += 16, q += 16) {
        const c = load<v128>(q);
        a0 = madd<T>(c, load<v128>(p, 0), a0);
        a1 = madd<T>(c, load<v128>(p, 16), a1);
        a2 = madd<T>(c, load<v128>(p, 32), a2);
        a3 = madd<T>(c, load<v128>(p, 48), a3);
        a4 = madd<T>(c, load<v128>(p, 64), a4);
        a5 = madd<T>(c, load<v128>(p, 80), a5);
        a6 = madd<T>(c, load<v128>(p, 96), a6);
        a7 = madd<T>(c, load<v128>(p, 112), a7);
      }
      for (; q < end; p += 64, q += 64) {
        const c0 = load<v128>(q, 0), c1 = load<v128>(q, 16), c2 = load<v128>(q, 32), c3 = load<v128>(q, 48);
        let v = load<v128>(p);
        a0 = madd<T>(c0, v, a0);
        v = load<v128>(p, 16);
        a1 = madd<T>(c0, v, a1);
        a0 = madd<T>(c1, v, a0);
        v = load<v128>(p, 32);
        a2 = madd<T>(c0, v, a2);
        a1 = madd<T>(c1, v, a1);
        a0 = madd<T>(c2, v, a0);
        v = load<v128>(p, 48);
        a3 = madd<T>(c0, v, a3);
        a2 = madd<T>(c1, v, a2);
        a1 = madd<T>(c2, v, a1);
        a0 = madd<T>(c3, v, a0);
        v = load<v128>(p, 64);
        a4 = madd<T>(c0, v, a4);
        a3 = madd<T>(c1, v, a3);
        a2 = madd<T>(c2, v, a2);
        a1 = madd<T>(c3, v, a1);
        v = load<v128>(p, 80);
        a5 = madd<T>(c0, v, a5);
        a4 = madd<T>(c1, v, a4);
        a3 = madd<T>(c2, v, a3);
        a2 = madd<T>(c3, v, a2);
        v = load<v128>(p, 96);
        a6 = madd<T>(c0, v, a6);
        a5 = madd<T>(c1, v, a5);
        a4 = madd<T>(c2, v, a4);
        a3 = madd<T>(c3, v, a3);
        v = load<v128>(p, 112);
        a7 = madd<T>(c0, v, a7);
        a6 = madd<T>(c1, v, a6);
        a5 = madd<T>(c2, v, a5);
        a4 = madd<T>(c3, v, a4);
        v = load<v128>(p, 128);
        a7 = madd<T>(c1, v, a7);
        a6 = madd<T>(c2, v, a6);
        a5 = madd<T>(c3, v, a5);
        v = load<v128>(p, 144);
        a7 = madd<T>(c2, v, a7);
        a6 = madd<T>(c3, v, a6);
        v = load<v128>(p, 160);
        a7 = madd<T>(c3, v, a7);
      }
      store<v128>(sum, a0); store<v128>(sum, a1, 16); store<v128>(sum, a2, 32); store<v128>(sum, a3, 48);
      store<v128>(sum, a4, 64); store<v128>(sum, a5, 80); store<v128>(sum, a6, 96); store<v128>(sum, a7, 112);
      addLanes<T>(min(R, results - j), sum, total + size<f64>(j));
    }
  }
}

// ---- transforms: 64 rows of 64 values; first along the columns, then, turned round, along the rows ----
// Rows are one cache line longer than their values, as in the twin. The real parts are a PLANE, the imaginary ones another.
const SIDE = 64;
// twin: twist
@inline function ROW<T>(): i32 { return SIDE + 64 / <i32>sizeof<T>(); }
// twin: twist
@inline function row<T>(j: i32): usize { return size<T>(j * ROW<T>()); }
// twin: twist
@inline function next<T>(j: i32): usize { return size<T>(j * SIDE); }
// x + iy times c + is: the real part, the imaginary part
@inline function twist<T>(x: v128, y: v128, c: v128, s: v128): v128 { return nmadd<T>(y, s, mul<T>(x, c)); }
// twin: twist
@inline function twistIm<T>(x: v128, y: v128, c: v128, s: v128): v128 { return madd<T>(x, s, mul<T>(y, c)); }
// twin: twist
@inline function factor<T, VECTOR>(p: usize, i: i32): v128 {
  return is<VECTOR, YES>() ? v128.load(p + next<T>(i)) : splatAt<T>(p + size<T>(i));
}
// The transform of eight vectors, `step` bytes apart, with twists BEFORE or AFTER it: factor i is a number of all lanes,
// i values apart, or (VECTOR) a vector of row i. Backwards: exchange re and im.
@inline function radix8<T, BEFORE, AFTER, VECTOR>(re: usize, im: usize, step: usize, cosines: usize, sines: usize,
    toRe: usize, toIm: usize, toStep: usize): void {
  let x0 = v128.load(re), x1 = v128.load(re + step), x2 = v128.load(re + 2 * step), x3 = v128.load(re + 3 * step);
  let x4 = v128.load(re + 4 * step), x5 = v128.load(re + 5 * step), x6 = v128.load(re + 6 * step);
  let x7 = v128.load(re + 7 * step);
  let y0 = v128.load(im), y1 = v128.load(im + step), y2 = v128.load(im + 2 * step), y3 = v128.load(im + 3 * step);
  let y4 = v128.load(im + 4 * step), y5 = v128.load(im + 5 * step), y6 = v128.load(im + 6 * step);
  let y7 = v128.load(im + 7 * step);
  let c = x0, s = x0, t = x0;
  if (is<BEFORE, YES>()) {
    if (is<VECTOR, YES>()) {
      c = factor<T, VECTOR>(cosines, 0); s = factor<T, VECTOR>(sines, 0);
      t = twist<T>(x0, y0, c, s); y0 = twistIm<T>(x0, y0, c, s); x0 = t;
    }
    c = factor<T, VECTOR>(cosines, 1); s = factor<T, VECTOR>(sines, 1);
    t = twist<T>(x1, y1, c, s); y1 = twistIm<T>(x1, y1, c, s); x1 = t;
    c = factor<T, VECTOR>(cosines, 2); s = factor<T, VECTOR>(sines, 2);
    t = twist<T>(x2, y2, c, s); y2 = twistIm<T>(x2, y2, c, s); x2 = t;
    c = factor<T, VECTOR>(cosines, 3); s = factor<T, VECTOR>(sines, 3);
    t = twist<T>(x3, y3, c, s); y3 = twistIm<T>(x3, y3, c, s); x3 = t;
    c = factor<T, VECTOR>(cosines, 4); s = factor<T, VECTOR>(sines, 4);
    t = twist<T>(x4, y4, c, s); y4 = twistIm<T>(x4, y4, c, s); x4 = t;
    c = factor<T, VECTOR>(cosines, 5); s = factor<T, VECTOR>(sines, 5);
    t = twist<T>(x5, y5, c, s); y5 = twistIm<T>(x5, y5, c, s); x5 = t;
    c = factor<T, VECTOR>(cosines, 6); s = factor<T, VECTOR>(sines, 6);
    t = twist<T>(x6, y6, c, s); y6 = twistIm<T>(x6, y6, c, s); x6 = t;
    c = factor<T, VECTOR>(cosines, 7); s = factor<T, VECTOR>(sines, 7);
    t = twist<T>(x7, y7, c, s); y7 = twistIm<T>(x7, y7, c, s); x7 = t;
  }
  // even frequencies
  let a0 = add<T>(x0, x4), a1 = add<T>(x1, x5), a2 = add<T>(x2, x6), a3 = add<T>(x3, x7);
  let b0 = add<T>(y0, y4), b1 = add<T>(y1, y5), b2 = add<T>(y2, y6), b3 = add<T>(y3, y7);
  const d0 = sub<T>(x0, x4), d1 = sub<T>(x1, x5), d2 = sub<T>(x2, x6), d3 = sub<T>(x3, x7);
  const e0 = sub<T>(y0, y4), e1 = sub<T>(y1, y5), e2 = sub<T>(y2, y6), e3 = sub<T>(y3, y7);
  let p = add<T>(a0, a2), q = sub<T>(a0, a2), r = add<T>(a1, a3), u = sub<T>(a1, a3);
  let P = add<T>(b0, b2), Q = sub<T>(b0, b2), S = add<T>(b1, b3), U = sub<T>(b1, b3);
  x0 = add<T>(p, r); y0 = add<T>(P, S); x2 = add<T>(q, U); y2 = sub<T>(Q, u);
  x4 = sub<T>(p, r); y4 = sub<T>(P, S); x6 = sub<T>(q, U); y6 = add<T>(Q, u);
  // odd frequencies
  const h = constant<T>(K.rootHalf);
  a0 = d0; b0 = e0;
  a1 = mul<T>(add<T>(d1, e1), h); b1 = mul<T>(sub<T>(e1, d1), h);
  a2 = e2; b2 = neg<T>(d2);
  a3 = mul<T>(sub<T>(e3, d3), h); b3 = neg<T>(mul<T>(add<T>(d3, e3), h));
  p = add<T>(a0, a2); q = sub<T>(a0, a2); r = add<T>(a1, a3); u = sub<T>(a1, a3);
  P = add<T>(b0, b2); Q = sub<T>(b0, b2); S = add<T>(b1, b3); U = sub<T>(b1, b3);
  x1 = add<T>(p, r); y1 = add<T>(P, S); x3 = add<T>(q, U); y3 = sub<T>(Q, u);
  x5 = sub<T>(p, r); y5 = sub<T>(P, S); x7 = sub<T>(q, U); y7 = add<T>(Q, u);
  if (is<AFTER, YES>()) {
    if (is<VECTOR, YES>()) {
      c = factor<T, VECTOR>(cosines, 0); s = factor<T, VECTOR>(sines, 0);
      t = twist<T>(x0, y0, c, s); y0 = twistIm<T>(x0, y0, c, s); x0 = t;
    }
    c = factor<T, VECTOR>(cosines, 1); s = factor<T, VECTOR>(sines, 1);
    t = twist<T>(x1, y1, c, s); y1 = twistIm<T>(x1, y1, c, s); x1 = t;
    c = factor<T, VECTOR>(cosines, 2); s = factor<T, VECTOR>(sines, 2);
    t = twist<T>(x2, y2, c, s); y2 = twistIm<T>(x2, y2, c, s); x2 = t;
    c = factor<T, VECTOR>(cosines, 3); s = factor<T, VECTOR>(sines, 3);
    t = twist<T>(x3, y3, c, s); y3 = twistIm<T>(x3, y3, c, s); x3 = t;
    c = factor<T, VECTOR>(cosines, 4); s = factor<T, VECTOR>(sines, 4);
    t = twist<T>(x4, y4, c, s); y4 = twistIm<T>(x4, y4, c, s); x4 = t;
    c = factor<T, VECTOR>(cosines, 5); s = factor<T, VECTOR>(sines, 5);
    t = twist<T>(x5, y5, c, s); y5 = twistIm<T>(x5, y5, c, s); x5 = t;
    c = factor<T, VECTOR>(cosines, 6); s = factor<T, VECTOR>(sines, 6);
    t = twist<T>(x6, y6, c, s); y6 = twistIm<T>(x6, y6, c, s); x6 = t;
    c = factor<T, VECTOR>(cosines, 7); s = factor<T, VECTOR>(sines, 7);
    t = twist<T>(x7, y7, c, s); y7 = twistIm<T>(x7, y7, c, s); x7 = t;
  }
  v128.store(toRe, x0); v128.store(toRe + toStep, x1); v128.store(toRe + 2 * toStep, x2);
  v128.store(toRe + 3 * toStep, x3); v128.store(toRe + 4 * toStep, x4); v128.store(toRe + 5 * toStep, x5);
  v128.store(toRe + 6 * toStep, x6); v128.store(toRe + 7 * toStep, x7);
  v128.store(toIm, y0); v128.store(toIm + toStep, y1); v128.store(toIm + 2 * toStep, y2);
  v128.store(toIm + 3 * toStep, y3); v128.store(toIm + 4 * toStep, y4); v128.store(toIm + 5 * toStep, y5);
  v128.store(toIm + 6 * toStep, y6); v128.store(toIm + 7 * toStep, y7);
}
// SIDE lines of some columns as rows
function turnOut<T>(lines: usize, to: usize): void {
  for (let j = 0; j < SIDE; j += LANES<T>(), lines += offset(LANES<T>()), to += 16)
    squareOut<T>(lines, to, to + row<T>(1), to + row<T>(2), to + row<T>(3));
}
// The transform of each column; row 8j + i of the result is frequency j + 8i.
function forwardSide<T, FIRST>(re: usize, im: usize, twiddles: usize, roots: usize, columns: usize, toRe: usize,
    toIm: usize): void {
  const N = LANES<T>(), cre = columns, cim = columns + offset(SIDE);
  for (let c = 0; c < SIDE; c += N, re += 16, im += 16, twiddles += 16) {
    for (let a = 0; a < 8; a++)
      radix8<T, NO, YES, NO>(re + row<T>(a), im + row<T>(a), row<T>(8), roots + size<T>(8 * a),
        roots + size<T>(SIDE + 8 * a), cre + offset(a), cim + offset(a), offset(8));
    for (let j = 0; j < SIDE; j += 8)
      if (is<FIRST, YES>()) {
        const t = twiddles + next<T>(j);
        radix8<T, NO, YES, YES>(cre + offset(j), cim + offset(j), 16, t, t + size<T>(TRANSFORM), cre + offset(j),
          cim + offset(j), 16);
      } else
        radix8<T, NO, NO, NO>(cre + offset(j), cim + offset(j), 16, cre, cre, toRe + row<T>(j) + size<T>(c),
          toIm + row<T>(j) + size<T>(c), row<T>(1));
    if (is<FIRST, YES>()) {
      turnOut<T>(cre, toRe + row<T>(c));
      turnOut<T>(cim, toIm + row<T>(c));
    }
  }
}
// The same backwards, but for exchanged re and im.
function inverseSide<T, FIRST>(re: usize, im: usize, twiddles: usize, roots: usize, columns: usize, toRe: usize,
    toIm: usize): void {
  const N = LANES<T>(), cre = columns, cim = columns + offset(SIDE);
  for (let c = 0; c < SIDE; c += N, re += 16, im += 16, twiddles += 16) {
    for (let j = 0; j < SIDE; j += 8) {
      const x = re + row<T>(j), y = im + row<T>(j), t = twiddles + next<T>(j);
      if (is<FIRST, YES>())
        radix8<T, NO, NO, NO>(x, y, row<T>(1), t, t, cre + offset(j), cim + offset(j), 16);
      else
        radix8<T, YES, NO, YES>(x, y, row<T>(1), t, t + size<T>(TRANSFORM), cre + offset(j), cim + offset(j), 16);
    }
    for (let a = 0; a < 8; a++) {
      const cosines = roots + size<T>(8 * a), sines = roots + size<T>(SIDE + 8 * a);
      if (is<FIRST, YES>())
        radix8<T, YES, NO, NO>(cre + offset(a), cim + offset(a), offset(8), cosines, sines, cre + offset(a),
          cim + offset(a), offset(8));
      else
        radix8<T, YES, NO, NO>(cre + offset(a), cim + offset(a), offset(8), cosines, sines,
          toRe + row<T>(a) + size<T>(c), toIm + row<T>(a) + size<T>(c), row<T>(8));
    }
    if (is<FIRST, YES>()) {
      turnOut<T>(cre, toRe + row<T>(c));
      turnOut<T>(cim, toIm + row<T>(c));
    }
  }
}
// The order of the frequencies is the same for all transforms, and nobody else's business; `inverse` divides by nothing.
function transform<T>(signal: usize, twiddles: usize, roots: usize, columns: usize, spectrum: usize): void {
  const re = spectrum, im = spectrum + size<T>(PLANE);
  forwardSide<T, YES>(signal, signal + size<T>(PLANE), twiddles, roots, columns, re, im);
  forwardSide<T, NO>(re, im, twiddles, roots, columns, re, im);
}
function inverse<T>(spectrum: usize, twiddles: usize, roots: usize, columns: usize, signal: usize): void {
  const re = signal, im = signal + size<T>(PLANE);
  inverseSide<T, YES>(spectrum + size<T>(PLANE), spectrum, twiddles, roots, columns, im, re);
  inverseSide<T, NO>(im, re, twiddles, roots, columns, im, re);
}

// ---- blocks: two stretches of the signal are the real and the imaginary part of one transform ----
// A block's value q becomes x[from + q] for q < count, then 0. Returns the largest |x| of them and of what came before.
function window<T>(n: i64, x: usize, from: i64, count: i64, top: T, to: usize): T {
  const before = max<i64>(0, -from), end = min<i64>(n - from, count);
  let most = splat<T>(top), p = x + <usize>from * sizeof<T>();
  for (let q = 0; q < TRANSFORM; q += SIDE, to += row<T>(1), p += next<T>(1)) {
    let at = p;
    if (q + SIDE <= before || q >= end) {
      memory.fill(to, 0, next<T>(1));
      continue;
    }
    if (q < before || q + SIDE > end) {
      for (let j = 0; j < SIDE; j++)
        store<T>(to + size<T>(j), q + j >= before && q + j < end ? load<T>(p + size<T>(j)) : <T>0);
      at = to;
    }
    for (let j = to; j < to + next<T>(1); j += 16, at += 16) {
      const v = load<v128>(at);
      most = pmax<T>(most, abs<T>(v));
      store<v128>(j, v);
    }
  }
  if (F64<T>()) return <T>max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1));
  return <T>max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
}
// The transform of w alone, over TRANSFORM
function transformTaps<T>(taps: i32, w: usize, from: i32, part: i32, twiddles: usize, roots: usize, columns: usize,
    block: usize, spectrum: usize): void {
  window<T>(taps, w, from, part, <T>0, block);
  for (let r = 0; r < SIDE; r++)
    for (let at = block + row<T>(r), end = at + next<T>(1); at < end; at += sizeof<T>())
      store<T>(at, load<T>(at) * <T>(1.0 / <f64>TRANSFORM));
  memory.fill(block + size<T>(PLANE), 0, size<T>(PLANE));
  transform<T>(block, twiddles, roots, columns, spectrum);
}
// to = a b, or to += a b; `to` may be a
function multiply<T>(first: bool, a: usize, b: usize, to: usize): void {
  const plane = size<T>(PLANE);
  for (let r = 0; r < SIDE; r++)
    for (let q = row<T>(r), end = q + next<T>(1); q < end; q += 16) {
      const ar = load<v128>(a + q), ai = load<v128>(a + plane + q);
      const br = load<v128>(b + q), bi = load<v128>(b + plane + q);
      const re = first ? mul<T>(ar, br) : madd<T>(ar, br, load<v128>(to + q));
      const im = first ? mul<T>(ar, bi) : madd<T>(ar, bi, load<v128>(to + plane + q));
      store<v128>(to + q, nmadd<T>(ai, bi, re));
      store<v128>(to + plane + q, madd<T>(ai, br, im));
    }
}
// to += conj(a) b
function correlated<T>(a: usize, b: usize, to: usize): void {
  const plane = size<T>(PLANE);
  for (let r = 0; r < SIDE; r++)
    for (let q = row<T>(r), end = q + next<T>(1); q < end; q += 16) {
      const ar = load<v128>(a + q), ai = load<v128>(a + plane + q);
      const br = load<v128>(b + q), bi = load<v128>(b + plane + q);
      const re = to + q, im = to + plane + q;
      store<v128>(re, madd<T>(ai, bi, madd<T>(ar, br, load<v128>(re))));
      store<v128>(im, nmadd<T>(ai, br, madd<T>(ar, bi, load<v128>(im))));
    }
}
// `count` values of a block, from q on
function copyOut<T>(block: usize, q: i32, count: i32, to: usize): void {
  while (count > 0) {
    const some = min(SIDE - q % SIDE, count);
    memory.copy(to, block + row<T>(q / SIDE) + size<T>(q % SIDE), size<T>(some));
    q += some; to += size<T>(some); count -= some;
  }
}
const GROUP_OF = 16, GROUPS = TRANSFORM / GROUP_OF;
// loud[g]: whether some of the 16 values of group g are larger than `least`
function listen<T>(x: usize, least: T, loud: usize): void {
  const limit = splat<T>(least);
  for (let r = 0; r < SIDE; r++)
    for (let at = x + row<T>(r), end = at + next<T>(1); at < end; loud += 4) {
      let most = zero<T>();
      for (let i = 0; i < GROUP_OF; i += LANES<T>(), at += 16) most = pmax<T>(most, abs<T>(load<v128>(at)));
      store<i32>(loud, <i32>anyGreater<T>(most, limit));
    }
}
// sure[g] = 1 for the groups of results, `run` results in all, of which all share a loud value; a result meets `part`
// values, the first `behind` groups of them with a w of 0.
function makeSure(run: i32, part: i32, behind: i32, loud: usize, sure: usize): void {
  for (let g = 0, q = 0, last = -1; g * GROUP_OF < run; g++) {
    for (; q < g + part / GROUP_OF; q++)
      if (get<i32>(loud, q) != 0) last = q;
    if (last > g + behind) store<i32>(sure + size<i32>(g), 1);
  }
}
// groups among the first `count` values in which none is loud
function quietOf(count: i32, loud: usize): i32 {
  let quiet = 0;
  for (let g = 0; g * GROUP_OF < count; g++) quiet += i32(get<i32>(loud, g) == 0);
  return quiet;
}
// The results first ... last of a block, whose first is value `part` - 1; those that are not sure are summed.
function take<T>(n: i32, taps: i32, start: i64, x: usize, w: usize, block: usize, part: i32, sure: usize, first: i64,
    last: i64, lines: usize, tile: usize, out: usize): void {
  const count = <i32>(last - first);
  copyOut<T>(block, part - 1, count, out + <usize>first * sizeof<T>());
  for (let g = 0; g * GROUP_OF < count; g++) {
    const begin = g;
    while (g * GROUP_OF < count && get<i32>(sure, g) == 0) g++;
    if (g > begin)
      sums<T>(n, taps, start, x, w, <i32>first + begin * GROUP_OF, <i32>first + min(count, g * GROUP_OF), lines, tile,
        out);
  }
}
// Beyond it a product of transforms might overflow where the sum does not.
@inline function vast<T>(): T { return F64<T>() ? <T>1e300 : <T>1e30; }
// The error of a transform is that of its largest value: it must not be larger than that of a sum (the sum of |w x|
// times eps, per term). A window of `taps` values whose largest is over 4/taps of the block's is safe: the errors of
// the transform average out, those of a sum are bounded by the worst case (docs/math/convolution.md).
@inline function threshold<T>(top: T, taps: i32): T { return top * (<T>4 / <T>taps); }

// Whether two signals whose sum of products is wanted have loud values nearly everywhere, so that many of them meet
// whatever the shift: the error of a transform is that of the largest product, also where no result has it.
@inline function areDense<T>(count: i32, quiet: i32, top: T, other: T): bool {
  return quiet * 2 <= count / GROUP_OF && top < vast<T>() && other < vast<T>() && top * other < vast<T>();
}
function weightOf<T>(taps: i32, w: usize): T {
  let weight: T = 0;
  for (let j = 0; j < taps; j++) {
    const v = get<T>(w, j);
    weight += v < 0 ? -v : v;
  }
  return weight;
}
// The values of a block that meet `part` results: as many in every block, two blocks at once
function runOf(n: i32, part: i32): i32 {
  const longest = TRANSFORM - part + 1, pairs = <i32>((n + 2 * <i64>longest - 1) / (2 * longest));
  return pairs == 0 ? longest : <i32>((n + 2 * <i64>pairs - 1) / (2 * <i64>pairs));
}
// total[j] += value j of a block that `inverse` made
function addTotal<T>(count: i32, block: usize, total: usize): void {
  for (let j = 0; j < count; j++, total += 8)
    store<f64>(total, load<f64>(total) +
      <f64>(load<T>(block + row<T>(j / SIDE) + size<T>(j % SIDE)) * <T>(1.0 / <f64>TRANSFORM)));
}

export function finite<T>(n: i32, x: usize): i32 {
  const bound = constant<T>(K.infinity);
  for (let i = 0; i < n; i += LANES<T>()) {
    const v = abs<T>(loadSome<T>(x + size<T>(i), n - i));
    if (everyGreater<T>(bound, v)) continue;
    for (let lane = i;; lane++) {
      const one = load<T>(x + size<T>(lane));
      if (!(one - one == 0)) return 1 + lane;
    }
  }
  return 0;
}

export function convolve<T>(n: i32, taps: i32, results: i32, start: i32, span: i32, x: usize, w: usize, lines: usize,
    tile: usize, out: usize): i32 {
  return sums<T>(n, taps, start, x, w, 0, results, lines, tile, out) ? finite<T>(results, out) : 0;
}

export function correlate<T>(n: i32, taps: i32, results: i32, start: i32, span: i32, x: usize, w: usize, lines: usize,
    tile: usize, total: usize, out: usize): i32 {
  memory.fill(total, 0, size<f64>(results));
  products<T>(n, results, start, x, w, 0, taps, lines, tile, total);
  for (let j = 0; j < results; j++) store<T>(out + size<T>(j), <T>load<f64>(total + size<f64>(j)));
  return finite<T>(results, out);
}

// Overlap-save: of the TRANSFORM values that a block of a part makes, the first part - 1 have gone round and are wrong.
export function convolveFft<T>(n: i32, taps: i32, results: i32, start: i32, parts: i32, span: i32, x: usize, w: usize,
    twiddles: usize, roots: usize, columns: usize, spectra: usize, block: usize, loud: usize, sure: usize, lines: usize,
    tile: usize, out: usize): i32 {
  const plane = size<T>(PLANE), flags = size<i32>(GROUPS);
  if (taps == 0 || parts == 0) return convolve<T>(n, taps, results, start, 0, x, w, lines, tile, out);
  const part = (taps + parts - 1) / parts, run = TRANSFORM - part + 1;
  const spectrum = block + 2 * plane, product = block + 4 * plane;
  const weight = weightOf<T>(taps, w);
  for (let p = 0; p < parts; p++)
    transformTaps<T>(taps, w, p * part, part, twiddles, roots, columns, block, spectra + <usize>p * 2 * plane);
  for (let i: i64 = 0; i < results; i += 2 * run) {
    const from = i + start - (part - 1);
    let top: T = 0;
    for (let p = 0; p < parts; p++) {
      for (let half = 0; half < 2; half++)
        top = window<T>(n, x, from + half * run - <i64>p * part, TRANSFORM, top, block + <usize>half * plane);
      const a = p == 0 ? product : spectrum;
      transform<T>(block, twiddles, roots, columns, a);
      multiply<T>(p == 0, a, spectra + <usize>p * 2 * plane, product);
    }
    if (!(top > 0)) {  // silence
      memory.fill(out + <usize>i * sizeof<T>(), 0, <usize>min<i64>(2 * run, results - i) * sizeof<T>());
      continue;
    }
    memory.fill(sure, 0, 2 * flags);
    if (top < vast<T>() && top * weight < vast<T>())
      for (let p = 0; p < parts; p++) {
        const behind = (part - min(part, taps - p * part) + GROUP_OF - 1) / GROUP_OF;
        for (let half = 0; half < 2; half++) {
          const to = block + <usize>half * plane;
          if (parts > 1) window<T>(n, x, from + half * run - <i64>p * part, TRANSFORM, <T>0, to);
          listen<T>(to, threshold<T>(top, taps), loud);
          makeSure(run, part, behind, loud, sure + <usize>half * flags);
        }
      }
    inverse<T>(product, twiddles, roots, columns, block);
    for (let half = 0; half < 2; half++) {
      const first = i + half * run, last = min<i64>(first + run, results);
      if (first < last)
        take<T>(n, taps, start, x, w, block + <usize>half * plane, part, sure + <usize>half * flags, first, last, lines,
          tile, out);
    }
  }
  return 0;
}

// Blocks of w, with the values of x that they meet: conj(W) X is summed over all of them, and transformed once.
export function correlateFft<T>(n: i32, taps: i32, results: i32, start: i32, span: i32, x: usize, w: usize,
    twiddles: usize, roots: usize, columns: usize, block: usize, loud: usize, lines: usize, tile: usize, total: usize,
    out: usize): i32 {
  const plane = size<T>(PLANE), a = block, b = block + 2 * plane;
  const spectrum = block + 4 * plane, product = block + 6 * plane;
  memory.fill(total, 0, size<f64>(results));
  for (let from = 0; taps > 0 && from < results; from += PART) {
    const part = min(PART, results - from), run = runOf(taps, part);
    const shift = <i64>start - from;
    memory.fill(product, 0, 2 * plane);
    for (let i: i64 = 0; i < taps; i += 2 * run) {
      let topW: T = 0, topX: T = 0;
      for (let half = 0; half < 2; half++) {
        const first = i + half * run, count = min<i64>(run, taps - first);
        topW = window<T>(taps, w, first, count, topW, a + <usize>half * plane);
        topX = window<T>(n, x, first - shift, count > 0 ? count + part - 1 : 0, topX, b + <usize>half * plane);
      }
      const end = min<i64>(taps, i + 2 * run);
      let quiet = 0;
      for (let half = 0; half < 2; half++) {
        const count = <i32>min<i64>(end - i - half * run, run);
        if (count <= 0) continue;
        listen<T>(a + <usize>half * plane, threshold<T>(topW, part), loud);
        quiet += quietOf(count, loud);
        listen<T>(b + <usize>half * plane, threshold<T>(topX, part), loud);
        quiet += quietOf(count + part - 1, loud);
      }
      if (!areDense<T>(<i32>(end - i), quiet, topW, topX)) {
        products<T>(n, part, shift, x, w, i, end, lines, tile, total + size<f64>(from));
        continue;
      }
      transform<T>(b, twiddles, roots, columns, spectrum);
      transform<T>(a, twiddles, roots, columns, b);
      correlated<T>(b, spectrum, product);
    }
    inverse<T>(product, twiddles, roots, columns, a);
    addTotal<T>(part, a, total + size<f64>(from));
  }
  for (let j = 0; j < results; j++) store<T>(out + size<T>(j), <T>load<f64>(total + size<f64>(j)));
  return 0;
}

// Both at once: a window of dy meets w for dx, and a block of x for dw, so that it is transformed once.
export function gradientFft<T>(n: i32, taps: i32, results: i32, start: i32, span: i32, x: usize, w: usize, dy: usize,
    twiddles: usize, roots: usize, columns: usize, spectra: usize, block: usize, loud: usize, sure: usize, lines: usize,
    tile: usize, total: usize, dx: usize, dw: usize): i32 {
  const ahead = <i64>taps - 1 - start;
  memory.fill(total, 0, size<f64>(taps));
  if (taps == 0 || taps > PART) {
    sums<T>(results, taps, ahead, dy, w, 0, n, lines, tile, dx);
    products<T>(results, taps, start, dy, x, 0, n, lines, tile, total);
  } else {
    const plane = size<T>(PLANE), flags = size<i32>(GROUPS);
    const run = runOf(n, taps);
    const weight = weightOf<T>(taps, w);
    const a = block, b = block + 2 * plane, spectrum = block + 4 * plane, product = block + 6 * plane;
    transformTaps<T>(taps, w, 0, taps, twiddles, roots, columns, block, spectra);
    memory.fill(product, 0, 2 * plane);
    for (let i: i64 = 0; i < n; i += 2 * run) {
      const end = min<i64>(n, i + 2 * run);
      let top: T = 0, topX: T = 0;
      for (let half = 0; half < 2; half++) {
        const first = i + half * run, count = min<i64>(run, end - first);
        topX = window<T>(n, x, first, count, topX, a + <usize>half * plane);
        top = window<T>(results, dy, first - start, count > 0 ? count + taps - 1 : 0, top, b + <usize>half * plane);
      }
      if (!(top > 0)) {  // silence
        memory.fill(dx + <usize>i * sizeof<T>(), 0, <usize>(end - i) * sizeof<T>());
        continue;
      }
      let quiet = 0;
      memory.fill(sure, 0, 2 * flags);
      for (let half = 0; half < 2; half++) {
        const count = <i32>min<i64>(end - i - half * run, run);
        if (count <= 0) continue;
        listen<T>(a + <usize>half * plane, threshold<T>(topX, taps), loud);
        quiet += quietOf(count, loud);
        listen<T>(b + <usize>half * plane, threshold<T>(top, taps), loud);
        quiet += quietOf(count + taps - 1, loud);
        if (top < vast<T>() && top * weight < vast<T>())
          makeSure(run, taps, 0, loud, sure + <usize>half * flags);
      }
      transform<T>(b, twiddles, roots, columns, spectrum);
      if (areDense<T>(<i32>(end - i), quiet, topX, top)) {
        transform<T>(a, twiddles, roots, columns, b);
        correlated<T>(b, spectrum, product);
      } else products<T>(results, taps, start, dy, x, i, end, lines, tile, total);
      multiply<T>(true, spectrum, spectra, spectrum);
      inverse<T>(spectrum, twiddles, roots, columns, a);
      for (let half = 0; half < 2; half++) {
        const first = i + half * run, last = min<i64>(first + run, end);
        if (first < last)
          take<T>(results, taps, ahead, dy, w, a + <usize>half * plane, taps, sure + <usize>half * flags, first, last,
            lines, tile, dx);
      }
    }
    inverse<T>(product, twiddles, roots, columns, a);
    addTotal<T>(taps, a, total);
  }
  for (let j = 0; j < taps; j++) store<T>(dw + size<T>(j), <T>load<f64>(total + size<f64>(j)));
  return 0;
}
