/** Norms of a product of Jacobians diag(slopes[t]) W in plain JavaScript: straight loops, nothing skipped. */
export function plainChain(W: Float64Array, slopes: Float64Array, n: number, logNorms: Float64Array): void {
  let [product, next] = [new Float64Array(n * n), new Float64Array(n * n)];
  for (let i = 0; i < n; i++) product[i * n + i] = 1;
  let log = 0;
  for (let t = 0; t < logNorms.length; t++) {
    next.fill(0);
    for (let i = 0; i < n; i++)
      for (let c = 0; c < n; c++) {
        const w = slopes[t * n + i]! * W[i * n + c]!;
        for (let j = 0; j < n; j++) next[i * n + j]! += w * product[c * n + j]!;
      }
    let squares = 0;
    for (let i = 0; i < n * n; i++) squares += next[i]! * next[i]!;
    const norm = Math.sqrt(squares);
    for (let i = 0; i < n * n; i++) next[i]! /= norm;
    log += Math.log(norm);
    logNorms[t] = log;
    [product, next] = [next, product];
  }
}
