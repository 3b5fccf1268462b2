/** Expectation maximisation and the members that come with it, on every backend and level. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tri } from '../../src/grammar.ts';
import {
  type Backend,
  type CovarianceType,
  Gaussian,
  GaussianMixture,
  klDivergence,
  MixtureStatistics,
  mixtureDivergence,
  openBackend,
} from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import { titled } from '../support/models.ts';

const types = ['full', 'tied', 'diagonal', 'spherical'] as const;
/** n rows in three clouds of d dimensions, from the generator that made the known answers. */
function clouds(n: number, d = 3, seed = 7): Float64Array {
  const random = uniform(seed);
  return Float64Array.from({ length: n * d }, (_, at) => {
    const cloud = Math.floor(at / d) % 3;
    return random() + random() + random() + cloud * (at % d === 1 ? -0.5 : 1.5);
  });
}
const withGaps = (x: Float64Array, seed = 3): Float64Array => {
  const random = uniform(seed);
  return x.map((v) => (random() > 0.7 ? Number.NaN : v));
};
const start = (x: Float64Array, covarianceType: CovarianceType, d = 3) => ({
  weights: [1 / 3, 1 / 3, 1 / 3],
  means: x.slice(0, 3 * d),
  covariances: {
    full: [0, 1, 2].flatMap(() => [1, 0, 0, 0, 1.5, 0, 0, 0, 2]),
    tied: [1, 0, 0, 0, 1.5, 0, 0, 0, 2],
    diagonal: [0, 1, 2].flatMap(() => [1, 1.5, 2]),
    spherical: [1.5, 1.5, 1.5],
  }[covarianceType],
  covarianceType,
});

/**
 * scikit-learn 1.2.1 from the same start, reg_covar 0: log-likelihoods before iterations 0, 1, 2, 5, 10, 20, 50, and the
 * means after the last.
 */
const known: Record<CovarianceType, { history: number[]; means: number[] }> = {
  full: {
    history: [
      -1416.6146762554454, -1148.656616257792, -1147.01224115159, -1145.4020268718505, -1143.993696736664,
      -1136.1168880518856, -1128.097951109341,
    ],
    means: [
      -0.22899108361292303, -0.17833149849978946, -0.1583846556080312, 2.5905894298958247, -0.3115129483536088,
      3.0604239866191434, 2.024748664373369, -0.8558581340239921, 1.7038700369526394,
    ],
  },
  tied: {
    history: [
      -1416.6146762554454, -1152.641641883454, -1149.673258224459, -1147.4378491655616, -1147.0066923724926,
      -1146.838256380117, -1146.6803014778188,
    ],
    means: [
      -0.013322986950900728, -0.29659058135006655, 0.12762015585790873, 2.333461183126441, -0.3931087069109654,
      1.8903664523636614, 2.7144756994118264, -1.0402888909662966, 3.0324509920646308,
    ],
  },
  diagonal: {
    history: [
      -1416.6146762554456, -1161.1900667444042, -1158.4682896491781, -1151.1009051669566, -1147.3240106026542,
      -1146.843072198864, -1146.8356342011375,
    ],
    means: [
      -0.13194117719897563, -0.13280525352317835, -0.07082772469942186, 1.901072317720877, -0.41601651334765855,
      1.711632640755475, 3.0169751561867217, -1.1834818131455376, 3.1551542811924413,
    ],
  },
  spherical: {
    history: [
      -1404.026446634687, -1168.2956970508146, -1162.9557072538778, -1153.7389520965771, -1151.5027184554247,
      -1151.0611756507901, -1150.9213010715625,
    ],
    means: [
      -0.12933493271405982, -0.13333852982084646, 0.0068029124455473685, 1.9886411197556164, -0.4464144956283748,
      1.8621765527423488, 3.2165761784474163, -1.3143999354097682, 3.1571900234350085,
    ],
  },
};
const close = (got: ArrayLike<number>, want: ArrayLike<number>, relative: number): void => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(got[i]! - want[i]!) <= relative * (1 + Math.abs(want[i]!))))
      expect.fail(`[${i}]: ${got[i]} is not ${want[i]}`);
};
const fails = (code: string, fields: object = {}) => expect.objectContaining({ code, ...fields });

