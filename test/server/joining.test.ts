/** Joining is invisible: whatever else is asked at the same time, each request gets the answer it gets alone. */
import fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/random.ts';
import seqlik from '../../src/server/index.ts';
import { modelsOn, named } from './models.ts';

const REQUESTS = 10_000;
const draw = new Random(11);
const below = (n: number): number => Math.floor(draw.uniform() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
const rows = (n: number, gaps = false): (number | null)[][] =>
  Array.from({ length: n }, () => Array.from({ length: 3 }, () => (gaps && below(4) === 0 ? null : 3 * draw.normal())));
const outputs: Readonly<Record<string, readonly string[]>> = {
  gaussian: ['logDensity'],
  mixture: ['logDensity', 'responsibilities', 'component', 'anomaly'],
  gru: ['logDensity', 'logLikelihood'],
  lstm: ['logDensity', 'logLikelihood'],
  system: ['logDensity', 'logLikelihood'],
  last: ['probabilities'],
  every: ['probabilities'],
  layers: ['probabilities'],
};
const ids = Object.keys(outputs);
const ofRows = ['gaussian', 'mixture', 'layers'];
const knowGaps = ['gaussian', 'mixture', 'system'];
/** Requests that something is wrong with: some are found when they are read, some by the model itself. */
const bad: readonly ((id: string) => { id?: string; payload: unknown })[] = [
  () => ({ payload: { rows: [[1, 2]] } }),
  () => ({ payload: { rows: [[1, 2, '3']] } }),
  () => ({ payload: { rows: [[1, 2, 3]], outputs: ['none'] } }),
  () => ({ payload: { rows: [[1, 2, 3]], other: 1 } }),
  () => ({ id: 'nobody', payload: { rows: [[1, 2, 3]] } }),
  () => ({
    id: 'mixture',
    payload: {
      rows: [
        [1, 2, 3],
        [1e200, 0, 0],
        [1, 2, 3],
      ],
    },
  }),
  () => ({
    id: 'gaussian',
    payload: {
      rows: [
        [0, 0, 0],
        [1e300, 0, 0],
      ],
    },
  }),
  () => ({
    id: 'system',
    payload: {
      sequences: [
        [[0, 0, 0]],
        [
          [1, 1, 1],
          [1e300, 1e300, 0],
        ],
      ],
    },
  }),
  () => ({
    id: 'gru',
    payload: {
      sequences: [
        [
          [0, 0, 0],
          [1e300, 0, 0],
        ],
        [[0, 0, 0]],
      ],
    },
  }),
  () => ({ id: 'lstm', payload: { rows: [[null, 0, 0]] } }),
];
function drawRequest(): InjectOptions {
  const own = pick(ids);
  const { id = own, payload } = draw.uniform() < 0.05 ? pick(bad)(own) : { payload: good(own) };
  return { method: 'POST', url: `/v1/models/${id}/score`, payload: payload as object };
}
function good(id: string): object {
  const gaps = knowGaps.includes(id) && below(5) === 0;
  const wanted = outputs[id]!.filter(() => below(2) === 0);
  const named = wanted.length > 0 ? { outputs: wanted } : {};
  if (ofRows.includes(id) || below(2) === 0) return { rows: rows(below(20), gaps), ...named };
  return { sequences: Array.from({ length: below(4) }, () => rows(below(8), gaps)), ...named };
}

describe.each(named)('on %s', (_, backend) => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = fastify();
    const limits = { queueRequests: REQUESTS, eventLoopDelay: 1e6, timeout: 1e6 };
    await app.register(seqlik, { models: modelsOn(backend), limits });
  });
  afterAll(() => app.close());
  const batches = async (): Promise<number> => {
    const { body } = await app.inject('/metrics');
    return [...body.matchAll(/^seqlik_batches_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  };

  test(`${REQUESTS} requests at once get the answers they get alone`, async () => {
    const requests = Array.from({ length: REQUESTS }, drawRequest);
    const alone: string[] = [];
    const statuses = new Map<number, number>();
    for (const request of requests) {
      const { statusCode, body } = await app.inject(request);
      alone.push(`${statusCode} ${body}`);
      statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    }
    expect([...statuses.keys()].sort()).toEqual([200, 400, 404, 422]);
    expect(statuses.get(200)! / REQUESTS).toBeGreaterThan(0.93);
    expect(statuses.get(422)).toBeGreaterThan(50);
    const before = await batches();
    const together = await Promise.all(requests.map((request) => app.inject(request)));
    expect((await batches()) - before).toBeLessThan(REQUESTS / 4);
    const different = together
      .map(({ statusCode, body }, i) => ({ request: requests[i], alone: alone[i], now: `${statusCode} ${body}` }))
      .filter(({ alone, now }) => alone !== now);
    expect(different.slice(0, 3)).toEqual([]);
  });
});
