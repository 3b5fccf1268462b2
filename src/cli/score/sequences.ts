/** Scores of sequences: a line for each row, given those before it in its sequence, or a line for each sequence. */
import { Option } from 'commander';
import { type Block, keptOf } from '../../table/blocks.ts';
import type { SequenceChoice } from '../options.ts';
import { type Formats, type ScoreOptions, Scores, sequenceSetting } from './kind.ts';

export interface SequenceOptions extends ScoreOptions, SequenceChoice {
  readonly perSequence?: true;
}
export const sequenceOptions = [
  sequenceSetting,
  new Option('--per-sequence', 'a line for each sequence: its steps and log-likelihood'),
];

/** The pass of a model over sequences that come in blocks. */
interface Walk {
  /** Log densities of the next n rows x; `starts` begin a sequence. NaN where a row has none. */
  next(x: Float64Array, n: number, starts: readonly number[]): Float64Array;
}

export class SequenceScores extends Scores {
  private readonly perSequence: boolean;
  /** The text for a row without a density. */
  private readonly none: string;
  /** The text for a density of 0. */
  private readonly zero: string;
  /** The sequence read last: the beginning of its line, and the sum over its steps so far. */
  private open: { begin: string; steps: number; logLikelihood: number } | undefined;
  constructor(
    private readonly dimension: number,
    private readonly walk: Walk,
    readonly wanted: Scores['wanted'],
    { keep, perSequence }: SequenceOptions,
    formats: Formats,
  ) {
    const kept = perSequence ? keptOf({ ...wanted, keep }) : keep;
    super(kept, perSequence ? ['steps', 'logLikelihood'] : ['logDensity'], formats);
    this.perSequence = perSequence === true;
    this.none = formats.to === 'csv' ? '' : 'null';
    this.zero = formats.to === 'csv' ? '-Infinity' : 'null';
  }
  /** The line of the last sequence. */
  override finish(): string {
    if (!this.open) return '';
    const { begin, steps, logLikelihood } = this.open;
    const [beforeSteps, beforeTotal] = this.form.before.slice(-2);
    this.open = undefined;
    return `${begin}${beforeSteps}${steps}${beforeTotal}${this.textOf(logLikelihood)}${this.form.end}`;
  }

  protected linesFor(block: Block, n: number): string {
    const starts = block.starts.filter((row) => row < n);
    const logDensity = this.walk.next(block.x.subarray(0, n * this.dimension), n, starts);
    for (const [row, value] of logDensity.entries())
      if (value === Number.NEGATIVE_INFINITY) this.countUnscorable(block.lines[row]!);
    if (this.perSequence) return this.addUp(block, logDensity, new Set(starts));
    return this.join(block, [Array.from(logDensity, (value) => this.textOf(value))]);
  }
  private textOf(value: number): string | number {
    if (value === Number.NEGATIVE_INFINITY) return this.zero;
    return Number.isNaN(value) ? this.none : value;
  }
  /** The lines of the sequences that have ended. */
  private addUp(block: Block, logDensity: Float64Array, begins: ReadonlySet<number>): string {
    let text = '';
    for (const [row, value] of logDensity.entries()) {
      if (begins.has(row)) {
        text += this.finish();
        this.open = { begin: this.beginLine(block, row), steps: 0, logLikelihood: 0 };
      }
      if (Number.isNaN(value)) continue;
      this.open!.steps++;
      this.open!.logLikelihood += value;
    }
    return text;
  }
}
