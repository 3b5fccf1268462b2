/** Densities and shares of each component, gradients by the point, and sums over rows that weigh differently. */
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  covarianceTypes,
  drawMixture,
  drawRows,
  expectNear,
  expectSlope,
  f32,
  f64,
  invert,
  once,
  part,
  range,
  refusal,
  sum,
  textbook,
  titled,
  tolerance,
} from '../support/models.ts';

const mixtures = once((type: (typeof covarianceTypes)[number]) => drawMixture(type, 4, 3, 5));
const NINF = Number.NEGATIVE_INFINITY;

describe.each(titled)('on %s', (_, backend) => {
  const far = new GaussianMixture({ weights: [0.25, 0.75], means: [0, 100], covariances: [1, 1] }, { backend });

  describe.each(covarianceTypes)('%s', (type) => {
    const { parameters, components } = mixtures(type);
    const model = new GaussianMixture(parameters, { backend });
    const rows = drawRows(components, 140, 3);
    const bare = components.map((component) => ({ ...component, weight: 1 }));

    test('components and their shares are those of the textbook', () => {
      const each = rows.flatMap(textbook(bare)).map(Math.log);
      const shares = rows.flatMap((row) => {
        const p = textbook(components)(row);
        return p.map((v) => Math.log(v / sum(p)));
      });
      for (const x of [f64(rows), rows]) {
        expectNear(model.componentLogDensity(x), each, tolerance(components, f64(rows)));
        expectNear(model.logResponsibilities(x), shares, (v) => 1e-11 * (1 + Math.abs(v)));
      }
      const single = f32(rows);
      const wide = model.logResponsibilities(Float64Array.from(single));
      expect(model.logResponsibilities(single)).toEqual(Float32Array.from(wide));
      expect(model.componentLogDensity(single)).toEqual(
        Float32Array.from(model.componentLogDensity(Float64Array.from(single))),
      );
    });
    test('gaps leave the marginal of what was observed', () => {
      const x = rows.map((row, i) => row.map((v, j) => ((i + j) % 3 === 0 || i === 7 ? Number.NaN : v)));
      const got = model.componentLogDensity(x, { missing: 'nan' });
      const shares = model.logResponsibilities(x, { missing: 'nan' });
      for (const [i, row] of x.entries()) {
        const dims = range(4).filter((j) => !Number.isNaN(row[j]));
        const densities = dims.length === 0 ? [1, 1, 1] : textbook(part(bare, dims))(dims.map((j) => row[j]!));
        expectNear(got.slice(3 * i, 3 * i + 3), densities.map(Math.log), 1e-10);
        const p = densities.map((v, c) => v * components[c]!.weight);
        expectNear(
          shares.slice(3 * i, 3 * i + 3),
          p.map((v) => Math.log(v / sum(p))),
          1e-10,
        );
      }
    });
    test('the gradient by x is the slope of the log-density', () => {
      const random = uniform(8);
      for (const row of rows.slice(0, 6)) {
        const { logDensity, dx } = model.logDensityGradient([row]);
        expect(logDensity).toEqual(model.logDensity([row]));
        const direction = row.map(random);
        expectSlope(dx, direction, (t) => model.logDensity([row.map((v, j) => v + t * direction[j]!)])[0]!);
      }
      const whole = model.logDensityGradient(f64(rows));
      expect(whole.dx).toEqual(Float64Array.from(rows.flatMap((row) => [...model.logDensityGradient([row]).dx])));
      expect(model.logDensityGradient(f32(rows)).dx).toBeInstanceOf(Float32Array);
    });
    test('precisions are the inverses of the covariances', () => {
      const { covariances } = model.parameters;
      if (type === 'full' || type === 'tied')
        for (let at = 0; at < covariances.length; at += 16) {
          const S = range(4).map((i) => [...covariances.slice(at + 4 * i, at + 4 * i + 4)]);
          expectNear(model.precisions().slice(at, at + 16), invert(S).inverse.flat(), 1e-12);
        }
      else
        expectNear(
          model.precisions(),
          covariances.map((v) => 1 / v),
          1e-15,
        );
      expect(model.precisions().length).toBe(covariances.length);
    });
    test('each draw is of the component it is said to be of, and the draws are the same', () => {
      const { x, components: of } = model.sample(500, { seed: 4, components: true });
      expect(x).toEqual(model.sample(500, { seed: 4 }));
      expect(x).toEqual(model.sample(500, { seed: 4, components: false }));
      expect(of).toBeInstanceOf(Int32Array);
      for (const [c, { weight, mean }] of components.entries()) {
        const own = range(500).filter((i) => of[i] === c);
        expect(Math.abs(own.length / 500 - weight)).toBeLessThan(0.1);
        for (const j of range(4))
          expect(Math.abs(sum(own.map((i) => x[4 * i + j]!)) / own.length - mean[j]!)).toBeLessThan(0.5);
      }
    });
  });

  test('shares that responsibilities lose are exact', () => {
    expectNear(far.responsibilities([[0]]), [1, 0], 0);
    expectNear(far.logResponsibilities([[0]]), [-Math.exp(-5000), Math.log(3) - 5000], 1e-12);
    expectNear(far.logResponsibilities([[-1e6]]), [0, Math.log(3) - 5000 - 1e8], 1e-3); // distances of 5e11
    // a share below 2^-60 whose slope is 1e21 times as steep
    const needle = new GaussianMixture({ weights: [0.5, 0.5], means: [1, 0], covariances: [1, 1e-40] }, { backend });
    const x = 13.5e-20;
    const p = [Math.exp(-0.5), 1e20 * Math.exp(-0.5 * 13.5 ** 2)] as const;
    expect(needle.responsibilities([x])[1]).toBe(0);
    expect(needle.logDensityGradient([x]).dx[0]! / ((p[0] - (p[1] * x) / 1e-40) / (p[0] + p[1]))).toBeCloseTo(1, 9);
  });
  test('where a distance overflows a component has -Infinity; where all do the row has no density', () => {
    const wide = new GaussianMixture({ weights: [0.5, 0.5], means: [0, 0], covariances: [1e-200, 1e300] }, { backend });
    expect([...wide.componentLogDensity([1e100])]).toEqual([NINF, expect.closeTo(-346.3, 0)]);
    expect([...wide.logResponsibilities([1e100])]).toEqual([NINF, 0]);
    expect(wide.logDensityGradient([1e100]).dx[0]).toBeCloseTo(-1e-200, 210);
    for (const call of ['componentLogDensity', 'logResponsibilities'] as const) {
      expect(refusal(() => far[call]([[0], [1e200], [1]]))).toMatchObject({ code: 'NON_FINITE', row: 1 });
      const marked = far[call]([[0], [1e200], [1]], { unscorable: 'mark' });
      expect([...marked.slice(2, 4)]).toEqual([NINF, NINF]);
      expect([...marked.slice(0, 2), ...marked.slice(4)].every(Number.isFinite)).toBe(true);
      expect(refusal(() => far[call]([[0], [Number.NaN]], { unscorable: 'mark' }))).toMatchObject({
        row: 1,
        column: 0,
      });
    }
    // no gradient of a row without a density
    expect(refusal(() => far.logDensityGradient([[1e200]]))).toMatchObject({ code: 'NON_FINITE', row: 0 });
  });
  test('a threshold lies above the rows that are marked, and is finite', () => {
    const x = [[0], [1e200], [1], [2], [1e200]];
    const [zero, one, two] = far.logDensity([[0], [1], [2]]);
    const at = (falsePositiveRate: number) => far.threshold(x, { falsePositiveRate, unscorable: 'mark' });
    expect([at(0.1), at(0.3), at(0.5)]).toEqual([two, two, two]);
    expect(at(0.75)).toBe(one);
    expect(at(0.999)).toBeLessThan(zero!);
    expect(refusal(() => far.threshold([[1e200]], { falsePositiveRate: 0.5, unscorable: 'mark' }))).toMatchObject({
      code: 'EMPTY_INPUT',
    });
    expect(refusal(() => far.threshold(x, { falsePositiveRate: 0.5 }))).toMatchObject({ code: 'NON_FINITE', row: 1 });
  });
  test('components of no weight have a density, and no share', () => {
    const model = new GaussianMixture({ weights: [0, 1], means: [0, 1], covariances: [1, 1] }, { backend });
    expect(model.componentLogDensity([0])[0]).toBeCloseTo(-0.9189385, 6);
    expect([...model.logResponsibilities([0])]).toEqual([NINF, 0]);
  });

  test('rows count as often as they weigh', () => {
    const { parameters, components } = mixtures('full');
    const mixture = new GaussianMixture(parameters, { backend });
    const gaussian = new Gaussian({ mean: [0, 1, 2, 3], variances: [1, 2, 3, 4] }, { backend });
    const rows = drawRows(components, 12, 9).map((row, i) => (i === 4 ? row.map(() => Number.NaN) : row));
    const sampleWeights = rows.map((_, i) => i % 3);
    const repeated = rows.flatMap((row, i) => Array.from({ length: i % 3 }, () => row));
    const gaps = { missing: 'nan' } as const;
    for (const model of [mixture, gaussian])
      for (const call of ['logLikelihood', 'bic', 'aic'] as const) {
        const want = model[call](repeated, gaps);
        expectNear([model[call](rows, { ...gaps, sampleWeights })], [want], 1e-12 * Math.abs(want));
        expect(model[call](rows, { ...gaps, sampleWeights: rows.map(() => 1) })).toBe(model[call](rows, gaps));
        expect(refusal(() => model[call](rows, { ...gaps, sampleWeights: [1] }))).toMatchObject({
          code: 'DIMENSION_MISMATCH',
          argument: 'sampleWeights',
        });
      }
    // a row that is marked and weighs nothing
    const x = [rows[0]!, [1e200, 0, 0, 0]];
    const mark = { unscorable: 'mark' } as const;
    expect(mixture.logLikelihood(x, { ...mark, sampleWeights: [1, 0] })).toBe(mixture.logLikelihood([rows[0]!]));
    expect(mixture.logLikelihood(x, { ...mark, sampleWeights: [1, 1] })).toBe(NINF);
    expect(mixture.bic(x, mark)).toBe(Number.POSITIVE_INFINITY);
    expect(refusal(() => mixture.bic([[Number.NaN, Number.NaN, Number.NaN, Number.NaN]], gaps))).toMatchObject({
      code: 'EMPTY_INPUT',
    });
  });

  test('a Gaussian has them too, in whatever form it was given', () => {
    const S = [4, 2, 2, 10];
    for (const form of [{ covariance: S }, { cholesky: [2, 0, 1, 3] }]) {
      const g = new Gaussian({ mean: [1, 2], ...form }, { backend });
      expectNear(g.precision(), [10 / 36, -2 / 36, -2 / 36, 4 / 36], 1e-15);
      expectNear(g.logDensityGradient([[2, 4]]).dx, [-(10 - 4) / 36, -(8 - 2) / 36], 1e-15);
      const single = g.logDensityGradient(Float32Array.of(2, 4));
      expect(single.dx).toBeInstanceOf(Float32Array);
      expect(refusal(() => g.logDensityGradient([[0, Number.NaN]]))).toMatchObject({ row: 0, column: 1 });
    }
    const narrow = new Gaussian({ mean: [0], variances: [1e-310] }, { backend });
    expect(refusal(() => narrow.logDensityGradient([1]))).toMatchObject({ code: 'NON_FINITE', row: 0 });
  });
});
