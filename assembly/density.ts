// Mixture densities, each from a row of raw numbers; rows in lanes. docs/math/density.md. Twin: native/density.cc
// Map: deviations (raw values -> 1/s, Σ log s); per mapping the log densities of a tile (gaussians, correlated,
// tanhFull) and their gradients; bernoulli; evaluate (one tile after another), then forward and lossGradient; factors
// of the covariances, then distribution.
import {
  abs, add, constant, div, everyGreater, exp, greater, is, K, LANES, lanesGreater, LN2, log, log1pOf, madd, mul, neg,
  nmadd, NO, pmax, sech2, sigmoid, softplus, splat, sqrt, sub, tanh, where, whereGreater, whereNotGreater, withSign,
  YES, zero,
} from "./simd";
import { at, exponentials, get, offset, put, set, size, transposeIn, transposeOut, tri } from "./linalg";
import { Mapping } from "./contract";

const LOG_2PI: f64 = 1.8378770664093453;
const NEGLIGIBLE: f64 = 8.673617379884035e-19; // 2^-60 of the largest of a row
type EXP = i8; // how raw values become standard deviations
type SOFTPLUS = i16;
type TANH = i32;

// Records `place` for the lanes where !(a > b), unless they failed before. Returns NaN in these lanes, 0 in the others
function recordFailure<T>(a: v128, b: v128, place: i32, failed: usize): v128 {
  const greater = lanesGreater<T>(a, b);
  for (let i = 0; i < LANES<T>(); i++)
    if (!(greater >> i & 1) && !get<i32>(failed, i)) put<i32>(failed, i, place);
  return whereNotGreater<T>(a, b, splat<T>(<T>NaN));
}

// The largest of k lines. (A NaN among them may be missed.)
@inline function largest<T>(k: i32, lines: usize): v128 {
  let top = constant<T>(K.minusInfinity);
  for (let j = 0; j < k; j++) top = pmax<T>(top, at(lines, j));
  return top;
}
// t becomes exp(t - top), or 0 where that is negligible; their sum
@inline function shares<T>(k: i32, top: v128, lines: usize): v128 {
  let sum = zero<T>();
  exponentials<T>(k, top, splat<T>(<T>NEGLIGIBLE), lines);
  for (let j = 0; j < k; j++) sum = add<T>(sum, at(lines, j));
  return sum;
}

// Distance from value l of a diagonal to the next, in a packed triangle or by itself
@inline function toNext<TRIANGLE>(l: i32): usize { return offset(is<TRIANGLE, YES>() ? l + 2 : 1); }
// e = 1/s and slope = ∂log s/∂raw for k d standard deviations s; sums[j] = Σ_l log s, NaN where one of them is not > 0
// (or not a normal number). The raw values of a component are the first d of its lines, or the diagonal of a packed
// triangle. With a floor, r counts as floor + softplus(r - floor), which is left in its place.
function deviations<T, KIND, TRIANGLE>(k: i32, d: i32, values: i32, raw: usize, floor: T, e: usize, slope: usize,
    sums: usize, failed: usize): void {
  const floored = !is<KIND, TANH>() && floor > <T>-Infinity;
  if (floored) {
    for (let j = 0; j < k; j++) {
      let value = raw + offset(j * values);
      for (let l = 0; l < d; value += toNext<TRIANGLE>(l++)) {
        const t = sub<T>(load<v128>(value), splat<T>(floor));
        set(e, j * d + l, neg<T>(abs<T>(t)));
      }
    }
    exponentials<T>(k * d, zero<T>(), zero<T>(), e);
    for (let j = 0; j < k; j++) {
      let value = raw + offset(j * values);
      for (let l = 0; l < d; value += toNext<TRIANGLE>(l++)) {
        const t = sub<T>(load<v128>(value), splat<T>(floor)), h = at(e, j * d + l);
        set(slope, j * d + l, sigmoid<T>(t, h));
        // t - t: -infinity would pass unnoticed
        store<v128>(value, add<T>(add<T>(softplus<T>(t, h), splat<T>(floor)), sub<T>(t, t)));
      }
    }
  }
  for (let j = 0; j < k; j++) {
    let value = raw + offset(j * values), sum = zero<T>();
    for (let l = 0; l < d; value += toNext<TRIANGLE>(l++)) {
      const r = load<v128>(value);
      let size = r, least = constant<T>(K.minusLimit);
      if (is<KIND, EXP>()) {
        set(e, j * d + l, neg<T>(pmax<T>(r, least)));
        sum = add<T>(sum, r);
      } else if (is<KIND, SOFTPLUS>()) set(e, j * d + l, neg<T>(abs<T>(r)));
      else {
        size = tanh<T>(r);
        least = constant<T>(K.normal);
        set(e, j * d + l, mul<T>(constant<T>(K.minusTwo), abs<T>(r)));
        sum = add<T>(sum, madd<T>(constant<T>(K.half), log<T>(size), sub<T>(r, r)));
      }
      if (!everyGreater<T>(size, least)) sum = add<T>(sum, recordFailure<T>(size, least, j * (d + 1) + l + 1, failed));
    }
    set(sums, j, sum);
  }
  exponentials<T>(k * d, zero<T>(), zero<T>(), e);
  if (is<KIND, EXP>()) return;
  for (let j = 0; j < k; j++) {
    let value = raw + offset(j * values), sum = zero<T>();
    for (let l = 0; l < d; value += toNext<TRIANGLE>(l++)) {
      const r = load<v128>(value), h = at(e, j * d + l);
      if (is<KIND, SOFTPLUS>()) {
        const sd = softplus<T>(r, h), steep = div<T>(sigmoid<T>(r, h), sd);
        set(e, j * d + l, div<T>(constant<T>(K.one), sd));
        set(slope, j * d + l, floored ? mul<T>(at(slope, j * d + l), steep) : steep);
        sum = add<T>(sum, log<T>(sd));
      } else {
        const variance = tanh<T>(r);
        set(e, j * d + l, div<T>(constant<T>(K.one), sqrt<T>(variance)));
        set(slope, j * d + l, div<T>(mul<T>(constant<T>(K.half), sech2<T>(h)), variance));
      }
    }
    set(sums, j, add<T>(at(sums, j), sum));
  }
}

