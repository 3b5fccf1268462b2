// Mixture densities, each from a row of raw numbers; rows in lanes. docs/math.md § density. Twin: native/density.cc
import {
  everyGreater, exp, K, k as constantOf, LANES, LN2, log, log1pOf, madd, N, natural, nmadd, sech2, sigmoid, softplus, tanh,
  whereGreater, withSign, zero,
} from "./simd";
import { at, set, size, transposeIn, transposeOut, tri } from "./linalg";
import { Mapping } from "./contract";

const LOG_2PI: f64 = 1.8378770664093453;
const NEGLIGIBLE: f64 = -41.58883083359672;           // 60 log 2, below the largest of a row
// What makes standard deviations of raw values, and yes and no, are types: each makes a function of its own.
type EXP = i8;
type SOFTPLUS = i16;
type TANH = i32;
type YES = i8;
type NO = i16;
@inline function is<A, B>(): bool { return sizeof<A>() == sizeof<B>(); }
@inline function lines(j: i32): usize { return <usize>j << 4; }
@inline function splat<T>(x: f64): v128 { return v128.splat<T>(<T>x); }
@inline function plus<T>(a: v128, b: v128): v128 { return v128.add<T>(a, b); }
@inline function less<T>(a: v128, b: v128): v128 { return v128.sub<T>(a, b); }
@inline function times<T>(a: v128, b: v128): v128 { return v128.mul<T>(a, b); }
@inline function over<T>(a: v128, b: v128): v128 { return v128.div<T>(a, b); }

// Where !(a > b): the lane failed at `place`, if it had not failed before. NaN in these lanes, else 0
function note<T>(a: v128, b: v128, place: i32, failed: usize): v128 {
  const greater = v128.gt<T>(a, b), lane = sizeof<T>() == 8 ? i64x2.bitmask(greater) : i32x4.bitmask(greater);
  for (let i = 0; i < LANES<T>(); i++)
    if (!(lane >> i & 1) && !load<i32>(failed + size<i32>(i))) store<i32>(failed + size<i32>(i), place);
  return v128.andnot(splat<T>(NaN), greater);
}

// The largest of m lines. (A NaN among them may be missed.)
@inline function largest<T>(m: i32, values: usize): v128 {
  let top = constantOf<T>(K.none);
  for (let j = 0; j < m; j++) top = v128.pmax<T>(top, at(values, j));
  return top;
}
// t becomes exp(t - top), or 0 where that is negligible; their sum
@inline function exponentials<T>(m: i32, top: v128, values: usize): v128 {
  let sum = zero<T>();
  for (let j = 0; j < m; j++) {
    const t = less<T>(at(values, j), top), e = whereGreater<T>(t, splat<T>(NEGLIGIBLE), exp<T>(t));
    set(values, j, e);
    sum = plus<T>(sum, e);
  }
  return sum;
}

// Of k standard deviations s: e = 1/s, slope = d log s / d raw; returns Σ log s, NaN where one of them is not > 0 (or
// not a normal number). Raw values are k lines, or the diagonal of a packed triangle. A value below `floor` counts as
// floor + softplus(r - floor).
@inline function deviations<T, KIND, TRIANGLE>(
    k: i32, raw: usize, floor: T, place: i32, e: usize, slope: usize, failed: usize): v128 {
  let sum = zero<T>();
  for (let l = 0; l < k; l++) {
    let r = at(raw, is<TRIANGLE, YES>() ? tri(l) + l : l), s = constantOf<T>(K.one), least = natural<T>(N.least);
    let size = r;
    if (!is<KIND, TANH>() && floor > <T>-Infinity) {
      const t = less<T>(r, v128.splat<T>(floor)), q = exp<T>(v128.neg<T>(v128.abs<T>(t)));
      sum = plus<T>(sum, less<T>(t, t));              // -infinity would pass unnoticed
      r = plus<T>(softplus<T>(t, q), v128.splat<T>(floor));
      s = sigmoid<T>(t, q);
      size = r;
    }
    if (is<KIND, EXP>()) {
      set(e, l, exp<T>(v128.neg<T>(v128.pmax<T>(r, least))));
      sum = plus<T>(sum, r);
    } else if (is<KIND, SOFTPLUS>()) {
      const q = exp<T>(v128.neg<T>(v128.abs<T>(r))), sd = softplus<T>(r, q);
      set(e, l, over<T>(constantOf<T>(K.one), sd));
      s = times<T>(s, over<T>(sigmoid<T>(r, q), sd));
      sum = plus<T>(sum, log<T>(sd));
    } else {
      const q = exp<T>(times<T>(natural<T>(N.minusTwo), v128.abs<T>(r))), variance = tanh<T>(r);
      set(e, l, over<T>(constantOf<T>(K.one), v128.sqrt<T>(variance)));
      s = over<T>(times<T>(constantOf<T>(K.half), sech2<T>(q)), variance);
      sum = plus<T>(sum, madd<T>(constantOf<T>(K.half), log<T>(variance), less<T>(r, r)));
      size = variance;
      least = natural<T>(N.normal);
    }
    set(slope, l, s);
    if (!everyGreater<T>(size, least)) sum = plus<T>(sum, note<T>(size, least, place + l, failed));
  }
  return sum;
}

