/** A floor, which only the network gives to the density: it hides no value, and bounds every standard deviation. */

import { describe, expect, test } from 'vitest';
import { KernelFailure } from '../src/errors.ts';
import { mappings } from '../src/models/density/mapping.ts';
import { backends } from './support/backends.ts';
import { draw } from './support/cases.ts';
import { table } from './support/table.ts';

const entry = (name: 'lossGradient' | 'distribution') => ({ noun: 'density', name, spec: table.density[name] });
const titled = backends.map((backend) => [`${backend.name} ${backend.isa}`, backend] as const);
const floored = mappings.filter((mapping) => !mapping.startsWith('tanh'));
const at = (call: () => void): unknown => {
  try {
    call();
  } catch (error) {
    if (error instanceof KernelFailure) return error.at;
    throw error;
  }
  return undefined;
};

describe.each(titled)('a floor on %s', (_, backend) => {
  test.each(floored)('%s: a raw value that is not finite fails its row', (mapping) => {
    const { dims, args } = draw(entry('lossGradient'), 'f64', { n: 9, d: 2, k: 3, q: 1 }, { mapping }, 1);
    const raw = args['raw'] as Float64Array;
    expect(args['floor']![0]).toBeGreaterThan(-Infinity);
    const run = () => backend.f64.density.lossGradient(dims as never, args as never);
    expect(at(run)).toBeUndefined();
    for (let c = 0; c < raw.length / 9; c++)
      for (const value of [NaN, Infinity, -Infinity]) {
        const place = 5 * (raw.length / 9) + c;
        const kept = raw[place]!;
        raw[place] = value;
        expect(at(run), `${value} in column ${c}`).toEqual({ n: 5, k: 0, pivots: 2 });
        raw[place] = kept;
      }
  });
  test.each(floored)('%s: every standard deviation is above it', (mapping) => {
    const { dims, args } = draw(entry('distribution'), 'f64', { n: 9, d: 2, k: 3, q: 0 }, { mapping }, 1);
    const [raw, L] = [args['raw'] as Float64Array, args['L'] as Float64Array];
    const width = raw.length / 9;
    const p = L.length / 27;
    const floor = args['floor']![0]!;
    for (let i = 0; i < raw.length; i++) if (i % width >= 9) raw[i] = -1000 * Math.abs(raw[i]!);
    backend.f64.density.distribution(dims as never, args as never);
    const least = mapping.endsWith('softplus') ? Math.log1p(Math.exp(floor)) : Math.exp(floor);
    const diagonal = p === 2 ? [0, 1] : [0, 2];
    // graves: s_y √(1-ρ²), and of atanh ρ at most log 2 - floor counts
    const across = mapping === 'graves' ? least / Math.cosh(Math.LN2 - floor) : least;
    for (const c of diagonal) {
      const bound = c === 2 ? across : least;
      const values = L.filter((_, i) => i % p === c);
      expect(Math.min(...values)).toBeGreaterThan(bound * (1 - 1e-12));
      expect(Math.min(...values)).toBeLessThan(bound * 1.01);
    }
  });
});
