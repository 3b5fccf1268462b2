/**
 * Eigenvalues and singular values of small matrices, off the hot path. Own code, because a package of linear algebra
 * would become a runtime dependency of every user for some hundred lines; each algorithm is the shortest of those that
 * are accurate to rounding.
 */

/** S = Σ values[p] v vᵀ of a symmetric S [n,n]; row p of `vectors` is v. By Jacobi's rotations; in no order. */
export function eigenSymmetric(S: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const A = S.slice();
  const V = new Float64Array(n * n);
  for (let i = 0; i < n; i++) V[i * (n + 1)] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const off = A[p * n + q]!;
        if (!(Math.abs(off) > 2 ** -54 * Math.sqrt(Math.abs(A[p * n + p]! * A[q * n + q]!)))) continue;
        rotated = true;
        const [c, s] = rotation(A[p * n + p]!, off, A[q * n + q]!);
        for (let k = 0; k < n; k++) rotate(A, p * n + k, q * n + k, c, s);
        for (let k = 0; k < n; k++) rotate(A, k * n + p, k * n + q, c, s);
        for (let k = 0; k < n; k++) rotate(V, p * n + k, q * n + k, c, s);
      }
    if (!rotated) break;
  }
  return { values: Float64Array.from({ length: n }, (_, i) => A[i * (n + 1)]!), vectors: V };
}
/** Cosine and sine that make [[a, b], [b, d]] diagonal. */
function rotation(a: number, b: number, d: number): [number, number] {
  const tau = (d - a) / (2 * b);
  const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.hypot(1, tau));
  const c = 1 / Math.hypot(1, t);
  return [c, t * c];
}
function rotate(A: Float64Array, at: number, other: number, c: number, s: number): void {
  const [x, y] = [A[at]!, A[other]!];
  A[at] = c * x - s * y;
  A[other] = s * x + c * y;
}

/**
 * A = U diag(values) Vᵀ of A [n,m], n >= m, values in descending order: columns of U as rows of `left` [m,n], those of V
 * as rows of `right` [m,m]. By one-sided Jacobi rotations (Hestenes 1958), which keep small values accurate.
 */
export function singularValues(
  A: Float64Array,
  n: number,
  m: number,
): { values: Float64Array; left: Float64Array; right: Float64Array } {
  const columns = new Float64Array(n * m); // row j is column j of A
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) columns[j * n + i] = A[i * m + j]!;
  const V = new Float64Array(m * m);
  for (let i = 0; i < m; i++) V[i * (m + 1)] = 1;
  const dot = (p: number, q: number): number => {
    let s = 0;
    for (let i = 0; i < n; i++) s += columns[p * n + i]! * columns[q * n + i]!;
    return s;
  };
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < m; p++)
      for (let q = p + 1; q < m; q++) {
        const [a, b, d] = [dot(p, p), dot(p, q), dot(q, q)];
        if (!(Math.abs(b) > 2 ** -50 * Math.sqrt(a * d))) continue;
        rotated = true;
        const [c, s] = rotation(a, b, d);
        for (let i = 0; i < n; i++) rotate(columns, p * n + i, q * n + i, c, s);
        for (let i = 0; i < m; i++) rotate(V, p * m + i, q * m + i, c, s);
      }
    if (!rotated) break;
  }
  const norms = Float64Array.from({ length: m }, (_, p) => Math.sqrt(dot(p, p)));
  const order = [...norms.keys()].sort((p, q) => norms[q]! - norms[p]!);
  const left = new Float64Array(m * n);
  const right = new Float64Array(m * m);
  for (const [to, p] of order.entries()) {
    for (let i = 0; i < n; i++) left[to * n + i] = norms[p]! > 0 ? columns[p * n + i]! / norms[p]! : 0;
    for (let i = 0; i < m; i++) right[to * m + i] = V[p * m + i]!;
  }
  return { values: Float64Array.from(order, (p) => norms[p]!), left, right };
}

/**
 * The eigenvalues of any square A [n,n], of largest modulus first. By shifted QR steps in complex arithmetic on the
 * Hessenberg form.
 */
