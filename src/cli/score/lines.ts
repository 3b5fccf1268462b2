/** The lines of OUT that `score` makes of blocks of rows. */

import { SeqlikError } from '../../index.ts';
import type { Block, Wanted } from '../../table/blocks.ts';
import { inData, quoted } from '../../table/errors.ts';
import type { Format } from '../../table/format.ts';
import { type Lines, linesOf, written } from '../../table/lines.ts';
import { misuse } from '../exit.ts';

export interface Formats {
  readonly from: Format;
  readonly to: Format;
}
export abstract class Scores {
  readonly head: string;
  /** What is needed of DATA. */
  abstract readonly wanted: Omit<Wanted, 'keep'>;
  protected readonly form: Lines;
  private readonly written: (text: string | undefined) => string;
  /** The columns of OUT are some that are `kept` of DATA, the first ones, and the model's `own`. */
  constructor(
    private readonly kept: readonly string[],
    own: readonly string[],
    { from, to }: Formats,
  ) {
    const twice = kept.find((name) => own.includes(name));
    if (twice !== undefined) throw misuse(`OUT would have two columns ${quoted(twice)}`);
    this.form = linesOf(to, [...kept, ...own]);
    this.head = this.form.head;
    this.written = written(from, to);
  }
  /** The lines of a block; up to a row without a density, if there is one: the failure. */
  of(block: Block, file: string): { text: string; failure?: unknown } {
    try {
      return { text: this.lines(block, block.n) };
    } catch (error) {
      const failure = inData(error, file, block.columns, (row) => block.lines[row]!);
      const row = error instanceof SeqlikError ? error.row : undefined;
      return { text: row === undefined ? '' : this.lines(block, row), failure };
    }
  }
  /** What is still to be written after the last block. */
  end(): string {
    return '';
  }

  protected abstract lines(block: Block, n: number): string;
  /** The beginning of a line: what is kept of a row. */
  protected begin({ kept, keptWidth }: Block, row: number): string {
    let text = '';
    for (let j = 0; j < this.kept.length; j++) text += this.form.before[j]! + this.written(kept[row * keptWidth + j]);
    return text;
  }
  /** A line for each row, of the model's own columns. */
  protected text(block: Block, own: readonly ArrayLike<number | boolean | string>[]): string {
    const { before, end } = this.form;
    const k = this.kept.length;
    let text = '';
    for (let row = 0; row < own[0]!.length; row++) {
      text += this.begin(block, row);
      for (let j = 0; j < own.length; j++) text += before[k + j]! + own[j]![row];
      text += end;
    }
    return text;
  }
}
