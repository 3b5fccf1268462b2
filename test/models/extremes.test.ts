/** Models at the edges of numbers, on every backend: far points, hard covariances, all scales, many components. */
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture, type GaussianParameters, type MixtureParameters } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  dot,
  drawMixture,
  drawRows,
  expectBits,
  expectNear,
  f32,
  f64,
  logTextbook,
  matrix,
  once,
  range,
  refusal,
  sum,
  times,
  titled,
  transpose,
} from '../support/models.ts';

const LOG_2PI = Math.log(2 * Math.PI);
const square = (v: number): number => v * v;

/**
 * A covariance whose answers are known exactly: L holds small multiples of powers of 2, its rows ever smaller, so that
 * S = L Lᵀ, x = m + L z and log |S| come out without any rounding. Its condition is about 4^steepness.
 */
function exact(d: number, steepness: number, seed: number) {
  const random = uniform(seed);
  const integer = (size: number): number => Math.round(random() * size);
  const scale = (i: number): number => 2 ** -Math.round((i * steepness) / (d - 1));
  const L = matrix(d, d, (i, j) => (j > i ? 0 : scale(i) * (i === j ? 1 : integer(2) / 8)));
  const mean = range(d).map(() => integer(8));
  const z = range(64).map(() => range(d).map(() => integer(4)));
  const log = z.map((row) => -0.5 * (d * LOG_2PI + dot(row, row)) - sum(L.map((row, i) => Math.log(row[i]!))));
  return {
    mean,
    L,
    covariance: times(L, transpose(L)),
    x: z.map((row) => mean.map((m, i) => m + dot(row, L[i]!))),
    log,
  };
}
const drawn2000 = once((d: number) => {
  const random = uniform(d);
  const k = 2000;
  const means = matrix(k, d, () => 30 * random());
  const variances = range(k).map(() => 1.5 + random());
  const raw = range(k).map(() => random() + 1.1);
  const weights = raw.map((w) => w / sum(raw));
  const components = means.map((mean, c) => ({
    weight: weights[c]!,
    mean,
    covariance: matrix(d, d, (i, j) => (i === j ? variances[c]! : 0)),
  }));
  const x = drawRows(components, 30, 1);
  return { weights, means, variances, components, x, log: x.map(logTextbook(components)) };
});

