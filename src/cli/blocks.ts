/** Rows on their way to a model, a block at a time: what the readers of both formats fill. */
import { type Code, SeqlikError } from '../index.ts';

const ROWS = 8192;
const VALUES = 2 ** 19; // the most numbers of a block, so that wide rows take no more memory

export interface Block {
  readonly columns: readonly string[];
  readonly n: number;
  /** [n, columns.length], NaN where nothing was. */
  readonly x: Float64Array;
  /** How many values of x are NaN. */
  readonly gaps: number;
  /** What to keep of each row [n, keep.length], as it was written; undefined where nothing was. */
  readonly kept: readonly (string | undefined)[];
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
  /** Values per row of what is computed of a block, if more than its numbers. */
  readonly width?: number;
}

export class Blocks {
  private x!: Float64Array;
  private n!: number;
  private gaps!: number;
  private kept!: (string | undefined)[];
  private lines!: Float64Array;
  private readonly rows: number;
  private readonly width: number;
  private readonly keptWidth: number;
  private full: Block[] = [];
  constructor(
    readonly columns: readonly string[],
    { keep, width = 0 }: Wanted,
  ) {
    this.width = columns.length;
    this.keptWidth = keep.length;
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
  /** That row is complete. */
  next(line: number, gaps: number): void {
    this.gaps += gaps;
    this.lines[this.n++] = line;
    if (this.n < this.rows) return;
    this.full.push(this.block());
    this.start();
  }
  /** The blocks that are full, once. */
  take(): Block[] {
    const { full } = this;
    this.full = [];
    return full;
  }
  /** The rows that make no full block yet. */
  block(): Block {
    const { columns, n, gaps, width, keptWidth } = this;
    const kept = this.kept.slice(0, n * keptWidth);
    return { columns, n, gaps, kept, x: this.x.subarray(0, n * width), lines: this.lines.subarray(0, n) };
  }
  private start(): void {
    this.x = new Float64Array(this.rows * this.width);
    this.lines = new Float64Array(this.rows);
    this.kept = new Array(this.rows * this.keptWidth).fill(undefined);
    this.n = 0;
    this.gaps = 0;
  }
}

/** The names of the numbers: those wanted, or `all` there are; checked. */
export function numbersOf(file: string, wanted: Wanted, all: readonly string[]): string[] {
  const { weights, dimension } = wanted;
  const columns = wanted.columns ?? all.filter((name) => name !== weights);
  if (dimension !== undefined && columns.length !== dimension)
    throw new SeqlikError(
      'DIMENSION_MISMATCH',
      `${file}: it has ${columns.length} columns, the model ${dimension}: say which ones with --columns`,
      { file },
    );
  if (columns.length === 0) throw new SeqlikError('EMPTY_INPUT', `${file}: it has no columns`, { file });
  return weights === undefined ? [...columns] : [...columns, weights];
}

/** What is wrong with a line of the data or with one of its cells. Lines and columns count from 1 in the message. */
export function badData(
  code: Code,
  file: string,
  line: number,
  what: string,
  column?: { readonly at?: number; readonly name: string },
): SeqlikError {
  const { at, name } = column ?? {};
  const cell = name === undefined ? '' : `, column ${at === undefined ? name : `${at + 1} (${name})`}`;
  return new SeqlikError(code, `${file}: line ${line}${cell}: ${what}`, {
    file,
    line,
    reason: what,
    ...(at !== undefined && { column: at }),
  });
}
export const notNumber = (what: string): string => `${what} is not a number (a cell not observed is left empty)`;
/** Text of a file in a message: not too long. */
export const clipped = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text);
export const quoted = (text: string): string => JSON.stringify(clipped(text));