// joint[j] = r[j] - top - Σ log L[l,l] - ½|u|²,  u = L⁻¹(x - μ);  L from deviations and, with TRIANGLE, from the values
// below the diagonal. Returns 0, NaN where a component has no finite density. Components go in pairs, as one alone
// waits at every step for the one before (the values a step needs of the two before it stay in registers); the last of
// an odd number is paired with itself.
function gaussians<T, KIND, TRIANGLE>(k: i32, d: i32, floor: T, top: v128, tile: usize, y: usize,
    e: usize, slope: usize, u: usize, joint: usize, failed: usize): v128 {
  const values = is<TRIANGLE, YES>() ? tri(d) : d, dLines = offset(d), valueLines = offset(values);
  let mean = tile + offset(k), L = mean + k * dLines, bad = zero<T>();
  deviations<T, KIND, TRIANGLE>(k, d, values, L, floor, e, slope, joint, failed);
  for (let j = 0; j < k; j += 2) {
    const next = <i32>(j + 1 < k), mean1 = mean + next * dLines, e1 = e + next * dLines, u1 = u + next * dLines;
    let row = L, row1 = L + next * valueLines;
    let square = zero<T>(), square1 = square, last = square, last1 = square, before = square, before1 = square;
    for (let l = 0; l < d; l++) {
      let t = sub<T>(at(y, l), at(mean, l)), t1 = sub<T>(at(y, l), at(mean1, l));
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
        row += offset(l + 1);
        row1 += offset(l + 1);
      }
      before = last;
      before1 = last1;
      last = mul<T>(t, at(e, l));
      last1 = mul<T>(t1, at(e1, l));
      set(u, l, last);
      set(u1, l, last1);
      square = madd<T>(last, last, square);
      square1 = madd<T>(last1, last1, square1);
    }
    const half = constant<T>(K.half), i = j + next;
    const log = nmadd<T>(half, square, sub<T>(sub<T>(at(tile, j), top), at(joint, j)));
    const log1 = nmadd<T>(half, square1, sub<T>(sub<T>(at(tile, i), top), at(joint, i)));
    bad = add<T>(add<T>(bad, sub<T>(log, log)), sub<T>(log1, log1));
    set(joint, j, log);
    set(joint, i, log1);
    mean += 2 * dLines;
    e += 2 * dLines;
    u += 2 * dLines;
    L += 2 * valueLines;
  }
  return bad;
}
// γ times the gradient of -log N: means become -γ a, a = L⁻ᵀu, values below the diagonal -γ a uᵀ, those on it
// γ slope (1 - u[l] a[l] L[l,l]); all are exactly 0 where γ = 0. Returns a sum of squares that is finite only if all of
// this is: entries below the diagonal are products of two numbers whose squares are finite. Components go in pairs
// again.
function gaussianGradients<T, TRIANGLE>(k: i32, d: i32, sloped: bool, mean: usize, e: usize, slope: usize, u: usize,
    gammas: usize): v128 {
  const values = is<TRIANGLE, YES>() ? tri(d) : d, dLines = offset(d), valueLines = offset(values);
  let L = mean + k * dLines, squares = zero<T>();
  for (let j = 0; j < k; j += 2) {
    const next = <i32>(j + 1 < k), mean1 = mean + next * dLines, e1 = e + next * dLines, u1 = u + next * dLines;
    const slope1 = slope + next * dLines, L1 = L + next * valueLines;
    const gamma = at(gammas, j), gamma1 = at(gammas, j + next);
    const some = greater<T>(gamma, zero<T>()), some1 = greater<T>(gamma1, zero<T>());
    let last = zero<T>(), last1 = last, before = last, before1 = last;
    for (let l = d - 1; l >= 0; l--) {
      let t = where(some, mul<T>(neg<T>(gamma), at(u, l))); // -γ a[l] L[l,l]
      let t1 = where(some1, mul<T>(neg<T>(gamma1), at(u1, l)));
      let value = is<TRIANGLE, YES>() ? tri(d - 1) + l : l;
      if (is<TRIANGLE, YES>()) { // up column l, to the diagonal
        for (let i = d - 1; i > l + 2; value -= i--) {
          t = nmadd<T>(at(L, value), at(mean, i), t);
          t1 = nmadd<T>(at(L1, value), at(mean1, i), t1);
        }
        if (l < d - 2) {
          t = nmadd<T>(at(L, value), before, t);
          t1 = nmadd<T>(at(L1, value), before1, t1);
          value -= l + 2;
        }
        if (l < d - 1) {
          t = nmadd<T>(at(L, value), last, t);
          t1 = nmadd<T>(at(L1, value), last1, t1);
          value -= l + 1;
        }
      }
      before = last;
      before1 = last1;
      last = mul<T>(t, at(e, l));
      last1 = mul<T>(t1, at(e1, l));
      squares = madd<T>(last, last, squares);
      let z = where(some, madd<T>(at(u, l), t, gamma)), z1 = where(some1, madd<T>(at(u1, l), t1, gamma1));
      if (sloped) {
        z = mul<T>(z, at(slope, l));
        z1 = mul<T>(z1, at(slope1, l));
      }
      squares = madd<T>(z1, z1, madd<T>(last1, last1, madd<T>(z, z, squares)));
      set(mean, l, last);
      set(mean1, l, last1);
      set(L, value, z);
      set(L1, value, z1);
    }
    if (is<TRIANGLE, YES>())
      for (let l = 1, row = 1; l < d; row += ++l) {
        const a = at(mean, l), a1 = at(mean1, l);
        for (let i = 0; i < l; i++) {
          set(L, row + i, where(some, mul<T>(a, at(u, i))));
          set(L1, row + i, where(some1, mul<T>(a1, at(u1, i))));
        }
      }
    mean += 2 * dLines;
    e += 2 * dLines;
    slope += 2 * dLines;
    u += 2 * dLines;
    L += 2 * valueLines;
  }
  return squares;
}

