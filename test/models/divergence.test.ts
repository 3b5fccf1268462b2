/** Kullback-Leibler divergences of Gaussians on every backend: textbook, identities, gradients, edges of numbers. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gaussian, type GaussianParameters, klDivergence, klDivergenceGradient } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  type Dense,
  dot,
  drawCovariance,
  expectBits,
  expectNear,
  expectSlope,
  flat,
  invert,
  matrix,
  type Row,
  range,
  sum,
  times,
  titled,
  transpose,
} from '../support/models.ts';

interface Full {
  readonly mean: Row;
  readonly covariance: Dense;
}
interface Diagonal {
  readonly mean: Row;
  readonly variances: Row;
}
const dense = ({ mean, variances }: Diagonal): Full => ({
  mean,
  covariance: matrix(mean.length, mean.length, (i, j) => (i === j ? variances[i]! : 0)),
});
function draw(d: number, seed: number): Full {
  const random = uniform(seed);
  return { mean: range(d).map(() => 2 * random()), covariance: drawCovariance(d, random) };
}
function drawDiagonal(d: number, seed: number): Diagonal {
  const random = uniform(seed);
  return { mean: range(d).map(() => 2 * random()), variances: range(d).map(() => 1 + 0.9 * random()) };
}
/** ½ [ log|Q| - log|P| + tr(Q⁻¹P) + ΔᵀQ⁻¹Δ - d ] */
function textbook(p: Full, q: Full): number {
  const P = invert(p.covariance);
  const Q = invert(q.covariance);
  const y = p.mean.map((m, i) => m - q.mean[i]!);
  const trace = sum(times(Q.inverse, p.covariance).map((row, i) => row[i]!));
  return (
    0.5 *
    (Math.log(Q.determinant / P.determinant) +
      trace +
      dot(
        y,
        y.map((_, i) => dot(y, Q.inverse[i]!)),
      ) -
      y.length)
  );
}
const add = (a: Row, b: Row, t: number): number[] => a.map((v, i) => v + t * b[i]!);
const shapes = fc.record({ d: fc.integer({ min: 1, max: 7 }), seed: fc.nat(2 ** 31 - 1) });
const close = (want: number): number => 4e-15 * (1 + Math.abs(want));

