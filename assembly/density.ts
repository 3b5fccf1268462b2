// Mixture densities, each from a row of raw numbers; rows in lanes. docs/math.md § density. Twin: native/density.cc
import {
  everyGreater, exp, is, K, k as constantOf, LANES, LN2, log, log1pOf, madd, N, natural, nmadd, NO, sech2, sigmoid, softplus,
  tanh, whereGreater, withSign, YES, zero,
} from "./simd";
import { at, exponentials, set, size, transposeIn, transposeOut, tri } from "./linalg";
import { Mapping } from "./contract";

const LOG_2PI: f64 = 1.8378770664093453;
const NEGLIGIBLE: f64 = 8.673617379884035e-19;        // 2^-60 of the largest of a row
type EXP = i8;                                        // what makes standard deviations of raw values
type SOFTPLUS = i16;
type TANH = i32;
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
@inline function shares<T>(m: i32, top: v128, values: usize): v128 {
  let sum = zero<T>();
  exponentials<T>(m, top, splat<T>(NEGLIGIBLE), values);
  for (let j = 0; j < m; j++) sum = plus<T>(sum, at(values, j));
  return sum;
}

// From value l of a diagonal to the next: it lies in a packed triangle, or by itself
@inline function toNext<TRIANGLE>(l: i32): usize { return lines(is<TRIANGLE, YES>() ? l + 2 : 1); }
// Of m k standard deviations s: e = 1/s, slope = d log s / d raw; sums[j] = Σ_l log s, NaN where one of them is not > 0 (or
// not a normal number). The raw values of a component are the first k of p lines, or the diagonal of a packed
// triangle. With a floor, r counts as floor + softplus(r - floor), which is left in its place.
function deviations<T, KIND, TRIANGLE>(m: i32, k: i32, p: i32, raw: usize, floor: T, e: usize, slope: usize,
    sums: usize, failed: usize): void {
  const floored = !is<KIND, TANH>() && floor > <T>-Infinity;
  if (floored) {
    for (let j = 0; j < m; j++) {
      let value = raw + lines(j * p);
      for (let l = 0; l < k; value += toNext<TRIANGLE>(l++)) {
        const t = less<T>(v128.load(value), v128.splat<T>(floor));
        set(e, j * k + l, v128.neg<T>(v128.abs<T>(t)));
      }
    }
    exponentials<T>(m * k, zero<T>(), zero<T>(), e);
    for (let j = 0; j < m; j++) {
      let value = raw + lines(j * p);
      for (let l = 0; l < k; value += toNext<TRIANGLE>(l++)) {
        const t = less<T>(v128.load(value), v128.splat<T>(floor)), q = at(e, j * k + l);
        set(slope, j * k + l, sigmoid<T>(t, q));
        v128.store(value, plus<T>(plus<T>(softplus<T>(t, q), v128.splat<T>(floor)), less<T>(t, t)));
      }                                               // (t - t: -infinity would pass unnoticed)
    }
  }
  for (let j = 0; j < m; j++) {
    let value = raw + lines(j * p), sum = zero<T>();
    for (let l = 0; l < k; value += toNext<TRIANGLE>(l++)) {
      const r = v128.load(value);
      let size = r, least = natural<T>(N.least);
      if (is<KIND, EXP>()) {
        set(e, j * k + l, v128.neg<T>(v128.pmax<T>(r, least)));
        sum = plus<T>(sum, r);
      } else if (is<KIND, SOFTPLUS>()) set(e, j * k + l, v128.neg<T>(v128.abs<T>(r)));
      else {
        size = tanh<T>(r);
        least = natural<T>(N.normal);
        set(e, j * k + l, times<T>(natural<T>(N.minusTwo), v128.abs<T>(r)));
        sum = plus<T>(sum, madd<T>(constantOf<T>(K.half), log<T>(size), less<T>(r, r)));
      }
      if (!everyGreater<T>(size, least)) sum = plus<T>(sum, note<T>(size, least, j * (k + 1) + l + 1, failed));
    }
    set(sums, j, sum);
  }
  exponentials<T>(m * k, zero<T>(), zero<T>(), e);
  if (is<KIND, EXP>()) return;
  for (let j = 0; j < m; j++) {
    let value = raw + lines(j * p), sum = zero<T>();
    for (let l = 0; l < k; value += toNext<TRIANGLE>(l++)) {
      const r = v128.load(value), q = at(e, j * k + l);
      if (is<KIND, SOFTPLUS>()) {
        const sd = softplus<T>(r, q), steep = over<T>(sigmoid<T>(r, q), sd);
        set(e, j * k + l, over<T>(constantOf<T>(K.one), sd));
        set(slope, j * k + l, floored ? times<T>(at(slope, j * k + l), steep) : steep);
        sum = plus<T>(sum, log<T>(sd));
      } else {
        const variance = tanh<T>(r);
        set(e, j * k + l, over<T>(constantOf<T>(K.one), v128.sqrt<T>(variance)));
        set(slope, j * k + l, over<T>(times<T>(constantOf<T>(K.half), sech2<T>(q)), variance));
      }
    }
    set(sums, j, plus<T>(at(sums, j), sum));
  }
}

