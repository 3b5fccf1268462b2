/** Inspection of networks. */
import type { MixtureDensityNetwork } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { type SequenceChoice, sequencesFor, Walk } from '../network.ts';
import { type DataChoice, sequenceOption } from '../options.ts';
import type { Evaluation, Fitness, InspectKind } from './kind.ts';

export const networkInspection: InspectKind<MixtureDensityNetwork> = {
  options: [sequenceOption],
  start: (model, options) => new SequenceEvaluation(model, options),
};

class SequenceEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private readonly walk: Walk;
  private rows = 0;
  private sequences = 0;
  private logLikelihood = 0;
  constructor(model: MixtureDensityNetwork, options: DataChoice & SequenceChoice) {
    this.wanted = sequencesFor(model, options);
    this.walk = new Walk(model);
  }
  add({ x, n, starts }: Block): void {
    for (const value of this.walk.next(x, n, starts)) if (!Number.isNaN(value)) this.logLikelihood += value;
    this.rows += n;
    this.sequences += starts.length;
  }
  finish(file: string): Fitness {
    const { rows, sequences, logLikelihood } = this;
    const steps = rows - sequences;
    if (steps === 0) throw fileError('EMPTY_INPUT', file, 'no sequence has two rows');
    const logLikelihoodPerStep = logLikelihood / steps;
    return {
      fitness: { rows, sequences, steps, logLikelihood, logLikelihoodPerStep },
      lines: [
        `${file}: ${sequences} sequences, ${rows} rows, ${steps} steps`,
        `log-likelihood per step  ${formatNumber(logLikelihoodPerStep)}`,
        `log-likelihood           ${formatNumber(logLikelihood)}`,
      ],
    };
  }
}
