/**
 * All that a training needs to go on to the same bits, as bytes: docs/format.md § training-checkpoint. The batches and
 * the learning rates are not in it: they follow from the seed and from the course so far.
 */
import { choice } from '../check.ts';
import { decode, encode, malformed, orMalformed, refuseOthers, sizeOf, type Tensors, tensorOf } from '../file.ts';
import { optimizerOf, optimizers } from './optimizer.ts';

/** The state between two epochs. Nobody writes to its typed arrays; the histories grow with the training. */
export interface Checkpoint {
  readonly parameters: Float64Array;
  /** Of the optimiser, by name. */
  readonly optimizer: Readonly<Record<string, Float64Array>>;
  readonly history: number[];
  /** What is known of held-out examples, if there are any, and the parameters that were best on them. */
  readonly validation: { readonly history: number[]; readonly best: Float64Array } | undefined;
  /** What has to be the same to go on. Among it the number of `parameters` and the `heldOutTerms`, which tell what else
   * a file has to hold. */
  readonly signature: Readonly<Record<string, string>>;
}

const KIND = 'training-checkpoint';
const SETTING = 'setting.'; // before the names of a signature
const STATE = 'optimizer.'; // before the names of the optimiser's arrays

export function checkpointBytes({ parameters, optimizer, history, validation, signature }: Checkpoint): Uint8Array {
  const tensors: Tensors = Object.fromEntries(
    Object.entries({
      parameters,
      history,
      ...(validation && { best: validation.best, validationHistory: validation.history }),
      ...prefixed(STATE, optimizer),
    }).map(([name, values]) => [name, { shape: [values.length], values: Float64Array.from(values) }]),
  );
  return encode(KIND, prefixed(SETTING, signature), tensors);
}
const prefixed = <V>(prefix: string, record: Readonly<Record<string, V>>): Record<string, V> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [prefix + name, value]));

/** The inverse. Throws FORMAT (tensor, reason), INVALID_ARGUMENT (no bytes). */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const file = decode(bytes, KIND);
  const signature = Object.fromEntries(
    Object.entries(file.metadata).flatMap(([name, text]) =>
      name.startsWith(SETTING) ? [[name.slice(SETTING.length), text]] : [],
    ),
  );
  const vector = (name: string, size: number): Float64Array => tensorOf(file, name, [size]);
  const parameters = vector('parameters', Number(signature['parameters']));
  const history = vector('history', sizeOf(file, 'history', 1));
  if (history.length === 0) throw malformed('its history is empty', 'history');
  const judged = signature['heldOutTerms'] !== '0';
  const optimizer = orMalformed(() => choice('checkpoint', 'optimizer', signature['optimizer'], optimizers));
  const state = prefixed(STATE, optimizerOf(optimizer, 0, parameters.length).state);
  refuseOthers(file, [
    'parameters',
    'history',
    ...(judged ? ['best', 'validationHistory'] : []),
    ...Object.keys(state),
  ]);
  return {
    parameters,
    optimizer: Object.fromEntries(
      Object.entries(state).map(([name, { length }]) => [name.slice(STATE.length), vector(name, length)]),
    ),
    history: [...history],
    validation: judged
      ? { history: [...vector('validationHistory', history.length)], best: vector('best', parameters.length) }
      : undefined,
    signature,
  };
}
