/** A mixture-density network of tanh layers in plain JavaScript: straight loops, one accumulator, no blocking. */
import { PlainDensity } from './plain.ts';

type Parameters = Readonly<Record<string, Float64Array>>;

/** Every layer sees the input and feeds the output; chol-exp components. */
export class PlainNetwork {
  private readonly head: PlainDensity;
  constructor(
    private readonly k: number,
    private readonly hidden: readonly number[],
    private readonly M: number,
    private readonly p: Parameters,
  ) {
    this.head = new PlainDensity(k, M, true);
  }

  /** Returns the loss of x [sequences, steps + 1, k] and adds its gradient to `gradient`. */
  lossGradient(x: Float64Array, steps: number, gradient: Parameters): number {
    const { k } = this;
    let loss = 0;
    for (let at = 0; at < x.length; at += (steps + 1) * k)
      loss += this.sequence(x.subarray(at, at + (steps + 1) * k), steps, gradient);
    return loss;
  }

  private sequence(x: Float64Array, T: number, g: Parameters): number {
    const { k, hidden, M, p } = this;
    const P = p['by']!.length;
    const raw = new Float64Array(T * P);
    const h = hidden.map((H) => new Float64Array((T + 1) * H)); // h[-1] = 0 comes first
    for (let t = 0; t < T; t++) {
      const input = x.subarray(t * k, (t + 1) * k);
      for (const [n, H] of hidden.entries()) {
        const now = h[n]!.subarray((t + 1) * H, (t + 2) * H);
        now.set(p[`b${n}`]!);
        multiply(p[`Wx${n}`]!, input, now);
        if (n > 0) multiply(p[`Wd${n}`]!, h[n - 1]!.subarray((t + 1) * hidden[n - 1]!, (t + 2) * hidden[n - 1]!), now);
        multiply(p[`Wh${n}`]!, h[n]!.subarray(t * H, (t + 1) * H), now);
        for (let i = 0; i < H; i++) now[i] = Math.tanh(now[i]!);
      }
      const y = raw.subarray(t * P, (t + 1) * P);
      y.set(p['by']!);
      for (const [n, H] of hidden.entries()) multiply(p[`Wy${n}`]!, h[n]!.subarray((t + 1) * H, (t + 2) * H), y);
    }
    const logDensity = new Float64Array(T);
    const dRaw = new Float64Array(T * P);
    this.head.lossGradient(raw, x.subarray(k), logDensity, new Float64Array(T * M), dRaw, new Float64Array(T * k));

    const next = hidden.map((H) => new Float64Array(H)); // dLoss/da of the step after
    for (let t = T - 1; t >= 0; t--) {
      const input = x.subarray(t * k, (t + 1) * k);
      const y = dRaw.subarray(t * P, (t + 1) * P);
      for (let i = 0; i < P; i++) g['by']![i]! += y[i]!;
      for (let n = hidden.length - 1; n >= 0; n--) {
        const H = hidden[n]!;
        const now = h[n]!.subarray((t + 1) * H, (t + 2) * H);
        const e = new Float64Array(H);
        multiplyTransposed(p[`Wy${n}`]!, y, e);
        multiplyTransposed(p[`Wh${n}`]!, next[n]!, e);
        if (n + 1 < hidden.length) multiplyTransposed(p[`Wd${n + 1}`]!, next[n + 1]!, e);
        for (let i = 0; i < H; i++) e[i]! *= 1 - now[i]! * now[i]!;
        addOuter(y, now, g[`Wy${n}`]!);
        addOuter(e, h[n]!.subarray(t * H, (t + 1) * H), g[`Wh${n}`]!);
        addOuter(e, input, g[`Wx${n}`]!);
        if (n > 0) {
          const below = hidden[n - 1]!;
          addOuter(e, h[n - 1]!.subarray((t + 1) * below, (t + 2) * below), g[`Wd${n}`]!);
        }
        for (let i = 0; i < H; i++) g[`b${n}`]![i]! += e[i]!;
        next[n] = e;
      }
    }
    let loss = 0;
    for (let t = 0; t < T; t++) loss -= logDensity[t]!;
    return loss;
  }
}

/** y += W v */
export function multiply(W: Float64Array, v: Float64Array, y: Float64Array): void {
  for (let i = 0, at = 0; i < y.length; i++) {
    let s = 0;
    for (let j = 0; j < v.length; j++) s += W[at++]! * v[j]!;
    y[i]! += s;
  }
}
/** y += Wᵀ v */
export function multiplyTransposed(W: Float64Array, v: Float64Array, y: Float64Array): void {
  for (let i = 0, at = 0; i < v.length; i++) for (let j = 0; j < y.length; j++) y[j]! += W[at++]! * v[i]!;
}
/** W += u vᵀ */
export function addOuter(u: Float64Array, v: Float64Array, W: Float64Array): void {
  for (let i = 0, at = 0; i < u.length; i++) for (let j = 0; j < v.length; j++) W[at++]! += u[i]! * v[j]!;
}
