/** MixtureDensity against mixtures and Gaussians, its gradients against slopes, its draws, and its errors. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contract } from '../../src/contract.ts';
import {
  Gaussian,
  GaussianMixture,
  MixtureDensity,
  type MixtureDensityShape,
  openBackend,
  type Points,
  type Real,
} from '../../src/index.ts';
import { type Mapping, mappings } from '../../src/models/density/mapping.ts';
import { draw, uniform } from '../support/cases.ts';
import { expectBits, expectNear, expectSlope, hasNative, range, refusal, sum, titled } from '../support/models.ts';

interface Sizes {
  readonly mapping: Mapping;
  readonly n: number;
  readonly d: number;
  readonly k: number;
  readonly q: number;
  readonly seed: number;
}
const sizes = fc.record({
  mapping: fc.constantFrom(...mappings),
  n: fc.integer({ min: 1, max: 40 }),
  d: fc.integer({ min: 1, max: 5 }),
  k: fc.integer({ min: 1, max: 6 }),
  q: fc.integer({ min: 0, max: 2 }),
  seed: fc.nat(2 ** 31 - 1),
});
const entry = { noun: 'density', name: 'lossGradient', spec: contract.density.lossGradient };
interface Drawn {
  readonly shape: Required<MixtureDensityShape>;
  readonly raw: Float64Array;
  readonly x: Float64Array;
}
function drawn({ mapping, n, d, k, q, seed }: Sizes): Drawn {
  const { dims, args } = draw(entry, 'f64', { n, d, k, q }, { mapping }, seed);
  const dimension = (dims['d'] as number) + q;
  return {
    shape: { components: k, dimension, mapping, binary: q },
    raw: args['raw'] as Float64Array,
    x: args['x'] as Float64Array,
  };
}
const rowOf = <A extends Real>(values: A, i: number, width: number): A =>
  values.subarray(i * width, (i + 1) * width) as A;
const single = (values: Float64Array): Float32Array => Float32Array.from(values);

describe.each(titled)('mixture densities on %s', (_, backend) => {
  const on = { backend };
  const make = (shape: MixtureDensityShape): MixtureDensity => new MixtureDensity(shape, on);

  describe('identities', () => {
    test('a batch is its rows, to the bit, whatever is asked', () =>
      fc.assert(
        fc.property(sizes, fc.boolean(), (given, narrow) => {
          const { shape, raw: wide, x: far } = drawn(given);
          const model = make(shape);
          const [raw, x] = narrow ? [single(wide), single(far)] : [wide, far];
          const whole = model.lossGradient(raw, x);
          const { components: k, dimension: d } = shape;
          for (const i of range(given.n)) {
            const own = model.lossGradient(rowOf(raw, i, model.outputs), rowOf(x, i, d));
            expectBits(own.logDensity, rowOf(whole.logDensity, i, 1));
            expectBits(own.responsibilities, rowOf(whole.responsibilities, i, k));
            expectBits(own.dRaw, rowOf(whole.dRaw, i, model.outputs));
            expectBits(own.dx, rowOf(whole.dx, i, d));
          }
          const { loss, logDensity, responsibilities } = model.forward(raw, x);
          expectBits(logDensity, whole.logDensity);
          expectBits(responsibilities, whole.responsibilities);
          expectBits(model.logDensity(raw, x), whole.logDensity);
          expect([loss, whole.loss]).toEqual(Array(2).fill([...logDensity].reduce((a, b) => a - b, 0)));
        }),
      ));
    test('a permutation of the components permutes the shares and the gradient', () =>
      fc.assert(
        fc.property(sizes, (given) => {
          const { shape, raw, x } = drawn(given);
          const model = make(shape);
          const { components: k, dimension: d, binary: q } = shape;
          const p = (model.outputs - q) / k - 1 - (d - q);
          const columns = [
            ...range(k).map((j) => k - 1 - j),
            ...range(k * (d - q)).map((c) => k + (k - 1 - Math.floor(c / (d - q))) * (d - q) + (c % (d - q))),
            ...range(k * p).map((c) => k + k * (d - q) + (k - 1 - Math.floor(c / p)) * p + (c % p)),
            ...range(q).map((b) => model.outputs - q + b),
          ];
          const turned = (values: Float64Array): Float64Array =>
            values.map((_, at) => values[at - (at % model.outputs) + columns[at % model.outputs]!]!);
          const [want, got] = [model.lossGradient(raw, x), model.lossGradient(turned(raw), x)];
          const tight = (v: number): number => 1e-12 * (1 + Math.abs(v));
          expectNear(got.logDensity, want.logDensity, tight);
          expectNear(got.dRaw, turned(want.dRaw), tight);
          expectNear(got.dx, want.dx, tight);
        }),
      ));
    test('the density is that of the mixture its distribution describes', () =>
      fc.assert(
        fc.property(sizes, (given) => {
          const { shape, raw, x } = drawn({ ...given, q: 0, n: 3 });
          const { components: k, dimension: d } = shape;
          const { weights, means, covariances } = make(shape).distribution(raw);
          const { logDensity, responsibilities } = make(shape).forward(raw, x);
          for (const i of range(3)) {
            const own = {
              weights: rowOf(weights, i, k),
              means: rowOf(means, i, k * d),
              covariances: rowOf(covariances, i, k * d * d),
            };
            const point = rowOf(x, i, d);
            const allowed = (v: number): number => 1e-10 * (1 + Math.abs(v));
            if (k === 1) {
              const only = new Gaussian({ mean: own.means, covariance: own.covariances }, on);
              expectNear(only.logDensity(point), rowOf(logDensity, i, 1), allowed);
            }
            const mixture = new GaussianMixture(own, on);
            expectNear(mixture.logDensity(point), rowOf(logDensity, i, 1), allowed);
            expectNear(mixture.responsibilities(point), rowOf(responsibilities, i, k), 1e-10);
          }
        }),
      ));
    test('binary coordinates add their log-probabilities', () => {
      const plain = make({ components: 1, dimension: 1 });
      const model = make({ components: 1, dimension: 3, binary: 2 });
      const both = model.logDensity([0, 0.5, 0.1, 2, -1], [0.3, 1, 0]);
      const { probabilities } = model.distribution([0, 0.5, 0.1, 2, -1]);
      const logs = [Math.log(probabilities![0]!), Math.log(1 - probabilities![1]!)];
      expectNear(both, [plain.logDensity([0, 0.5, 0.1], [0.3])[0]! + sum(logs)], 1e-14);
      expectNear(probabilities!, [1 / (1 + Math.exp(-2)), 1 / (1 + Math.E)], 1e-15);
      expect(plain.distribution([0, 0.5, 0.1])).not.toHaveProperty('probabilities');
    });
    test('f32 is f64 but for rounding; x of another dtype is converted', () =>
      fc.assert(
        fc.property(sizes, (given) => {
          const { shape, raw, x } = drawn(given);
          const model = make(shape);
          const narrow = single(raw);
          const got = model.lossGradient(narrow, x);
          const want = model.lossGradient(Float64Array.from(narrow), single(x));
          for (const name of ['logDensity', 'responsibilities', 'dRaw', 'dx'] as const) {
            expect(got[name]).toBeInstanceOf(Float32Array);
            const largest = want[name].reduce((a, b) => Math.max(a, Math.abs(b)), 1);
            expectNear(got[name], want[name], 2e-4 * largest);
          }
        }),
      ));
    test('results go into the arrays given, and these are returned', () => {
      const { shape, raw, x } = drawn({ mapping: 'chol-exp', n: 9, d: 2, k: 3, q: 1, seed: 1 });
      const model = make(shape);
      const want = model.lossGradient(raw, x);
      const out = { dRaw: new Float64Array(raw.length), logDensity: new Float64Array(9) };
      const got = model.lossGradient(raw, x, { out });
      expect(got.dRaw).toBe(out.dRaw);
      expect(got.logDensity).toBe(out.logDensity);
      expectBits(out.dRaw, want.dRaw);
      expectBits(got.dx, want.dx);
      const own = new Float64Array(9);
      expect(model.logDensity(raw, x, { out: own })).toBe(own);
      expectBits(own, want.logDensity);
    });
    test('no rows', () => {
      const result = make({ components: 2, dimension: 2 }).lossGradient(new Float64Array(), new Float64Array());
      expect(result).toEqual({
        loss: 0,
        logDensity: new Float64Array(),
        responsibilities: new Float64Array(),
        dRaw: new Float64Array(),
        dx: new Float64Array(),
      });
    });
  });

  test.each(mappings)('the gradient of %s is the slope of the loss', (mapping) =>
    fc.assert(
      fc.property(sizes, (given) => {
        const { shape, raw, x } = drawn({ ...given, mapping, n: 4 });
        const model = make(shape);
        const { dRaw, dx } = model.lossGradient(raw, x);
        const random = uniform(given.seed + 1);
        const [v, u] = [raw.map(() => 0.1 * random()), x.map(() => random())];
        const gaussian = shape.dimension - shape.binary; // targets stay in [0, 1]
        for (let i = 0; i < u.length; i++) if (i % shape.dimension >= gaussian) u[i]! = 0;
        expectSlope(
          dRaw,
          v,
          (t) =>
            model.forward(
              raw.map((r, i) => r + t * v[i]!),
              x,
            ).loss,
        );
        expectSlope(
          dx,
          u,
          (t) =>
            model.forward(
              raw,
              x.map((r, i) => r + t * u[i]!),
            ).loss,
        );
        if (shape.binary > 0) {
          const [low, high] = [0.2, 0.8].map((y) => {
            const own = x.map((r, i) => (i % shape.dimension === gaussian ? y : r));
            return model.forward(raw, own).loss;
          });
          expectNear([(high! - low!) / 0.6], [sum(range(4).map((i) => dx[i * shape.dimension + gaussian]!))], 1e-9);
        }
      }),
    ),
  );

  describe('draws', () => {
    const n = 20_000;
    const moments = (x: Float64Array, d: number): { mean: number[]; covariance: number[] } => {
      const mean = range(d).map((l) => sum(range(n).map((i) => x[i * d + l]!)) / n);
      const covariance = range(d * d).map((at) => {
        const [l, h] = [Math.floor(at / d), at % d];
        return sum(range(n).map((i) => (x[i * d + l]! - mean[l]!) * (x[i * d + h]! - mean[h]!))) / n;
      });
      return { mean, covariance };
    };
    test.each(mappings)('of %s have the moments of the distribution', (mapping) => {
      const { shape, raw } = drawn({ mapping, n: 1, d: 2, k: 1, q: 1, seed: 4 });
      const model = make(shape);
      const batch = new Float64Array(n * model.outputs).map((_, i) => raw[i % model.outputs]!);
      const x = model.sample(batch, { seed: 3 });
      const { means, covariances, probabilities } = model.distribution(raw);
      const { mean, covariance } = moments(x, 3);
      expectNear(mean, [...means, ...probabilities!], 0.03);
      expectNear(
        range(4).map((at) => covariance[Math.floor(at / 2) * 3 + (at % 2)]!),
        covariances,
        0.06 * covariances.reduce((a, b) => Math.max(a, b)),
      );
      const biased = moments(model.sample(batch, { seed: 3, bias: 1 }), 3).covariance;
      expectNear([biased[0]! / covariance[0]!, biased[4]! / covariance[4]!], Array(2).fill(Math.exp(-2)), 0.02);
    });
    test('choose components by their weights; a bias sharpens them', () => {
      const model = make({ components: 2, dimension: 1, mapping: 'diag-exp' });
      const batch = new Float64Array(n * 6).map((_, i) => [0.5, 0, -10, 10, -3, -3][i % 6]!);
      const share = (bias: number): number => model.sample(batch, { seed: 1, bias }).filter((v) => v < 0).length / n;
      expectNear([share(0), share(3), share(1e6)], [1 / (1 + Math.exp(-0.5)), 1 / (1 + Math.exp(-2)), 1], 0.015);
    });
    test.each(['chol-exp', 'diag-exp'] as const)('of %s have the deviation of the component drawn', (mapping) => {
      const model = make({ components: 2, dimension: 2, mapping });
      const values = { 'chol-exp': [-2, 0.1, -1, 1, 0.5, 2], 'diag-exp': [-2, -1, 1, 2] }[mapping];
      const row = [0, 0, -100, -100, 100, 100, ...values];
      const x = model.sample(
        new Float64Array(n * row.length).map((_, i) => row[i % row.length]!),
        { seed: 5 },
      );
      const { covariances } = model.distribution(row);
      for (const [c, mean] of [-100, 100].entries())
        for (const j of [0, 1]) {
          const own = x.filter((v, i) => i % 2 === j && v * mean > 0);
          const variance = sum([...own].map((v) => (v - mean) ** 2)) / own.length;
          expectNear([variance / covariances[4 * c + 3 * j]!], [1], 0.06);
        }
    });
    test('of one seed are the same, of another not', () => {
      const { shape, raw } = drawn({ mapping: 'chol-exp', n: 5, d: 3, k: 2, q: 1, seed: 4 });
      const model = make(shape);
      expectBits(model.sample(raw, { seed: 9 }), model.sample(raw, { seed: 9 }));
      expect(model.sample(raw, { seed: 8 })).not.toEqual(model.sample(raw, { seed: 9 }));
      expect(model.sample(single(raw))).toBeInstanceOf(Float64Array);
    });
  });
});

describe.each(titled)('errors of mixture densities on %s', (_, backend) => {
  const make = (shape: unknown): MixtureDensity => new MixtureDensity(shape as MixtureDensityShape, { backend });
  const two = make({ components: 2, dimension: 2 });
  const bad: [string, () => unknown, object][] = [
    [
      'no components',
      () => make({ components: 0, dimension: 2 }),
      { code: 'INVALID_ARGUMENT', argument: 'components' },
    ],
    ['half a dimension', () => make({ components: 1, dimension: 0.5 }), { argument: 'dimension' }],
    ['binary only', () => make({ components: 1, dimension: 2, binary: 2 }), { argument: 'binary' }],
    ['graves in 3', () => make({ components: 1, dimension: 3, mapping: 'graves' }), { argument: 'mapping' }],
    ['a mapping nobody knows', () => make({ components: 1, dimension: 3, mapping: 'exp' }), { argument: 'mapping' }],
    ['rows of 2^27', () => make({ components: 2 ** 26, dimension: 1 }), { argument: 'components' }],
    ['a field nobody knows', () => make({ components: 1, dimension: 1, size: 1 }), { argument: 'shape' }],
    ['raw of 11', () => two.forward(range(11), [0, 0]), { code: 'DIMENSION_MISMATCH', argument: 'raw' }],
    ['fewer x', () => two.forward(new Float64Array(24), [0, 0]), { code: 'DIMENSION_MISMATCH', argument: 'x' }],
    [
      'a target of 2',
      () => make({ components: 1, dimension: 2, binary: 1 }).forward(new Float64Array(8), [0, 1, 0, 2]),
      { code: 'INVALID_ARGUMENT', argument: 'x', row: 1, column: 1, value: 2 },
    ],
    [
      'a target that is NaN',
      () => make({ components: 1, dimension: 2, binary: 1 }).forward(new Float64Array(4), [0, NaN]),
      { code: 'NON_FINITE', argument: 'x', row: 0, column: 1 },
    ],
    ['a bias < 0', () => two.sample(new Float64Array(12), { bias: -1 }), { argument: 'bias' }],
    ['an infinite raw', () => two.sample([Infinity, ...range(11)]), { code: 'NON_FINITE', argument: 'raw', column: 0 }],
    [
      'an out of another dtype',
      () => two.lossGradient(new Float64Array(12), [0, 0], { out: { dx: new Float32Array(2) } }),
      { code: 'INVALID_ARGUMENT', argument: 'out' },
    ],
    [
      'a covariance that overflows',
      () => two.distribution(new Float64Array(24).map((_, i) => (i === 18 ? 400 : 0))),
      { code: 'NON_FINITE', argument: 'raw', row: 1 },
    ],
    [
      'a deviation that overflows',
      () => two.distribution(new Float64Array(24).map((_, i) => (i === 18 ? 800 : 0))),
      { code: 'NON_FINITE', argument: 'raw', row: 1 },
    ],
    [
      'a deviation that underflows',
      () =>
        two.forward(
          new Float64Array(24).map((_, i) => (i === 23 ? -800 : 0)),
          new Float64Array(4),
        ),
      { code: 'NOT_POSITIVE_DEFINITE', row: 1, component: 1, pivot: 1, value: 0 },
    ],
    [
      'no density anywhere',
      () => two.forward(new Float64Array(24), [0, 0, 1e200, 0]),
      { code: 'NON_FINITE', argument: 'x', row: 1 },
    ],
  ];
  test.each(bad)('%s', (_, call, fields) => expect(refusal(call)).toMatchObject(fields));

  // one value of a batch is not finite: the error names it wherever it stands, nothing masks it
  test.each(mappings)('%s: any value that is not finite', (mapping) => {
    const { shape, raw, x } = drawn({ mapping, n: 11, d: 2, k: 3, q: 1, seed: 2 });
    const model = make(shape);
    for (const value of [NaN, Infinity, -Infinity])
      for (const [argument, values, width] of [
        ['raw', raw, model.outputs],
        ['x', x, 3],
      ] as const)
        for (const column of range(width)) {
          const own = values.slice();
          own[7 * width + column] = value;
          const [r, y]: [Points, Points] = argument === 'raw' ? [own, x] : [raw, own];
          const outside = argument === 'x' && column === 2 && !Number.isNaN(value);
          const code = outside ? 'INVALID_ARGUMENT' : 'NON_FINITE';
          for (const call of [() => model.forward(r, y), () => model.lossGradient(r, y)])
            expect(refusal(call)).toMatchObject({ code, argument, row: 7, column });
          if (argument === 'raw')
            expect(refusal(() => model.distribution(r))).toMatchObject({ code, argument, row: 7, column });
        }
  });
  test.each([1e200, 1.7e308])('one component %d away is no reason to refuse', (far) => {
    const raw = [0, 0, 0, 0, far, 0, 0, 0, 0, -3, 0.5, 0];
    const { logDensity, responsibilities, dRaw, dx } = two.lossGradient(raw, [0.5, 0]);
    expectNear(logDensity, [-Math.log(2 * Math.PI) - 0.125 - Math.log(2)], 1e-14);
    expect([...responsibilities]).toEqual([1, 0]);
    expectNear(dRaw, [-0.5, 0.5, -0.5, 0, 0, 0, 0.75, 0, 1, 0, 0, 0], 1e-14);
    expectNear(dx, [0.5, 0], 1e-14);
  });
  test('a gradient that overflows is refused where its density is not; one that is only large is given', () => {
    const one = make({ components: 1, dimension: 1 });
    expect(one.forward([0, 0, -700], [1e-299]).logDensity[0]).toBeLessThan(-1e9);
    expect(refusal(() => one.lossGradient([0, 0, 0, 0, 0, -700], [0, 1e-299]))).toMatchObject({
      code: 'NON_FINITE',
      argument: 'x',
      row: 1,
    });
    expect(one.lossGradient([0, 0, -400], [1e-174]).dx[0]).toBeCloseTo(Math.exp(400) * 1e-174 * Math.exp(400), -165);
  });
  test('what is not finite comes first, then the first row, component and pivot', () => {
    const model = make({ components: 2, dimension: 2, mapping: 'tanh-full' });
    const good = [0, 0, 0, 0, 0, 0, 1, 0.1, 1, 1, 0.1, 1];
    const batch = Float64Array.from({ length: 12 * 30 }, (_, i) => good[i % 12]!);
    const x = new Float64Array(60);
    batch[12 * 5 + 10] = 2; // tanh(2) > tanh(1): not a covariance
    batch[12 * 9 + 6] = -1;
    expect(refusal(() => model.forward(batch, x))).toMatchObject({
      code: 'NOT_POSITIVE_DEFINITE',
      row: 5,
      component: 1,
      pivot: 1,
      value: expect.closeTo(Math.tanh(1) - Math.tanh(2) ** 2 / Math.tanh(1), 12),
    });
    expect(refusal(() => model.distribution(batch))).toMatchObject({ row: 5, component: 1, pivot: 1 });
    batch[12 * 5 + 10] = 0.1;
    expect(refusal(() => model.lossGradient(batch, x))).toMatchObject({ row: 9, component: 0, pivot: 0 });
    x[59] = NaN;
    expect(refusal(() => model.lossGradient(batch, x))).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 29 });
    batch[12 * 29] = Infinity;
    expect(refusal(() => model.lossGradient(batch, x))).toMatchObject({ code: 'NON_FINITE', argument: 'raw', row: 29 });
  });
});

test.runIf(hasNative)('with threads the first failure is the same, and so are the bits', () => {
  const [one, two] = [1, 2].map((threads) => {
    const backend = openBackend({ name: 'native', threads });
    return new MixtureDensity({ components: 20, dimension: 2, mapping: 'tanh-full' }, { backend });
  }) as [MixtureDensity, MixtureDensity];
  const n = 30_000; // enough for several threads
  const random = uniform(1);
  const w = one.outputs;
  const raw = Float64Array.from({ length: n * w }, (_, i) => (i % w < 60 ? random() : (i % w) % 3 === 1 ? 0.1 : 1));
  const x = Float64Array.from({ length: 2 * n }, random);
  expectBits(two.lossGradient(raw, x).dRaw, one.lossGradient(raw, x).dRaw);
  for (const row of [29_999, 20_011, 10_007]) {
    raw[row * w + 60 + 3 * 7] = -1;
    raw[row * w + 60 + 3 * 9] = -1;
    for (const model of [one, two])
      expect(refusal(() => model.lossGradient(raw, x))).toMatchObject({
        code: 'NOT_POSITIVE_DEFINITE',
        row,
        component: 7,
        pivot: 0,
        value: expect.closeTo(Math.tanh(-1), 12),
      });
  }
});
