/** The options of a training run: defaults, and everything that is refused, by name. */
import { describe, expect, test } from 'vitest';
import { readTraining, trainingOptions } from '../../src/training/settings.ts';

const read = (given: object) => readTraining('Some.fit', given);

test('defaults', () =>
  expect(read({})).toEqual({
    where: 'Some.fit',
    optimizer: 'adam',
    momentum: 0.9,
    learningRate: 1e-2,
    schedule: 'plateau',
    batch: 32,
    clip: 5,
    validation: 0.1,
    patience: 10,
    maxIterations: 100,
    tolerance: 0,
    seed: 0,
    every: 1,
  }));
test('what is given is taken', () => {
  const given = {
    optimizer: 'sgd',
    momentum: 0,
    learningRate: 5e-324,
    schedule: 'plateau',
    batch: 1,
    clip: 0,
    validation: 0,
    patience: 1,
    maxIterations: 0,
    tolerance: 1,
    seed: 2 ** 32 - 1,
    signal: new AbortController().signal,
    onProgress: () => {},
  };
  const save = () => {};
  expect(read({ ...given, checkpoint: { save, every: 3 } })).toEqual({ where: 'Some.fit', ...given, save, every: 3 });
  expect(Object.keys({ ...given, checkpoint: 0 }).sort()).toEqual([...trainingOptions].sort());
});

const nothing = [null, '', 'x', {}, [], Number.NaN, true, () => {}, 1n, Symbol('s')];
const noNumber = [...nothing, '1', [1], Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1];
const bad: Record<string, readonly unknown[]> = {
  optimizer: [...nothing, 'Adam', 'toString', 0, ['adam']],
  learningRate: [...noNumber, 0, -0],
  schedule: [...nothing, 'linear', 1],
  batch: [...noNumber, 0, 1.5, 2 ** 31],
  clip: noNumber,
  validation: [...noNumber, 1, 1.5],
  patience: [...noNumber, 0, 2.5, 2 ** 31],
  maxIterations: [...noNumber, 0.5, 2 ** 31],
  tolerance: noNumber,
  seed: [...noNumber, 0.5, 2 ** 32],
  signal: [...nothing, { aborted: false }, new AbortController()],
  onProgress: [null, '', 'x', {}, [], Number.NaN, true, 1],
  checkpoint: [null, '', 'x', [], Number.NaN, true, () => {}, new Uint8Array(3), { ressume: 1 }],
};
describe.each(Object.entries(bad))('%s', (argument, values) => {
  test.each(values.map((value) => [typeof value === 'symbol' ? 'a symbol' : value, value]))('is not %o', (_, value) =>
    expect(() => read({ [argument]: value })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument })),
  );
});
test.each([...noNumber, 1, 2].map((value) => [typeof value === 'symbol' ? 'a symbol' : value, value]))(
  'momentum is not %o, and not of adam',
  (_, momentum) => {
    for (const given of [{ optimizer: 'sgd', momentum }, { momentum: 0.5 }])
      expect(() => read(given)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'momentum' }));
  },
);
test.each([
  ['resume', 'x'],
  ['resume', []],
  ['resume', new Float64Array(1)],
  ['resume', new ArrayBuffer(8)],
  ['resume', new Uint8Array(new SharedArrayBuffer(8))],
  ['save', 1],
  ['save', 'x'],
  ['every', 0],
  ['every', 1.5],
  ['every', 'x'],
])('checkpoint.%s is not %o', (name, value) =>
  expect(() => read({ checkpoint: { [name]: value } })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: `checkpoint.${name}` }),
  ),
);
test('detached bytes', () => {
  const resume = new Uint8Array(8);
  structuredClone(resume, { transfer: [resume.buffer] });
  expect(() => read({ checkpoint: { resume } })).toThrow(expect.objectContaining({ argument: 'checkpoint.resume' }));
});
test('each option of checkpoint is read once', () => {
  const reads: string[] = [];
  const checkpoint = {
    get resume() {
      reads.push('resume');
      return undefined;
    },
    get save() {
      reads.push('save');
      return () => {};
    },
    get every() {
      reads.push('every');
      return reads.length > 3 ? 'x' : 2;
    },
  };
  expect(read({ checkpoint })).toMatchObject({ every: 2 });
  expect(reads.sort()).toEqual(['every', 'resume', 'save']);
});
