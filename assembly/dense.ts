// Linear layers; outputs in lanes, and inputs of the gradient. docs/math.md § dense. Twin: native/dense.cc
import { loadSome, storeSome } from "./simd";
import { gemm, pad, size, TILE, widen } from "./linalg";

// sum[j] += Σ_r x[r,j], r ascending; the sums of the last vector may be but some
function addRows(n: i32, d: i32, x: usize, width: usize, sum: usize): void {
  for (let j = 0; j < d; j += 2, x += 16, sum += 16) {
    let s = loadSome<f64>(sum, d - j);
    for (let r = 0, v = x; r < n; r++, v += width) s = v128.add<f64>(s, v128.load(v));
    storeSome<f64>(sum, s, d - j);
  }
}

export function affine<T>(n: i32, i: i32, o: i32, x: usize, W: usize, y: usize): i32 {
  for (let at = 0; at < n; at += TILE, x += size<T>(TILE * i), y += size<T>(TILE * o))
    gemm<T>(min(TILE, n - at), i, o, x, size<T>(i), sizeof<T>(), W, size<T>(pad<T>(o)), y, size<T>(o));
  return 0;
}

export function gradient<T>(n: i32, i: i32, o: i32, x: usize, dy: usize, wide: usize, dwide: usize,
    dW: usize, db: usize): i32 {
  const width = size<f64>(pad<T>(i)), step = size<f64>(pad<T>(o));
  for (let at = 0; at < n; at += TILE, x += size<T>(TILE * i), dy += size<T>(TILE * o)) {
    const rows = min(TILE, n - at);
    widen<T>(rows, i, x, wide);
    widen<T>(rows, o, dy, dwide);
    gemm<f64>(o, rows, i, dwide, 8, step, wide, width, dW, size<f64>(i));
    addRows(rows, o, dwide, step, db);
  }
  return 0;
}
