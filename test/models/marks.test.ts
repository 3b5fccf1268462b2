/** `unscorable: 'mark'` in the scores of sequences and of densities: what is marked, and that nothing else changes. */
import { describe, expect, test } from 'vitest';
import {
  LinearDynamicalSystem,
  MixtureDensity,
  MixtureDensityNetwork,
  RecurrentClassifier,
  type Sequences,
  TwoLayerClassifier,
} from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
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

  describe('a mixture density', () => {
    const density = new MixtureDensity({ components: 2, dimension: 2 }, { backend });
    const random = uniform(3);
    const raw = range(600).map(() => range(density.outputs).map(random));
    const near = range(600).map(() => [random(), random()]);
    const far = [0, 255, 256, 599];
    const x = near.map((row, i) => (far.includes(i) ? [1e200, 0] : row));

    test('rows too far away are marked, whatever is around them', () => {
      const want = density.forward(raw, near);
      const got = density.forward(raw, x, mark);
      expect(got.logDensity).toEqual(want.logDensity.map((v, i) => (far.includes(i) ? NINF : v)));
      expect(got.responsibilities).toEqual(want.responsibilities.map((v, at) => (far.includes(at >> 1) ? 0 : v)));
      expect(got.loss).toBe(Number.POSITIVE_INFINITY);
      const out = new Float64Array(600);
      expect(density.logDensity(raw, x, { ...mark, out })).toBe(out);
      expect(out).toEqual(got.logDensity);
      expect(density.forward(raw, near, mark)).toEqual(want);
      expect(density.forward([], [], mark).logDensity.length).toBe(0);
    });
    test('what is not finite, or not definite, is an error as ever', () => {
      expect(refusal(() => density.logDensity(raw, x))).toMatchObject({ code: 'NON_FINITE', row: 0 });
      const wrong = x.map((row, i) => (i === 300 ? [0, Number.NaN] : row));
      expect(refusal(() => density.logDensity(raw, wrong, mark))).toMatchObject({ row: 300, column: 1, argument: 'x' });
      const broken = raw.map((row, i) => (i === 7 ? row.map(() => Number.POSITIVE_INFINITY) : row));
      expect(refusal(() => density.logDensity(broken, x, mark))).toMatchObject({ row: 7, argument: 'raw' });
      const tanh = new MixtureDensity({ components: 1, dimension: 1, mapping: 'tanh-diag' }, { backend });
      expect(refusal(() => tanh.logDensity([[0, 0, -1]], [[0]], mark))).toMatchObject({
        code: 'NOT_POSITIVE_DEFINITE',
      });
      expect(refusal(() => (density.lossGradient as (...given: unknown[]) => unknown)(raw, near, mark))).toMatchObject({
        argument: 'unscorable',
      });
    });
  });

  describe.each(['tanh', 'lstm', 'gru', 'relu'] as const)('a network of %s units', (cell) => {
    const network = new MixtureDensityNetwork(
      { dimension: 2, hidden: [5, 4], components: 2, cell, seed: 2 },
      { backend },
    );
    const x = range(40).map((t) => Float64Array.of(Math.sin(t), Math.cos(2 * t)));
    const join = (rows: readonly Float64Array[]): Float64Array => Float64Array.from(rows.flatMap((row) => [...row]));
    const outlier = Float64Array.of(1e200, -1e199);
    const rows = x.map((row, t) => (t === 20 ? outlier : row));
    const seqs = [join(x.slice(0, 12)), join(rows), join(x.slice(3, 30))];

    test('marks the terms that overflow; the others are those of the sequences as they are', () => {
      const got = network.logDensity(seqs, mark);
      expect(got.length).toBe(11 + 39 + 26);
      expect(got.some(Number.isNaN)).toBe(false);
      expect(got.slice(0, 11)).toEqual(network.logDensity(seqs[0]!));
      expect(got.slice(50)).toEqual(network.logDensity(seqs[2]!));
      expect(got.slice(11, 30)).toEqual(network.logDensity(join(rows.slice(0, 20))));
      expect(got[30]).toBe(NINF);
      // a cell that saturates goes on; relu carries the outlier along
      if (cell !== 'relu') expect(got.slice(31, 50).every(Number.isFinite)).toBe(true);
      else expect(got[31]).toBe(NINF);
      expect([...network.logLikelihoods(seqs, mark)].map(Number.isFinite)).toEqual([true, false, true]);
      expect(network.logLikelihood(seqs, mark)).toBe(NINF);
      expect([network.bic(seqs, mark), network.aic(seqs, mark)]).toEqual([
        Number.POSITIVE_INFINITY,
        Number.POSITIVE_INFINITY,
      ]);
      expect(network.logDensity(seqs[0]!, mark)).toEqual(network.logDensity(seqs[0]!));
      let state = network.start();
      for (const [t, row] of rows.entries()) {
        if (cell === 'relu' && t === 20) {
          expect(refusal(() => network.step(state, row, mark)).code).toBe('NOT_POSITIVE_DEFINITE');
          break;
        }
        const next = network.step(state, row, mark);
        if (t > 0) expect(next.logDensity).toBe(got[11 + t - 1]);
        state = next.state;
      }
    });
    test('no result is NaN, and without marks it is an error', () => {
      const worst = [1e308, -1e308];
      const wild = join(x.map((row, t) => (t === 0 || t === 7 ? Float64Array.from(worst) : row)));
      const { logDensity, raw, hidden, loss } = network.forward(wild, mark);
      for (const values of [logDensity, raw, ...hidden, [loss]]) expect([...values].some(Number.isNaN)).toBe(false);
      for (const values of [raw, ...hidden]) expect(values.every(Number.isFinite)).toBe(true);
      expect(logDensity[6]).toBe(NINF);
      const single = network.logDensity(
        Float32Array.from(seqs[1]!, (v) => Math.max(Math.min(v, 3e38), -3e38)),
        mark,
      );
      expect(single[19]).toBe(NINF);
      expect(single.some(Number.isNaN)).toBe(false);
      expect(refusal(() => network.logDensity(seqs))).toMatchObject({ code: 'NON_FINITE', row: 11 + 19 });
      expect(refusal(() => (network.lossGradient as (...given: unknown[]) => unknown)(seqs, mark))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'unscorable',
      });
      expect(refusal(() => network.logDensity(join(x).with(4, Number.NaN), mark))).toMatchObject({
        code: 'NON_FINITE',
        row: 2,
        column: 0,
      });
    });
    test('also where a value overflows in units of the network', () => {
      const units = new MixtureDensityNetwork(
        {
          dimension: 2,
          hidden: [5],
          components: 1,
          cell,
          seed: 2,
          parameters: undefined,
          standardization: { mean: [0, 0], standardDeviation: [1e-200, 1] },
        } as never,
        { backend },
      );
      const got = units.logDensity(
        join([...x.slice(0, 3).map((row) => row.map((v, j) => (j === 0 ? v * 1e-200 : v))), outlier]),
        mark,
      );
      expect([...got].map(Number.isFinite)).toEqual([true, true, false]);
    });
  });

  test('a recurrent classifier marks what overflows, and the rest of the sequence where its units do', () => {
    const classifier = new RecurrentClassifier({ U: [[1]], V: [[1e200]], W: [[1e200], [1]] }, { backend });
    const seqs = [
      Float64Array.of(1e-200, 2e-200, 1e-200),
      Float64Array.of(1e-200, 1e150, 0, 0),
      Float64Array.of(-1, 0),
    ];
    const all = { lossAt: 'all', ...mark } as const;
    const { logits, probabilities, hidden } = classifier.forward(seqs, all);
    expect(logits.length).toBe(2 * 9);
    expect([...logits, ...probabilities, ...hidden].some(Number.isNaN)).toBe(false);
    expect(logits.slice(0, 6)).toEqual(classifier.predict(seqs[0]!, { lossAt: 'all' }).logits);
    expect([...logits.slice(8, 14)]).toEqual(Array(6).fill(NINF));
    expect([...probabilities.slice(8, 14)]).toEqual(Array(6).fill(0));
    expect([...hidden.slice(4, 7)]).toEqual([0, 0, 0]);
    const final = classifier.predict(seqs, { lossAt: 'final', ...mark });
    expect([...final.logits].map((v) => v === NINF)).toEqual([false, false, true, true, false, false]);
    expect(classifier.predict([seqs[0]!, seqs[2]!], mark)).toEqual(classifier.predict([seqs[0]!, seqs[2]!]));
    expect(refusal(() => classifier.predict(seqs, { lossAt: 'all' }))).toMatchObject({ code: 'NON_FINITE', row: 4 });
    expect(refusal(() => (classifier.lossGradient as (...given: unknown[]) => unknown)(seqs, [], mark))).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
  test('a two-layer classifier marks what overflows', () => {
    // both units saturate, and their sum is beyond a double
    const classifier = new TwoLayerClassifier(
      {
        V: [
          [1, 0],
          [1, 0],
        ],
        W: [[1.5e308, 1.5e308, 0]],
      },
      { backend },
    );
    const x = range(300).map((i) => [i === 7 || i === 299 ? 1e300 : 1e-300 * i]);
    const { logits, probabilities } = classifier.predict(x, mark);
    const lost = range(300).filter((i) => logits[i] === NINF);
    expect(lost).toEqual([7, 299]);
    expect(lost.map((i) => probabilities[i])).toEqual([0, 0]);
    const near = x.filter((_, i) => !lost.includes(i));
    expect(logits.filter((v) => v !== NINF)).toEqual(classifier.predict(near).logits);
    expect(refusal(() => classifier.predict(x))).toMatchObject({ code: 'NON_FINITE', row: 7 });
    expect(refusal(() => classifier.predict([[0], [Number.NaN]], mark))).toMatchObject({ row: 1, column: 0 });
  });
});
