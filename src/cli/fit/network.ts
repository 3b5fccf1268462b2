/** Fits to sequences: mixture-density-network. */
import { access, constants, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Option } from 'commander';
import {
  type Backend,
  MixtureDensityNetwork,
  type NetworkFitOptions,
  SeqlikError,
  type TrainingProgress,
} from '../../index.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { ioError, rephrase } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { toOptionError, usageError } from '../errors.ts';
import { architectureText, completeSequences, type SequenceChoice, Walk, widthOf } from '../network.ts';
import { number, numbers, sequenceOption } from '../options.ts';
import { durationText, Progress } from '../progress.ts';
import { writeTo } from '../write.ts';
import {
  componentsSetting,
  type FitKind,
  type FitOptions,
  type Fitted,
  type Fitting,
  pickSettings,
  settingsOf,
  sharedSettings,
  validateOptions,
} from './kind.ts';

interface NetworkOptions extends FitOptions, SequenceChoice {
  readonly binary?: number;
  readonly checkpoint?: string;
  readonly resume?: string;
}

const networkSettings = [
  ...componentsSetting,
  ...sharedSettings,
  ...settingsOf<NetworkFitOptions>({
    hidden: ['<a,b,c>', 'number of units of each layer', numbers],
    cell: ['<name>', 'tanh, relu, lstm or gru (default: tanh)'],
    mapping: ['<name>', 'name of the mapping from raw outputs to covariances (default: chol-exp)'],
    binary: ['<n>', 'number of trailing binary columns (default: 0)', number],
    inputSkip: ['', 'feed the input to every layer, not to the first alone'],
    optimizer: ['<name>', 'adam or sgd (default: adam)'],
    momentum: ['<m>', 'momentum of sgd (default: 0.9)', number],
    learningRate: ['<r>', 'learning rate for the loss per step (default: 1e-2)', number],
    schedule: ['<name>', 'schedule of the learning rate: constant, cosine or plateau (default: plateau)'],
    batch: ['<n>', 'number of sequences per step of the optimizer (default: 32)', number],
    clip: ['<c>', 'maximum length of a gradient; 0 for no limit (default: 5)', number],
    validation: ['<r>', 'fraction of the sequences to hold out, to find the best epoch (default: 0.1)', number],
    patience: ['<n>', 'number of epochs without improvement after which to stop (default: 10)', number],
    minStandardDeviation: [
      '<s>',
      'least standard deviation of a component, in units of that of the data (default: 1e-3)',
      number,
    ],
  }),
];

export const networkFit: FitKind = {
  options: [
    sequenceOption,
    ...networkSettings,
    new Option('--checkpoint <file>', 'where to save, after each epoch, all that is needed to go on'),
    new Option('--resume <file>', 'go on from such a file'),
  ],
  start: (options, backend) => new NetworkFitting(options, backend),
};

