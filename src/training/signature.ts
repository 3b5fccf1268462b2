/** What has to be the same for a training to go on from a checkpoint, by name, as text. */
import { SeqlikError } from '../errors.ts';
import type { TrainingSettings } from './settings.ts';

export type Signature = Readonly<Record<string, string>>;

/**
 * All that the course of a training depends on, but the data themselves and the learning rate: after a divergence one
 * goes on with a smaller one. How long it lasts may differ as well, where the schedule does not depend on it.
 */
export function signatureOf(
  task: { readonly signature: Signature; readonly parameters: Float64Array },
  settings: TrainingSettings,
  terms: number,
  heldOutTerms: number,
): Signature {
  const { optimizer, momentum, schedule, batch, clip, validation, seed, maxIterations, patience } = settings;
  const own = {
    optimizer,
    ...(optimizer === 'sgd' && { momentum }),
    schedule,
    ...(schedule === 'cosine' && { maxIterations }),
    ...(schedule === 'plateau' && { patience }),
    batch,
    clip,
    validation,
    seed,
    parameters: task.parameters.length,
    terms,
    heldOutTerms,
  };
  const texts = Object.entries(own).map(([name, value]) => [name, String(value)] as const);
  return { ...task.signature, ...Object.fromEntries(texts) };
}

/** Throws INVALID_ARGUMENT (checkpoint; reason) for the first name that differs. */
export function matched(where: string, given: Signature, expected: Signature): void {
  for (const name of new Set([...Object.keys(expected), ...Object.keys(given)])) {
    if (given[name] === expected[name]) continue;
    const reason = `its ${name} is ${given[name] ?? 'not given'}, not ${expected[name] ?? 'given here'}`;
    throw new SeqlikError('INVALID_ARGUMENT', `${where}: checkpoint is of another training: ${reason}`, {
      argument: 'checkpoint',
      reason,
    });
  }
}
