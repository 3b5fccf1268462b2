/** Inspection of two-layer classifiers: their cross-entropy and accuracy on DATA with targets. */
import type { TwoLayerClassifier } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import type { DataChoice } from '../options.ts';
import { overflowText } from '../recurrent.ts';
import { columnsFrom, rowsWithTargets } from '../two-layer.ts';
import { allOverflow, Unscorable } from '../unscorable.ts';
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
  private readonly unscorable = new Unscorable();
  constructor(
    private readonly model: TwoLayerClassifier,
    options: TargetChoice,
  ) {
    this.wanted = rowsWithTargets(model, options);
  }
  add({ x: block, n, lines }: Block): void {
    const { inputs, outputs } = this.model;
    const width = inputs + outputs;
    const { logits } = this.model.predict(columnsFrom(block, width, 0, inputs), { unscorable: 'mark' });
    const scored = (_: number, at: number): boolean => !isLost(Math.floor(at / width));
    const isLost = (row: number): boolean => logits[row * outputs] === Number.NEGATIVE_INFINITY;
    for (let row = 0; row < n; row++) if (isLost(row)) this.unscorable.add(lines[row]!);
    const x = block.filter(scored);
    const y = columnsFrom(x, width, inputs, outputs);
    this.crossEntropy += this.model.loss(columnsFrom(x, width, 0, inputs), y);
    const own = logits.filter((logit) => logit !== Number.NEGATIVE_INFINITY);
    for (let i = 0; i < y.length; i++) this.right += Number(own[i]! > 0 === y[i]! > 0.5);
    this.rows += n;
  }
  finish(file: string): Fitness {
    const { rows, crossEntropy } = this;
    if (rows === 0) throw fileError('EMPTY_INPUT', file, 'it has no rows');
    const { count: unscorable } = this.unscorable;
    if (unscorable === rows) throw fileError('NON_FINITE', file, allOverflow);
    const targets = (rows - unscorable) * this.model.outputs;
    const [crossEntropyPerTarget, accuracy] = [crossEntropy / targets, this.right / targets];
    return {
      fitness: { rows, targets, ...(unscorable > 0 && { unscorable }), crossEntropy, crossEntropyPerTarget, accuracy },
      lines: [
        `${file}: ${counted(rows, 'row')}, ${counted(targets, 'target')}`,
        ...this.unscorable.lines(overflowText),
        `cross-entropy per target  ${formatNumber(crossEntropyPerTarget)}`,
        `on the right side of ½    ${formatNumber(100 * accuracy)} %`,
      ],
    };
  }
}
