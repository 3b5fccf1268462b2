/** Inspection of two-layer classifiers: their cross-entropy and accuracy on DATA with targets. */
import type { TwoLayerClassifier } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import type { DataChoice } from '../options.ts';
import { columnsFrom, rowsWithTargets } from '../two-layer.ts';
import { type Evaluation, type Fitness, type InspectKind, targetsSetting } from './kind.ts';

interface TargetChoice extends DataChoice {
  readonly targets?: readonly string[];
}
export const twoLayerInspection: InspectKind<TwoLayerClassifier> = {
  options: [targetsSetting],
  start: (model, options) => new TargetEvaluation(model, options),
};

class TargetEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private rows = 0;
  private crossEntropy = 0;
  private right = 0;
  constructor(
    private readonly model: TwoLayerClassifier,
    options: TargetChoice,
  ) {
    this.wanted = rowsWithTargets(model, options);
  }
  add({ x, n }: Block): void {
    const { inputs, outputs } = this.model;
    const rows = columnsFrom(x, inputs + outputs, 0, inputs);
    const y = columnsFrom(x, inputs + outputs, inputs, outputs);
    this.crossEntropy += this.model.loss(rows, y);
    const { logits } = this.model.predict(rows);
    for (let i = 0; i < y.length; i++) this.right += Number(logits[i]! > 0 === y[i]! > 0.5);
    this.rows += n;
  }
  finish(file: string): Fitness {
    const { rows, crossEntropy } = this;
    if (rows === 0) throw fileError('EMPTY_INPUT', file, 'it has no rows');
    const targets = rows * this.model.outputs;
    const [crossEntropyPerTarget, accuracy] = [crossEntropy / targets, this.right / targets];
    return {
      fitness: { rows, targets, crossEntropy, crossEntropyPerTarget, accuracy },
      lines: [
        `${file}: ${rows} rows, ${targets} targets`,
        `cross-entropy per target  ${formatNumber(crossEntropyPerTarget)}`,
        `on the right side of ½    ${formatNumber(100 * accuracy)} %`,
      ],
    };
  }
}
