/** Inspection of networks. */
import type { MixtureDensityNetwork } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import { sequencesFor, Walk } from '../network.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { allFar, Unscorable } from '../unscorable.ts';
import { diagnoseFirst, FirstRows, reportOf, svgSetting } from './diagnosis.ts';
import { type Evaluation, type Fitness, type InspectKind, sequenceSetting } from './kind.ts';

export const networkInspection: InspectKind<MixtureDensityNetwork> = {
  options: [sequenceSetting, svgSetting],
  start: (model, options) => new SequenceEvaluation(model, options),
};

class SequenceEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private readonly walk: Walk;
  private rows = 0;
  private sequences = 0;
  private logLikelihood = 0;
  private readonly unscorable = new Unscorable();
  private readonly first: FirstRows;
  constructor(
    private readonly model: MixtureDensityNetwork,
    options: DataChoice & SequenceChoice,
  ) {
    this.wanted = sequencesFor(model, options);
    this.walk = new Walk(model);
    this.first = new FirstRows(model.dimension);
  }
  add({ x, n, starts, lines }: Block): void {
    for (const [row, value] of this.walk.next(x, n, starts).entries())
      if (value === Number.NEGATIVE_INFINITY) this.unscorable.add(lines[row]!);
      else if (!Number.isNaN(value)) this.logLikelihood += value;
    this.first.add(x, n, starts);
    this.rows += n;
    this.sequences += starts.length;
  }
  finish(file: string): Fitness {
    const { rows, sequences, logLikelihood } = this;
    const steps = rows - sequences;
    if (steps === 0) throw fileError('EMPTY_INPUT', file, 'no sequence has two rows');
    const { count: unscorable } = this.unscorable;
    if (unscorable === steps) throw fileError('NON_FINITE', file, allFar);
    const logLikelihoodPerStep = logLikelihood / (steps - unscorable);
    const found = diagnoseFirst(this.model, this.first, 3, unscorable);
    return {
      ...(found && reportOf(found)),
      fitness: { rows, sequences, steps, ...(unscorable > 0 && { unscorable }), logLikelihood, logLikelihoodPerStep },
      lines: [
        `${file}: ${counted(sequences, 'sequence')}, ${counted(rows, 'row')}, ${counted(steps, 'step')}`,
        ...this.unscorable.lines(),
        ...(found || unscorable === 0 ? [] : ['no diagnosis: the first rows have no gradient']),
        `log-likelihood per step  ${formatNumber(logLikelihoodPerStep)}`,
        `log-likelihood           ${formatNumber(logLikelihood)}`,
      ],
    };
  }
}
