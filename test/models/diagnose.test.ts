/** Diagnosis of networks: a gradient that is wrong is seen, growth is that of the Jacobians, idle units are listed. */
import { describe, expect, test } from 'vitest';
import { diagnose, Gaussian, MixtureDensityNetwork, RecurrentClassifier, type SeqlikError } from '../../src/index.ts';
import { DIAGNOSABLE } from '../../src/models/recurrent/stack/diagnosable.ts';
import { expectNear, titled } from '../support/models.ts';

const wave = Array.from({ length: 80 }, (_, t) => Math.sin(t / 3) + 0.2 * Math.sin(t));
const cells = ['tanh', 'relu', 'lstm', 'gru'] as const;
const codeOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return (error as SeqlikError).code;
  }
  return 'none';
};

describe.each(titled)('%s', (_, backend) => {
  test.each(cells)('%s: the gradient is right', (cell) => {
    const network = new MixtureDensityNetwork({ dimension: 1, hidden: [5, 3], components: 2, cell }, { backend });
    const found = diagnose(network, wave);
    expect(found.gradientCheck.worstRelativeDifference).toBeLessThan(cell === 'relu' ? 1e-4 : 1e-6);
    expect(found.regime).toBe('vanishing');
    expect(found.gradientNorms.distances[0]).toBe(1);
    expect(found.gradientNorms.distances.at(-1)).toBe(79);
  });
  test('a gradient that is wrong is seen', () => {
    const network = new MixtureDensityNetwork({ dimension: 1, hidden: [5], components: 1 }, { backend });
    const own = network[DIAGNOSABLE]();
    const wrong = Object.assign(network, {
      [DIAGNOSABLE]: () => ({
        ...own,
        read: (...given: Parameters<typeof own.read>) => {
          const task = own.read(...given);
          const lossGradient: typeof task.lossGradient = (context, outputs) => {
            const { loss, dOutputs } = task.lossGradient(context, outputs);
            return { loss, dOutputs: dOutputs.map((v) => 1.1 * v) };
          };
          return { ...task, lossGradient };
        },
      }),
    });
    const found = diagnose(wrong, wave);
    expect(found.gradientCheck.worstRelativeDifference).toBeGreaterThan(0.05);
    expect(found.advice).toMatch(/differs from finite differences/);
  });
  test.each([0.5, 1, 1.25])('a linear network of weight %f', (w) => {
    // relu of positive numbers: the state is multiplied by w at every step, and so is the gradient
    const parameters = { Wx0: [0.01], Wh0: [w], b0: [0.01], Wy0: [0, 1, 0], by: [0, 0, 0] };
    const shape = { dimension: 1, hidden: [1], components: 1, cell: 'relu' } as const;
    const found = diagnose(new MixtureDensityNetwork({ ...shape, parameters }, { backend }), Array(40).fill(1));
    expectNear([found.growthRate], [Math.log(w)], 1e-10);
    expect(found.regime).toBe(w < 1 ? 'vanishing' : w > 1 ? 'exploding' : 'stable');
    if (w === 0.5) expect(found.reach).toBe(11); // 2^-10 is the first below 1/1000
  });
  test('dead and saturated units', () => {
    const zero = { Wh0: [0, 0, 0, 0], Wy0: new Float64Array(6), by: [0, 0, 0], Wx0: [0, 1] };
    const shape = { dimension: 1, hidden: [2], components: 1 };
    const of = (cell: 'tanh' | 'relu', b0: number[]) =>
      diagnose(new MixtureDensityNetwork({ ...shape, cell, parameters: { ...zero, b0 } }, { backend }), wave);
    expect(of('relu', [-1, 0])).toMatchObject({ deadUnits: [[0]], saturatedUnits: [[]] });
    expect(of('tanh', [5, 0])).toMatchObject({ deadUnits: [[]], saturatedUnits: [[0]] });
  });
  describe.each(['final', 'all'] as const)('a classifier with lossAt %s', (lossAt) => {
    const linear = (w: number, temperature = 1) =>
      new RecurrentClassifier({ U: [w], V: [0.01], W: [1], lossAt, temperature }, { backend });
    const seqs = { values: new Float64Array(60).fill(1), lengths: [40, 20] };
    test.each([0.5, 1, 1.25])('that is linear, of weight %f', (w) => {
      const found = diagnose(linear(w), seqs);
      expect(found.gradientCheck.worstRelativeDifference).toBeLessThan(1e-4);
      expectNear([found.growthRate], [Math.log(w)], 1e-10);
      expect(found.regime).toBe(w < 1 ? 'vanishing' : w > 1 ? 'exploding' : 'stable');
      expect(found.reach).toBe(w === 0.5 ? 11 : undefined);
      expect(found.gradientNorms.distances.at(-1)).toBe(40);
      expect(found.gradientNorms.sequences.at(-1)).toBe(1);
    });
    test('the norms are those of lossGradient by the first states', () => {
      const given = { lossAt, U: [0.3, 0.5, -0.2, 0.9], V: [1, -0.5], W: [1, 2, -1, 0.5], temperature: 2 };
      const standardization = { mean: [0.5], standardDeviation: [2] };
      const model = new RecurrentClassifier({ ...given, standardization }, { backend });
      const own = { values: Float64Array.from({ length: 9 }, (_, t) => Math.cos(t)), lengths: [5, 4] };
      const y = model.predict(own, { lossAt: 'final' }).logits.map((logit) => Number(logit <= 0));
      const { dh0 } = model.lossGradient(own, y, { lossAt: 'final' });
      const { gradientNorms } = diagnose(model, own);
      const norms = [Math.hypot(dh0[0]!, dh0[1]!), Math.hypot(dh0[2]!, dh0[3]!)];
      const at = (distance: number) => gradientNorms.distances.indexOf(distance);
      expectNear([gradientNorms.high[at(5)]!], [norms[0]!], 1e-12);
      expect(
        [gradientNorms.low[at(4)]!, gradientNorms.high[at(4)]!].some((v) => Math.abs(v / norms[1]! - 1) < 1e-12),
      ).toBe(true);
    });
    test('that is sure of itself still has a gradient', () => {
      const found = diagnose(linear(1, 1e-4), seqs);
      expect(found.gradientCheck.worstRelativeDifference).toBeLessThan(1e-4);
      expect(found.gradientNorms.median[0]!).toBeGreaterThan(1000);
    });
    test('dead units', () => {
      const model = new RecurrentClassifier({ U: [0, 0, 0, 0], V: [-1, 1], W: [1, 1], lossAt }, { backend });
      expect(diagnose(model, seqs)).toMatchObject({ deadUnits: [[0]], saturatedUnits: [[]], regime: 'vanishing' });
    });
    test('errors', () => {
      const model = linear(1);
      expect(codeOf(() => diagnose(model, [1]))).toBe('EMPTY_INPUT');
      expect(codeOf(() => diagnose(model, [1, Number.POSITIVE_INFINITY]))).toBe('NON_FINITE');
      expect(codeOf(() => diagnose(linear(1e300), Array(9).fill(1)))).toBe('NON_FINITE');
      model.dispose();
      expect(codeOf(() => diagnose(model, [1, 2]))).toBe('DISPOSED');
    });
  });
  test('errors', () => {
    const network = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 }, { backend });
    expect(codeOf(() => diagnose(new Gaussian({ mean: [0], variances: [1] }), wave))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => diagnose(network, [1, 2]))).toBe('EMPTY_INPUT');
    expect(codeOf(() => diagnose(network, [1, Number.NaN, 2]))).toBe('NON_FINITE');
    network.dispose();
    expect(codeOf(() => diagnose(network, wave))).toBe('DISPOSED');
  });
});
