/** Fits to rows that know nothing of each other: gaussian, gaussian-mixture. */

import { type Backend, type FitProgress, type FitReport, Gaussian, GaussianMixture } from '../../index.ts';
import type { Held } from '../../table/buffer.ts';
import { gapsOf } from '../../table/counts.ts';
import { inData } from '../../table/errors.ts';
import { criteria } from '../criteria.ts';
import { short } from '../describe.ts';
import { misuse } from '../exit.ts';
import type { RowModel } from '../model.ts';
import { asOption, refuse } from '../options.ts';
import { Progress } from '../progress.ts';
import {
  checked,
  type FitOptions,
  type Fitted,
  type Fitting,
  type FittingOf,
  networkSettings,
  rowSettings,
  settingsOf,
} from './kind.ts';

type Fit = (x: Float64Array, settings: object) => Promise<{ model: RowModel; report: FitReport }>;
export const GaussianFitting = fittingBy((x, settings) => Gaussian.fit(x, settings));
export const MixtureFitting = fittingBy((x, settings) => GaussianMixture.fit(x, settings));

const rows: readonly string[] = rowSettings;
const foreign = networkSettings.filter((name) => !rows.includes(name));

function fittingBy(fitKind: Fit): FittingOf {
  return class implements Fitting {
    readonly wanted: Fitting['wanted'];
    private readonly settings: object;
    private readonly shown: boolean;
    constructor(options: FitOptions, backend: Backend) {
      refuse(options, ['sequence', 'checkpoint', 'resume', ...foreign]);
      const { columns, sampleWeights: weights, progress } = options;
      if (weights !== undefined && columns?.includes(weights))
        throw misuse(`--columns and --sample-weights both name ${weights}`);
      this.wanted = weights === undefined ? {} : { weights };
      this.settings = { ...settingsOf(options, rowSettings), backend };
      this.shown = progress;
    }
    async check(): Promise<void> {
      await checked(fitKind(new Float64Array(), this.settings));
    }
    async run(held: Held, file: string): Promise<Fitted> {
      const { x, sampleWeights } = held.take();
      const { names, counts } = held;
      const watched = watching(this.shown);
      const { model, report } = await fitKind(x, {
        ...this.settings,
        ...(sampleWeights && { sampleWeights }),
        ...gapsOf(counts),
        dimension: names.length,
        onProgress: watched.update,
      })
        .catch((error) => {
          throw asOption(inData(error, file, names, (row) => held.lineOf(row)));
        })
        .finally(watched.stop);
      const { rows, observed, gaps } = counts;
      // no number of rows is right for weights
      const judged = sampleWeights ? undefined : criteria(model, report.logLikelihood, observed);
      const anomaly = model instanceof GaussianMixture ? model.anomaly : undefined;
      const { iterations, converged, logLikelihood, warnings } = report;
      return {
        model: withColumns(model, names),
        report: {
          observedRows: observed,
          gaps,
          ...report,
          history: [...report.history],
          ...judged,
          ...(anomaly && { anomaly }),
        },
        data: `${rows} rows of ${file} (${rows - observed} empty, ${gaps} gaps)`,
        lines: [
          `${iterations} iterations, ${converged ? 'converged' : 'not converged'}`,
          `log-likelihood ${short(logLikelihood)}${judged ? `, BIC ${short(judged.bic)}` : ''}`,
          ...(anomaly ? [`anomaly: log-density below ${short(anomaly.threshold)}`] : []),
          ...warnings.map((warning) => `warning: ${warning}`),
        ],
      };
    }
  };
}

function watching(shown: boolean): { update: (progress: FitProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let iterations = 0;
  return {
    update: ({ maxIterations, restarts, logLikelihood }) => {
      bar ??= new Progress(shown, maxIterations * restarts);
      bar.update(++iterations, `iteration ${iterations}, log-likelihood ${short(logLikelihood)}`);
    },
    stop: () => bar?.stop(),
  };
}

function withColumns(model: RowModel, columns: readonly string[]): RowModel {
  const { backend } = model;
  if (!(model instanceof GaussianMixture)) return new Gaussian(model.parameters, { backend, columns });
  const { anomaly } = model;
  return new GaussianMixture(model.parameters, { backend, columns, ...(anomaly && { anomaly }) });
}
