/** Model files: found, watched, replaced; a bad one keeps the old model, and none leads out of its folder. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Gaussian } from '../../src/index.ts';
import seqlik, { type ServerOptions } from '../../src/server/index.ts';
import { tokenCheck } from '../../src/server/v1.ts';
import { machines } from './models.ts';

const [backend] = machines;
const token = 'a token of some length';
const at = (mean: number): Uint8Array =>
  new Gaussian({ mean: [mean], variances: [1] }, { backend: backend! }).toBytes();
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
let folder: string;
let app: FastifyInstance;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seqlik-server-'));
});
afterEach(async () => {
  await app?.close();
  rmSync(folder, { recursive: true, force: true });
});
const open = async (options: Partial<ServerOptions> = {}): Promise<void> => {
  app = fastify();
  await app.register(seqlik, { models: folder, backend: backend!, ...options });
};
const file = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, name), bytes);
const put = (id: string, payload: Uint8Array, headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
  app.inject({
    method: 'PUT',
    url: `/v1/models/${id}`,
    payload: Buffer.from(payload),
    headers: { 'content-type': 'application/octet-stream', ...headers },
  });
/** The mean of the model that answers, and the hash it gives. */
const meanOf = async (id: string): Promise<[number, unknown]> => {
  const answer = await app.inject({ method: 'POST', url: `/v1/models/${id}/score`, payload: { rows: [[0]] } });
  if (answer.statusCode !== 200) return [Number.NaN, answer.statusCode];
  const density = answer.json().logDensity[0];
  return [Math.round(Math.sqrt(-2 * (density + 0.9189385332046727))), answer.headers['x-model-sha256']];
};
const ids = async (): Promise<string[]> =>
  (await app.inject('/v1/models')).json().models.map(({ id }: { id: string }) => id);

test('the models of a folder: by their names, and nothing else', async () => {
  file('one.seqlik', at(1));
  file('Two-2.x_y.seqlik', at(2));
  file('other.txt', at(3));
  file('.hidden.seqlik', at(4));
  file('a b.seqlik', at(5));
  file('a..b.seqlik', at(5));
  file('bad.seqlik', 'no model');
  mkdirSync(join(folder, 'folder.seqlik'));
  const outside = mkdtempSync(join(tmpdir(), 'seqlik-outside-'));
  writeFileSync(join(outside, 'secret.seqlik'), at(6));
  symlinkSync(join(outside, 'secret.seqlik'), join(folder, 'link.seqlik'));
  await open();
  rmSync(outside, { recursive: true });
  expect(await ids()).toEqual(['Two-2.x_y', 'one']);
  expect(await meanOf('one')).toEqual([1, hash(at(1))]);
  expect((await app.inject('/v1/models/one')).json()).toMatchObject({
    id: 'one',
    kind: 'gaussian',
    inputs: 1,
    gaps: true,
  });
});
test('files by their names; two of one name, or a bad one, are refused', async () => {
  file('one.x', at(1));
  file('one.y', at(2));
  file('bad.x', 'no model');
  const path = (name: string): string => join(folder, name);
  await open({ models: [path('one.x')] });
  expect(await ids()).toEqual(['one']);
  for (const models of [[path('one.x'), path('one.y')], [path('bad.x')], [path('none.x')]])
    await expect(fastify().register(seqlik, { models }).ready()).rejects.toMatchObject({ name: 'SeqlikError' });
});
test('a watched file replaces its model; a bad one keeps it, and says why', async () => {
  file('one.seqlik', at(1));
  await open({ watch: 10 });
  const until = async (done: () => Promise<boolean>): Promise<void> => {
    while (!(await done())) await sleep(10);
  };
  const refused = async (): Promise<string | undefined> => (await app.inject('/v1/models/one')).json().refused;
  file('one.seqlik', at(22));
  await until(async () => (await meanOf('one'))[0] === 22);
  file('one.seqlik', at(3).subarray(0, 100));
  await until(async () => (await refused()) !== undefined);
  expect(await refused()).toMatch(/model file|malformed|bytes/);
  expect(await meanOf('one')).toEqual([22, hash(at(22))]);
  file('one.seqlik', at(44));
  await until(async () => (await meanOf('one'))[0] === 44);
  expect(await refused()).toBeUndefined();
  file('new.seqlik', at(5));
  await until(async () => (await ids()).includes('new'));
});

test('nobody replaces a model where there is no token', async () => {
  file('one.seqlik', at(1));
  await open();
  expect((await put('one', at(2))).statusCode).toBe(404);
});
test('a model is replaced with the token, in its file, too', async () => {
  file('one.seqlik', at(1));
  await open({ token });
  for (const authorization of [
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(1)}`,
    `bearer ${token}`,
    token,
  ]) {
    const answer = await put('one', at(2), { authorization });
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
  }
  expect((await put('one', at(2), {})).json()).toMatchObject({ code: 'UNAUTHORIZED' });
  expect((await meanOf('one'))[0]).toBe(1);
  const answer = await put('one', at(2));
  expect([answer.statusCode, answer.json()]).toMatchObject([200, { sha256: hash(at(2)), inputs: 1 }]);
  expect(await meanOf('one')).toEqual([2, hash(at(2))]);
  expect(hash(readFileSync(join(folder, 'one.seqlik')))).toBe(hash(at(2)));
  expect((await put('new', at(3))).statusCode).toBe(200);
  expect(await ids()).toEqual(['new', 'one']);
  expect(readdirSync(folder).sort()).toEqual(['new.seqlik', 'one.seqlik']);
});
test('a bad file is refused with its place, and the old model stays', async () => {
  file('one.seqlik', at(1));
  await open({ token });
  for (const bytes of [
    at(2).subarray(0, 90),
    new Uint8Array(),
    Buffer.from('x'.repeat(500)),
    at(2).map((v, i) => (i > 200 ? v ^ 1 : v)),
  ])
    expect((await put('one', bytes)).json()).toMatchObject({ status: 422, code: 'FORMAT', detail: expect.any(String) });
  expect(await meanOf('one')).toEqual([1, hash(at(1))]);
  expect(hash(readFileSync(join(folder, 'one.seqlik')))).toBe(hash(at(1)));
  expect((await app.inject('/v1/models/one')).json().refused).toEqual(expect.any(String));
});
test.each([
  '..',
  '.',
  '.hidden',
  '%2e%2e',
  '..%2fx',
  '..%5cx',
  '%00',
  'a%00b',
  'a..b',
  '-a',
  'a%20b',
  'x'.repeat(65),
  '%ef%bc%8e%ef%bc%8e',
  'a%0ab',
])('no id leads out of the folder: %s', async (id) => {
  await open({ token });
  expect((await put(id, at(2))).statusCode).toBeGreaterThanOrEqual(400);
  expect(readdirSync(folder)).toEqual([]);
});
test('a model of the caller’s is replaced in memory, and stays the caller’s', async () => {
  const model = new Gaussian({ mean: [1], variances: [1] }, { backend: backend! });
  await open({ models: { one: model }, token });
  expect((await put('one', at(2))).statusCode).toBe(200);
  expect((await meanOf('one'))[0]).toBe(2);
  await app.close();
  expect(model.logDensity([[1]])[0]).toBeCloseTo(-0.9189385332046727, 14); // not disposed of
});
test('the token is compared as a whole', () => {
  const isAllowed = tokenCheck('secret');
  expect(['Bearer secret', 'Bearer Secret', 'Bearer secre', 'Bearer secret ', '', undefined].map(isAllowed)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
