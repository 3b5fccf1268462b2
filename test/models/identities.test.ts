/** Identities between mixtures of every kind: on every backend, mostly to the bit. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture, type MixtureParameters, type Real } from '../../src/index.ts';
import {
  covarianceTypes,
  type Dense,
  drawMixture,
  drawRows,
  epsilon,
  expectBits,
  expectNear,
  f32,
  f64,
  flat,
  type Row,
  range,
  rowsOf,
  sum,
  titled,
  tolerance,
} from '../support/models.ts';

type Parameters = MixtureParameters & { readonly weights: Row; readonly means: Dense };
const shapes = fc.record({
  type: fc.constantFrom(...covarianceTypes),
  d: fc.integer({ min: 1, max: 6 }),
  k: fc.integer({ min: 1, max: 6 }),
  n: fc.integer({ min: 1, max: 140 }),
  seed: fc.nat(2 ** 31 - 1),
  single: fc.boolean(),
});
const arrayOf = (rows: readonly Row[], single: boolean): Real => (single ? f32 : f64)(rows);
const tight = (v: number): number => 4e-15 * (1 + Math.abs(v));
const pick = <V>(values: readonly V[], order: readonly number[]): V[] => order.map((i) => values[i]!);
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const largest = (row: ArrayLike<number>): number =>
  range(row.length).reduce((best, c) => (row[c]! > row[best]! ? c : best), 0);

describe.each(titled)('identities of mixtures on %s', (_, backend) => {
  const on = { backend };
  const make = (parameters: MixtureParameters): GaussianMixture => new GaussianMixture(parameters, on);

  test('a permutation of the rows permutes all results, to the bit', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed, single }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const rows = drawRows(components, n, seed);
        const step = [3, 7, 11].find((s) => gcd(s, n) === 1) ?? 1;
        const order = range(n).map((i) => (i * step + seed) % n);
        const [x, y] = [arrayOf(rows, single), arrayOf(pick(rows, order), single)];
        expectBits(model.logDensity(y), arrayOf([pick([...model.logDensity(x)], order)], single));
        expectBits(model.responsibilities(y), arrayOf(pick(rowsOf(model.responsibilities(x), k), order), single));
        expect([...model.classify(y)]).toEqual(pick([...model.classify(x)], order));
      }),
    ));
  test('a permutation of the components changes no density and permutes the shares', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const { weights, means, covariances } = parameters as Parameters;
        const order = range(k)
          .map((c) => (c + seed) % k)
          .reverse();
        const x = f64(drawRows(components, n, seed));
        const model = make(parameters);
        const turned = make({
          ...parameters,
          weights: pick(weights, order),
          means: pick(means, order),
          covariances: type === 'tied' ? covariances : pick(covariances as number[], order),
        });
        expectNear(turned.logDensity(x), model.logDensity(x), tight);
        expectNear(
          turned.responsibilities(x),
          flat(rowsOf(model.responsibilities(x), k).map((row) => pick(row, order))),
          1e-14,
        );
        const [a, b] = [turned.lossGradient(x), model.lossGradient(x)];
        const terms = 1e-11 * n;
        expectNear(a.dWeights, pick([...b.dWeights], order), terms / Math.min(...weights));
        expectNear(a.dMeans, flat(pick(rowsOf(b.dMeans, d), order)), terms);
      }),
    ));
  test('batches give the bits of one call, and so does every row alone', () =>
    fc.assert(
      fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }), ({ type, d, k, n, seed, single }, share) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const x = arrayOf(drawRows(components, n, seed), single);
        const whole = model.logDensity(x);
        const r = model.responsibilities(x);
        for (const [from, to] of [
          [0, Math.floor(share * n)],
          [Math.floor(share * n), n],
          [n - 1, n],
        ] as const) {
          expectBits(model.logDensity(x.subarray(from * d, to * d)), whole.slice(from, to));
          expectBits(model.responsibilities(x.subarray(from * d, to * d)), r.slice(from * k, to * k));
        }
      }),
    ));
  test('a call large enough for threads gives the bits of small ones', () => {
    const d = 8;
    const { parameters, components } = drawMixture('full', d, 3, 1);
    const model = make(parameters);
    const few = drawRows(components, 1000, 2);
    const n = 200_000;
    const x = new Float64Array(n * d);
    const some = f64(few);
    const want = model.logDensity(some);
    for (let at = 0; at < x.length; at += some.length) x.set(some, at);
    const got = model.logDensity(x);
    for (let at = 0; at < n; at += 1000) expectBits(got.subarray(at, at + 1000).slice(), want);
  });
  test('what else is in the batch changes no bit of a row', () =>
    fc.assert(
      fc.property(shapes, fc.double({ noNaN: true, min: -1e100, max: 1e100 }), ({ type, d, k, n, seed }, other) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const row = seed % n;
        const x = f64(drawRows(components, n, seed));
        const crowd = x.map((v, i) => (Math.floor(i / d) === row ? v : other));
        expect(model.logDensity(crowd)[row]).toBe(model.logDensity(x)[row]);
        expectBits(
          model.responsibilities(crowd).slice(row * k, (row + 1) * k),
          model.responsibilities(x).slice(row * k, (row + 1) * k),
        );
      }),
    ));
  test('a shift of everything changes nothing, a scale shifts log p by -d log |scale|, neither moves a share', () =>
    fc.assert(
      fc.property(
        shapes,
        fc.integer({ min: -64, max: 64 }),
        fc.constantFrom(0.125, -0.5, 3, -7.25, 1e5),
        ({ type, d, k, n, seed }, shift, scale) => {
          const { parameters, components } = drawMixture(type, d, k, seed);
          const rows = drawRows(components, n, seed);
          const model = make(parameters);
          const map = (x: Dense): number[][] => x.map((row) => row.map((v) => scale * (v + shift)));
          const moved = make({
            ...parameters,
            means: map((parameters as Parameters).means),
            covariances: (parameters.covariances as number[]).flat(3).map((v) => v * scale * scale),
          });
          const got = moved.logDensity(f64(map(rows)));
          const off = tolerance(components, got);
          const loose = 1 + Math.abs(shift); // the shift rounds
          expectNear(
            got.map((v) => v + d * Math.log(Math.abs(scale))),
            model.logDensity(f64(rows)),
            (v) => loose * off(Math.abs(v) + d * Math.abs(Math.log(Math.abs(scale)))),
          );
          expectNear(
            moved.responsibilities(f64(map(rows))),
            model.responsibilities(f64(rows)),
            100 * d * loose * off(0),
          );
        },
      ),
    ));

  test('a mixture of one is the Gaussian, to the bit', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, n, seed, single }) => {
        const { parameters, components } = drawMixture(type, d, 1, seed);
        const { mean, covariance } = components[0]!;
        const x = arrayOf(drawRows(components, n, seed), single);
        const one = new Gaussian(
          type === 'full' || type === 'tied'
            ? { mean, covariance }
            : { mean, variances: covariance.map((row, i) => row[i]!) },
          on,
        );
        expectBits(make({ ...parameters, weights: [1] }).logDensity(x), one.logDensity(x));
        expect(
          make({ ...parameters, weights: [1] })
            .responsibilities(x)
            .every((r) => r === 1),
        ).toBe(true);
        expectBits(
          make({ ...parameters, weights: [1] })
            .sample(5, { seed: 3 })
            .slice(0, 0),
          new Float64Array(0),
        );
      }),
    ));
  test('tied is full with equal covariances, spherical diagonal with equal variances, to the bit', () =>
    fc.assert(
      fc.property(shapes, ({ d, k, n, seed, single }) => {
        for (const [narrow, wide] of [
          ['tied', 'full'],
          ['spherical', 'diagonal'],
        ] as const) {
          const { parameters, components } = drawMixture(narrow, d, k, seed);
          const x = arrayOf(drawRows(components, n, seed), single);
          const covariances = components.map((c) =>
            wide === 'full' ? c.covariance : c.covariance.map((row, i) => row[i]!),
          ) as number[][];
          const [a, b] = [make(parameters), make({ ...parameters, covariances, covarianceType: wide })];
          expectBits(a.logDensity(x), b.logDensity(x));
          expectBits(a.responsibilities(x), b.responsibilities(x));
          expectBits(a.sample(20, { seed }), b.sample(20, { seed }));
          const [g, h] = [a.lossGradient(x), b.lossGradient(x)];
          expect(g.loss).toBe(h.loss);
          expectBits(g.dWeights, h.dWeights);
          expectBits(g.dMeans, h.dMeans);
          const shared =
            narrow === 'tied'
              ? range(d * d).map((i) => sum(range(k).map((c) => h.dCovariances[c * d * d + i]!)))
              : rowsOf(h.dCovariances, d).map(sum);
          expectNear(g.dCovariances, shared, (v) => 1e-12 * (n + Math.abs(v)));
        }
      }),
    ));
  test('diagonal is full with zeros beside the diagonal', () =>
    fc.assert(
      fc.property(shapes, ({ d, k, n, seed }) => {
        const { parameters, components } = drawMixture('diagonal', d, k, seed);
        const x = f64(drawRows(components, n, seed));
        const full = make({ ...parameters, covariances: components.map((c) => c.covariance), covarianceType: 'full' });
        const off = tolerance(components, x);
        expectNear(full.logDensity(x), make(parameters).logDensity(x), off);
      }),
    ));
  test('a component written twice with half its weight is the same mixture', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const { weights, means, covariances } = parameters as Parameters;
        const x = f64(drawRows(components, n, seed));
        const c = seed % k;
        const order = [...range(k), c];
        const halved = weights.map((w, i) => (i === c ? w / 2 : w));
        const twice = make({
          ...parameters,
          weights: pick(halved, order),
          means: pick(means, order),
          covariances: type === 'tied' ? covariances : pick(covariances as number[], order),
        });
        expectNear(twice.logDensity(x), make(parameters).logDensity(x), tight);
        const r = twice.responsibilities(x);
        const one = make(parameters).responsibilities(x);
        for (const i of range(n)) {
          expect(r[i * (k + 1) + c]).toBe(r[i * (k + 1) + k]);
          expectNear([2 * r[i * (k + 1) + c]!], [one[i * k + c]!], 1e-14);
        }
      }),
    ));
  test('a component of weight 0 changes no bit, wherever it stands and lies', () =>
    fc.assert(
      fc.property(shapes, fc.nat(6), fc.constantFrom(0, 1e3, 1e200), ({ type, d, k, n, seed, single }, place, far) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const { weights, means, covariances } = parameters as Parameters;
        const x = arrayOf(drawRows(components, n, seed), single);
        const at = Math.min(place, k);
        const model = make(parameters);
        const insert = <V>(values: readonly V[], value: V): V[] => [...values.slice(0, at), value, ...values.slice(at)];
        const more = make({
          ...parameters,
          weights: insert(weights, 0),
          means: insert(means, Array<number>(d).fill(single ? Math.min(far, 1e3) : far)),
          covariances: type === 'tied' ? covariances : insert(covariances as Row, (covariances as Row)[0]!),
        });
        expectBits(more.logDensity(x), model.logDensity(x));
        expectBits(
          more.responsibilities(x),
          arrayOf(
            rowsOf(model.responsibilities(x), k).map((row) => insert(row, 0)),
            single,
          ),
        );
      }),
    ));

  test('shares sum to 1 and are exp(log w N - log p); classify takes the largest; logLikelihood is the sum', () =>
    fc.assert(
      fc.property(shapes, ({ type, d, k, n, seed, single }) => {
        const { parameters, components } = drawMixture(type, d, k, seed);
        const model = make(parameters);
        const x = arrayOf(drawRows(components, n, seed), single);
        const log = model.logDensity(x);
        const r = model.responsibilities(x);
        const off = tolerance(components, x);
        const each = components.map(({ mean, covariance }) => new Gaussian({ mean, covariance }, on).logDensity(x));
        for (const [i, row] of rowsOf(r, k).entries()) {
          expectNear([sum(row)], [1], k * 2 * epsilon(x));
          expectNear(
            row,
            components.map(({ weight }, c) => Math.exp(Math.log(weight) + each[c]![i]! - log[i]!)),
            (share) => share * (off(log[i]!) + Math.max(...each.map((v) => off(v[i]!)))) + 2 ** -60,
          );
        }
        const classes = model.classify(x);
        expect(classes).toBeInstanceOf(Int32Array);
        expect([...classes]).toEqual(rowsOf(r, k).map(largest));
        expect(model.logLikelihood(x)).toBe(sum(log));
        expectNear([model.lossGradient(x).loss], [-sum(log)], 1e-12 * (n + Math.abs(sum(log))));
      }),
    ));
});
