/** Where the training of a classifier begins: parameters that the caller gives as `init`. */
import * as check from '../../check.ts';
import { argumentError } from '../../errors.ts';
import { isA, Model } from '../model.ts';

const sizes = ['inputs', 'hidden', 'outputs'] as const;
type Sizes = Readonly<Record<(typeof sizes)[number], number>>;

/**
 * Reads `init`: a model or an object that has `parameters`, or parameters with these `names`; `read` checks them.
 * Throws INVALID_ARGUMENT, DIMENSION_MISMATCH (also where they are not of the sizes `needed`), NON_FINITE.
 */
export function readStart<P extends Sizes>(
  where: string,
  init: unknown,
  names: readonly string[],
  read: (given: unknown) => P,
  needed: Sizes,
): P {
  let given: unknown = init;
  if (isA(Model, init)) given = init.parameters;
  else {
    const { parameters, ...own } = check.fields(where, 'init', init, ['parameters', ...names]);
    given = check.or(parameters, own);
  }
  const start = read(given);
  for (const size of sizes)
    if (start[size] !== needed[size])
      throw argumentError('DIMENSION_MISMATCH', where, 'init', {
        expected: `${needed[size]} ${size}`,
        received: `${start[size]} ${size}`,
        reason: `has ${start[size]} ${size}, not ${needed[size]}`,
      });
  return start;
}