// tanh(r/R), R = log 2 - floor: with a floor, r of a correlation counts as R times that. √(1-ρ²) > e^floor/(1 +
// ¼e^2floor)
@inline function bounded<T>(r: v128, floor: T): v128 { return tanh<T>(div<T>(r, splat<T>(<T>LN2 - floor))); }
// The same for two coordinates and values [log s_x, log s_y, atanh ρ] (Graves 2013), which become their derivatives.
// With h = e^(-2|r|): 1 - |ρ| = 2h/(1+h), 1 - ρ² = 4h/(1+h)²; nothing cancels where ρ rounds to 1.
function correlated<T, GRADIENT>(k: i32, floor: T, top: v128, tile: usize, y: usize, e: usize, slope: usize,
    joint: usize, failed: usize): v128 {
  const floored = floor > <T>-Infinity;
  let mean = tile + offset(k), C = mean + offset(k * 2), bad = zero<T>();
  deviations<T, EXP, NO>(k, 2, 3, C, floor, e, slope, joint, failed);
  for (let j = 0; j < k; j++) {
    let r = at(C, 2), t = floored ? bounded<T>(r, floor) : zero<T>(), sum = add<T>(at(joint, j), sub<T>(r, r));
    if (floored) r = mul<T>(t, splat<T>(<T>LN2 - floor));
    const size = abs<T>(r), h = exp<T>(mul<T>(constant<T>(K.minusTwo), size));
    const most = mul<T>(constant<T>(K.half), constant<T>(K.limit));
    if (!everyGreater<T>(most, size)) sum = add<T>(sum, recordFailure<T>(most, size, j * 3 + 2, failed));
    const one = add<T>(h, constant<T>(K.one)), scale = div<T>(mul<T>(one, one), mul<T>(constant<T>(K.four), h));
    const rest = withSign<T>(div<T>(mul<T>(constant<T>(K.two), h), one), r);
    const half = sub<T>(sub<T>(constant<T>(K.ln2), size), log1pOf<T>(h)); // ½ log(1 - ρ²)
    const u = mul<T>(sub<T>(at(y, 0), at(mean, 0)), at(e, 0));
    const v = mul<T>(sub<T>(at(y, 1), at(mean, 1)), at(e, 1));
    const a = mul<T>(madd<T>(rest, v, sub<T>(u, withSign<T>(v, r))), scale); // (u - ρ v) / (1 - ρ²)
    const w = madd<T>(rest, u, sub<T>(v, withSign<T>(u, r))), b = mul<T>(w, scale);
    const log = nmadd<T>(constant<T>(K.half), madd<T>(w, b, mul<T>(u, u)),
        sub<T>(sub<T>(sub<T>(at(tile, j), top), sum), half));
    set(joint, j, log);
    bad = add<T>(bad, sub<T>(log, log));
    if (is<GRADIENT, YES>()) {
      set(mean, 0, mul<T>(a, at(e, 0)));
      set(mean, 1, mul<T>(b, at(e, 1)));
      const x = nmadd<T>(u, a, constant<T>(K.one)), z = nmadd<T>(v, b, constant<T>(K.one));
      const s = neg<T>(madd<T>(w, a, tanh<T>(r)));
      set(C, 0, floored ? mul<T>(at(slope, 0), x) : x);
      set(C, 1, floored ? mul<T>(at(slope, 1), z) : z);
      set(C, 2, floored ? mul<T>(nmadd<T>(t, t, constant<T>(K.one)), s) : s);
    }
    mean += offset(2);
    e += offset(2);
    slope += offset(2);
    C += offset(3);
  }
  return bad;
}

