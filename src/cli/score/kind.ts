/** The part of `score` that every kind of model fills in: the lines of OUT for blocks of rows. `impute` has such lines too. */
import type { Option } from 'commander';
import { SeqlikError } from '../../index.ts';
import type { Block, Wanted } from '../../table/blocks.ts';
import { quote, toDataError } from '../../table/errors.ts';
import type { Delimiter, Format } from '../../table/format.ts';
import { keptWriter, type Lines, linesOf } from '../../table/lines.ts';
import { usageError } from '../errors.ts';
import type { AnyModel } from '../model.ts';
import { type BackendChoice, type DataChoice, sequenceOption } from '../options.ts';
import { Unscorable } from '../unscorable.ts';

/** The options of every score. */
export interface ScoreOptions extends BackendChoice, DataChoice {
  readonly output: string;
  readonly keep: readonly string[];
  readonly progress: boolean;
}
/** An option that several kinds share. */
export const sequenceSetting = sequenceOption();
export interface ScoreKind<M extends AnyModel> {
  /** The options that this kind has beside those of every score. */
  readonly options: readonly Option[];
  start(model: M, options: ScoreOptions, formats: Formats): Scores;
}
/** The formats of DATA and of OUT. */
export interface Formats {
  readonly from: Format;
  readonly to: Format;
  /** Between the cells of OUT; default: a comma. */
  readonly delimiter?: Delimiter;
  /** The decimal mark in cells of DATA, if it is no point: OUT has points. */
  readonly decimal?: ',';
}
export abstract class Scores {
  readonly head: string;
  /** The parts of DATA it needs. */
  abstract readonly wanted: Omit<Wanted, 'keep'>;
  protected readonly form: Lines;
  private readonly unscorable = new Unscorable();
  private readonly write: (text: string | undefined) => string;
  /** The columns of OUT are those `kept` of DATA, then the model's `own`. */
  constructor(
    private readonly kept: readonly string[],
    own: readonly string[],
    { from, to, delimiter, decimal }: Formats,
  ) {
    const twice = kept.find((name) => own.includes(name));
    if (twice !== undefined) throw usageError(`OUT would have two columns ${quote(twice)}`);
    this.form = linesOf(to, [...kept, ...own], delimiter);
    this.head = this.form.head;
    this.write = keptWriter(from, to, delimiter, decimal);
  }
  /** The lines of a block; if a row has no density, the lines before it, and the failure. */
  score(block: Block, file: string): { text: string; failure?: unknown } {
    try {
      return { text: this.linesFor(block, block.n) };
    } catch (error) {
      const failure = toDataError(error, file, block.columns, (row) => block.lines[row]!);
      const row = error instanceof SeqlikError ? error.row : undefined;
      return { text: row === undefined ? '' : this.linesFor(block, row), failure };
    }
  }
  /** A message for people at the end, if there is anything to tell. */
  note(file: string): string | undefined {
    const text = this.unscorable.text(this.describeUnscorable);
    return text === undefined ? undefined : `${file}: ${text}`;
  }
  /** The words for rows that could not be scored; default: that they are too far away. */
  protected readonly describeUnscorable: ((isOne: boolean) => string) | undefined = undefined;
  /** Counts a row that could not be scored, by its line. */
  protected countUnscorable(line: number): void {
    this.unscorable.add(line);
  }

  /** The lines that are left after the last block. */
  finish(): string {
    return '';
  }

  /** The lines of the first n rows of a block. */
  protected abstract linesFor(block: Block, n: number): string;
  /** The beginning of a line: the kept cells of a row. */
  protected beginLine({ kept, keptWidth }: Block, row: number): string {
    let text = '';
    for (let j = 0; j < this.kept.length; j++) text += this.form.before[j]! + this.write(kept[row * keptWidth + j]);
    return text;
  }
  /** A line for each row: its kept cells, then the values of the model's `own` columns. */
  protected join(block: Block, own: readonly ArrayLike<number | boolean | string>[]): string {
    const { before, end } = this.form;
    const k = this.kept.length;
    let text = '';
    for (let row = 0; row < own[0]!.length; row++) {
      text += this.beginLine(block, row);
      for (let j = 0; j < own.length; j++) text += before[k + j]! + own[j]![row];
      text += end;
    }
    return text;
  }
}
