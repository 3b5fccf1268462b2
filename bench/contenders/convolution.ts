/** Convolution in plain JavaScript, mode `valid`: straight loops over typed arrays, no unrolling, no transforms. */
export function plainConvolve(x: Float64Array, w: Float64Array, y: Float64Array): void {
  const last = w.length - 1;
  for (let t = 0; t < y.length; t++) {
    let sum = 0;
    for (let s = 0; s <= last; s++) sum += w[s]! * x[t + last - s]!;
    y[t] = sum;
  }
}
/** The gradients of Σ dy y by x and w. */
export function plainConvolveGradient(
  x: Float64Array,
  w: Float64Array,
  dy: Float64Array,
  dx: Float64Array,
  dw: Float64Array,
): void {
  const last = w.length - 1;
  dx.fill(0);
  dw.fill(0);
  for (let t = 0; t < dy.length; t++) {
    const g = dy[t]!;
    for (let s = 0; s <= last; s++) {
      dx[t + last - s]! += g * w[s]!;
      dw[s]! += g * x[t + last - s]!;
    }
  }
}
