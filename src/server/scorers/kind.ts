/** The part of the server that every kind of model fills in. */
import type { Real } from '../../index.ts';

export type OutputName =
  | 'logDensity'
  | 'responsibilities'
  | 'component'
  | 'anomaly'
  | 'logLikelihood'
  | 'probabilities';
/** Whether there is a value for each row or for each sequence, how many, and of which type. */
export interface OutputShape {
  readonly per: 'row' | 'sequence';
  readonly width: number;
  readonly type: 'real' | 'int' | 'flag';
}
/** The values of an output, row by row: [n, width] or [sequences, width]. */
export interface Column {
  readonly values: Real | Int32Array | Uint8Array;
  readonly width: number;
  readonly per: 'row' | 'sequence';
}
export type Columns = { [O in OutputName]?: Column };
/** Rows that were checked: finite, or NaN where there are gaps. */
export interface Data {
  /** [n, dimension] */
  readonly values: Real;
  readonly n: number;
  /** Rows of each sequence, of models of sequences. */
  readonly lengths?: Int32Array;
  /** Whether some values are gaps. */
  readonly gaps: boolean;
}

export interface Scorer {
  readonly dimension: number;
  /** Whether a value may be missing. */
  readonly knowsGaps: boolean;
  /** Whether rows belong to sequences. */
  readonly ofSequences: boolean;
  readonly outputs: { readonly [O in OutputName]?: OutputShape };
  /** The outputs of a request that names none. */
  readonly standard: readonly OutputName[];
  /** The estimated multiplications for one row. */
  pricePerRow(gaps: boolean): number;
  /** Computes at once. Throws SeqlikError (row: of the data). */
  score(data: Data, outputs: readonly OutputName[]): Columns;
  /** Computes off the event loop; undefined where the model cannot. Throws as score, and ABORTED. */
  scoreAsync?(data: Data, outputs: readonly OutputName[], signal: AbortSignal): Promise<Columns> | undefined;
  /** How to take rows one after another; absent where rows are independent. */
  readonly online?: Online;
  /** An output of a whole sequence, from the values of all its rows. */
  summarise?(output: OutputName, rows: Column): Column;
}
/** The numbers of a batch to the bit, for rows that come bit by bit. */
export interface Online<State = unknown> {
  /** Outputs per row. */
  readonly outputs: { readonly [O in OutputName]?: OutputShape };
  /** Whether it computes the bits of a batch in f32, too. */
  readonly single: boolean;
  start(): State;
  /** The outputs of the next rows of one sequence, and the state after them; the given state stays as it is. */
  advance(state: State, data: Data): { readonly state: State; readonly columns: Columns };
}

export const real = (per: 'row' | 'sequence', width = 1): OutputShape => ({ per, width, type: 'real' });
/** Σ of a sequence, in order and in f64; NaN stands for a row without a term. */
export function sumOf(values: ArrayLike<number>, from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) if (!Number.isNaN(values[i])) sum += values[i]!;
  return sum;
}
/** The sums per sequence. */
export function sumsOf(values: ArrayLike<number>, lengths: Int32Array): Column {
  let from = 0;
  const sums = Float64Array.from(lengths, (length) => sumOf(values, from, (from += length)));
  return { values: sums, width: 1, per: 'sequence' };
}
/** The sum of one sequence. */
export const summariseDensity = (_: OutputName, { values }: Column): Column => ({
  values: Float64Array.of(sumOf(values, 0, values.length)),
  width: 1,
  per: 'sequence',
});
