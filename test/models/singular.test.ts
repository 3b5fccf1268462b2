/** Covariances that are singular up to rounding are refused, given or fitted, whatever the units of their columns. */
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import { matrix, range, refusal, times, titled, transpose } from '../support/models.ts';

describe.each(titled)('%s', (_, backend) => {
  const on = { backend };
  test.each([1, 1e-6, 1e8])('matrices of rank 2 in four dimensions, in units of %d', (unit) => {
    const random = uniform(5);
    let refused = 0;
    for (let i = 0; i < 199; i++) {
      const B = matrix(4, 2, (row) => random() * (row % 2 ? unit : 1));
      const covariance = times(B, transpose(B));
      try {
        new Gaussian({ mean: [0, 0, 0, 0], covariance }, on);
      } catch (error) {
        expect(error).toMatchObject({ code: 'NOT_POSITIVE_DEFINITE', pivot: expect.any(Number) });
        refused++;
      }
    }
    expect(refused).toBeGreaterThanOrEqual(197); // of 199; was 32. A pivot divided by a tiny one may be large again
  });
  test('a definite matrix near the limit is taken', () => {
    for (const e of [1e-12, 1e-14, 2e-15]) {
      const g = new Gaussian({ mean: [0, 0], covariance: [1, 1 - e, 1 - e, 1] }, on);
      expect(Number.isFinite(g.entropy())).toBe(true);
    }
    const units = range(3).flatMap((i) => range(3).map((j) => (i === j ? 10 ** (150 * (i - 1)) : 0)));
    expect(Number.isFinite(new Gaussian({ mean: [0, 0, 0], covariance: units }, on).entropy())).toBe(true);
  });
  test('three rows do not span three dimensions', async () => {
    const x = [[3.4, 1, 0.3], [5.4, 1.9, 4], [2.2, 1.3, 0.1]]; // biome-ignore format: rows
    await expect(Gaussian.fit(x, { regularization: 0, backend })).rejects.toMatchObject({
      code: 'NOT_POSITIVE_DEFINITE',
    });
    const { model } = await Gaussian.fit(x, { backend });
    expect(model.logDensity(x).every(Number.isFinite)).toBe(true);
  });
  test('a mixture says which component', () => {
    const covariances = [[[1, 0], [0, 1]], [[1, 2], [2, 4 + 2 ** -51]]]; // biome-ignore format: matrices
    expect(
      refusal(() => new GaussianMixture({ weights: [0.5, 0.5], means: [0, 0, 1, 1], covariances }, on)),
    ).toMatchObject({
      code: 'NOT_POSITIVE_DEFINITE',
      component: 1,
      pivot: 1,
    });
  });
});