// joint[j] = r[j] - top - Σ log L[l,l] - ½|u|²,  u = L⁻¹(x - μ);  L from deviations and, with TRIANGLE, from the values
// below the diagonal. Returns 0, NaN where a component has no finite density. Two components go side by side, as one
// alone waits at every step for the one before (what a step needs of the two before it stays in registers); the last of
// an odd number goes with itself.
function gaussians<T, KIND, TRIANGLE>(m: i32, k: i32, floor: T, top: v128, tile: usize, y: usize,
    e: usize, slope: usize, u: usize, joint: usize, failed: usize): v128 {
  const p = is<TRIANGLE, YES>() ? tri(k) : k, mk = lines(k), mp = lines(p);
  let mean = tile + lines(m), L = mean + m * mk, bad = zero<T>();
  deviations<T, KIND, TRIANGLE>(m, k, p, L, floor, e, slope, joint, failed);
  for (let j = 0; j < m; j += 2) {
    const next = <i32>(j + 1 < m), mean1 = mean + next * mk, e1 = e + next * mk, u1 = u + next * mk;
    let row = L, row1 = L + next * mp;
    let square = zero<T>(), square1 = square, last = square, last1 = square, before = square, before1 = square;
    for (let l = 0; l < k; l++) {
      let t = less<T>(at(y, l), at(mean, l)), t1 = less<T>(at(y, l), at(mean1, l));
      if (is<TRIANGLE, YES>()) {
        for (let i = 0; i < l - 2; i++) {
          t = nmadd<T>(at(row, i), at(u, i), t);
          t1 = nmadd<T>(at(row1, i), at(u1, i), t1);
        }
        if (l > 1) {
          t = nmadd<T>(at(row, l - 2), before, t);
          t1 = nmadd<T>(at(row1, l - 2), before1, t1);
        }
        if (l > 0) {
          t = nmadd<T>(at(row, l - 1), last, t);
          t1 = nmadd<T>(at(row1, l - 1), last1, t1);
        }
        row += lines(l + 1);
        row1 += lines(l + 1);
      }
      before = last;
      before1 = last1;
      last = times<T>(t, at(e, l));
      last1 = times<T>(t1, at(e1, l));
      set(u, l, last);
      set(u1, l, last1);
      square = madd<T>(last, last, square);
      square1 = madd<T>(last1, last1, square1);
    }
    const half = constantOf<T>(K.half), i = j + next;
    const log = nmadd<T>(half, square, less<T>(less<T>(at(tile, j), top), at(joint, j)));
    const log1 = nmadd<T>(half, square1, less<T>(less<T>(at(tile, i), top), at(joint, i)));
    bad = plus<T>(plus<T>(bad, less<T>(log, log)), less<T>(log1, log1));
    set(joint, j, log);
    set(joint, i, log1);
    mean += 2 * mk;
    e += 2 * mk;
    u += 2 * mk;
    L += 2 * mp;
  }
  return bad;
}
// γ times the gradient of -log N: means become -γ a, a = L⁻ᵀu, values below the diagonal -γ a uᵀ, those on it
// γ slope (1 - u[l] a[l] L[l,l]). What has γ = 0 is exactly 0. Returns a sum of squares that is finite only if all of this
// is: entries below the diagonal are products of two numbers whose squares are finite. Two go side by side again.
function gaussianGradients<T, TRIANGLE>(m: i32, k: i32, sloped: bool, mean: usize, e: usize, slope: usize, u: usize,
    gammas: usize): v128 {
  const p = is<TRIANGLE, YES>() ? tri(k) : k, mk = lines(k), mp = lines(p);
  let L = mean + m * mk, squares = zero<T>();
  for (let j = 0; j < m; j += 2) {
    const next = <i32>(j + 1 < m), mean1 = mean + next * mk, e1 = e + next * mk, u1 = u + next * mk;
    const slope1 = slope + next * mk, L1 = L + next * mp;
    const gamma = at(gammas, j), gamma1 = at(gammas, j + next);
    const some = v128.gt<T>(gamma, zero<T>()), some1 = v128.gt<T>(gamma1, zero<T>());
    let last = zero<T>(), last1 = last, before = last, before1 = last;
    for (let l = k - 1; l >= 0; l--) {
      let t = v128.and(some, times<T>(v128.neg<T>(gamma), at(u, l)));                // -γ a[l] L[l,l]
      let t1 = v128.and(some1, times<T>(v128.neg<T>(gamma1), at(u1, l)));
      let value = is<TRIANGLE, YES>() ? tri(k - 1) + l : l;
      if (is<TRIANGLE, YES>()) {                      // up column l, to the diagonal
        for (let i = k - 1; i > l + 2; value -= i--) {
          t = nmadd<T>(at(L, value), at(mean, i), t);
          t1 = nmadd<T>(at(L1, value), at(mean1, i), t1);
        }
        if (l < k - 2) {
          t = nmadd<T>(at(L, value), before, t);
          t1 = nmadd<T>(at(L1, value), before1, t1);
          value -= l + 2;
        }
        if (l < k - 1) {
          t = nmadd<T>(at(L, value), last, t);
          t1 = nmadd<T>(at(L1, value), last1, t1);
          value -= l + 1;
        }
      }
      before = last;
      before1 = last1;
      last = times<T>(t, at(e, l));
      last1 = times<T>(t1, at(e1, l));
      squares = madd<T>(last, last, squares);
      let z = v128.and(some, madd<T>(at(u, l), t, gamma)), z1 = v128.and(some1, madd<T>(at(u1, l), t1, gamma1));
      if (sloped) {
        z = times<T>(z, at(slope, l));
        z1 = times<T>(z1, at(slope1, l));
      }
      squares = madd<T>(z1, z1, madd<T>(last1, last1, madd<T>(z, z, squares)));
      set(mean, l, last);
      set(mean1, l, last1);
      set(L, value, z);
      set(L1, value, z1);
    }
    if (is<TRIANGLE, YES>())
      for (let l = 1, row = 1; l < k; row += ++l) {
        const a = at(mean, l), a1 = at(mean1, l);
        for (let i = 0; i < l; i++) {
          set(L, row + i, v128.and(some, times<T>(a, at(u, i))));
          set(L1, row + i, v128.and(some1, times<T>(a1, at(u1, i))));
        }
      }
    mean += 2 * mk;
    e += 2 * mk;
    slope += 2 * mk;
    u += 2 * mk;
    L += 2 * mp;
  }
  return squares;
}

