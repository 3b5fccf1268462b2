/** Inspection of models of independent rows. */
import type { Block } from '../../table/blocks.ts';
import { Counts, gapsOf } from '../../table/counts.ts';
import { fileError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import type { DataChoice } from '../options.ts';
import { criteria, type RowModel, rowsFor } from '../rows.ts';
import { allFar, Unscorable } from '../unscorable.ts';
import type { Evaluation, Fitness, InspectKind } from './kind.ts';

export const rowInspection: InspectKind<RowModel> = {
  options: [],
  start: (model, options) => new RowEvaluation(model, options),
};

class RowEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private readonly counts = new Counts();
  private logLikelihood = 0;
  private readonly unscorable = new Unscorable();
  constructor(
    private readonly model: RowModel,
    options: DataChoice,
  ) {
    this.wanted = rowsFor(model, options);
  }
  add(block: Block): void {
    // one by one, as model.logLikelihood adds
    const density = this.model.logDensity(block.x, { ...gapsOf(block), unscorable: 'mark' });
    for (const [row, value] of density.entries())
      if (value === Number.NEGATIVE_INFINITY) this.unscorable.add(block.lines[row]!);
      else this.logLikelihood += value;
    this.counts.add(block, this.model.dimension);
  }
  finish(file: string): Fitness {
    const { logLikelihood } = this;
    const { rows, observed, gaps } = this.counts;
    if (observed === 0) throw fileError('EMPTY_INPUT', file, 'no row holds an observation');
    const { count: unscorable } = this.unscorable;
    const scored = observed - unscorable;
    if (scored === 0) throw fileError('NON_FINITE', file, allFar);
    const { parameters, bic, aic } = criteria(this.model, logLikelihood, scored);
    const meanLogDensity = logLikelihood / scored;
    return {
      fitness: {
        rows,
        observedRows: observed,
        gaps,
        ...(unscorable > 0 && { unscorable }),
        logLikelihood,
        meanLogDensity,
        parameters,
        bic,
        aic,
      },
      lines: [
        `${file}: ${counted(rows, 'row')}, ${rows - observed} of them empty, ${counted(gaps, 'gap')}`,
        ...this.unscorable.lines(),
        `mean log-density  ${formatNumber(meanLogDensity)}`,
        `log-likelihood    ${formatNumber(logLikelihood)}`,
        `BIC               ${formatNumber(bic)}`,
        `AIC               ${formatNumber(aic)}  (${parameters} parameters)`,
      ],
    };
  }
}
