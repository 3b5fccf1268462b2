/** Rows with gaps, on every backend: the density of what was observed, however a gap is announced. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Gaps, Gaussian, GaussianMixture, type MixtureParameters, type Real } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  type Component,
  covarianceTypes,
  drawMixture,
  drawRows,
  expectBits,
  expectNear,
  f32,
  f64,
  logTextbook,
  part,
  range,
  refusal,
  sum,
  textbook,
  titled,
  tolerance,
} from '../support/models.ts';

const shapes = fc.record({
  type: fc.constantFrom(...covarianceTypes),
  d: fc.integer({ min: 1, max: 5 }),
  k: fc.integer({ min: 1, max: 4 }),
  n: fc.integer({ min: 1, max: 60 }),
  seed: fc.nat(2 ** 31 - 1),
  single: fc.boolean(),
  observed: fc.constantFrom(0.1, 0.5, 0.9),
});
/** NaN where the mask is 0, or whatever `hidden` says. */
const hide = <R extends Real>(x: R, mask: Uint8Array, hidden: (i: number) => number = () => NaN): R =>
  x.map((v, i) => (mask[i] ? v : hidden(i))) as R;
const drawMask = (length: number, observed: number, seed: number): Uint8Array => {
  const random = uniform(seed);
  return Uint8Array.from({ length }, () => Number((random() + 1) / 2 < observed));
};
const dimsOf = (mask: Uint8Array, i: number, d: number): number[] => range(d).filter((j) => mask[i * d + j]);