// joint[j] = r[j] - top - Σ log L[l,l] - ½|u|²,  u = L⁻¹(x - μ);  L from deviations and, with TRIANGLE, from the values
// below the diagonal. With GRADIENT, of -log N: means become a = L⁻ᵀu, diagonal values slope (1 - u[l] a[l] L[l,l]).
// Returns 0, NaN where a component has no finite density
function gaussians<T, KIND, TRIANGLE, GRADIENT>(m: i32, k: i32, floor: T, top: v128, tile: usize, y: usize,
    e: usize, slope: usize, u: usize, joint: usize, failed: usize): v128 {
  let mean = tile + lines(m), L = mean + lines(m * k), bad = zero<T>();
  for (let j = 0; j < m; j++) {
    const sum = deviations<T, KIND, TRIANGLE>(k, L, floor, j * (k + 1) + 1, e, slope, failed);
    let square = zero<T>();
    for (let l = 0; l < k; l++) {
      let t = less<T>(at(y, l), at(mean, l));
      if (is<TRIANGLE, YES>())
        for (let i = 0; i < l; i++) t = nmadd<T>(at(L, tri(l) + i), at(u, i), t);
      t = times<T>(t, at(e, l));
      set(u, l, t);
      square = madd<T>(t, t, square);
    }
    const log = nmadd<T>(constantOf<T>(K.half), square, less<T>(less<T>(at(tile, j), top), sum));
    set(joint, j, log);
    bad = plus<T>(bad, less<T>(log, log));
    if (is<GRADIENT, YES>()) {
      for (let l = k - 1; l >= 0; l--) {
        let t = at(u, l);
        if (is<TRIANGLE, YES>())
          for (let i = l + 1; i < k; i++) t = nmadd<T>(at(L, tri(i) + l), at(mean, i), t);
        set(mean, l, times<T>(t, at(e, l)));
        set(L, is<TRIANGLE, YES>() ? tri(l) + l : l,
            times<T>(at(slope, l), nmadd<T>(at(u, l), t, constantOf<T>(K.one))));
      }
      u += lines(k);
    }
    mean += lines(k);
    L += lines(is<TRIANGLE, YES>() ? tri(k) : k);
  }
  return bad;
}

