/** The training loop on tasks whose optimum is known. */
import { describe, expect, test } from 'vitest';
import { SeqlikError } from '../../src/errors.ts';
import { shuffleBatches, split } from '../../src/training/batches.ts';
import { type Task, train } from '../../src/training/loop.ts';
import type { TrainingOptions, TrainingProgress } from '../../src/training/settings.ts';
import { regression, settings } from './task.ts';

const trainOn = (task: Task, options?: TrainingOptions) => Promise.resolve().then(() => train(task, settings(options)));
const refusal = (code: string, fields: object = {}) => expect.objectContaining({ code, ...fields });

describe('the optimum', () => {
  test.each<TrainingOptions>([
    { optimizer: 'adam', learningRate: 0.1, schedule: 'cosine', maxIterations: 200 },
    { optimizer: 'sgd', learningRate: 0.1, schedule: 'cosine', maxIterations: 200 },
    { optimizer: 'sgd', momentum: 0, learningRate: 0.1, batch: 100, maxIterations: 200 },
    { optimizer: 'adam', learningRate: 0.1, batch: 7, schedule: 'plateau', maxIterations: 300 },
  ])('is found: %o', async (options) => {
    const task = regression();
    const { parameters, report } = await trainOn(task, options);
    expect(parameters[0]).toBeCloseTo(task.optimum[0], 3);
    expect(parameters[1]).toBeCloseTo(task.optimum[1], 3);
    expect(report).toMatchObject({ iterations: options.maxIterations, converged: false, warnings: [] });
    expect(report.history.length).toBe(options.maxIterations! + 1);
    const all = Int32Array.from(task.lengths.keys());
    expect(-(await task.loss(parameters, all))).toBeCloseTo(report.logLikelihood, 9);
    expect(-(await task.loss(task.parameters, all))).toBeCloseTo(report.history[0]!, 9);
    expect(task.parameters).toEqual(new Float64Array(2)); // untouched
  });
  test('converged, when the gain is below the tolerance and nothing fell', async () => {
    const task = regression();
    const { report } = await trainOn(task, {
      optimizer: 'sgd',
      momentum: 0,
      learningRate: 0.1,
      batch: 100,
      tolerance: 1e-6,
      maxIterations: 500,
    });
    expect(report).toMatchObject({ converged: true, warnings: [] });
    expect(report.iterations).toBeLessThan(400);
    const [before, after] = report.history.slice(-2);
    expect(after! - before!).toBeLessThan(1e-6 * (1 + Math.abs(after!)));
  });
  test('one step of gradient descent, by hand: per term, whatever the lengths; clipped', async () => {
    const run = async (clip: number) =>
      (
        await trainOn(regression(), {
          optimizer: 'sgd',
          momentum: 0,
          learningRate: 1,
          batch: 100,
          maxIterations: 1,
          clip,
        })
      ).parameters;
    const task = regression();
    const gradient = new Float64Array(2);
    await task.lossGradient(task.parameters, Int32Array.from(task.lengths.keys()), gradient);
    const terms = task.lengths.reduce((a, b) => a + b, 0);
    const want = [...gradient].map((g) => -g / terms);
    const norm = Math.hypot(...want);
    for (const [got, scale] of [
      [await run(0), 1],
      [await run(0.5), 0.5 / norm],
    ] as const)
      for (const i of [0, 1]) expect(got[i]).toBeCloseTo(scale * want[i]!, 12);
    expect(norm).toBeGreaterThan(0.5);
  });
  test('the steps of an epoch add up to the gradient, though a batch holds sequences of one length', async () => {
    // to first order: at a tiny rate
    const task = regression();
    const rate = 1e-7;
    const options = { optimizer: 'sgd', momentum: 0, learningRate: rate, maxIterations: 1, clip: 0 } as const;
    const whole = (await trainOn(task, { ...options, batch: 100 })).parameters;
    const parts = (await trainOn(task, { ...options, batch: 5 })).parameters;
    const batches = Math.ceil(task.lengths.filter((n) => n > 0).length / 5);
    for (const i of [0, 1]) expect(parts[i]! / whole[i]! / batches).toBeCloseTo(1, 5);
  });
});

