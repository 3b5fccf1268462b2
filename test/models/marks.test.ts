/** `unscorable: 'mark'` in the scores of sequences and of densities: what is marked, and that nothing else changes. */
import { describe, expect, test } from 'vitest';
import { LinearDynamicalSystem, type Sequences } from '../../src/index.ts';
import { range, refusal, titled } from '../support/models.ts';

const NINF = Number.NEGATIVE_INFINITY;
const mark = { unscorable: 'mark' } as const;

describe.each(titled)('on %s', (_, backend) => {
  describe('a linear dynamical system', () => {
    const system = new LinearDynamicalSystem(
      {
        transition: [0.9, 0.1, 0, 0.8],
        observation: [1, 0, 0, 1],
        transitionCovariance: [1, 0, 0, 1],
        observationCovariance: [1, 0.1, 0.1, 2],
        initialMean: [0, 0],
      },
      { backend },
    );
    const near = range(90).map((t) => [Math.sin(t), t % 9 === 4 ? Number.NaN : Math.cos(t)]);
    const far = [0, 33, 34, 60, 89];
    const x = near.map((row, t) => (far.includes(t) ? [1e200, row[1]!] : row));
    const holes = near.map((row, t) => (far.includes(t) ? [Number.NaN, Number.NaN] : row));
    const gaps = { missing: 'nan' } as const;

    test('a row too far away is marked, and otherwise a gap', async () => {
      const want = system.logDensity(holes, gaps).map((v, t) => (far.includes(t) ? NINF : v));
      expect(system.logDensity(x, { ...gaps, ...mark })).toEqual(want);
      expect(await system.logDensityAsync(x, { ...gaps, ...mark })).toEqual(want);
      expect(system.logLikelihood(x, { ...gaps, ...mark })).toBe(NINF);
      expect(system.bic(x, { ...gaps, ...mark })).toBe(Number.POSITIVE_INFINITY);
      expect(system.aic(x, { ...gaps, ...mark })).toBe(Number.POSITIVE_INFINITY);
      const several = [x.slice(1, 33), x.slice(33, 60), x.slice(0, 0), x.slice(61, 89)].map((rows) =>
        Float64Array.from(rows.flat()),
      );
      const sums = system.logLikelihoods(several, { ...gaps, ...mark });
      expect([sums[1], sums[2]]).toEqual([NINF, 0]);
      for (const s of [0, 3]) expect(sums[s]).toBe(system.logLikelihood(several[s]!, gaps));
      let state = system.start();
      for (const [t, row] of x.entries()) {
        const next = system.step(state, row, { ...gaps, ...mark });
        expect(next.logDensity).toBe(want[t]);
        state = next.state;
      }
      const single = system.logDensity(Float32Array.from(near.flat()), gaps);
      expect(system.logDensity(Float32Array.from(near.flat()), { ...gaps, ...mark })).toEqual(single);
    });
    test('without marks, and without far rows, everything is as ever', () => {
      expect(system.logDensity(near, { ...gaps, ...mark })).toEqual(system.logDensity(near, gaps));
      for (const options of [gaps, { ...gaps, unscorable: 'throw' } as const])
        expect(refusal(() => system.logDensity(x, options))).toMatchObject({ code: 'NON_FINITE', row: 0 });
      expect(refusal(() => system.step(system.start(), x[0]!))).toMatchObject({ code: 'NON_FINITE' });
      expect(refusal(() => system.logDensity([[0, Number.NaN]], mark))).toMatchObject({ row: 0, column: 1 });
      // gradients, moments and states of the whole are refused
      for (const call of ['logLikelihoodGradient', 'filter', 'smooth', 'statistics'] as const)
        expect(refusal(() => (system[call] as (y: Sequences, o: object) => unknown)(near, mark))).toMatchObject({
          code: 'INVALID_ARGUMENT',
          argument: 'unscorable',
        });
    });
    test('where the state overflows, the rest of the sequence is marked', () => {
      const exploding = new LinearDynamicalSystem(
        {
          transition: [1e100],
          observation: [1],
          transitionCovariance: [1],
          observationCovariance: [1],
          initialMean: [1],
        },
        { backend },
      );
      const got = exploding.logDensity(
        [Float64Array.of(1, Number.NaN, Number.NaN, Number.NaN, 5, 6), Float64Array.of(2)],
        {
          ...gaps,
          ...mark,
        },
      );
      const lost = got.indexOf(NINF);
      expect(lost).toBeGreaterThan(0);
      expect([...got.slice(lost, 6)].every((v) => v === NINF)).toBe(true);
      expect(Number.isFinite(got[6]!)).toBe(true);
    });
  });
});
