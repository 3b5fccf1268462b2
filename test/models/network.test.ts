/** The mixture-density network: identities, gradients of every cell, states, files. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MixtureDensity, MixtureDensityNetwork, type NetworkOptions, type Real, SeqlikError } from '../../src/index.ts';
import { mappings } from '../../src/models/density/mapping.ts';
import { cells } from '../../src/models/recurrent/stack/cell.ts';
import { Random } from '../../src/random.ts';
import { backends } from '../support/backends.ts';
import { expectBits, refusal } from '../support/models.ts';

const draw = (n: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: n }, () => random.normal());
};
const sum = (values: Real): number => Array.from(values).reduce((a, b) => a + b, 0);
/** Ragged sequences of 3 numbers, with empty ones and single observations among them. */
const lengths = [5, 0, 1, 9, 2, 30];
const d = 3;
const ragged = { values: draw(d * lengths.reduce((a, b) => a + b), 1), lengths };
const each = lengths.map((length, s) => {
  const from = lengths.slice(0, s).reduce((a, b) => a + b, 0) * d;
  return ragged.values.subarray(from, from + length * d);
});
const terms = lengths.reduce((sum, length) => sum + Math.max(length - 1, 0), 0);
const shape = { dimension: d, hidden: [7, 5], components: 2, inputSkip: true, seed: 3 } as const;

