/** Checkpoints as bytes: they are read back as written; bytes that do not fit are refused, and the tensor is named. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readTensors, writeTensors } from '../../src/file/tensors.ts';
import { loadModel } from '../../src/index.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/training/checkpoint.ts';
import { train } from '../../src/training/loop.ts';
import { optimizerOf, optimizers } from '../../src/training/optimizer.ts';
import type { TrainingOptions } from '../../src/training/settings.ts';
import { regression, settings } from './task.ts';

const numbers = (n: number) =>
  fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: n, maxLength: n });
const checkpoints = fc
  .record({ n: fc.nat(5), epochs: fc.nat(4), name: fc.constantFrom(...optimizers), judged: fc.boolean() })
  .chain(({ n, epochs, name, judged }) =>
    fc.tuple(numbers(4 * n + 4), numbers(epochs + 1), fc.string({ unit: 'grapheme' })).map(
      ([values, history, text]): Checkpoint => ({
        parameters: Float64Array.from(values.slice(0, n)),
        optimizer: Object.fromEntries(
          Object.entries(optimizerOf(name, 0, n).state).map(([key, { length }], i) => [
            key,
            Float64Array.from(values.slice(n * i, n * i + length)),
          ]),
        ),
        history,
        validation: judged ? { history, best: Float64Array.from(values.slice(1, n + 1)) } : undefined,
        identity: { optimizer: name, parameters: `${n}`, heldOutTerms: judged ? '7' : '0', task: text },
      }),
    ),
  );
test('what is written comes back, to the bit', () =>
  fc.assert(
    fc.property(checkpoints, (checkpoint) => {
      expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
    }),
  ));

/** A checkpoint after three epochs. */
async function saveRun(options: TrainingOptions = {}, task = regression()): Promise<Uint8Array> {
  let last = new Uint8Array();
  const save = (bytes: Uint8Array): void => {
    last = new Uint8Array(bytes);
  };
  await train(task, settings({ maxIterations: 3, batch: 7, validation: 0.2, ...options, checkpoint: { save } }));
  return last;
}
const resumeRun = (resume: Uint8Array, options: TrainingOptions = {}, task = regression()) =>
  Promise.resolve().then(() =>
    train(task, settings({ maxIterations: 5, batch: 7, validation: 0.2, ...options, checkpoint: { resume } })),
  );
const refusal = (code: string, fields: object) => expect.objectContaining({ code, ...fields });

describe('a file that is', () => {
  const format = (fields: object = {}) => refusal('FORMAT', { argument: 'checkpoint.resume', ...fields });
  test('cut short, or has one wrong bit', async () => {
    const bytes = await saveRun();
    for (let size = 0; size < bytes.length; size += 97)
      expect(() => settings({ checkpoint: { resume: bytes.slice(0, size) } })).toThrow(format());
    for (let at = 0; at < bytes.length; at += 13) {
      const wrong = bytes.slice();
      wrong[at]! ^= 1 << (at % 8);
      expect(() => settings({ checkpoint: { resume: wrong } }), `byte ${at}`).toThrow(format());
    }
  });
  test('of another kind; and a checkpoint is not a model', async () => {
    const bytes = await saveRun();
    const { metadata, tensors } = readTensors(bytes);
    expect(metadata).toMatchObject({ format: 'seqlik/1', kind: 'training-checkpoint' });
    const other = writeTensors({ metadata: { ...metadata, kind: 'gaussian' }, tensors });
    expect(() => settings({ checkpoint: { resume: other } })).toThrow(
      format({ reason: 'it holds a gaussian, not a training-checkpoint' }),
    );
    expect(() => loadModel(bytes)).toThrow(refusal('FORMAT', { reason: expect.stringMatching(/training-checkpoint/) }));
  });
  type Tensors = Record<string, { shape: readonly number[]; values: Float64Array | Float32Array } | undefined>;
  const vector = (...values: number[]) => ({ shape: [values.length], values: Float64Array.from(values) });
  test.each<[tensor: string, string, (tensors: Tensors) => void]>([
    ['parameters', 'missing', (t) => delete t['parameters']],
    ['parameters', 'too long', (t) => (t['parameters'] = vector(1, 2, 3))],
    ['parameters', 'f32', (t) => (t['parameters'] = { shape: [2], values: new Float32Array(2) })],
    ['history', 'missing', (t) => delete t['history']],
    ['history', 'empty', (t) => (t['history'] = t['validationHistory'] = vector())],
    ['validationHistory', 'missing', (t) => delete t['validationHistory']],
    ['validationHistory', 'too short', (t) => (t['validationHistory'] = vector(1))],
    ['best', 'missing', (t) => delete t['best']],
    ['best', 'too short', (t) => (t['best'] = vector(1))],
    ['optimizer.first', 'missing', (t) => delete t['optimizer.first']],
    ['optimizer.second', 'too long', (t) => (t['optimizer.second'] = vector(1, 2, 3))],
    ['optimizer.powers', 'of two dimensions', (t) => (t['optimizer.powers'] = { ...vector(1, 2), shape: [1, 2] })],
    ['optimizer.velocity', 'of another optimizer', (t) => (t['optimizer.velocity'] = vector(1, 2))],
  ])('whose %s is %s', async (tensor, _, change) => {
    const { metadata, tensors } = readTensors(await saveRun());
    const other: Tensors = { ...tensors };
    change(other);
    const resume = writeTensors({ metadata, tensors: other as typeof tensors });
    expect(() => settings({ checkpoint: { resume } })).toThrow(format({ tensor }));
  });
  test.each([
    ['setting.parameters', '3'],
    ['setting.parameters', 'x'],
    ['setting.heldOutTerms', '0'],
    ['setting.optimizer', 'sgd'],
    ['setting.optimizer', 'toString'],
  ])('whose %s says %s', async (name, text) => {
    const { metadata, tensors } = readTensors(await saveRun());
    const resume = writeTensors({ metadata: { ...metadata, [name]: text }, tensors });
    expect(() => settings({ checkpoint: { resume } })).toThrow(format());
  });
});