describe.each(titled)('%s', (_, backend: Backend) => {
  const on = { backend, components: 3, dimension: 3 };

  test.each(types)('%s: fifty iterations of scikit-learn', async (covarianceType) => {
    const x = clouds(240);
    const options = {
      ...on,
      covarianceType,
      regularization: 0,
      tolerance: 0,
      maxIterations: 50,
      init: start(x, covarianceType),
    };
    const { model, report } = await GaussianMixture.fit(x, options);
    expect(report).toMatchObject({ iterations: 50, converged: false, warnings: [] });
    expect(report.history.length).toBe(51);
    close(
      [0, 1, 2, 5, 10, 20, 50].map((i) => report.history[i]!),
      known[covarianceType].history,
      1e-12,
    );
    close(model.parameters.means, known[covarianceType].means, 1e-9);
    expect(report.logLikelihood).toBe(report.history[50]);
  });

  test.each(types)('%s: the likelihood never falls, also with gaps and weights', async (covarianceType) => {
    const x = withGaps(clouds(150));
    const sampleWeights = Float64Array.from({ length: 150 }, (_, i) => (i % 4) / 2);
    const options = {
      ...on,
      covarianceType,
      regularization: 0,
      tolerance: 0,
      maxIterations: 30,
      missing: 'nan' as const,
    };
    const { report } = await GaussianMixture.fit(x, {
      ...options,
      sampleWeights,
      init: start(clouds(150), covarianceType),
    });
    for (let i = 1; i < report.history.length; i++)
      expect(report.history[i]! - report.history[i - 1]!).toBeGreaterThan(-1e-10 * Math.abs(report.history[i]!));
  });

  test('statistics of rows with gaps are the exact conditional moments', () => {
    const x = withGaps(clouds(60));
    for (const covarianceType of types) {
      const mixture = new GaussianMixture(start(clouds(60), covarianceType), { backend });
      const { totals } = mixture.statistics(x, { missing: 'nan' });
      const naive = naiveStatistics(mixture, x, 3);
      close(totals.count, naive.count, 1e-11);
      close(totals.first, naive.first, 1e-11);
      close(totals.second, naive.second, 1e-11);
      expect(totals.rows).toBe(naive.rows);
    }
  });

  test('a whole weight is a repeated row', async () => {
    const x = clouds(90);
    const sampleWeights = Float64Array.from({ length: 90 }, (_, i) => i % 3);
    const repeated = Float64Array.from(
      [...sampleWeights].flatMap((w, i) =>
        Array(w)
          .fill([...x.subarray(3 * i, 3 * i + 3)])
          .flat(),
      ),
    );
    const options = { ...on, tolerance: 0, maxIterations: 10, init: start(x, 'full') };
    const [a, b] = [
      await GaussianMixture.fit(x, { ...options, sampleWeights }),
      await GaussianMixture.fit(repeated, options),
    ];
    close(a.report.history, b.report.history, 1e-12);
    close(a.model.parameters.covariances, b.model.parameters.covariances, 1e-10);
  });

  test('merged shards give the bits of one call; files of statistics too', () => {
    const x = clouds(300);
    const mixture = new GaussianMixture(start(x, 'full'), { backend });
    const whole = mixture.statistics(x, { shardSize: 100 });
    const shards = [0, 1, 2].map((i) => mixture.statistics(x.subarray(300 * i, 300 * (i + 1)), { shardSize: 100 }));
    const merged = shards.map((s) => MixtureStatistics.fromBytes(s.toBytes())).reduce((a, b) => a.merge(b));
    expect(merged.toBytes()).toEqual(whole.toBytes());
    expect(mixture.update(merged).parameters).toEqual(mixture.update(whole).parameters);
    const other = mixture.update(whole);
    expect(() => other.update(whole)).toThrow(fails('INVALID_ARGUMENT', { argument: 'statistics' }));
    expect(() => other.statistics(x).merge(whole)).toThrow(fails('INVALID_ARGUMENT', { argument: 'other' }));
  });

  test('an iteration of fit is statistics and update', async () => {
    const x = withGaps(clouds(120));
    let mixture = new GaussianMixture(start(clouds(120), 'full'), { backend });
    const { model } = await GaussianMixture.fit(x, {
      ...on,
      missing: 'nan',
      init: mixture,
      regularization: 0, // whose unit differs
      tolerance: 0,
      maxIterations: 3,
    });
    for (let i = 0; i < 3; i++)
      mixture = mixture.update(mixture.statistics(x, { missing: 'nan' }), { regularization: 0 });
    expect(model.parameters).toEqual(mixture.parameters);
  });

  test('the same seed, the same bits', async () => {
    const x = withGaps(clouds(200));
    const fitClouds = async (more: object) => {
      const { model, report } = await GaussianMixture.fit(x, {
        ...on,
        missing: 'nan',
        restarts: 3,
        maxIterations: 8,
        seed: 5,
        ...more,
      });
      return { ...model.parameters, history: report.history };
    };
    const first = await fitClouds({});
    expect(await fitClouds({})).toEqual(first);
    expect(await fitClouds({ seed: 6 })).not.toEqual(first);
    expect(await fitClouds({ initialization: 'random' })).not.toEqual(first);
  });

  test('a component that explains nothing starts anew at the worst explained row, and is reported', async () => {
    const x = clouds(100);
    x.set([50, 50, 50], 3 * 42); // an outlier
    const init = { ...start(x, 'full'), means: [0, 0, 0, 2, 0, 2, 1e6, 1e6, 1e6] };
    const { model, report } = await GaussianMixture.fit(x, { ...on, init, maxIterations: 100 });
    expect(report.warnings[0]).toMatch(/iteration 1: component 2 collapsed and was put at row 42/);
    expect(model.parameters.means.every((m) => Math.abs(m) < 100)).toBe(true);
  });

  test('the same bits for any number of threads', async () => {
    const x = clouds(200_000); // enough work for threads
    const histories = [];
    for (const threads of [1, 3]) {
      const other = openBackend({ isa: backend.isa, threads });
      const { model } = await GaussianMixture.fit(x, {
        ...on,
        backend: other,
        tolerance: 0,
        maxIterations: 2,
        seed: 3,
      });
      histories.push(model.parameters);
    }
    expect(histories[1]).toEqual(histories[0]);
  });

  test('an asynchronous score with gaps holds its own copies, and reports the first row that fails', async () => {
    const x = withGaps(clouds(3000));
    const mixture = new GaussianMixture(start(clouds(3000), 'full'), { backend });
    const want = mixture.logDensity(x, { missing: 'nan' });
    const running = mixture.logDensityAsync(x, { missing: 'nan' });
    x.fill(7);
    expect(await running).toEqual(want);
    const far = [
      [0, Number.NaN, 0],
      [1e200, 0, 0],
      [1e200, Number.NaN, 0],
    ];
    await expect(mixture.logDensityAsync(far, { missing: 'nan' })).rejects.toThrow(fails('NON_FINITE', { row: 1 }));
  });

  test('the divergence of mixtures: 0 of itself, exact for one component, and the estimates agree', () => {
    const x = clouds(30);
    const p = new GaussianMixture(start(x, 'full'), { backend });
    const q = new GaussianMixture({ ...p.parameters, weights: [0.2, 0.3, 0.5] }, { backend });
    expect(mixtureDivergence(p, p, { method: 'variational' }).estimate).toBeCloseTo(0, 12);
    expect(mixtureDivergence(p, p, { method: 'monte-carlo', samples: 10 })).toEqual({ estimate: 0, standardError: 0 });
    const one = (mean: number[], variances: number[]) => ({
      gaussian: { mean, variances },
      mixture: { weights: [1], means: mean, covariances: variances, covarianceType: 'diagonal' as const },
    });
    const [a, b] = [one([0, 1], [1, 2]), one([1, 1], [2, 0.5])];
    const exact = klDivergence(a.gaussian, b.gaussian, { backend });
    expect(mixtureDivergence(a.mixture, b.mixture, { method: 'variational' }).estimate).toBeCloseTo(exact, 12);
    for (const [from, to, value] of [
      [a.mixture, b.mixture, exact],
      [p, q, mixtureDivergence(p, q, { method: 'variational' }).estimate],
    ] as const) {
      const { estimate, standardError } = mixtureDivergence(from, to, {
        method: 'monte-carlo',
        samples: 20_000,
        seed: 4,
      });
      // the variational value is an approximation: a tenth of it, besides the noise
      expect(Math.abs(estimate - value)).toBeLessThan(5 * standardError! + 0.1 * Math.abs(value) * Number(from === p));
    }
    expect(() => mixtureDivergence(p, a.mixture, { method: 'variational' })).toThrow(
      fails('DIMENSION_MISMATCH', { argument: 'q' }),
    );
    expect(() => mixtureDivergence(p, q, { method: 'exact' as 'variational' })).toThrow(
      fails('INVALID_ARGUMENT', { argument: 'method' }),
    );
    expect(() => mixtureDivergence(p, q, { method: 'monte-carlo', samples: 1 })).toThrow(
      fails('INVALID_ARGUMENT', { argument: 'samples' }),
    );
  });

  test('progress, and an end by signal with its reason', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = ({
      iteration,
      restarts,
      logLikelihood,
    }: {
      iteration: number;
      restarts: number;
      logLikelihood: number;
    }) => {
      seen.push(iteration);
      expect(Number.isFinite(logLikelihood) && restarts === 1).toBe(true);
      if (iteration === 3) controller.abort('enough');
    };
    const options = { ...on, tolerance: 0, maxIterations: 1000, onProgress, signal: controller.signal };
    await expect(GaussianMixture.fit(clouds(200), options)).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    expect(seen).toEqual([1, 2, 3]);
    await expect(GaussianMixture.fit(clouds(200), { ...on, signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: 'no',
    });
  });

  test('others run while a fit computes; the data may change meanwhile', async () => {
    const x = clouds(40_000);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const running = GaussianMixture.fit(x, { ...on, tolerance: 0, maxIterations: 60 });
    x.fill(Number.NaN);
    const { report } = await running;
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
    expect(report.history.every(Number.isFinite)).toBe(true);
  });

  test('Gaussian.fit gives the moments of the sample; with gaps a stationary point', async () => {
    const x = clouds(200);
    const { model, report } = await Gaussian.fit(x, { backend, dimension: 3, regularization: 0 });
    const mean = [0, 1, 2].map((j) => average(column(x, 3, j)));
    close(model.parameters.mean, mean, 1e-13);
    const covariance = [0, 1, 2].flatMap((i) =>
      [0, 1, 2].map((j) => average(column(x, 3, i).map((v, r) => (v - mean[i]!) * (x[3 * r + j]! - mean[j]!)))),
    );
    close(model.parameters.covariance!, covariance, 1e-12);
    expect(report.converged).toBe(true);
    const diagonal = await Gaussian.fit(x, { backend, dimension: 3, covarianceType: 'diagonal', regularization: 0 });
    close(
      diagonal.model.parameters.variances!,
      [0, 4, 8].map((i) => covariance[i]!),
      1e-12,
    );
    const gaps = await Gaussian.fit(withGaps(x), {
      backend,
      dimension: 3,
      missing: 'nan',
      tolerance: 1e-14,
      maxIterations: 2000,
    });
    const more = await Gaussian.fit(withGaps(x), {
      backend,
      dimension: 3,
      missing: 'nan',
      tolerance: 0,
      maxIterations: 1,
      init: gaps.model,
    });
    close(more.model.parameters.covariance!, gaps.model.parameters.covariance!, 1e-5);
  });

  test.each(types)('%s: p(x) = p(some) p(others | some)', (covarianceType) => {
    const x = clouds(20);
    const mixture = new GaussianMixture(start(x, covarianceType), { backend });
    for (const dims of [[1], [2, 0], [0, 1]]) {
      const rest = [0, 1, 2].filter((j) => !dims.includes(j));
      const marginal = mixture.marginal(dims);
      for (let row = 0; row < 20; row++) {
        const point = x.subarray(3 * row, 3 * row + 3);
        const pick = (of: number[]) => Float64Array.from(of, (j) => point[j]!);
        const conditional = mixture.conditional(dims, pick(dims));
        close(
          mixture.logDensity(point),
          [marginal.logDensity(pick(dims))[0]! + conditional.logDensity(pick(rest))[0]!],
          1e-11,
        );
        conditional.dispose();
      }
    }
    close(mixture.conditional([], []).logDensity(x), mixture.logDensity(x), 1e-12);
    const gaussian = new Gaussian(
      { mean: [0, 1, 2], covariance: [2, 0.5, 0.1, 0.5, 1, 0.2, 0.1, 0.2, 3] },
      { backend },
    );
    const given = gaussian.conditional([1], [0.5]);
    close(
      gaussian.logDensity([0.1, 0.5, 0.2]),
      [gaussian.marginal([1]).logDensity([0.5])[0]! + given.logDensity([0.1, 0.2])[0]!],
      1e-12,
    );
  });

  test('criteria and threshold', () => {
    const x = clouds(500);
    for (const [i, covarianceType] of types.entries()) {
      const mixture = new GaussianMixture(start(x, covarianceType), { backend });
      const free = [2 + 9 + 18, 2 + 9 + 6, 2 + 9 + 9, 2 + 9 + 3][i]!;
      const logLikelihood = mixture.logLikelihood(x);
      close(
        [mixture.bic(x), mixture.aic(x)],
        [-2 * logLikelihood + free * Math.log(500), -2 * logLikelihood + 2 * free],
        1e-12,
      );
      const threshold = mixture.threshold(x, { falsePositiveRate: 0.1 });
      expect(mixture.logDensity(x).filter((v) => v < threshold).length).toBe(50);
    }
  });

  test('criteria of a Gaussian, with gaps too', () => {
    const x = clouds(500);
    const mean = [0, 1, 2];
    for (const [free, form] of [
      [3 + 6, { covariance: [2, 1, 0, 1, 2, 0, 0, 0, 1] }],
      [3 + 6, { cholesky: [1, 0, 0, 1, 1, 0, 0, 0, 1] }],
      [3 + 3, { variances: [1, 2, 3] }],
    ] as const) {
      const gaussian = new Gaussian({ mean, ...form }, { backend });
      expect(gaussian.parameterCount).toBe(free);
      const criteria = (logLikelihood: number, rows: number): number[] => [
        -2 * logLikelihood + free * Math.log(rows),
        -2 * logLikelihood + 2 * free,
      ];
      close([gaussian.bic(x), gaussian.aic(x)], criteria(gaussian.logLikelihood(x), 500), 1e-12);
      const holes = x.map((v, i) => (i < 30 || i % 7 === 0 ? Number.NaN : v)); // of the first ten rows nothing is known
      const missing = { missing: 'nan' } as const;
      const logLikelihood = gaussian.logLikelihood(holes, missing);
      close([gaussian.bic(holes, missing), gaussian.aic(holes, missing)], criteria(logLikelihood, 490), 1e-12);
      expect(() => gaussian.bic([])).toThrow(fails('EMPTY_INPUT', { argument: 'x' }));
      expect(() => gaussian.bic(holes.fill(Number.NaN), missing)).toThrow(fails('EMPTY_INPUT', { argument: 'x' }));
      expect(() => gaussian.bic(holes)).toThrow(fails('NON_FINITE', { argument: 'x', row: 0, column: 0 }));
    }
  });

  test('a fit with a false positive rate keeps the threshold, in its file too', async () => {
    const x = clouds(200);
    const { model } = await GaussianMixture.fit(x, { ...on, falsePositiveRate: 0.05 });
    const { threshold, falsePositiveRate } = model.anomaly!;
    expect(falsePositiveRate).toBe(0.05);
    expect(model.logDensity(x).filter((v) => v < threshold).length).toBe(10);
    expect(GaussianMixture.fromBytes(model.toBytes(), { backend }).anomaly).toEqual(model.anomaly);
  });

  test('data that cannot be fitted are refused', async () => {
    const x = clouds(30);
    const fitRows = (data: unknown, options: object = {}) =>
      GaussianMixture.fit(data as Float64Array, { ...on, ...options });
    await expect(fitRows(x, { components: 31 })).rejects.toThrow(fails('INVALID_ARGUMENT', { argument: 'components' }));
    const gaps = x.map((v, i) => (i < 81 ? Number.NaN : v));
    await expect(fitRows(gaps, { components: 4, missing: 'nan' })).rejects.toThrow(
      fails('INVALID_ARGUMENT', { argument: 'components' }),
    );
    await expect(fitRows(x.map((v, i) => (i % 3 === 1 ? 0.1 : v)))).rejects.toThrow(
      fails('NOT_POSITIVE_DEFINITE', { which: 'covariances', pivot: 1 }),
    );
    for (const empty of [[], new Float64Array(0), x.map(() => Number.NaN)])
      await expect(fitRows(empty, { missing: 'nan' })).rejects.toThrow(fails('EMPTY_INPUT', { argument: 'x' }));
    await expect(fitRows([], { dimension: undefined })).rejects.toThrow(fails('EMPTY_INPUT'));
    await expect(fitRows(x, { dimension: undefined })).rejects.toThrow(
      fails('INVALID_ARGUMENT', { argument: 'dimension' }),
    );
    await expect(fitRows(x.map((v, i) => (i === 7 ? Number.NaN : v)))).rejects.toThrow(
      fails('NON_FINITE', { argument: 'x', row: 2, column: 1 }),
    );
    await expect(fitRows([[1, 2], [3]], { dimension: undefined })).rejects.toThrow(
      fails('DIMENSION_MISMATCH', { argument: 'x' }),
    );
    for (const [option, value] of Object.entries({
      components: 0,
      restarts: 1001,
      maxIterations: -1,
      tolerance: Number.NaN,
      regularization: -1,
      seed: 2 ** 32,
      covarianceType: 'round',
      initialization: 'best',
      signal: {},
      onProgress: 1,
      shardSize: 0,
      falsePositiveRate: 1,
      unknown: 1,
    }))
      await expect(fitRows(x, { [option]: value }), option).rejects.toThrow(
        fails('INVALID_ARGUMENT', { argument: option }),
      );
    const weights = {
      INVALID_ARGUMENT: new Float64Array(30).fill(-1),
      NON_FINITE: new Float64Array(30).fill(Number.NaN),
      DIMENSION_MISMATCH: [1],
    };
    for (const [code, sampleWeights] of Object.entries(weights))
      await expect(fitRows(x, { sampleWeights })).rejects.toThrow(fails(code, { argument: 'sampleWeights' }));
    await expect(fitRows(x, { sampleWeights: new Float64Array(30) })).rejects.toThrow(fails('INVALID_ARGUMENT'));
    await expect(fitRows(x, { init: start(x, 'tied'), covarianceType: 'full' })).rejects.toThrow(
      fails('INVALID_ARGUMENT', { argument: 'init' }),
    );
    expect(() => new GaussianMixture(start(x, 'full')).marginal([3])).toThrow(
      fails('INVALID_ARGUMENT', { argument: 'dims' }),
    );
    expect(() => new GaussianMixture(start(x, 'full')).conditional([0, 1, 2], [0, 0, 0])).toThrow(
      fails('INVALID_ARGUMENT', { argument: 'dims' }),
    );
  });
});

