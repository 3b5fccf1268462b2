/** Blocks of rows on their way to a model, filled by the readers of both formats. */
import { argumentError, counted } from '../errors.ts';
import { type Fault, fileError } from './errors.ts';
import { Groups } from './groups.ts';

const ROWS = 8192;
const VALUES = 2 ** 19; // most numbers in a block, so that wide rows take no more memory

export interface Block {
  readonly columns: readonly string[];
  readonly n: number;
  /** The numbers [n, columns.length], NaN where a cell was empty. */
  readonly x: Float64Array;
  /** The number of NaNs in x. */
  readonly gaps: number;
  /** The cells to keep of each row [n, keptWidth], as they were written; undefined where a cell was empty. */
  readonly kept: readonly (string | undefined)[];
  readonly keptWidth: number;
  /** The rows that begin a sequence. */
  readonly starts: readonly number[];
  /** The line of each row [n]. */
  readonly lines: Float64Array;
}
/** The parts of each row to read. */
export interface Wanted {
  /** The columns of numbers, in their order; default: all columns but `weights` and `sequence`. */
  readonly columns?: readonly string[];
  /** The weight column: appended last, not part of the default columns. */
  readonly weights?: string;
  /** The number of columns there must be. */
  readonly dimension?: number;
  /** The columns to keep as they are written. */
  readonly keep: readonly string[];
  /** The column that identifies the sequence of a row, not part of the default columns; without it all rows are
   * one sequence. */
  readonly sequence?: string;
  /** Refuses gaps, and values of the last `binary` columns that are neither 0 nor 1. */
  readonly complete?: { readonly binary: number };
  /** Values per row that are computed from a block, if more than its numbers: a wider row makes smaller blocks. */
  readonly width?: number;
}

export class Blocks {
  private x!: Float64Array;
  private n!: number;
  private gaps!: number;
  private kept!: (string | undefined)[];
  private lines!: Float64Array;
  private starts!: number[];
  private readonly rows: number;
  private readonly width: number;
  private readonly keptWidth: number;
  private readonly sequenceAt: number;
  private readonly groups: Groups;
  private readonly complete: Wanted['complete'];
  private full: Block[] = [];
  /** The rows read so far. */
  count = 0;
  constructor(
    readonly columns: readonly string[],
    wanted: Wanted,
  ) {
    const { width = 0, sequence, complete } = wanted;
    const kept = keptOf(wanted);
    this.width = columns.length;
    this.keptWidth = kept.length;
    this.sequenceAt = sequence === undefined ? -1 : kept.indexOf(sequence);
    this.groups = new Groups(sequence !== undefined);
    this.complete = complete;
    this.rows = Math.max(1, Math.min(ROWS, Math.floor(VALUES / Math.max(this.width, width, 1))));
    this.start();
  }
  /** Sets a number of the current row. */
  number(at: number, value: number): void {
    this.x[this.n * this.width + at] = value;
  }
  /** Keeps a cell of the current row. */
  keep(at: number, text: string | undefined): void {
    this.kept[this.n * this.keptWidth + at] = text;
  }
  /** The reason to refuse a number of the current row, if there is one. */
  refusal(at: number, value: number): Fault | undefined {
    if (!this.complete) return undefined;
    if (Number.isNaN(value)) return { reason: 'the value is missing, which this kind of model does not know' };
    const binary = at >= this.width - this.complete.binary;
    if (!binary || value === 0 || value === 1) return undefined;
    return { reason: `${value} is neither 0 nor 1`, argument: 'binary' };
  }
  /** Ends the current row, or returns the reason to refuse it: the place of its sequence is wrong. */
  next(line: number, gaps: number): string | undefined {
    const begins = this.groups.next(this.kept[this.n * this.keptWidth + this.sequenceAt]);
    if (typeof begins === 'string') return begins;
    if (begins) this.starts.push(this.n);
    this.gaps += gaps;
    this.lines[this.n++] = line;
    this.count++;
    if (this.n < this.rows) return undefined;
    this.full.push(this.block());
    this.start();
    return undefined;
  }
  /** The full blocks that were not taken yet. */
  take(): Block[] {
    const { full } = this;
    this.full = [];
    return full;
  }
  /** The rows of the last block, which is not full yet. */
  block(): Block {
    const { columns, n, gaps, width, keptWidth, starts } = this;
    const kept = this.kept.slice(0, n * keptWidth);
    return {
      columns,
      n,
      gaps,
      kept,
      keptWidth,
      starts,
      x: this.x.subarray(0, n * width),
      lines: this.lines.subarray(0, n),
    };
  }
  private start(): void {
    this.x = new Float64Array(this.rows * this.width);
    this.lines = new Float64Array(this.rows);
    this.kept = new Array(this.rows * this.keptWidth).fill(undefined);
    this.starts = [];
    this.n = 0;
    this.gaps = 0;
  }
}

/** The names of the columns of numbers: those wanted, or of `all`. Throws DIMENSION_MISMATCH, EMPTY_INPUT,
 * INVALID_ARGUMENT. */
export function numbersOf(file: string, wanted: Wanted, all: readonly string[]): string[] {
  const { weights, sequence, dimension, complete } = wanted;
  const columns = wanted.columns ?? all.filter((name) => name !== weights && name !== sequence);
  if (dimension !== undefined && columns.length !== dimension)
    throw argumentError('DIMENSION_MISMATCH', file, 'dimension', {
      file,
      expected: counted(dimension, 'column'),
      received: counted(columns.length, 'column'),
      sentence: `it has ${counted(columns.length, 'column')}, the model ${dimension}`,
    });
  if (columns.length === 0) throw fileError('EMPTY_INPUT', file, 'it has no columns');
  if (complete && complete.binary >= columns.length)
    throw argumentError('INVALID_ARGUMENT', file, 'binary', {
      expected: `less than the number of columns, ${columns.length}`,
      received: `${complete.binary}`,
    });
  return weights === undefined ? [...columns] : [...columns, weights];
}

/** The names of the cells that are kept of each row. */
export const keptOf = ({ keep, sequence }: Wanted): readonly string[] =>
  sequence === undefined || keep.includes(sequence) ? keep : [...keep, sequence];
