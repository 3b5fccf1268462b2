/** One observation at a time: the rows of a batch with one row each, prepared once, hence the same bits. */
import type { Backend } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import type { Prepared } from '../../../grammar.ts';
import type { Weights } from '../stack/weights.ts';

type Args = Readonly<Record<string, Real>>;
type Ready = Prepared<Args>;
interface Layer {
  readonly input: Ready | undefined;
  readonly below: Ready | undefined;
  readonly cell: Ready;
}

export class Online {
  private readonly layers: Layer[];
  private readonly outputs: Ready[];
  private readonly density: Ready;
  private readonly head: Ready;
  private readonly all: Ready[] = [];

  /** `floor`: the raw value of the smallest standard deviation. Computes in f64. */
  constructor(
    backend: Backend,
    private readonly weights: Weights,
    floor: number,
  ) {
    const { architecture } = weights;
    const { hidden, cell, dimension, outputs: o, components: k, mapping, binary: q, head: d } = architecture;
    const { dense, recurrent, density } = backend.f64;
    const f64 = (n: number): Float64Array => new Float64Array(n);
    const ready = (prepared: unknown): Ready => {
      this.all.push(prepared as Ready);
      return prepared as Ready;
    };
    const affine = (name: string, i: number, o: number): Ready =>
      ready(dense.affine.prepare({ n: 1, i, o }, { x: f64(i), W: weights.across(name) as never, y: f64(o) }));
    this.layers = hidden.map((H, n) => {
      const gates = architecture.gates(n);
      const arrays = { a: f64(gates), state: f64(architecture.states(n)), h: f64(H) };
      const bias = (cell === 'gru' ? weights.bias(`bh${n}`) : f64(0)) as Float64Array;
      const saved = f64({ tanh: 0, relu: 0, lstm: 5 * H, gru: 4 * H }[cell]);
      const W = weights.across(`Wh${n}`) as never;
      return {
        input: architecture.sees(n) ? affine(`Wx${n}`, dimension, gates) : undefined,
        below: n > 0 ? affine(`Wd${n}`, hidden[n - 1]!, gates) : undefined,
        cell: ready(
          recurrent.forward.prepare({ units: H, cell }, { lengths: Int32Array.of(1), W, bias, saved, ...arrays }),
        ),
      };
    });
    this.outputs = hidden.map((H, n) => affine(`Wy${n}`, H, o));
    const lowest = Float64Array.of(floor);
    this.density = ready(
      density.forward.prepare(
        { n: 1, d, k, q, mapping },
        { raw: f64(o), x: f64(dimension), floor: lowest, logDensity: f64(1), r: f64(k) },
      ),
    );
    const L = f64(k * architecture.covariance);
    this.head = ready(
      density.distribution.prepare(
        { n: 1, d, k, q, mapping },
        { raw: f64(o), floor: lowest, weights: f64(k), L, probabilities: f64(q) },
      ),
    );
  }

  /** The states after `x`, and the raw outputs that foretell what comes next. */
  step(x: Real, states: readonly Real[]): { states: Float64Array[]; raw: Float64Array } {
    const next: Float64Array[] = [];
    let h: Real = x;
    const layers = this.layers.map(({ input, below, cell }, n) => {
      const { a, state } = cell.args;
      a!.set(this.weights.bias(`b${n}`));
      for (const [part, from] of [
        [input, x],
        [below, h],
      ] as const)
        if (part) {
          part.args['x']!.set(from);
          part.args['y']!.set(a!);
          part.run();
          a!.set(part.args['y']!);
        }
      state!.set(states[n]!);
      cell.run();
      next.push(state!.slice() as Float64Array);
      h = cell.args['h']!;
      return h;
    });
    let raw: Real = this.weights.bias('by');
    for (const [n, output] of this.outputs.entries()) {
      output.args['x']!.set(layers[n]!);
      output.args['y']!.set(raw);
      output.run();
      raw = output.args['y']!;
    }
    return { states: next, raw: raw.slice() as Float64Array };
  }
  /** log p(x) under raw outputs. Throws KernelFailure. */
  logDensity(raw: Real, x: Real): number {
    const { args } = this.density;
    args['raw']!.set(raw);
    args['x']!.set(x);
    this.density.run();
    return args['logDensity']![0]!;
  }
  /** The distribution raw outputs stand for, valid until the next call. Throws KernelFailure. */
  distribution(raw: Real): { weights: Real; L: Real; probabilities: Real } {
    const { args } = this.head;
    args['raw']!.set(raw);
    this.head.run();
    return { weights: args['weights']!, L: args['L']!, probabilities: args['probabilities']! };
  }
  dispose(): void {
    for (const prepared of this.all) prepared.dispose();
  }
}
