/** Training runs that diverge: DIVERGED, with the last finite checkpoint; other errors pass through. */
import { describe, expect, test } from 'vitest';
import { type Code, SeqlikError } from '../../src/errors.ts';
import { split } from '../../src/training/batches.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/training/checkpoint.ts';
import { type Task, train } from '../../src/training/loop.ts';
import type { TrainingOptions } from '../../src/training/settings.ts';
import { regression, settings } from './task.ts';

const options: TrainingOptions = { batch: 12, maxIterations: 6, validation: 0.2 };
const trainOn = (task: Task, more?: TrainingOptions) =>
  Promise.resolve().then(() => train(task, settings({ ...options, ...more })));
const failure = (run: Promise<unknown>): Promise<SeqlikError> =>
  run.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(SeqlikError);
      return error as SeqlikError;
    },
  );
/** A task whose call number `at` (from 1) of one kind does something else. */
function breakTask(kind: 'lossGradient' | 'loss', at: number, does: (gradient?: Float64Array) => number): Task {
  const task = regression();
  let calls = 0;
  return {
    ...task,
    [kind]: async (parameters: Float64Array, examples: Int32Array, gradient?: Float64Array) => {
      const loss = await task[kind](parameters, examples, gradient!);
      return ++calls === at ? does(gradient) : loss;
    },
  };
}
const each = Math.ceil(split(regression().lengths, 0.2, 0).training.length / 12); // calls of lossGradient in an epoch
const evaluation = 2; // calls of loss after an epoch: the training examples fit one part, the held-out ones another

