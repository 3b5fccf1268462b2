// Linear layers, outputs in lanes, and inputs of the gradient; tanh, the loss of logits, descent row by row. docs/math/dense.md. Twin: native/dense.cc
import {
  abs, add, constant, exp, K, LANES, loadSome, log1pOf, madd, maddOne, mul, neg, nmadd, pmax, sech2, sigmoid, splat,
  splatAt, storeSome, sub, tanh, zero,
} from "./simd";
import { fill, gemm, get, pad, put, size } from "./linalg";
import { TILE } from "./contract";

const STRIP = 24;  // outputs: their part of dW stays near, and every level has whole panels of them
const LINE = 32;   // values from one row of a strip to the next: whole vectors

// total[j] = Σ_r strip[r,j], r ascending; several vectors at once, as each waits for its last sum. (The last strip may
// have fewer outputs: the sums beyond them are of stale values, and are never read.)
function totals<T>(n: i32, strip: usize, total: usize): void {
  for (const end = strip + size<T>(LINE); strip < end; strip += 64, total += 64) {
    let a = zero<T>(), b = a, c = a, d = a;
    for (let r = 0, x = strip; r < n; r++, x += size<T>(LINE)) {
      a = add<T>(a, load<v128>(x));
      b = add<T>(b, load<v128>(x, 16));
      c = add<T>(c, load<v128>(x, 32));
      d = add<T>(d, load<v128>(x, 48));
    }
    store<v128>(total, a);
    store<v128>(total, b, 16);
    store<v128>(total, c, 32);
    store<v128>(total, d, 48);
  }
}
function accumulate<T>(n: i32, x: usize, sum: usize): void {
  for (let j = 0; j < n; j++, x += sizeof<T>(), sum += 8) store<f64>(sum, load<f64>(sum) + <f64>load<T>(x));
}

function tangents<T>(count: i32, a: usize, h: usize, slope: usize): void {
  for (; count > 0; count -= LANES<T>(), a += 16, h += 16, slope += 16) {
    const v = loadSome<T>(a, count);
    storeSome<T>(h, tanh<T>(v), count);
    storeSome<T>(slope, sech2<T>(exp<T>(mul<T>(constant<T>(K.minusTwo), abs<T>(v)))), count);
  }
}
// bce(a, y), the probability of a, and the derivative d of the first
function entropies<T>(count: i32, a: usize, y: usize, terms: usize, probabilities: usize, d: usize): void {
  for (; count > 0; count -= LANES<T>(), a += 16, y += 16, terms += 16, probabilities += 16, d += 16) {
    const v = loadSome<T>(a, count), t = loadSome<T>(y, count), e = exp<T>(neg<T>(abs<T>(v))), z = sigmoid<T>(v, e);
    storeSome<T>(terms, add<T>(nmadd<T>(v, t, pmax<T>(v, zero<T>())), log1pOf<T>(e)), count);
    storeSome<T>(probabilities, z, count);
    storeSome<T>(d, sub<T>(z, t), count);
  }
}
// C += x B, over N (1, 4) chosen rows of B and values of x; all rows are whole lines
@inline function addRows<T>(N: i32, width: usize, chosen: usize, x: usize, B: usize, C: usize): void {
  const j0 = get<i32>(chosen, 0), j1 = N > 1 ? get<i32>(chosen, 1) : j0;
  const j2 = N > 1 ? get<i32>(chosen, 2) : j0, j3 = N > 1 ? get<i32>(chosen, 3) : j0;
  const s0 = splatAt<T>(x + size<T>(j0)), s1 = splatAt<T>(x + size<T>(j1));
  const s2 = splatAt<T>(x + size<T>(j2)), s3 = splatAt<T>(x + size<T>(j3));
  let b0 = B + <usize>j0 * width, b1 = B + <usize>j1 * width, b2 = B + <usize>j2 * width, b3 = B + <usize>j3 * width;
  for (const end = C + width; C < end; C += 32, b0 += 32, b1 += 32, b2 += 32, b3 += 32) {
    let v = madd<T>(s0, load<v128>(b0), load<v128>(C)), w = madd<T>(s0, load<v128>(b0, 16), load<v128>(C, 16));
    if (N > 1) {
      v = madd<T>(s1, load<v128>(b1), v); w = madd<T>(s1, load<v128>(b1, 16), w);
      v = madd<T>(s2, load<v128>(b2), v); w = madd<T>(s2, load<v128>(b2, 16), w);
      v = madd<T>(s3, load<v128>(b3), v); w = madd<T>(s3, load<v128>(b3, 16), w);
    }
    store<v128>(C, v); store<v128>(C, w, 16);
  }
}
// C -= s B
function subtract<T>(width: usize, s: T, B: usize, C: usize): void {
  const v = splat<T>(s);
  for (const end = C + width; C < end; C += 32, B += 32) {
    store<v128>(C, nmadd<T>(v, load<v128>(B), load<v128>(C)));
    store<v128>(C, nmadd<T>(v, load<v128>(B, 16), load<v128>(C, 16)), 16);
  }
}

