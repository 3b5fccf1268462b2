/** Scores of recurrent classifiers: the probabilities of each target, a line for each row or for each sequence. */
import { Option } from 'commander';
import type { LossAt, RecurrentClassifier } from '../../index.ts';
import { type Block, keptOf } from '../../table/blocks.ts';
import { columnsFor } from '../inputs.ts';
import type { SequenceChoice } from '../options.ts';
import { ClassifierWalk, inputsOf, labelsOf, overflowText, refuseShared, widthOf } from '../recurrent.ts';
import { type Formats, type ScoreKind, type ScoreOptions, Scores, sequenceSetting } from './kind.ts';

interface RecurrentOptions extends ScoreOptions, SequenceChoice {
  readonly lossAt?: LossAt;
}
export const recurrentScore: ScoreKind<RecurrentClassifier> = {
  options: [
    sequenceSetting,
    new Option(
      '--loss-at <name>',
      'final: a line for each sequence, its probabilities after its last row; all: one for each row (default: as fitted)',
    ).choices(['final', 'all']),
  ],
  start: (model, options, formats) => new ProbabilityScores(model, options, formats),
};

class ProbabilityScores extends Scores {
  readonly wanted: Scores['wanted'];
  protected override readonly describeUnscorable = overflowText;
  /** The text for outputs that overflow. */
  private readonly none: string;
  private readonly walk: ClassifierWalk;
  private readonly perSequence: boolean;
  /** The line of the sequence read last, but for its probabilities and its end. */
  private begin: string | undefined;
  private last: Float64Array = new Float64Array();
  constructor(
    private readonly model: RecurrentClassifier,
    options: RecurrentOptions,
    formats: Formats,
  ) {
    const { keep, sequence = model.sequenceColumn, columns, lossAt = model.lossAt } = options;
    const perSequence = lossAt === 'final';
    refuseShared(columns, [sequence]);
    const wanted = {
      dimension: model.inputs,
      width: widthOf(model),
      ...columnsFor(inputsOf(model), columns),
      complete: { binary: 0 },
      ...(sequence && { sequence }),
    };
    const kept = perSequence ? keptOf({ ...wanted, keep }) : keep;
    super(
      kept,
      labelsOf(model).map((label) => `probability_${label}`),
      formats,
    );
    this.wanted = wanted;
    this.walk = new ClassifierWalk(model);
    this.perSequence = perSequence;
    this.none = formats.to === 'csv' ? '' : 'null';
  }
  /** The line of the last sequence. */
  override finish(): string {
    if (this.begin === undefined) return '';
    const before = this.form.before.slice(-this.model.outputs);
    const text =
      this.begin + before.map((separator, j) => separator + this.textOf(this.last[j]!)).join('') + this.form.end;
    this.begin = undefined;
    return text;
  }

  protected linesFor(block: Block, n: number): string {
    const { outputs, inputs } = this.model;
    const starts = block.starts.filter((row) => row < n);
    const { probabilities } = this.walk.next(block.x.subarray(0, n * inputs), n, starts);
    for (let row = 0; row < n; row++)
      if (Number.isNaN(probabilities[row * outputs])) this.countUnscorable(block.lines[row]!);
    if (!this.perSequence) {
      const column = (j: number) =>
        Array.from({ length: n }, (_, row) => this.textOf(probabilities[row * outputs + j]!));
      return this.join(
        block,
        Array.from({ length: outputs }, (_, j) => column(j)),
      );
    }
    let text = '';
    for (const start of starts) {
      if (start > 0) this.last = probabilities.slice((start - 1) * outputs, start * outputs);
      text += this.finish();
      this.begin = this.beginLine(block, start);
    }
    if (n > 0) this.last = probabilities.slice((n - 1) * outputs, n * outputs);
    return text;
  }
  private textOf(probability: number): string | number {
    return Number.isNaN(probability) ? this.none : probability;
  }
}
