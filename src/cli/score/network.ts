/** Scores of networks: a line for each row, given those before it in its sequence, or a line for each sequence. */
import type { MixtureDensityNetwork } from '../../index.ts';
import { type Block, keptOf } from '../../table/blocks.ts';
import { type SequenceChoice, sequencesFor, Walk } from '../network.ts';
import { type Formats, perSequenceOption, type ScoreKind, type ScoreOptions, Scores, sequenceSetting } from './kind.ts';

interface SequenceOptions extends ScoreOptions, SequenceChoice {
  readonly perSequence?: true;
}

export const networkScore: ScoreKind<MixtureDensityNetwork> = {
  options: [sequenceSetting, perSequenceOption],
  start: (model, options, formats) => new SequenceScores(model, options, formats),
};

class SequenceScores extends Scores {
  readonly wanted: Scores['wanted'];
  private readonly walk: Walk;
  private readonly perSequence: boolean;
  /** The text for the density of the first row of a sequence, which has none. */
  private readonly none: string;
  /** The sequence read last: the beginning of its line, and the sum over its steps so far. */
  private open: { begin: string; steps: number; logLikelihood: number } | undefined;
  constructor(
    private readonly model: MixtureDensityNetwork,
    options: SequenceOptions,
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
  override finish(): string {
    if (!this.open) return '';
    const { begin, steps, logLikelihood } = this.open;
    const [beforeSteps, beforeTotal] = this.form.before.slice(-2);
    this.open = undefined;
    return `${begin}${beforeSteps}${steps}${beforeTotal}${logLikelihood}${this.form.end}`;
  }

  protected linesFor(block: Block, n: number): string {
    const starts = block.starts.filter((row) => row < n);
    const logDensity = this.walk.next(block.x.subarray(0, n * this.model.dimension), n, starts);
    if (this.perSequence) return this.addUp(block, logDensity);
    return this.join(block, [Array.from(logDensity, (value) => (Number.isNaN(value) ? this.none : value))]);
  }
  /** The lines of the sequences that have ended. */
  private addUp(block: Block, logDensity: Float64Array): string {
    let text = '';
    for (const [row, value] of logDensity.entries())
      if (Number.isNaN(value)) {
        text += this.finish();
        this.open = { begin: this.beginLine(block, row), steps: 0, logLikelihood: 0 };
      } else {
        this.open!.steps++;
        this.open!.logLikelihood += value;
      }
    return text;
  }
}
