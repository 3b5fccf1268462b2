/** The lines of OUT that `score` makes of blocks of rows. */
import { type MixtureDensityNetwork, SeqlikError } from '../index.ts';
import type { Block, Wanted } from './blocks.ts';
import { inData } from './data.ts';
import { misuse, quoted } from './exit.ts';
import { type DataChoice, type Format, type SequenceChoice, sequencesWanted } from './options.ts';
import type { AnyModel } from './read.ts';
import { type Lines, linesOf, written } from './rows.ts';
import { widthOf } from './walk.ts';

/** The inputs by name: those asked for, else those stored with the model. */
export function columnsFor(model: AnyModel, asked?: readonly string[]): { columns?: readonly string[] } {
  if (asked && asked.length !== model.dimension)
    throw misuse(`--columns names ${asked.length} columns, the model has ${model.dimension}`);
  const columns = asked ?? model.columns;
  return columns ? { columns } : {};
}
/** What a network needs of DATA. */
export function sequencesFor(
  model: MixtureDensityNetwork,
  { columns: asked, sequence }: DataChoice & SequenceChoice,
): Omit<Wanted, 'keep'> {
  const columns = columnsFor(model, asked);
  const sequences = sequencesWanted({ ...columns, ...(sequence !== undefined && { sequence }) }, model.binary);
  return { dimension: model.dimension, width: widthOf(model), ...columns, ...sequences };
}

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
