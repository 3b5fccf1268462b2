import { describe, expect, test } from 'vitest';
import { type CovarianceType, GaussianMixture, type MixtureParameters, type Real } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  type Component,
  covarianceTypes,
  type Dense,
  dot,
  drawMixture,
  drawRows,
  epsilon,
  expectBits,
  expectNear,
  expectSlope,
  f32,
  f64,
  flat,
  logTextbook,
  matrix,
  once,
  type Row,
  range,
  refusal,
  rowsOf,
  sum,
  textbook,
  titled,
  tolerance,
} from '../support/models.ts';

type Parameters = MixtureParameters & { readonly weights: Row; readonly means: Dense };

/** Rows, and what the textbook says of them. */
const expected = once(([type, d, k]: readonly [CovarianceType, number, number]) => {
  const { parameters, components } = drawMixture(type, d, k, 7 * d);
  const each = textbook(components);
  const batches = (d === 5 ? [0, 1, 5, 127, 128, 129, 300] : [0, 1, 5, 129]).flatMap((n) =>
    [f64, f32].map((array) => {
      const x = array(drawRows(components, n, n));
      const densities = rowsOf(x, d).map(each);
      const log = densities.map((p) => Math.log(sum(p)));
      return { x, log, shares: densities.flatMap((p) => p.map((v) => v / sum(p))), off: tolerance(components, x) };
    }),
  );
  return { parameters, batches };
});

