/** Inspection of networks. */
import { diagnose, type MixtureDensityNetwork } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import { sequencesFor, Walk } from '../network.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { FirstRows, reportOf, svgSetting } from './diagnosis.ts';
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
  private readonly first: FirstRows;
  constructor(
    private readonly model: MixtureDensityNetwork,
    options: DataChoice & SequenceChoice,
  ) {
    this.wanted = sequencesFor(model, options);
    this.walk = new Walk(model);
    this.first = new FirstRows(model.dimension);
  }
  add({ x, n, starts }: Block): void {
    for (const value of this.walk.next(x, n, starts)) if (!Number.isNaN(value)) this.logLikelihood += value;
    this.first.add(x, n, starts);
    this.rows += n;
    this.sequences += starts.length;
  }
  finish(file: string): Fitness {
    const { rows, sequences, logLikelihood } = this;
    const steps = rows - sequences;
    if (steps === 0) throw fileError('EMPTY_INPUT', file, 'no sequence has two rows');
    const logLikelihoodPerStep = logLikelihood / steps;
    const { sequences: first } = this.first;
    const found = first.lengths.some((length) => length > 2) ? diagnose(this.model, first) : undefined;
    return {
      ...(found && reportOf(found)),
      fitness: { rows, sequences, steps, logLikelihood, logLikelihoodPerStep },
      lines: [
        `${file}: ${counted(sequences, 'sequence')}, ${counted(rows, 'row')}, ${counted(steps, 'step')}`,
        `log-likelihood per step  ${formatNumber(logLikelihoodPerStep)}`,
        `log-likelihood           ${formatNumber(logLikelihood)}`,
      ],
    };
  }
}