describe.each(titled)('klDivergence on %s', (_, backend) => {
  const on = { backend };
  const kl = (p: GaussianParameters, q: GaussianParameters): number => klDivergence(p, q, on);

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33])('is what the textbook says, d = %i', (d) => {
    const [p, q, v, w] = [draw(d, d), draw(d, 50 + d), drawDiagonal(d, 90 + d), drawDiagonal(d, 70 + d)];
    expectNear(
      [kl(p, q), kl(v, w), kl(p, w), kl(v, q)],
      [textbook(p, q), textbook(dense(v), dense(w)), textbook(p, dense(w)), textbook(dense(v), q)],
      close,
    );
  });
  test('does not care how a covariance is given', () => {
    const cholesky = [
      [1.3, 0],
      [-0.7, 0.4],
    ];
    const covariance = times(cholesky, transpose(cholesky));
    const q = draw(2, 5);
    expectNear([kl({ mean: [1, 2], cholesky }, q)], [kl({ mean: [1, 2], covariance }, q)], 1e-14);
    expectNear([kl(q, { mean: [1, 2], cholesky })], [kl(q, { mean: [1, 2], covariance })], 1e-13);
    const v = drawDiagonal(4, 1);
    const w = drawDiagonal(4, 2);
    expectNear([kl(v, w)], [kl(dense(v), dense(w))], 1e-14);
  });
  test('models stand for their parameters, to the bit; the backend is theirs unless another is named', () => {
    for (const [p, q] of [
      [draw(3, 1), draw(3, 2)],
      [drawDiagonal(3, 1), drawDiagonal(3, 2)],
    ] as const) {
      const P = new Gaussian(p, on);
      const Q = new Gaussian(q, on);
      const want = kl(p, q);
      for (const got of [klDivergence(P, Q), klDivergence(P, q), klDivergence(p, Q), klDivergence(P, q, on)])
        expect(got).toBe(want);
      expect(klDivergenceGradient(P, Q)).toEqual(klDivergenceGradient(p, q, on));
    }
  });
  test('is 0 from a Gaussian to itself, positive to any other', () =>
    fc.assert(
      fc.property(shapes, ({ d, seed }) => {
        for (const [p, q] of [
          [draw(d, seed), draw(d, seed + 1)],
          [drawDiagonal(d, seed), drawDiagonal(d, seed + 1)],
        ] as const) {
          expect(kl(p, p)).toBe(0);
          expect(kl(p, q)).toBeGreaterThan(0);
        }
      }),
    ));
  test('is not changed by an affine map of the space', () =>
    fc.assert(
      fc.property(shapes, ({ d, seed }) => {
        const p = draw(d, seed);
        const q = draw(d, seed + 1);
        const random = uniform(seed);
        const A = matrix(d, d, (i, j) => random() / d + Number(i === j));
        const shift = range(d).map(random);
        const symmetric = (S: number[][]): number[][] =>
          S.map((row, i) => row.map((_, j) => S[Math.max(i, j)]![Math.min(i, j)]!));
        const map = ({ mean, covariance }: Full): Full => ({
          mean: A.map((row, i) => dot(row, mean) + shift[i]!),
          covariance: symmetric(times(times(A, covariance), transpose(A))),
        });
        const { inverse } = invert(A);
        const loss = Math.max(...flat(inverse).map(Math.abs));
        expectNear([kl(map(p), map(q))], [kl(p, q)], (v) => 2e-15 * d * (1 + loss) ** 2 * (1 + v));
      }),
    ));
  test('adds up over independent coordinates', () =>
    fc.assert(
      fc.property(shapes, ({ d, seed }) => {
        const v = drawDiagonal(d, seed);
        const w = drawDiagonal(d, seed + 1);
        const each = range(d).map((j) =>
          kl(
            { mean: [v.mean[j]!], variances: [v.variances[j]!] },
            { mean: [w.mean[j]!], variances: [w.variances[j]!] },
          ),
        );
        expectNear([kl(v, w)], [sum(each)], 1e-15 * (d + 1) * (1 + sum(each)));
      }),
    ));
  test('is the mean of log p - log q over draws from p', () => {
    const p = new Gaussian(draw(3, 3), on);
    const q = new Gaussian(draw(3, 4), on);
    const x = p.sample(20_000, { seed: 1 });
    const [a, b] = [p.logDensity(x), q.logDensity(x)];
    const terms = [...a.map((v, i) => v - b[i]!)];
    const mean = sum(terms) / terms.length;
    const deviation = Math.sqrt(sum(terms.map((t) => (t - mean) ** 2)) / terms.length ** 2);
    expectNear([mean], [klDivergence(p, q)], 5 * deviation);
  });
  test('keeps its digits where the Gaussians are nearly equal', () => {
    for (const step of [1e-3, 1e-6, 1e-9, 1e-12]) {
      expectNear(
        [kl({ mean: [step], variances: [1] }, { mean: [0], variances: [1] })],
        [step ** 2 / 2],
        step ** 2 * 1e-15,
      );
      const t = 1 + step - 1;
      const want = 0.5 * (t ** 2 / 2 - t ** 3 / 3 + t ** 4 / 4); // of variances; log1p errs by t ulp
      expectNear([kl({ mean: [0], variances: [1 + t] }, { mean: [0], variances: [1] })], [want], 3e-16 * t + t ** 5);
      expectNear(
        [kl({ mean: [0], covariance: [1 + t] }, { mean: [0], covariance: [1] })],
        [want],
        3e-16 * t + t ** 5 + 2e-16 * t,
      );
    }
  });
  test('stays finite where variances are nearly 0, nearly infinite, or of very different size', () => {
    for (const [p, q] of [
      [1e-300, 1e300],
      [1e-40, 1],
      [1e-8, 1],
      [1e200, 1e250],
      [1e-200, 1e-250],
      [4e-308, 1],
      [1e8, 1],
      [1e300, 1e100],
    ] as const) {
      const want = 0.5 * (p / q - 1 - (Math.log(p) - Math.log(q)));
      for (const got of [
        kl({ mean: [0], variances: [p] }, { mean: [0], variances: [q] }),
        kl({ mean: [0], covariance: [p] }, { mean: [0], covariance: [q] }),
      ])
        expectNear([got], [want], 1e-13 * want);
    }
    const [near, far] = [
      { mean: [1e150], variances: [1e300] },
      { mean: [-1e150], variances: [1e300] },
    ];
    expectNear([kl(near, far)], [2], 1e-14);
  });
});

