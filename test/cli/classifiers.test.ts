/** Classifiers on the command line: the same as the library, to the bit. */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadModel, openBackend, RecurrentClassifier, TwoLayerClassifier } from '../../src/index.ts';
import { Folder, seqlik } from './run.ts';

const folder = new Folder();
const backend = openBackend({ name: 'wasm' });
const onWasm = ['--backend', 'wasm'];
const ok = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await seqlik(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const json = async (...args: readonly string[]) => JSON.parse(await ok(...args, '--json'));
const table = (text: string): string[][] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(','));

/** Columns a, high, id, b, low in rows: two inputs, a sequence and two targets, in no order. */
const lengths = [4, 1, 6, 3, 5, 2];
const rows = lengths.flatMap((length, s) =>
  Array.from({ length }, (_, t) => {
    const [a, b] = [Number(Math.sin(3 * s + t).toFixed(3)), Number(Math.cos(5 * s - t).toFixed(3))];
    return { s, a, b, high: a + b > 0 ? 1 : 0, low: Number((1 / (2 + t + s)).toFixed(3)) };
  }),
);
const csvOf = (given: typeof rows): string =>
  `a,high,id,b,low\n${given.map(({ s, a, b, high, low }) => `${a},${high},s${s},${b},${low}\n`).join('')}`;
const data = folder.write('data.csv', csvOf(rows));
const plain = folder.write('plain.csv', csvOf(rows).replace(/,s\d,/g, ',').replace('id,', ''));
const x = Float64Array.from(rows.flatMap(({ a, b }) => [a, b]));
const y = Float64Array.from(rows.flatMap(({ high, low }) => [high, low]));
const ends = lengths.map((_, s) => lengths.slice(0, s + 1).reduce((sum, length) => sum + length) - 1);
const yLast = Float64Array.from(ends.flatMap((row) => [...y.subarray(2 * row, 2 * row + 2)]));
const training = { maxIterations: 5, learningRate: 0.05, validation: 0.3, batch: 3 };
const words = ['--max-iterations', '5', '--learning-rate', '0.05', '--validation', '0.3', '--batch', '3'];
const targets = ['--targets', 'high,low'];
const names = { columns: ['a', 'b'], labels: ['high', 'low'] };
const recurrentArgs = ['fit', 'recurrent-classifier', data, '--sequence', 'id', ...targets, '--hidden', '4', ...onWasm];
const denseArgs = ['fit', 'two-layer-classifier', plain, ...targets, '--hidden', '4', ...onWasm];
const [final, all, dense] = [folder.at('final.seqlik'), folder.at('all.seqlik'), folder.at('dense.seqlik')];
const recurrent = (path: string): RecurrentClassifier =>
  loadModel(readFileSync(path), { backend }) as RecurrentClassifier;

beforeAll(async () => {
  await json(...recurrentArgs, ...words, '-o', final);
  await json(...recurrentArgs, ...words, '--loss-at', 'all', '--class-weights', '1,3', '-o', all);
  await json(...denseArgs, ...words, '-o', dense);
});

describe('fit', () => {
  test.each([
    ['final', final, yLast, {}],
    ['all', all, y, { classWeights: [1, 3] }],
  ] as const)('recurrent-classifier, a target at %s', async (lossAt, path, targets, more) => {
    const sizes = { inputs: 2, hidden: 4, outputs: 2, ...training };
    const own = { ...sizes, lossAt, ...names, sequenceColumn: 'id', ...more, backend };
    const { model } = await RecurrentClassifier.fit({ values: x, lengths }, targets, own);
    expect(Buffer.from(model.toBytes()).equals(readFileSync(path))).toBe(true);
  });
  test('two-layer-classifier', async () => {
    const sizes = { inputs: 2, hidden: 4, outputs: 2, ...training };
    const { model } = await TwoLayerClassifier.fit(x, y, { ...sizes, ...names, backend });
    expect(Buffer.from(model.toBytes()).equals(readFileSync(dense))).toBe(true);
  });
  test.each([
    ['no targets', recurrentArgs.filter((word) => !targets.includes(word)), 2, /--targets is needed/],
    ['two layers', [...denseArgs, '--hidden', '4,4'], 2, /--hidden: a classifier has one layer/],
    ['no hidden units', denseArgs.filter((word) => word !== '--hidden' && word !== '4'), 2, /--hidden/],
    ['a target that is an input', [...recurrentArgs, '--columns', 'a,low'], 2, /--columns: low is no input/],
    ['a target that is no column', [...denseArgs, '--targets', 'tall'], 65, /plain\.csv.*no column.*tall/],
    ['three weights for two targets', [...recurrentArgs, '--class-weights', '1,2,3'], 2, /--class-weights/],
  ])('%s is refused, and there is no model', async (_, args, code, message) => {
    const out = folder.at('none.seqlik');
    const ended = await seqlik([...args, '-o', out]);
    expect(ended.stderr).toMatch(message);
    expect({ code: ended.code, exists: existsSync(out) }).toEqual({ code, exists: false });
  });
  test.each([
    ['high', '1.5'],
    ['high', '-0.1'],
    ['low', ''],
    ['a', ''],
  ])('a bad value in column %s is named with its line: "%s"', async (column, value) => {
    const at = csvOf([]).trim().split(',').indexOf(column);
    const lines = csvOf(rows).split('\n');
    const cells = lines[ends[2]! + 1]!.split(',');
    lines[ends[2]! + 1] = cells.with(at, value).join(',');
    const wrong = folder.write('wrong.csv', lines.join('\n'));
    const ended = await seqlik([...recurrentArgs.with(2, wrong), '-o', folder.at('none.seqlik')]);
    expect(ended.stderr).toMatch(new RegExp(`wrong\\.csv.*line ${ends[2]! + 2}.*${column}`));
    expect(ended.code).toBe(65);
  });
});