// tanh C = L Lᵀ, packed by rows (L may be C); returns Σ log L[l,l], NaN where a pivot is not > 0
function factor<T>(d: i32, C: usize, L: usize, place: i32, failed: usize): v128 {
  let sum = zero<T>();
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      const r = at(C, tri(i) + j);
      let s = tanh<T>(r);
      sum = add<T>(sum, sub<T>(r, r)); // infinity would pass unnoticed
      for (let p = 0; p < j; p++) s = nmadd<T>(at(L, tri(i) + p), at(L, tri(j) + p), s);
      if (j < i) { set(L, tri(i) + j, div<T>(s, at(L, tri(j) + j))); continue; }
      const least = constant<T>(K.normal);
      if (!everyGreater<T>(s, least)) sum = add<T>(sum, recordFailure<T>(s, least, place + i, failed));
      sum = madd<T>(constant<T>(K.half), log<T>(s), sum);
      set(L, tri(i) + i, sqrt<T>(s));
    }
  return sum;
}
// Lower triangle of (L Lᵀ)⁻¹ = WᵀW with W = L⁻¹, in the place of W
function invert<T>(d: i32, L: usize, W: usize): void {
  for (let j = 0; j < d; j++)
    for (let i = j; i < d; i++) {
      let s = i == j ? constant<T>(K.one) : zero<T>();
      for (let p = j; p < i; p++) s = nmadd<T>(at(L, tri(i) + p), at(W, tri(p) + j), s);
      set(W, tri(i) + j, div<T>(s, at(L, tri(i) + i)));
    }
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++) {
      let s = zero<T>();
      for (let p = i; p < d; p++) s = madd<T>(at(W, tri(p) + i), at(W, tri(p) + j), s);
      set(W, tri(i) + j, s);
    }
}
// The same for Σ = tanh of the values, entry by entry; the values become ½ (2 - δ) (Σ⁻¹ - a aᵀ) sech²
function tanhFull<T, GRADIENT>(k: i32, d: i32, top: v128, tile: usize, y: usize, u: usize, L: usize, inverse: usize,
    joint: usize, failed: usize): v128 {
  let mean = tile + offset(k), C = mean + offset(k * d), bad = zero<T>();
  for (let j = 0; j < k; j++, mean += offset(d), C += offset(tri(d))) {
    const sum = factor<T>(d, C, L, j * (d + 1) + 1, failed);
    let square = zero<T>();
    for (let l = 0; l < d; l++) {
      let t = sub<T>(at(y, l), at(mean, l));
      for (let i = 0; i < l; i++) t = nmadd<T>(at(L, tri(l) + i), at(u, i), t);
      t = div<T>(t, at(L, tri(l) + l));
      set(u, l, t);
      square = madd<T>(t, t, square);
    }
    const log = nmadd<T>(constant<T>(K.half), square, sub<T>(sub<T>(at(tile, j), top), sum));
    set(joint, j, log);
    bad = add<T>(bad, sub<T>(log, log));
    if (is<GRADIENT, NO>()) continue;
    for (let l = d - 1; l >= 0; l--) {
      let t = at(u, l);
      for (let i = l + 1; i < d; i++) t = nmadd<T>(at(L, tri(i) + l), at(mean, i), t);
      set(mean, l, div<T>(t, at(L, tri(l) + l)));
    }
    invert<T>(d, L, inverse);
    for (let l = 0; l < d; l++)
      for (let i = 0; i <= l; i++) {
        const steep = sech2<T>(exp<T>(mul<T>(constant<T>(K.minusTwo), abs<T>(at(C, tri(l) + i)))));
        const g = nmadd<T>(at(mean, l), at(mean, i), at(inverse, tri(l) + i));
        set(C, tri(l) + i, mul<T>(i < l ? g : mul<T>(constant<T>(K.half), g), steep));
      }
  }
  return bad;
}

