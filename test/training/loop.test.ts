/** The training loop on tasks whose optimum is known. */
import { describe, expect, test } from 'vitest';
import { train } from '../../src/training/loop.ts';
import type { TrainingOptions } from '../../src/training/settings.ts';
import { regression, settings } from './task.ts';

describe('the optimum', () => {
  test.each<TrainingOptions>([
    { optimizer: 'adam', learningRate: 0.1, schedule: 'cosine', maxIterations: 200 },
    { optimizer: 'sgd', learningRate: 0.1, schedule: 'cosine', maxIterations: 200 },
    { optimizer: 'sgd', momentum: 0, learningRate: 0.1, batch: 100, maxIterations: 200 },
    { optimizer: 'adam', learningRate: 0.1, batch: 10, schedule: 'plateau', maxIterations: 300 },
  ])('is found: %o', async (options) => {
    const task = regression();
    const { parameters, report } = await train(task, settings(options));
    expect(parameters[0]).toBeCloseTo(task.optimum[0], 2);
    expect(parameters[1]).toBeCloseTo(task.optimum[1], 2);
    expect(report).toMatchObject({ iterations: options.maxIterations, converged: false });
    expect(report.history.length).toBe(options.maxIterations! + 1);
    const all = Int32Array.from(task.lengths.keys());
    expect(-(await task.loss(parameters, all))).toBeCloseTo(report.logLikelihood, 9);
    expect(task.parameters).toEqual(new Float64Array(2)); // untouched
  });
});
test('checkpoints of every epoch go on to the same bits', async () => {
  const saved: Uint8Array[] = [];
  const options: TrainingOptions = { maxIterations: 5, validation: 0.2, batch: 7 };
  const whole = await train(
    regression(),
    settings({ ...options, checkpoint: { save: (bytes) => void saved.push(bytes) } }),
  );
  expect(saved.length).toBe(5);
  for (const resume of saved)
    expect(await train(regression(), settings({ ...options, checkpoint: { resume } }))).toEqual(whole);
});