export function eigenvalues(A: Float64Array, n: number): { real: Float64Array; imaginary: Float64Array } {
  const re = hessenberg(A, n);
  const im = new Float64Array(n * n);
  for (let high = n - 1, tries = 0; high > 0; ) {
    let low = high;
    const size = (at: number): number => Math.hypot(re[at]!, im[at]!);
    while (low > 0) {
      const around = size(low * (n + 1)) + size((low - 1) * (n + 1));
      const below = low * n + low - 1;
      if (size(below) <= 2 ** -53 * (around || 1e-300)) {
        re[below] = im[below] = 0;
        break;
      }
      low--;
    }
    if (low === high) {
      high--;
      tries = 0;
    } else if (++tries > 100 * n)
      break; // never seen; the diagonal is still the best guess
    else qrStep(re, im, n, low, high, tries);
  }
  const order = Array.from({ length: n }, (_, i) => i * (n + 1)).sort(
    (a, b) => Math.hypot(re[b]!, im[b]!) - Math.hypot(re[a]!, im[a]!) || im[b]! - im[a]!,
  );
  return {
    real: Float64Array.from(order, (at) => re[at]!),
    imaginary: Float64Array.from(order, (at) => (Math.abs(im[at]!) <= 1e-14 * Math.abs(re[at]!) ? 0 : im[at]!)),
  };
}
/** A matrix similar to A with zeros below the first subdiagonal. */
function hessenberg(A: Float64Array, n: number): Float64Array {
  const H = A.slice();
  for (let k = 1; k < n - 1; k++)
    for (let i = k + 1; i < n; i++) {
      const [a, b] = [H[k * n + k - 1]!, H[i * n + k - 1]!];
      const r = Math.hypot(a, b);
      if (b === 0 || r === 0) continue;
      const [c, s] = [a / r, -b / r];
      for (let j = 0; j < n; j++) rotate(H, k * n + j, i * n + j, c, s);
      for (let j = 0; j < n; j++) rotate(H, j * n + k, j * n + i, c, s);
    }
  return H;
}
/** One QR step on rows and columns low .. high, shifted by the eigenvalue of the last 2 x 2 block nearest its corner. */
function qrStep(re: Float64Array, im: Float64Array, n: number, low: number, high: number, tries: number): void {
  const [sr, si] = tries % 11 === 10 ? [re[high * n + high - 1]!, im[high * n + high]!] : shiftOf(re, im, n, high);
  for (let i = low; i <= high; i++) {
    re[i * (n + 1)]! -= sr;
    im[i * (n + 1)]! -= si;
  }
  const turns: [number, number, number][] = [];
  for (let k = low; k < high; k++) {
    // a rotation [[c, s], [-s̄, c]], c real, that makes entry (k+1, k) zero
    const [ar, ai] = [re[k * n + k]!, im[k * n + k]!];
    const [br, bi] = [re[(k + 1) * n + k]!, im[(k + 1) * n + k]!];
    const [a, b] = [Math.hypot(ar, ai), Math.hypot(br, bi)];
    const r = Math.hypot(a, b) || 1;
    const [ur, ui] = a > 0 ? [ar / a, ai / a] : [1, 0];
    const c = r > 0 && (a > 0 || b === 0) ? a / r : 0;
    const sr1 = (ur * br + ui * bi) / r;
    const si1 = (ui * br - ur * bi) / r;
    turns.push([c, sr1, si1]);
    for (let j = k; j <= high; j++) turn(re, im, k * n + j, (k + 1) * n + j, c, sr1, si1);
  }
  for (let k = low; k < high; k++) {
    const [c, s, t] = turns[k - low]!;
    for (let j = low; j <= Math.min(k + 1, high); j++) turn(re, im, j * n + k, j * n + k + 1, c, s, -t);
  }
  for (let i = low; i <= high; i++) {
    re[i * (n + 1)]! += sr;
    im[i * (n + 1)]! += si;
  }
}
/** x <- c x + s y, y <- c y - s̄ x with s = sr + i si. */
function turn(re: Float64Array, im: Float64Array, x: number, y: number, c: number, sr: number, si: number): void {
  const [xr, xi, yr, yi] = [re[x]!, im[x]!, re[y]!, im[y]!];
  re[x] = c * xr + sr * yr - si * yi;
  im[x] = c * xi + sr * yi + si * yr;
  re[y] = c * yr - sr * xr - si * xi;
  im[y] = c * yi - sr * xi + si * xr;
}
function shiftOf(re: Float64Array, im: Float64Array, n: number, k: number): [number, number] {
  const [p, q, r, s] = [(k - 1) * n + k - 1, (k - 1) * n + k, k * n + k - 1, k * n + k];
  // (a + d)/2 ± sqrt(((a - d)/2)² + b c)
  const [hr, hi] = [(re[p]! - re[s]!) / 2, (im[p]! - im[s]!) / 2];
  const dr = hr * hr - hi * hi + re[q]! * re[r]! - im[q]! * im[r]!;
  const di = 2 * hr * hi + re[q]! * im[r]! + im[q]! * re[r]!;
  const size = Math.hypot(dr, di);
  const root = Math.sqrt((size + Math.abs(dr)) / 2);
  const other = root > 0 ? di / (2 * root) : 0;
  const [wr, wi] = dr >= 0 ? [root, other] : [Math.abs(other), di >= 0 ? root : -root];
  // the sign of the root that brings it nearest the corner: opposite to h
  const sign = hr * wr + hi * wi > 0 ? 1 : -1;
  return [re[s]! + hr - sign * wr, im[s]! + hi - sign * wi];
}