// joint[j] = log N(x) + the logit less the largest, but for the terms all components share
function components<T, GRADIENT>(mapping: i32, k: i32, d: i32, floor: T, top: v128, tile: usize, y: usize,
    e: usize, slope: usize, u: usize, L: usize, inverse: usize, joint: usize, failed: usize): v128 {
  switch (mapping) {
    case Mapping.tanhFull: return tanhFull<T, GRADIENT>(k, d, top, tile, y, u, L, inverse, joint, failed);
    case Mapping.tanhDiag:
      return gaussians<T, TANH, NO>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.cholExp:
      return gaussians<T, EXP, YES>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.cholSoftplus:
      return gaussians<T, SOFTPLUS, YES>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.diagExp:
      return gaussians<T, EXP, NO>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    case Mapping.diagSoftplus:
      return gaussians<T, SOFTPLUS, NO>(k, d, floor, top, tile, y, e, slope, u, joint, failed);
    default: return correlated<T, GRADIENT>(k, floor, top, tile, y, e, slope, joint, failed);
  }
}

// Σ_b bce(logit[b], y[b]); with GRADIENT logits become sigmoid - y, and dy = -logit
function bernoulli<T, GRADIENT>(q: i32, logits: usize, y: usize, dy: usize): v128 {
  let sum = zero<T>();
  for (let b = 0; b < q; b++) {
    const r = at(logits, b), value = at(y, b), e = exp<T>(neg<T>(abs<T>(r)));
    sum = add<T>(sum, add<T>(nmadd<T>(r, value, pmax<T>(r, zero<T>())), log1pOf<T>(e)));
    if (is<GRADIENT, YES>()) {
      set(logits, b, sub<T>(sigmoid<T>(r, e), value));
      set(dy, b, neg<T>(r));
    }
  }
  return sum;
}

