/** The plugin among other routes of an application, and what those who run it see. */
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { Gaussian, SeqlikError } from '../../src/index.ts';
import seqlik from '../../src/server/index.ts';
import { toMissingPackage } from '../../src/server/peers.ts';
import { machines, modelsOn } from './models.ts';

const on = { backend: machines[0]! };
const unit = (): Gaussian => new Gaussian({ mean: [0], variances: [1] }, on);
let app: FastifyInstance;
afterEach(() => app?.close());
const score = (prefix = '', id = 'unit') =>
  app.inject({ method: 'POST', url: `${prefix}/v1/models/${id}/score`, payload: { rows: [[0]] } });

test('prefixes, two of them, with models of their own', async () => {
  app = fastify();
  await app.register(seqlik, { models: { unit: unit() }, prefix: '/a' });
  await app.register(seqlik, { models: { other: unit() }, prefix: '/b/c' });
  expect((await score('/a')).json().logDensity[0]).toBeCloseTo(-0.9189385332046727, 14);
  expect((await score('/b/c', 'other')).statusCode).toBe(200);
  expect((await score('/b/c')).statusCode).toBe(404);
  expect((await score()).statusCode).toBe(404);
  for (const path of ['healthz', 'readyz', 'metrics', 'openapi.json', 'v2', 'v1/models'])
    expect((await app.inject(`/b/c/${path}`)).statusCode, path).toBe(200);
});
test('other routes are as if it were not there', async () => {
  const alone = fastify();
  app = fastify();
  await app.register(seqlik, { models: { unit: unit() }, limits: { jsonBytes: 10, eventLoopDelay: 1 } });
  const names = Object.getOwnPropertyNames(app).filter((name) => !Object.getOwnPropertyNames(alone).includes(name));
  expect(names).toEqual([]);
  for (const own of [alone, app]) {
    own.post(
      '/echo',
      { schema: { body: { type: 'object', properties: { n: { type: 'number' } } } } },
      async ({ body }) => body,
    );
    own.get('/fail', async () => {
      throw new Error('mine');
    });
  }
  const ask = async (own: FastifyInstance) => {
    const echo = await own.inject({ method: 'POST', url: '/echo', payload: { n: '7', more: 'x'.repeat(100) } });
    const fail = await own.inject('/fail');
    const none = await own.inject('/none');
    const headers = ({ date, ...rest }: Record<string, unknown>) => rest;
    return [echo, fail, none].map((answer) => [answer.statusCode, headers(answer.headers), answer.body]);
  };
  expect(await ask(app)).toEqual(await ask(alone)); // validated, coerced, answered, refused by their own rules
  await alone.close();
});
test('it is registered by name, for the version of Fastify it was made for', async () => {
  app = fastify();
  await app.register(seqlik, { models: { unit: unit() } });
  await app.ready();
  expect(app.hasPlugin('seqlik')).toBe(true);
});
test('once closed, it answers nothing, and what it read is freed', async () => {
  app = fastify();
  await app.register(seqlik, { models: { unit: unit() } });
  await app.ready();
  await app.close();
  await expect(score()).rejects.toThrow();
});
test('/readyz: no models, models, draining', async () => {
  const draining = new AbortController();
  app = fastify();
  await app.register(seqlik, { models: {}, prefix: '/empty' });
  await app.register(seqlik, { models: { unit: unit() }, draining: draining.signal });
  const statuses = async (...urls: string[]) =>
    Promise.all(urls.map(async (url) => (await app.inject(url)).statusCode));
  expect(await statuses('/empty/readyz', '/readyz', '/v2/health/ready', '/healthz')).toEqual([503, 200, 200, 200]);
  draining.abort();
  expect(await statuses('/readyz', '/v2/health/ready', '/healthz', '/v2/health/live')).toEqual([503, 503, 200, 200]);
  expect((await score()).statusCode).toBe(200); // it still answers who comes
});

