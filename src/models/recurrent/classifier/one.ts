/**
 * One short sequence after the other, from a zero state: all four calls are prepared, as planning them anew would take
 * longer than a small classifier (24-200-3 in f32, 24 steps, avx512: 31 -> 18 µs).
 */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import type { StackWeights } from '../stack/pass.ts';
import { rowsOf } from './examples.ts';
import type { LossAt } from './parameters.ts';

/** Sequences of one length, with outputs at the same places. */
export interface OneShape {
  readonly steps: number;
  readonly lossAt: LossAt;
}
/** Multiply-adds of a sequence worth preparing: about a millisecond. */
const MOST_WORK = 2 ** 24;

export class OneSequence {
  private readonly calls: ReturnType<typeof prepare>;
  constructor(
    backend: Backend,
    weights: StackWeights,
    readonly shape: OneShape,
  ) {
    this.calls = prepare(backend, weights, shape);
  }
  static suits({ steps, lossAt }: OneShape, inputs: number, hidden: number): boolean {
    return steps > 0 && rowsOf(lossAt, steps) > 0 && steps * hidden * (hidden + inputs) < MOST_WORK;
  }
  /** Where the inputs [steps, inputs] go. */
  get x(): Real {
    return this.calls.input.args.x;
  }
  /** Computes results that are valid until the next run. Throws KernelFailure. */
  run(temperature: number): { readonly logits: Real; readonly probabilities: Real } {
    const { input, layer, output, loss } = this.calls;
    input.args.y.fill(0);
    input.run();
    layer.args.a.set(input.args.y);
    layer.args.state.fill(0);
    layer.run();
    output.args.x.set(this.shape.lossAt === 'final' ? layer.args.state : layer.args.h);
    output.args.y.fill(0);
    output.run();
    const { y: logits } = output.args;
    loss.args.logits.set(logits);
    if (temperature !== 1) for (let i = 0; i < logits.length; i++) loss.args.logits[i] = logits[i]! / temperature;
    loss.run();
    return { logits, probabilities: loss.args.probabilities };
  }
  dispose(): void {
    for (const call of Object.values(this.calls)) call.dispose();
  }
}

function prepare(backend: Backend, weights: StackWeights, { steps: n, lossAt }: OneShape) {
  const { inputs, hidden, outputs: o } = weights.architecture;
  const units = hidden[0]!;
  const rows = rowsOf(lossAt, n);
  const { dense, recurrent } = backend.kernels(weights.dtype);
  const array = (length: number): Real => weights.array(length);
  const [Wx, Wh, Wy] = [weights.across('Wx0'), weights.across('Wh0'), weights.across('Wy0')];
  const x = { x: array(n * inputs), W: Wx, y: array(n * units) };
  const step = { bias: array(0), state: array(units), saved: array(0), h: array(n * units) };
  const given = { y: array(rows * o), weights: array(rows), classWeights: array(o) };
  const results = { loss: array(rows), probabilities: array(rows * o), dLogits: array(rows * o) };
  return {
    input: dense.affine.prepare({ n, i: inputs, o: units }, x),
    layer: recurrent.forward.prepare(
      { units, cell: 'relu', begun: units, inputs: 0 },
      { lengths: Int32Array.of(n), a: array(n * units), x: array(0), Wx: array(0), W: Wh, ...step },
    ),
    output: dense.affine.prepare({ n: rows, i: units, o }, { x: array(rows * units), W: Wy, y: array(rows * o) }),
    loss: dense.crossEntropy.prepare({ n: rows, o }, { logits: array(rows * o), ...given, ...results }),
  };
}