describe('held-out examples', () => {
  const options: TrainingOptions = { validation: 0.25, learningRate: 0.3, batch: 5, maxIterations: 60, patience: 4 };
  test('choose the epoch whose parameters are returned', async () => {
    const task = regression();
    const { parameters, report } = await trainOn(task, options);
    const { iterations, bestIteration, validationHistory } = report;
    const { heldOut, training } = split(task.lengths, 0.25, 0);
    const terms = heldOut.reduce((sum, i) => sum + task.lengths[i]!, 0);
    expect(validationHistory!.length).toBe(iterations + 1);
    expect(bestIteration).toBe(validationHistory!.indexOf(Math.max(...validationHistory!)));
    expect(bestIteration).toBe(iterations - 4);
    expect(iterations).toBeLessThan(60);
    expect(-(await task.loss(parameters, heldOut)) / terms).toBeCloseTo(validationHistory![bestIteration]!, 10);
    expect(-(await task.loss(parameters, training))).toBeCloseTo(report.logLikelihood, 9);
    expect(report.logLikelihood).toBe(report.history[bestIteration]);
    expect(report).toMatchObject({ converged: false, warnings: [expect.stringMatching(/^stopped by patience/)] });
  });
  test('are never learnt from; examples without terms are never asked about', async () => {
    const task = regression();
    const learnt = new Set<number>();
    const asked = new Set<number>();
    const watched: Task = {
      ...task,
      lossGradient: (parameters, examples, gradient) => {
        expect(gradient).toEqual(new Float64Array(2)); // zeros
        for (const i of examples) learnt.add(i);
        return task.lossGradient(parameters, examples, gradient);
      },
      loss: (parameters, examples) => {
        for (const i of examples) asked.add(i);
        return task.loss(parameters, examples);
      },
    };
    await trainOn(watched, { ...options, maxIterations: 3 });
    const { heldOut, training } = split(task.lengths, 0.25, 0);
    expect([...learnt].sort((a, b) => a - b)).toEqual([...training]);
    expect([...asked].sort((a, b) => a - b)).toEqual([...training, ...heldOut].sort((a, b) => a - b));
    expect(task.lengths.includes(0)).toBe(true);
  });
  test('of one example: there are none, and the report says so', async () => {
    const { report } = await trainOn(regression(1), { validation: 0.5, maxIterations: 2 });
    expect(report.warnings).toEqual([expect.stringMatching(/nothing was held out/)]);
    expect(report).not.toHaveProperty('validationHistory');
    await expect(trainOn({ ...regression(3), lengths: new Int32Array(3) })).rejects.toThrow(refusal('EMPTY_INPUT'));
  });
});

