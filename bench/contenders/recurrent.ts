/** A recurrent classifier in plain JavaScript: straight loops, one accumulator, no blocking. */
import { addOuter, multiply, multiplyTransposed } from './network.ts';

/** Complete sequences x [sequences, steps, inputs] with targets for the last step. Results go to `out`. */
export class PlainRecurrent {
  private readonly I: number;
  private readonly O: number;
  constructor(
    private readonly U: Float64Array,
    private readonly V: Float64Array,
    private readonly W: Float64Array,
    private readonly H: number,
    private readonly T: number,
  ) {
    this.I = V.length / H;
    this.O = W.length / H;
  }

  /** Logits [sequences, outputs]. */
  forward(x: Float64Array, out: Float64Array): void {
    const { T, I, O } = this;
    out.fill(0);
    for (let s = 0; s * T * I < x.length; s++) {
      const h = this.units(x.subarray(s * T * I, (s + 1) * T * I));
      multiply(this.W, h[T]!, out.subarray(s * O, (s + 1) * O));
    }
  }
  /** The loss, then its gradients by U, V and W. */
  lossGradient(x: Float64Array, y: Float64Array, out: Float64Array): void {
    const { U, W, T, H, I, O } = this;
    out.fill(0);
    const dU = out.subarray(1, 1 + H * H);
    const dV = out.subarray(1 + H * H, 1 + H * (H + I));
    const dW = out.subarray(1 + H * (H + I));
    for (let s = 0; s * T * I < x.length; s++) {
      const seq = x.subarray(s * T * I, (s + 1) * T * I);
      const h = this.units(seq);
      const a = new Float64Array(O);
      multiply(W, h[T]!, a);
      for (let j = 0; j < O; j++) {
        const target = y[s * O + j]!;
        out[0]! += Math.max(a[j]!, 0) - a[j]! * target + Math.log1p(Math.exp(-Math.abs(a[j]!)));
        a[j] = 1 / (1 + Math.exp(-a[j]!)) - target;
      }
      addOuter(a, h[T]!, dW);
      let e = new Float64Array(H);
      multiplyTransposed(W, a, e);
      for (let t = T; t > 0; t--) {
        for (let i = 0; i < H; i++) if (!(h[t]![i]! > 0)) e[i] = 0;
        if (t > 1) addOuter(e, h[t - 1]!, dU);
        addOuter(e, seq.subarray((t - 1) * I, t * I), dV);
        if (t === 1) break;
        const before = new Float64Array(H);
        multiplyTransposed(U, e, before);
        e = before;
      }
    }
  }

  /** The hidden units before the first step, zeros, and after each. */
  private units(x: Float64Array): Float64Array[] {
    const { U, V, T, H, I } = this;
    const h = [new Float64Array(H)];
    for (let t = 0; t < T; t++) {
      const now = new Float64Array(H);
      multiply(V, x.subarray(t * I, (t + 1) * I), now);
      if (t > 0) multiply(U, h[t]!, now);
      for (let i = 0; i < H; i++) now[i] = Math.max(now[i]!, 0);
      h.push(now);
    }
    return h;
  }
}
