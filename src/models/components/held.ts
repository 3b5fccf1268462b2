/** Parameters that a fit leaves as they are: its M step changes the others. */
import * as check from '../../check.ts';
import { argumentError } from '../../errors.ts';
import type { Pass } from '../work.ts';
import type { Parts } from './components.ts';
import { maximise } from './maximise.ts';
import type { Totals } from './sums.ts';

export const parameterNames = ['weights', 'means', 'covariances'] as const;
/** A parameter of a mixture. */
export type MixtureParameter = (typeof parameterNames)[number];
export type Held = ReadonlySet<MixtureParameter>;
export const nothingHeld: Held = new Set();

/**
 * The parameters that are not to be updated, of those that `init` has to give: `names` are the words of the option, in
 * the order of `parameterNames`. Throws INVALID_ARGUMENT (update).
 */
export function readHeld(
  where: string,
  update: unknown,
  names: readonly (string | undefined)[],
  given: ReadonlySet<MixtureParameter>,
): Held {
  if (update === undefined) return nothingHeld;
  const words = names.filter((name) => name !== undefined);
  const wanted = check.list(where, 'update', update, 100).map((word) => check.choice(where, 'update', word, words));
  const held = parameterNames.filter((_, i) => names[i] !== undefined && !wanted.includes(names[i]));
  const lacking = held.find((name) => !given.has(name));
  if (lacking !== undefined)
    throw argumentError('INVALID_ARGUMENT', where, 'update', {
      expected: 'parameters to hold that init gives',
      received: `${wanted.join(', ') || 'none'}`,
      reason: `holds the ${names[parameterNames.indexOf(lacking)]}, which init does not give`,
    });
  return new Set(held);
}

/** The M step over the parameters that are not held. Covariances are about the means, whether these are held or not. */
export function* maximiseOthers(where: string, totals: Totals, floor: Float64Array, held: Held): Pass<Parts> {
  if (held.size === 0) return yield* maximise(where, totals, floor);
  const { parts, first } = totals;
  // without first moments the means stay, and second moments are about them
  const about = held.has('means') ? { ...totals, first: new Float64Array(first.length) } : totals;
  const next = yield* maximise(where, about, floor);
  const kept = Object.fromEntries([...held].map((name) => [name, parts[name]]));
  return { ...next, ...kept };
}
