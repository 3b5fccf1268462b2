/** Learning rates and ends of a training run: functions of the course so far. */
import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/training/report.ts';
import { rateOf, type Schedule } from '../../src/training/schedule.ts';
import { bestOf, endOf, firstFall } from '../../src/training/stopping.ts';

describe('the learning rate', () => {
  const rates = (schedule: Schedule, values: number[], { maxIterations = 10, patience = 4 } = {}) =>
    values.map((_, i) => rateOf({ schedule, learningRate: 0.8, maxIterations, patience }, values.slice(0, i + 1)));
  const rising = Array.from({ length: 10 }, (_, i) => i);

  test('constant', () => expect(rates('constant', rising)).toEqual(rising.map(() => 0.8)));
  test('cosine: from all of it to a hundredth, half way at the mean of both', () => {
    const got = rates('cosine', [...rising, 10]);
    expect(got[0]).toBe(0.8);
    expect(got[5]).toBeCloseTo((0.8 + 0.008) / 2, 15);
    expect(got[10]).toBeCloseTo(0.008, 15);
    expect(got[2]).toBeCloseTo(0.008 + (0.792 * (1 + Math.cos(Math.PI / 5))) / 2, 15);
    for (let i = 1; i < got.length; i++) expect(got[i]).toBeLessThan(got[i - 1]!);
  });
  test('plateau: half after each patience/2 epochs that are no better', () => {
    expect(rates('plateau', rising)).toEqual(rising.map(() => 0.8));
    // the best is at index 1; stale ones at 2, 3 | 4, 5; a better one; 7, 8
    expect(rates('plateau', [0, 5, 5, 4, 3, 2, 6, 6, 1])).toEqual([0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1]);
    expect(rates('plateau', [0, 0, 0, 0], { patience: 3 })).toEqual([0.8, 0.8, 0.4, 0.4]);
    expect(rates('plateau', [0, 0, 0], { patience: 1 })).toEqual([0.8, 0.4, 0.2]);
  });
  test('plateau: never below a hundredth', () =>
    expect(rates('plateau', new Array(50).fill(0), { patience: 1 }).at(-1)).toBe(0.008));
});

describe('the end', () => {
  const limits = { maxIterations: 100, tolerance: 0, patience: 2 };
  const end = (history: number[], validationHistory?: number[], more = {}) =>
    endOf({ history, validationHistory }, { ...limits, ...more });

  test('by iterations', () => {
    expect(end([0, 1, 2], undefined, { maxIterations: 3 })).toBeUndefined();
    expect(end([0, 1, 2], undefined, { maxIterations: 2 })).toBe('maxIterations');
    expect(end([0, 1, 2], undefined, { maxIterations: 1 })).toBe('maxIterations');
    expect(end([0], undefined, { maxIterations: 0 })).toBe('maxIterations');
  });
  test('by patience: that many epochs in a row not above the best', () => {
    expect(end([0, 1], [3, 2])).toBeUndefined();
    expect(end([0, 1, 2], [3, 2, 2.9])).toBe('patience');
    expect(end([0, 1, 2], [3, 3, 3])).toBe('patience');
    expect(end([0, 1, 2, 3], [3, 2, 3.1, 3])).toBeUndefined();
    expect(end([0, 1], [3, 2], { patience: 1 })).toBe('patience');
    expect(end([0], [3], { patience: 1 })).toBeUndefined();
    expect(end([5, 4, 3, 2])).toBeUndefined(); // nothing held out
  });
  test('by tolerance, relative to 1 + |it|; 0 is never', () => {
    expect(end([0, 9, 9.0999], undefined, { tolerance: 0.01 })).toBe('tolerance'); // 0.1 of 10.1
    expect(end([0, 9, 9.2], undefined, { tolerance: 0.01 })).toBeUndefined();
    expect(end([0, 9, 8], undefined, { tolerance: 0.01 })).toBeUndefined(); // a fall is not convergence
    expect(end([0, 9, 9])).toBeUndefined();
    expect(end([0], undefined, { tolerance: 0.01 })).toBeUndefined();
  });
  test('the first of the best, the first fall', () => {
    expect(bestOf([1, 3, 2, 3])).toBe(1);
    expect(firstFall({ history: [1, 2, 2, 1.5, 1], validationHistory: undefined })).toBe(3);
    expect(firstFall({ history: [1, 2, 2], validationHistory: undefined })).toBe(0);
    expect(firstFall({ history: [1e6, 1e6 - 1e-9], validationHistory: undefined })).toBe(0); // noise
    expect(firstFall({ history: [1e6, 1e6 - 1e-3], validationHistory: undefined })).toBe(1);
  });
});

describe('the report', () => {
  const limits = { maxIterations: 3, tolerance: 1e-3, patience: 2 };
  const report = (history: number[], validationHistory?: number[]) => reportOf({ history, validationHistory }, limits);

  test('converged: the gain was below the tolerance, and nothing fell on the way', () => {
    expect(report([-5, -3, -3])).toEqual({
      iterations: 2,
      converged: true,
      logLikelihood: -3,
      history: Float64Array.of(-5, -3, -3),
      bestIteration: 2,
      warnings: [],
    });
    const fell = report([-5, -3, -4, -4]);
    expect(fell).toMatchObject({ converged: false, warnings: [expect.stringMatching(/fell in epoch 2 by 1: .*not/)] });
    expect(report([-5, -4, -3, -2])).toMatchObject({ converged: false, iterations: 3, warnings: [] });
    expect(report([-5, -4, -3, -6]).warnings).toEqual([expect.stringMatching(/1 lower than at the start/)]);
  });
  test('the report names the best epoch, with its likelihood', () => {
    expect(report([-5, -4, -3, -2], [1, 2, 1.5, 1.5])).toMatchObject({
      bestIteration: 1,
      logLikelihood: -4,
      converged: false,
      validationHistory: Float64Array.of(1, 2, 1.5, 1.5),
      warnings: [expect.stringMatching(/^stopped by patience after epoch 3: .* best after epoch 1,/)],
    });
    expect(report([-5, -4, -3, -2], [1, 2, 3, 2.5]).warnings).toEqual([
      expect.stringMatching(/best after epoch 2 of 3,/),
    ]);
    expect(report([-5, -4, -3, -2], [1, 2, 3, 4])).toMatchObject({ bestIteration: 3, warnings: [] });
  });
});