describe('metrics', () => {
  test('count what was answered; labels are of the server, not of requests', async () => {
    app = fastify();
    await app.register(seqlik, { models: modelsOn(on.backend) });
    const post = (id: string, payload: object) =>
      app.inject({ method: 'POST', url: `/v1/models/${id}/score`, payload });
    await post('gaussian', {
      rows: [
        [1, 2, 3],
        [4, 5, 6],
      ],
    });
    await post('gaussian', { rows: [[1, 2]] });
    await post('secret-text', { rows: [] });
    await post('system', { rows: [[1, 2, 3]] });
    const { body, headers } = await app.inject('/metrics');
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    const value = (line: string): number =>
      Number(new RegExp(`^${line.replace(/[{}"]/g, '\\$&')} (.*)$`, 'm').exec(body)?.[1]);
    expect(value('seqlik_requests_total{model="gaussian",code="200"}')).toBe(1);
    expect(value('seqlik_requests_total{model="gaussian",code="400"}')).toBe(1);
    expect(value('seqlik_requests_total{model="",code="404"}')).toBe(1);
    expect(value('seqlik_rows_total{model="gaussian"}')).toBe(2);
    expect(value('seqlik_batches_total{model="system"}')).toBe(1);
    expect(value('seqlik_request_seconds_count')).toBe(4);
    expect(value('seqlik_queue_seconds_count')).toBe(2);
    expect(value('seqlik_compute_seconds_count')).toBe(2);
    expect(value('seqlik_queue_rows')).toBe(0);
    expect(value('seqlik_sessions')).toBe(0);
    expect(body).toMatch(/^seqlik_model_info\{model="lstm",kind="mixture-density-network",sha256="[0-9a-f]{64}"\} 1$/m);
    expect(body).not.toContain('secret');
    for (const name of body.matchAll(/^# TYPE (\w+) (\w+)$/gm))
      expect(name[1]).toMatch(
        name[2] === 'counter' ? /_total$/ : name[2] === 'histogram' ? /_seconds$/ : /_(rows|requests|sessions|info)$/,
      );
  });
});
test('openapi.json describes every route', async () => {
  app = fastify();
  await app.register(seqlik, { models: { unit: unit() }, prefix: '/p', token: 'a token of some length' });
  const { openapi, paths } = (await app.inject('/p/openapi.json')).json();
  expect(openapi).toBe('3.1.0');
  const operations = Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  expect(operations.sort()).toEqual(
    [
      'get /p/healthz',
      'get /p/readyz',
      'get /p/metrics',
      'post /p/v1/models/{id}/score',
      'get /p/v1/models/',
      'get /p/v1/models/{id}',
      'put /p/v1/models/{id}',
      'post /p/v1/models/{id}/sessions',
      'post /p/v1/models/{id}/sessions/{session}',
      'delete /p/v1/models/{id}/sessions/{session}',
      'get /p/v2',
      'get /p/v2/health/live',
      'get /p/v2/health/ready',
      'get /p/v2/models/{id}',
      'get /p/v2/models/{id}/ready',
      'post /p/v2/models/{id}/infer',
    ]
      .map((line) => line.replace(/models\/$/, 'models'))
      .sort(),
  );
  const score = paths['/p/v1/models/{id}/score'].post;
  expect(Object.keys(score.requestBody.content)).toEqual([
    'application/json',
    'application/octet-stream',
    'application/x-ndjson',
  ]);
  expect(score.responses.default.content['application/problem+json'].schema.required).toContain('code');
});
test('a package that is missing is named, with the command', () => {
  const missing = Object.assign(new Error("Cannot find package 'prom-client' imported from x"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  const error = toMissingPackage(missing);
  expect(error).toBeInstanceOf(SeqlikError);
  expect(error).toMatchObject({
    code: 'MISSING_PACKAGE',
    message: expect.stringMatching(/npm install .*fastify.*prom-client/),
  });
  const other = Object.assign(new Error("Cannot find package 'other' imported from x"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  expect(toMissingPackage(other)).toBe(other);
});
