/** A model is swapped while it is asked: every answer is of one version, none is lost, and the old ones are freed. */
import { createHash } from 'node:crypto';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { type Backend, GaussianMixture, type LinearDynamicalSystem } from '../../src/index.ts';
import seqlik from '../../src/server/index.ts';
import { bitsOf, named, rowsOf, system } from './models.ts';

const SWAPS = 200;
const token = 'a token of some length';
const d = 24;
const k = 64;
/** 0.3 MB of parameters, and as much again prepared: versions that stay would be seen. */
function large(backend: Backend, offset: number): GaussianMixture {
  const covariances = Array.from({ length: k * d * d }, (_, i) => (Math.floor(i / d) % d === i % d ? 1.5 : 0.01));
  const means = Array.from({ length: k * d }, (_, i) => Math.sin(i) + offset);
  return new GaussianMixture({ weights: Array(k).fill(1 / k), means, covariances }, { backend });
}
const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test.each(named)(`${SWAPS} swaps under load on %s`, async (_, backend) => {
  const files = [0, 0.5, 1].map((offset) => Buffer.from(large(backend, offset).toBytes()));
  const rows = Array.from({ length: 5 }, (_, i) => Array.from({ length: d }, (_, j) => Math.cos(i * j)));
  const expected = new Map(
    files.map((bytes) => {
      const model = GaussianMixture.fromBytes(bytes, { backend });
      return [hash(bytes), bitsOf(model.logDensity(rows))];
    }),
  );
  const app = fastify({ bodyLimit: 2 ** 24 });
  await app.register(seqlik, { models: { m: large(backend, 0) }, token, backend, limits: { eventLoopDelay: 1e6 } });
  const seen = new Set<string>();
  let answers = 0;
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const answer = await app.inject({ method: 'POST', url: '/v1/models/m/score', payload: { rows } });
      expect(answer.statusCode).toBe(200);
      const sha256 = answer.headers['x-model-sha256'] as string;
      expect(bitsOf(answer.json().logDensity)).toBe(expected.get(sha256));
      seen.add(sha256);
      answers++;
    }
  };
  const swap = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const answer = await app.inject({
        method: 'PUT',
        url: '/v1/models/m',
        payload: files[(i + 1) % files.length]!,
        headers: { 'content-type': 'application/octet-stream', authorization: `Bearer ${token}` },
      });
      expect(answer.statusCode).toBe(200);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const settled = async (): Promise<number> => {
    for (let i = 0; i < 5; i++) {
      globalThis.gc!();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return process.memoryUsage().rss;
  };
  const clients = Array.from({ length: 8 }, client);
  await swap(30); // until the heap has its size
  const before = await settled();
  await swap(SWAPS);
  isOver = true;
  await Promise.all(clients);
  const grown = (await settled()) - before;
  expect(seen.size).toBe(files.length);
  expect(answers).toBeGreaterThan(SWAPS);
  expect(grown / 2 ** 20).toBeLessThan(20);
  await app.close();
});

test.each(named)('a session stays with the version it began with, on %s', async (_, backend) => {
  const first = system(backend);
  const app = fastify();
  await app.register(seqlik, { models: { s: first }, token, backend });
  const { session } = (await app.inject({ method: 'POST', url: '/v1/models/s/sessions' })).json();
  const rows = rowsOf(4);
  const push = async (part: number[][]) => {
    const answer = await app.inject({
      method: 'POST',
      url: `/v1/models/s/sessions/${session}`,
      payload: { rows: part },
    });
    return { density: answer.json().logDensity, sha256: answer.headers['x-model-sha256'] };
  };
  const one = await push(rows.slice(0, 2));
  const { parameters } = first;
  const other = new (first.constructor as typeof LinearDynamicalSystem)(
    { ...parameters, initialMean: [9, 9] } as never,
    { backend },
  );
  const headers = { 'content-type': 'application/octet-stream', authorization: `Bearer ${token}` };
  for (let i = 0; i < 2; i++)
    await app.inject({
      method: 'PUT',
      url: '/v1/models/s',
      payload: Buffer.from(i === 0 ? other.toBytes() : first.toBytes()),
      headers,
    });
  const two = await push(rows.slice(2));
  expect(two.sha256).toBe(one.sha256);
  expect(bitsOf([...one.density, ...two.density])).toBe(bitsOf(first.logDensity(rows)));
  await app.close();
});
