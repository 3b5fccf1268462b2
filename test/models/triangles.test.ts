/** The small dense algebra of the models against the oracle's matrices, and by identities. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addProduct,
  diagonalMatrix,
  diagonalOf,
  factorise,
  factoriseRows,
  invert,
  multiply,
  notPositiveDefinite,
  packDiagonals,
  packedIndex,
  packLower,
  pivotOf,
  reconstruct,
  solve,
  solveLower,
  solveTransposed,
  tri,
  unpackDiagonals,
  unpackSymmetric,
} from '../../src/models/triangles.ts';
import { type Dense, inverse, lower, matrix, range, times, transpose } from '../oracle/matrices.ts';
import { uniform } from '../support/cases.ts';
import { expectNear, refusal, titled } from '../support/models.ts';

const flat = (A: Dense): Float64Array => Float64Array.from(A.flat());
const nested = (A: ArrayLike<number>, d: number): Dense => matrix(d, d, (i, j) => A[i * d + j]!);
const column = (A: Dense): number[] => A.map(([v]) => v!);
const near = (got: ArrayLike<number>, want: ArrayLike<number>): void =>
  expectNear(got, want, (v) => 1e-11 * (1 + Math.abs(v)));

/** L is lower triangular with a diagonal from ½ to 2, A = L Lᵀ, and b a vector. */
interface Drawn {
  readonly d: number;
  readonly L: Dense;
  readonly packed: Float64Array;
  readonly A: Dense;
  readonly b: number[];
}
const drawn = fc.record({ d: fc.integer({ min: 1, max: 7 }), seed: fc.nat() }).map(({ d, seed }): Drawn => {
  const random = uniform(seed);
  const L = matrix(d, d, (i, j) => (i === j ? 1.25 + 0.75 * random() : i > j ? random() : 0));
  const packed = Float64Array.from(L.flatMap((row, i) => row.slice(0, i + 1)));
  return { d, L, packed, A: times(L, transpose(L)), b: range(d).map(random) };
});
const always = (check: (given: Drawn) => void): void => fc.assert(fc.property(drawn, check));
const fail = (): never => expect.fail('it is positive definite');

describe('packing', () => {
  test('a lower triangle is packed by rows, the oracle agrees', () =>
    always(({ d, L, packed }) => {
      expect(packed.length).toBe(tri(d));
      expect(lower(d, packed, 0)).toEqual(L);
      expect(packLower(flat(L), d)).toEqual(packed);
      for (const i of range(d)) for (const j of range(i + 1)) expect(packed[packedIndex(i, j)]).toBe(L[i]![j]);
    }));
  test('a symmetric matrix is determined by it', () =>
    always(({ d, A }) => {
      const symmetric = matrix(d, d, (i, j) => A[Math.max(i, j)]![Math.min(i, j)]!);
      expect(nested(unpackSymmetric(packLower(flat(A), d), d), d)).toEqual(symmetric);
    }));
  test('diagonals go into triangles and matrices, and come out', () =>
    always(({ d, packed, b, A }) => {
      const two = Float64Array.from([...b, ...b.map((v) => 2 * v)]);
      expect(unpackDiagonals(packDiagonals(two, 2, d), 2, d)).toEqual(two);
      expect(packDiagonals(two.subarray(0, d), 1, d)).toEqual(packLower(diagonalMatrix(two.subarray(0, d)), d));
      expect([...unpackDiagonals(packed, 1, d)]).toEqual(range(d).map((i) => packed[packedIndex(i, i)]));
      expect([...diagonalOf(flat(A), d)]).toEqual(range(d).map((i) => A[i]![i]));
    }));
});

describe.each(titled)('factors on %s', (_, backend) => {
  test('L Lᵀ = A, and log |A| = 2 Σ log L[j,j]', () =>
    always(({ d, A, packed }) => {
      const { L, logDet } = factorise(backend, Float64Array.from([...flat(A), ...flat(A)]), 2, d, fail);
      near(L, [...packed, ...packed]);
      const logs = 2 * range(d).reduce((sum, i) => sum + Math.log(packed[packedIndex(i, i)]!), 0);
      near(logDet, [logs, logs]);
    }));
  test('the factor of some coordinates comes from rows of L, however small', () =>
    always(({ d, A, packed }) => {
      const dims = range(d).reverse().slice(0, 3);
      const scale = 2 ** -700; // the squares of such entries are 0
      const small = packed.map((v) => v * scale);
      const L = factoriseRows(backend, small, dims, fail).map((v) => v / scale);
      const part = matrix(dims.length, dims.length, (a, b) => A[dims[a]!]![dims[b]!]!);
      const factor = lower(dims.length, L, 0);
      near(flat(times(factor, transpose(factor))), flat(part));
    }));
  test('a matrix that is not positive definite is an error with its first bad pivot', () => {
    const A = Float64Array.of(1, 0, 0, 1, 1, 2, 2, 1);
    const error = refusal(() =>
      factorise(backend, A, 2, 2, ({ matrix, pivot, value }) => notPositiveDefinite('f', 'A', pivot, value, matrix)),
    );
    expect(error).toMatchObject({ code: 'NOT_POSITIVE_DEFINITE', which: 'A', component: 1, pivot: 1, value: -3 });
  });
});
test('the value of a pivot is that of A less what was explained', () =>
  always(({ d, A, packed }) => {
    for (const p of range(d)) near([pivotOf(flat(A), d, p)], [packed[packedIndex(p, p)]! ** 2]);
  }));

describe('solving', () => {
  test('L y = b, Lᵀ x = y, L Lᵀ x = b', () =>
    always(({ L, A, packed, b }) => {
      const given = (M: Dense): Float64Array =>
        Float64Array.from(
          column(
            times(
              M,
              matrix(b.length, 1, (i) => b[i]!),
            ),
          ),
        );
      near(solveLower(packed, given(L)), b);
      near(solveTransposed(packed, given(transpose(L))), b);
      near(solve(packed, given(A)), b);
    }));
  test('it is done in place', () => {
    const b = Float64Array.of(6);
    expect(solve(Float64Array.of(2), b)).toBe(b);
    expect(b[0]).toBe(1.5);
  });
  test('(L Lᵀ)⁻¹ is the inverse of A, and exactly symmetric', () =>
    always(({ d, A, packed }) => {
      const got = invert(packed, d);
      near(multiply(got, flat(A), d), flat(matrix(d, d, (i, j) => Number(i === j))));
      near(got, flat(inverse(A)));
      expect(nested(got, d)).toEqual(transpose(nested(got, d)));
    }));
});

describe('multiplying', () => {
  test('A B is that of the oracle', () =>
    always(({ d, A, L }) => near(multiply(flat(A), flat(L), d), flat(times(A, L)))));
  test('L Lᵀ of a triangle, squares of standard deviations', () =>
    always(({ d, A, packed, b }) => {
      const S = new Float64Array(d * d).fill(Number.NaN);
      reconstruct(packed, d, true, S);
      near(S, flat(A));
      reconstruct(Float64Array.from(b), d, false, S);
      expect(S).toEqual(diagonalMatrix(Float64Array.from(b, (v) => v * v)));
    }));
  test('y + L z', () =>
    always(({ d, L, packed, b }) => {
      const z = Float64Array.from(b);
      const y = new Float64Array(d).fill(3);
      addProduct(packed, z, true, y);
      near(
        y,
        column(
          times(
            L,
            matrix(d, 1, (i) => b[i]!),
          ),
        ).map((v) => 3 + v),
      );
      addProduct(z, z, false, y.fill(3));
      near(
        y,
        b.map((v) => 3 + v * v),
      );
    }));
});
