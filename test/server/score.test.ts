/** Scores over HTTP are those of the library, to the bit, for every kind of model. */
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  Backend,
  GaussianMixture,
  LinearDynamicalSystem,
  MixtureDensityNetwork,
  RecurrentClassifier,
  TwoLayerClassifier,
} from '../../src/index.ts';
import seqlik from '../../src/server/index.ts';
import { bitsOf, modelsOn, named, rowsOf } from './models.ts';

describe.each(named)('on %s', (_, backend: Backend) => {
  const models = modelsOn(backend);
  let app: FastifyInstance;
  beforeAll(async () => {
    app = fastify();
    await app.register(seqlik, { models });
  });
  afterAll(() => app.close());
  const post = async (id: string, payload: object, status = 200) => {
    const answer = await app.inject({ method: 'POST', url: `/v1/models/${id}/score`, payload });
    expect([answer.statusCode, answer.body]).toEqual([status, expect.anything()]);
    return answer.json();
  };

  test.each(['gaussian', 'mixture'])('rows of %s, with gaps and without', async (id) => {
    const model = models[id] as GaussianMixture;
    const rows = rowsOf(20);
    const { logDensity } = await post(id, { rows });
    expect(bitsOf(logDensity)).toBe(bitsOf(model.logDensity(rows)));
    const gappy = rows.map((row, i) => (i % 3 ? row : [null, row[1], null]));
    const nan = gappy.map((row) => row.map((value) => value ?? Number.NaN));
    const answer = await post(id, { rows: gappy });
    expect(bitsOf(answer.logDensity)).toBe(bitsOf(model.logDensity(nan, { missing: 'nan' })));
    expect(await post(id, { rows: [] })).toEqual({ logDensity: [] });
  });
  test('all outputs of a mixture', async () => {
    const model = models['mixture'] as GaussianMixture;
    const rows = rowsOf(50);
    const outputs = ['anomaly', 'component', 'responsibilities', 'logDensity'];
    const answer = await post('mixture', { rows, outputs });
    expect(Object.keys(answer)).toEqual(['logDensity', 'responsibilities', 'component', 'anomaly']);
    expect(bitsOf(answer.responsibilities.flat())).toBe(bitsOf(model.responsibilities(rows)));
    expect(answer.responsibilities[0]).toHaveLength(4);
    expect(answer.component).toEqual([...model.classify(rows)]);
    const flags = [...model.logDensity(rows)].map((value) => value < -7);
    expect(answer.anomaly).toEqual(flags);
    expect(new Set(flags).size).toBe(2);
  });
  test.each(['gru', 'lstm', 'system'])('sequences of %s', async (id) => {
    const model = models[id] as MixtureDensityNetwork | LinearDynamicalSystem;
    const sequences = [rowsOf(5), rowsOf(1), [], rowsOf(9)];
    const flat = sequences.map((rows) => Float64Array.from(rows.flat()));
    const answer = await post(id, { sequences });
    const sums = answer.sequences.map((sequence: { logLikelihood: number }) => sequence.logLikelihood);
    expect(bitsOf(sums)).toBe(bitsOf(model.logLikelihoods(flat)));
    const densities = answer.sequences.flatMap((sequence: { logDensity: number[] }) => sequence.logDensity);
    const terms = densities.filter((value: number | null) => value !== null);
    expect(densities).toHaveLength(15);
    expect(bitsOf(terms)).toBe(bitsOf(model.logDensity(flat)));
    expect(densities[0] === null).toBe(id !== 'system');
    const one = await post(id, { rows: sequences[3]! });
    expect(one).toEqual(answer.sequences[3]);
  });
  test('a gap of a system', async () => {
    const model = models['system'] as LinearDynamicalSystem;
    const y = [...rowsOf(4), [1, Number.NaN, 2]];
    const rows = y.map((row) => row.map((value) => (Number.isNaN(value) ? null : value)));
    const { logDensity } = await post('system', { rows });
    expect(bitsOf(logDensity)).toBe(bitsOf(model.logDensity(y, { missing: 'nan' })));
  });
  test('probabilities of classifiers', async () => {
    const sequences = [rowsOf(5), rowsOf(3)];
    const flat = sequences.map((rows) => Float64Array.from(rows.flat()));
    for (const id of ['last', 'every']) {
      const answer = await post(id, { sequences });
      const all = answer.sequences.map((sequence: { probabilities: unknown[] }) => sequence.probabilities);
      const { probabilities } = (models[id] as RecurrentClassifier).predict(flat);
      expect(bitsOf(all.flat(2))).toBe(bitsOf(probabilities));
      expect(all[0]).toHaveLength(id === 'last' ? 2 : 5);
    }
    const rows = rowsOf(6);
    const answer = await post('layers', { rows });
    const { probabilities } = (models['layers'] as TwoLayerClassifier).predict(rows);
    expect(bitsOf(answer.probabilities.flat())).toBe(bitsOf(probabilities));
  });
});
