/** A linear dynamical system in plain JavaScript: dense products in straight loops, Joseph's form, no blocking. */
export interface DynamicsParameters {
  readonly m: number;
  /** [m,m] each: the state and the rows have m coordinates. */
  readonly A: Float64Array;
  readonly B: Float64Array;
  readonly Q: Float64Array;
  readonly R: Float64Array;
  /** The covariance of the first state, whose mean is 0. */
  readonly V0: Float64Array;
}

/** Complete rows x [sequences, steps, m]. Results go to `out`, one after the other. */
export class PlainDynamics {
  private readonly At: Float64Array;
  private readonly Bt: Float64Array;
  constructor(private readonly p: DynamicsParameters) {
    this.At = transposed(p.m, p.A);
    this.Bt = transposed(p.m, p.B);
  }

  /** Filtered means [rows,m]; their covariances are computed, too. */
  filter(x: Float64Array, steps: number, out: Float64Array): void {
    const { m } = this.p;
    for (let from = 0; from < x.length / m; from += steps)
      for (const [t, z] of this.forward(x, from, steps).mean.entries()) out.set(z, (from + t) * m);
  }
  /** The log-likelihood and smoothed means [rows,m]; smoothed and lag-one covariances are computed, too. */
  smooth(x: Float64Array, steps: number, out: Float64Array): void {
    const { m } = this.p;
    out[0] = 0;
    for (let from = 0; from < x.length / m; from += steps) {
      const { mean, covariance, logLikelihood } = this.forward(x, from, steps);
      out[0] += logLikelihood;
      this.backward(mean, covariance, (t, s) => out.set(s, 1 + (from + t) * m));
    }
  }
  /** The log-likelihood, then A, B, Q, R, the mean and the covariance of the first state after an iteration of EM. */
  em(x: Float64Array, steps: number, out: Float64Array): void {
    const { m } = this.p;
    const rows = x.length / m;
    const [S00, S10, S11, Szz, Sxz, Sxx] = Array.from({ length: 6 }, () => new Float64Array(m * m)) as Six;
    const firsts: { readonly s: Float64Array; readonly S: Float64Array }[] = [];
    out[0] = 0;
    for (let from = 0; from < rows; from += steps) {
      const { mean, covariance, logLikelihood } = this.forward(x, from, steps);
      out[0] += logLikelihood;
      this.backward(mean, covariance, (t, s, S, after, Safter, lagOne) => {
        const row = x.subarray((from + t) * m, (from + t + 1) * m);
        if (t === 0) firsts.push({ s, S });
        for (let i = 0; i < m; i++)
          for (let j = 0; j < m; j++) {
            const at = i * m + j;
            Szz[at]! += S[at]! + s[i]! * s[j]!;
            Sxz[at]! += row[i]! * s[j]!;
            Sxx[at]! += row[i]! * row[j]!;
            if (!after) continue;
            S00[at]! += S[at]! + s[i]! * s[j]!;
            S10[at]! += lagOne![at]! + after[i]! * s[j]!;
            S11[at]! += Safter![at]! + after[i]! * after[j]!;
          }
      });
    }
    const count = firsts.length;
    const first = new Float64Array(m);
    for (const { s } of firsts) for (let i = 0; i < m; i++) first[i]! += s[i]! / count;
    const spread = new Float64Array(m * m);
    for (const { s, S } of firsts)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < m; j++)
          spread[i * m + j]! += (S[i * m + j]! + (s[i]! - first[i]!) * (s[j]! - first[j]!)) / count;
    const [A, B] = [regressed(m, S00, S10), regressed(m, Szz, Sxz)];
    const [Q, R] = [residual(m, A, S10, S11, rows - count), residual(m, B, Sxz, Sxx, rows)];
    let at = 1;
    for (const part of [A, B, Q, R, first, spread]) {
      out.set(part, at);
      at += part.length;
    }
  }

  private forward(x: Float64Array, from: number, steps: number) {
    const { m, A, B, Q, R, V0 } = this.p;
    const mean: Float64Array[] = [];
    const covariance: Float64Array[] = [];
    let z = new Float64Array(m);
    let P = V0;
    let logLikelihood = 0;
    for (let t = 0; t < steps; t++) {
      if (t > 0) {
        z = applied(m, A, z);
        P = sum(product(m, product(m, A, covariance[t - 1]!), this.At), Q);
      }
      const BP = product(m, B, P);
      const S = sum(product(m, BP, this.Bt), R);
      const L = factor(m, S);
      const Kt = solved(m, L, BP, m);
      const e = applied(m, B, z);
      for (let i = 0; i < m; i++) e[i] = x[(from + t) * m + i]! - e[i]!;
      const w = solved(m, L, e, 1);
      let density = m * Math.log(2 * Math.PI);
      for (let i = 0; i < m; i++) density += 2 * Math.log(L[i * m + i]!) + e[i]! * w[i]!;
      logLikelihood -= density / 2;
      const K = transposed(m, Kt);
      const E = complement(m, product(m, K, B));
      P = sum(product(m, product(m, E, P), transposed(m, E)), product(m, product(m, K, R), Kt));
      const gain = applied(m, K, e);
      z = z.map((v, i) => v + gain[i]!);
      mean.push(z);
      covariance.push(P);
    }
    return { mean, covariance, logLikelihood };
  }
  private backward(mean: readonly Float64Array[], covariance: readonly Float64Array[], see: See): void {
    const { m, A, Q } = this.p;
    let s = mean.at(-1)!;
    let S = covariance.at(-1)!;
    see(mean.length - 1, s, S);
    for (let t = mean.length - 2; t >= 0; t--) {
      const [z, F] = [mean[t]!, covariance[t]!];
      const AF = product(m, A, F);
      const Jt = solved(m, factor(m, sum(product(m, AF, this.At), Q)), AF, m);
      const J = transposed(m, Jt);
      const ahead = applied(m, A, z);
      const back = applied(
        m,
        J,
        s.map((v, i) => v - ahead[i]!),
      );
      const E = complement(m, product(m, J, A));
      const lagOne = product(m, S, Jt);
      const [after, Safter] = [s, S];
      s = z.map((v, i) => v + back[i]!);
      const C = sum(product(m, product(m, E, F), transposed(m, E)), product(m, product(m, J, Q), Jt));
      S = sum(C, product(m, J, lagOne));
      see(t, s, S, after, Safter, lagOne);
    }
  }
}
type Six = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
type See = (
  t: number,
  s: Float64Array,
  S: Float64Array,
  after?: Float64Array,
  Safter?: Float64Array,
  lagOne?: Float64Array,
) => void;

