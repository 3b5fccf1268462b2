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
import { counted, toReadError, usageError } from '../errors.ts';
import { number } from '../options.ts';
import { Progress } from '../progress.ts';
import { criteria, type RowModel } from '../rows.ts';
import { type Fitted as Compared, chooseByBic, chooseByHeldOut, holdOut, tableOf } from './candidates.ts';
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
  validationSetting,
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
    ...validationSetting,
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
  /** The fraction of the rows to hold out, to choose by their likelihood; otherwise by BIC. */
  private readonly validation: number | undefined;
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
    const { components, validation, ...settings } = pickSettings(options, kind.settings);
    this.range = typeof components === 'object' ? (components as Range) : undefined;
    this.validation = validation as number | undefined;
    if (validation !== undefined && !(this.validation! > 0 && this.validation! < 1))
      throw usageError(`--validation must be a number between 0 and 1, not ${validation}`);
    if (validation !== undefined && !this.range)
      throw usageError('--validation compares numbers of components: say --components a..b too');
    if (this.range && weights !== undefined && validation === undefined)
      throw usageError('--components a..b compares by BIC, which --sample-weights rule out: say --validation 0.2 too');
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
    const fit = ({ x, sampleWeights }: Rows, settings: object) =>
      kind.fit(x, {
        ...this.settings,
        ...settings,
        ...(sampleWeights && { sampleWeights }),
        ...gapsOf(counts),
        dimension: names.length,
        onProgress: bar.update,
      });
    const { model, report, candidates } = await this.choose(
      fit,
      { x, n: counts.rows, ...(sampleWeights && { sampleWeights }) },
      observed,
    )
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
  /** The fit, or the best of those with each number of components. */
  private async choose(run: (rows: Rows, settings: object) => Promise<Compared<M>>, all: Rows, observed: number) {
    const { range, validation } = this;
    if (!range) return { ...(await run(all, {})), candidates: undefined };
    const whole = (settings: object): Promise<Compared<M>> => run(all, settings);
    if (validation === undefined) return chooseByBic(range, whole, observed);
    const { kept, heldOut } = holdOut(all.n, validation, (this.settings as { readonly seed?: number }).seed ?? 0);
    const [part, rest] = [selectRows(all, kept), selectRows(all, heldOut)];
    const weight = rest.sampleWeights?.reduce((a, b) => a + b, 0) ?? rest.n;
    if (!(weight > 0)) throw usageError('--validation: the rows held out weigh nothing');
    const { x, sampleWeights } = rest;
    const how = { missing: 'nan', unscorable: 'mark', ...(sampleWeights && { sampleWeights }) } as const;
    return chooseByHeldOut(
      range,
      whole,
      (settings) => run(part, settings),
      (model) => model.logLikelihood(x, how) / weight,
    );
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

/** Rows to fit, or to compare fits by. */
interface Rows {
  readonly x: Float64Array;
  readonly n: number;
  readonly sampleWeights?: Float64Array;
}
function selectRows({ x, n, sampleWeights }: Rows, rows: Int32Array): Rows {
  const d = x.length / n;
  const own = new Float64Array(rows.length * d);
  for (const [i, row] of rows.entries()) own.set(x.subarray(row * d, (row + 1) * d), i * d);
  return {
    x: own,
    n: rows.length,
    ...(sampleWeights && { sampleWeights: Float64Array.from(rows, (row) => sampleWeights[row]!) }),
  };
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
