/** One observation at a time: the kernel calls of a batch with one row each, prepared once, hence the same bits. */
import type { Backend } from '../../../bind.ts';
import type { Table } from '../../../contract.ts';
import type { Args, KernelSpec, Prepared } from '../../../grammar.ts';
import type { RowDistribution } from '../../density/draw.ts';
import type { Shape } from '../../density/mapping.ts';
import type { StackWeights } from '../stack/pass.ts';

/** A prepared kernel of which the inputs named here are arrays, to be written before each run. */
type Ready<R extends KernelSpec, Inputs extends keyof Args<R, 'f64'> = never> = Prepared<
  Args<R, 'f64'> & { readonly [I in Inputs]: Float64Array }
>;
type Affine = Ready<Table['dense']['affine'], 'x'>;
interface Layer {
  readonly input: Affine | undefined;
  readonly below: Affine | undefined;
  readonly cell: Ready<Table['recurrent']['forward'], 'a'>;
}

export class Online {
  private readonly layers: Layer[];
  private readonly outputs: Affine[];
  private readonly density: Ready<Table['density']['forward'], 'raw' | 'x'>;
  private readonly head: Ready<Table['density']['distribution'], 'raw'>;
  private readonly all: { dispose(): void }[] = [];

  /** `floor`: the raw value of the smallest standard deviation. Computes in f64. */
  constructor(
    backend: Backend,
    private readonly weights: StackWeights<'f64'>,
    shape: Shape,
    floor: number,
  ) {
    const { architecture } = weights;
    const { hidden, cell } = architecture;
    const { dense, recurrent, density } = backend.f64;
    const f64 = (n: number): Float64Array => new Float64Array(n);
    const keep = <P extends { dispose(): void }>(prepared: P): P => {
      this.all.push(prepared);
      return prepared;
    };
    const affine = (name: string, i: number, o: number): Affine =>
      keep(dense.affine.prepare({ n: 1, i, o }, { x: f64(i), W: weights.across(name), y: f64(o) }));
    this.layers = hidden.map((units, n) => {
      const { gates, biased, kept, carried } = architecture.sizes[n]!;
      return {
        input: architecture.seesInputs(n) ? affine(`Wx${n}`, architecture.inputs, gates) : undefined,
        below: n > 0 ? affine(`Wd${n}`, hidden[n - 1]!, gates) : undefined,
        cell: keep(
          recurrent.forward.prepare(
            { units, cell, begun: gates, inputs: 0 },
            {
              lengths: Int32Array.of(1),
              a: f64(gates),
              x: f64(0),
              Wx: f64(0),
              W: weights.across(`Wh${n}`),
              bias: biased > 0 ? weights.bias(`bh${n}`) : f64(0),
              state: f64(carried),
              saved: f64(kept),
              h: f64(units),
            },
          ),
        ),
      };
    });
    this.outputs = hidden.map((units, n) => affine(`Wy${n}`, units, architecture.outputs));
    const { gaussian: d, components: k, binary: q, mapping, dimension, outputs, values } = shape;
    const dims = { n: 1, d, k, q, mapping };
    const lowest = Float64Array.of(floor);
    this.density = keep(
      density.forward.prepare(dims, {
        raw: f64(outputs),
        x: f64(dimension),
        floor: lowest,
        logDensity: f64(1),
        r: f64(k),
      }),
    );
    this.head = keep(
      density.distribution.prepare(dims, {
        raw: f64(outputs),
        floor: lowest,
        weights: f64(k),
        L: f64(k * values),
        probabilities: f64(q),
      }),
    );
  }

  /** Computes the states after `x`, and the raw outputs that predict the next observation. */
  step(x: Float64Array, states: readonly Float64Array[]): { states: Float64Array[]; raw: Float64Array } {
    const next: Float64Array[] = [];
    let h = x;
    const layers = this.layers.map(({ input, below, cell }, n) => {
      const { a, state } = cell.args;
      a.set(this.weights.bias(`b${n}`));
      for (const [part, from] of [
        [input, x],
        [below, h],
      ] as const)
        if (part) {
          part.args.x.set(from);
          part.args.y.set(a);
          part.run();
          a.set(part.args.y);
        }
      state.set(states[n]!);
      cell.run();
      next.push(state.slice());
      h = cell.args.h;
      return h;
    });
    let raw = this.weights.bias('by');
    for (const [n, output] of this.outputs.entries()) {
      output.args.x.set(layers[n]!);
      output.args.y.set(raw);
      output.run();
      raw = output.args.y;
    }
    return { states: next, raw: raw.slice() };
  }
  /** log p(x) under raw outputs. Throws KernelFailure. */
  logDensity(raw: Float64Array, x: Float64Array): number {
    const { args } = this.density;
    args.raw.set(raw);
    args.x.set(x);
    this.density.run();
    return args.logDensity[0]!;
  }
  /** The distribution raw outputs stand for, valid until the next call. Throws KernelFailure. */
  distribution(raw: Float64Array): RowDistribution {
    this.head.args.raw.set(raw);
    this.head.run();
    return this.head.args;
  }
  dispose(): void {
    for (const prepared of this.all) prepared.dispose();
  }
}