for (const backend of backends)
  describe.each(cells)(`${backend.name} ${backend.isa} %s`, (cell) => {
    const network = new MixtureDensityNetwork({ ...shape, cell }, { backend });

    test('criteria count all parameters, and the terms', () => {
      const parameters = sum(Float64Array.from(Object.values(network.parameters), ({ length }) => length));
      const logLikelihood = network.logLikelihood(ragged);
      expect(network.bic(ragged)).toBeCloseTo(-2 * logLikelihood + parameters * Math.log(terms), 6);
      expect(network.aic(ragged)).toBeCloseTo(-2 * logLikelihood + parameters * 2, 6);
    });
    test('one sequence, several, ragged and nested are the same data', () => {
      const whole = network.logDensity(ragged);
      expect(whole).toHaveLength(terms);
      expectBits(network.logDensity(each), whole);
      const nested = each.map((x) =>
        Array.from({ length: x.length / d }, (_, i) => [...x.subarray(i * d, (i + 1) * d)]),
      );
      expectBits(network.logDensity(nested), whole);
      let at = 0;
      for (const [s, x] of each.entries()) {
        const own = network.logDensity(x);
        expectBits(own, whole.slice(at, at + own.length));
        expect(network.logLikelihoods(ragged)[s]).toBe(sum(own));
        at += own.length;
      }
      expect(network.logLikelihood(ragged)).toBe(sum(whole));
    });

    test('step by step gives the bits of the batch, and its state can be copied', () => {
      const whole = network.logDensity(each[5]!);
      const head = new MixtureDensity({ components: 2, dimension: d }, { backend });
      const { raw } = network.forward(each[5]!);
      let state = network.start();
      for (let t = 0; t < lengths[5]!; t++) {
        const { logDensity, distribution, state: next } = network.step(state, each[5]!.subarray(t * d, (t + 1) * d));
        expect(logDensity).toBe(t === 0 ? undefined : whole[t - 1]);
        if (t < lengths[5]! - 1) {
          const own = head.distribution(raw.slice(t * network.outputs, (t + 1) * network.outputs));
          expectBits(distribution.weights, own.weights);
          expectBits(distribution.means, own.means);
          expect([...distribution.covariances]).toEqual([...own.covariances].map((v) => expect.closeTo(v, 12)));
        }
        state = structuredClone(next);
      }
    });

    test('a state carries a sequence on', () => {
      const x = each[5]!;
      const whole = network.forward(x);
      const before = network.forward(x.subarray(0, 11 * d));
      let state = network.start();
      for (let t = 0; t < 10; t++) state = network.step(state, x.subarray(t * d, (t + 1) * d)).state;
      const after = network.forward(x.subarray(10 * d), { initialState: state.hidden as Real[] });
      expectBits(before.logDensity, whole.logDensity.slice(0, 10));
      expectBits(after.logDensity, whole.logDensity.slice(10));
    });

    test('the gradient is that of the loss, in every direction of parameters and states', () => {
      const { parameters } = network;
      const initialState = network.hidden.map((H, n) => draw(lengths.length * H * (cell === 'lstm' ? 2 : 1), n));
      const loss = (by: number, along: Record<string, Float64Array>, states: Float64Array[]): number => {
        const moved = Object.entries(parameters).map(([name, v]) => [name, v.map((p, i) => p + by * along[name]![i]!)]);
        const at = initialState.map((state, n) => state.map((h, i) => h + by * states[n]![i]!));
        const other = new MixtureDensityNetwork({ ...shape, cell, parameters: Object.fromEntries(moved) }, { backend });
        const { loss } = other.forward(ragged, { initialState: at });
        other.dispose();
        return loss;
      };
      const own = network.lossGradient(ragged, { initialState });
      expect(own.loss).toBe(network.forward(ragged, { initialState }).loss);
      expect(Object.keys(own.gradient)).toEqual(Object.keys(parameters));
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
          const along = Object.fromEntries(
            Object.entries(parameters).map(([name, v], i) => [name, draw(v.length, seed + i)]),
          );
          const states = initialState.map((state, n) => draw(state.length, seed + 100 + n));
          let expected = 0;
          for (const [name, g] of Object.entries(own.gradient))
            g.forEach((v, i) => {
              expected += v * along[name]![i]!;
            });
          for (const [n, g] of own.dInitialState.entries())
            g.forEach((v, i) => {
              expected += v * states[n]![i]!;
            });
          const h = 1e-5;
          const found = (loss(h, along, states) - loss(-h, along, states)) / (2 * h);
          expect(Math.abs(found - expected)).toBeLessThan(
            1e-6 * Math.max(1, Math.abs(expected)) * (cell === 'relu' ? 1e4 : 1),
          );
        }),
        { numRuns: 3 },
      );
    });

    test('cut into spans, no gradient flows from one to the one before', () => {
      const x = each[5]!;
      const long = network.lossGradient(x, { truncate: 29 });
      const whole = network.lossGradient(x);
      for (const [name, g] of Object.entries(whole.gradient)) expectBits(long.gradient[name]!, g);
      // by hand: each span from the state that the steps before it left
      const sums = Object.fromEntries(
        Object.entries(whole.gradient).map(([name, g]) => [name, new Float64Array(g.length)]),
      );
      let state = network.start();
      for (let from = 0; from < 29; from += 8) {
        const span = x.subarray(from * d, Math.min(from + 9, 30) * d);
        const part = network.lossGradient(span, { initialState: state.hidden as Real[] });
        for (const [name, g] of Object.entries(part.gradient))
          g.forEach((v, i) => {
            sums[name]![i]! += v;
          });
        for (let t = from; t < Math.min(from + 8, 29); t++)
          state = network.step(state, x.subarray(t * d, (t + 1) * d)).state;
      }
      const cut = network.lossGradient(x, { truncate: 8 });
      expect(cut.loss).toBe(whole.loss);
      for (const [name, g] of Object.entries(cut.gradient))
        g.forEach((v, i) => {
          expect(Math.abs(v - sums[name]![i]!)).toBeLessThan(1e-10 * Math.max(1, Math.abs(v)));
        });
      expect(cut.gradient['Wh0']).not.toEqual(whole.gradient['Wh0']);
    });

    test('one state for all sequences: its gradient is the sum', () => {
      const one = network.hidden.map((H, n) => draw(H * (cell === 'lstm' ? 2 : 1), n + 9));
      const all = one.map((state) => Float64Array.from(lengths.flatMap(() => [...state])));
      const shared = network.lossGradient(ragged, { initialState: one });
      const own = network.lossGradient(ragged, { initialState: all });
      expect(shared.loss).toBe(own.loss);
      for (const [n, g] of shared.dInitialState.entries()) {
        const sum = new Float64Array(g.length);
        own.dInitialState[n]!.forEach((v, i) => {
          sum[i % g.length]! += v;
        });
        g.forEach((v, i) => {
          expect(Math.abs(v - sum[i]!)).toBeLessThan(1e-12 * Math.max(1, Math.abs(v)));
        });
      }
    });

    test('f32 data give f32 results close to those of f64', () => {
      const single = { values: Float32Array.from(ragged.values), lengths };
      const { logDensity, raw, hidden } = network.forward(single);
      expect([logDensity, raw, ...hidden].every((values) => values instanceof Float32Array)).toBe(true);
      const wide = network.logDensity(ragged);
      logDensity.forEach((v, i) => {
        expect(Math.abs(v - wide[i]!)).toBeLessThan(2e-3 * Math.max(1, Math.abs(v)));
      });
      const { gradient } = network.lossGradient(single);
      const exact = network.lossGradient(ragged).gradient;
      for (const [name, g] of Object.entries(gradient)) {
        const scale = Math.max(...exact[name]!.map(Math.abs));
        g.forEach((v, i) => {
          expect(Math.abs(v - exact[name]![i]!)).toBeLessThan(1e-2 * scale + 1e-4);
        });
      }
    });

    test('a file gives back the same network', () => {
      const units = { mean: draw(d, 5), standardDeviation: draw(d, 6).map(Math.abs) };
      const own = new MixtureDensityNetwork(
        { ...shape, cell, standardization: units, minStandardDeviation: 0.01 },
        { backend, columns: ['a', 'b', 'c'] },
      );
      const back = MixtureDensityNetwork.fromBytes(own.toBytes(), { backend });
      expect(back.toBytes()).toEqual(own.toBytes());
      expect(back.columns).toEqual(['a', 'b', 'c']);
      expectBits(back.logDensity(ragged), own.logDensity(ragged));
      for (const model of [own, back]) model.dispose();
    });
  });

