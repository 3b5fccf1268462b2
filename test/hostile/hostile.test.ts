/**
 * Every hostile value in every place of the public face, on both machines: it gives what the plain value would give, or
 * a SeqlikError that names the argument and says what was expected and received; never another error but one thrown by
 * the caller's own code, and never a crash.
 */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/index.ts';
import { hasNative } from '../support/models.ts';
import { convolution } from './convolution.ts';
import { density } from './density.ts';
import { gaussian } from './gaussian.ts';
import { jacobian } from './jacobian.ts';
import { lds } from './lds.ts';
import { mixture } from './mixture.ts';
import { network } from './network.ts';
import { opening } from './opening.ts';
import { complaint, type Places } from './places.ts';
import { recurrent } from './recurrent.ts';
import { surfaceOf } from './surface.ts';
import { twoLayer } from './two-layer.ts';
import { values } from './values.ts';

/** One list per class: a class that is exported and not here fails the first test. */
const places: Places = {
  ...convolution,
  ...gaussian,
  ...mixture,
  ...density,
  ...network,
  ...jacobian,
  ...lds,
  ...opening,
  ...recurrent,
  ...twoLayer,
};
/** Nobody but the library makes these, or describes them. */
const own = /^new SeqlikError|^SeqlikError\.from|^new MixtureStatistics\(totals\.|^new SystemStatistics\(moments\./;

test('every argument, option and field of every export has a place, and no place is of another time', () => {
  const surface = surfaceOf('src/index.ts').places.filter((name) => !own.test(name));
  expect(Object.keys(places).sort()).toEqual(surface.sort());
});
test('at least 60 values', () => {
  expect(values.length).toBeGreaterThanOrEqual(60);
  expect(new Set(values.map(({ name }) => name)).size).toBe(values.length);
});

const backends = [...(hasNative ? ([['native']] as const) : []), ['wasm']] as const;
describe.each(backends)('on %s', (name) => {
  const backend = openBackend({ name });
  test.each(Object.entries(places))('%s', async (_, place) => {
    const complaints: string[] = [];
    for (const value of values) {
      const found = await complaint(place, value, backend, isDeepStrictEqual);
      if (found) complaints.push(found);
    }
    expect(complaints).toEqual([]);
  });
});