// tanh(r/R), R = log 2 - floor: with a floor, r of a correlation counts as R times that. √(1-ρ²) > e^floor/(1 + ¼e^2floor)
@inline function bounded<T>(r: v128, floor: T): v128 { return tanh<T>(over<T>(r, v128.splat<T>(<T>LN2 - floor))); }
// The same for two coordinates and [log s_x, log s_y, atanh ρ] (Graves 2013); values become their derivatives.
// With q = e^(-2|r|): 1 - |ρ| = 2q/(1+q), 1 - ρ² = 4q/(1+q)²; nothing cancels where ρ rounds to 1.
function correlated<T, GRADIENT>(m: i32, floor: T, top: v128, tile: usize, y: usize, e: usize, slope: usize,
    joint: usize, failed: usize): v128 {
  const floored = floor > <T>-Infinity;
  let mean = tile + lines(m), C = mean + lines(m * 2), bad = zero<T>();
  deviations<T, EXP, NO>(m, 2, 3, C, floor, e, slope, joint, failed);
  for (let j = 0; j < m; j++) {
    let r = at(C, 2), t = floored ? bounded<T>(r, floor) : zero<T>(), sum = plus<T>(at(joint, j), less<T>(r, r));
    if (floored) r = times<T>(t, v128.splat<T>(<T>LN2 - floor));
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
      const x = nmadd<T>(u, a, constantOf<T>(K.one)), z = nmadd<T>(v, b, constantOf<T>(K.one));
      const s = v128.neg<T>(madd<T>(w, a, tanh<T>(r)));
      set(C, 0, floored ? times<T>(at(slope, 0), x) : x);
      set(C, 1, floored ? times<T>(at(slope, 1), z) : z);
      set(C, 2, floored ? times<T>(nmadd<T>(t, t, constantOf<T>(K.one)), s) : s);
    }
    mean += lines(2);
    e += lines(2);
    slope += lines(2);
    C += lines(3);
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

// joint[j] = log N(x) and the logit less the largest, but for what is the same for all components
function components<T, GRADIENT>(mapping: i32, m: i32, k: i32, floor: T, top: v128, tile: usize, y: usize,
    e: usize, slope: usize, u: usize, L: usize, inverse: usize, joint: usize, failed: usize): v128 {
  switch (mapping) {
    case Mapping.tanhFull: return tanhFull<T, GRADIENT>(m, k, top, tile, y, u, L, inverse, joint, failed);
    case Mapping.tanhDiag:
      return gaussians<T, TANH, NO>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.cholExp:
      return gaussians<T, EXP, YES>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.cholSoftplus:
      return gaussians<T, SOFTPLUS, YES>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.diagExp:
      return gaussians<T, EXP, NO>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.diagSoftplus:
      return gaussians<T, SOFTPLUS, NO>(m, k, floor, top, tile, y, e, slope, u, joint, failed);
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

// Values become γ times what they are, means -γ times; exactly 0 where γ = 0. Returns a sum of their squares
function scaled<T>(m: i32, k: i32, p: i32, mean: usize, gammas: usize): v128 {
  let C = mean + lines(m * k), squares = zero<T>();
  for (let j = 0; j < m; j++, mean += lines(k), C += lines(p)) {
    const gamma = at(gammas, j), some = v128.gt<T>(gamma, zero<T>());
    for (let l = 0; l < k; l++) {
      const g = v128.and(some, times<T>(v128.neg<T>(gamma), at(mean, l)));
      set(mean, l, g);
      squares = madd<T>(g, g, squares);
    }
    for (let c = 0; c < p; c++) {
      const g = v128.and(some, times<T>(gamma, at(C, c)));
      set(C, c, g);
      squares = madd<T>(g, g, squares);
    }
  }
  return squares;
}
// A tile becomes its gradient: logits π - γ, means -γ a, then the values. dy = Σ_j γ[j] a[j]
function gradients<T>(mapping: i32, m: i32, k: i32, p: i32, floor: T, scale: v128, tile: usize, e: usize, slope: usize,
    u: usize, gammas: usize, dy: usize): v128 {
  const mean = tile + lines(m);
  let squares: v128;
  for (let j = 0; j < m; j++) set(tile, j, madd<T>(at(tile, j), scale, v128.neg<T>(at(gammas, j))));
  switch (mapping) {
    case Mapping.tanhFull:
    case Mapping.graves: squares = scaled<T>(m, k, p, mean, gammas); break;
    case Mapping.cholExp:
    case Mapping.cholSoftplus: {
      const sloped = mapping != Mapping.cholExp || floor > <T>-Infinity;
      squares = gaussianGradients<T, YES>(m, k, sloped, mean, e, slope, u, gammas);
      break;
    }
    default: {
      const sloped = mapping != Mapping.diagExp || floor > <T>-Infinity;
      squares = gaussianGradients<T, NO>(m, k, sloped, mean, e, slope, u, gammas);
    }
  }
  for (let l = 0; l < k; l++) {
    let sum = zero<T>();
    for (let j = 0; j < m; j++) sum = less<T>(sum, at(mean, j * k + l));
    set(dy, l, sum);
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
    u: usize, L: usize, joint: usize, inverse: usize, dy: usize, logDensity: usize, r: usize, dRaw: usize,
    dx: usize): i32 {
  const N = LANES<T>();
  if (mapping == Mapping.graves && k != 2) return 1;
  memory.fill(failed, 0, 16);
  for (let from = 0; from < n; from += N) {
    const rows = min(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    transposeIn<T>(rows, v, x, y);
    const top = largest<T>(m, tile);
    let check = components<T, GRADIENT>(mapping, m, k, floor, top, tile, y, e, slope, u, L, inverse, joint, failed);
    const total = shares<T>(m, top, tile), best = largest<T>(m, joint);
    const sum = shares<T>(m, best, joint), share = over<T>(constantOf<T>(K.one), sum);
    const density = less<T>(
        less<T>(less<T>(plus<T>(best, log<T>(sum)), log<T>(total)), splat<T>(0.5 * <f64>k * LOG_2PI)),
        bernoulli<T, GRADIENT>(q, tile + lines(w - q), y + lines(k), dy + lines(k)));
    set(line, 0, density);
    check = plus<T>(check, less<T>(density, density));
    for (let j = 0; j < m; j++) set(joint, j, times<T>(at(joint, j), share));
    if (is<GRADIENT, YES>()) {
      const squares = gradients<T>(
          mapping, m, k, p, floor, over<T>(constantOf<T>(K.one), total), tile, e, slope, u, joint, dy);
      check = plus<T>(check, less<T>(squares, squares));
      transposeOut<T>(rows, w, tile, dRaw);
      transposeOut<T>(rows, v, dy, dx);
    }
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
    u: usize, L: usize, joint: usize, logDensity: usize, r: usize): i32 {
  return evaluate<T, NO>(n, k, m, q, p, w, v, f, mapping, raw, x, load<T>(floor), tile, e, slope, failed, line, y, u,
      L, joint, 0, y, logDensity, r, 0, 0);
}

export function lossGradient<T>(n: i32, k: i32, m: i32, q: i32, p: i32, w: i32, v: i32, f: i32, mapping: i32,
    raw: usize, x: usize, floor: usize, tile: usize, e: usize, slope: usize, failed: usize, line: usize, y: usize,
    u: usize, L: usize, joint: usize, inverse: usize, dy: usize, logDensity: usize, r: usize, dRaw: usize,
    dx: usize): i32 {
  return evaluate<T, YES>(n, k, m, q, p, w, v, f, mapping, raw, x, load<T>(floor), tile, e, slope, failed, line, y, u,
      L, joint, inverse, dy, logDensity, r, dRaw, dx);
}

// 1/e; infinite where deviations found no smaller e
@inline function deviation<T>(e: v128): v128 {
  const least = times<T>(constantOf<T>(K.two), natural<T>(N.normal));
  return over<T>(constantOf<T>(K.one), whereGreater<T>(e, least, e));
}
// Values become factors; sums NaN where a component has none
function factors<T, KIND, TRIANGLE>(
    m: i32, k: i32, C: usize, floor: T, e: usize, slope: usize, sums: usize, failed: usize): void {
  const p = is<TRIANGLE, YES>() ? tri(k) : k;
  deviations<T, KIND, TRIANGLE>(m, k, p, C, floor, e, slope, sums, failed);
  for (let j = 0; j < m; j++, C += lines(p))
    for (let l = 0; l < k; l++) set(C, is<TRIANGLE, YES>() ? tri(l) + l : l, deviation<T>(at(e, j * k + l)));
}
// [s_x, ρ s_y, s_y √(1-ρ²)]
function correlatedFactors<T>(m: i32, C: usize, floor: T, e: usize, slope: usize, sums: usize, failed: usize): void {
  deviations<T, EXP, NO>(m, 2, 3, C, floor, e, slope, sums, failed);
  for (let j = 0; j < m; j++, C += lines(3)) {
    let r = at(C, 2);
    if (floor > <T>-Infinity) r = times<T>(bounded<T>(r, floor), v128.splat<T>(<T>LN2 - floor));
    const size = v128.abs<T>(r), q = exp<T>(v128.neg<T>(size)), sy = deviation<T>(at(e, 2 * j + 1));
    const most = times<T>(constantOf<T>(K.half), natural<T>(N.limit));
    if (!everyGreater<T>(most, size)) set(sums, j, note<T>(most, size, j * 3 + 2, failed));
    set(C, 0, deviation<T>(at(e, 2 * j)));
    set(C, 1, times<T>(tanh<T>(r), sy));
    set(C, 2, times<T>(over<T>(times<T>(constantOf<T>(K.two), q), madd<T>(q, q, constantOf<T>(K.one))), sy));
  }
}
function allFactors<T>(
    mapping: i32, m: i32, k: i32, C: usize, floor: T, e: usize, slope: usize, sums: usize, failed: usize): void {
  switch (mapping) {
    case Mapping.tanhFull:
      for (let j = 0; j < m; j++, C += lines(tri(k))) set(sums, j, factor<T>(k, C, C, j * (k + 1) + 1, failed));
      return;
    case Mapping.tanhDiag: return factors<T, TANH, NO>(m, k, C, floor, e, slope, sums, failed);
    case Mapping.cholExp: return factors<T, EXP, YES>(m, k, C, floor, e, slope, sums, failed);
    case Mapping.cholSoftplus: return factors<T, SOFTPLUS, YES>(m, k, C, floor, e, slope, sums, failed);
    case Mapping.diagExp: return factors<T, EXP, NO>(m, k, C, floor, e, slope, sums, failed);
    case Mapping.diagSoftplus: return factors<T, SOFTPLUS, NO>(m, k, C, floor, e, slope, sums, failed);
    default: return correlatedFactors<T>(m, C, floor, e, slope, sums, failed);
  }
}
// 0, NaN in lanes where one of the lines is not finite
function differences<T>(count: i32, values: usize): v128 {
  let sum = zero<T>();
  for (let j = 0; j < count; j++) sum = plus<T>(sum, less<T>(at(values, j), at(values, j)));
  return sum;
}

export function distribution<T>(n: i32, k: i32, m: i32, q: i32, p: i32, w: i32, v: i32, f: i32, mapping: i32,
    raw: usize, floor: usize, tile: usize, e: usize, slope: usize, failed: usize, sums: usize, weights: usize, L: usize,
    probabilities: usize): i32 {
  const N = LANES<T>();
  if (mapping == Mapping.graves && k != 2) return 1;
  memory.fill(failed, 0, 16);
  const C = tile + lines(m + m * k), logits = C + lines(m * p);
  for (let from = 0; from < n; from += N) {
    const rows = min(N, n - from);
    transposeIn<T>(rows, w, raw, tile);
    let check = differences<T>(w, tile);
    const total = shares<T>(m, largest<T>(m, tile), tile), scale = over<T>(constantOf<T>(K.one), total);
    for (let j = 0; j < m; j++) {
      set(tile, j, times<T>(at(tile, j), scale));
      set(sums, j, zero<T>());
    }
    allFactors<T>(mapping, m, k, C, load<T>(floor), e, slope, sums, failed);
    check = plus<T>(check, differences<T>(m, sums));
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