describe('every mapping', () => {
  test.each(mappings.filter((mapping) => !mapping.startsWith('tanh')))(
    '%s with a binary coordinate and units',
    (mapping) => {
      const values = draw(3 * 40, 8).map((v, i) => (i % 3 === 2 ? Number(v > 0) : 5 + 3 * v));
      const units = { mean: [5, 5, 0], standardDeviation: [3, 3, 1] };
      const options: NetworkOptions = {
        dimension: 3,
        binary: 1,
        hidden: [6],
        components: 3,
        mapping,
        seed: 1,
        minStandardDeviation: 0.05,
      };
      const plain = new MixtureDensityNetwork(options);
      const scaled = new MixtureDensityNetwork({ ...options, standardization: units });
      const z = values.map((v, i) => (i % 3 === 2 ? v : (v - 5) / 3));
      const [own, other] = [scaled.logDensity(values), plain.logDensity(z)];
      own.forEach((v, i) => {
        expect(v).toBeCloseTo(other[i]! - 2 * Math.log(3), 10);
      });
      const { distribution } = scaled.step(scaled.start(), values.subarray(0, 3));
      const inner = plain.step(plain.start(), z.subarray(0, 3)).distribution;
      distribution.means.forEach((v, i) => {
        expect(v).toBeCloseTo(5 + 3 * inner.means[i]!, 10);
      });
      distribution.covariances.forEach((v, i) => {
        expect(v).toBeCloseTo(9 * inner.covariances[i]!, 10);
      });
      expect(distribution.probabilities).toEqual(inner.probabilities);
      for (let j = 0; j < 3; j++) expect(inner.covariances[4 * j]).toBeGreaterThanOrEqual(0.05 ** 2);
      const x = scaled.sample(50, { seed: 2 });
      expect(x).toEqual(scaled.sample(50, { seed: 2 }));
      expect(x.every((v, i) => i % 3 < 2 || v === 0 || v === 1)).toBe(true);
    },
  );
  test.each(['tanh-full', 'tanh-diag'] as const)('%s starts positive definite', (mapping) => {
    const network = new MixtureDensityNetwork({ ...shape, mapping });
    expect(network.logDensity(ragged)).toHaveLength(terms);
  });
});