// With a floor, r of a correlation counts as R tanh(r/R), R = log 2 - floor: then s √(1-ρ²) is above it, too. tanh(r/R)
@inline function bounded<T>(r: v128, floor: T): v128 { return tanh<T>(over<T>(r, v128.splat<T>(<T>LN2 - floor))); }
// The same for two coordinates and [log s_x, log s_y, atanh ρ] (Graves 2013); values become their derivatives.
// With q = e^(-2|r|): 1 - |ρ| = 2q/(1+q), 1 - ρ² = 4q/(1+q)²; nothing cancels where ρ rounds to 1.
function correlated<T, GRADIENT>(m: i32, floor: T, top: v128, tile: usize, y: usize, e: usize, slope: usize,
    joint: usize, failed: usize): v128 {
  let mean = tile + lines(m), C = mean + lines(m * 2), bad = zero<T>();
  for (let j = 0; j < m; j++, mean += lines(2), C += lines(3)) {
    let sum = deviations<T, EXP, NO>(2, C, floor, j * 3 + 1, e, slope, failed);
    let r = at(C, 2), steep = constantOf<T>(K.one);
    if (floor > <T>-Infinity) {
      const t = bounded<T>(r, floor);
      sum = plus<T>(sum, less<T>(r, r));              // infinity would pass unnoticed
      r = times<T>(t, v128.splat<T>(<T>LN2 - floor));
      steep = nmadd<T>(t, t, steep);
    }
    const size = v128.abs<T>(r), q = exp<T>(times<T>(natural<T>(N.minusTwo), size));
    const most = times<T>(constantOf<T>(K.half), natural<T>(N.limit));
    if (!everyGreater<T>(most, size)) sum = plus<T>(sum, note<T>(most, size, j * 3 + 2, failed));
    const one = plus<T>(q, constantOf<T>(K.one)), scale = over<T>(times<T>(one, one), times<T>(natural<T>(N.four), q));
    const rest = withSign<T>(over<T>(times<T>(constantOf<T>(K.two), q), one), r);
    const half = less<T>(less<T>(constantOf<T>(K.ln2), size), log1pOf<T>(q));       // ½ log(1 - ρ²)
    const u = times<T>(less<T>(at(y, 0), at(mean, 0)), at(e, 0));
    const v = times<T>(less<T>(at(y, 1), at(mean, 1)), at(e, 1));
    const a = times<T>(madd<T>(rest, v, less<T>(u, withSign<T>(v, r))), scale);     // (u - ρ v) / (1 - ρ²)
    const w = madd<T>(rest, u, less<T>(v, withSign<T>(u, r))), b = times<T>(w, scale);
    const log = nmadd<T>(constantOf<T>(K.half), madd<T>(w, b, times<T>(u, u)),
        less<T>(less<T>(less<T>(at(tile, j), top), sum), half));
    set(joint, j, log);
    bad = plus<T>(bad, less<T>(log, log));
    if (is<GRADIENT, YES>()) {
      set(mean, 0, times<T>(a, at(e, 0)));
      set(mean, 1, times<T>(b, at(e, 1)));
      set(C, 0, times<T>(at(slope, 0), nmadd<T>(u, a, constantOf<T>(K.one))));
      set(C, 1, times<T>(at(slope, 1), nmadd<T>(v, b, constantOf<T>(K.one))));
      set(C, 2, times<T>(v128.neg<T>(steep), madd<T>(w, a, tanh<T>(r))));
    }
  }
  return bad;
}