describe('score', () => {
  const probabilities = ['probability_high', 'probability_low'];
  test('a line for each sequence, or for each row: the bits of the library', async () => {
    for (const [path, lossAt, keep] of [
      [final, 'final', 'id'],
      [all, 'all', 'id'],
      [final, 'all', 'id,a'],
    ] as const) {
      const flags = path === final && lossAt === 'all' ? ['--loss-at', 'all'] : [];
      const [head, ...lines] = table(await ok('score', path, data, '--keep', keep, ...flags, ...onWasm));
      expect(head).toEqual([...keep.split(','), ...probabilities]);
      const want = recurrent(path).predict({ values: x, lengths }, { lossAt }).probabilities;
      expect(lines.flatMap((line) => line.slice(-2).map(Number))).toEqual([...want]);
      const sequences = lossAt === 'final' ? lengths.map((_, s) => `s${s}`) : rows.map(({ s }) => `s${s}`);
      expect(lines.map(([id]) => id)).toEqual(sequences);
    }
  });
  test('a two-layer classifier scores rows', async () => {
    const [head, ...lines] = table(await ok('score', dense, plain, ...onWasm));
    expect(head).toEqual(probabilities);
    const model = loadModel(readFileSync(dense), { backend }) as TwoLayerClassifier;
    expect(lines.flatMap((line) => line.map(Number))).toEqual([...model.predict(x).probabilities]);
  });
  test('without its columns, data are bad', async () => {
    const few = folder.write('few.csv', 'a,id\n1,s0\n');
    for (const path of [final, dense]) {
      const ended = await seqlik(['score', path, few, ...onWasm]);
      expect(ended.stderr).toMatch(/few\.csv.*b/);
      expect(ended.code).toBe(65);
    }
  });
});

describe('inspect', () => {
  test('says what the model reads: inputs, targets and the column of sequences', async () => {
    const text = await ok('inspect', final, ...onWasm);
    expect(text).toContain(
      'recurrent-classifier of 2 inputs\n4 relu units, 2 outputs after the last row of a sequence',
    );
    expect(text).toContain('\ntargets high, low\n');
    expect(text).toMatch(/\nsequences by the column id\n$/);
    const facts = { columns: ['a', 'b'], hidden: 4, labels: ['high', 'low'], lossAt: 'final', sequenceColumn: 'id' };
    expect(await json('inspect', final, ...onWasm)).toMatchObject(facts);
    expect(await ok('inspect', dense, ...onWasm)).toContain('\ninputs a, b\ntargets high, low\n');
  });
  test('the cross-entropy and accuracy of the library on data', async () => {
    const rightOf = (logits: ArrayLike<number>, y: Float64Array): number =>
      Array.from(logits, (a, i) => Number(a > 0 === y[i]! > 0.5)).reduce((sum, v) => sum + v) / y.length;
    for (const [path, want] of [
      [final, yLast],
      [all, y],
    ] as const) {
      const model = recurrent(path);
      const { data: found } = await json('inspect', path, data, ...onWasm);
      expect(found).toMatchObject({ rows: 21, sequences: 6, targets: want.length });
      expect(found.crossEntropy).toBeCloseTo(model.loss({ values: x, lengths }, want), 11);
      expect(found.accuracy).toBe(rightOf(model.predict({ values: x, lengths }).logits, want));
    }
    const model = loadModel(readFileSync(dense), { backend }) as TwoLayerClassifier;
    const { data: found } = await json('inspect', dense, plain, ...onWasm);
    expect(found).toMatchObject({ rows: 21, targets: 42, accuracy: rightOf(model.predict(x).logits, y) });
    expect(found.crossEntropy).toBeCloseTo(model.loss(x, y), 11);
  });
  test('targets that are not those of the model, or beyond 1, are refused', async () => {
    const one = await seqlik(['inspect', final, data, '--targets', 'high', ...onWasm]);
    expect([one.code, one.stderr]).toEqual([2, expect.stringMatching(/--targets names 1 column, the model has 2/)]);
    const wrong = folder.write('beyond.csv', csvOf(rows.with(3, { ...rows[3]!, low: 7 })));
    const beyond = await seqlik(['inspect', final, wrong, ...onWasm]);
    expect([beyond.code, beyond.stderr]).toEqual([65, expect.stringMatching(/beyond\.csv.*line 5.*low is 7/)]);
    const empty = folder.write('empty.csv', csvOf([]));
    expect((await seqlik(['inspect', all, empty, ...onWasm])).code).toBe(65);
  });
});
