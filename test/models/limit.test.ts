/** No result has 2^31 values or more: such a call is refused before anything is computed. */
import { expect, test } from 'vitest';
import { GaussianMixture, MixtureDensity } from '../../src/index.ts';
import { refusal } from '../support/models.ts';

test('results of 2^31 values or more are refused', () => {
  const k = 2 ** 16;
  const ones = new Float64Array(k).fill(1);
  const m = new GaussianMixture({
    weights: ones.map(() => 1 / k),
    means: ones,
    covariances: ones,
    covarianceType: 'spherical',
  });
  const x = new Float64Array(2 ** 15);
  const refused = { code: 'INVALID_ARGUMENT', argument: 'x', received: `${2 ** 31} values` };
  expect(refusal(() => m.responsibilities(x))).toMatchObject(refused); // asked for 16 GB
  expect(refusal(() => m.classify(x))).toMatchObject(refused);
  const density = new MixtureDensity({ components: 1, dimension: 300, mapping: 'diag-exp' });
  const raw = new Float64Array(23861 * (1 + 300 + 300));
  expect(refusal(() => density.distribution(raw))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'raw' });
});