// tanh C = L Lᵀ, packed by rows (L may be C); returns Σ log L[l,l], NaN where a pivot is not > 0
function factor<T>(k: i32, C: usize, L: usize, place: i32, failed: usize): v128 {
  let sum = zero<T>();
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      const r = at(C, tri(i) + j);
      let s = tanh<T>(r);
      sum = plus<T>(sum, less<T>(r, r));              // infinity would pass unnoticed
      for (let p = 0; p < j; p++) s = nmadd<T>(at(L, tri(i) + p), at(L, tri(j) + p), s);
      if (j < i) { set(L, tri(i) + j, over<T>(s, at(L, tri(j) + j))); continue; }
      const least = natural<T>(N.normal);
      if (!everyGreater<T>(s, least)) sum = plus<T>(sum, note<T>(s, least, place + i, failed));
      sum = madd<T>(constantOf<T>(K.half), log<T>(s), sum);
      set(L, tri(i) + i, v128.sqrt<T>(s));
    }
  return sum;
}
// The lower triangle of (L Lᵀ)⁻¹ = WᵀW with W = L⁻¹, in the place of W
function invert<T>(k: i32, L: usize, W: usize): void {
  for (let j = 0; j < k; j++)
    for (let i = j; i < k; i++) {
      let s = i == j ? constantOf<T>(K.one) : zero<T>();
      for (let p = j; p < i; p++) s = nmadd<T>(at(L, tri(i) + p), at(W, tri(p) + j), s);
      set(W, tri(i) + j, over<T>(s, at(L, tri(i) + i)));
    }
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      let s = zero<T>();
      for (let p = i; p < k; p++) s = madd<T>(at(W, tri(p) + i), at(W, tri(p) + j), s);
      set(W, tri(i) + j, s);
    }
}
// The same for Σ = tanh of the values, entry by entry; values become ½ (2 - δ) (Σ⁻¹ - a aᵀ) sech²
function tanhFull<T, GRADIENT>(m: i32, k: i32, top: v128, tile: usize, y: usize, u: usize, L: usize, inverse: usize,
    joint: usize, failed: usize): v128 {
  let mean = tile + lines(m), C = mean + lines(m * k), bad = zero<T>();
  for (let j = 0; j < m; j++, mean += lines(k), C += lines(tri(k))) {
    const sum = factor<T>(k, C, L, j * (k + 1) + 1, failed);
    let square = zero<T>();
    for (let l = 0; l < k; l++) {
      let t = less<T>(at(y, l), at(mean, l));
      for (let i = 0; i < l; i++) t = nmadd<T>(at(L, tri(l) + i), at(u, i), t);
      t = over<T>(t, at(L, tri(l) + l));
      set(u, l, t);
      square = madd<T>(t, t, square);
    }
    const log = nmadd<T>(constantOf<T>(K.half), square, less<T>(less<T>(at(tile, j), top), sum));
    set(joint, j, log);
    bad = plus<T>(bad, less<T>(log, log));
    if (is<GRADIENT, NO>()) continue;
    for (let l = k - 1; l >= 0; l--) {
      let t = at(u, l);
      for (let i = l + 1; i < k; i++) t = nmadd<T>(at(L, tri(i) + l), at(mean, i), t);
      set(mean, l, over<T>(t, at(L, tri(l) + l)));
    }
    invert<T>(k, L, inverse);
    for (let l = 0; l < k; l++)
      for (let i = 0; i <= l; i++) {
        const steep = sech2<T>(exp<T>(times<T>(natural<T>(N.minusTwo), v128.abs<T>(at(C, tri(l) + i)))));
        const g = nmadd<T>(at(mean, l), at(mean, i), at(inverse, tri(l) + i));
        set(C, tri(l) + i, times<T>(i < l ? g : times<T>(constantOf<T>(K.half), g), steep));
      }
  }
  return bad;
}

function components<T, GRADIENT>(mapping: i32, m: i32, k: i32, floor: T, top: v128, tile: usize, y: usize,
    e: usize, slope: usize, u: usize, L: usize, inverse: usize, joint: usize, failed: usize): v128 {
  switch (mapping) {
    case Mapping.tanhFull: return tanhFull<T, GRADIENT>(m, k, top, tile, y, u, L, inverse, joint, failed);
    case Mapping.tanhDiag:
      return gaussians<T, TANH, NO, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.cholExp:
      return gaussians<T, EXP, YES, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.cholSoftplus:
      return gaussians<T, SOFTPLUS, YES, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.diagExp:
      return gaussians<T, EXP, NO, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.diagSoftplus:
      return gaussians<T, SOFTPLUS, NO, GRADIENT>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    default: return correlated<T, GRADIENT>(m, floor, top, tile, y, e, slope, joint, failed);
  }
}

// Σ_b bce(logit[b], y[b]); with GRADIENT logits become sigmoid - y, and dy = -logit
function bernoulli<T, GRADIENT>(q: i32, logits: usize, y: usize, dy: usize): v128 {
  let sum = zero<T>();
  for (let b = 0; b < q; b++) {
    const r = at(logits, b), value = at(y, b), e = exp<T>(v128.neg<T>(v128.abs<T>(r)));
    sum = plus<T>(sum, plus<T>(nmadd<T>(r, value, v128.pmax<T>(r, zero<T>())), log1pOf<T>(e)));
    if (is<GRADIENT, YES>()) {
      set(logits, b, less<T>(sigmoid<T>(r, e), value));
      set(dy, b, v128.neg<T>(r));
    }
  }
  return sum;
}

