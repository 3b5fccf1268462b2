/** Starts and ends of EM: the optimum is found, units and weights do not matter, no collapse loses what was found. */
import { describe, expect, test } from 'vitest';
import { isMeasured, readBirds } from '../../examples/birds.ts';
import { Gaussian, GaussianMixture, openBackend } from '../../src/index.ts';
import { Random } from '../../src/random.ts';
import { hasNative, range } from '../support/models.ts';

const backends = [...(hasNative ? ([['native']] as const) : []), ['wasm']] as const;
const normals = (n: number, seed: number): number[] => {
  const random = new Random(seed);
  return range(n).map(() => random.normal());
};

describe.each(backends)('on %s', (name) => {
  const backend = openBackend({ name });
  const fitRows = (x: number[][], options: object) =>
    GaussianMixture.fit(x, { backend, ...(options as { components: number }) });

  test('ten separated clusters are found from twenty of twenty seeds', async () => {
    const random = new Random(4);
    const centres = range(10).map((c) => [20 * (c % 4), 20 * Math.floor(c / 4)]);
    const x = range(400).map((i) => centres[i % 10]!.map((m) => m + random.normal()));
    const ends: number[] = [];
    for (const seed of range(20)) {
      const { model } = await fitRows(x, { components: 10, covarianceType: 'spherical', seed });
      const { means } = model.parameters;
      const found = centres.filter((centre) =>
        range(10).some((c) => Math.hypot(means[2 * c]! - centre[0]!, means[2 * c + 1]! - centre[1]!) < 1),
      );
      ends.push(found.length);
    }
    expect(ends).toEqual(Array(20).fill(10)); // in 11 of 20 seeds from one start of k-means++
  });

  const two = normals(400, 1).map((z, i) => [z + (i % 2) * 1.6]);
  test('neither the sum of the weights nor units decide where a fit ends', async () => {
    const { report } = await fitRows(two, { components: 2 });
    const light = await fitRows(two, { components: 2, sampleWeights: new Float64Array(400).fill(1e-6) });
    const wide = await fitRows(
      two.map(([v]) => [v! * 2 ** 30]),
      { components: 2 },
    );
    expect(report.converged && light.report.converged && wide.report.converged).toBe(true);
    expect(Math.abs(light.report.logLikelihood * 1e6 - report.logLikelihood)).toBeLessThan(1e-3);
    expect(Math.abs(wide.report.logLikelihood + 400 * 30 * Math.LN2 - report.logLikelihood)).toBeLessThan(1e-3);
  });

  test('with regularization every seed ends in the same fixed point', async () => {
    const ends: number[] = [];
    for (const seed of range(8)) {
      const { report } = await fitRows(two, { components: 2, regularization: 0.3, seed });
      expect(report).toMatchObject({ converged: true });
      ends.push(report.logLikelihood);
    }
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(0.01);
  });

  test('singular columns are no fall of the likelihood', async () => {
    for (const seed of range(30)) {
      const z = normals(40, seed);
      const x = range(20).map((i) => [z[i]!, z[i + 20]!, z[i]! + z[i + 20]!]);
      const { report } = await Gaussian.fit(x, { backend });
      expect(report).toMatchObject({ converged: true, iterations: 1, warnings: [] });
    }
    const { report } = await Gaussian.fit([[0.1, 0.9, 0.3, 0.4], [0.5, 0.2, 0.8, 0.7]], { backend }); // biome-ignore format: rows
    expect(report).toMatchObject({ converged: true, warnings: [] });
  });

  test.each([1e4, 1e5])('an outlier at %d does not swell the rest', async (far) => {
    const z = normals(500, 5);
    const mean = z.reduce((a, b) => a + b, 0) / 500;
    const variance = z.reduce((a, b) => a + (b - mean) ** 2, 0) / 500;
    const { model, report } = await fitRows(
      [...z, far].map((v) => [v]),
      { components: 2 },
    );
    const { weights, covariances } = model.parameters;
    const bulk = weights[0]! > weights[1]! ? 0 : 1;
    expect(Math.abs(covariances[bulk]! / variance - 1)).toBeLessThan(0.03); // + 20 % at 1e4, 20.9 at 1e5
    expect(report.warnings.join()).toMatch(
      new RegExp(`component ${1 - bulk}, of \\d+ rows?, hardly varies in column 0`),
    );
  });

  test('scale does not change a fit: every unit follows the columns', async () => {
    const x = range(60).map((i) => [(i % 7) + (i % 2) * 9, (i % 5) - (i % 2) * 3]);
    const one = await fitRows(x, { components: 2, regularization: 0.01 });
    const other = await fitRows(
      x.map(([a, b]) => [a! * 1024, b! / 4096]),
      { components: 2, regularization: 0.01 },
    );
    const { means } = one.model.parameters;
    for (const [i, m] of other.model.parameters.means.entries())
      expect(m).toBeCloseTo(means[i]! * (i % 2 ? 1 / 4096 : 1024), 5);
  });

  test('the best state is returned, and a component with nothing to do is given up', async () => {
    const z = normals(300, 2);
    const x = range(300).map((i) => [i % 2, z[i]!]);
    for (const seed of range(5)) {
      const { report } = await fitRows(x, { components: 3, seed });
      expect(report.logLikelihood).toBeGreaterThanOrEqual(Math.max(...report.history) - 0.01);
    }
    // three places, four components: nothing can pay
    const places = range(90).map((i) => [i % 3, (i % 3) ** 2]);
    const { model, report } = await fitRows(places, {
      components: 4,
      covarianceType: 'spherical',
      initialization: 'random',
    });
    expect(model.parameters.weights.every((w) => w >= 0)).toBe(true);
    expect(report.logLikelihood).toBeGreaterThanOrEqual(Math.max(...report.history) - 0.01);
    const revivals = report.warnings.filter((warning) => warning.includes('was put at row'));
    expect(revivals.length).toBeLessThanOrEqual(2 * 4);
  });

  test('a component that is singular wherever it is put has weight 0, and no error ends the fit', async () => {
    // two clouds, and init with a component on identical rows: without regularization it is singular at once
    const z = normals(80, 3);
    const x = [...range(40).map((i) => [z[i]!, z[i + 40]!]), ...range(40).map(() => [30, 30])];
    const init = {
      weights: [0.5, 0.5],
      means: [0, 0, 30, 30],
      covariances: [1, 0, 0, 1, 1, 0, 0, 1],
    };
    const { model, report } = await fitRows(x, { init, regularization: 0 });
    expect([...model.logDensity(x)].every(Number.isFinite)).toBe(true);
    expect(report.warnings.join('\n')).toMatch(/collapsed/);
  });

  test('three components of the penguins reach the known optimum by default', async () => {
    const x = readBirds()
      .filter(isMeasured)
      .map(({ values }) => [...values]);
    const { model, report } = await fitRows(x, { components: 3, missing: 'nan' });
    expect(report.logLikelihood).toBeGreaterThan(-5150.8); // -5150.7; was -5190.7
    expect(model.bic(x, { missing: 'nan' })).toBeLessThan(10559);
  });

  test('a fit that ends at maxIterations says so', async () => {
    const { report } = await fitRows(two, {
      components: 2,
      maxIterations: 1,
      initialization: 'random',
      tolerance: 1e-12,
    });
    expect(report.converged).toBe(false);
    expect(report.warnings.join()).toMatch(/^restart 0: not converged after 1 iteration/);
  });

  test('the default start is better than one of k-means++, and costs no more than a few iterations of large data', async () => {
    const random = new Random(9);
    const x = range(600).map((i) => {
      const [a, b] = [random.normal(), random.normal()];
      const far = i % 6;
      return [a + 4 * Math.cos(far), (far % 2 ? a : -a) + 0.4 * b + 4 * Math.sin(far)];
    });
    let better = 0;
    for (const seed of range(10)) {
      const [short, one] = [
        await fitRows(x, { components: 6, seed }),
        await fitRows(x, { components: 6, seed, initialization: 'k-means++' }),
      ];
      better += Number(short.report.logLikelihood >= one.report.logLikelihood - 0.5);
    }
    expect(better).toBeGreaterThanOrEqual(8);
  });
});