describe('bad input is refused', () => {
  const make = (options: object) => () => new MixtureDensityNetwork({ ...shape, ...options } as NetworkOptions);
  test.each([
    [make({ hidden: [] }), 'INVALID_ARGUMENT', 'hidden'],
    [make({ hidden: [3, 0] }), 'INVALID_ARGUMENT', 'hidden'],
    [make({ hidden: [2 ** 16] }), 'INVALID_ARGUMENT', 'hidden'],
    [make({ components: 0 }), 'INVALID_ARGUMENT', 'components'],
    [make({ mapping: 'chol' }), 'INVALID_ARGUMENT', 'mapping'],
    [make({ mapping: 'graves' }), 'INVALID_ARGUMENT', 'mapping'],
    [make({ cell: 'elman' }), 'INVALID_ARGUMENT', 'cell'],
    [make({ binary: 3 }), 'INVALID_ARGUMENT', 'binary'],
    [make({ parameters: {} }), 'INVALID_ARGUMENT', 'Wx0'],
    [make({ minStandardDeviation: -1 }), 'INVALID_ARGUMENT', 'minStandardDeviation'],
    [
      make({ standardization: { mean: [0, 0, 0], standardDeviation: [1, 0, 1] } }),
      'INVALID_ARGUMENT',
      'standardization',
    ],
    [make({ seeds: 1 }), 'INVALID_ARGUMENT', 'seeds'],
    [make({ seed: -1 }), 'INVALID_ARGUMENT', 'seed'],
  ] as const)('%#: %s', (call, code, argument) => expect(refusal(call)).toMatchObject({ code, argument }));

  const network = new MixtureDensityNetwork({ ...shape });
  test.each([
    [() => network.logDensity([[1, 2]]), 'DIMENSION_MISMATCH', 'seqs'],
    [() => network.logDensity([1, 2, 3, 4]), 'DIMENSION_MISMATCH', 'seqs'],
    [() => network.logDensity({ values: draw(9, 1), lengths: [1, 1] }), 'DIMENSION_MISMATCH', 'seqs.lengths'],
    [() => network.logDensity({ values: draw(9, 1), lengths: [4, -1] }), 'INVALID_ARGUMENT', 'seqs.lengths'],
    [() => network.logDensity({ values: draw(9, 1), lengths: [1.5, 1.5] }), 'INVALID_ARGUMENT', 'seqs.lengths'],
    [
      () =>
        network.logDensity([
          [1, 2, 3],
          [1, Number.NaN, 3],
        ]),
      'NON_FINITE',
      'seqs',
    ],
    [() => network.forward(each[0]!, { initialState: [] }), 'DIMENSION_MISMATCH', 'initialState'],
    [() => network.lossGradient(each[0]!, { truncate: 0 }), 'INVALID_ARGUMENT', 'truncate'],
    [() => network.step(network.start(), [1, 2]), 'DIMENSION_MISMATCH', 'x'],
    [() => network.step({} as never, [1, 2, 3]), 'INVALID_ARGUMENT', 'state.hidden'],
    [() => network.sample(-1), 'INVALID_ARGUMENT', 'steps'],
  ] as const)('%#', (call, code, argument) => expect(refusal(call)).toMatchObject({ code, argument }));

  test('sequences of no and of one observation have no terms', () => {
    for (const seqs of [new Float64Array(), [], [[]], [[1, 2, 3]], [each[1]!, each[2]!]]) {
      expect(network.logDensity(seqs as Real)).toHaveLength(0);
      expect(network.lossGradient(seqs as Real).loss).toBe(0);
      expect(network.logLikelihood(seqs as Real)).toBe(0);
      expect(refusal(() => network.bic(seqs as Real))).toMatchObject({ code: 'EMPTY_INPUT', argument: 'seqs' });
    }
  });
  test('a target 1e5 standard deviations away has a finite loss; an overflowing distance names its term', () => {
    const x = each[0]!.slice();
    x[4 * d] = 1e5;
    expect(Number.isFinite(network.lossGradient(x).loss)).toBe(true);
    x[4 * d] = 1e200;
    expect(refusal(() => network.logDensity([each[3]!, x]))).toMatchObject({
      code: 'NON_FINITE',
      argument: 'seqs',
      row: 11,
    });
  });
  test('a covariance that is not positive definite: the error names term, component and pivot', () => {
    const by = new MixtureDensityNetwork({ ...shape, mapping: 'tanh-diag' }).parameters;
    by['by']![2 + 2 * d + d + 1] = -3;
    const wrong = new MixtureDensityNetwork({ ...shape, mapping: 'tanh-diag', parameters: by });
    expect(refusal(() => wrong.logDensity([each[2]!, each[0]!]))).toMatchObject({
      code: 'NOT_POSITIVE_DEFINITE',
      row: 0,
      component: 1,
      pivot: 1,
    });
  });
  test('a disposed network says so', () => {
    const gone = new MixtureDensityNetwork({ ...shape });
    gone.step(gone.start(), [1, 2, 3]);
    gone.dispose();
    expect(() => gone.logDensity(ragged)).toThrow(SeqlikError);
    expect(refusal(() => gone.start())).toMatchObject({ code: 'DISPOSED' });
  });
});
