/** Sequences on their way through a network: the numbers of a batch to the bit, in the memory of a block. */
import { type MixtureDensityNetwork, type Real, SeqlikError } from '../index.ts';

/** A row as soon as its sequence goes on, and the states of the layers before it. */
type Carried = () => { readonly row: Float64Array; readonly states: readonly Real[] };

export class Walk {
  private carried: Carried | undefined;
  constructor(private readonly model: MixtureDensityNetwork) {}

  /**
   * Log densities of the rows x [n, dimension] that follow those before; NaN for the `starts`, which begin a sequence.
   * Throws what the model throws, with `row` an index into n; nothing is taken in then.
   */
  next(x: Float64Array, n: number, starts: readonly number[]): Float64Array {
    const { model } = this;
    const d = model.dimension;
    if (n === 0) return new Float64Array();
    const before = starts[0] === 0 ? undefined : this.carried!();
    const bounds = [...(before ? [0] : []), ...starts, n];
    const lengths = Int32Array.from(bounds.slice(1), (end, s) => end - bounds[s]!);
    let values = x.subarray(0, n * d);
    if (before) {
      lengths[0]!++;
      values = new Float64Array((n + 1) * d);
      values.set(before.row);
      values.set(x.subarray(0, n * d), d);
    }
    const states = this.statesOf(lengths.length, before?.states);
    const begins = new Set(starts);
    const { logDensity, hidden } = this.forward(values, lengths, states, begins);
    const last = lengths.at(-1)!;
    const rows = values.subarray(values.length - last * d);
    this.carried = () => ({
      row: rows.subarray((last - 1) * d),
      states:
        model.cell === 'lstm'
          ? this.stepped(rows, last - 1, states)
          : hidden.map((h, layer) => {
              const H = model.hidden[layer]!;
              return last > 1 ? h.subarray(h.length - H) : states[layer]!.subarray(states[layer]!.length - H);
            }),
    });
    let term = 0;
    return Float64Array.from({ length: n }, (_, row) => (begins.has(row) ? Number.NaN : logDensity[term++]!));
  }

  /** Zeros [S, width] per layer, but for the sequence that goes on. */
  private statesOf(S: number, first: readonly Real[] | undefined): Float64Array[] {
    const { hidden, cell } = this.model;
    return hidden.map((H, layer) => {
      const states = new Float64Array(S * (cell === 'lstm' ? 2 * H : H));
      if (first) states.set(first[layer]!);
      return states;
    });
  }
  private forward(values: Float64Array, lengths: Int32Array, initialState: Real[], begins: ReadonlySet<number>) {
    try {
      return this.model.forward({ values, lengths }, { initialState });
    } catch (error) {
      if (!(error instanceof SeqlikError) || error.row === undefined) throw error;
      let row = 0; // of the block, that has this term
      for (let term = error.row; begins.has(row) || term-- > 0; ) row++;
      throw new SeqlikError(error.code, error.message, { ...error, row, cause: error });
    }
  }
  /** `forward` does not tell the cells of an lstm: once more, row by row. */
  private stepped(rows: Float64Array, count: number, states: readonly Float64Array[]): readonly Float64Array[] {
    const { model } = this;
    const d = model.dimension;
    let state = { hidden: model.hidden.map((H, layer) => states[layer]!.slice(-2 * H)) } as ReturnType<
      typeof model.start
    >;
    for (let i = 0; i < count; i++) state = model.step(state, rows.slice(i * d, (i + 1) * d)).state;
    return state.hidden;
  }
}

/**
 * Numbers per row for which a block leaves room: what a pass computes of a row; and so many that the work of a block is
 * some 1e8 multiplications, so that a signal does not wait long.
 */
export function widthOf(model: MixtureDensityNetwork): number {
  const units = model.hidden.reduce((sum, H) => sum + H, 0);
  return Math.max(model.outputs + 8 * units, Math.ceil(model.parameterCount / 200));
}
