/** Fits to sequences: mixture-density-network. */
import { setImmediate } from 'node:timers/promises';
import { type Backend, MixtureDensityNetwork, type NetworkFitOptions } from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import { architectureText, completeSequences, Walk, widthOf } from '../network.ts';
import type { SequenceChoice } from '../options.ts';
import { number } from '../options.ts';
import {
  componentsSetting,
  type FitKind,
  type FitOptions,
  type Fitted,
  type Fitting,
  pickSettings,
  sequenceSetting,
  settingsOf,
  sharedSettings,
  validateOptions,
  validationSetting,
} from './kind.ts';
import {
  type CheckpointChoice,
  CheckpointFiles,
  checkpointOptions,
  hiddenSetting,
  progressBar,
  trainingSettings,
} from './training.ts';

interface NetworkOptions extends FitOptions, SequenceChoice, CheckpointChoice {
  readonly binary?: number;
}

const networkSettings = [
  ...componentsSetting,
  ...sharedSettings,
  ...hiddenSetting,
  ...trainingSettings,
  ...validationSetting,
  ...settingsOf<NetworkFitOptions>({
    cell: ['<name>', 'tanh, relu, lstm or gru (default: tanh)'],
    mapping: [
      '<name>',
      'mapping from raw outputs to covariances: tanh-full, tanh-diag, chol-exp, chol-softplus, diag-exp, diag-softplus or graves (default: chol-exp)',
    ],
    binary: ['<n>', 'number of trailing binary columns (default: 0)', number],
    inputSkip: ['', 'feed the input to every layer, not to the first alone'],
    minStandardDeviation: [
      '<s>',
      'least standard deviation of a component, in units of that of the data (default: 1e-3)',
      number,
    ],
  }),
];

export const networkFit: FitKind = {
  options: [sequenceSetting, ...networkSettings, ...checkpointOptions],
  start: (options, backend) => new NetworkFitting(options, backend),
};

class NetworkFitting implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly settings: Omit<NetworkFitOptions, 'dimension'>;
  private readonly files: CheckpointFiles;
  constructor(
    private readonly options: NetworkOptions,
    backend: Backend,
  ) {
    const { binary = 0 } = options;
    this.files = new CheckpointFiles(options);
    this.wanted = completeSequences(options, binary);
    // `hidden` and `components` may be missing, which the library reports
    this.settings = { ...pickSettings(options, networkSettings), backend } as typeof this.settings;
  }
  async validate(): Promise<void> {
    const { binary = 0 } = this.options;
    await this.files.open();
    const dimension = 2 + (Number.isInteger(binary) ? Math.max(binary, 0) : 0); // valid for all mappings
    const fit = MixtureDensityNetwork.fit([], { ...this.settings, dimension, ...this.files.options() });
    await validateOptions(
      fit.catch((error) => {
        throw this.files.toResumeError(error);
      }),
    );
  }
  async run(rows: RowBuffer, file: string): Promise<Fitted> {
    const { names, counts } = rows;
    const lengths = rows.lengths();
    const values = rows.take().x;
    const bar = progressBar(this.options.progress, (loss) => `log-likelihood per step ${formatNumber(-loss)}`);
    const { model, report } = await MixtureDensityNetwork.fit(
      { values, lengths },
      {
        ...this.settings,
        dimension: names.length,
        columns: names,
        ...(this.options.sequence && { sequenceColumn: this.options.sequence }),
        ...this.files.options(),
        onProgress: bar.update,
      },
    )
      .catch(async (error) => {
        throw await this.files.toUserError(error, file, 'no sequence has two rows');
      })
      .finally(bar.stop);
    const { iterations, converged, bestIteration, validationHistory, warnings } = report;
    const steps = lengths.reduce((sum, length) => sum + length - 1, 0);
    const logLikelihood = await logLikelihoodOf(model, values, lengths);
    const logLikelihoodPerStep = logLikelihood / steps;
    const heldOutPerStep = validationHistory?.[bestIteration];
    const parameters = model.parameterCount;
    const best = validationHistory ? `, the best was epoch ${bestIteration}` : '';
    const heldOutText = heldOutPerStep === undefined ? '' : `, held out ${formatNumber(heldOutPerStep)}`;
    return {
      model,
      report: {
        sequences: lengths.length,
        steps,
        parameters,
        iterations,
        converged,
        bestIteration,
        logLikelihood,
        logLikelihoodPerStep,
        ...(heldOutPerStep !== undefined && { heldOutPerStep }),
        history: [...report.history],
        ...(validationHistory && { validationHistory: [...validationHistory] }),
        warnings,
      },
      data: `${counted(lengths.length, 'sequence')} of ${file} (${counted(counts.rows, 'row')})`,
      lines: [
        architectureText(model),
        `${counted(iterations, 'epoch')}${converged ? ', converged' : ''}${best}`,
        `log-likelihood per step ${formatNumber(logLikelihoodPerStep)}${heldOutText}`,
        ...warnings.map((warning) => `warning: ${warning}`),
      ],
    };
  }
}

/** The log-likelihood of all sequences, in short calls, between which signals are handled. */
async function logLikelihoodOf(model: MixtureDensityNetwork, x: Float64Array, lengths: Int32Array): Promise<number> {
  const d = model.dimension;
  const begins = new Set<number>();
  let rows = 0;
  for (const length of lengths) {
    begins.add(rows);
    rows += length;
  }
  const walk = new Walk(model);
  const most = Math.max(1, Math.floor(2 ** 19 / widthOf(model)));
  let sum = 0;
  for (let from = 0; from < rows; from += most) {
    const n = Math.min(most, rows - from);
    const starts = Array.from({ length: n }, (_, i) => i).filter((i) => begins.has(from + i));
    for (const value of walk.next(x.subarray(from * d, (from + n) * d), n, starts))
      if (!Number.isNaN(value)) sum += value;
    await setImmediate();
  }
  return sum;
}
