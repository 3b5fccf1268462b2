/** Scores of linear dynamical systems: the log-density of each row given those before it in its sequence. */
import type { LinearDynamicalSystem } from '../../index.ts';
import { type Block, keptOf } from '../../table/blocks.ts';
import type { SequenceChoice } from '../options.ts';
import { SystemWalk, systemRows } from '../system.ts';
import { type Formats, perSequenceOption, type ScoreKind, type ScoreOptions, Scores, sequenceSetting } from './kind.ts';

interface SystemOptions extends ScoreOptions, SequenceChoice {
  readonly perSequence?: true;
}

export const systemScore: ScoreKind<LinearDynamicalSystem> = {
  options: [sequenceSetting, perSequenceOption],
  start: (model, options, formats) => new SystemScores(model, options, formats),
};

class SystemScores extends Scores {
  readonly wanted: Scores['wanted'];
  private readonly walk: SystemWalk;
  private readonly perSequence: boolean;
  /** The sequence read last: the beginning of its line, and the sum over its rows so far. */
  private open: { begin: string; steps: number; logLikelihood: number } | undefined;
  constructor(
    private readonly model: LinearDynamicalSystem,
    options: SystemOptions,
    formats: Formats,
  ) {
    const { keep, perSequence = false } = options;
    const wanted = systemRows(model, options);
    const kept = perSequence ? keptOf({ ...wanted, keep }) : keep;
    super(kept, perSequence ? ['steps', 'logLikelihood'] : ['logDensity'], formats);
    this.wanted = wanted;
    this.walk = new SystemWalk(model);
    this.perSequence = perSequence;
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
    if (!this.perSequence) return this.join(block, [logDensity]);
    const begins = new Set(starts);
    let text = '';
    for (const [row, value] of logDensity.entries()) {
      if (begins.has(row)) {
        text += this.finish();
        this.open = { begin: this.beginLine(block, row), steps: 0, logLikelihood: 0 };
      }
      this.open!.steps++;
      this.open!.logLikelihood += value;
    }
    return text;
  }
}
