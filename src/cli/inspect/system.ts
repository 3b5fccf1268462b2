/** Inspection of linear dynamical systems. */
import type { LinearDynamicalSystem } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { Counts } from '../../table/counts.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { SystemWalk, systemRows } from '../system.ts';
import { allFar, Unscorable } from '../unscorable.ts';
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
  private readonly unscorable = new Unscorable();
  constructor(
    private readonly model: LinearDynamicalSystem,
    options: DataChoice & SequenceChoice,
  ) {
    this.wanted = systemRows(model, options);
    this.walk = new SystemWalk(model, 'mark');
  }
  add(block: Block): void {
    const { x, n, starts } = block;
    for (const [row, value] of this.walk.next(x, n, starts).entries())
      if (value === Number.NEGATIVE_INFINITY) this.unscorable.add(block.lines[row]!);
      else this.logLikelihood += value;
    this.counts.add(block, this.model.dimension);
    this.sequences += starts.length;
  }
  finish(file: string): Fitness {
    const { sequences, logLikelihood, model } = this;
    const { rows, observed, gaps } = this.counts;
    if (observed === 0) throw fileError('EMPTY_INPUT', file, 'no row holds an observation');
    const { count: unscorable } = this.unscorable;
    const scored = observed - unscorable;
    if (scored <= 0) throw fileError('NON_FINITE', file, allFar);
    const parameters = model.parameterCount;
    const bic = -2 * logLikelihood + parameters * Math.log(scored);
    const aic = -2 * logLikelihood + 2 * parameters;
    const meanLogDensity = logLikelihood / scored;
    return {
      fitness: {
        rows,
        observedRows: observed,
        gaps,
        sequences,
        ...(unscorable > 0 && { unscorable }),
        logLikelihood,
        meanLogDensity,
        parameters,
        bic,
        aic,
      },
      lines: [
        `${file}: ${counted(sequences, 'sequence')}, ${counted(rows, 'row')}, ${rows - observed} of them empty, ${counted(gaps, 'gap')}`,
        ...this.unscorable.lines(),
        `mean log-density  ${formatNumber(meanLogDensity)}`,
        `log-likelihood    ${formatNumber(logLikelihood)}`,
        `BIC               ${formatNumber(bic)}`,
        `AIC               ${formatNumber(aic)}  (${parameters} parameters)`,
      ],
    };
  }
}