describe('another training run', () => {
  const other = (reason: string) => refusal('INVALID_ARGUMENT', { argument: 'checkpoint', reason });
  test.each<[string, TrainingOptions]>([
    ['its optimizer is adam, not sgd', { optimizer: 'sgd' }],
    ['its schedule is plateau, not cosine', { schedule: 'cosine' }],
    ['its batch is 7, not 8', { batch: 8 }],
    ['its clip is 5, not 0', { clip: 0 }],
    ['its validation is 0.2, not 0.3', { validation: 0.3 }],
    ['its seed is 0, not 1', { seed: 1 }],
  ])('%s', async (reason, options) => {
    await expect(resumeRun(await saveRun(), options)).rejects.toThrow(other(reason));
  });
  test('the momentum, the length of a cosine, the patience of a plateau', async () => {
    const sgd = await saveRun({ optimizer: 'sgd', momentum: 0.5 });
    await expect(resumeRun(sgd, { optimizer: 'sgd', momentum: 0.6 })).rejects.toThrow(
      other('its momentum is 0.5, not 0.6'),
    );
    await expect(resumeRun(await saveRun({ schedule: 'cosine' }), { schedule: 'cosine' })).rejects.toThrow(
      other('its maxIterations is 3, not 5'),
    );
    await expect(
      resumeRun(await saveRun({ schedule: 'plateau' }), { schedule: 'plateau', patience: 3 }),
    ).rejects.toThrow(other('its patience is 10, not 3'));
  });
  test('the task: its identity, its parameters, its data', async () => {
    const bytes = await saveRun();
    const named = (identity: Record<string, string>) => ({ ...regression(), identity });
    await expect(resumeRun(bytes, {}, named({ kind: 'other' }))).rejects.toThrow(
      other('its kind is regression, not other'),
    );
    await expect(resumeRun(bytes, {}, named({}))).rejects.toThrow(other('its kind is regression, not given here'));
    await expect(resumeRun(bytes, {}, named({ kind: 'regression', hidden: '[3]' }))).rejects.toThrow(
      other('its hidden is not given, not [3]'),
    );
    await expect(resumeRun(bytes, {}, { ...regression(), parameters: new Float64Array(3) })).rejects.toThrow(
      other('its parameters is 2, not 3'),
    );
    await expect(resumeRun(bytes, {}, regression(59))).rejects.toThrow(
      refusal('INVALID_ARGUMENT', {
        argument: 'checkpoint',
        reason: expect.stringMatching(/^its (terms|heldOutTerms) is/),
      }),
    );
  });
  test('but the learning rate, the tolerance and how long it lasts may differ', async () => {
    const bytes = await saveRun({ schedule: 'constant' });
    for (const options of [{ learningRate: 1e-4 }, { tolerance: 1e-9 }, { patience: 1 }, { maxIterations: 4 }])
      expect((await resumeRun(bytes, { schedule: 'constant', ...options })).report.iterations).toBeGreaterThan(3);
  });
});