class NetworkFitting implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly settings: Omit<NetworkFitOptions, 'dimension'>;
  private resumed: Uint8Array | undefined;
  constructor(
    private readonly options: NetworkOptions,
    backend: Backend,
  ) {
    const { binary = 0, checkpoint, output } = options;
    if (checkpoint === '-') throw usageError('--checkpoint is a file of its own, not stdout');
    if (checkpoint !== undefined && resolve(checkpoint) === resolve(output))
      throw usageError('--checkpoint and -o name the same file');
    this.wanted = completeSequences(options, binary);
    // `hidden` and `components` may be missing, which the library reports
    this.settings = { ...pickSettings(options, networkSettings), backend } as typeof this.settings;
  }
  async validate(): Promise<void> {
    const { resume, checkpoint, binary = 0 } = this.options;
    if (checkpoint !== undefined)
      await access(dirname(resolve(checkpoint)), constants.W_OK).catch((error) => {
        throw ioError('write', checkpoint, error);
      });
    if (resume !== undefined)
      this.resumed = await readFile(resume).catch((error) => {
        throw ioError('read', resume, error);
      });
    const dimension = 2 + (Number.isInteger(binary) ? Math.max(binary, 0) : 0); // valid for all mappings
    const fit = MixtureDensityNetwork.fit([], { ...this.settings, dimension, ...this.checkpoint() });
    await validateOptions(
      fit.catch((error) => {
        throw this.toResumeError(error);
      }),
    );
  }
  async run(rows: RowBuffer, file: string): Promise<Fitted> {
    const { names, counts } = rows;
    const lengths = rows.lengths();
    const values = rows.take().x;
    const bar = progressBar(this.options.progress);
    const { model, report } = await MixtureDensityNetwork.fit(
      { values, lengths },
      {
        ...this.settings,
        dimension: names.length,
        columns: names,
        ...this.checkpoint(),
        onProgress: bar.update,
      },
    )
      .catch(async (error) => {
        throw await this.toUserError(error, file);
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
      data: `${lengths.length} sequences of ${file} (${counts.rows} rows)`,
      lines: [
        architectureText(model),
        `${iterations} epochs${converged ? ', converged' : ''}${best}`,
        `log-likelihood per step ${formatNumber(logLikelihoodPerStep)}${heldOutText}`,
        ...warnings.map((warning) => `warning: ${warning}`),
      ],
    };
  }

  private checkpoint(): Pick<NetworkFitOptions, 'checkpoint'> {
    const { resumed, options } = this;
    const { checkpoint: path } = options;
    if (resumed === undefined && path === undefined) return {};
    const save = (bytes: Uint8Array): Promise<void> => writeTo(path!, (write) => write(bytes));
    return { checkpoint: { ...(resumed && { resume: resumed }), ...(path !== undefined && { save }) } };
  }
  /** An error about the file of --resume, in the words of the command line; any other error as it is. */
  private toResumeError(error: unknown): unknown {
    if (!(error instanceof SeqlikError)) return error;
    const { argument, reason, cause } = error;
    const { resume } = this.options;
    if (argument === 'checkpoint') return rephrase(error, `--resume ${resume} is of another fit: ${reason}`);
    if (argument === 'checkpoint.resume') return rephrase(error, `${resume}: ${(cause as Error).message}`);
    return error;
  }
  /** An error of the fit to `file`, in the words of the command line. After a divergence it saves the checkpoint. */
  private async toUserError(thrown: unknown, file: string): Promise<unknown> {
    const error = this.toResumeError(thrown);
    if (!(error instanceof SeqlikError) || error !== thrown) return error;
    const { code, message, sentence = message } = error;
    if (code === 'EMPTY_INPUT') return rephrase(error, `${file}: no sequence has two rows`);
    if (code === 'NON_FINITE' || code === 'NOT_POSITIVE_DEFINITE') return rephrase(error, `${file}: ${sentence}`);
    if (code === 'DIVERGED') return rephrase(error, `${file}: ${error.reason}; ${await this.saveDiverged(error)}`);
    return toOptionError(error);
  }
  /** Saves the last checkpoint of a fit that diverged. Returns the remedy, for the message. */
  private async saveDiverged({ checkpoint, epoch }: SeqlikError): Promise<string> {
    const { checkpoint: path } = this.options;
    if (checkpoint === undefined) return 'the initial parameters are no place to start from';
    if (path !== undefined) await writeTo(path, (write) => write(checkpoint));
    const place = path === undefined ? 'would be in the file of --checkpoint' : `is in ${path}`;
    return `the checkpoint after epoch ${epoch} ${place}; a smaller --learning-rate or --clip may help`;
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

/** A bar that starts with the first progress. */
function progressBar(shown: boolean): { update: (progress: TrainingProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let heldOutText = '';
  return {
    update: ({ iteration, maxIterations, batch, batches, loss, heldOut, secondsLeft }) => {
      bar ??= new Progress(shown, maxIterations * batches, 'given');
      if (heldOut !== undefined) heldOutText = `, held out ${formatNumber(heldOut)}`;
      const text = `epoch ${iteration}, loss ${formatNumber(loss)}${heldOutText}`;
      bar.update((iteration - 1) * batches + batch, text, durationText(secondsLeft));
    },
    stop: () => bar?.stop(),
  };
}
