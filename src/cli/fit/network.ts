/** Fits to sequences: mixture-density-network. */

import { access, constants, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type Backend, MixtureDensityNetwork, SeqlikError, type TrainingProgress } from '../../index.ts';
import type { Held } from '../../table/buffer.ts';
import { ioError } from '../../table/errors.ts';
import { architectureText, short } from '../describe.ts';
import { misuse } from '../exit.ts';
import { asOption, refuse, sequencesWanted } from '../options.ts';
import { duration, Progress } from '../progress.ts';
import { Walk, widthOf } from '../walk.ts';
import { writing } from '../write.ts';
import {
  checked,
  type FitOptions,
  type Fitted,
  type Fitting,
  networkSettings,
  rowSettings,
  settingsOf,
} from './kind.ts';

const own: readonly string[] = networkSettings;
const foreign = rowSettings.filter((name) => !own.includes(name));

export class NetworkFitting implements Fitting {
  readonly wanted: Fitting['wanted'];
  private readonly options: FitOptions;
  private readonly settings: Omit<Parameters<typeof MixtureDensityNetwork.fit>[1], 'dimension'>;
  private resumed: Uint8Array | undefined;
  constructor(options: FitOptions, backend: Backend) {
    refuse(options, ['sampleWeights', ...foreign]);
    const { binary = 0, checkpoint, output } = options;
    if (checkpoint === '-') throw misuse('--checkpoint is a file of its own, not stdout');
    if (checkpoint !== undefined && resolve(checkpoint) === resolve(output))
      throw misuse('--checkpoint and -o name the same file');
    this.options = options;
    this.wanted = sequencesWanted(options, binary);
    // `hidden` and `components` may be missing: the library says so
    this.settings = { ...settingsOf(options, networkSettings), backend } as typeof this.settings;
  }
  async check(): Promise<void> {
    const { resume, checkpoint, binary = 0 } = this.options;
    if (checkpoint !== undefined)
      await access(dirname(resolve(checkpoint)), constants.W_OK).catch((error) => {
        throw ioError('write', checkpoint, error);
      });
    if (resume !== undefined)
      this.resumed = await readFile(resume).catch((error) => {
        throw ioError('read', resume, error);
      });
    const dimension = 2 + (Number.isInteger(binary) ? Math.max(binary, 0) : 0); // right for all mappings
    const fit = MixtureDensityNetwork.fit([], { ...this.settings, dimension, ...this.checkpoint() });
    await checked(fit.catch((error) => this.told(error)));
  }
  async run(held: Held, file: string): Promise<Fitted> {
    const { names, counts } = held;
    const lengths = held.lengths();
    const values = held.take().x;
    const watched = watching(this.options.progress);
    const { model, report } = await MixtureDensityNetwork.fit(
      { values, lengths },
      {
        ...this.settings,
        dimension: names.length,
        columns: names,
        ...this.checkpoint(),
        onProgress: watched.update,
      },
    )
      .catch((error) => this.told(error, file))
      .finally(watched.stop);
    const { iterations, converged, bestIteration, validationHistory, warnings } = report;
    const steps = lengths.reduce((sum, length) => sum + length - 1, 0);
    const logLikelihood = await logLikelihoodOf(model, values, lengths);
    const logLikelihoodPerStep = logLikelihood / steps;
    const heldOutPerStep = validationHistory?.[bestIteration];
    const parameters = model.parameterCount;
    const best = validationHistory ? `, the best was epoch ${bestIteration}` : '';
    const heldOutText = heldOutPerStep === undefined ? '' : `, held out ${short(heldOutPerStep)}`;
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
        `log-likelihood per step ${short(logLikelihoodPerStep)}${heldOutText}`,
        ...warnings.map((warning) => `warning: ${warning}`),
      ],
    };
  }

  private checkpoint(): { checkpoint?: NonNullable<Parameters<typeof MixtureDensityNetwork.fit>[1]['checkpoint']> } {
    const { resumed, options } = this;
    const { checkpoint: path } = options;
    if (resumed === undefined && path === undefined) return {};
    const save = (bytes: Uint8Array): Promise<void> => writing(path!, (write) => write(bytes));
    return { checkpoint: { ...(resumed && { resume: resumed }), ...(path !== undefined && { save }) } };
  }
  /** In the words of the command line. Of a divergence, the checkpoint is saved. */
  private async told(error: unknown, file?: string): Promise<never> {
    if (!(error instanceof SeqlikError)) throw error;
    const { code, message, argument, reason, checkpoint } = error;
    const { checkpoint: path, resume } = this.options;
    const said = (text: string): SeqlikError => new SeqlikError(code, text, { ...error, cause: error });
    const text = message.replace(/\bMixtureDensityNetwork\.fit: /g, '');
    if (argument === 'checkpoint') throw said(`--resume ${resume} is of another fit: ${reason}`);
    if (argument === 'checkpoint.resume') throw said(text.replace('checkpoint.resume', resume!));
    if (file === undefined) throw error;
    if (code === 'EMPTY_INPUT') throw said(`${file}: no sequence has two rows`);
    if (code === 'NON_FINITE' || code === 'NOT_POSITIVE_DEFINITE') throw said(`${file}: ${text}`);
    if (code !== 'DIVERGED') throw asOption(error);
    const saved = checkpoint !== undefined && path !== undefined;
    if (saved) await writing(path, (write) => write(checkpoint as Uint8Array));
    const place = saved ? `is in ${path}` : 'would be in the file of --checkpoint';
    const options = text.replace('is attached', place).replace('learningRate or clip', '--learning-rate or --clip');
    throw said(`${file}: ${options}`);
  }
}

/** Of all sequences, in short calls, between which a signal is heard. */
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

function watching(shown: boolean): { update: (progress: TrainingProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let known = '';
  return {
    update: ({ iteration, maxIterations, batch, batches, loss, heldOut, secondsLeft }) => {
      bar ??= new Progress(shown, maxIterations * batches, 'told');
      if (heldOut !== undefined) known = `, held out ${short(heldOut)}`;
      const text = `epoch ${iteration}, loss ${short(loss)}${known}`;
      bar.update((iteration - 1) * batches + batch, text, duration(secondsLeft));
    },
    stop: () => bar?.stop(),
  };
}