describe.each(titled)('at the edges on %s', (_, backend) => {
  const on = { backend };
  const gaussian = (parameters: GaussianParameters): Gaussian => new Gaussian(parameters, on);
  const mixture = (parameters: MixtureParameters): GaussianMixture => new GaussianMixture(parameters, on);
  const pair = (covarianceType: 'full' | 'spherical', v = 1): GaussianMixture =>
    mixture({
      weights: [0.5, 0.5],
      means: [0, 1],
      covariances: [v, v],
      covarianceType,
    });

  test('a point 1e5 standard deviations away has a density', () => {
    for (const x of [1e5, -1e5]) {
      const want = -0.5 * (LOG_2PI + x * x);
      expectNear(gaussian({ mean: [0], variances: [1] }).logDensity([x]), [want], 1e-14 * Math.abs(want));
      expectNear(
        gaussian({ mean: [0], covariance: [1] }).logDensity(Float32Array.of(x)),
        [want],
        1e-6 * Math.abs(want),
      );
      const r = pair('full').responsibilities([x]);
      expect([...r]).toEqual(x > 0 ? [0, 1] : [1, 0]);
      expectNear(
        pair('full').logDensity([x]),
        [Math.log(0.5) - 0.5 * (LOG_2PI + square(x > 0 ? x - 1 : x))],
        1e-14 * x * x,
      );
    }
  });
  test('a point at 1e150 has one too', () => {
    for (const model of [
      gaussian({ mean: [0, 0], variances: [1, 1] }),
      gaussian({
        mean: [0, 0],
        covariance: [
          [1, 0],
          [0, 1],
        ],
      }),
      mixture({
        weights: [0.5, 0.5],
        means: [
          [0, 0],
          [1, 1],
        ],
        covariances: [1, 1],
        covarianceType: 'spherical',
      }),
    ])
      expectNear(model.logDensity([1e150, -1e150]), [-1e300], 1e286);
    const model = pair('spherical');
    expect([...model.responsibilities([1e150])]).toEqual([0.5, 0.5]); // 1e150 - 1 is 1e150
    expect(model.logLikelihood([1e150, 1e150])).toBeCloseTo(-1e300, -287);
    expectNear([model.lossGradient([1e150]).loss], [5e299], 1e286);
  });
  test('a point at 1e200 is too far away, and the error says which', () => {
    const data = [
      [0, 0],
      [1, 2],
      [0, 1e200],
      [1e200, 0],
    ];
    const far = [
      gaussian({ mean: [0, 0], variances: [1, 1] }),
      gaussian({
        mean: [0, 0],
        covariance: [
          [1, 0.5],
          [0.5, 1],
        ],
      }),
    ];
    const both = [
      mixture({
        weights: [0.5, 0.5],
        means: [
          [0, 0],
          [1, 1],
        ],
        covariances: [1, 1],
        covarianceType: 'spherical',
      }),
      mixture({
        weights: [0.5, 0.5],
        means: [
          [0, 0],
          [1, 1],
        ],
        covariances: [
          [1, 0.5],
          [0.5, 1],
        ],
        covarianceType: 'tied',
      }),
    ];
    const calls = [
      ...[...far, ...both].map((m) => () => m.logDensity(data)),
      ...both.flatMap((m) => [
        () => m.responsibilities(data),
        () => m.classify(data),
        () => m.logLikelihood(data),
        () => m.lossGradient(data),
      ]),
    ];
    for (const call of calls) {
      const error = refusal(call);
      expect(error).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 2 });
      expect(error.message).toMatch(/: the squared distance of x at row 2 overflows in every component$/);
      expect(error.column).toBeUndefined();
    }
    const many = new Float64Array(2 * 1000);
    many[2 * 777] = many[2 * 900] = -1e200;
    for (const model of [...far, ...both])
      expect(refusal(() => model.logDensity(many))).toMatchObject({ code: 'NON_FINITE', row: 777 });
    expect(refusal(() => far[0]!.logDensity(Float32Array.of(1, 2, 1e30, 0)))).toMatchObject({
      code: 'NON_FINITE',
      argument: 'x',
      row: 1,
    });
  });
  test('one component within reach is enough', () => {
    const model = mixture({ weights: [0.5, 0.5], means: [0, 0], covariances: [1, 1e300], covarianceType: 'spherical' });
    const want = Math.log(0.5) - 0.5 * (LOG_2PI + 300 * Math.log(10) + 1e100);
    expectNear(model.logDensity([1e200]), [want], 1e86);
    expect([...model.responsibilities([1e200])]).toEqual([0, 1]);
    expect(model.lossGradient([1e200]).dMeans[0]).toBe(-0);
  });

  test.each([
    [2, 17],
    [5, 17],
    [9, 17],
    [17, 17],
    [4, 24],
  ])('a condition of about 1e10 and more costs no more than it has to, d = %i', (d, steepness) => {
    const { mean, covariance, L, x, log } = exact(d, steepness, d);
    const condition = 4 ** steepness;
    expectNear(gaussian({ mean, cholesky: L }).logDensity(f64(x)), log, (v) => 1e-14 * d * (1 + Math.abs(v)));
    expectNear(gaussian({ mean, covariance }).logDensity(f64(x)), log, (v) => 1e-14 * d * (1 + Math.abs(v)));
    // a factor of 1/3 makes every entry inexact; the density of x under S/3 at m + L z/√3 is known to the condition
    const third = covariance.map((row) => row.map((v) => v / 3));
    const y = x.map((row) => row.map((v, i) => mean[i]! + (v - mean[i]!) / 2));
    // z/2 under S/3
    const quarter = (v: number): number => (v - log0(d, L)) * 0.75 + log0(d, L) + (d / 2) * Math.log(3);
    expectNear(
      gaussian({ mean, covariance: third }).logDensity(f64(y)),
      log.map(quarter),
      (v) => 2 ** -53 * condition * d * (1 + Math.abs(v)),
    );
    const one = mixture({ weights: [0.5, 0.5], means: [mean, mean], covariances: [covariance, covariance] });
    expectNear(one.logDensity(f64(x)), log, (v) => 1e-14 * d * (1 + Math.abs(v)));
  });
  test('variances of 1e-300, 1e300 and denormal ones are variances', () => {
    for (const v of [1e-300, 1e300, 5e-324, 4e-310, 2.3e-308, 1.7e308])
      for (const form of [{ variances: [v] }, { covariance: [v] }]) {
        const model = gaussian({ mean: [0], ...form } as GaussianParameters);
        const deviation = Math.sqrt(v);
        const constant = -0.5 * (LOG_2PI + Math.log(v));
        expectNear(model.logDensity([0, deviation, -3 * deviation]), [constant, constant - 0.5, constant - 4.5], 1e-12);
        expectNear([model.entropy()], [0.5 * (1 + LOG_2PI + Math.log(v))], 1e-12);
        const x = model.sample(2000, { seed: 1 });
        expectNear([Math.sqrt(sum([...x].map((u) => square(u / deviation))) / 2000)], [1], 0.1);
      }
    const both = gaussian({ mean: [0, 0], variances: [1e-300, 1e300] });
    expectNear(both.logDensity([2e-150, 3e150]), [-LOG_2PI - 2 - 4.5], 1e-12);
    expectNear([both.entropy()], [1 + LOG_2PI], 1e-12);
    for (const covarianceType of ['diagonal', 'spherical'] as const)
      expectNear(
        mixture({ weights: [1], means: [0], covariances: [1e-300], covarianceType }).logDensity([1e-150]),
        [-0.5 * (LOG_2PI - 300 * Math.log(10)) - 0.5],
        1e-12,
      );
    const scaled = gaussian({
      mean: [0, 0],
      covariance: [
        [2e-300, 1e-300],
        [1e-300, 2e-300],
      ],
    });
    expectNear(scaled.logDensity([1e-150, -1e-150]), [-LOG_2PI - 0.5 * Math.log(3) + 300 * Math.log(10) - 1], 1e-12);
  });
  test('a factor reaches further than its covariance', () => {
    for (const s of [1e-200, 1e200]) {
      const model = gaussian({
        mean: [0, 0],
        cholesky: [
          [s, 0],
          [s, s],
        ],
      });
      expectNear(model.logDensity([s, 2 * s]), [-LOG_2PI - 2 * Math.log(s) - 1], 1e-11);
      expectNear([model.entropy()], [1 + LOG_2PI + 2 * Math.log(s)], 1e-11);
      expectNear(
        [...model.sample(3)].map((v) => v / s),
        gaussian({
          mean: [0, 0],
          cholesky: [
            [1, 0],
            [1, 1],
          ],
        }).sample(3),
        1e-14,
      );
    }
  });
  test('denormal points are points', () => {
    const model = gaussian({ mean: [5e-324], variances: [1] });
    expectNear(
      model.logDensity([0, 5e-324, -1e-310]),
      [0, 0, 0].map(() => -0.5 * LOG_2PI),
      1e-15,
    );
    expectNear(
      model.logDensity(Float32Array.of(1e-45, 0)),
      [0, 0].map(() => -0.5 * LOG_2PI),
      1e-6,
    );
    expectBits(pair('spherical').logDensity([-0, 5e-324]), pair('spherical').logDensity([0, 0]));
  });
  test('means at 1e8 with small variances score as if they were at 0, to the bit', () => {
    const { parameters, components } = drawMixture('full', 4, 3, 8);
    const grid = (v: number): number => Math.round(v * 2 ** 20) / 2 ** 20;
    const means = components.map((c) => c.mean.map((m) => grid(m / 100)));
    const covariances = components.map((c) => c.covariance.map((row) => row.map((v) => v / 1e4)));
    const rows = drawRows(
      means.map((mean) => ({ weight: 1, mean, covariance: [] })),
      50,
      1,
    ).map((row, i) => row.map((v, j) => grid((v - means[i % 3]![j]!) / 100 + means[i % 3]![j]!)));
    const up = (x: readonly (readonly number[])[], shift: number) => x.map((row) => row.map((v) => v + shift));
    const home = mixture({ ...parameters, means, covariances });
    const away = mixture({ ...parameters, means: up(means, 1e8), covariances });
    expectBits(away.logDensity(f64(up(rows, 1e8))), home.logDensity(f64(rows)));
    expectBits(away.responsibilities(f64(up(rows, 1e8))), home.responsibilities(f64(rows)));
    const [a, b] = [away.lossGradient(f64(up(rows, 1e8))), home.lossGradient(f64(rows))];
    expect([a.loss, a.dMeans, a.dCovariances]).toEqual([b.loss, b.dMeans, b.dCovariances]);
    for (const mean of [1e8, -1e8]) {
      const near = gaussian({ mean: [mean], variances: [1e-6] });
      const step = 2 ** -10;
      expectNear(near.logDensity([mean + step]), [-0.5 * (LOG_2PI + Math.log(1e-6) + step ** 2 / 1e-6)], 1e-13);
    }
    const shift = 2 ** 12;
    const coarse = (x: readonly (readonly number[])[]) =>
      x.map((row) => row.map((v) => Math.round(v * 2 ** 10) / 2 ** 10));
    const [low, high] = [
      mixture({ ...parameters, means: coarse(means), covariances }),
      mixture({ ...parameters, means: up(coarse(means), shift), covariances }),
    ];
    expectBits(high.logDensity(f32(up(coarse(rows), shift))), low.logDensity(f32(coarse(rows))));
  });
  test('2000 components are summed as carefully as two', () => {
    for (const d of [1, 3]) {
      const { weights, means, variances, components, x, log } = drawn2000(d);
      const model = mixture({ weights, means, covariances: variances, covarianceType: 'spherical' });
      expectNear(model.logDensity(f64(x)), log, (v) => 1e-13 * (1 + Math.abs(v)));
      expectNear(model.logDensity(f32(x)), log, (v) => 1e-4 * (1 + Math.abs(v)));
      const r = model.responsibilities(f64(x));
      for (const i of range(30)) expectNear([sum(r.subarray(i * 2000, (i + 1) * 2000))], [1], 1e-13);
      const full = mixture({ weights, means, covariances: components.map((c) => c.covariance) });
      expectNear(full.logDensity(f64(x)), log, (v) => 1e-13 * (1 + Math.abs(v)));
    }
  });
  test('densities that all underflow are still distinguished', () => {
    const model = mixture({ weights: [0.5, 0.5], means: [0, 100], covariances: [1, 1], covarianceType: 'spherical' });
    expectNear(model.responsibilities([1e4, -1e4, 50]), [0, 1, 1, 0, 0.5, 0.5], 1e-15);
    expectNear(model.logDensity([-1e4]), [Math.log(0.5) - 0.5 * (LOG_2PI + 1e8)], 1e-6 * 1e-2);
    expectNear(model.logDensity([50]), [-0.5 * (LOG_2PI + 2500)], 1e-12);
  });
  test('tiny weights count where their component does', () => {
    const weights = [1, 1e-300];
    const model = mixture({ weights, means: [0, 100], covariances: [1, 1], covarianceType: 'spherical' });
    expectNear(model.logDensity([100]), [Math.log(1e-300) - 0.5 * LOG_2PI], 1e-12);
    expectNear(model.responsibilities([100]), [0, 1], 1e-15);
  });
  test('f32 data beyond the range of f32 parameters are refused, never NaN', () => {
    for (const parameters of [
      { mean: [1e300], variances: [1] },
      { mean: [0], variances: [1e-300] },
    ] as const)
      expect(refusal(() => gaussian(parameters).logDensity(Float32Array.of(1)))).toMatchObject({
        code: 'NON_FINITE',
        argument: 'x',
        row: 0,
      });
    expectNear(
      gaussian({ mean: [0], variances: [1e300] }).logDensity(Float32Array.of(1)),
      [-0.5 * (LOG_2PI + 300 * Math.log(10))],
      1e-4,
    );
  });

  test.each([1e-20, 1e-310])('the gradient of a weight of %d is that of the weights around it', (w) => {
    const { dWeights } = mixture({
      weights: [1, w],
      means: [0, 0],
      covariances: [1, 1],
      covarianceType: 'spherical',
    }).lossGradient([0.5]);
    expectNear(dWeights, [-1, -1], 1e-12); // 1e-17 and 0 both give -1
  });
  test('a component of weight 0 that is out of reach has no gradient', () => {
    const model = mixture({ weights: [1, 0], means: [0, 0], covariances: [1e300, 1], covarianceType: 'spherical' });
    expect([...model.lossGradient([1e200]).dWeights]).toEqual([-1, -0]);
  });
  test('a component of weight 0 that alone could explain a row does not give an infinite gradient', () => {
    const model = mixture({ weights: [1, 0], means: [0, 1000], covariances: [1, 1], covarianceType: 'spherical' });
    let got: Float64Array;
    try {
      got = model.lossGradient([1000]).dWeights;
    } catch (error) {
      expect(error).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 0 });
      return;
    }
    expect(got.every(Number.isFinite)).toBe(true);
  });
});

/** log p at the mean. */
function log0(d: number, L: readonly (readonly number[])[]): number {
  return -0.5 * d * LOG_2PI - sum(L.map((row, i) => Math.log(row[i]!)));
}
