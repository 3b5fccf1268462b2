/** Rows on their way to a model, a block at a time: what the readers of both formats fill. */
import { SeqlikError } from '../errors.ts';
import { Groups } from './groups.ts';

const ROWS = 8192;
const VALUES = 2 ** 19; // the most numbers of a block, so that wide rows take no more memory

export interface Block {
  readonly columns: readonly string[];
  readonly n: number;
  /** [n, columns.length], NaN where nothing was. */
  readonly x: Float64Array;
  /** How many values of x are NaN. */
  readonly gaps: number;
  /** What to keep of each row [n, keptWidth], as it was written; undefined where nothing was. */
  readonly kept: readonly (string | undefined)[];
  readonly keptWidth: number;
  /** The rows that begin a sequence. */
  readonly starts: readonly number[];
  /** Where each row stood [n]. */
  readonly lines: Float64Array;
}
/** What is to be read of each row. */
export interface Wanted {
  /** Numbers; undefined: all columns there are. */
  readonly columns?: readonly string[];
  /** One more, the last of the numbers, which is none of "all". */
  readonly weights?: string;
  /** How many numbers a row must have. */
  readonly dimension?: number;
  readonly keep: readonly string[];
  /** The column that says which sequence a row is of: none of "all". Else all rows are one. */
  readonly sequence?: string;
  /** No number may be missing, and the last so many are 0 or 1. */
  readonly complete?: { readonly binary: number };
  /** Values per row of what is computed of a block, if more than its numbers. */
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
  /** Of the row that is read. */
  number(at: number, value: number): void {
    this.x[this.n * this.width + at] = value;
  }
  keep(at: number, text: string | undefined): void {
    this.kept[this.n * this.keptWidth + at] = text;
  }
  /** Why a number cannot be of this row, if so. */
  refusal(at: number, value: number): string | undefined {
    if (!this.complete) return undefined;
    if (Number.isNaN(value)) return 'the value is missing, which this kind of model does not know';
    const binary = at >= this.width - this.complete.binary;
    return binary && value !== 0 && value !== 1 ? `${value} is neither 0 nor 1 (--binary)` : undefined;
  }
  /** That row ends. Says what is wrong with its sequence, if anything; then it is not taken. */
  next(line: number, gaps: number): string | undefined {
    const begins = this.groups.next(this.kept[this.n * this.keptWidth + this.sequenceAt]);
    if (typeof begins === 'string') return begins;
    if (begins) this.starts.push(this.n);
    this.gaps += gaps;
    this.lines[this.n++] = line;
    if (this.n < this.rows) return undefined;
    this.full.push(this.block());
    this.start();
    return undefined;
  }
  /** The blocks that are full, once. */
  take(): Block[] {
    const { full } = this;
    this.full = [];
    return full;
  }
  /** The rows that make no full block yet. */
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

/** The names of the numbers: those wanted, or `all` there are; checked. */
export function numbersOf(file: string, wanted: Wanted, all: readonly string[]): string[] {
  const { weights, sequence, dimension, complete } = wanted;
  const columns = wanted.columns ?? all.filter((name) => name !== weights && name !== sequence);
  if (dimension !== undefined && columns.length !== dimension)
    throw new SeqlikError(
      'DIMENSION_MISMATCH',
      `${file}: it has ${columns.length} columns, the model ${dimension}: say which ones with --columns`,
      { file },
    );
  if (columns.length === 0) throw new SeqlikError('EMPTY_INPUT', `${file}: it has no columns`, { file });
  if (complete && complete.binary >= columns.length)
    throw new SeqlikError(
      'INVALID_ARGUMENT',
      `binary must be less than the number of columns, ${columns.length}, not ${complete.binary}`,
      { argument: 'binary' },
    );
  return weights === undefined ? [...columns] : [...columns, weights];
}

/** The names of what is kept of each row. */
export const keptOf = ({ keep, sequence }: Wanted): readonly string[] =>
  sequence === undefined || keep.includes(sequence) ? keep : [...keep, sequence];
