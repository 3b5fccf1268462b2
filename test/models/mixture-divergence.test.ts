/** Divergences of mixtures that lie far apart: no sum of exponentials underflows. */
import { expect, test } from 'vitest';
import { klDivergence, mixtureDivergence } from '../../src/index.ts';
import { refusal } from '../support/models.ts';

const one = (m: number) => ({ weights: [1], means: [[m]], covariances: [1], covarianceType: 'spherical' }) as const;
const variational = { method: 'variational' } as const;

test.each([1, 38, 1e3, 1e6])('mixtures of one component %d apart diverge as Gaussians do', (m) => {
  const { estimate } = mixtureDivergence(one(0), one(m), variational); // was Infinity from 38 on
  const right = klDivergence({ mean: [0], variances: [1] }, { mean: [m], variances: [1] });
  expect(Math.abs(estimate - right)).toBeLessThanOrEqual(1e-12 * right);
});
test('components without weight count for nothing, wherever they are', () => {
  const p = { weights: [1, 0], means: [[0], [1e3]], covariances: [1, 1], covarianceType: 'spherical' } as const;
  const q = { weights: [0, 1], means: [[0], [1e3]], covariances: [1, 1], covarianceType: 'spherical' } as const;
  expect(mixtureDivergence(p, q, variational).estimate).toBeCloseTo(5e5, 6);
});
test('a divergence that overflows is refused', () => {
  expect(refusal(() => mixtureDivergence(one(-1e200), one(1e200), variational))).toMatchObject({ code: 'NON_FINITE' });
});