// Multiplies values by γ and means by -γ: exactly 0 where γ = 0. Returns the sum of their squares
function scaled<T>(k: i32, d: i32, values: i32, mean: usize, gammas: usize): v128 {
  let C = mean + offset(k * d), squares = zero<T>();
  for (let j = 0; j < k; j++, mean += offset(d), C += offset(values)) {
    const gamma = at(gammas, j), some = greater<T>(gamma, zero<T>());
    for (let l = 0; l < d; l++) {
      const g = where(some, mul<T>(neg<T>(gamma), at(mean, l)));
      set(mean, l, g);
      squares = madd<T>(g, g, squares);
    }
    for (let c = 0; c < values; c++) {
      const g = where(some, mul<T>(gamma, at(C, c)));
      set(C, c, g);
      squares = madd<T>(g, g, squares);
    }
  }
  return squares;
}
// A tile becomes its gradient: logits π - γ, means -γ a, then the values. dy = Σ_j γ[j] a[j]
function gradients<T>(mapping: i32, k: i32, d: i32, values: i32, floor: T, scale: v128, tile: usize, e: usize,
    slope: usize, u: usize, gammas: usize, dy: usize): v128 {
  const mean = tile + offset(k);
  let squares: v128;
  for (let j = 0; j < k; j++) set(tile, j, madd<T>(at(tile, j), scale, neg<T>(at(gammas, j))));
  switch (mapping) {
    case Mapping.tanhFull:
    case Mapping.graves: squares = scaled<T>(k, d, values, mean, gammas); break;
    case Mapping.cholExp:
    case Mapping.cholSoftplus: {
      const sloped = mapping != Mapping.cholExp || floor > <T>-Infinity;
      squares = gaussianGradients<T, YES>(k, d, sloped, mean, e, slope, u, gammas);
      break;
    }
    default: {
      const sloped = mapping != Mapping.diagExp || floor > <T>-Infinity;
      squares = gaussianGradients<T, NO>(k, d, sloped, mean, e, slope, u, gammas);
    }
  }
  for (let l = 0; l < d; l++) {
    let sum = zero<T>();
    for (let j = 0; j < k; j++) sum = sub<T>(sum, at(mean, j * d + l));
    set(dy, l, sum);
  }
  return squares;
}

function finite<T>(width: i32, lines: usize): bool {
  for (let i = 0; i < width; i++, lines += sizeof<T>())
    if (!(load<T>(lines) - load<T>(lines) == <T>0)) return false;
  return true;
}
// INFO within a row: where it failed, or `pivots` if it is not finite or its results are not (`whole`)
function failure<T>(outputs: i32, raw: usize, observed: i32, x: usize, pivots: i32, failed: i32, whole: bool): i32 {
  if (!finite<T>(outputs, raw) || !finite<T>(observed, x)) return pivots;
  return failed ? failed : whole ? 0 : pivots;
}

