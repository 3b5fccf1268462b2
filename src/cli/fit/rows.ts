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
  SeqlikError,
} from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { gapsOf } from '../../table/counts.ts';
import { toDataError } from '../../table/errors.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { counted, toReadError, usageError } from '../errors.ts';
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
  type Range,
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
    initialization: ['<name>', 'short-runs, k-means++ or random (default: short-runs)'],
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
  fit: (x, settings) => GaussianMixture.fit(x, settings as MixtureFitOptions & { readonly components: number }),
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
  /** The numbers of components to choose from. */
  private readonly range: Range | undefined;
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
    const { components, ...settings } = pickSettings(options, kind.settings);
    this.range = typeof components === 'object' ? (components as Range) : undefined;
    if (this.range && weights !== undefined)
      throw usageError('--components a..b compares by BIC, which --sample-weights rule out');
    const most = this.range?.to ?? components;
    this.settings = { ...settings, ...(most !== undefined && { components: most }), backend };
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
    const { observed, gaps } = counts;
    const fit = (settings: object) =>
      kind.fit(x, {
        ...this.settings,
        ...settings,
        ...(sampleWeights && { sampleWeights }),
        ...gapsOf(counts),
        dimension: names.length,
        onProgress: bar.update,
      });
    const { model, report, candidates } = await this.choose(fit, observed)
      .catch((error) => {
        throw toReadError(toDataError(error, file, names, (row) => rows.lineOf(row)));
      })
      .finally(bar.stop);
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
        ...(candidates && { candidates }),
        ...compared,
        ...(anomaly && { anomaly }),
      },
      data: `${counted(counts.rows, 'row')} of ${file} (${counts.rows - observed} empty, ${counted(gaps, 'gap')})`,
      lines: [
        ...(candidates ? tableOf(candidates) : []),
        `${counted(iterations, 'iteration')}, ${converged ? 'converged' : this.unconverged(iterations)}`,
        `log-likelihood ${formatNumber(logLikelihood)}${compared ? `, BIC ${formatNumber(compared.bic)}` : ''}`,
        ...(anomaly ? [`anomaly: log-density below ${formatNumber(anomaly.threshold)}`] : []),
        ...warnings.map((warning) => `warning: ${warning}`),
      ],
    };
  }
  /** The fit, or the best by BIC of those with each number of components; ones whose components collapse are left out. */
  private async choose(run: (settings: object) => Promise<{ model: M; report: FitReport }>, observed: number) {
    if (!this.range) return { ...(await run({})), candidates: undefined };
    const candidates: Candidate[] = [];
    let best: { model: M; report: FitReport } | undefined;
    for (let components = this.range.from; components <= this.range.to; components++)
      try {
        const fitted = await run({ components });
        const { logLikelihood, converged } = fitted.report;
        const { bic, parameters } = criteria(fitted.model, logLikelihood, observed);
        if (candidates.every((other) => !(other.bic! <= bic))) best = fitted;
        candidates.push({ components, parameters, logLikelihood, bic, converged });
      } catch (error) {
        if (!best || !(error instanceof SeqlikError) || error.component === undefined) throw error;
        candidates.push({ components });
      }
    return { ...best!, candidates };
  }
  /** Advice after a fit that did not converge. */
  private unconverged(iterations: number): string {
    const { maxIterations = 500, tolerance = 3e-7 } = this.settings as {
      readonly maxIterations?: number;
      readonly tolerance?: number;
    };
    if (iterations < maxIterations || tolerance === 0) return 'not converged';
    return `not converged: --max-iterations ${5 * Math.max(maxIterations, 20)} goes on, a larger --tolerance stops before`;
  }
}

/** A fit that was compared; without results if its components collapsed. */
interface Candidate {
  readonly components: number;
  readonly parameters?: number;
  readonly logLikelihood?: number;
  readonly bic?: number;
  readonly converged?: boolean;
}
/** A line per candidate, the one of the least BIC marked. */
function tableOf(candidates: readonly Candidate[]): string[] {
  const least = Math.min(...candidates.flatMap(({ bic }) => bic ?? []));
  const text = (value: number | undefined): string => (value === undefined ? 'collapsed' : formatNumber(value));
  return alignColumns([
    ['components', 'parameters', 'log-likelihood', 'BIC', ''],
    ...candidates.map(({ components, parameters = '', logLikelihood, bic, converged }) => [
      `${components}`,
      `${parameters}`,
      text(logLikelihood),
      text(bic),
      bic === least ? 'best' : converged === false ? 'not converged' : '',
    ]),
  ]);
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
