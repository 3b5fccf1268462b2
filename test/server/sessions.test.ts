/** Sessions: the bits of a batch, rows one after another; bounded in number and in age. */
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { LinearDynamicalSystem, MixtureDensityNetwork, RecurrentClassifier } from '../../src/index.ts';
import seqlik, { type ServerOptions } from '../../src/server/index.ts';
import { Version } from '../../src/server/registry.ts';
import { Sessions } from '../../src/server/sessions.ts';
import { bitsOf, modelsOn, named, rowsOf } from './models.ts';

describe.each(named)('on %s', (_, backend) => {
  const models = modelsOn(backend);
  let app: FastifyInstance;
  const open = async (limits: NonNullable<ServerOptions['limits']> = {}): Promise<FastifyInstance> => {
    const own = fastify();
    await own.register(seqlik, { models, limits });
    return own;
  };
  beforeAll(async () => {
    app = await open();
  });
  afterAll(() => app.close());
  const start = async (id: string, on = app) => {
    const answer = await on.inject({ method: 'POST', url: `/v1/models/${id}/sessions` });
    return {
      status: answer.statusCode,
      url: `/v1/models/${id}/sessions/${answer.json().session}`,
      body: answer.json(),
    };
  };
  const push = (url: string, rows: unknown, on = app) =>
    on.inject({ method: 'POST', url, payload: { rows } as object });

  test.each(['gru', 'lstm', 'system', 'every', 'last'])(
    'rows of %s, one by one and several, are those of a batch',
    async (id) => {
      const { url, status } = await start(id);
      expect(status).toBe(201);
      const rows = rowsOf(20);
      const found: (number | null)[] = [];
      for (const [from, end] of [
        [0, 1],
        [1, 2],
        [2, 2],
        [2, 9],
        [9, 10],
        [10, 20],
      ]) {
        const answer = (await push(url, rows.slice(from, end))).json();
        found.push(...(answer.logDensity ?? answer.probabilities.flat()));
      }
      const x = Float64Array.from(rows.flat());
      if (id === 'every' || id === 'last')
        expect(bitsOf(found as number[])).toBe(
          bitsOf((models[id] as RecurrentClassifier).predict(x, { lossAt: 'all' }).probabilities),
        );
      else {
        if (id !== 'system') expect(found.shift()).toBe(null);
        expect(bitsOf(found as number[])).toBe(
          bitsOf((models[id] as MixtureDensityNetwork | LinearDynamicalSystem).logDensity(x)),
        );
      }
    },
  );
  test('a bad push changes nothing', async () => {
    const { url } = await start('system');
    const rows = rowsOf(3);
    const one = (await push(url, rows.slice(0, 2))).json();
    for (const bad of [
      [[1, 2]],
      [[1, 2, 'x']],
      [
        [0, 0, 0],
        [1e300, 1e300, 0],
      ],
      'rows',
    ])
      expect((await push(url, bad)).statusCode).toBeGreaterThanOrEqual(400);
    const two = (await push(url, rows.slice(2))).json();
    const all = [...one.logDensity, ...two.logDensity];
    expect(bitsOf(all)).toBe(bitsOf((models['system'] as LinearDynamicalSystem).logDensity(rows)));
  });
  test('two pushes at once: one of them is refused, and none is mixed', async () => {
    const { url } = await start('system');
    const answers = await Promise.all([push(url, rowsOf(1)), push(url, rowsOf(1))]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
  });
  test('it ends, and is nobody else’s', async () => {
    const { url } = await start('system');
    expect((await push(url.replace('system', 'gru'), rowsOf(1))).statusCode).toBe(404);
    expect((await push(`${url}x`, rowsOf(1))).statusCode).toBe(404);
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(204);
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(404);
    expect((await push(url, rowsOf(1))).json()).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });
  test('models of independent rows have none', async () => {
    expect((await start('mixture')).body).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    expect((await start('layers')).status).toBe(400);
    expect((await start('none')).status).toBe(404);
  });
  test('as many as the limit, and again when one has ended', async () => {
    const own = await open({ sessions: 2 });
    const { url } = await start('system', own);
    await start('gru', own);
    const refused = await start('gru', own);
    expect(refused.body).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' });
    expect((await own.inject('/metrics')).body).toContain('\nseqlik_sessions 2\n');
    await own.inject({ method: 'DELETE', url });
    expect((await start('gru', own)).status).toBe(201);
    await own.close();
  });
  test('as long as the limits: idle, and at all', async () => {
    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const sessions = new Sessions({ sessions: 2, sessionIdle: 60, sessionAge: 150 });
    const version = new Version('system', models['system']!, '', false);
    const isThere = (id: string): Promise<boolean> =>
      sessions.use('system', id, async () => true).catch(({ code }) => code !== 'NOT_FOUND');
    const idle = sessions.start(version).id;
    const used = sessions.start(version).id;
    for (clock = 50; clock <= 150; clock += 50) expect(await isThere(used)).toBe(true);
    expect(await isThere(idle)).toBe(false);
    clock = 151;
    expect(await isThere(used)).toBe(false);
    sessions.start(version); // the old ones have made room
    expect(sessions.size).toBe(1);
    sessions.close();
    now.mockRestore();
  });
});