/** S10 S00⁻¹ */
const regressed = (m: number, S00: Float64Array, S10: Float64Array): Float64Array =>
  transposed(m, solved(m, factor(m, S00), transposed(m, S10), m));
/** The mean over `rows` of the squares that M leaves: (S11 - M S10ᵀ) / rows. */
function residual(m: number, M: Float64Array, S10: Float64Array, S11: Float64Array, rows: number): Float64Array {
  const explained = product(m, M, transposed(m, S10));
  return S11.map((v, i) => (v - explained[i]!) / rows);
}
function product(m: number, A: Float64Array, B: Float64Array): Float64Array {
  const C = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < m; p++) {
      const a = A[i * m + p]!;
      for (let j = 0; j < m; j++) C[i * m + j]! += a * B[p * m + j]!;
    }
  return C;
}
function applied(m: number, A: Float64Array, x: Float64Array): Float64Array<ArrayBuffer> {
  const y = new Float64Array(m);
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) y[i]! += A[i * m + j]! * x[j]!;
  return y;
}
function sum(A: Float64Array, B: Float64Array): Float64Array {
  const C = new Float64Array(A.length);
  for (let i = 0; i < C.length; i++) C[i] = A[i]! + B[i]!;
  return C;
}
function transposed(m: number, A: Float64Array): Float64Array {
  const C = new Float64Array(m * m);
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) C[j * m + i] = A[i * m + j]!;
  return C;
}
/** I - A, in place. */
function complement(m: number, A: Float64Array): Float64Array {
  for (let i = 0; i < m; i++) for (let j = 0; j < m; j++) A[i * m + j] = Number(i === j) - A[i * m + j]!;
  return A;
}
function factor(m: number, S: Float64Array): Float64Array {
  const L = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let j = 0; j <= i; j++) {
      let s = S[i * m + j]!;
      for (let p = 0; p < j; p++) s -= L[i * m + p]! * L[j * m + p]!;
      L[i * m + j] = i === j ? Math.sqrt(s) : s / L[j * m + j]!;
    }
  return L;
}
/** (L Lᵀ)⁻¹ B, B of m rows. */
function solved(m: number, L: Float64Array, B: Float64Array, columns: number): Float64Array {
  const X = B.slice();
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < m; i++) {
      let s = X[i * columns + c]!;
      for (let p = 0; p < i; p++) s -= L[i * m + p]! * X[p * columns + c]!;
      X[i * columns + c] = s / L[i * m + i]!;
    }
    for (let i = m - 1; i >= 0; i--) {
      let s = X[i * columns + c]!;
      for (let p = i + 1; p < m; p++) s -= L[p * m + i]! * X[p * columns + c]!;
      X[i * columns + c] = s / L[i * m + i]!;
    }
  }
  return X;
}