@inline function evaluate<T, GRADIENT>(n: i32, d: i32, k: i32, q: i32, values: i32, outputs: i32, observed: i32,
    pivots: i32, mapping: i32, raw: usize, x: usize, floor: T, tile: usize, e: usize, slope: usize,
    failed: usize, line: usize, y: usize, u: usize, L: usize, joint: usize, inverse: usize, dy: usize,
    logDensity: usize, r: usize, dRaw: usize, dx: usize): i32 {
  const N = LANES<T>();
  if (mapping == Mapping.graves && d != 2) return 1;
  memory.fill(failed, 0, 16);
  for (let from = 0; from < n; from += N) {
    const rows = min(N, n - from);
    transposeIn<T>(rows, outputs, raw, tile);
    transposeIn<T>(rows, observed, x, y);
    const top = largest<T>(k, tile);
    let check = components<T, GRADIENT>(mapping, k, d, floor, top, tile, y, e, slope, u, L, inverse, joint, failed);
    const total = shares<T>(k, top, tile), best = largest<T>(k, joint);
    const sum = shares<T>(k, best, joint), share = div<T>(constant<T>(K.one), sum);
    const density = sub<T>(
        sub<T>(sub<T>(add<T>(best, log<T>(sum)), log<T>(total)), splat<T>(<T>(0.5 * <f64>d * LOG_2PI))),
        bernoulli<T, GRADIENT>(q, tile + offset(outputs - q), y + offset(d), dy + offset(d)));
    set(line, 0, density);
    check = add<T>(check, sub<T>(density, density));
    for (let j = 0; j < k; j++) set(joint, j, mul<T>(at(joint, j), share));
    if (is<GRADIENT, YES>()) {
      const squares = gradients<T>(
          mapping, k, d, values, floor, div<T>(constant<T>(K.one), total), tile, e, slope, u, joint, dy);
      check = add<T>(check, sub<T>(squares, squares));
      transposeOut<T>(rows, outputs, tile, dRaw);
      transposeOut<T>(rows, observed, dy, dx);
    }
    transposeOut<T>(rows, k, joint, r);
    transposeOut<T>(rows, 1, line, logDensity);
    if (!everyGreater<T>(constant<T>(K.one), check))
      for (let i = 0; i < rows; i++) {
        const wide = <usize>i * size<T>(outputs), own = <usize>i * size<T>(observed);
        const whole = finite<T>(1, logDensity + size<T>(i))
          && (is<GRADIENT, NO>() || (finite<T>(outputs, dRaw + wide) && finite<T>(observed, dx + own)));
        const place = failure<T>(outputs, raw + wide, observed, x + own, pivots, get<i32>(failed, i), whole);
        if (place) return (from + i) * k * pivots + place;
      }
    raw += <usize>N * size<T>(outputs);
    x += <usize>N * size<T>(observed);
    r += <usize>N * size<T>(k);
    logDensity += size<T>(N);
    if (is<GRADIENT, YES>()) {
      dRaw += <usize>N * size<T>(outputs);
      dx += <usize>N * size<T>(observed);
    }
  }
  return 0;
}

export function forward<T>(n: i32, d: i32, k: i32, q: i32, values: i32, outputs: i32, observed: i32,
    pivots: i32, mapping: i32, raw: usize, x: usize, floor: usize, tile: usize, e: usize, slope: usize,
    failed: usize, line: usize, y: usize, u: usize, L: usize, joint: usize, logDensity: usize, r: usize): i32 {
  return evaluate<T, NO>(n, d, k, q, values, outputs, observed, pivots, mapping, raw, x, load<T>(floor), tile, e,
      slope, failed, line, y, u, L, joint, 0, y, logDensity, r, 0, 0);
}

export function lossGradient<T>(n: i32, d: i32, k: i32, q: i32, values: i32, outputs: i32, observed: i32,
    pivots: i32, mapping: i32, raw: usize, x: usize, floor: usize, tile: usize, e: usize, slope: usize,
    failed: usize, line: usize, y: usize, u: usize, L: usize, joint: usize, inverse: usize, dy: usize,
    logDensity: usize, r: usize, dRaw: usize, dx: usize): i32 {
  return evaluate<T, YES>(n, d, k, q, values, outputs, observed, pivots, mapping, raw, x, load<T>(floor), tile, e,
      slope, failed, line, y, u, L, joint, inverse, dy, logDensity, r, dRaw, dx);
}

