/** Optimisers against steps computed by hand and by the published formulas; clipping. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allFinite, clipFactor } from '../../src/training/clip.ts';
import { adam, type Optimizer, optimizerOf, optimizers, sgd } from '../../src/training/optimizer.ts';

const finite = (most = 1e3) => fc.double({ min: -most, max: most, noNaN: true });
const gradients = fc.array(fc.array(finite(), { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 20 });
function path(optimizer: Optimizer, steps: readonly number[][], rate: number): number[][] {
  const p = Float64Array.of(1, -2, 0.5);
  return steps.map((g) => {
    optimizer.step(p, Float64Array.from(g), rate);
    return [...p];
  });
}
const near = (got: number[][], want: number[][]) => {
  for (const [t, row] of got.entries())
    for (const [i, value] of row.entries())
      expect(Math.abs(value - want[t]![i]!)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(want[t]![i]!)));
};

describe('adam', () => {
  test('the first two steps, by hand', () => {
    // g = 2: m = 0.2, v = 0.004; corrected 2 and 4: a step of rate 2/(2 + eps)
    // g = -1: m = 0.9 0.2 - 0.1 = 0.08, v = 0.999 0.004 + 0.001 = 0.004996; corrected by 0.19 and 0.001999
    const p = Float64Array.of(1);
    const optimizer = adam(1);
    optimizer.step(p, Float64Array.of(2), 0.1);
    expect(p[0]).toBeCloseTo(0.9, 8);
    optimizer.step(p, Float64Array.of(-1), 0.1);
    expect(p[0]).toBeCloseTo(0.9 - (0.1 * (0.08 / 0.19)) / Math.sqrt(0.004996 / 0.001999), 8);
  });
  test('algorithm 1 of the paper, with t written out', () =>
    fc.assert(
      fc.property(gradients, fc.double({ min: 1e-6, max: 1, noNaN: true }), (steps, rate) => {
        const p = [1, -2, 0.5];
        const [b1, b2] = [0.9, 0.999];
        const want = steps.map((_, t) => {
          for (const i of [0, 1, 2]) {
            // moments as sums over all gradients so far
            let [m, v] = [0, 0];
            for (let s = 0; s <= t; s++) {
              m += (1 - b1) * b1 ** (t - s) * steps[s]![i]!;
              v += (1 - b2) * b2 ** (t - s) * steps[s]![i]! ** 2;
            }
            p[i]! -= (rate * (m / (1 - b1 ** (t + 1)))) / (Math.sqrt(v / (1 - b2 ** (t + 1))) + 1e-8);
          }
          return [...p];
        });
        // differences of moments cancel: compare where steps are of the size of the rate
        near(path(adam(3), steps, rate), want);
      }),
    ));
  test('a step is at most a few rates long, whatever the gradient', () =>
    fc.assert(
      fc.property(fc.array(finite(1e100), { minLength: 1, maxLength: 30 }), (steps) => {
        const optimizer = adam(1);
        for (const g of steps) {
          const p = Float64Array.of(0);
          optimizer.step(p, Float64Array.of(g), 1);
          expect(Math.abs(p[0]!)).toBeLessThanOrEqual(0.1 / Math.sqrt(0.001) + 1e-9); // the paper, section 2.1
        }
      }),
    ));
});
test('a step says whether all is finite still', () => {
  for (const name of optimizers)
    for (const [value, fine] of [
      [1, true],
      [Number.NaN, false],
      [Number.NEGATIVE_INFINITY, false],
    ] as const)
      for (const at of [0, 1]) {
        const p = Float64Array.of(1, 1);
        p[at] = value;
        expect(optimizerOf(name, 0.9, 2).step(p, Float64Array.of(1, -1), 0.1)).toBe(fine);
      }
});
describe('sgd', () => {
  test('three steps with momentum, by hand', () => {
    // v: 1, 0.9 + 2 = 2.9, 2.61 - 1 = 1.61
    const want = [[0.9], [0.61], [0.449]];
    const p = Float64Array.of(1);
    const optimizer = sgd(1);
    for (const [t, g] of [1, 2, -1].entries()) {
      optimizer.step(p, Float64Array.of(g), 0.1);
      expect(p[0]).toBeCloseTo(want[t]![0]!, 14);
    }
  });
  test('without momentum it is gradient descent', () => {
    const p = Float64Array.of(1, 2);
    const optimizer = optimizerOf('sgd', 0, 2);
    optimizer.step(p, Float64Array.of(4, -2), 0.25);
    optimizer.step(p, Float64Array.of(1, 0), 0.5);
    expect([...p]).toEqual([-0.5, 2.5]);
  });
});
test.each(optimizers)('%s goes on to the same bits from a copy of its state; the gradient is left as it is', (name) => {
  fc.assert(
    fc.property(gradients, fc.nat(19), (steps, at) => {
      const whole = optimizerOf(name, 0.8, 3);
      const all = path(whole, steps, 0.1);
      const cut = Math.min(at, steps.length - 1);
      const first = optimizerOf(name, 0.8, 3);
      const then = optimizerOf(name, 0.8, 3);
      path(first, steps.slice(0, cut), 0.1);
      for (const [key, values] of Object.entries(first.state)) then.state[key]!.set(values);
      const p = Float64Array.from(cut > 0 ? all[cut - 1]! : [1, -2, 0.5]);
      for (const [t, g] of steps.entries()) {
        if (t < cut) continue;
        const gradient = Float64Array.from(g);
        then.step(p, gradient, 0.1);
        expect([...gradient]).toEqual(g);
        expect([...p]).toEqual(all[t]);
      }
      expect(then.state).toEqual(whole.state);
    }),
  );
});

describe('clip', () => {
  const clipped = (values: number[], limit: number) => {
    const gradient = Float64Array.from(values);
    const factor = clipFactor(gradient, 1, limit)!;
    return [...gradient].map((g) => factor * g);
  };
  test('by hand', () => {
    expect(clipped([3, 4], 5)).toEqual([3, 4]);
    expect(clipped([3, 4], 10)).toEqual([3, 4]);
    expect(clipped([3, -4], 1)[0]).toBeCloseTo(0.6, 15);
    expect(clipped([3, -4], 1)[1]).toBeCloseTo(-0.8, 15);
    expect(clipped([0, -0], 1)).toEqual([0, -0]);
  });
  test('squares neither overflow nor vanish', () => {
    expect(clipped([1.5e308, 1.5e308], 2)[0]).toBeCloseTo(Math.SQRT2, 14);
    expect(clipped([1e308, 0, -1e308], Number.MAX_VALUE)).toEqual([1e308, 0, -1e308]);
    expect(clipped([3e-200, 4e-200], 1e-200)[1]! / 1e-200).toBeCloseTo(0.8, 14);
    expect(clipped([5e-324], 1)).toEqual([5e-324]);
  });
  test('the direction stays, the length is at most the limit', () =>
    fc.assert(
      fc.property(
        fc.array(finite(1e150), { minLength: 1 }),
        fc.double({ min: 1e-100, max: 1e100, noNaN: true }),
        (values, limit) => {
          const got = clipped(values, limit);
          const norm = (v: number[]) => Math.hypot(...v);
          expect(norm(got)).toBeLessThanOrEqual(limit * (1 + 1e-14));
          if (norm(values) <= limit * (1 - 1e-14)) expect(got).toEqual(values);
          expect(norm(got)).toBeGreaterThanOrEqual(Math.min(limit, norm(values)) * (1 - 1e-12));
          const scale = norm(values) > 0 ? norm(got) / norm(values) : 1;
          for (const [i, v] of values.entries())
            expect(Math.abs(got[i]! - v * scale)).toBeLessThanOrEqual(1e-12 * limit + 1e-300);
        },
      ),
    ));
});
test('a gradient that is not finite has no factor', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(clipFactor(Float64Array.of(1, bad), 1, 5)).toBeUndefined();
  expect(clipFactor(Float64Array.of(3, 4), 10, 5)).toBe(1);
  expect(clipFactor(Float64Array.of(3, 4), 10, 0)).toBe(10);
});
test('allFinite', () => {
  expect(allFinite(Float64Array.of())).toBe(true);
  expect(allFinite(Float64Array.of(1.7e308, -1.7e308, 5e-324))).toBe(true);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    for (const at of [0, 1, 2]) {
      const values = new Float64Array(3);
      values[at] = bad;
      expect(allFinite(values)).toBe(false);
    }
});
