/** Refused arguments: what was expected, what was received, and the sentence made of it, for every check of the house.
 * */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultBackend } from '../src/backends/default.ts';
import * as check from '../src/check.ts';
import { argumentError, callError, SeqlikError } from '../src/errors.ts';

const f = 'f';
const x = Float64Array.of(1, 2, 3, 4);
const rows = { values: x, n: 2 };
const shared = new Float64Array(new SharedArrayBuffer(8));
/** A list that lies about its length. */
const lying = new Proxy([], { get: (list, key) => (key === 'length' ? -1 : Reflect.get(list, key)) });
const [invalid, mismatch] = ['INVALID_ARGUMENT', 'DIMENSION_MISMATCH'] as const;

type Case = readonly [call: () => unknown, code: string, argument: string, expected: string, received: string];
// biome-ignore format: a table
const cases: Readonly<Record<string, readonly Case[]>> = {
  options: [
    [() => check.options(f, 1, []), invalid, 'options', 'an object', '1'],
    [() => check.options(f, { a: 1 }, ['b', 'c']), invalid, 'a', 'one of the options b, c', 'a'],
    [() => check.options(f, { a: 1 }, []), invalid, 'a', 'no options', 'a'],
    [() => check.count(f, 'n', 0, 1, 1000), invalid, 'n', 'a whole number from 1 to 1000', '0'],
    [() => check.count(f, 'n', undefined), invalid, 'n', 'a whole number from 1 to 2147483647', 'undefined'],
    [() => check.amount(f, 'a', -1), invalid, 'a', 'a finite number >= 0', '-1'],
    [() => check.positive(f, 'a', 0), invalid, 'a', 'a finite number > 0', '0'],
    [() => check.belowOne(f, 'a', 1), invalid, 'a', 'a number >= 0 and < 1', '1'],
    [() => check.betweenZeroAndOne(f, 'a', '1/2'), invalid, 'a', 'a number between 0 and 1', "'1/2'"],
    [() => check.flag(f, 'a', 0), invalid, 'a', 'true or false', '0'],
    [() => check.text(f, 'a', []), invalid, 'a', 'a string', 'an array'],
    [() => check.signal(f, {}), invalid, 'signal', 'an AbortSignal', 'an object'],
    [() => check.callback(f, 'onProgress', 1), invalid, 'onProgress', 'a function', '1'],
    [() => check.subset(f, 7, 3, 1), invalid, 'dims', '1 to 3 distinct coordinates from 0 to 2', '7'],
    [() => check.subset(f, [], 3, 1), invalid, 'dims', '1 to 3 distinct coordinates from 0 to 2', '0 entries'],
    [() => check.subset(f, [0, 3], 3, 1), invalid, 'dims', '1 to 3 distinct coordinates from 0 to 2', '0,3'],
    [() => check.seed(f, 1.5), invalid, 'seed', 'a whole number from 0 to 4294967295', '1.5'],
    [() => check.marking(f, 7), invalid, 'unscorable', 'one of throw, mark', '7'],
    [() => check.choice(f, 'a', 'c', ['a', 'b']), invalid, 'a', 'one of a, b', "'c'"],
    [() => check.backend(f, {}, defaultBackend), invalid, 'backend', 'a backend of openBackend()', 'an object'],
    [() => check.names(f, 'columns', ['a', 'a'], 2), invalid, 'columns', '2 distinct names', "'a','a'"],
    [() => check.names(f, 'columns', 'ab', 2), invalid, 'columns', '2 distinct names', "'ab'"],
    [() => check.list(f, 'a', 1), invalid, 'a', 'an array', '1'],
    [() => check.list(f, 'a', [1, 2, 3], 2), invalid, 'a', 'at most 2 entries', '3 entries'],
    [() => check.fields(f, 'p', null, []), invalid, 'p', 'an object', 'null'],
    [() => check.fields(f, 'p', { c: 1 }, ['a', 'b']), invalid, 'p', 'the fields a, b', 'c'],
  ],
  parameters: [
    [() => check.tensor(f, 'A', [1, 2, 3], [2, 2]), mismatch, 'A', '2 x 2', '3 values'],
    [() => check.tensor(f, 'A', [1, 2, 3], [2, undefined]), mismatch, 'A', '2 x any', '3 values'],
    [() => check.tensor(f, 'A', [[1, 2], [3]], [2, 2]), mismatch, 'A', '2', '1 value at [1]'],
    [() => check.tensor(f, 'A', 'A', [2]), invalid, 'A', 'an array of numbers', "'A'"],
    [() => check.tensor(f, 'A', [1, '2'], [2]), invalid, 'A', 'numbers only', "'2'"],
    [() => check.tensor(f, 'A', new BigInt64Array(2), [2]), invalid, 'A',
      'a typed array or an array of numbers', 'a BigInt64Array'],
    [() => check.tensor(f, 'A', shared, [1]), invalid, 'A',
      'memory that is neither shared nor resizable', 'a shared or resizable buffer'],
    [() => check.lengthIn(f, 'A', { length: -1 } as unknown[]), invalid, 'A',
      'fewer than 2147483648 entries', '-1 entries'],
    [() => check.columnsOf(f, 'y', lying), invalid, 'y', 'fewer than 2147483648 entries', '-1 entries'],
    [() => check.finite(f, 'A', Float64Array.of(0, Infinity)), 'NON_FINITE', 'A', 'finite numbers', 'Infinity'],
    [() => check.symmetric(f, 'A', Float64Array.of(1, 0.5, 0, 1), 1, 2), 'NOT_SYMMETRIC', 'A',
      'a symmetric matrix', 'one that differs from its transpose by 0.5'],
  ],
  data: [
    [() => check.points(f, 'x', [1, 2, 3], 2), mismatch, 'x', 'a multiple of dimension 2', '3 values'],
    [() => check.points(f, 'x', [[1, 2, 3]], 2), mismatch, 'x', '2', 'rows of 3 values'],
    [() => check.sameRows(f, 'y', { values: x, n: 4 }, 'x', rows), mismatch, 'y', '2 rows, as many as x', '4 rows'],
    [() => check.indices(f, 'order', [0, 2], 2), invalid, 'order', 'indices of 2 rows', '2'],
    [() => check.weights(f, [1, -1], 2), invalid, 'sampleWeights', '>= 0, and one of them > 0', '-1'],
    [() => check.weights(f, [0, 0], 2), invalid, 'sampleWeights', '>= 0, and one of them > 0', 'only 0'],
    [() => check.table(f, 'x', [], undefined), 'EMPTY_INPUT', 'x', 'at least one value', 'none'],
    [() => check.table(f, 'x', x, undefined), invalid, 'dimension',
      'the number of columns of x, which is flat', 'undefined'],
    [() => check.table(f, 'x', [[]], undefined), invalid, 'x', 'at least one column', 'none'],
    [() => check.finiteRows(f, 'x', { values: Float64Array.of(1, NaN), n: 1 }, 2), 'NON_FINITE', 'x',
      'a finite number', 'NaN'],
    [() => check.out(f, [0, 0], x, 2), invalid, 'out', 'a Float64Array like the data', 'an array'],
    [() => check.out(f, new Float64Array(3), x, 2), mismatch, 'out', '2', '3 values'],
    [() => check.out(f, x.subarray(1, 3), x, 2), invalid, 'out', 'memory of its own', 'memory of the data'],
    [() => check.out(f, shared, x, 1), invalid, 'out',
      'memory that is neither shared nor resizable', 'a shared or resizable buffer'],
    [() => check.gapOptions(f, { missing: 'nan', mask: x }), invalid, 'mask', 'mask or missing', 'both'],
    [() => check.gapOptions(f, { missing: 'zero' }), invalid, 'missing', 'one of nan', "'zero'"],
    [() => check.gapOptions(f, { mask: x }), invalid, 'mask', 'a Uint8Array', 'Float64Array'],
    [() => check.gapOptions(f, { mask: new Uint8Array(new SharedArrayBuffer(4)) }), invalid, 'mask',
      'memory that is neither shared nor resizable', 'a shared or resizable buffer'],
    [() => check.gaps(f, 'x', rows, { mask: new Uint8Array(3) }), mismatch, 'mask', '4', '3 values'],
  ],
  sequences: [
    [() => check.sequences(f, 's', { values: x, lengths: [3] }, 2), invalid, 's.lengths', 'a length from 0 to 2', '3'],
    [() => check.sequences(f, 's', { values: x, lengths: [1] }, 2), mismatch, 's.lengths', '2', '1'],
    [() => check.sequences(f, 's', { values: x, lengths: x }, 2), invalid, 's.lengths',
      'an array of whole numbers', 'a Float64Array'],
    [() => check.sequencesWithGaps(f, 's', { values: x, lengths: [3] }, 2, {}), invalid, 's.lengths',
      'a length from 0 to 2', '3'],
    [() => check.sequences(f, 's', [[[1, 2]], [[1]]], 2), mismatch, 's[1]', '2', 'rows of 1 values'],
  ],
};