// joint becomes γ; the values of a tile times γ are the gradient: logits π - γ, means -γ a, L below its diagonal -γ a uᵀ.
// dy = Σ_j γ[j] a[j]. A component with γ = 0 has a gradient of exactly 0. Returns a sum of squares that is finite only if
// all of this is. (Entries below the diagonal are products of two numbers whose squares are finite.)
function gradients<T, TRIANGLE>(m: i32, k: i32, p: i32, scale: v128, share: v128, tile: usize, u: usize,
    joint: usize, dy: usize): v128 {
  let mean = tile + lines(m), C = mean + lines(m * k), squares = zero<T>();
  for (let l = 0; l < k; l++) set(dy, l, zero<T>());
  for (let j = 0; j < m; j++, mean += lines(k), C += lines(p)) {
    const gamma = times<T>(at(joint, j), share), some = v128.gt<T>(gamma, zero<T>());
    set(joint, j, gamma);
    set(tile, j, madd<T>(at(tile, j), scale, v128.neg<T>(gamma)));
    for (let l = 0; l < k; l++) {
      const a = v128.and(some, times<T>(gamma, at(mean, l)));
      set(mean, l, v128.neg<T>(a));
      set(dy, l, plus<T>(at(dy, l), a));
      squares = madd<T>(a, a, squares);
      if (is<TRIANGLE, YES>())
        for (let i = 0; i < l; i++)
          set(C, tri(l) + i, v128.and(some, times<T>(v128.neg<T>(a), at(u, i))));
    }
    for (let c = 0; c < (is<TRIANGLE, YES>() ? k : p); c++) {
      const value = C + lines(is<TRIANGLE, YES>() ? tri(c) + c : c);
      const g = v128.and(some, times<T>(gamma, v128.load(value)));
      v128.store(value, g);
      squares = madd<T>(g, g, squares);
    }
    if (is<TRIANGLE, YES>()) u += lines(k);
  }
  return squares;
}

function finite<T>(width: i32, values: usize): bool {
  for (let i = 0; i < width; i++, values += sizeof<T>())
    if (!(load<T>(values) - load<T>(values) == <T>0)) return false;
  return true;
}
// INFO within a row: it is not finite; it failed at a place; or `whole` says that not all of its results are finite
function failure<T>(w: i32, raw: usize, v: i32, x: usize, f: i32, failed: i32, whole: bool): i32 {
  if (!finite<T>(w, raw) || !finite<T>(v, x)) return f;
  return failed ? failed : whole ? 0 : f;
}

