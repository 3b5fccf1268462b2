/** The sin layer on every backend: against sums one by one, and bad input. */
import { describe, expect, test } from 'vitest';
import { SeqlikError, sineLayer } from '../../src/index.ts';
import { range, titled } from '../support/models.ts';

const A = [
  [0.3, -1, 2],
  [4, 0.5, -0.25],
];
const x = [0.7, -0.2, 1.1];
const g = [0.5, -2];
describe.each(titled)('%s', (_, backend) => {
  test('value, Jacobian and gradients', () => {
    const { y, jacobian, dx, dA } = sineLayer(A, x, { cotangent: g, backend });
    const angles = A.map((row) => row.reduce((sum, a, j) => sum + a * x[j]!, 0));
    for (const i of range(2)) {
      expect(y[i]).toBeCloseTo(Math.sin(angles[i]!), 14);
      for (const j of range(3)) {
        expect(jacobian[i * 3 + j]).toBeCloseTo(Math.cos(angles[i]!) * A[i]![j]!, 14);
        expect(dA![i * 3 + j]).toBeCloseTo(Math.cos(angles[i]!) * g[i]! * x[j]!, 14);
      }
    }
    for (const j of range(3)) expect(dx![j]).toBeCloseTo(g[0]! * jacobian[j]! + g[1]! * jacobian[3 + j]!, 14);
    expect(sineLayer(A.flat(), Float32Array.from(x), { backend }).y).toBeInstanceOf(Float32Array);
    expect(sineLayer(A, x, { backend })).not.toHaveProperty('dx');
  });
  test.each([
    ['x', () => sineLayer(A, [1, 2], { backend }), 'DIMENSION_MISMATCH'],
    ['A', () => sineLayer([1, 2, 3], [1, 2], { backend }), 'DIMENSION_MISMATCH'],
    ['A', () => sineLayer([[1e308, 1e308]], [10, 10], { backend }), 'NON_FINITE'],
    ['x', () => sineLayer([], [], { backend }), 'EMPTY_INPUT'],
    ['cotangent', () => sineLayer(A, x, { cotangent: [1], backend }), 'DIMENSION_MISMATCH'],
  ] as const)('refuses a wrong %s', (argument, call, code) => {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SeqlikError);
    expect(error).toMatchObject({ code, argument });
  });
});
