/** Scores of two-layer classifiers: a line for each row, the probabilities of its targets. */
import type { TwoLayerClassifier } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { overflowText } from '../recurrent.ts';
import { labelsOf, rowsFor } from '../two-layer.ts';
import { type Formats, type ScoreKind, type ScoreOptions, Scores } from './kind.ts';

export const twoLayerScore: ScoreKind<TwoLayerClassifier> = {
  options: [],
  start: (model, options, formats) => new ProbabilityScores(model, options, formats),
};

class ProbabilityScores extends Scores {
  readonly wanted: Scores['wanted'];
  protected override readonly describeUnscorable = overflowText;
  /** The text for outputs that overflow. */
  private readonly none: string;
  constructor(
    private readonly model: TwoLayerClassifier,
    options: ScoreOptions,
    formats: Formats,
  ) {
    super(
      options.keep,
      labelsOf(model).map((label) => `probability_${label}`),
      formats,
    );
    this.wanted = rowsFor(model, options);
    this.none = formats.to === 'csv' ? '' : 'null';
  }
  protected linesFor(block: Block, n: number): string {
    const { inputs, outputs } = this.model;
    const { logits, probabilities } = this.model.predict(block.x.subarray(0, n * inputs), { unscorable: 'mark' });
    const isLost = (row: number): boolean => logits[row * outputs] === Number.NEGATIVE_INFINITY;
    for (let row = 0; row < n; row++) if (isLost(row)) this.countUnscorable(block.lines[row]!);
    return this.join(
      block,
      Array.from({ length: outputs }, (_, j) =>
        Array.from({ length: n }, (_, row) => (isLost(row) ? this.none : probabilities[row * outputs + j]!)),
      ),
    );
  }
}