@inline function evaluate<T, GRADIENT>(n: i32, k: i32, m: i32, q: i32, p: i32, w: i32, v: i32, f: i32, mapping: i32,
    raw: usize, x: usize, floor: T, tile: usize, e: usize, slope: usize, failed: usize, line: usize, y: usize,
    L: usize, joint: usize, u: usize, inverse: usize, dy: usize, logDensity: usize, r: usize, dRaw: usize,
    dx: usize): i32 {
  const N = LANES<T>();
  const triangle = mapping == Mapping.cholExp || mapping == Mapping.cholSoftplus;
  if (mapping == Mapping.graves && k != 2) return 1;
  memory.fill(failed, 0, 16);
  for (let from = 0; from < n; from += N) {
    const rows = min(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    transposeIn<T>(rows, v, x, y);
    const top = largest<T>(m, tile);
    let check = components<T, GRADIENT>(mapping, m, k, floor, top, tile, y, e, slope, u, L, inverse, joint, failed);
    const total = exponentials<T>(m, top, tile), best = largest<T>(m, joint);
    const sum = exponentials<T>(m, best, joint), share = over<T>(constantOf<T>(K.one), sum);
    const density = less<T>(
        less<T>(less<T>(plus<T>(best, log<T>(sum)), log<T>(total)), splat<T>(0.5 * <f64>k * LOG_2PI)),
        bernoulli<T, GRADIENT>(q, tile + lines(w - q), y + lines(k), dy + lines(k)));
    set(line, 0, density);
    check = plus<T>(check, less<T>(density, density));
    if (is<GRADIENT, YES>()) {
      const scale = over<T>(constantOf<T>(K.one), total);
      const squares = triangle ? gradients<T, YES>(m, k, p, scale, share, tile, u, joint, dy)
        : gradients<T, NO>(m, k, p, scale, share, tile, u, joint, dy);
      check = plus<T>(check, less<T>(squares, squares));
      transposeOut<T>(rows, w, tile, dRaw);
      transposeOut<T>(rows, v, dy, dx);
    } else
      for (let j = 0; j < m; j++) set(joint, j, times<T>(at(joint, j), share));
    transposeOut<T>(rows, m, joint, r);
    transposeOut<T>(rows, 1, line, logDensity);
    if (!everyGreater<T>(constantOf<T>(K.one), check))
      for (let i = 0; i < rows; i++) {
        const wide = <usize>i * size<T>(w), own = <usize>i * size<T>(v);
        const whole = finite<T>(1, logDensity + size<T>(i))
          && (is<GRADIENT, NO>() || (finite<T>(w, dRaw + wide) && finite<T>(v, dx + own)));
        const place = failure<T>(w, raw + wide, v, x + own, f, load<i32>(failed + size<i32>(i)), whole);
        if (place) return (from + i) * m * f + place;
      }
    raw += <usize>N * size<T>(w);
    x += <usize>N * size<T>(v);
    r += <usize>N * size<T>(m);
    logDensity += size<T>(N);
    if (is<GRADIENT, YES>()) {
      dRaw += <usize>N * size<T>(w);
      dx += <usize>N * size<T>(v);
    }
  }
  return 0;
}

export function forward<T>(n: i32, k: i32, m: i32, q: i32, p: i32, w: i32, v: i32, f: i32, mapping: i32,
    raw: usize, x: usize, floor: usize, tile: usize, e: usize, slope: usize, failed: usize, line: usize, y: usize,
    L: usize, joint: usize, u: usize, logDensity: usize, r: usize): i32 {
  return evaluate<T, NO>(n, k, m, q, p, w, v, f, mapping, raw, x, load<T>(floor), tile, e, slope, failed, line, y, L,
      joint, u, 0, y, logDensity, r, 0, 0);
}

export function lossGradient<T>(n: i32, k: i32, m: i32, q: i32, p: i32, w: i32, v: i32, f: i32, mapping: i32,
    raw: usize, x: usize, floor: usize, tile: usize, e: usize, slope: usize, failed: usize, line: usize, y: usize,
    L: usize, joint: usize, u: usize, inverse: usize, dy: usize, logDensity: usize, r: usize, dRaw: usize,
    dx: usize): i32 {
  return evaluate<T, YES>(n, k, m, q, p, w, v, f, mapping, raw, x, load<T>(floor), tile, e, slope, failed, line, y, L,
      joint, u, inverse, dy, logDensity, r, dRaw, dx);
}

// 1/e; infinite where deviations found no smaller e
@inline function deviation<T>(e: v128): v128 {
  const least = times<T>(constantOf<T>(K.two), natural<T>(N.normal));
  return over<T>(constantOf<T>(K.one), whereGreater<T>(e, least, e));
}
// The values of one component become its factor; returns what is NaN where they have none
function factors<T, KIND, TRIANGLE>(k: i32, C: usize, floor: T, place: i32, e: usize, slope: usize, failed: usize): v128 {
  const sum = deviations<T, KIND, TRIANGLE>(k, C, floor, place, e, slope, failed);
  for (let l = 0; l < k; l++) set(C, is<TRIANGLE, YES>() ? tri(l) + l : l, deviation<T>(at(e, l)));
  return sum;
}
// [s_x, ρ s_y, s_y √(1-ρ²)]
function correlatedFactor<T>(C: usize, floor: T, place: i32, e: usize, slope: usize, failed: usize): v128 {
  let sum = deviations<T, EXP, NO>(2, C, floor, place, e, slope, failed), r = at(C, 2);
  if (floor > <T>-Infinity) r = times<T>(bounded<T>(r, floor), v128.splat<T>(<T>LN2 - floor));
  const size = v128.abs<T>(r), q = exp<T>(v128.neg<T>(size)), sy = deviation<T>(at(e, 1));
  const most = times<T>(constantOf<T>(K.half), natural<T>(N.limit));
  if (!everyGreater<T>(most, size)) sum = plus<T>(sum, note<T>(most, size, place + 1, failed));
  set(C, 0, deviation<T>(at(e, 0)));
  set(C, 1, times<T>(tanh<T>(r), sy));
  set(C, 2, times<T>(over<T>(times<T>(constantOf<T>(K.two), q), madd<T>(q, q, constantOf<T>(K.one))), sy));
  return sum;
}
function factorOf<T>(
    mapping: i32, k: i32, C: usize, floor: T, place: i32, e: usize, slope: usize, failed: usize): v128 {
  switch (mapping) {
    case Mapping.tanhFull: return factor<T>(k, C, C, place, failed);
    case Mapping.tanhDiag: return factors<T, TANH, NO>(k, C, floor, place, e, slope, failed);
    case Mapping.cholExp: return factors<T, EXP, YES>(k, C, floor, place, e, slope, failed);
    case Mapping.cholSoftplus: return factors<T, SOFTPLUS, YES>(k, C, floor, place, e, slope, failed);
    case Mapping.diagExp: return factors<T, EXP, NO>(k, C, floor, place, e, slope, failed);
    case Mapping.diagSoftplus: return factors<T, SOFTPLUS, NO>(k, C, floor, place, e, slope, failed);
    default: return correlatedFactor<T>(C, floor, place, e, slope, failed);
  }
}
// 0, NaN in lanes where one of the lines is not finite
function differences<T>(count: i32, values: usize): v128 {
  let sum = zero<T>();
  for (let j = 0; j < count; j++) sum = plus<T>(sum, less<T>(at(values, j), at(values, j)));
  return sum;
}

export function distribution<T>(n: i32, k: i32, m: i32, q: i32, p: i32, w: i32, v: i32, f: i32, mapping: i32,
    raw: usize, floor: usize, tile: usize, e: usize, slope: usize, failed: usize, weights: usize, L: usize,
    probabilities: usize): i32 {
  const N = LANES<T>();
  if (mapping == Mapping.graves && k != 2) return 1;
  memory.fill(failed, 0, 16);
  const C = tile + lines(m + m * k), logits = C + lines(m * p);
  for (let from = 0; from < n; from += N) {
    const rows = min(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    let check = differences<T>(w, tile);
    const total = exponentials<T>(m, largest<T>(m, tile), tile), scale = over<T>(constantOf<T>(K.one), total);
    for (let j = 0; j < m; j++) {
      set(tile, j, times<T>(at(tile, j), scale));
      const sum = factorOf<T>(mapping, k, C + lines(j * p), load<T>(floor), j * f + 1, e, slope, failed);
      check = plus<T>(check, less<T>(sum, sum));
    }
    for (let b = 0; b < q; b++) {
      const r = at(logits, b);
      set(logits, b, sigmoid<T>(r, exp<T>(v128.neg<T>(v128.abs<T>(r)))));
    }
    check = plus<T>(check, differences<T>(w, tile));
    transposeOut<T>(rows, m, tile, weights);
    transposeOut<T>(rows, m * p, C, L);
    transposeOut<T>(rows, q, logits, probabilities);
    if (!everyGreater<T>(constantOf<T>(K.one), check))
      for (let i = 0; i < rows; i++) {
        const whole = finite<T>(m * p, L + <usize>i * size<T>(m * p));            // weights and probabilities are
        const place = failure<T>(w, raw + <usize>i * size<T>(w), 0, raw, f, load<i32>(failed + size<i32>(i)), whole);
        if (place) return (from + i) * m * f + place;
      }
    raw += <usize>N * size<T>(w);
    weights += <usize>N * size<T>(m);
    L += <usize>N * size<T>(m * p);
    probabilities += <usize>N * size<T>(q);
  }
  return 0;
}
