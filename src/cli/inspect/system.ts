/** Inspection of linear dynamical systems. */
import type { LinearDynamicalSystem } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { Counts } from '../../table/counts.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { SystemWalk, systemRows } from '../system.ts';
import { type Evaluation, type Fitness, type InspectKind, sequenceSetting } from './kind.ts';

export const systemInspection: InspectKind<LinearDynamicalSystem> = {
  options: [sequenceSetting],
  start: (model, options) => new SystemEvaluation(model, options),
};

class SystemEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private readonly walk: SystemWalk;
  private readonly counts = new Counts();
  private sequences = 0;
  private logLikelihood = 0;
  constructor(
    private readonly model: LinearDynamicalSystem,
    options: DataChoice & SequenceChoice,
  ) {
    this.wanted = systemRows(model, options);
    this.walk = new SystemWalk(model);
  }
  add(block: Block): void {
    const { x, n, starts } = block;
    for (const value of this.walk.next(x, n, starts)) this.logLikelihood += value;
    this.counts.add(block, this.model.dimension);
    this.sequences += starts.length;
  }
  finish(file: string): Fitness {
    const { sequences, logLikelihood, model } = this;
    const { rows, observed, gaps } = this.counts;
    if (observed === 0) throw fileError('EMPTY_INPUT', file, 'no row holds an observation');
    const parameters = model.parameterCount;
    const bic = -2 * logLikelihood + parameters * Math.log(observed);
    const aic = -2 * logLikelihood + 2 * parameters;
    const meanLogDensity = logLikelihood / observed;
    return {
      fitness: { rows, observedRows: observed, gaps, sequences, logLikelihood, meanLogDensity, parameters, bic, aic },
      lines: [
        `${file}: ${counted(sequences, 'sequence')}, ${counted(rows, 'row')}, ${rows - observed} of them empty, ${counted(gaps, 'gap')}`,
        `mean log-density  ${formatNumber(meanLogDensity)}`,
        `log-likelihood    ${formatNumber(logLikelihood)}`,
        `BIC               ${formatNumber(bic)}`,
        `AIC               ${formatNumber(aic)}  (${parameters} parameters)`,
      ],
    };
  }
}