describe('divergence', () => {
  const ways: [string, 'lossGradient' | 'loss', number, number, string, (gradient?: Float64Array) => number][] = [
    [
      'a loss of NaN',
      'lossGradient',
      2 * each + 2,
      2,
      `in epoch 3, batch 2 of ${each}: the loss is NaN`,
      () => Number.NaN,
    ],
    [
      'an infinite loss',
      'lossGradient',
      each + 1,
      1,
      `in epoch 2, batch 1 of ${each}: the loss is -Inf`,
      () => Number.NEGATIVE_INFINITY,
    ],
    [
      'a NaN in the gradient',
      'lossGradient',
      each,
      0,
      `in epoch 1, batch ${each} of ${each}: the gradient is`,
      (g) => Number(g!.set([Number.NaN], 1) ?? 1),
    ],
    [
      'an infinity in the gradient',
      'lossGradient',
      1,
      0,
      `in epoch 1, batch 1 of ${each}: the gradient is`,
      (g) => Number(g!.set([Number.POSITIVE_INFINITY]) ?? 1),
    ],
    ['a loss of NaN after an epoch', 'loss', 3 * evaluation, 1, 'after epoch 2: the loss is NaN', () => Number.NaN],
  ];
  test.each(ways)('%s', async (_, kind, at, epochs, message, does) => {
    const error = await failure(trainOn(breakTask(kind, at, does)));
    expect(error).toMatchObject({
      code: 'DIVERGED',
      message: expect.stringContaining(`Some.fit: diverged ${message}`),
    });
    const checkpoint = decodeCheckpoint(error.checkpoint!);
    expect(checkpoint.history.length).toBe(epochs + 1);
    expect(error.message).toContain(`checkpoint after epoch ${epochs} is attached`);
    // a task that behaves goes on from there to the bits of a training run that never failed
    expect(await trainOn(regression(), { checkpoint: { resume: error.checkpoint! } })).toEqual(
      await trainOn(regression()),
    );
  });
  test.each<Code>(['NON_FINITE', 'NOT_POSITIVE_DEFINITE'])('%s of the task, once steps were made', async (code) => {
    const cause = new SeqlikError(code, 'the covariance of row 3 is singular', { row: 3 });
    const fails = () => {
      throw cause;
    };
    for (const [kind, at] of [
      ['lossGradient', 2],
      ['loss', evaluation + 1],
    ] as const) {
      const error = await failure(trainOn(breakTask(kind, at, fails)));
      expect(error).toMatchObject({ code: 'DIVERGED', cause, message: expect.stringContaining(cause.message) });
      expect(decodeCheckpoint(error.checkpoint!).history.length).toBe(1);
    }
    // before the first step it is the data or the start that is wrong
    for (const [kind, at] of [
      ['loss', 1],
      ['loss', evaluation],
      ['lossGradient', 1],
    ] as const)
      await expect(trainOn(breakTask(kind, at, fails))).rejects.toBe(cause);
    // after a resume steps were made
    const { checkpoint } = await failure(trainOn(breakTask('lossGradient', each + 1, () => Number.NaN)));
    const error = await failure(trainOn(breakTask('lossGradient', 1, fails), { checkpoint: { resume: checkpoint! } }));
    expect(error).toMatchObject({ code: 'DIVERGED', cause, checkpoint });
  });
  test('a learning rate that is too large; from the checkpoint a smaller one gets on', async () => {
    const wild: TrainingOptions = {
      optimizer: 'sgd',
      learningRate: 1e3,
      clip: 0,
      batch: 100,
      maxIterations: 1000,
      patience: 10_000,
    };
    const error = await failure(trainOn(regression(), wild));
    expect(error.code).toBe('DIVERGED');
    const { parameters, history } = decodeCheckpoint(error.checkpoint!);
    expect([...parameters, ...history].every(Number.isFinite)).toBe(true);
    expect(history.length).toBeGreaterThan(2);
    const resume = error.checkpoint!;
    const { report } = await trainOn(regression(), {
      ...wild,
      learningRate: 1e-3,
      patience: 10_000,
      checkpoint: { resume },
    });
    expect(report.iterations).toBe(1000);
    expect(report.history.at(-1)).toBeGreaterThan(history.at(-1)!);
  });
  test('parameters and moments that overflow', async () => {
    const huge = (value: number): Task => ({
      ...regression(),
      loss: async () => 1,
      lossGradient: async (_, __, gradient) => {
        gradient.fill(value);
        return 1;
      },
    });
    const wild: TrainingOptions = { clip: 0, validation: 0, batch: 100 };
    expect((await failure(trainOn(huge(1e307), { ...wild, optimizer: 'sgd', learningRate: 1e10 }))).message).toMatch(
      /in epoch 1, batch 1 of 1: a parameter is not finite/,
    );
    expect((await failure(trainOn(huge(1e300), wild))).message).toMatch(
      /after epoch 1: the state of the optimizer is not/,
    );
  });
  test('sums of losses that overflow', async () => {
    let epoch = 0;
    const [long, short] = [Int32Array.of(2048, 2048), regression(2)]; // parts of their own
    const lossGradient: Task['lossGradient'] = (...given) => {
      epoch++;
      return short.lossGradient(...given);
    };
    const task: Task = { ...short, lengths: long, lossGradient, loss: async () => (epoch > 0 ? 1e308 : 1) };
    const error = await failure(trainOn(task, { validation: 0, batch: 20 }));
    expect(error).toMatchObject({
      code: 'DIVERGED',
      message: expect.stringMatching(/after epoch 1: the loss is Infinity/),
    });
  });
});

describe('errors that are not a divergence', () => {
  test('a start without a loss has no checkpoint', async () => {
    const error = await failure(trainOn(breakTask('loss', 1, () => Number.NaN)));
    expect(error.message).toMatch(/diverged before the first epoch: the loss is NaN; the initial parameters/);
    expect(error.checkpoint).toBeUndefined();
  });
  test.each<Code>(['OUT_OF_MEMORY', 'BACKEND', 'DISPOSED'])('%s of the task passes through', async (code) => {
    const error = new SeqlikError(code, 'no');
    const fails = () => {
      throw error;
    };
    await expect(trainOn(breakTask('lossGradient', 3, fails))).rejects.toBe(error);
    await expect(trainOn(breakTask('loss', evaluation + 1, fails))).rejects.toBe(error);
  });
});
test('a checkpoint in bytes is the one that was read', async () => {
  const { checkpoint } = await failure(trainOn(breakTask('lossGradient', each + 1, () => Number.NaN)));
  expect(encodeCheckpoint(decodeCheckpoint(checkpoint!))).toEqual(checkpoint);
});
