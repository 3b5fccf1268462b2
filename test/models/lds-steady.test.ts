/** The filter with a frozen gain, against the full filter: within the bounds that it states, and otherwise the same. */
import { describe, expect, test } from 'vitest';
import { LinearDynamicalSystem, type SystemParameters } from '../../src/index.ts';
import { backends } from '../support/backends.ts';
import { expectBits } from '../support/models.ts';
import { drawn, level, nile } from './lds-reference.ts';

/** Rounding, beside which the bounds count. */
const ROUNDING = 1e-11;
const gaps = { missing: 'nan' } as const;

describe.each(backends.map((backend) => [`${backend.name} ${backend.isa}`, backend] as const))('%s', (_, backend) => {
  const on = { backend };
  const systems: [string, SystemParameters][] = [
    ['a level', level(1469.1, 15099)],
    ['a slow level', level(1, 1e4)],
    ['1 latent, 3 observed', drawn(1, 3, 1)],
    ['4 latent, 2 observed', drawn(4, 2, 2)],
    ['4 latent, 4 observed', drawn(4, 4, 3)],
    ['11 latent, 5 observed', drawn(11, 5, 4)],
    ['an unstable state that is seen', { ...drawn(2, 2, 5), transition: [1.004, 0, 0.1, 0.9] }],
  ];
  test.each(systems)('%s: means and densities are within the bounds', (_, parameters) => {
    const system = new LinearDynamicalSystem(parameters, on);
    const { latent: m } = system;
    const y = system.sample(1500, { seed: 1 });
    const full = system.filter(y);
    const steady = system.filter(y, { steadyState: true });
    const { from, covarianceError, meanError, logDensityError } = steady.steadyState!;
    expect(from).toBeLessThan(1400);
    for (const error of [covarianceError, meanError, logDensityError]) {
      expect(error).toBeGreaterThanOrEqual(0);
      expect(error).toBeLessThan(1e-3);
    }
    const heads = { means: m, covariances: m * m, predictedMeans: m, predictedCovariances: m * m, logDensity: 1 };
    for (const [name, width] of Object.entries(heads) as [keyof typeof heads, number][])
      expectBits(steady[name].slice(0, from * width), full[name].slice(0, from * width));
    for (let t = from; t < 1500; t++) {
      const scale = Math.abs(full.logDensity[t]!);
      const off = Math.abs(steady.logDensity[t]! - full.logDensity[t]!);
      expect(off, `row ${t}`).toBeLessThanOrEqual(logDensityError + ROUNDING * (1 + scale));
      for (let i = 0; i < m; i++) {
        const deviation = (covariances: ArrayLike<number>): number => Math.sqrt(covariances[(t * m + i) * m + i]!);
        for (const [means, covariances] of [
          ['means', 'covariances'],
          ['predictedMeans', 'predictedCovariances'],
        ] as const) {
          const [got, want, size] = [steady[means][t * m + i]!, full[means][t * m + i]!, deviation(full[covariances])];
          expect(Math.abs(got - want)).toBeLessThanOrEqual(meanError * size + ROUNDING * (size + Math.abs(want)));
          expect(Math.abs(deviation(steady[covariances]) / size - 1)).toBeLessThanOrEqual(covarianceError + ROUNDING);
        }
      }
    }
    const { mean, time } = steady.state;
    expect(time).toBe(1500);
    expectBits(mean, steady.means.slice(-m));
  });

  test('several sequences, stores and dtypes are the same rows', async () => {
    const system = new LinearDynamicalSystem(drawn(3, 2, 6), on);
    const lengths = [500, 0, 3, 2600, 700];
    const values = system.sample(3803, { seed: 2 });
    const y = { values, lengths };
    const all = system.filter(y, { steadyState: true });
    const { from } = all.steadyState!;
    expect(from).toBeGreaterThan(3);
    let row = 0;
    for (const [s, T] of lengths.entries()) {
      const alone = system.filter(values.subarray(2 * row, 2 * (row + T)), { steadyState: true });
      expectBits(all.logDensity.slice(row, row + T), alone.logDensity);
      expectBits(all.covariances.slice(9 * row, 9 * (row + T)), alone.covariances);
      expect(all.state[s]).toEqual(alone.state);
      row += T;
    }
    const last = system.filter(y, { steadyState: true, store: 'last' });
    const none = system.filter(y, { steadyState: true, store: 'none' });
    for (const kept of [last, none]) {
      expect(kept.logDensity).toEqual(all.logDensity);
      expect(kept.state).toEqual(all.state);
      expect(kept.steadyState).toEqual(all.steadyState);
    }
    for (const [s, { mean, covariance, time }] of last.state.entries()) {
      expectBits(last.means.slice(3 * s, 3 * s + 3), mean);
      expectBits(last.covariances.slice(9 * s, 9 * s + 9), covariance);
      expect(time).toBe(lengths[s]);
    }
    expect([...last.predictedMeans.slice(-3)]).toEqual([...all.predictedMeans.slice(-3)]);
    expect(none.means).toHaveLength(0);
    expect(await system.filterAsync(y, { steadyState: true })).toEqual(all);
    const narrow = system.filter(Float32Array.from(values.subarray(0, 1000)), { steadyState: true });
    const wide = system.filter(Float64Array.from(Float32Array.from(values.subarray(0, 1000))), { steadyState: true });
    expect(narrow.means).toEqual(Float32Array.from(wide.means));
  });

  test('the full filter runs where there is a gap, where rows are few, and where covariances move on', () => {
    const system = new LinearDynamicalSystem(level(1469.1, 15099), on);
    const short = nile.slice(0, 12);
    const holed = nile.with(50, Number.NaN);
    expect(system.filter(nile, { steadyState: true }).steadyState!.from).toBeLessThan(60);
    for (const y of [short, holed, []]) {
      const { steadyState, ...rest } = system.filter(y, { ...gaps, steadyState: true });
      expect(steadyState).toBeUndefined();
      expect(rest).toEqual(system.filter(y, gaps));
    }
    const blind = new LinearDynamicalSystem({ ...drawn(2, 1, 7), transition: [1, 0, 0, 1], observation: [1, 0] }, on);
    const y = blind.sample(400);
    expect(blind.filter(y, { steadyState: true })).toEqual(blind.filter(y));
    const { steadyState } = system.filter(nile);
    expect(steadyState).toBeUndefined();
  });
  test('an overflow is refused by the row, as the full filter does', () => {
    const system = new LinearDynamicalSystem(level(1, 1), on);
    const y = new Float64Array(300);
    y[250] = 1.7e308;
    y[251] = -1.7e308;
    expect(() => system.filter(y, { steadyState: true })).toThrow(/row 25[01] of y/);
    expect(() => system.filter(y)).toThrow(/row 25[01] of y/);
  });
});