describe('the same seed, the same bits', () => {
  const varied: TrainingOptions[] = [
    { optimizer: 'adam', batch: 7, validation: 0.2, schedule: 'plateau', patience: 2, learningRate: 0.5 },
    { optimizer: 'sgd', batch: 7, validation: 0.2, schedule: 'cosine', patience: 50, learningRate: 0.1 },
    { optimizer: 'sgd', batch: 9, schedule: 'plateau', patience: 1, learningRate: 0.3, momentum: 0.5 },
    { optimizer: 'adam', batch: 4, tolerance: 1e-4, learningRate: 0.1 },
    { optimizer: 'adam', batch: 5, validation: 0.3, patience: 2, learningRate: 1 },
  ];
  test.each(varied)('%o', async (options) => {
    const run = (more: TrainingOptions = {}) =>
      trainOn(regression(), { maxIterations: 12, seed: 3, ...options, ...more });
    const first = await run();
    expect(await run()).toEqual(first);
    expect((await run({ seed: 4 })).parameters).not.toEqual(first.parameters);
  });
  test.each(varied)('also from the checkpoint of any epoch: %o', async (options) => {
    const saved: [Uint8Array, number][] = [];
    const all = { maxIterations: 12, ...options };
    const save = (bytes: Uint8Array, iteration: number) => void saved.push([bytes, iteration]);
    const whole = await trainOn(regression(), { ...all, checkpoint: { save } });
    expect(saved.map(([, iteration]) => iteration)).toEqual([...saved.keys()].map((i) => i + 1));
    expect(saved.length).toBe(whole.report.iterations);
    for (const [resume, iteration] of saved) {
      const rest: Uint8Array[] = [];
      const task = regression();
      const again = { resume, save: (bytes: Uint8Array) => void rest.push(bytes) };
      expect(await trainOn(task, { ...all, checkpoint: again })).toEqual(whole);
      expect(rest).toEqual(saved.slice(iteration).map(([bytes]) => bytes));
      if (rest.length === 0) expect(task.calls).toEqual({ gradients: 0, losses: 0 }); // it had ended
    }
  });
  test('a training run that has ended goes on with more epochs, as if it had been meant to', async () => {
    let resume = new Uint8Array();
    const options = { validation: 0.2, batch: 7 };
    const save = (bytes: Uint8Array): void => {
      resume = new Uint8Array(bytes);
    };
    await trainOn(regression(), { ...options, maxIterations: 3, checkpoint: { save } });
    const whole = await trainOn(regression(), { ...options, maxIterations: 8 });
    expect(await trainOn(regression(), { ...options, maxIterations: 8, checkpoint: { resume } })).toEqual(whole);
  });
  test('settings are only read: twice the same checkpoint, twice the same end', async () => {
    let resume = new Uint8Array();
    const save = (bytes: Uint8Array): void => {
      resume = new Uint8Array(bytes);
    };
    const options = { validation: 0.2, batch: 7 };
    await trainOn(regression(), { ...options, maxIterations: 2, checkpoint: { save } });
    const read = settings({ ...options, maxIterations: 5, checkpoint: { resume } });
    const first = await train(regression(), read);
    expect(first.report.iterations).toBe(5);
    expect(await train(regression(), read)).toEqual(first);
  });
  test('every third epoch is saved, and the last; save is waited for', async () => {
    const saved: number[] = [];
    let open = 0;
    const save = async (_: Uint8Array, iteration: number) => {
      saved.push(iteration);
      open++;
      await new Promise((resolve) => setTimeout(resolve, 2));
      open--;
    };
    const onProgress = () => expect(open).toBe(0);
    await trainOn(regression(), { maxIterations: 8, onProgress, checkpoint: { save, every: 3 } });
    expect(saved).toEqual([3, 6, 8]);
    expect(open).toBe(0);
  });
  test('time decides nothing', async () => {
    const options = { maxIterations: 4, batch: 7, validation: 0.2 };
    const want = await trainOn(regression(), options);
    const task = regression();
    const slow: Task = {
      ...task,
      lossGradient: async (...given) => {
        await new Promise((resolve) => setTimeout(resolve, 15));
        return task.lossGradient(...given);
      },
    };
    expect(await trainOn(slow, options)).toEqual(want);
  });
});

test('progress: after each batch, and after each epoch with its results', async () => {
  const seen: TrainingProgress[] = [];
  const task = regression();
  const { report } = await trainOn(task, {
    maxIterations: 3,
    batch: 10,
    validation: 0.2,
    schedule: 'cosine',
    onProgress: (progress) => seen.push(progress),
  });
  const { training } = split(task.lengths, 0.2, 0);
  const batches = Math.ceil(training.length / 10);
  expect(seen.map(({ iteration, batch }) => [iteration, batch])).toEqual(
    [1, 2, 3].flatMap((iteration) => [
      ...Array.from({ length: batches }, (_, i) => [iteration, i + 1]),
      [iteration, batches],
    ]),
  );
  for (const [i, { iteration, learningRate, secondsLeft, loss, logLikelihood, heldOut, ...rest }] of seen.entries()) {
    const ended = i % (batches + 1) === batches;
    expect(rest).toEqual({ maxIterations: 3, batches, batch: (i % (batches + 1)) + (ended ? 0 : 1) });
    expect(logLikelihood).toBe(ended ? report.history[iteration] : undefined);
    expect(heldOut).toBe(ended ? report.validationHistory![iteration] : undefined);
    expect(secondsLeft).toBeGreaterThanOrEqual(0);
    expect(secondsLeft).toBeLessThan(10);
    expect(loss).toBeGreaterThan(0);
    expect(learningRate <= 1e-2 && learningRate > 1e-4).toBe(true);
  }
  expect(seen.at(-1)!.secondsLeft).toBe(0);
  // at the start of an epoch the mean loss is that of the parameters then
  const terms = training.reduce((sum, i) => sum + task.lengths[i]!, 0);
  expect(seen[batches]!.loss / (-report.history[0]! / terms)).toBeCloseTo(1, 1);
});