describe.each(titled)('GaussianMixture on %s', (_, backend) => {
  const on = { backend };
  const make = (parameters: MixtureParameters): GaussianMixture => new GaussianMixture(parameters, on);

  describe.each(covarianceTypes)('%s', (type) => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33].map((d, i) => [d, (i % 7) + 1] as const);
    test.each(sizes)('scores and shares out rows as the textbook does, d = %i, k = %i', (d, k) => {
      const { parameters, batches } = expected([type, d, k]);
      const model = make(parameters);
      for (const { x, log, shares, off } of batches) {
        const got = model.logDensity(x);
        const r = model.responsibilities(x);
        expect([got.constructor, r.constructor]).toEqual([x.constructor, x.constructor]);
        expectNear(got, log, (want) => off(want));
        // a share is the exponential of a difference
        expectNear(r, shares, (share, i) => off(log[Math.floor(i / k)]!) + off(Math.log(share || 1e-300)));
        expectNear(
          rowsOf(r, k).map(sum),
          log.map(() => 1),
          k * epsilon(x) * 2,
        );
      }
      model.dispose();
    });
    test('its loss and gradient: sums of the textbook and its slopes', () => {
      for (const [d, k, n] of [
        [1, 1, 1],
        [2, 3, 40],
        [3, 2, 130],
        [9, 2, 20],
      ] as const) {
        const { parameters, components } = drawMixture(type, d, k, d);
        const x = drawRows(components, n, 3);
        const random = uniform(d);
        const { weights, means, covariances } = parameters as Parameters;
        const { loss, ...got } = make(parameters).lossGradient(f64(x));
        expect(Object.values(got).map((g) => g.length)).toEqual([
          k,
          k * d,
          { full: k * d * d, tied: d * d, diagonal: k * d, spherical: k }[type],
        ]);
        expectNear([loss], [-sum(x.map(logTextbook(components)))], (v) => 1e-13 * (n + Math.abs(v)));
        const lossOf = (change: Partial<MixtureParameters>): number =>
          -make({ ...parameters, ...change }).logLikelihood(f64(x));
        const free = (w: Row) => components.map((component, c) => ({ ...component, weight: w[c]! }));
        for (const _ of range(2)) {
          const w = weights.map(random);
          const m = means.map((row) => row.map(random));
          expectSlope(
            got.dWeights,
            w.map((v) => v / 10),
            (t) => -sum(x.map(logTextbook(free(weights.map((v, c) => v + (t / 10) * w[c]!))))),
          );
          expectSlope(got.dMeans, flat(m), (t) =>
            lossOf({ means: means.map((row, c) => row.map((v, j) => v + t * m[c]![j]!)) }),
          );
          const flatten = (v: unknown): number[] => (v as number[]).flat(3);
          const S = flatten(covariances);
          const D = S.map(() => random() / 5);
          if (type === 'full' || type === 'tied')
            D.forEach((_, at) => {
              // symmetric, as a covariance has to be
              const i = Math.floor(at / d) % d;
              const j = at % d;
              if (i < j)
                D[at] = D[at - (at % (d * d)) + j * d + i] = (D[at]! + D[at - (at % (d * d)) + j * d + i]!) / 2;
            });
          expectSlope(got.dCovariances, D, (t) => lossOf({ covariances: S.map((v, i) => v + t * D[i]!) }));
        }
        // Euler: log p is homogeneous of degree 1 in free weights
        expectNear([dot(got.dWeights, weights)], [-n], 1e-12 * n);
        const single = make(parameters).lossGradient(f32(x));
        for (const [a, b] of [
          [single.dMeans, got.dMeans],
          [single.dCovariances, got.dCovariances],
          [single.dWeights, got.dWeights],
        ] as const) {
          expect(a).toBeInstanceOf(Float64Array);
          expectNear(a, b, 2e-4 * Math.max(...b.map(Math.abs), 1));
        }
        const nothing = make(parameters).lossGradient([]);
        expect(nothing.loss).toBe(0);
        for (const zero of [nothing.dWeights, nothing.dMeans, nothing.dCovariances])
          expect(zero.every((g) => g === 0)).toBe(true);
      }
    });
    test('a component of weight 0 has no gradient but that of its weight', () => {
      const { parameters, components } = drawMixture(type, 2, 2, 5);
      const x = drawRows(components.slice(0, 1), 50, 3);
      const weights = [1, 0];
      const got = make({ ...parameters, weights }).lossGradient(f64(x));
      const [one, other] = components.map((component) => logTextbook([{ ...component, weight: 1 }]));
      const ratio = sum(x.map((row) => Math.exp(other!(row) - one!(row)))); // what a first bit of weight would bring
      expectNear([got.dWeights[1]!], [-ratio], 1e-12 * ratio);
      expectNear([got.dWeights[0]!], [-50], 1e-12);
      expect([...got.dMeans.subarray(2)].map(Math.abs)).toEqual([0, 0]);
      if (type === 'full' || type === 'diagonal') {
        const half = got.dCovariances.length / 2;
        expect(got.dCovariances.subarray(half).every((g) => g === 0)).toBe(true);
      }
    });
    test('its density is 1 in all, on a line and on a plane', () => {
      for (const [d, h, reach] of [
        [1, 0.05, 12],
        [2, 0.2, 10],
      ] as const) {
        const model = make(drawMixture(type, d, 3, 2).parameters);
        const n = Math.round((2 * reach) / h) + 1;
        const at = (i: number): number => -reach + i * h;
        const x = f64(
          d === 1 ? range(n).map((i) => [at(i)]) : range(n * n).map((i) => [at(Math.floor(i / n)), at(i % n)]),
        );
        expectNear([sum([...model.logDensity(x)].map(Math.exp)) * h ** d], [1], 1e-12);
      }
    });
    test('draws with its mean and covariance and shares, the same for the same seed', () => {
      const { parameters, components } = drawMixture(type, 2, 3, 12);
      const model = make(parameters);
      const n = 10_000;
      const x = model.sample(n, { seed: 3 });
      const mean = range(2).map((i) => sum(components.map((c) => c.weight * c.mean[i]!)));
      const second = (i: number, j: number): number =>
        sum(
          components.map((c) => c.weight * (c.covariance[i]![j]! + (c.mean[i]! - mean[i]!) * (c.mean[j]! - mean[j]!))),
        );
      const rows = rowsOf(x, 2);
      const moment = (f: (row: number[]) => number): number => sum(rows.map(f)) / n;
      for (const i of range(2)) {
        expectNear([moment((row) => row[i]!)], [mean[i]!], 5 * Math.sqrt(second(i, i) / n));
        for (const j of range(i + 1)) {
          // a fourth moment of a mixture is at most a few times that of one Gaussian
          const got = moment((row) => (row[i]! - mean[i]!) * (row[j]! - mean[j]!));
          expectNear([got], [second(i, j)], 10 * Math.sqrt((second(i, i) * second(j, j)) / n));
        }
      }
      const r = model.responsibilities(x);
      for (const [c, { weight }] of components.entries())
        expectNear([sum(range(n).map((i) => r[i * 3 + c]!)) / n], [weight], 5 * Math.sqrt(0.25 / n));
      expectBits(model.sample(n, { seed: 3 }), x);
      expectBits(model.sample(10), model.sample(10, { seed: 0 }));
      expect(model.sample(10, { seed: 4 })).not.toEqual(model.sample(10, { seed: 3 }));
      expect(model.sample(0)).toEqual(new Float64Array(0));
    });
  });

  test('a component of weight 0 is never drawn', () => {
    const x = make({
      weights: [0, 1, 0],
      means: [-1e6, 0, 1e6],
      covariances: [1, 1, 1],
      covarianceType: 'spherical',
    }).sample(2000, { seed: 9 });
    expect(x.every((v) => Math.abs(v) < 10)).toBe(true);
  });
  test('of two equal components classify takes the first', () => {
    const twins = make({ weights: [0.5, 0.5], means: [0, 0], covariances: [1, 1], covarianceType: 'spherical' });
    expect([...twins.classify([0, 1, -5, 1e100])]).toEqual([0, 0, 0, 0]);
    expect(twins.classify([])).toEqual(new Int32Array(0));
  });

  test('out is filled and returned, equal to what would be allocated', () => {
    const { parameters, components } = drawMixture('full', 3, 2, 1);
    const model = make(parameters);
    for (const x of [f64(drawRows(components, 130, 1)), f32(drawRows(components, 130, 1))]) {
      const out = (x instanceof Float32Array ? new Float32Array(132) : new Float64Array(132)).subarray(1, -1);
      expect(model.logDensity(x, { out })).toBe(out);
      expectBits(out.slice(), model.logDensity(x));
    }
  });
  test('nothing returned is overwritten by a later call', () => {
    const { parameters, components } = drawMixture('full', 2, 2, 1);
    const model = make(parameters);
    const [x, y] = [f64(drawRows(components, 9, 1)), f64(drawRows(components, 9, 2))];
    const all = (data: Real) => [
      model.logDensity(data),
      model.responsibilities(data),
      model.classify(data),
      model.lossGradient(data),
      model.sample(3),
    ];
    const first = all(x);
    const kept = structuredClone(first);
    all(y);
    expect(first).toEqual(kept);
  });
  test('parameters are a fresh copy: neither they nor what the caller gave reach the model', () => {
    const given = {
      weights: Float64Array.of(0.25, 0.75),
      means: [
        [0, 1],
        [2, 3],
      ],
      covariances: Float64Array.of(1, 2, 3, 4),
      covarianceType: 'diagonal' as const,
    };
    const model = make(given);
    const x = f64([
      [0, 1],
      [2, 2],
    ]);
    const want = model.logDensity(x);
    const { parameters } = model;
    const kept = structuredClone(parameters);
    expect(parameters).toEqual({ ...given, means: Float64Array.of(0, 1, 2, 3) });
    for (const array of [
      given.weights,
      given.means[0]!,
      given.covariances,
      parameters.weights,
      parameters.means,
      parameters.covariances,
    ])
      array.fill(9);
    expect(model.parameters).toEqual(kept);
    expectBits(model.logDensity(x), want);
    expectNear(
      model.logDensity(
        f32([
          [0, 1],
          [2, 2],
        ]),
      ),
      want,
      1e-5,
    );
    expectBits(model.sample(4), make(kept).sample(4));
    for (const type of covarianceTypes) {
      const { parameters } = drawMixture(type, 2, 3, 1);
      const again = make(make(parameters).parameters);
      expectBits(again.logDensity(x), make(parameters).logDensity(x));
      expect(again.parameters).toEqual(make(parameters).parameters);
    }
  });
  test('says what it is; full is what is meant without a type', () => {
    const {
      kind,
      dimension,
      componentCount,
      covarianceType,
      backend: own,
    } = make({
      weights: [1],
      means: [[0, 0]],
      covariances: [
        [
          [1, 0],
          [0, 1],
        ],
      ],
    });
    expect({ kind, dimension, componentCount, covarianceType }).toEqual({
      kind: 'gaussian-mixture',
      dimension: 2,
      componentCount: 1,
      covarianceType: 'full',
    });
    expect(own).toBe(backend);
  });
  test('flat and nested parameters and points say the same', () => {
    const { parameters, components } = drawMixture('full', 2, 3, 4);
    const rows = drawRows(components, 5, 1);
    const want = make(parameters).logDensity(f64(rows));
    const same = make({
      weights: Float64Array.from(parameters.weights),
      means: (parameters.means as Dense).flat(),
      covariances: (parameters.covariances as number[]).flat(3),
    });
    for (const x of [rows, rows.flat(), f64(rows)]) expectBits(same.logDensity(x), want);
  });
  test('disposed it refuses to score, as often as one likes', () => {
    const { parameters } = drawMixture('full', 2, 2, 1);
    const model = make(parameters);
    const other = make(parameters);
    const x = [
      [0, 0],
      [1, 1],
    ];
    const want = other.logDensity(x);
    model.logDensity(x);
    model.dispose();
    model.dispose();
    for (const call of [
      () => model.logDensity(x),
      () => model.responsibilities(x),
      () => model.classify(x),
      () => model.logLikelihood(x),
      () => model.lossGradient(x),
    ])
      expect(refusal(call)).toMatchObject({ code: 'DISPOSED', message: 'this gaussian-mixture was disposed' });
    expectBits(other.logDensity(x), want);
    if (Symbol.dispose) (other as unknown as Record<symbol, () => void>)[Symbol.dispose]!();
    else other.dispose();
    expect(refusal(() => other.logDensity(x))).toMatchObject({ code: 'DISPOSED' });
  });
});

test('the oracle itself: one standard normal, and two far apart', () => {
  const normal: Component = { weight: 1, mean: [0], covariance: [[1]] };
  expectNear([logTextbook([normal])([2])], [-0.5 * Math.log(2 * Math.PI) - 2], 1e-15);
  const two = [
    {
      weight: 0.25,
      mean: [0, 0],
      covariance: [
        [2, 1],
        [1, 2],
      ],
    },
    { weight: 0.75, mean: [50, 50], covariance: matrix(2, 2, (i, j) => Number(i === j)) },
  ];
  expectNear([logTextbook(two)([1, -1])], [Math.log(0.25 / (2 * Math.PI * Math.sqrt(3))) - 1], 1e-14);
});
