/** The options of every fit by gradients, checked: what loop.ts runs on. */
import * as check from '../check.ts';
import { argumentError, SeqlikError } from '../errors.ts';
import { fixedBuffer, tagOf } from '../memory.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { type OptimizerName, optimizers } from './optimizer.ts';
import { type Schedule, schedules } from './schedule.ts';

/** Where a training stands, told after each batch, and once more after each epoch with what that gave. */
export interface TrainingProgress {
  /** The epoch, from 1. */
  iteration: number;
  maxIterations: number;
  /** Batches of this epoch done, of `batches`. */
  batch: number;
  batches: number;
  /** Mean loss per term over the batches of this epoch so far, each as it was before its step. */
  loss: number;
  /** After an epoch: log-likelihood of the training examples. */
  logLikelihood?: number;
  /** After an epoch: log-likelihood per term of the held-out examples, if there are any. */
  heldOut?: number;
  learningRate: number;
  /** An estimate for all epochs; an early end is not foreseen. */
  secondsLeft: number;
}
export interface CheckpointOptions {
  /** Go on from what `save` or an error DIVERGED gave, to the bits of a training that was never interrupted. The data and
   * the settings have to be the same; learningRate, tolerance, maxIterations (but with schedule 'cosine') and patience
   * (but with 'plateau') may differ. */
  readonly resume?: Uint8Array;
  /** Called between epochs, waited for; what it throws ends the fit. */
  readonly save?: (bytes: Uint8Array, iteration: number) => void | Promise<void>;
  /** Epochs from one save to the next, the last epoch is always saved; default 1. */
  readonly every?: number;
}
export interface TrainingOptions {
  /** Default adam. */
  readonly optimizer?: OptimizerName;
  /** Of sgd, 0 <= momentum < 1; default 0.9. */
  readonly momentum?: number;
  /** Of the loss per term; default 1e-2. */
  readonly learningRate?: number;
  /** Of the learning rate over the epochs: 'constant', 'cosine' (to a hundredth), 'plateau' (default: halved after each
   * patience/2 epochs without a better value). */
  readonly schedule?: Schedule;
  /** Examples of a step; default 32. */
  readonly batch?: number;
  /** The longest a gradient of the loss per term may be, in Euclidean norm; default 5, 0 = any. */
  readonly clip?: number;
  /** Fraction of the examples that is held out to find the best epoch; default 0.1, 0 = none. */
  readonly validation?: number;
  /** Stop after so many epochs in a row that are not better on the held-out examples; default 10. */
  readonly patience?: number;
  /** Epochs; default 100. */
  readonly maxIterations?: number;
  /** Stop when the training log-likelihood moves by less than tolerance (1 + |it|) in an epoch; default 0 = never. */
  readonly tolerance?: number;
  /** 0 .. 2^32-1, default 0; the same seed gives the same result on one engine. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly checkpoint?: CheckpointOptions;
}
/** Their names, for check.options. */
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

/** Options that were checked. */
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

/** `given` is what check.options returned. Throws INVALID_ARGUMENT, FORMAT (checkpoint.resume). */
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
    ...checkpointing(where, given.checkpoint),
  };
}
function checkpointing(where: string, value: unknown): Pick<TrainingSettings, 'resume' | 'save' | 'every'> {
  if (value === undefined) return { every: 1 };
  // each is read once: a getter may say something else the next time
  const { resume, save, every = 1 } = check.fields(where, 'checkpoint', value, ['resume', 'save', 'every']);
  check.callback(where, 'checkpoint.save', save);
  return {
    every: check.count(where, 'checkpoint.every', every),
    ...(save !== undefined && { save: save as NonNullable<TrainingSettings['save']> }),
    ...(resume !== undefined && { resume: resumed(where, resume) }),
  };
}
/** Read at once: the bytes are the caller's. */
function resumed(where: string, bytes: unknown): Checkpoint {
  const argument = 'checkpoint.resume';
  if (tagOf(bytes) !== 'Uint8Array' || !fixedBuffer(bytes as Uint8Array))
    throw new SeqlikError(
      'INVALID_ARGUMENT',
      `${where}: checkpoint.resume must be a Uint8Array on memory that is neither shared nor resizable, not ${check.describe(bytes)}`,
      { argument },
    );
  try {
    return readCheckpoint(bytes as Uint8Array);
  } catch (error) {
    if (!(error instanceof SeqlikError)) throw error;
    const { code, message, tensor, reason } = error;
    const place = { ...(tensor !== undefined && { tensor }), ...(reason !== undefined && { reason }) };
    throw new SeqlikError(code, `${where}: checkpoint.resume: ${message}`, { argument, ...place, cause: error });
  }
}