describe.each(titled)('klDivergenceGradient on %s', (_, backend) => {
  const on = { backend };
  const symmetric = (d: number, random: () => number): number[][] => {
    const B = matrix(d, d, random);
    return matrix(d, d, (i, j) => (0.3 * (B[i]![j]! + B[j]![i]!)) / 2);
  };
  test.each([1, 2, 3, 5, 8])('full, also packed, is the slope of klDivergence, d = %i', (d) => {
    const p = draw(d, 11 * d);
    const q = draw(d, 13 * d);
    const random = uniform(d);
    const packed = range(d).flatMap((i) => range(i + 1).map((j) => [i, j] as const));
    const got = klDivergenceGradient(p, q, on);
    const { dCovarianceP, dCovarianceQ, dPackedP, dPackedQ } = got;
    expect(Object.keys(got).sort()).toEqual([
      'dCovarianceP',
      'dCovarianceQ',
      'dMeanP',
      'dMeanQ',
      'dPackedP',
      'dPackedQ',
      'kl',
    ]);
    expect(got.kl).toBe(klDivergence(p, q, on));
    expectBits(
      got.dMeanQ,
      got.dMeanP.map((g) => -g),
    );
    for (const [G, P] of [
      [dCovarianceP!, dPackedP!],
      [dCovarianceQ!, dPackedQ!],
    ] as const) {
      for (const [i, j] of packed) expectNear([G[i * d + j]!], [G[j * d + i]!], 1e-13 * (1 + Math.abs(G[i * d + j]!)));
      expectBits(P, Float64Array.from(packed.map(([i, j]) => (i === j ? 1 : 2) * G[i * d + j]!)));
    }
    for (const _ of range(3)) {
      const m = range(d).map(random);
      const S = symmetric(d, random);
      const move = ({ mean, covariance }: Full, a: number, b: number): Full => ({
        mean: add(mean, m, a),
        covariance: covariance.map((row, i) => add(row, S[i]!, b)),
      });
      expectSlope(got.dMeanP, m, (t) => klDivergence(move(p, t, 0), q, on));
      expectSlope(got.dMeanQ, m, (t) => klDivergence(p, move(q, t, 0), on));
      expectSlope(dCovarianceP!, flat(S), (t) => klDivergence(move(p, 0, t), q, on));
      expectSlope(dCovarianceQ!, flat(S), (t) => klDivergence(p, move(q, 0, t), on));
      expectSlope(
        dPackedP!,
        packed.map(([i, j]) => S[i]![j]!),
        (t) => klDivergence(move(p, 0, t), q, on),
      );
      expectSlope(
        dPackedQ!,
        packed.map(([i, j]) => S[i]![j]!),
        (t) => klDivergence(p, move(q, 0, t), on),
      );
    }
  });
  test.each([1, 2, 3, 5, 8])('by variances is the slope of klDivergence, d = %i', (d) => {
    const p = drawDiagonal(d, 3 * d);
    const q = drawDiagonal(d, 5 * d);
    const random = uniform(d);
    const got = klDivergenceGradient(p, q, on);
    expect(Object.keys(got).sort()).toEqual(['dMeanP', 'dMeanQ', 'dVariancesP', 'dVariancesQ', 'kl']);
    expect(got.kl).toBe(klDivergence(p, q, on));
    expectBits(
      got.dMeanQ,
      got.dMeanP.map((g) => -g),
    );
    for (const _ of range(3)) {
      const m = range(d).map(random);
      const v = range(d).map(() => 0.03 * random());
      const moved = ({ mean, variances }: Diagonal, a: number, b: number): Diagonal => ({
        mean: add(mean, m, a),
        variances: add(variances, v, b),
      });
      expectSlope(got.dMeanP, m, (t) => klDivergence(moved(p, t, 0), q, on));
      expectSlope(got.dMeanQ, m, (t) => klDivergence(p, moved(q, t, 0), on));
      expectSlope(got.dVariancesP!, v, (t) => klDivergence(moved(p, 0, t), q, on));
      expectSlope(got.dVariancesQ!, v, (t) => klDivergence(p, moved(q, 0, t), on));
    }
  });
  test('by variances is the diagonal of the full one; mixed and factored ones are full', () => {
    const p = drawDiagonal(4, 1);
    const q = drawDiagonal(4, 2);
    const diagonal = klDivergenceGradient(p, q, on);
    const full = klDivergenceGradient(dense(p), dense(q), on);
    for (const [v, G] of [
      [diagonal.dVariancesP, full.dCovarianceP],
      [diagonal.dVariancesQ, full.dCovarianceQ],
    ] as const)
      expectNear(
        v!,
        range(4).map((i) => G![5 * i]!),
        1e-14,
      );
    expectNear(klDivergenceGradient(p, dense(q), on).dCovarianceQ!, full.dCovarianceQ!, 1e-14);
    const cholesky = [
      [1.3, 0],
      [-0.7, 0.4],
    ];
    const r = draw(2, 5);
    const factored = klDivergenceGradient({ mean: [1, 2], cholesky }, r, on);
    expectNear(
      factored.dCovarianceP!,
      klDivergenceGradient({ mean: [1, 2], covariance: times(cholesky, transpose(cholesky)) }, r, on).dCovarianceP!,
      1e-12,
    );
  });
  test('vanishes where the Gaussians are the same', () => {
    for (const p of [draw(3, 1), drawDiagonal(3, 1)])
      for (const [name, value] of Object.entries(klDivergenceGradient(p, p, on)))
        if (name !== 'kl')
          expectNear(
            value as Float64Array,
            [...(value as Float64Array)].map(() => 0),
            1e-14,
          );
  });
});