function errorOf(call: () => unknown): SeqlikError {
  try {
    call();
  } catch (error) {
    if (error instanceof SeqlikError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe.each(Object.entries(cases))('%s', (_, cases) => {
  test.each(cases.map(([call, ...fields]) => ({ call, fields, name: fields.join(' | ') })))(
    '$name',
    ({ call, fields: [code, argument, expected, received] }) => {
      const error = errorOf(call);
      expect(error).toMatchObject({ code, argument, expected, received, reason: expect.any(String) });
      expect(error.sentence).toBe(`${argument} ${error.reason}`);
      expect(error.message).toBe(`f: ${error.sentence}`);
    },
  );
});
test('no check makes an error in any other way', () => {
  for (const name of readdirSync('src/check'))
    expect(readFileSync(`src/check/${name}`, 'utf8'), name).not.toMatch(/new \w*Error\(/);
});
/** The codes of errors that always name an argument, made in any way but by argumentError. */
const otherwiseMade = (source: string): string[] =>
  [...source.matchAll(/\bnew SeqlikError\(\s*'(INVALID_ARGUMENT|DIMENSION_MISMATCH)'/g)].map(([, code]) => code!);
test('argumentError makes every error about an argument, but those of doors where nothing was called', () => {
  const others = ['errors.ts', 'cli/errors.ts', 'server/errors.ts'];
  const names = readdirSync('src', { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'));
  const sources = names.filter((name) => name.endsWith('.ts') && !others.includes(name));
  expect(sources.length).toBeGreaterThan(100);
  for (const name of sources) expect(otherwiseMade(readFileSync(`src/${name}`, 'utf8')), name).toEqual([]);
  expect(otherwiseMade("new SeqlikError(\n  'DIMENSION_MISMATCH', m)")).toEqual([mismatch]);
});
test('every check is in the table, but those that refuse nothing', () => {
  const others = [
    'FAR',
    'alike',
    'describe',
    'dtypeOf',
    'gapHint',
    'isArray',
    'isOnePoint',
    'isSingle',
    'MODEL',
    'or',
    'room',
  ];
  const makers = ['nonFinite', 'wrongValue']; // of errors
  const called = readFileSync('test/errors.test.ts', 'utf8').matchAll(/=> check\.(\w+)\(/g);
  const names = [...called].map(([, name]) => name!);
  expect([...new Set([...names, ...others, ...makers])].sort()).toEqual(Object.keys(check).sort());
});
test('the sentence about an argument is made of what was expected and received, or given', () => {
  const fields = { expected: 'b', received: 'c' };
  expect(argumentError(invalid, f, 'a', fields)).toMatchObject({
    message: 'f: a must be b, not c',
    reason: 'must be b, not c',
  });
  expect(argumentError(invalid, f, 'a', { ...fields, reason: 'is c', row: 3 })).toMatchObject({
    ...fields,
    message: 'f: a is c',
    sentence: 'a is c',
    argument: 'a',
    reason: 'is c',
    row: 3,
  });
  const other = argumentError(mismatch, f, 'a', { ...fields, sentence: 'b is c' });
  expect(other).toMatchObject({ ...fields, message: 'f: b is c', sentence: 'b is c', argument: 'a' });
  expect(other).not.toHaveProperty('reason');
  // @ts-expect-error: this code names an argument, so argumentError makes it
  callError(invalid, f, 'it overflows');
  const cause = new Error();
  expect(callError('NON_FINITE', f, 'it overflows', { cause })).toMatchObject({
    message: 'f: it overflows',
    sentence: 'it overflows',
    cause,
  });
});
