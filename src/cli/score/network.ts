/** A line for each row, given those before it in its sequence; or, with --per-sequence, for each sequence. */

import type { MixtureDensityNetwork } from '../../index.ts';
import { type Block, keptOf } from '../../table/blocks.ts';
import { sequencesFor } from '../inputs.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { Walk } from '../walk.ts';
import { type Formats, Scores } from './lines.ts';

interface Options extends DataChoice, SequenceChoice {
  readonly keep: readonly string[];
  readonly perSequence?: true;
}

export class SequenceScores extends Scores {
  readonly wanted: Scores['wanted'];
  private readonly walk: Walk;
  private readonly perSequence: boolean;
  /** How it is written that the first row of a sequence has no density. */
  private readonly none: string;
  /** The sequence that was read last: the beginning of its line, and the densities of its steps so far. */
  private open: { begin: string; steps: number; logLikelihood: number } | undefined;
  constructor(
    private readonly model: MixtureDensityNetwork,
    options: Options,
    formats: Formats,
  ) {
    const { keep, perSequence = false } = options;
    const wanted = sequencesFor(model, options);
    const kept = perSequence ? keptOf({ ...wanted, keep }) : keep;
    super(kept, perSequence ? ['steps', 'logLikelihood'] : ['logDensity'], formats);
    this.wanted = wanted;
    this.walk = new Walk(model);
    this.perSequence = perSequence;
    this.none = formats.to === 'csv' ? '' : 'null';
  }
  /** The line of the last sequence. */
  override end(): string {
    if (!this.open) return '';
    const { begin, steps, logLikelihood } = this.open;
    const [beforeSteps, beforeTotal] = this.form.before.slice(-2);
    this.open = undefined;
    return `${begin}${beforeSteps}${steps}${beforeTotal}${logLikelihood}${this.form.end}`;
  }

  protected lines(block: Block, n: number): string {
    const starts = block.starts.filter((row) => row < n);
    const logDensity = this.walk.next(block.x.subarray(0, n * this.model.dimension), n, starts);
    if (this.perSequence) return this.totals(block, logDensity);
    return this.text(block, [Array.from(logDensity, (value) => (Number.isNaN(value) ? this.none : value))]);
  }
  /** The lines of the sequences that have ended. */
  private totals(block: Block, logDensity: Float64Array): string {
    let text = '';
    for (const [row, value] of logDensity.entries())
      if (Number.isNaN(value)) {
        text += this.end();
        this.open = { begin: this.begin(block, row), steps: 0, logLikelihood: 0 };
      } else {
        this.open!.steps++;
        this.open!.logLikelihood += value;
      }
    return text;
  }
}
