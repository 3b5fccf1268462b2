/** Networks in every command: the columns they read, their pass over blocks, their architecture in words. */
import { type MixtureDensityNetwork, type Real, SeqlikError } from '../index.ts';
import type { Wanted } from '../table/blocks.ts';
import { rephrase } from '../table/errors.ts';
import { counted } from './errors.ts';
import { columnsFor, sequenceOf } from './inputs.ts';
import type { DataChoice, SequenceChoice } from './options.ts';

/** The rows of DATA that a network is fitted to: no gaps, 0 or 1 in the last `binary` columns. */
export function completeSequences(
  asked: { readonly columns?: readonly string[] } & SequenceChoice,
  binary: number,
): { readonly sequence?: string; readonly complete: { readonly binary: number } } {
  return { complete: { binary }, ...sequenceOf(asked) };
}
/** The rows of DATA that a stored network reads. */
export function sequencesFor(
  model: MixtureDensityNetwork,
  { columns: asked, sequence = model.sequenceColumn }: DataChoice & SequenceChoice,
): Omit<Wanted, 'keep'> {
  const columns = columnsFor(model, asked);
  const sequences = completeSequences({ ...columns, ...(sequence !== undefined && { sequence }) }, model.binary);
  return { dimension: model.dimension, width: widthOf(model), ...columns, ...sequences };
}

/** The last row so far and the states of the layers before it, computed when its sequence goes on; `lost` if they have
 * overflowed. */
type Carried = () => { readonly row: Float64Array; readonly states: readonly Real[] } | 'lost';

/** A pass of a network over sequences that come in blocks: the numbers of one batch to the bit, in the memory of a
 * block. */
export class Walk {
  private carried: Carried | undefined;
  constructor(private readonly model: MixtureDensityNetwork) {}

  /**
   * Log densities of the next rows x [n, dimension]; NaN for the rows `starts`, which begin a sequence, and -Infinity
   * for rows without a density. Throws the errors of the model, with `row` an index into n; the walk is then as it was
   * before.
   */
  next(x: Float64Array, n: number, starts: readonly number[]): Float64Array {
    const { model } = this;
    const d = model.dimension;
    if (n === 0) return new Float64Array();
    const before = starts[0] === 0 ? undefined : this.carried!();
    if (before === 'lost') {
      const end = starts[0] ?? n;
      const all = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
      if (end < n)
        all.set(
          this.next(
            x.subarray(end * d),
            n - end,
            starts.map((row) => row - end),
          ),
          end,
        );
      return all;
    }
    const bounds = [...(before ? [0] : []), ...starts, n];
    const lengths = Int32Array.from(bounds.slice(1), (end, s) => end - bounds[s]!);
    let values = x.subarray(0, n * d);
    if (before) {
      lengths[0]!++;
      values = new Float64Array((n + 1) * d);
      values.set(before.row);
      values.set(x.subarray(0, n * d), d);
    }
    const initial = this.statesOf(lengths.length, before?.states);
    const begins = new Set(starts);
    const { logDensity, hidden } = this.forward(values, lengths, initial, begins);
    const endsInZeros = (h: Real, layer: number): boolean =>
      h.subarray(h.length - model.hidden[layer]!).every((v) => v === 0);
    const last = lengths.at(-1)!;
    const rows = values.subarray(values.length - last * d);
    const overflowed = last > 1 && logDensity.at(-1) === Number.NEGATIVE_INFINITY && hidden.every(endsInZeros);
    this.carried = () => {
      const states = overflowed ? undefined : this.statesAfter(rows, last, initial, hidden);
      return states ? { row: rows.subarray((last - 1) * d), states } : 'lost';
    };
    let term = 0;
    return Float64Array.from({ length: n }, (_, row) => (begins.has(row) ? Number.NaN : logDensity[term++]!));
  }

  /** The initial states [S, width] of each layer: zeros, but for the sequence that goes on. */
  private statesOf(S: number, first: readonly Real[] | undefined): Float64Array[] {
    return this.model.start().hidden.map(({ length }, layer) => {
      const states = new Float64Array(S * length);
      if (first) states.set(first[layer]!);
      return states;
    });
  }
  private forward(values: Float64Array, lengths: Int32Array, initialState: Real[], begins: ReadonlySet<number>) {
    try {
      return this.model.forward({ values, lengths }, { initialState, unscorable: 'mark' });
    } catch (error) {
      if (!(error instanceof SeqlikError) || error.row === undefined) throw error;
      let row = 0; // of the block, with this term
      for (let term = error.row; begins.has(row) || term-- > 0; ) row++;
      throw rephrase(error, error.message, { ...error, row }); // its sentence, too
    }
  }
  /** The states before the last of `count` rows; undefined if they have overflowed. */
  private statesAfter(
    rows: Float64Array,
    count: number,
    initial: readonly Float64Array[],
    hidden: readonly Real[],
  ): readonly Real[] | undefined {
    const { model } = this;
    if (model.cell === 'lstm') return this.stepThrough(rows, count - 1, initial);
    return hidden.map((h, layer) => {
      const H = model.hidden[layer]!;
      return count > 1 ? h.subarray(h.length - H) : initial[layer]!.subarray(initial[layer]!.length - H);
    });
  }
  /** The state after `count` rows of an lstm, computed row by row, since `forward` does not return its cells. */
  private stepThrough(
    rows: Float64Array,
    count: number,
    initial: readonly Float64Array[],
  ): readonly Real[] | undefined {
    const { model } = this;
    const d = model.dimension;
    let state = model.start();
    state = { hidden: state.hidden.map(({ length }, layer) => initial[layer]!.slice(-length)) };
    try {
      for (let i = 0; i < count; i++)
        state = model.step(state, rows.slice(i * d, (i + 1) * d), { unscorable: 'mark' }).state;
    } catch (error) {
      if (!(error instanceof SeqlikError)) throw error;
      return undefined;
    }
    return state.hidden;
  }
}

/**
 * The width of a row that bounds the rows of a block: the values a pass computes per row, or more, so that a block
 * takes some 1e8 multiplications at most and a signal need not wait long.
 */
export function widthOf(model: MixtureDensityNetwork): number {
  const units = model.hidden.reduce((sum, H) => sum + H, 0);
  return Math.max(model.outputs + 8 * units, Math.ceil(model.parameterCount / 200));
}

/** The architecture in one line. */
export function architectureText(model: MixtureDensityNetwork): string {
  const { hidden, cell, components, mapping, inputSkip } = model;
  const layers = hidden.length === 1 ? `a layer of ${hidden}` : `layers of ${hidden.join(', ')}`;
  const skip = inputSkip && hidden.length > 1 ? ' that all see the input' : '';
  const mixture = `${counted(components, 'component')}, covariance ${mapping}`;
  return `${layers} ${cell} units${skip}, ${mixture}: ${model.parameterCount.toLocaleString('en')} parameters`;
}