describe.each(titled)('gaps on %s', (_, backend) => {
  const on = { backend };
  const make = (parameters: MixtureParameters): GaussianMixture => new GaussianMixture(parameters, on);
  const full = (components: readonly Component[]): MixtureParameters => ({
    weights: components.map((c) => c.weight),
    means: components.map((c) => c.mean),
    covariances: components.map((c) => c.covariance),
    covarianceType: 'full',
  });

  test('a row has the density and the shares of its observed coordinates under the marginal, built by hand', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed, single, observed }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const mask = drawMask(n * d, observed, seed);
        const x = (single ? f32 : f64)(drawRows(components, n, seed));
        const given = hide(x, mask);
        const log = model.logDensity(given, { missing: 'nan' });
        const r = model.responsibilities(given, { missing: 'nan' });
        expect([log.constructor, r.constructor]).toEqual([x.constructor, x.constructor]);
        for (const i of range(n)) {
          const dims = dimsOf(mask, i, d);
          const seen = dims.map((j) => x[i * d + j]!);
          const mine = r.subarray(i * k, (i + 1) * k);
          const own = part(components, dims);
          if (dims.length === 0) {
            expect(log[i]).toBe(0);
            expectBits(mine.slice(), (single ? Float32Array : Float64Array).from(parameters.weights as number[]));
            continue;
          }
          const off = tolerance(own, x);
          const each = textbook(own)(seen);
          const want = Math.log(sum(each));
          expectNear([log[i]!], [want], off);
          expectNear(
            mine,
            each.map((p) => p / sum(each)),
            (share) => off(want) + off(Math.log(share || 1e-300)),
          );
          const marginal = make(full(own));
          const points = (single ? f32 : f64)([seen]);
          if (type === 'full' || type === 'tied') expectBits(log.slice(i, i + 1), marginal.logDensity(points));
          else expectNear([log[i]!], marginal.logDensity(points), off);
        }
        expect(model.logLikelihood(given, { missing: 'nan' })).toBe(sum(log));
        const classes = range(n).map((i) =>
          range(k).reduce((best, c) => (r[i * k + c]! > r[i * k + best]! ? c : best), 0),
        );
        expect([...model.classify(given, { missing: 'nan' })]).toEqual(classes);
      }),
    ));
  test('a Gaussian does so too, by covariance, by factor and by variances', () => {
    const mean = [1, -2, 0.5];
    const cholesky = [
      [2, 0, 0],
      [-1, 0.5, 0],
      [0.25, 3, 1],
    ];
    const variances = [2, 3, 0.5];
    const covariance = cholesky.map((a) => cholesky.map((b) => sum(a.map((v, p) => v * b[p]!))));
    const diagonal = variances.map((v, i) => variances.map((_, j) => (i === j ? v : 0)));
    for (const [parameters, S] of [
      [{ mean, covariance }, covariance],
      [{ mean, cholesky }, covariance],
      [{ mean, variances }, diagonal],
    ] as const) {
      const components = [{ weight: 1, mean, covariance: S }];
      const x = f64(drawRows(components, 8, 4));
      const mask = Uint8Array.from({ length: 24 }, (_, i) => (Math.floor(i / 3) >> (i % 3)) & 1);
      const log = new Gaussian(parameters, on).logDensity(hide(x, mask), { missing: 'nan' });
      for (const i of range(8)) {
        const dims = dimsOf(mask, i, 3);
        const own = part(components, dims);
        expectNear(
          [log[i]!],
          [dims.length ? logTextbook(own)(dims.map((j) => x[i * 3 + j]!)) : 0],
          dims.length ? tolerance(own, x) : 0,
        );
      }
    }
  });
  test('a mask and missing: nan give the same bits, and what the mask hides is never read', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed, single, observed }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const mask = drawMask(n * d, observed, seed);
        const x = (single ? f32 : f64)(drawRows(components, n, seed));
        const garbage = [NaN, Infinity, -Infinity, 1e300, -0, 5e-324];
        const nan = hide(x, mask);
        const all = (data: Real, gaps: Gaps) => [
          model.logDensity(data, gaps),
          model.responsibilities(data, gaps),
          Float64Array.of(model.logLikelihood(data, gaps)),
          Float64Array.from(model.classify(data, gaps)),
        ];
        const want = all(nan, { missing: 'nan' });
        for (const data of [nan, x, hide(x, mask, (i) => garbage[i % garbage.length]!)])
          for (const [i, got] of all(data, { mask }).entries()) expectBits(got, want[i]!);
        const out = want[0]!.slice().fill(7);
        expect(model.logDensity(nan, { missing: 'nan', out })).toBe(out);
        expectBits(out, want[0]!);
      }),
    ));
  test('a row with gaps does not depend on the others', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed, observed }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const x = hide(f64(drawRows(components, n, seed)), drawMask(n * d, observed, seed));
        const whole = model.logDensity(x, { missing: 'nan' });
        for (const i of [0, Math.floor(n / 2), n - 1])
          expectBits(model.logDensity(x.subarray(i * d, (i + 1) * d), { missing: 'nan' }), whole.slice(i, i + 1));
      }),
    ));
  test('without a gap nothing changes, whatever was announced', () => {
    const { parameters, components } = drawMixture('full', 3, 2, 1);
    const model = make(parameters);
    const x = f64(drawRows(components, 200, 1));
    for (const gaps of [
      { missing: 'nan' as const },
      { mask: new Uint8Array(600).fill(1) },
      {},
      { missing: undefined, mask: undefined } as unknown as Gaps,
    ]) {
      expectBits(model.logDensity(x, gaps), model.logDensity(x));
      expectBits(model.responsibilities(x, gaps), model.responsibilities(x));
    }
    expectBits(model.logDensity([], { missing: 'nan' }), new Float64Array(0));
    expectBits(model.logDensity([], { mask: new Uint8Array(0) }), new Float64Array(0));
  });
  test('where nothing was observed log p is 0 and the shares are the weights', () => {
    const weights = [0.2, 0.5, 0.3];
    const model = make({
      weights,
      means: [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
      covariances: [1, 2, 3],
      covarianceType: 'spherical',
    });
    for (const [x, gaps] of [
      [[NaN, NaN], { missing: 'nan' as const }],
      [[1e300, Infinity], { mask: new Uint8Array(2) }],
    ] as const) {
      expect(model.logDensity(x, gaps)).toEqual(Float64Array.of(0));
      expect([...model.responsibilities(x, gaps)]).toEqual(weights);
      expect([...model.classify(x, gaps)]).toEqual([1]);
      expect(model.logLikelihood(x, gaps)).toBe(0);
    }
    expect(
      new Gaussian({ mean: [1, 2], variances: [1, 2] }, on).logDensity(Float32Array.of(NaN, NaN), { missing: 'nan' }),
    ).toEqual(Float32Array.of(0));
  });

  const models = [
    new Gaussian({ mean: [0, 0], variances: [1, 1] }, on),
    make({
      weights: [0.5, 0.5],
      means: [
        [0, 0],
        [1, 1],
      ],
      covariances: [1, 1],
      covarianceType: 'spherical',
    }),
  ] as const;
  const calls = models.flatMap((model) =>
    ['logDensity', 'responsibilities', 'classify', 'logLikelihood'].flatMap((name) => {
      const method = (model as unknown as Record<string, ((x: unknown, gaps?: unknown) => unknown) | undefined>)[name];
      const where = `${model.constructor.name}.${name}`;
      return method ? [[where, (x: unknown, gaps?: unknown) => method.call(model, x, gaps)] as const] : [];
    }),
  );
  describe.each(calls)('%s', (where, call) => {
    const refused = (x: unknown, gaps?: unknown) => refusal(() => call(x, gaps));
    test('takes a mask or missing, not both', () =>
      expect(refused([1, 2], { missing: 'nan', mask: new Uint8Array(2) })).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'mask',
        message: `${where}: mask and missing exclude each other`,
      }));
    test('takes a NaN for an error unless gaps were announced, and says where it is', () => {
      const error = refused([
        [1, 2],
        [3, NaN],
      ]);
      expect(error).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 1, column: 1, value: NaN });
      expect(error.message).toBe(`${where}: x is NaN at row 1, column 1; a gap? say missing: 'nan'`);
      expect(refused(Float32Array.of(NaN, 1))).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 0, column: 0 });
    });
    test('takes an infinity for an error even where NaN is a gap', () => {
      for (const value of [Infinity, -Infinity]) {
        const error = refused(
          [
            [1, 2],
            [NaN, 3],
            [4, value],
            [value, 1],
          ],
          { missing: 'nan' },
        );
        expect(error).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 2, column: 1, value });
        expect(error.message).toContain(`x is ${value} at row 2, column 1`);
      }
    });
    test('names the value that is wrong, not a gap beside it', () => {
      expect(
        refused(
          [
            [1, 2],
            [NaN, Infinity],
          ],
          { missing: 'nan' },
        ),
      ).toMatchObject({ code: 'NON_FINITE', row: 1, column: 1, value: Infinity });
      expect(
        refused(
          [
            [1, 2],
            [Infinity, NaN],
          ],
          { mask: Uint8Array.of(1, 1, 0, 1) },
        ),
      ).toMatchObject({ code: 'NON_FINITE', row: 1, column: 1, value: NaN });
    });
    test('reads what the mask shows', () =>
      expect(
        refused(
          [
            [NaN, 2],
            [3, NaN],
          ],
          { mask: Uint8Array.of(0, 1, 1, 1) },
        ),
      ).toMatchObject({ code: 'NON_FINITE', row: 1, column: 1 }));
    test('finds a row too far away by its place in the data', () =>
      expect(
        refused(
          [
            [NaN, 2],
            [3, 4],
            [NaN, 1e200],
            [1, 1],
          ],
          { missing: 'nan' },
        ),
      ).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 2 }));
    test('refuses masks that do not fit and words it does not know', () => {
      for (const mask of [new Uint8Array(1), new Uint8Array(3)])
        expect(refused([1, 2], { mask })).toMatchObject({
          code: 'DIMENSION_MISMATCH',
          argument: 'mask',
          message: `${where}: mask has ${mask.length} value${mask.length === 1 ? '' : 's'}, not 2`,
        });
      for (const mask of [
        null,
        [1, 1],
        'nan',
        new Uint8ClampedArray(2),
        new Int8Array(2),
        new Float64Array(2),
        true,
        {},
      ])
        expect(refused([1, 2], { mask })).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'mask' });
      for (const missing of [null, 'NaN', NaN, true, ['nan'], { nan: true }])
        expect(refused([1, 2], { missing })).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'missing' });
    });
  });
  test('of several rows too far away the first is reported, whatever its gaps', () => {
    const [near, far, gap] = [
      [0, NaN],
      [1e200, 0],
      [1e200, NaN],
    ];
    for (const x of [
      [near, far, gap],
      [near, gap, far],
    ])
      expect(refusal(() => models[0].logDensity(x as number[][], { missing: 'nan' }))).toMatchObject({
        code: 'NON_FINITE',
        row: 1,
      });
  });
  test('a Gaussian by factor has the range of its factor, with gaps too', () => {
    const tiny = new Gaussian(
      {
        mean: [0, 0],
        cholesky: [
          [1e-200, 0],
          [0, 1e-200],
        ],
      },
      on,
    );
    const want = -0.5 * Math.log(2 * Math.PI) + 200 * Math.log(10);
    expectNear(tiny.logDensity([0, NaN], { missing: 'nan' }), [want], 1e-12);
  });
});
