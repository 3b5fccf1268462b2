/** Inspection of recurrent classifiers: their cross-entropy and accuracy on DATA with targets. */
import { type LossAt, type RecurrentClassifier, SeqlikError } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted, usageError } from '../errors.ts';
import { columnsOf } from '../inputs.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { ClassifierWalk, inputsOf, labelsOf, overflowText, refuseShared, widthOf } from '../recurrent.ts';
import { allOverflow, Unscorable } from '../unscorable.ts';
import { diagnoseFirst, FirstRows, reportOf, svgSetting } from './diagnosis.ts';
import { type Evaluation, type Fitness, type InspectKind, sequenceSetting, targetsSetting } from './kind.ts';

interface TargetChoice extends DataChoice, SequenceChoice {
  readonly targets?: readonly string[];
}
export const recurrentInspection: InspectKind<RecurrentClassifier> = {
  options: [sequenceSetting, targetsSetting, svgSetting],
  start: (model, options) => new TargetEvaluation(model, options),
};

class TargetEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private readonly walk: ClassifierWalk;
  private readonly lossAt: LossAt;
  private readonly first: FirstRows;
  private rows = 0;
  private sequences = 0;
  private targetRows = 0;
  private crossEntropy = 0;
  private right = 0;
  private readonly unscorable = new Unscorable();
  /** Logits and targets of the last row so far, which may be the last of its sequence. */
  private open: { readonly logits: Float64Array; readonly y: Float64Array } | undefined;
  constructor(
    private readonly model: RecurrentClassifier,
    { columns: asked, targets = labelsOf(model), sequence = model.sequenceColumn }: TargetChoice,
  ) {
    const { inputs, outputs } = model;
    if (asked && asked.length !== inputs)
      throw usageError(`--columns names ${counted(asked.length, 'column')}, the model has ${inputs}`);
    if (targets.length !== outputs)
      throw usageError(`--targets names ${counted(targets.length, 'column')}, the model has ${outputs}`);
    refuseShared(asked, [...targets, sequence]);
    const columns = [...(asked ?? columnsOf(inputsOf(model))), ...targets];
    this.wanted = {
      columns,
      width: widthOf(model),
      complete: { binary: 0 },
      ...(sequence && { sequence }),
    };
    this.lossAt = model.lossAt;
    this.walk = new ClassifierWalk(model);
    this.first = new FirstRows(inputs);
  }
  add({ x, n, starts, columns, lines }: Block): void {
    const { inputs, outputs } = this.model;
    const width = inputs + outputs;
    const values = new Float64Array(n * inputs);
    const y = new Float64Array(n * outputs);
    for (let row = 0; row < n; row++) {
      values.set(x.subarray(row * width, row * width + inputs), row * inputs);
      y.set(x.subarray(row * width + inputs, (row + 1) * width), row * outputs);
    }
    const at = y.findIndex((v) => v < 0 || v > 1);
    if (at >= 0) {
      const name = columns[inputs + (at % outputs)]!;
      const reason = `${name} is ${y[at]}, and a target is from 0 to 1`;
      throw new SeqlikError('FORMAT', reason, { reason, row: Math.floor(at / outputs) });
    }
    const { logits } = this.walk.next(values, n, starts);
    const begins = new Set(starts);
    for (let row = 0; row < n; row++) {
      if (this.lossAt === 'all' || begins.has(row)) this.judge();
      const part = (all: Float64Array) => all.subarray(row * outputs, (row + 1) * outputs);
      if (Number.isNaN(logits[row * outputs])) this.unscorable.add(lines[row]!);
      this.open = { logits: part(logits), y: part(y) };
    }
    this.first.add(values, n, starts);
    this.rows += n;
    this.sequences += starts.length;
  }
  finish(file: string): Fitness {
    this.judge();
    const { rows, sequences, targetRows, crossEntropy } = this;
    const { count: unscorable } = this.unscorable;
    if (targetRows === 0 && unscorable > 0) throw fileError('NON_FINITE', file, allOverflow);
    if (targetRows === 0) throw fileError('EMPTY_INPUT', file, 'it has no rows');
    const targets = targetRows * this.model.outputs;
    const [crossEntropyPerTarget, accuracy] = [crossEntropy / targets, this.right / targets];
    const found = diagnoseFirst(this.model, this.first, 2, unscorable);
    return {
      ...(found && reportOf(found)),
      fitness: {
        rows,
        sequences,
        targets,
        ...(unscorable > 0 && { unscorable }),
        crossEntropy,
        crossEntropyPerTarget,
        accuracy,
      },
      lines: [
        `${file}: ${counted(sequences, 'sequence')}, ${counted(rows, 'row')}, ${counted(targets, 'target')}`,
        ...this.unscorable.lines(overflowText),
        ...(found || unscorable === 0 ? [] : ['no diagnosis: the first rows have no gradient']),
        `cross-entropy per target  ${formatNumber(crossEntropyPerTarget)}`,
        `on the right side of ½    ${formatNumber(100 * accuracy)} %`,
      ],
    };
  }
  /** Adds the cross-entropies of the row before: spec of the loss in docs/math/dense.md. */
  private judge(): void {
    if (!this.open) return;
    const { logits, y } = this.open;
    this.open = undefined;
    if (Number.isNaN(logits[0])) return;
    for (let j = 0; j < y.length; j++) {
      const a = logits[j]! / this.model.temperature;
      this.crossEntropy += Math.max(a, 0) - a * y[j]! + Math.log1p(Math.exp(-Math.abs(a)));
      this.right += Number(a > 0 === y[j]! > 0.5);
    }
    this.targetRows++;
  }
}
