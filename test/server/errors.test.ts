/** Errors over HTTP: the right status, the place, and nothing coerced; whatever comes in, the server goes on. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import fastify, { type FastifyInstance } from 'fastify';
import { Check } from 'typebox/value';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Code } from '../../src/index.ts';
import { Gaussian } from '../../src/index.ts';
import seqlik from '../../src/server/index.ts';
import { readQuestion } from '../../src/server/json.ts';
import { standardLimits } from '../../src/server/limits.ts';
import { statusByCode } from '../../src/server/problems.ts';
import { ScoreBody } from '../../src/server/schemas.ts';
import { scorerOf } from '../../src/server/scorers.ts';
import { machines, modelsOn } from './models.ts';

const [backend] = machines;
const models = modelsOn(backend!);
let app: FastifyInstance;
beforeAll(async () => {
  app = fastify();
  const limits = { jsonBytes: 300_000, bytes: 400_000, price: 1e6, eventLoopDelay: 1e6 };
  await app.register(seqlik, { models, limits });
});
afterAll(() => app.close());
const send = (id: string, payload: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: `/v1/models/${id}/score`,
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  });
const problemOf = async (id: string, payload: string, headers?: Record<string, string>) => {
  const answer = await send(id, payload, headers);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = answer.json();
  expect(problem).toMatchObject({ type: 'about:blank', status: answer.statusCode, title: expect.any(String) });
  return problem;
};

test('the statuses are those of docs/errors.md', () => {
  const rows = readFileSync('docs/errors.md', 'utf8').matchAll(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) .*\| ([\d, ]+) \|$/gm);
  const table = [...rows].flatMap(([, codes, statuses]) => {
    const list = statuses!.split(',').map(Number);
    return codes!.split(',').map((code, i) => [code.trim().slice(1, -1), list[i] ?? list[0]]);
  });
  expect(Object.fromEntries(table) as Record<Code, number>).toEqual(statusByCode);
});

/** The request and its address; the status and the code; other fields of the answer. */
const cases: readonly [name: string, id: string, body: string, status: number, code: string, fields?: object][] = [
  ['no JSON', 'mixture', '{', 400, 'BAD_REQUEST'],
  ['nothing', 'mixture', '', 400, 'BAD_REQUEST'],
  ['null', 'mixture', 'null', 400, 'INVALID_ARGUMENT'],
  ['a number', 'mixture', '7', 400, 'INVALID_ARGUMENT'],
  ['a list', 'mixture', '[[1,2,3]]', 400, 'INVALID_ARGUMENT'],
  ['no rows', 'mixture', '{}', 400, 'INVALID_ARGUMENT'],
  ['rows and sequences', 'system', '{"rows":[],"sequences":[]}', 400, 'INVALID_ARGUMENT'],
  ['an unknown key', 'mixture', '{"rows":[[1,2,3]],"x":1}', 400, 'INVALID_ARGUMENT'],
  [
    'a key that is almost right',
    'mixture',
    '{"row":[[1,2,3]]}',
    400,
    'INVALID_ARGUMENT',
    { detail: expect.stringContaining('did you mean rows') },
  ],
  ['__proto__', 'mixture', '{"rows":[[1,2,3]],"__proto__":{"x":1}}', 400, 'INVALID_ARGUMENT'],
  ['constructor', 'mixture', '{"rows":[[1,2,3]],"constructor":{"prototype":{}}}', 400, 'INVALID_ARGUMENT'],
  [
    'a text',
    'mixture',
    '{"rows":[[1,2,3],[1,"7",3]]}',
    400,
    'INVALID_ARGUMENT',
    { row: 1, column: 1, argument: 'rows' },
  ],
  ['true', 'mixture', '{"rows":[[1,2,true]]}', 400, 'INVALID_ARGUMENT', { row: 0, column: 2 }],
  ['a list for a number', 'mixture', '{"rows":[[1,2,[3]]]}', 400, 'INVALID_ARGUMENT', { row: 0, column: 2 }],
  ['an object for a row', 'mixture', '{"rows":[{"0":1,"1":2,"2":3,"length":3}]}', 400, 'INVALID_ARGUMENT', { row: 0 }],
  ['an object for rows', 'mixture', '{"rows":{"length":1}}', 400, 'INVALID_ARGUMENT'],
  [
    'a short row',
    'mixture',
    '{"rows":[[1,2,3],[1,2]]}',
    400,
    'DIMENSION_MISMATCH',
    { row: 1, expected: '3', received: '2' },
  ],
  ['a long row', 'mixture', '{"rows":[[1,2,3,4]]}', 400, 'DIMENSION_MISMATCH', { row: 0 }],
  ['an empty row', 'mixture', '{"rows":[[]]}', 400, 'DIMENSION_MISMATCH', { row: 0 }],
  ['NaN', 'mixture', '{"rows":[[1,2,NaN]]}', 400, 'BAD_REQUEST'],
  ['1e999', 'mixture', '{"rows":[[1,2,3],[1,2,1e999]]}', 422, 'NON_FINITE', { row: 1, column: 2, value: 'Infinity' }],
  ['a far row', 'mixture', '{"rows":[[1,2,3],[1,2,1e300]]}', 422, 'NON_FINITE', { row: 1 }],
  ['a gap where there are none', 'layers', '{"rows":[[1,2,null]]}', 400, 'INVALID_ARGUMENT', { row: 0, column: 2 }],
  ['sequences of a model of rows', 'mixture', '{"sequences":[[[1,2,3]]]}', 400, 'INVALID_ARGUMENT'],
  ['rows for sequences', 'system', '{"sequences":[[1,2,3]]}', 400, 'INVALID_ARGUMENT', { row: 0 }],
  [
    'a text in a sequence',
    'system',
    '{"sequences":[[[1,2,3]],[[1,2,3],[1,"x",3]]]}',
    400,
    'INVALID_ARGUMENT',
    { row: 2, column: 1 },
  ],
  ['outputs that are no list', 'mixture', '{"rows":[],"outputs":"logDensity"}', 400, 'INVALID_ARGUMENT'],
  ['no outputs', 'mixture', '{"rows":[],"outputs":[]}', 400, 'INVALID_ARGUMENT'],
  ['an unknown output', 'mixture', '{"rows":[],"outputs":["toString"]}', 400, 'INVALID_ARGUMENT'],
  ['the output of another kind', 'gaussian', '{"rows":[],"outputs":["anomaly"]}', 400, 'INVALID_ARGUMENT'],
  ['an unknown model', 'none', '{"rows":[]}', 404, 'NOT_FOUND'],
  ['the prototype for a model', '__proto__', '{"rows":[]}', 404, 'NOT_FOUND'],
  ['a path for a model', '..%2f..%2fetc%2fpasswd', '{"rows":[]}', 404, 'NOT_FOUND'],
  ['deep nesting', 'mixture', '['.repeat(150_000) + ']'.repeat(150_000), 400, 'BAD_REQUEST'],
  ['deep nesting in rows', 'mixture', `{"rows":${'['.repeat(140_000)}${']'.repeat(140_000)}}`, 400, 'BAD_REQUEST'],
  ['nesting, not so deep', 'mixture', '['.repeat(5000) + ']'.repeat(5000), 400, 'INVALID_ARGUMENT'],
  ['a large body', 'mixture', `{"rows":[${'[1,2,3],'.repeat(50_000)}[1,2,3]]}`, 413, 'TOO_LARGE'],
  ['an expensive request', 'mixture', `{"rows":[${'[1,2,3],'.repeat(30_000)}[1,2,3]]}`, 413, 'TOO_LARGE'],
];
test.each(cases)('%s', async (_, id, body, status, code, fields = {}) => {
  expect(await problemOf(id, body)).toMatchObject({ status, code, ...fields });
});
test('the schema refuses what the reader refuses', () => {
  const scorer = { ...scorerOf(new Gaussian({ mean: [0], variances: [1] })), ofSequences: true };
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
    fc.constant(null),
    fc.constantFrom('7', true, {}, []),
  );
  const row = fc.oneof({ weight: 9, arbitrary: fc.tuple(value) }, value);
  const rows = fc.oneof({ weight: 9, arbitrary: fc.array(row, { maxLength: 3 }) }, value);
  const outputs = fc.constantFrom(['logDensity'], [], 'logDensity', null, 1);
  const fields = { rows, sequences: fc.array(rows, { maxLength: 2 }), outputs, other: fc.constant(1) };
  const body = fc.oneof(
    { weight: 9, arbitrary: fc.record(fields, { requiredKeys: [] }) },
    fc.record({ rows }),
    fc.record({ sequences: fields.sequences, outputs: fc.constant(['logDensity']) }),
    value,
  );
  const seen = { true: 0, false: 0 };
  fc.assert(
    fc.property(body, (body) => {
      let isRead = true;
      try {
        readQuestion(body, scorer);
      } catch {
        isRead = false;
      }
      seen[`${isRead}`]++;
      return Check(ScoreBody, body) === isRead;
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(100);
});
test.each([
  ['application/json', { 'content-encoding': 'gzip' }, 415],
  ['text/plain', {}, 415],
  ['application/x-www-form-urlencoded', {}, 415],
  ['application/octet-stream', { 'content-encoding': 'br' }, 415],
])('%s with %j is %d', async (type, headers, status) => {
  const problem = await problemOf('mixture', '{"rows":[]}', { ...headers, 'content-type': type });
  expect(problem).toMatchObject({ status, code: 'UNSUPPORTED_MEDIA_TYPE' });
});
test.each(['0', '-1', '1.5', '1e3', 'x', '', '99999999999'])('a deadline of %j is refused', async (value) => {
  expect(await problemOf('mixture', '{"rows":[]}', { 'x-request-timeout-ms': value })).toMatchObject({
    status: 400,
    detail: expect.stringContaining('X-Request-Timeout-Ms'),
  });
});
test('a query of JSON is refused', async () => {
  const answer = await app.inject({ method: 'POST', url: '/v1/models/mixture/score?dtype=f32', payload: { rows: [] } });
  expect(answer.json()).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
});
test('a binary body that is too large is 413', async () => {
  const headers = { 'content-type': 'application/octet-stream' };
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/models/mixture/score',
    payload: Buffer.alloc(400_008),
    headers,
  });
  expect(answer.json()).toMatchObject({ status: 413, code: 'TOO_LARGE' });
});
test('what nobody expected is 500 and tells nothing', async () => {
  const own = fastify();
  const model = new Gaussian({ mean: [0], variances: [1] });
  await own.register(seqlik, { models: { model } });
  model.logDensity = () => {
    throw new Error('a secret');
  };
  const answer = await own.inject({ method: 'POST', url: '/v1/models/model/score', payload: { rows: [[1]] } });
  expect([answer.statusCode, answer.json().code]).toEqual([500, 'INTERNAL']);
  expect(answer.body).not.toContain('secret');
  await own.close();
});
test.each([
  [{ models: {}, other: 1 }, /other is no option/],
  [{ models: {}, limits: { queue: 1 } }, /limits.queue is no limit/],
  [{ models: {}, limits: { price: 0 } }, /limits.price must be a whole number/],
  [{ models: {}, limits: { price: Number.NaN } }, /limits.price/],
  [{ models: {}, token: 'short' }, /token/],
  [{ models: {}, watch: -1 }, /watch/],
  [{ models: { '../x': models['gaussian'] } }, /is no id/],
  [{ models: './no/such/folder' }, /cannot read/],
  [{ models: ['no-such.seqlik'] }, /cannot read/],
])('options %j', async (options, message) => {
  const own = fastify();
  await expect(own.register(seqlik, options as never).ready()).rejects.toThrow(message);
});
test('every limit has a standard', () =>
  expect(Object.values(standardLimits).every((value) => Number.isSafeInteger(value) && value > 0)).toBe(true));
