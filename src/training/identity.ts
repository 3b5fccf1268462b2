/** Identities of training runs: a checkpoint is only good for the run it was made in. */
import { argumentError } from '../errors.ts';
import type { TrainingIdentity } from './checkpoint.ts';
import type { TrainingSettings } from './settings.ts';

/**
 * All that the course of a training run depends on, except the data themselves and the learning rate: after a
 * divergence a run goes on with a smaller one. Its length may differ as well, where the schedule does not depend on it.
 */
export function identityOf(
  task: { readonly identity: TrainingIdentity; readonly parameters: Float64Array },
  settings: TrainingSettings,
  terms: number,
  heldOutTerms: number,
): TrainingIdentity {
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
  return { ...task.identity, ...Object.fromEntries(texts) };
}

/** Throws INVALID_ARGUMENT (checkpoint; reason) for the first name that differs. */
export function requireSame(where: string, given: TrainingIdentity, expected: TrainingIdentity): void {
  for (const name of new Set([...Object.keys(expected), ...Object.keys(given)])) {
    if (given[name] === expected[name]) continue;
    const reason = `its ${name} is ${given[name] ?? 'not given'}, not ${expected[name] ?? 'given here'}`;
    throw argumentError('INVALID_ARGUMENT', where, 'checkpoint', {
      expected: `${name} ${expected[name] ?? 'not given'}`,
      received: `${name} ${given[name] ?? 'not given'}`,
      reason,
      sentence: `checkpoint is of another training run: ${reason}`,
    });
  }
}
