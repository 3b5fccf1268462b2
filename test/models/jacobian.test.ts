/** Chains of Jacobians on every backend: values from outside, identities, extremes, errors. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  backpropagate,
  type Chain,
  chainDiagnostics,
  recurrentJacobians,
  type SeqlikError,
  sharedEigenProduct,
} from '../../src/index.ts';
import { Random } from '../../src/random.ts';
import { expectNear, range, titled } from '../support/models.ts';

const errorOf = (call: () => unknown): SeqlikError => {
  try {
    call();
  } catch (error) {
    return error as SeqlikError;
  }
  throw new Error('nothing was thrown');
};
const repeated = (J: readonly number[], times: number): Float64Array =>
  Float64Array.from({ length: times * J.length }, (_, at) => J[at % J.length]!);
const normals = (n: number, seed: number, scale = 1): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: n }, () => scale * random.normal());
};
/** The Q of a QR factorisation of random numbers, by Gram-Schmidt. */
function orthogonal(n: number, seed: number): number[][] {
  const rows = range(n).map((i) => [...normals(n, seed + i)]);
  for (const [i, row] of rows.entries()) {
    for (let times = 0; times < 2; times++)
      for (const before of rows.slice(0, i)) {
        const dot = row.reduce((s, v, j) => s + v * before[j]!, 0);
        for (const j of range(n)) row[j]! -= dot * before[j]!;
      }
    const size = Math.hypot(...row);
    for (const j of range(n)) row[j]! /= size;
  }
  return rows;
}
const all = { singularValues: true, lyapunov: true } as const;
const digamma = (x: number): number =>
  x < 6
    ? digamma(x + 1) - 1 / x
    : Math.log(x) - 1 / (2 * x) - 1 / (12 * x ** 2) + 1 / (120 * x ** 4) - 1 / (252 * x ** 6);
const trigamma = (x: number): number =>
  x < 6 ? trigamma(x + 1) + 1 / x ** 2 : 1 / x + 1 / (2 * x ** 2) + 1 / (6 * x ** 3) - 1 / (30 * x ** 5);

