/**
 * The contender plain-js: mixtures and mixture densities as one writes them without a library. Straight loops over
 * typed arrays: a triangular solve row by row with one accumulator, Math.exp, no unrolling, no blocking.
 */
export interface PlainParameters {
  /** [M] */
  readonly weights: Float64Array;
  /** [M,d] */
  readonly means: Float64Array;
  /** Full: [M,d,d]. Diagonal: variances [M,d]. */
  readonly covariances: Float64Array;
}

/** Σ_c weights[c] N(means[c], covariances[c]), full covariances. */
export class PlainMixture {
  private readonly means: Float64Array;
  /** Cholesky factors, packed by rows. */
  private readonly L: Float64Array;
  private readonly constants: Float64Array;

  constructor({ weights, means, covariances }: PlainParameters) {
    const k = weights.length;
    const d = means.length / k;
    const size = (d * (d + 1)) / 2;
    const L = new Float64Array(k * size);
    this.means = means;
    this.L = L;
    this.constants = new Float64Array(k);
    for (let c = 0; c < k; c++) {
      let logDet = 0;
      for (let i = 0; i < d; i++) {
        const row = c * size + (i * (i + 1)) / 2;
        for (let j = 0; j <= i; j++) {
          const column = c * size + (j * (j + 1)) / 2;
          let s = covariances[(c * d + i) * d + j]!;
          for (let p = 0; p < j; p++) s -= L[row + p]! * L[column + p]!;
          L[row + j] = i === j ? Math.sqrt(s) : s / L[column + j]!;
          if (i === j) logDet += Math.log(s);
        }
      }
      this.constants[c] = constant(weights[c]!, d, logDet);
    }
  }

  /** Writes log p of each row of x [n,d] to `out` [n]. */
  logDensity(x: Float64Array, out: Float64Array): void {
    const { means, L, constants } = this;
    const k = constants.length;
    const d = means.length / k;
    const y = new Float64Array(d);
    const terms = new Float64Array(k);
    for (let row = 0; row < out.length; row++) {
      let at = 0;
      for (let c = 0; c < k; c++) {
        let squares = 0;
        for (let i = 0; i < d; i++) {
          let s = x[row * d + i]! - means[c * d + i]!;
          for (let j = 0; j < i; j++) s -= L[at++]! * y[j]!;
          s /= L[at++]!;
          y[i] = s;
          squares += s * s;
        }
        terms[c] = constants[c]! - 0.5 * squares;
      }
      out[row] = logSumExp(terms);
    }
  }
}

/** Σ_c weights[c] N(means[c], variances[c]), diagonal covariances. */
export class PlainDiagonalMixture {
  private readonly means: Float64Array;
  private readonly deviations: Float64Array;
  private readonly constants: Float64Array;

  constructor({ weights, means, covariances }: PlainParameters) {
    const k = weights.length;
    const d = means.length / k;
    this.means = means;
    this.deviations = covariances.map(Math.sqrt);
    this.constants = new Float64Array(k);
    for (let c = 0; c < k; c++) {
      let logDet = 0;
      for (let j = 0; j < d; j++) logDet += Math.log(covariances[c * d + j]!);
      this.constants[c] = constant(weights[c]!, d, logDet);
    }
  }

  /** Writes log p of each row of x [n,d] to `out` [n]. */
  logDensity(x: Float64Array, out: Float64Array): void {
    const { means, deviations, constants } = this;
    const k = constants.length;
    const d = means.length / k;
    const terms = new Float64Array(k);
    for (let row = 0; row < out.length; row++) {
      for (let c = 0; c < k; c++) {
        let squares = 0;
        for (let j = 0; j < d; j++) {
          const z = (x[row * d + j]! - means[c * d + j]!) / deviations[c * d + j]!;
          squares += z * z;
        }
        terms[c] = constants[c]! - 0.5 * squares;
      }
      out[row] = logSumExp(terms);
    }
  }
}

const constant = (weight: number, d: number, logDet: number): number =>
  Math.log(weight) - 0.5 * (d * Math.log(2 * Math.PI) + logDet);

function logSumExp(terms: Float64Array): number {
  let top = -Infinity;
  for (let c = 0; c < terms.length; c++) if (terms[c]! > top) top = terms[c]!;
  let sum = 0;
  for (let c = 0; c < terms.length; c++) sum += Math.exp(terms[c]! - top);
  return top + Math.log(sum);
}

/** Mixture densities of raw rows [logits M | means M k | values], mappings chol-exp and diag-exp: loss and gradient. */
export class PlainDensity {
  constructor(
    private readonly k: number,
    private readonly M: number,
    private readonly full: boolean,
  ) {}

  /** Writes log p of each row of x [n,k] to logDensity, the gradient of -Σ log p to dRaw and dx, the shares to r. */
  lossGradient(
    raw: Float64Array,
    x: Float64Array,
    logDensity: Float64Array,
    r: Float64Array,
    dRaw: Float64Array,
    dx: Float64Array,
  ): void {
    const { k, M, full } = this;
    const p = full ? (k * (k + 1)) / 2 : k;
    const w = M * (1 + k + p);
    const u = new Float64Array(M * k);
    const a = new Float64Array(k);
    const terms = new Float64Array(M);
    const logits = new Float64Array(M);
    for (let row = 0; row < logDensity.length; row++) {
      const from = row * w;
      for (let j = 0; j < M; j++) logits[j] = raw[from + j]!;
      const logTotal = logSumExp(logits);
      for (let j = 0; j < M; j++) {
        const values = from + M + M * k + j * p;
        let term = logits[j]! - logTotal - 0.5 * k * Math.log(2 * Math.PI);
        for (let l = 0, at = values; l < k; l++) {
          let s = x[row * k + l]! - raw[from + M + j * k + l]!;
          if (full) for (let i = 0; i < l; i++) s -= raw[at++]! * u[j * k + i]!;
          s *= Math.exp(-raw[at]!);
          u[j * k + l] = s;
          term -= raw[at++]! + 0.5 * s * s;
        }
        terms[j] = term;
      }
      const log = logSumExp(terms);
      logDensity[row] = log;
      for (let l = 0; l < k; l++) dx[row * k + l] = 0;
      for (let j = 0; j < M; j++) {
        const share = Math.exp(terms[j]! - log);
        const values = from + M + M * k + j * p;
        r[row * M + j] = share;
        dRaw[from + j] = Math.exp(logits[j]! - logTotal) - share;
        for (let l = k - 1; l >= 0; l--) {
          const own = values + (full ? (l * (l + 3)) / 2 : l);
          let s = u[j * k + l]!;
          if (full) for (let i = l + 1; i < k; i++) s -= raw[values + (i * (i + 1)) / 2 + l]! * a[i]!;
          a[l] = s * Math.exp(-raw[own]!);
          dRaw[own] = share * (1 - s * u[j * k + l]!);
          if (full) for (let i = 0; i < l; i++) dRaw[own - l + i] = -share * a[l]! * u[j * k + i]!;
          dRaw[from + M + j * k + l] = -share * a[l]!;
          dx[row * k + l]! += share * a[l]!;
        }
      }
    }
  }
}
