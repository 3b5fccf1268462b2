/** Options of every fit by gradients, and their checks; loop.ts runs on the result. */
import * as check from '../check.ts';
import { argumentError, rephrase, SeqlikError } from '../errors.ts';
import { fixedBuffer, tagOf } from '../memory.ts';
import { type Checkpoint, decodeCheckpoint } from './checkpoint.ts';
import { type OptimizerName, optimizers } from './optimizer.ts';
import { type Schedule, schedules } from './schedule.ts';

/** The state of a training run, reported after each batch, and once more after each epoch with its log-likelihoods. */
export interface TrainingProgress {
  /** The epoch, from 1. */
  iteration: number;
  /** The most epochs. */
  maxIterations: number;
  /** Batches done in this epoch, of `batches`. */
  batch: number;
  /** Batches of an epoch. */
  batches: number;
  /** Mean loss per term over the batches of this epoch so far, each as it was before its step. */
  loss: number;
  /** After an epoch: log-likelihood of the training examples. */
  logLikelihood?: number;
  /** After an epoch: log-likelihood per term of the held-out examples, if there are any. */
  heldOut?: number;
  /** The learning rate of this epoch. */
  learningRate: number;
  /** An estimate for all epochs, as if none ended the run early. */
  secondsLeft: number;
}
/** Where a training run begins, and how it is saved. */
export interface CheckpointOptions {
  /**
   * Go on from the bytes that `save` received or an error DIVERGED carries, to the bits of a training run that was
   * never interrupted. The data and the settings have to be the same; learningRate, tolerance, maxIterations (except
   * with schedule 'cosine') and patience (except with 'plateau') may differ.
   */
  readonly resume?: Uint8Array;
  /** Called and awaited between epochs; an error it throws ends the fit. */
  readonly save?: (bytes: Uint8Array, iteration: number) => void | Promise<void>;
  /** Epochs from one save to the next; default 1. The last epoch is always saved. */
  readonly every?: number;
}
/** Options of every fit by gradients. */
export interface TrainingOptions {
  /** Default adam. */
  readonly optimizer?: OptimizerName;
  /** Only with sgd: 0 <= momentum < 1; default 0.9. */
  readonly momentum?: number;
  /** Step size for the gradient of the loss per term; default 1e-2. */
  readonly learningRate?: number;
  /** The learning rate over the epochs: 'constant', 'cosine' (down to a hundredth), or 'plateau' (default: halved after
   * each patience/2 epochs without a better value). */
  readonly schedule?: Schedule;
  /** Examples per step; default 32. */
  readonly batch?: number;
  /** Largest Euclidean norm of a gradient of the loss per term; default 5, 0 = any. */
  readonly clip?: number;
  /** Fraction of the examples held out to find the best epoch; default 0.1, 0 = none. */
  readonly validation?: number;
  /** Stop after this many epochs in a row without improvement on the held-out examples; default 10. */
  readonly patience?: number;
  /** Epochs; default 100. */
  readonly maxIterations?: number;
  /** Stop when the training log-likelihood moves by less than tolerance (1 + |it|) in an epoch; default 0 = never. */
  readonly tolerance?: number;
  /** 0 .. 2^32-1, default 0; the same seed gives the same result on one engine. */
  readonly seed?: number;
  /** An abort ends the fit with ABORTED (cause: signal.reason). */
  readonly signal?: AbortSignal;
  /** Called after every batch, and once more after every epoch. */
  readonly onProgress?: (progress: TrainingProgress) => void;
  /** Saves the run between epochs, and resumes one. */
  readonly checkpoint?: CheckpointOptions;
}
/** The names of TrainingOptions, for check.options. */
export const trainingOptions = [
  'optimizer',
  'momentum',
  'learningRate',
  'schedule',
  'batch',
  'clip',
  'validation',
  'patience',
  'maxIterations',
  'tolerance',
  'seed',
  'signal',
  'onProgress',
  'checkpoint',
] as const satisfies readonly (keyof TrainingOptions)[];

/** Checked options, with their defaults filled in. */
export interface TrainingSettings {
  /** Public name of the call, for errors. */
  readonly where: string;
  readonly optimizer: OptimizerName;
  readonly momentum: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly batch: number;
  readonly clip: number;
  readonly validation: number;
  readonly patience: number;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly resume?: Checkpoint;
  readonly save?: (bytes: Uint8Array, iteration: number) => void | Promise<void>;
  readonly every: number;
}

/** Checks options; `given` comes from check.options. Throws INVALID_ARGUMENT, FORMAT (checkpoint.resume). */
export function readTraining(
  where: string,
  given: { readonly [K in (typeof trainingOptions)[number]]?: unknown },
): TrainingSettings {
  const {
    optimizer = 'adam',
    momentum = 0.9,
    learningRate = 1e-2,
    schedule = 'plateau',
    batch = 32,
    clip = 5,
    validation = 0.1,
    patience = 10,
    maxIterations = 100,
    tolerance = 0,
  } = given;
  const chosen = check.choice(where, 'optimizer', optimizer, optimizers);
  if (chosen === 'adam' && given.momentum !== undefined)
    throw argumentError('INVALID_ARGUMENT', where, 'momentum', {
      expected: 'no momentum for optimizer adam',
      received: check.describe(given.momentum),
      reason: 'is of optimizer sgd, not of adam',
    });
  return {
    where,
    optimizer: chosen,
    momentum: check.belowOne(where, 'momentum', momentum),
    learningRate: check.positive(where, 'learningRate', learningRate),
    schedule: check.choice(where, 'schedule', schedule, schedules),
    batch: check.count(where, 'batch', batch),
    clip: check.amount(where, 'clip', clip),
    validation: check.belowOne(where, 'validation', validation),
    patience: check.count(where, 'patience', patience),
    maxIterations: check.count(where, 'maxIterations', maxIterations, 0),
    tolerance: check.amount(where, 'tolerance', tolerance),
    seed: check.seed(where, given.seed),
    ...check.signal(where, given.signal),
    ...check.callback(where, 'onProgress', given.onProgress),
    ...readCheckpointOptions(where, given.checkpoint),
  };
}
function readCheckpointOptions(where: string, value: unknown): Pick<TrainingSettings, 'resume' | 'save' | 'every'> {
  if (value === undefined) return { every: 1 };
  // each is read once: a getter may say something else the next time
  const { resume, save, every = 1 } = check.fields(where, 'checkpoint', value, ['resume', 'save', 'every']);
  check.callback(where, 'checkpoint.save', save);
  return {
    every: check.count(where, 'checkpoint.every', every),
    ...(save !== undefined && { save: save as NonNullable<TrainingSettings['save']> }),
    ...(resume !== undefined && { resume: decodeResume(where, resume) }),
  };
}
/** Decodes at once: the bytes are the caller's. */
function decodeResume(where: string, bytes: unknown): Checkpoint {
  const argument = 'checkpoint.resume';
  if (tagOf(bytes) !== 'Uint8Array' || !fixedBuffer(bytes as Uint8Array))
    throw argumentError('INVALID_ARGUMENT', where, argument, {
      expected: 'a Uint8Array on memory that is neither shared nor resizable',
      received: check.describe(bytes),
    });
  try {
    return decodeCheckpoint(bytes as Uint8Array);
  } catch (error) {
    if (!(error instanceof SeqlikError)) throw error;
    throw rephrase(error, `${where}: ${argument}: ${error.message}`, { argument });
  }
}
