/** Data in f32 that lie far from 0: the mean has more digits than f32, and none of them may be lost. */
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture } from '../../src/index.ts';
import { drawRows, identity, titled } from '../support/models.ts';

describe.each(titled)('%s', (_, backend) => {
  const on = { backend };

  test.each([1, 2])('a mean between two values of f32, %i row(s) at once', (n) => {
    const g = new Gaussian({ mean: [10000000.3], variances: [1] }, on);
    const x = new Float32Array(n).fill(10000001);
    const right = new Gaussian({ mean: [10000000.3], variances: [1] }, on).logDensity([[10000001]])[0]!;
    expect(g.logDensity(x)[0]).toBeCloseTo(right, 6); // -1.1639; was -1.4189
    expect(right).toBeCloseTo(-1.1639385, 6);
  });

  test.each(['full', 'tied', 'diagonal', 'spherical'] as const)('%s mixtures score f32 as f64', (covarianceType) => {
    for (const d of [1, 2, 3, 7])
      for (const offset of [1e5, 5.57e6]) {
        const means = Array.from({ length: 3 * d }, (_, i) => offset + 0.37 * (i % 5));
        const each = { full: [...Array(3)].flatMap(() => identity(d).flat()), tied: identity(d).flat() };
        const covariances =
          covarianceType === 'full' || covarianceType === 'tied'
            ? each[covarianceType]
            : new Array(covarianceType === 'diagonal' ? 3 * d : 3).fill(1);
        const m = new GaussianMixture({ weights: [0.2, 0.3, 0.5], means, covariances, covarianceType }, on);
        const x = Float32Array.from({ length: 50 * d }, (_, i) => offset + (((i * 7) % 11) - 5) / 2);
        const wide = Float64Array.from(x);
        const compare = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
          for (let i = 0; i < b.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(b[i]!)));
        };
        compare(m.logDensity(x), m.logDensity(wide));
        compare(m.responsibilities(x), m.responsibilities(wide));
        const [low, high] = [m.update(m.statistics(x)), m.update(m.statistics(wide))].map((u) => u.parameters);
        compare(
          low!.means.map((v) => v - offset),
          high!.means.map((v) => v - offset),
        );
        compare(low!.covariances, high!.covariances);
      }
  });

  test('a fit of map coordinates in f32 converges to that of f64', async () => {
    const at = (x: number, y: number) => [5.57e6 + x, 4.5e5 + y];
    const part = (mean: number[]) => ({ weight: 0.5, mean, covariance: [[4, 1], [1, 4]] }); // biome-ignore format: a matrix
    const x = Float32Array.from(drawRows([part(at(0, 0)), part(at(20, 20))], 400, 3).flat());
    const options = { components: 2, dimension: 2, backend };
    const single = await GaussianMixture.fit(x, options);
    const double = await GaussianMixture.fit(Float64Array.from(x), options);
    expect(single.report.converged).toBe(true);
    expect(single.report.warnings).toEqual([]);
    expect(Math.abs(single.report.logLikelihood - double.report.logLikelihood)).toBeLessThan(0.05);
    for (const [i, m] of double.model.parameters.means.entries())
      expect(Math.abs(single.model.parameters.means[i]! - m)).toBeLessThan(1e-3);
  });
});