export function affine<T>(n: i32, i: i32, o: i32, x: usize, W: usize, y: usize): i32 {
  for (let at = 0; at < n; at += TILE, x += size<T>(TILE * i), y += size<T>(TILE * o))
    gemm<T>(min(TILE, n - at), i, o, x, size<T>(i), sizeof<T>(), W, size<T>(pad<T>(o)), y, size<T>(o));
  return 0;
}

// In f64 rows are added to the sums one by one; in f32 a tile is summed in f32, as fast as the data allow, and added to
// the sums in f64. Columns of dy are gathered first: columns that lie 2^k bytes apart evict each other from the cache.
export function gradient<T>(n: i32, i: i32, o: i32, x: usize, dy: usize, lines: usize, strip: usize, part: usize,
    total: usize, dW: usize, db: usize): i32 {
  const width = size<T>(pad<T>(i));
  for (let at = 0; at < n; at += TILE, x += size<T>(TILE * i), dy += size<T>(TILE * o)) {
    const rows = min(TILE, n - at);
    if (i != pad<T>(i)) fill<T, T>(rows, i, x, lines);
    const B = i != pad<T>(i) ? lines : x;
    for (let first = 0; first < o; first += STRIP) {
      const some = min(STRIP, o - first);
      for (let r = 0, from = dy + size<T>(first), to = strip; r < rows; r++, from += size<T>(o), to += size<T>(LINE))
        for (let j = 0; j < some; j += LANES<T>())
          store<v128>(to + size<T>(j), loadSome<T>(from + size<T>(j), some - j));
      const sums = dW + size<f64>(i) * <usize>first;
      if (sizeof<T>() == 8) {
        gemm<T>(some, rows, i, strip, sizeof<T>(), size<T>(LINE), B, width, sums, size<f64>(i));
      } else {
        memory.fill(part, 0, <usize>some * width);
        gemm<T>(some, rows, i, strip, sizeof<T>(), size<T>(LINE), B, width, part, width);
        for (let p = 0; p < some; p++) accumulate<T>(i, part + <usize>p * width, sums + size<f64>(i) * <usize>p);
      }
      totals<T>(rows, strip, total);
      accumulate<T>(some, total, db + size<f64>(first));
    }
  }
  return 0;
}

export function activate<T>(n: i32, o: i32, a: usize, h: usize, slope: usize): i32 {
  for (; n > 0; n--, a += size<T>(o), h += size<T>(o), slope += size<T>(o)) tangents<T>(o, a, h, slope);
  return 0;
}

