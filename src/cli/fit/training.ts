/** Parts that all fits by gradients share: the options of a training run, its checkpoints, its progress. */
import { access, constants, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { type CheckpointOptions, SeqlikError, type TrainingOptions, type TrainingProgress } from '../../index.ts';
import { ioError, rephrase } from '../../table/errors.ts';
import { formatNumber } from '../align.ts';
import { toOptionError, usageError } from '../errors.ts';
import { number, numbers } from '../options.ts';
import { durationText, Progress } from '../progress.ts';
import { writeTo } from '../write.ts';
import { settingsOf } from './kind.ts';

export const trainingSettings = settingsOf<TrainingOptions>({
  optimizer: ['<name>', 'adam or sgd (default: adam)'],
  momentum: ['<m>', 'momentum of sgd (default: 0.9)', number],
  learningRate: ['<r>', 'learning rate for the loss per step (default: 1e-2)', number],
  schedule: ['<name>', 'schedule of the learning rate: constant, cosine or plateau (default: plateau)'],
  batch: ['<n>', 'number of sequences per step of the optimizer (default: 32)', number],
  clip: ['<c>', 'maximum length of a gradient; 0 for no limit (default: 5)', number],
  patience: ['<n>', 'number of epochs without improvement after which to stop (default: 10)', number],
});
export const hiddenSetting = settingsOf<{ readonly hidden: unknown }>({
  hidden: ['<a,b,c>', 'number of units of each layer; a classifier has one', numbers],
});
export const classWeightsSetting = settingsOf<{ readonly classWeights: unknown }>({
  classWeights: ['<a,b,c>', 'weight of each target in the loss (default: 1)', numbers],
});
export const checkpointOptions: readonly Option[] = [
  new Option('--checkpoint <file>', 'where to save, after each epoch, all that is needed to go on'),
  new Option('--resume <file>', 'go on from such a file'),
];
export interface CheckpointChoice {
  readonly checkpoint?: string;
  readonly resume?: string;
}

/** The files of --checkpoint and --resume. */
export class CheckpointFiles {
  private resumed: Uint8Array | undefined;
  constructor(private readonly choice: CheckpointChoice & { readonly output: string }) {
    const { checkpoint, output } = choice;
    if (checkpoint === '-') throw usageError('--checkpoint is a file of its own, not stdout');
    if (checkpoint !== undefined && resolve(checkpoint) === resolve(output))
      throw usageError('--checkpoint and -o name the same file');
  }
  /** Reads the file to go on from, before a large file is read. */
  async open(): Promise<void> {
    const { resume, checkpoint } = this.choice;
    if (checkpoint !== undefined)
      await access(dirname(resolve(checkpoint)), constants.W_OK).catch((error) => {
        throw ioError('write', checkpoint, error);
      });
    if (resume !== undefined)
      this.resumed = await readFile(resume).catch((error) => {
        throw ioError('read', resume, error);
      });
  }
  /** The option of the fit. */
  options(): { readonly checkpoint?: CheckpointOptions } {
    const { resumed } = this;
    const { checkpoint: path } = this.choice;
    if (resumed === undefined && path === undefined) return {};
    const save = (bytes: Uint8Array): Promise<void> => writeTo(path!, (write) => write(bytes));
    return { checkpoint: { ...(resumed && { resume: resumed }), ...(path !== undefined && { save }) } };
  }
  /** An error about the file of --resume, in the words of the command line; any other error as it is. */
  toResumeError(error: unknown): unknown {
    if (!(error instanceof SeqlikError)) return error;
    const { argument, reason, cause } = error;
    const { resume } = this.choice;
    if (argument === 'checkpoint') return rephrase(error, `--resume ${resume} is of another fit: ${reason}`);
    if (argument === 'checkpoint.resume') return rephrase(error, `${resume}: ${(cause as Error).message}`);
    return error;
  }
  /** An error of the fit to `file`, in the words of the command line, `nothing` those of EMPTY_INPUT. After a divergence
   * it saves the checkpoint. */
  async toUserError(thrown: unknown, file: string, nothing: string): Promise<unknown> {
    const error = this.toResumeError(thrown);
    if (!(error instanceof SeqlikError) || error !== thrown) return error;
    const { code, message, sentence = message } = error;
    if (code === 'EMPTY_INPUT') return rephrase(error, `${file}: ${nothing}`);
    if (code === 'NON_FINITE' || code === 'NOT_POSITIVE_DEFINITE') return rephrase(error, `${file}: ${sentence}`);
    if (code === 'DIVERGED') return rephrase(error, `${file}: ${error.reason}; ${await this.saveDiverged(error)}`);
    return toOptionError(error);
  }
  /** Saves the last checkpoint of a fit that diverged. Returns the remedy, for the message. */
  private async saveDiverged({ checkpoint, epoch }: SeqlikError): Promise<string> {
    const { checkpoint: path } = this.choice;
    if (checkpoint === undefined) return 'the initial parameters are no place to start from';
    if (path !== undefined) await writeTo(path, (write) => write(checkpoint));
    const place = path === undefined ? 'would be in the file of --checkpoint' : `is in ${path}`;
    return `the checkpoint after epoch ${epoch} ${place}; a smaller --learning-rate or --clip may help`;
  }
}

/** A bar that starts with the first progress; `lossText` says what a loss is in the words of the kind. */
export function progressBar(
  shown: boolean,
  lossText: (loss: number) => string,
): { update: (progress: TrainingProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let heldOutText = '';
  return {
    update: ({ iteration, maxIterations, batch, batches, loss, heldOut, secondsLeft }) => {
      bar ??= new Progress(shown, maxIterations * batches, 'given');
      if (heldOut !== undefined) heldOutText = `, held out ${formatNumber(heldOut)}`;
      const text = `epoch ${iteration}, ${lossText(loss)}${heldOutText}`;
      bar.update((iteration - 1) * batches + batch, text, durationText(secondsLeft));
    },
    stop: () => bar?.stop(),
  };
}
