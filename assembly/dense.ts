// Linear layers, outputs in lanes, and inputs of the gradient; the loss of logits. docs/math/dense.md. Twin: native/dense.cc
import {
  abs, add, exp, LANES, loadSome, log1pOf, maddOne, neg, nmadd, pmax, sigmoid, storeSome, sub, zero,
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

export function affine<T>(n: i32, i: i32, o: i32, x: usize, W: usize, y: usize): i32 {
  for (let at = 0; at < n; at += TILE, x += size<T>(TILE * i), y += size<T>(TILE * o))
    gemm<T>(min(TILE, n - at), i, o, x, size<T>(i), sizeof<T>(), W, size<T>(pad<T>(o)), y, size<T>(o));
  return 0;
}

// A tile is summed in T, as fast as the data allow, and added to the sums in f64. Its columns of dy are gathered first:
// columns that lie 2^k bytes apart evict each other from the cache.
export function gradient<T>(n: i32, i: i32, o: i32, x: usize, dy: usize, lines: usize, strip: usize, part: usize,
    total: usize, dW: usize, db: usize): i32 {
  const width = size<T>(pad<T>(i));
  for (let at = 0; at < n; at += TILE, x += size<T>(TILE * i), dy += size<T>(TILE * o)) {
    const rows = min(TILE, n - at);
    if (i != pad<T>(i)) fill<T, T>(rows, i, x, lines);
    const B = i != pad<T>(i) ? lines : x;
    for (let first = 0; first < o; first += STRIP) {
      const some = min(STRIP, o - first);
      memory.fill(part, 0, <usize>some * width);
      for (let r = 0, from = dy + size<T>(first), to = strip; r < rows; r++, from += size<T>(o), to += size<T>(LINE))
        for (let j = 0; j < some; j += LANES<T>())
          store<v128>(to + size<T>(j), loadSome<T>(from + size<T>(j), some - j));
      gemm<T>(some, rows, i, strip, sizeof<T>(), size<T>(LINE), B, width, part, width);
      for (let p = 0; p < some; p++) accumulate<T>(i, part + <usize>p * width, dW + size<f64>(i) * <usize>(first + p));
      totals<T>(rows, strip, total);
      accumulate<T>(some, total, db + size<f64>(first));
    }
  }
  return 0;
}

// The values of a tile go through the lanes as they lie in memory, whatever the number of outputs; then each row adds
// its terms.
export function crossEntropy<T>(n: i32, o: i32, logits: usize, y: usize, weights: usize, classWeights: usize,
    terms: usize, loss: usize, probabilities: usize, dLogits: usize): i32 {
  let failed = 0;
  for (let at = 0; at < n; at += TILE) {
    const rows = min(TILE, n - at);
    let d = dLogits;
    for (let left = rows * o, to = terms; left > 0;
        left -= LANES<T>(), logits += 16, y += 16, to += 16, probabilities += 16, d += 16) {
      const a = loadSome<T>(logits, left), t = loadSome<T>(y, left), e = exp<T>(neg<T>(abs<T>(a)));
      const z = sigmoid<T>(a, e);
      storeSome<T>(to, add<T>(nmadd<T>(a, t, pmax<T>(a, zero<T>())), log1pOf<T>(e)), left);
      storeSome<T>(probabilities, z, left);
      storeSome<T>(d, sub<T>(z, t), left);
    }
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
    // a tile is a whole number of vectors: only the last may have ended within one
    weights += size<T>(rows);
    loss += size<T>(rows);
  }
  return failed;
}
