/** Fits that start from part of a mixture, and fits that hold some of the parameters. */
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture, type MixtureStart } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import { covarianceTypes, drawMixture, drawRows, expectNear, range, refusal, sum, titled } from '../support/models.ts';

const { components } = drawMixture('full', 2, 3, 3);
const centres = [-20, 0, 0, 0, 20, 10];
/** Rows about three centres far apart, in turn. */
const random = uniform(4);
const rows = range(120).map((i) => range(2).map((j) => centres[2 * (i % 3) + j]! + random() * (1 + j)));
const labels = rows.map((_, i) => i % 3);
const onehot = labels.flatMap((label) => range(3).map((c) => Number(c === label)));
const refused = (fit: Promise<unknown>) =>
  fit.then(
    () => expect.fail('it was not refused'),
    (error) => error,
  );

describe.each(titled)('on %s', (_, backend) => {
  const begin = (init: MixtureStart, more: object = {}) => GaussianMixture.fit(rows, { init, backend, ...more });

  describe.each(covarianceTypes)('%s', (covarianceType) => {
    test('labels, responsibilities and means end where the clusters are, in their order', async () => {
      const starts = [
        { labels },
        { labels: Int32Array.from(labels) },
        { responsibilities: onehot },
        { responsibilities: range(120).map((i) => onehot.slice(3 * i, 3 * i + 3)) },
        { means: centres },
        { means: [centres.slice(0, 2), centres.slice(2, 4), centres.slice(4)] },
        { means: centres, weights: [0.2, 0.3, 0.5] },
      ];
      for (const init of starts) {
        const { model } = await begin(init, { covarianceType, components: 3 });
        expectNear(model.parameters.weights, [1 / 3, 1 / 3, 1 / 3], 1e-6);
        expectNear(model.parameters.means, centres, 1);
        expect([...model.classify(rows)]).toEqual(labels);
      }
    });
    test('the start from labels is the M step of each cluster', async () => {
      const { model } = await begin({ labels }, { covarianceType, maxIterations: 0, regularization: 0 });
      const { means, covariances } = model.parameters;
      const own = range(3).map((c) => rows.filter((_, i) => labels[i] === c));
      const moments = own.map((cluster) => {
        const mean = range(2).map((j) => sum(cluster.map((row) => row[j]!)) / cluster.length);
        const S = range(2).map((i) =>
          range(2).map((j) => sum(cluster.map((row) => (row[i]! - mean[i]!) * (row[j]! - mean[j]!))) / cluster.length),
        );
        return { mean, S };
      });
      expectNear(
        means,
        moments.flatMap(({ mean }) => mean),
        1e-12,
      );
      const want = {
        full: () => moments.flatMap(({ S }) => S.flat()),
        tied: () => range(4).map((at) => sum(moments.map(({ S }) => S.flat()[at]!)) / 3),
        diagonal: () => moments.flatMap(({ S }) => [S[0]![0]!, S[1]![1]!]),
        spherical: () => moments.map(({ S }) => (S[0]![0]! + S[1]![1]!) / 2),
      }[covarianceType]();
      expectNear(covariances, want, 1e-12);
    });
    test('what is held stays to the bit; the likelihood climbs by the rest', async () => {
      const start = drawMixture(covarianceType, 2, 3, 3).parameters;
      const first = new GaussianMixture(start, { backend }).parameters;
      const x = drawRows(components, 200, 5);
      for (const update of [['weights'], ['means'], ['covariances'], ['weights', 'covariances'], []] as const) {
        const given = { init: start, covarianceType, update, regularization: 0, backend, maxIterations: 12 };
        const { model, report } = await GaussianMixture.fit(x, given);
        for (const name of ['weights', 'means', 'covariances'] as const)
          if ((update as readonly string[]).includes(name)) expect(model.parameters[name]).not.toEqual(first[name]);
          else expect(model.parameters[name]).toEqual(first[name]);
        for (const [i, value] of report.history.entries())
          if (i > 0) expect(value - report.history[i - 1]!).toBeGreaterThan(-1e-9);
        // the same step by hand
        const mixture = new GaussianMixture(start, { backend });
        const step = mixture.update(mixture.statistics(x), { update, regularization: 0 }).parameters;
        const once = (await GaussianMixture.fit(x, { ...given, maxIterations: 1 })).model.parameters;
        expect(step).toEqual(once);
      }
    });
  });

  test('covariances are about means that are held', async () => {
    const x = [[0], [2], [4]];
    const held = await Gaussian.fit(x, {
      init: { mean: [1], variances: [9] },
      update: ['covariance'],
      covarianceType: 'diagonal',
      regularization: 0,
      backend,
    });
    expect(held.model.parameters.mean[0]).toBe(1);
    expect(held.model.parameters.variances![0]).toBeCloseTo((1 + 1 + 9) / 3, 12);
    expect(held.report.converged).toBe(true);
    const moved = await Gaussian.fit(x, { init: { mean: [1], covariance: [9] }, update: ['mean'], backend });
    expect([...moved.model.parameters.mean, ...moved.model.parameters.covariance!]).toEqual([2, 9]);
  });
  test('gaps in a start from labels; rows that weigh nothing', async () => {
    const x = rows.map((row, i) => row.map((v, j) => ((i + j) % 4 === 0 ? Number.NaN : v)));
    const { model } = await GaussianMixture.fit(x, { init: { labels }, missing: 'nan', backend });
    expectNear(model.parameters.means, centres, 1);
    const sampleWeights = rows.map((_, i) => Number(i % 3 !== 0));
    const two = await GaussianMixture.fit(rows, {
      init: { labels },
      sampleWeights,
      maxIterations: 0,
      backend,
    });
    expectNear(two.model.parameters.weights, [0, 0.5, 0.5], 1e-12);
  });
  test('one start, whatever the restarts', async () => {
    const one = await begin({ labels }, { restarts: 5 });
    expect(one.model.parameters).toEqual((await begin({ labels })).model.parameters);
  });

  test('what is no start is refused, by its name', async () => {
    const cases: [object, object, object][] = [
      [{}, {}, { code: 'INVALID_ARGUMENT', argument: 'init.means' }],
      [{ weights: [1] }, {}, { argument: 'init.means' }],
      [{ means: centres }, {}, { argument: 'components', received: 'undefined' }],
      [{ means: centres, labels }, {}, { argument: 'init' }],
      [{ labels, responsibilities: onehot }, {}, { argument: 'init' }],
      [{ labels: [0, 1] }, {}, { code: 'DIMENSION_MISMATCH', argument: 'init.labels' }],
      [{ labels }, { components: 2 }, { code: 'INVALID_ARGUMENT', argument: 'init.labels', received: '2' }],
      [{ labels: labels.map((c) => c / 2) }, {}, { argument: 'init.labels', received: '0.5' }],
      [{ labels: labels.map((c) => -c) }, {}, { argument: 'init.labels', received: '-1' }],
      [{ labels: [2 ** 40, ...labels.slice(1)] }, {}, { argument: 'init.labels' }],
      [{ responsibilities: onehot }, {}, { argument: 'components' }],
      [{ responsibilities: onehot.map((r) => -r) }, { components: 3 }, { argument: 'init.responsibilities' }],
      [{ responsibilities: onehot.slice(3) }, { components: 3 }, { code: 'DIMENSION_MISMATCH' }],
      [{ responsibilities: onehot.map(() => 0) }, { components: 3 }, { code: 'EMPTY_INPUT' }],
      [{ responsibilities: onehot.map(() => Number.NaN) }, { components: 3 }, { code: 'NON_FINITE' }],
      [{ means: [[0], [1]] }, {}, { code: 'DIMENSION_MISMATCH', argument: 'x' }],
      [{ means: [[0, 0]], weights: [0.5] }, {}, { code: 'INVALID_ARGUMENT', argument: 'init.weights' }],
      [{ means: [[0, 0]], covariances: [1] }, {}, { code: 'DIMENSION_MISMATCH', argument: 'init.covariances' }],
      [
        { means: [[0, 0]], covariances: [-1], covarianceType: 'spherical' },
        { covarianceType: 'spherical' },
        { code: 'NOT_POSITIVE_DEFINITE' },
      ],
      [{ means: [[0, 0]], covarianceType: 'tied' }, { covarianceType: 'full' }, { argument: 'init' }],
      [{ means: [[0, 0]] }, { components: 2 }, { code: 'DIMENSION_MISMATCH', argument: 'init.means' }],
      [{ means: [[0, 0]] }, { update: ['means'] }, { argument: 'update' }],
      [{ labels }, { update: ['weights'] }, { argument: 'update' }],
      [{ labels }, { update: ['mean'] }, { argument: 'update' }],
    ];
    for (const [init, more, error] of cases)
      expect(await refused(begin(init as MixtureStart, more)), JSON.stringify([Object.keys(init), more])).toMatchObject(
        error,
      );
    const mixture = new GaussianMixture({ weights: [1], means: [0], covariances: [1] }, { backend });
    expect(refusal(() => mixture.update(mixture.statistics([1]), { update: ['mean' as 'means'] }))).toMatchObject({
      argument: 'update',
      message: expect.stringContaining("did you mean 'means'?"),
    });
    expect(await refused(GaussianMixture.fit(rows, { components: 2, update: ['weights'], backend }))).toMatchObject({
      argument: 'update',
      message: 'GaussianMixture.fit: update holds the means, which init does not give',
    });
    expect(await refused(Gaussian.fit(rows, { update: ['mean'], backend }))).toMatchObject({ argument: 'update' });
  });
  test('means alone hold where they are asked to', async () => {
    const { model } = await begin({ means: centres }, { components: 3, update: ['weights', 'covariances'] });
    expect([...model.parameters.means]).toEqual(centres);
  });
});