test('each epoch has batches of its own, and the rate that the held-out values call for', async () => {
  const task = regression();
  const { training, heldOut } = split(task.lengths, 0.3, 8);
  const learnt: Int32Array[] = [];
  const watched: Task = {
    ...task,
    lossGradient: (...given) => {
      learnt.push(given[1]);
      return task.lossGradient(...given);
    },
    // what is learnt does not help what is held out
    loss: async (...given) => (heldOut.includes(given[1][0]!) ? 1 : task.loss(...given)),
  };
  const rates = new Map<number, number>();
  const { report } = await trainOn(watched, {
    schedule: 'plateau',
    patience: 6,
    learningRate: 0.5,
    batch: 6,
    validation: 0.3,
    seed: 8,
    onProgress: ({ iteration, learningRate }) => void rates.set(iteration, learningRate),
  });
  expect([...rates]).toEqual([0.5, 0.5, 0.5, 0.25, 0.25, 0.25].map((rate, i) => [i + 1, rate]));
  expect(report).toMatchObject({ iterations: 6, bestIteration: 0 });
  expect(learnt).toEqual([1, 2, 3, 4, 5, 6].flatMap((epoch) => shuffleBatches(training, task.lengths, 6, 8, epoch)));
});

describe('others run while it works', () => {
  test('every few milliseconds, though the task never waits', async () => {
    const task = regression();
    const busy: Task = {
      ...task,
      lossGradient: (...given) => {
        const until = performance.now() + 3;
        while (performance.now() < until);
        return task.lossGradient(...given);
      },
    };
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await trainOn(busy, { maxIterations: 10, batch: 5 });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });
});

describe('an end from outside', () => {
  const reason = { why: 'enough' };
  const aborted = (cause: unknown = reason) => refusal('ABORTED', { cause });
  test('before any work', async () => {
    const task = regression();
    await expect(trainOn(task, { signal: AbortSignal.abort(reason) })).rejects.toThrow(aborted());
    expect(task.calls).toEqual({ gradients: 0, losses: 0 });
  });
  test.each([1, 2, 5, 9])('between two calls of the task: after the %i. one', async (last) => {
    const controller = new AbortController();
    const task = regression();
    let calls = 0;
    const counted = <A extends unknown[]>(call: (...given: A) => Promise<number>) => {
      return async (...given: A) => {
        if (++calls === last) controller.abort(reason);
        return call(...given);
      };
    };
    const watched = { ...task, lossGradient: counted(task.lossGradient), loss: counted(task.loss) };
    await expect(trainOn(watched, { batch: 20, signal: controller.signal })).rejects.toThrow(aborted());
    expect(calls).toBe(last);
  });
  test('by the task itself', async () => {
    const error = new SeqlikError('ABORTED', 'Some.fit was aborted', { cause: reason });
    await expect(trainOn({ ...regression(), lossGradient: () => Promise.reject(error) })).rejects.toThrow(aborted());
  });
  test('by a progress or a save that throws', async () => {
    const error = new Error('no more');
    const fails = () => {
      throw error;
    };
    await expect(trainOn(regression(), { onProgress: fails })).rejects.toBe(error);
    await expect(trainOn(regression(), { checkpoint: { save: fails } })).rejects.toBe(error);
    await expect(trainOn(regression(), { checkpoint: { save: () => Promise.reject(error) } })).rejects.toBe(error);
  });
});
