// The continuous-time network, step by step; units in lanes. docs/math/continuous.md. Twin: native/continuous.cc
import { abs, constant, exp, K, LANES, loadSome, madd, mul, sech2, splat, splatAt, storeSome, sub, tanh } from "./simd";
import { fill, gemm, get, pad, put, size } from "./linalg";

export function run<T>(n: i32, d: i32, state: usize, W: usize, b: usize, alpha: usize, line: usize, x: usize,
    slopes: usize): i32 {
  const step = splatAt<T>(alpha), row = size<T>(d);
  for (let last = state; n > 0; n--, last = x, x += row, slopes += row) {
    memory.copy(line, b, row);
    gemm<T>(1, d, d, last, row, sizeof<T>(), W, size<T>(pad<T>(d)), line, row);
    for (let j: usize = 0, left = d; left > 0; left -= LANES<T>(), j += 16) {
      const p = loadSome<T>(line + j, left), before = loadSome<T>(last + j, left);
      storeSome<T>(slopes + j, sech2<T>(exp<T>(mul<T>(constant<T>(K.minusTwo), abs<T>(p)))), left);
      storeSome<T>(x + j, madd<T>(step, sub<T>(tanh<T>(p), before), before), left);
    }
  }
  return 0;
}

export function jacobians<T>(n: i32, d: i32, slopes: usize, back: usize, alpha: usize, J: usize): i32 {
  const row = size<T>(d), keep = <T>1 - load<T>(alpha);
  for (; n > 0; n--, slopes += row)
    for (let i = 0; i < d; i++, J += row) {
      const s = splat<T>(load<T>(alpha) * get<T>(slopes, i)), from = back + <usize>i * row;
      for (let j: usize = 0, left = d; left > 0; left -= LANES<T>(), j += 16)
        storeSome<T>(J + j, mul<T>(s, loadSome<T>(from + j, left)), left);
      put<T>(J, i, get<T>(J, i) + keep);
    }
  return 0;
}

export function adjoint<T>(n: i32, d: i32, dx: usize, slopes: usize, back: usize, alpha: usize, line: usize, e: usize,
    l: usize): i32 {
  const row = size<T>(d), step = splatAt<T>(alpha), keep = splat<T>(<T>1 - load<T>(alpha));
  for (let t = n - 1; t >= 0; t--) {
    const at = <usize>t * row;
    for (let j: usize = 0, left = d; left > 0; left -= LANES<T>(), j += 16) {
      const own = loadSome<T>(l + j, left);
      storeSome<T>(e + at + j, mul<T>(mul<T>(step, loadSome<T>(slopes + at + j, left)), own), left);
      storeSome<T>(line + j, madd<T>(keep, own, loadSome<T>(dx + at + j, left)), left);
    }
    gemm<T>(1, d, d, e + at, row, sizeof<T>(), back, size<T>(pad<T>(d)), line, row);
    memory.copy(l, line, row);
  }
  return 0;
}

export function sensitivities<T>(n: i32, d: i32, columns: i32, J: usize, line: usize, S: usize): i32 {
  const block = size<T>(d * columns), square = size<T>(d * d);
  for (let t = 1; t < n; t++) {
    fill<T, T>(d, columns, S + <usize>(t - 1) * block, line);
    gemm<T>(d, d, columns, J + <usize>t * square, size<T>(d), sizeof<T>(), line, size<T>(pad<T>(columns)), S + <usize>t * block,
      size<T>(columns));
  }
  return 0;
}
