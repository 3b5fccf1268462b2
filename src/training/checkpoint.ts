/**
 * Checkpoints: the bytes from which a training run continues to the same bits (docs/format.md § training-checkpoint).
 * Batches and learning rates are not stored: they follow from the seed and from the course so far.
 */
import { choice } from '../check.ts';
import { decode, encode, malformed, orMalformed, refuseOthers, sizeOf, type Tensors, tensorOf } from '../file.ts';
import { optimizerOf, optimizers } from './optimizer.ts';

/** Facts that must not change for a training run to go on from a checkpoint, by name, as text. */
export type TrainingIdentity = Readonly<Record<string, string>>;

/** The state between two epochs. Nobody writes to its typed arrays; the histories grow with the training run. */
export interface Checkpoint {
  readonly parameters: Float64Array;
  /** The state of the optimiser, by name. */
  readonly optimizer: Readonly<Record<string, Float64Array>>;
  readonly history: number[];
  /** The history of the held-out examples, if there are any, and the parameters that were best on them. */
  readonly validation: { readonly history: number[]; readonly best: Float64Array } | undefined;
  /** Includes the number of `parameters` and the `heldOutTerms`, by which a file is checked. */
  readonly identity: TrainingIdentity;
}

const KIND = 'training-checkpoint';
const SETTING = 'setting.'; // before the names of the identity
const STATE = 'optimizer.'; // before the names of the optimiser's arrays

export function encodeCheckpoint({ parameters, optimizer, history, validation, identity }: Checkpoint): Uint8Array {
  const tensors: Tensors = Object.fromEntries(
    Object.entries({
      parameters,
      history,
      ...(validation && { best: validation.best, validationHistory: validation.history }),
      ...prefixNames(STATE, optimizer),
    }).map(([name, values]) => [name, { shape: [values.length], values: Float64Array.from(values) }]),
  );
  return encode(KIND, prefixNames(SETTING, identity), tensors);
}
const prefixNames = <V>(prefix: string, record: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));

/** The inverse of encodeCheckpoint. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (no bytes). */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const file = decode('checkpoint.resume', bytes, KIND);
  const identity = Object.fromEntries(
    Object.entries(file.metadata).flatMap(([name, text]) =>
      name.startsWith(SETTING) ? [[name.slice(SETTING.length), text]] : [],
    ),
  );
  const vector = (name: string, size: number): Float64Array => tensorOf(file, name, [size]);
  const parameters = vector('parameters', Number(identity['parameters']));
  const history = vector('history', sizeOf(file, 'history', 1));
  if (history.length === 0) throw malformed('its history is empty', 'history');
  const hasHeldOut = identity['heldOutTerms'] !== '0';
  const optimizer = orMalformed(() => choice('checkpoint', 'optimizer', identity['optimizer'], optimizers));
  const state = prefixNames(STATE, optimizerOf(optimizer, 0, parameters.length).state);
  refuseOthers(file, [
    'parameters',
    'history',
    ...(hasHeldOut ? ['best', 'validationHistory'] : []),
    ...Object.keys(state),
  ]);
  return {
    parameters,
    optimizer: Object.fromEntries(
      Object.entries(state).map(([name, { length }]) => [name.slice(STATE.length), vector(name, length)]),
    ),
    history: [...history],
    validation: hasHeldOut
      ? { history: [...vector('validationHistory', history.length)], best: vector('best', parameters.length) }
      : undefined,
    identity,
  };
}
