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

/** The last row so far and the states of the layers before it, computed when its sequence goes on. */
type Carried = () => { readonly row: Float64Array; readonly states: readonly Real[] };

/** A pass of a network over sequences that come in blocks: the numbers of one batch to the bit, in the memory of a
 * block. */
export class Walk {
  private carried: Carried | undefined;
  constructor(private readonly model: MixtureDensityNetwork) {}

  /**
   * Log densities of the next rows x [n, dimension]; NaN for the rows `starts`, which begin a sequence. Throws the
   * errors of the model, with `row` an index into n; the walk is then as it was before.
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
          ? this.stepThrough(rows, last - 1, states)
          : hidden.map((h, layer) => {
              const H = model.hidden[layer]!;
              return last > 1 ? h.subarray(h.length - H) : states[layer]!.subarray(states[layer]!.length - H);
            }),
    });
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
      return this.model.forward({ values, lengths }, { initialState });
    } catch (error) {
      if (!(error instanceof SeqlikError) || error.row === undefined) throw error;
      let row = 0; // of the block, with this term
      for (let term = error.row; begins.has(row) || term-- > 0; ) row++;
      throw rephrase(error, error.message, { ...error, row }); // its sentence, too
    }
  }
  /** The state after `count` rows of an lstm, computed row by row, since `forward` does not return its cells. */
  private stepThrough(rows: Float64Array, count: number, states: readonly Float64Array[]): readonly Float64Array[] {
    const { model } = this;
    const d = model.dimension;
    let state = model.start();
    state = { hidden: state.hidden.map(({ length }, layer) => states[layer]!.slice(-length)) };
    for (let i = 0; i < count; i++) state = model.step(state, rows.slice(i * d, (i + 1) * d)).state;
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