// The values of a tile go through the lanes as they lie in memory, whatever the number of outputs; then each row adds
// its terms.
export function crossEntropy<T>(n: i32, o: i32, logits: usize, y: usize, weights: usize, classWeights: usize,
    terms: usize, loss: usize, probabilities: usize, dLogits: usize): i32 {
  let failed = 0;
  for (let at = 0; at < n; at += TILE) {
    const rows = min(TILE, n - at), count = rows * o;
    entropies<T>(count, logits, y, terms, probabilities, dLogits);
    for (let r = 0, term = terms; r < rows; r++, term += size<T>(o), dLogits += size<T>(o)) {
      let sum: T = 0;
      const weight = get<T>(weights, r);
      for (let j = 0; j < o; j++) {
        sum = maddOne<T>(get<T>(classWeights, j), get<T>(term, j), sum);
        put<T>(dLogits, j, get<T>(dLogits, j) * (weight * get<T>(classWeights, j)));
      }
      sum = weight * sum;
      put<T>(loss, r, sum);
      if (!failed && !(sum - sum == 0)) failed = at + r + 1;
    }
    logits += size<T>(count);
    y += size<T>(count);
    probabilities += size<T>(count);
    weights += size<T>(rows);
    loss += size<T>(rows);
  }
  return failed;
}

// Inputs that are 0, most pixels of a picture, change nothing and are left out (digits 784-200-10: 48 -> 12 µs a row). W is
// kept in its other orientation as well, so that no sum goes across the lanes.
export function sgd<T>(n: i32, i: i32, units: i32, o: i32, x: usize, y: usize, rate: usize, active: usize, h: usize,
    slope: usize, e: usize, logits: usize, Q: usize, terms: usize, back: usize, V: usize, b: usize, W: usize, c: usize,
    loss: usize): i32 {
  const width = size<T>(pad<T>(units)), line = size<T>(pad<T>(o)), step = splatAt<T>(rate);
  memory.fill(h, 0, width);
  memory.fill(slope, 0, width);
  memory.fill(Q, 0, line);
  memory.fill(back, 0, <usize>o * width);
  for (let q = 0; q < o; q++)
    for (let j = 0; j < units; j++) put<T>(back + <usize>q * width, j, get<T>(W + <usize>j * line, q));
  for (let r = 0; r < n; r++, x += size<T>(i), y += size<T>(o)) {
    let count = 0;
    for (let j = 0; j < i; j++)
      if (get<T>(x, j) != 0) put<i32>(active, count++, j);
    memory.copy(e, b, width);
    let p = 0;
    for (; p + 4 <= count; p += 4) addRows<T>(4, width, active + size<i32>(p), x, V, e);
    for (; p < count; p++) addRows<T>(1, width, active + size<i32>(p), x, V, e);
    tangents<T>(units, e, h, slope);
    memory.copy(logits, c, line);
    gemm<T>(1, units, pad<T>(o), h, 0, sizeof<T>(), W, line, logits, line);
    entropies<T>(o, logits, y, terms, logits, Q);
    let sum: T = 0;
    for (let j = 0; j < o; j++) sum += get<T>(terms, j);
    put<T>(loss, r, sum);
    if (!(sum - sum == 0)) return r + 1;
    memory.fill(e, 0, width);
    gemm<T>(1, o, pad<T>(units), Q, 0, sizeof<T>(), back, width, e, width);
    for (let j: usize = 0; j < width; j += 16)
      store<v128>(e + j, mul<T>(mul<T>(load<v128>(e + j), load<v128>(slope + j)), step));
    for (let j: usize = 0; j < line; j += 16) store<v128>(Q + j, mul<T>(load<v128>(Q + j), step));
    for (let j = 0; j < units; j++) subtract<T>(line, get<T>(h, j), Q, W + <usize>j * line);
    for (let q = 0; q < o; q++) subtract<T>(width, get<T>(Q, q), h, back + <usize>q * width);
    for (let p = 0; p < count; p++) {
      const j = get<i32>(active, p);
      subtract<T>(width, get<T>(x, j), e, V + <usize>j * width);
    }
    subtract<T>(width, <T>1, e, b);
    subtract<T>(line, <T>1, Q, c);
  }
  return 0;
}