describe.each(titled)('%s', (_, backend) => {
  describe('values from outside', () => {
    test.each([1, 2, 4])('Newman 1986: independent normal matrices, n = %i', (n) => {
      const K = 20_000;
      const { lyapunov, lyapunovStandardError } = chainDiagnostics(
        { jacobians: normals(K * n * n, 5), size: n },
        { backend, parts: { lyapunov: true } },
      );
      for (const k of range(n)) {
        const exact = 0.5 * (Math.LN2 + digamma((n - k) / 2));
        const error = 0.5 * Math.sqrt(trigamma((n - k) / 2) / K);
        expect(Math.abs(lyapunov![k]! - exact)).toBeLessThan(4 * error);
        expect(lyapunovStandardError![k]! / error).toBeGreaterThan(0.5);
        expect(lyapunovStandardError![k]! / error).toBeLessThan(2);
      }
    });
    test('the cat map', () => {
      const exact = Math.log((3 + Math.sqrt(5)) / 2);
      const chain = { jacobians: repeated([2, 1, 1, 1], 200), size: 2 };
      const { lyapunov, lyapunovStandardError } = chainDiagnostics(chain, { backend, discard: 50 });
      expectNear([...lyapunov!], [exact, -exact], 1e-10);
      expect(Math.max(...lyapunovStandardError!)).toBeLessThan(1e-12);
      expect(chainDiagnostics(chain, { backend }).lyapunov![0]).toBeCloseTo(0.961615, 6); // with the transient
    });
    test('the Hénon map: the sum of the exponents is log 0.3', () => {
      let [x, y] = [0.1, 0.1];
      const J: number[] = [];
      for (let t = 0; t < 20_000; t++) {
        J.push(-2.8 * x, 1, 0.3, 0);
        [x, y] = [1 - 1.4 * x * x + y, 0.3 * x];
      }
      const { lyapunov } = chainDiagnostics({ jacobians: Float64Array.from(J), size: 2 }, { backend, discard: 100 });
      expect(Math.abs(lyapunov![0]! + lyapunov![1]! - Math.log(0.3))).toBeLessThan(1e-12);
      expect(lyapunov![0]).toBeCloseTo(0.419, 2);
    });
    test.each([0.5, 1, 3])('%f times orthogonal', (c) => {
      const n = 5;
      const J = orthogonal(n, 3)
        .flat()
        .map((v) => c * v);
      const found = chainDiagnostics({ jacobians: repeated(J, 60), size: n }, { backend, parts: all });
      expectNear(
        [...found.logFrobenius],
        range(60).map((t) => (t + 1) * Math.log(c) + 0.5 * Math.log(n)),
        1e-12,
      );
      expectNear([...found.lyapunov!], Array(n).fill(Math.log(c)), 1e-13);
      expectNear([...found.logSingularValues!], Array(n).fill(60 * Math.log(c)), 1e-11);
      expect(found.regime).toBe(c < 1 ? 'vanishing' : c > 1 ? 'exploding' : 'stable');
      expect(Math.abs(found.logNormRate - Math.log(c))).toBeLessThan(1e-13);
    });
    test('a random tanh network against mean-field theory', () => {
      const [n, g, steps] = [300, 2, 1000];
      const W = normals(n * n, 11, g / Math.sqrt(n));
      // h' = W tanh(h) has the Jacobians W diag(1 - tanh²) of the layer tanh(W h) but for a similarity
      const zero = new Float64Array(n);
      const layer = {
        W,
        U: zero,
        b: zero,
        x: new Float64Array(steps),
        h0: normals(n, 12),
        activation: 'tanh',
      } as const;
      const { slopes } = recurrentJacobians(layer, { backend });
      const { lyapunov } = chainDiagnostics({ W, slopes }, { backend, parts: { lyapunov: 1 }, discard: 200 });
      expect(lyapunov).toHaveLength(1);
      expect(Math.abs(lyapunov![0]! - 0.154724)).toBeLessThan(0.03);
    });
  });

  describe('identities', () => {
    const sizes = fc.record({
      n: fc.integer({ min: 1, max: 9 }),
      K: fc.integer({ min: 1, max: 12 }),
      seed: fc.nat(1000),
    });
    test('{ W, slopes } is the chain of its Jacobians', () =>
      fc.assert(
        fc.property(sizes, ({ n, K, seed }) => {
          const W = normals(n * n, seed);
          const slopes = normals(K * n, seed + 1).map((v, i) => (i % n ? Math.max(v, 0) : v)); // not all at once
          const jacobians = Float64Array.from(
            { length: K * n * n },
            (_, at) => slopes[Math.floor(at / n)]! * W[at % (n * n)]!,
          );
          const options = { backend, parts: { lyapunov: true } };
          const [a, b] = [chainDiagnostics({ W, slopes }, options), chainDiagnostics({ jacobians, size: n }, options)];
          expectNear([...a.logFrobenius], [...b.logFrobenius], 1e-10);
          const g = normals((K + 1) * n, seed + 2);
          const [c, d] = [
            backpropagate({ W, slopes }, g, { backend }),
            backpropagate({ jacobians, size: n }, g, { backend }),
          ];
          expectNear([...c.adjoint], [...d.adjoint], 1e-10);
        }),
        { numRuns: 30 },
      ));
    test('the sum of log R and of the log singular values is log |det|', () =>
      fc.assert(
        fc.property(sizes, ({ n, K, seed }) => {
          const found = chainDiagnostics({ jacobians: normals(K * n * n, seed), size: n }, { backend, parts: all });
          const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
          expectNear([sum(found.logR!)], [sum(found.logSingularValues!)], 1e-8);
          const frobenius = 0.5 * Math.log(found.logSingularValues!.reduce((s, v) => s + Math.exp(2 * v), 0));
          expectNear([frobenius], [found.logFrobenius[K - 1]!], 1e-9);
        }),
        { numRuns: 30 },
      ));
    test('backpropagation is the transposed product, and f32 is close to f64', () => {
      const [n, K] = [6, 9];
      const W = normals(n * n, 1, 1 / Math.sqrt(n));
      const layer = {
        W,
        U: normals(n * 2, 2),
        b: normals(n, 3),
        x: normals(2 * K, 4),
        h0: normals(n, 5),
        activation: 'tanh',
      } as const;
      const { h, slopes, J, product, logFrobenius } = recurrentJacobians(layer, { backend });
      expect(h).toHaveLength((K + 1) * n);
      const g = new Float64Array((K + 1) * n);
      g.set(normals(n, 6), K * n);
      const { adjoint, logNorm } = backpropagate({ W, slopes }, g, { backend });
      for (const j of range(n))
        expectNear([adjoint[j]!], [range(n).reduce((s, i) => s + product[i * n + j]! * g[K * n + i]!, 0)], 1e-12);
      expectNear([logNorm[0]!], [Math.log(Math.hypot(...adjoint.subarray(0, n)))], 1e-12);
      expectNear([logFrobenius[K - 1]!], [Math.log(Math.hypot(...product))], 1e-12);
      expectNear([...backpropagate({ jacobians: J, size: n }, g, { backend }).adjoint], [...adjoint], 1e-12);
      const single = backpropagate({ W, slopes }, Float32Array.from(g), { backend }).adjoint;
      expect(single).toBeInstanceOf(Float32Array);
      expectNear([...single], [...adjoint], 1e-4);
    });
    test('the k largest exponents are the first of all', () => {
      const chain = { jacobians: normals(40 * 49, 8), size: 7 };
      const [some, every] = [3, true].map((lyapunov) => chainDiagnostics(chain, { backend, parts: { lyapunov } }));
      expectNear([...some!.lyapunov!], [...every!.lyapunov!.subarray(0, 3)], 1e-11);
      expect(every).not.toHaveProperty('logSingularValues');
      expect(chainDiagnostics(chain, { backend, parts: {} })).not.toHaveProperty('lyapunov');
    });
  });

  describe('extremes', () => {
    test('a dead chain of relu gives -Infinity, and no NaN', () => {
      const n = 4;
      const slopes = new Float64Array(6 * n).fill(1);
      slopes.fill(0, 2 * n, 3 * n);
      const found = chainDiagnostics({ W: normals(n * n, 2), slopes }, { backend, parts: all });
      expect([...found.logFrobenius.subarray(2)]).toEqual(Array(4).fill(Number.NEGATIVE_INFINITY));
      expect(Number.isFinite(found.logFrobenius[1])).toBe(true);
      for (const values of [found.logR!, found.lyapunov!, found.logSingularValues!])
        expect([...values]).toEqual(Array(n).fill(Number.NEGATIVE_INFINITY));
      expect(found).toMatchObject({ logNormRate: Number.NEGATIVE_INFINITY, regime: 'vanishing' });
      const { logNorm } = backpropagate({ W: normals(n * n, 2), slopes }, normals(7 * n, 4).fill(0, 0, 6 * n), {
        backend,
      });
      expect(logNorm[0]).toBe(Number.NEGATIVE_INFINITY);
    });
    test('half of the units at work: as many exponents are finite', () => {
      const n = 6;
      const slopes = Float64Array.from({ length: 30 * n }, (_, at) => Number(at % 2));
      const { lyapunov } = chainDiagnostics({ W: normals(n * n, 2), slopes }, { backend });
      expect(lyapunov!.map((v) => Number(Number.isFinite(v)))).toEqual(Float64Array.of(1, 1, 1, 0, 0, 0));
    });
    test.each([1e-300, 1e-80, 1e80, 1e300])('matrices of the size of %d', (size) => {
      const [n, K] = [3, 50];
      const plain = normals(K * n * n, 9);
      const want = chainDiagnostics({ jacobians: plain, size: n }, { backend, parts: all });
      const found = chainDiagnostics({ jacobians: plain.map((v) => v * size), size: n }, { backend, parts: all });
      const shift = Math.log(size);
      const near = (a: Float64Array, b: Float64Array, by: (i: number) => number): void =>
        expectNear([...a], [...b.map((v, i) => v + by(i))], 1e-9);
      near(found.logFrobenius, want.logFrobenius, (t) => (t + 1) * shift);
      near(found.lyapunov!, want.lyapunov!, () => shift);
      near(found.logSingularValues!, want.logSingularValues!, () => K * shift);
      const slopes = normals(K * n, 3);
      const W = plain.subarray(0, n * n);
      const [small, large] = [slopes, slopes.map((v) => v * size)].map((s) =>
        chainDiagnostics({ W, slopes: s }, { backend }),
      );
      near(large!.logFrobenius, small!.logFrobenius, (t) => (t + 1) * shift);
    });
    test('one unit of a step is small beyond the range of squares', () => {
      const jacobians = repeated([1, 0, 0, 1e-250], 30);
      const found = chainDiagnostics({ jacobians, size: 2 }, { backend, parts: all });
      expectNear([...found.lyapunov!], [0, Math.log(1e-250)], 1e-9);
      expectNear([...found.logSingularValues!], [0, 30 * Math.log(1e-250)], 1e-9);
    });
    test('10,000 steps in f32', () => {
      const n = 8;
      const slopes = Float32Array.from(normals(10_000 * n, 1)).map((v, i) => Number(v > 0 || i % n === 0));
      const W = normals(n * n, 2);
      const [a, b] = [slopes, Float64Array.from(slopes)].map((s) =>
        chainDiagnostics({ W, slopes: s }, { backend, parts: {} }),
      );
      expect(Math.abs(a!.logNormRate - b!.logNormRate)).toBeLessThan(1e-5);
    });
    test('eigenvalues that overflow make no NaN', () => {
      const { eigenvalues, product, logAbs } = sharedEigenProduct(
        [
          [1, 0],
          [1, 1],
        ],
        repeated([1e200, 0], 3),
      );
      expect([...eigenvalues]).toEqual([Number.POSITIVE_INFINITY, 0]);
      expect([...product].some(Number.isNaN)).toBe(false);
      expectNear([logAbs[0]!], [600 * Math.LN10], 1e-10);
    });
    test('an empty chain backpropagates what it is given', () => {
      const empty = { jacobians: new Float64Array(0), size: 2 };
      expect([...backpropagate(empty, [1, 2], { backend }).adjoint]).toEqual([1, 2]);
      expect([...backpropagate({ W: [1, 2, 3, 4], slopes: new Float64Array(0) }, [1, 2], { backend }).adjoint]).toEqual(
        [1, 2],
      );
    });
  });

  describe('errors', () => {
    const one = { jacobians: Float64Array.of(1, 0, 0, 1), size: 2 };
    const nan = { jacobians: Float64Array.of(1, 0, 0, 1, 1, Number.NaN, 0, 1), size: 2 };
    const cases: readonly [string, () => unknown, object][] = [
      [
        'no step',
        () => chainDiagnostics({ jacobians: new Float64Array(0), size: 2 }),
        { code: 'EMPTY_INPUT', argument: 'chain.jacobians' },
      ],
      [
        'no slopes',
        () => chainDiagnostics({ W: [1], slopes: new Float64Array(0) }),
        { code: 'EMPTY_INPUT', argument: 'chain.slopes' },
      ],
      [
        'a NaN, whose step is named',
        () => chainDiagnostics(nan),
        { code: 'NON_FINITE', argument: 'chain.jacobians', row: 1, column: 1 },
      ],
      [
        'an infinite slope',
        () => chainDiagnostics({ W: [1], slopes: Float64Array.of(1, Infinity) }),
        { code: 'NON_FINITE', argument: 'chain.slopes', row: 1 },
      ],
      [
        'an infinite weight',
        () => chainDiagnostics({ W: [Infinity], slopes: Float64Array.of(1) }),
        { code: 'NON_FINITE', argument: 'chain.W' },
      ],
      [
        'another size',
        () => chainDiagnostics({ ...one, size: 3 }),
        { code: 'DIMENSION_MISMATCH', argument: 'chain.jacobians' },
      ],
      [
        'W that is not square',
        () => chainDiagnostics({ W: [1, 2], slopes: Float64Array.of(1) }),
        { code: 'DIMENSION_MISMATCH', argument: 'chain.W' },
      ],
      ['neither form', () => chainDiagnostics({} as Chain), { code: 'INVALID_ARGUMENT', argument: 'chain' }],
      [
        'both forms',
        () => chainDiagnostics({ ...one, W: [1], slopes: Float64Array.of(1) } as Chain),
        { code: 'INVALID_ARGUMENT', argument: 'chain' },
      ],
      [
        'more exponents than units',
        () => chainDiagnostics(one, { parts: { lyapunov: 3 } }),
        { code: 'INVALID_ARGUMENT', argument: 'parts.lyapunov' },
      ],
      ['nothing left', () => chainDiagnostics(one, { discard: 1 }), { code: 'INVALID_ARGUMENT', argument: 'discard' }],
      ['g of other length', () => backpropagate(one, [1, 2]), { code: 'DIMENSION_MISMATCH', argument: 'g' }],
      [
        'an adjoint that overflows',
        () => backpropagate({ jacobians: repeated([1e200], 2), size: 1 }, [0, 0, 1]),
        { code: 'NON_FINITE', argument: 'chain', row: 0 },
      ],
      [
        'eigenvectors without inverse',
        () =>
          sharedEigenProduct(
            [
              [1, 1],
              [1, 1],
            ],
            [[1, 1]],
          ),
        { code: 'INVALID_ARGUMENT', argument: 'V' },
      ],
      [
        'lambda of another size',
        () =>
          sharedEigenProduct(
            [
              [1, 0],
              [0, 1],
            ],
            [[1]],
          ),
        { code: 'DIMENSION_MISMATCH', argument: 'lambda' },
      ],
      [
        'an unknown activation',
        () => recurrentJacobians({ activation: 'gelu' } as never),
        { code: 'INVALID_ARGUMENT', argument: 'activation' },
      ],
      [
        'a state that overflows',
        () => recurrentJacobians({ W: [1e200], U: [1e200], b: [0], x: [1, 1, 1], h0: [0], activation: 'relu' }),
        { code: 'NON_FINITE', argument: 'x', row: 1 },
      ],
    ];
    test.each(cases)('%s', (_, call, fields) => expect(errorOf(call)).toMatchObject(fields));
  });
});
