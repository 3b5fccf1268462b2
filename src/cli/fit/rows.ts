/** Fits of models of independent rows: gaussian, gaussian-mixture. */
import { Option } from 'commander';
import {
  type Anomaly,
  type Backend,
  type FitProgress,
  type FitReport,
  Gaussian,
  type GaussianFitOptions,
  GaussianMixture,
  type MixtureFitOptions,
} from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { gapsOf } from '../../table/counts.ts';
import { toDataError } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { toOptionError, usageError } from '../errors.ts';
import { number } from '../options.ts';
import { Progress } from '../progress.ts';
import { criteria, type RowModel } from '../rows.ts';
import {
  componentsSetting,
  type FitKind,
  type FitOptions,
  type Fitted,
  type Fitting,
  pickSettings,
  restartsSetting,
  settingsOf,
  sharedSettings,
  validateOptions,
} from './kind.ts';

interface RowFitOptions extends FitOptions {
  readonly sampleWeights?: string;
}
/** The differences between kinds of independent rows. */
interface Differences<M extends RowModel> {
  readonly settings: readonly Option[];
  fit(x: Float64Array, settings: object): Promise<{ model: M; report: FitReport }>;
  /** The same model with names of its columns. */
  withColumns(model: M, columns: readonly string[]): M;
  anomaly?(model: M): Anomaly | undefined;
}

const rowSettings = [
  ...sharedSettings,
  ...restartsSetting,
  ...settingsOf<GaussianFitOptions>({
    covarianceType: ['<type>', 'full or diagonal, for a mixture also tied or spherical (default: full)'],
    regularization: ['<r>', 'added to the variances, in units of those of the data (default: 1e-6)', number],
    initialization: ['<name>', 'k-means++ or random (default: k-means++)'],
  }),
];
const weightsOption = new Option('--sample-weights <column>', 'column with the weight of each row');

export const gaussianFit = fitRows({
  settings: rowSettings,
  fit: (x, settings) => Gaussian.fit(x, settings),
  withColumns: ({ parameters, backend }, columns) => new Gaussian(parameters, { backend, columns }),
});
export const mixtureFit = fitRows({
  settings: [
    ...componentsSetting,
    ...rowSettings,
    ...settingsOf<MixtureFitOptions>({
      falsePositiveRate: ['<r>', 'fraction of DATA to flag as anomalies; stored with the mixture', number],
    }),
  ],
  fit: (x, settings) => GaussianMixture.fit(x, settings as MixtureFitOptions),
  withColumns: ({ parameters, backend, anomaly }, columns) =>
    new GaussianMixture(parameters, { backend, columns, ...(anomaly && { anomaly }) }),
  anomaly: (model) => model.anomaly,
});

function fitRows<M extends RowModel>(kind: Differences<M>): FitKind {
  return {
    options: [...kind.settings, weightsOption],
    start: (options, backend) => new RowFitting(kind, options, backend),
  };
}

class RowFitting<M extends RowModel> implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly settings: object;
  private readonly shown: boolean;
  constructor(
    private readonly kind: Differences<M>,
    options: RowFitOptions,
    backend: Backend,
  ) {
    const { columns, sampleWeights: weights, progress } = options;
    if (weights !== undefined && columns?.includes(weights))
      throw usageError(`--columns and --sample-weights both name ${weights}`);
    this.wanted = weights === undefined ? {} : { weights };
    this.settings = { ...pickSettings(options, kind.settings), backend };
    this.shown = progress;
  }
  async validate(): Promise<void> {
    await validateOptions(this.kind.fit(new Float64Array(), this.settings));
  }
  async run(rows: RowBuffer, file: string): Promise<Fitted> {
    const { kind } = this;
    const { x, sampleWeights } = rows.take();
    const { names, counts } = rows;
    const bar = progressBar(this.shown);
    const { model, report } = await kind
      .fit(x, {
        ...this.settings,
        ...(sampleWeights && { sampleWeights }),
        ...gapsOf(counts),
        dimension: names.length,
        onProgress: bar.update,
      })
      .catch((error) => {
        throw toOptionError(toDataError(error, file, names, (row) => rows.lineOf(row)));
      })
      .finally(bar.stop);
    const { observed, gaps } = counts;
    // with weights, no number of rows is right for the criteria
    const compared = sampleWeights ? undefined : criteria(model, report.logLikelihood, observed);
    const anomaly = kind.anomaly?.(model);
    const { iterations, converged, logLikelihood, warnings } = report;
    return {
      model: kind.withColumns(model, names),
      report: {
        observedRows: observed,
        gaps,
        ...report,
        history: [...report.history],
        ...compared,
        ...(anomaly && { anomaly }),
      },
      data: `${counts.rows} rows of ${file} (${counts.rows - observed} empty, ${gaps} gaps)`,
      lines: [
        `${iterations} iterations, ${converged ? 'converged' : 'not converged'}`,
        `log-likelihood ${formatNumber(logLikelihood)}${compared ? `, BIC ${formatNumber(compared.bic)}` : ''}`,
        ...(anomaly ? [`anomaly: log-density below ${formatNumber(anomaly.threshold)}`] : []),
        ...warnings.map((warning) => `warning: ${warning}`),
      ],
    };
  }
}

/** A bar that starts with the first progress. */
function progressBar(shown: boolean): { update: (progress: FitProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let iterations = 0;
  return {
    update: ({ maxIterations, restarts, logLikelihood }) => {
      bar ??= new Progress(shown, maxIterations * restarts);
      bar.update(++iterations, `iteration ${iterations}, log-likelihood ${formatNumber(logLikelihood)}`);
    },
    stop: () => bar?.stop(),
  };
}