// 1/e; infinite where deviations found no smaller e
@inline function deviation<T>(e: v128): v128 {
  const least = mul<T>(constant<T>(K.two), constant<T>(K.normal));
  return div<T>(constant<T>(K.one), whereGreater<T>(e, least, e));
}
// Values become factors; sums NaN where a component has none
function factors<T, KIND, TRIANGLE>(
    k: i32, d: i32, C: usize, floor: T, e: usize, slope: usize, sums: usize, failed: usize): void {
  const values = is<TRIANGLE, YES>() ? tri(d) : d;
  deviations<T, KIND, TRIANGLE>(k, d, values, C, floor, e, slope, sums, failed);
  for (let j = 0; j < k; j++, C += offset(values))
    for (let l = 0; l < d; l++) set(C, is<TRIANGLE, YES>() ? tri(l) + l : l, deviation<T>(at(e, j * d + l)));
}
// [s_x, ρ s_y, s_y √(1-ρ²)]
function correlatedFactors<T>(k: i32, C: usize, floor: T, e: usize, slope: usize, sums: usize, failed: usize): void {
  deviations<T, EXP, NO>(k, 2, 3, C, floor, e, slope, sums, failed);
  for (let j = 0; j < k; j++, C += offset(3)) {
    let r = at(C, 2);
    if (floor > <T>-Infinity) r = mul<T>(bounded<T>(r, floor), splat<T>(<T>LN2 - floor));
    const size = abs<T>(r), h = exp<T>(neg<T>(size)), sy = deviation<T>(at(e, 2 * j + 1));
    const most = mul<T>(constant<T>(K.half), constant<T>(K.limit));
    if (!everyGreater<T>(most, size)) set(sums, j, recordFailure<T>(most, size, j * 3 + 2, failed));
    set(C, 0, deviation<T>(at(e, 2 * j)));
    set(C, 1, mul<T>(tanh<T>(r), sy));
    set(C, 2, mul<T>(div<T>(mul<T>(constant<T>(K.two), h), madd<T>(h, h, constant<T>(K.one))), sy));
  }
}
function allFactors<T>(
    mapping: i32, k: i32, d: i32, C: usize, floor: T, e: usize, slope: usize, sums: usize, failed: usize): void {
  switch (mapping) {
    case Mapping.tanhFull:
      for (let j = 0; j < k; j++, C += offset(tri(d))) set(sums, j, factor<T>(d, C, C, j * (d + 1) + 1, failed));
      return;
    case Mapping.tanhDiag: return factors<T, TANH, NO>(k, d, C, floor, e, slope, sums, failed);
    case Mapping.cholExp: return factors<T, EXP, YES>(k, d, C, floor, e, slope, sums, failed);
    case Mapping.cholSoftplus: return factors<T, SOFTPLUS, YES>(k, d, C, floor, e, slope, sums, failed);
    case Mapping.diagExp: return factors<T, EXP, NO>(k, d, C, floor, e, slope, sums, failed);
    case Mapping.diagSoftplus: return factors<T, SOFTPLUS, NO>(k, d, C, floor, e, slope, sums, failed);
    default: return correlatedFactors<T>(k, C, floor, e, slope, sums, failed);
  }
}
// NaN in the lanes where one of the lines is not finite, else 0
function differences<T>(count: i32, lines: usize): v128 {
  let sum = zero<T>();
  for (let j = 0; j < count; j++) sum = add<T>(sum, sub<T>(at(lines, j), at(lines, j)));
  return sum;
}

export function distribution<T>(n: i32, d: i32, k: i32, q: i32, values: i32, outputs: i32, observed: i32,
    pivots: i32, mapping: i32, raw: usize, floor: usize, tile: usize, e: usize, slope: usize,
    failed: usize, sums: usize, weights: usize, L: usize, probabilities: usize): i32 {
  const N = LANES<T>();
  if (mapping == Mapping.graves && d != 2) return 1;
  memory.fill(failed, 0, 16);
  const C = tile + offset(k + k * d), logits = C + offset(k * values);
  for (let from = 0; from < n; from += N) {
    const rows = min(N, n - from);
    transposeIn<T>(rows, outputs, raw, tile);
    let check = differences<T>(outputs, tile);
    const total = shares<T>(k, largest<T>(k, tile), tile), scale = div<T>(constant<T>(K.one), total);
    for (let j = 0; j < k; j++) {
      set(tile, j, mul<T>(at(tile, j), scale));
      set(sums, j, zero<T>());
    }
    allFactors<T>(mapping, k, d, C, load<T>(floor), e, slope, sums, failed);
    check = add<T>(check, differences<T>(k, sums));
    for (let b = 0; b < q; b++) {
      const r = at(logits, b);
      set(logits, b, sigmoid<T>(r, exp<T>(neg<T>(abs<T>(r)))));
    }
    check = add<T>(check, differences<T>(outputs, tile));
    transposeOut<T>(rows, k, tile, weights);
    transposeOut<T>(rows, k * values, C, L);
    transposeOut<T>(rows, q, logits, probabilities);
    if (!everyGreater<T>(constant<T>(K.one), check))
      for (let i = 0; i < rows; i++) {
        const own = raw + <usize>i * size<T>(outputs);
        const whole = finite<T>(k * values, L + <usize>i * size<T>(k * values)); // weights and probabilities are
        const place = failure<T>(outputs, own, 0, raw, pivots, get<i32>(failed, i), whole);
        if (place) return (from + i) * k * pivots + place;
      }
    raw += <usize>N * size<T>(outputs);
    weights += <usize>N * size<T>(k);
    L += <usize>N * size<T>(k * values);
    probabilities += <usize>N * size<T>(q);
  }
  return 0;
}