test('a fit that is called converged moves no more, and one that is not says so', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(...types), async (seed, covarianceType) => {
      const options = { components: 4, dimension: 2, covarianceType, regularization: 0.3, maxIterations: 60, seed };
      const x = clouds(60, 2, seed);
      const { model, report } = await GaussianMixture.fit(x, options);
      if (!report.converged) {
        expect(report.warnings).not.toEqual([]);
        return;
      }
      const more = await GaussianMixture.fit(x, { ...options, init: model, tolerance: 0, maxIterations: 1 });
      const moved = more.report.logLikelihood - report.logLikelihood;
      expect(Math.abs(moved)).toBeLessThan(60 * 1e-5);
    }),
    { numRuns: 40 },
  );
});

const column = (x: Float64Array, d: number, j: number): number[] => [...x].filter((_, at) => at % d === j);
const average = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Row by row with inverses: E r, E r y, E r y yᵀ (lower triangles or squares), y = x - mean, given the observed values. */
function naiveStatistics(mixture: GaussianMixture, x: Float64Array, d: number) {
  const { means, covariances, covarianceType } = mixture.parameters;
  const k = mixture.componentCount;
  const dense = covarianceType === 'full' || covarianceType === 'tied';
  const sigma = (c: number, i: number, j: number): number => {
    if (dense) return covariances[(covarianceType === 'full' ? c * d * d : 0) + i * d + j]!;
    return i === j ? covariances[covarianceType === 'diagonal' ? c * d + i : c]! : 0;
  };
  const size = dense ? tri(d) : d;
  const sums = {
    rows: 0,
    count: new Float64Array(k),
    first: new Float64Array(k * d),
    second: new Float64Array(k * size),
  };
  for (let row = 0; row < x.length / d; row++) {
    const point = [...x.subarray(row * d, (row + 1) * d)];
    const o = [...Array(d).keys()].filter((j) => !Number.isNaN(point[j]!));
    if (o.length === 0) continue;
    sums.rows++;
    const r = mixture.responsibilities(Float64Array.from(point), { missing: 'nan' });
    for (let c = 0; c < k; c++) {
      const inverse = invertMatrix(o.map((i) => o.map((j) => sigma(c, i, j))));
      const G = point.map((_, j) => o.map((_, a) => o.reduce((s, i, b) => s + sigma(c, j, i) * inverse[b]![a]!, 0)));
      const y = point.map((v, j) =>
        o.includes(j)
          ? v - means[c * d + j]!
          : o.reduce((s, i, a) => s + G[j]![a]! * (point[i]! - means[c * d + i]!), 0),
      );
      const spare = (i: number, j: number): number =>
        o.includes(i) || o.includes(j) ? 0 : sigma(c, i, j) - o.reduce((s, q, a) => s + G[i]![a]! * sigma(c, q, j), 0);
      sums.count[c]! += r[c]!;
      for (let i = 0, at = c * size; i < d; i++) {
        sums.first[c * d + i]! += r[c]! * y[i]!;
        for (let j = dense ? 0 : i; j <= i; j++) sums.second[at++]! += r[c]! * (y[i]! * y[j]! + spare(i, j));
      }
    }
  }
  return sums;
}
function invertMatrix(A: number[][]): number[][] {
  const n = A.length;
  const M = A.map((row, i) => [...row, ...row.map((_, j) => Number(i === j))]);
  for (let i = 0; i < n; i++) {
    M[i] = M[i]!.map((v) => v / M[i]![i]!);
    for (let r = 0; r < n; r++) if (r !== i) M[r] = M[r]!.map((v, j) => v - M[r]![i]! * M[i]![j]!);
  }
  return M.map((row) => row.slice(n));
}
