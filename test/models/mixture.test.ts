/** Mixtures of Gaussians on every backend: against the textbook, by identities, their gradient and their draws. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CovarianceType, Gaussian, GaussianMixture, type MixtureParameters, type Real } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  type Component, covarianceTypes, type Dense, dot, drawMixture, drawRows, epsilon, expectBits, expectNear, expectSlope, f32, f64, flat,
  logTextbook, matrix, once, range, refusal, type Row, rowsOf, sum, textbook, titled, tolerance,
} from '../support/models.ts';

type Parameters = MixtureParameters & { readonly weights: Row; readonly means: Dense };
const shapes = fc.record({
  type: fc.constantFrom(...covarianceTypes), d: fc.integer({ min: 1, max: 6 }), k: fc.integer({ min: 1, max: 6 }),
  n: fc.integer({ min: 1, max: 140 }), seed: fc.nat(2 ** 31 - 1), single: fc.boolean(),
});
const arrayOf = (rows: readonly Row[], single: boolean): Real => (single ? f32 : f64)(rows);
const tight = (v: number): number => 4e-15 * (1 + Math.abs(v));
const pick = <V>(values: readonly V[], order: readonly number[]): V[] => order.map((i) => values[i]!);
const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const largest = (row: ArrayLike<number>): number => range(row.length).reduce((best, c) => (row[c]! > row[best]! ? c : best), 0);

/** Rows, and what the textbook says of them. */
const expected = once(([type, d, k]: readonly [CovarianceType, number, number]) => {
  const { parameters, components } = drawMixture(type, d, k, 7 * d), each = textbook(components);
  const batches = (d === 5 ? [0, 1, 5, 127, 128, 129, 300] : [0, 1, 5, 129]).flatMap((n) => [f64, f32].map((array) => {
    const x = array(drawRows(components, n, n)), densities = rowsOf(x, d).map(each), log = densities.map((p) => Math.log(sum(p)));
    return { x, log, shares: densities.flatMap((p) => p.map((v) => v / sum(p))), off: tolerance(components, x) };
  }));
  return { parameters, batches };
});

describe.each(titled)('GaussianMixture on %s', (_, backend) => {
  const on = { backend };
  const make = (parameters: MixtureParameters): GaussianMixture => new GaussianMixture(parameters, on);

  describe.each(covarianceTypes)('%s', (type) => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33].map((d, i) => [d, (i % 7) + 1] as const);
    test.each(sizes)('scores and shares out rows as the textbook does, d = %i, k = %i', (d, k) => {
      const { parameters, batches } = expected([type, d, k]), model = make(parameters);
      for (const { x, log, shares, off } of batches) {
        const got = model.logDensity(x), r = model.responsibilities(x);
        expect([got.constructor, r.constructor]).toEqual([x.constructor, x.constructor]);
        expectNear(got, log, (want) => off(want));
        expectNear(r, shares, (share, i) => off(log[Math.floor(i / k)]!) + off(Math.log(share || 1e-300))); // exp of a difference
        expectNear(rowsOf(r, k).map(sum), log.map(() => 1), k * epsilon(x) * 2);
      }
      model.dispose();
    });
    test('its loss and gradient: sums of the textbook and its slopes', () => {
      for (const [d, k, n] of [[1, 1, 1], [2, 3, 40], [3, 2, 130], [9, 2, 20]] as const) {
        const { parameters, components } = drawMixture(type, d, k, d), x = drawRows(components, n, 3), random = uniform(d);
        const { weights, means, covariances } = parameters as Parameters, { loss, ...got } = make(parameters).lossGradient(f64(x));
        expect(Object.values(got).map((g) => g.length)).toEqual([k, k * d, { full: k * d * d, tied: d * d, diagonal: k * d, spherical: k }[type]]);
        expectNear([loss], [-sum(x.map(logTextbook(components)))], (v) => 1e-13 * (n + Math.abs(v)));
        const lossOf = (change: Partial<MixtureParameters>): number => -make({ ...parameters, ...change }).logLikelihood(f64(x));
        const free = (w: Row) => components.map((component, c) => ({ ...component, weight: w[c]! }));
        for (const _ of range(2)) {
          const w = weights.map(random), m = means.map((row) => row.map(random));
          expectSlope(got.dWeights, w.map((v) => v / 10), (t) => -sum(x.map(logTextbook(free(weights.map((v, c) => v + t / 10 * w[c]!))))));
          expectSlope(got.dMeans, flat(m), (t) => lossOf({ means: means.map((row, c) => row.map((v, j) => v + t * m[c]![j]!)) }));
          const flatten = (v: unknown): number[] => (v as number[]).flat(3), S = flatten(covariances), D = S.map(() => random() / 5);
          if (type === 'full' || type === 'tied') D.forEach((_, at) => { // symmetric, as a covariance has to be
            const i = Math.floor(at / d) % d, j = at % d;
            if (i < j) D[at] = D[at - at % (d * d) + j * d + i] = (D[at]! + D[at - at % (d * d) + j * d + i]!) / 2;
          });
          expectSlope(got.dCovariances, D, (t) => lossOf({ covariances: S.map((v, i) => v + t * D[i]!) }));
        }
        // Euler: log p is homogeneous of degree 1 in free weights
        expectNear([dot(got.dWeights, weights)], [-n], 1e-12 * n);
        const single = make(parameters).lossGradient(f32(x));
        for (const [a, b] of [[single.dMeans, got.dMeans], [single.dCovariances, got.dCovariances], [single.dWeights, got.dWeights]] as const) {
          expect(a).toBeInstanceOf(Float64Array);
          expectNear(a, b, 2e-4 * Math.max(...b.map(Math.abs), 1));
        }
        const nothing = make(parameters).lossGradient([]);
        expect(nothing.loss).toBe(0);
        for (const zero of [nothing.dWeights, nothing.dMeans, nothing.dCovariances]) expect(zero.every((g) => g === 0)).toBe(true);
      }
    });
    test('a component of weight 0 has no gradient but that of its weight', () => {
      const { parameters, components } = drawMixture(type, 2, 2, 5), x = drawRows(components.slice(0, 1), 50, 3), weights = [1, 0];
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
      for (const [d, h, reach] of [[1, 0.05, 12], [2, 0.2, 10]] as const) {
        const model = make(drawMixture(type, d, 3, 2).parameters), n = Math.round((2 * reach) / h) + 1, at = (i: number): number => -reach + i * h;
        const x = f64(d === 1 ? range(n).map((i) => [at(i)]) : range(n * n).map((i) => [at(Math.floor(i / n)), at(i % n)]));
        expectNear([sum([...model.logDensity(x)].map(Math.exp)) * h ** d], [1], 1e-12);
      }
    });
    test('draws with its mean and covariance and shares, the same for the same seed', () => {
      const { parameters, components } = drawMixture(type, 2, 3, 12), model = make(parameters), n = 10_000, x = model.sample(n, { seed: 3 });
      const mean = range(2).map((i) => sum(components.map((c) => c.weight * c.mean[i]!)));
      const second = (i: number, j: number): number => sum(components.map((c) =>
        c.weight * (c.covariance[i]![j]! + (c.mean[i]! - mean[i]!) * (c.mean[j]! - mean[j]!))));
      const rows = rowsOf(x, 2), moment = (f: (row: number[]) => number): number => sum(rows.map(f)) / n;
      for (const i of range(2)) {
        expectNear([moment((row) => row[i]!)], [mean[i]!], 5 * Math.sqrt(second(i, i) / n));
        for (const j of range(i + 1)) { // a fourth moment of a mixture is at most a few times that of one Gaussian
          const got = moment((row) => (row[i]! - mean[i]!) * (row[j]! - mean[j]!));
          expectNear([got], [second(i, j)], 10 * Math.sqrt((second(i, i) * second(j, j)) / n));
        }
      }
      const r = model.responsibilities(x);
      components.forEach(({ weight }, c) => expectNear([sum(range(n).map((i) => r[i * 3 + c]!)) / n], [weight], 5 * Math.sqrt(0.25 / n)));
      expectBits(model.sample(n, { seed: 3 }), x);
      expectBits(model.sample(10), model.sample(10, { seed: 0 }));
      expect(model.sample(10, { seed: 4 })).not.toEqual(model.sample(10, { seed: 3 }));
      expect(model.sample(0)).toEqual(new Float64Array(0));
    });
  });

  test('a component of weight 0 is never drawn', () => {
    const x = make({ weights: [0, 1, 0], means: [-1e6, 0, 1e6], covariances: [1, 1, 1], covarianceType: 'spherical' }).sample(2000, { seed: 9 });
    expect(x.every((v) => Math.abs(v) < 10)).toBe(true);
  });
  test('a permutation of the rows permutes all results, to the bit', () => fc.assert(fc.property(shapes, ({ type, d, k, n, seed, single }) => {
    const { parameters, components } = drawMixture(type, d, k, seed), model = make(parameters), rows = drawRows(components, n, seed);
    const step = [3, 7, 11].find((s) => gcd(s, n) === 1) ?? 1, order = range(n).map((i) => (i * step + seed) % n);
    const [x, y] = [arrayOf(rows, single), arrayOf(pick(rows, order), single)];
    expectBits(model.logDensity(y), arrayOf([pick([...model.logDensity(x)], order)], single));
    expectBits(model.responsibilities(y), arrayOf(pick(rowsOf(model.responsibilities(x), k), order), single));
    expect([...model.classify(y)]).toEqual(pick([...model.classify(x)], order));
  })));
  test('a permutation of the components changes no density and permutes the shares', () => fc.assert(fc.property(shapes, ({ type, d, k, n, seed }) => {
    const { parameters, components } = drawMixture(type, d, k, seed), { weights, means, covariances } = parameters as Parameters;
    const order = range(k).map((c) => (c + seed) % k).reverse(), x = f64(drawRows(components, n, seed)), model = make(parameters);
    const turned = make({ ...parameters, weights: pick(weights, order), means: pick(means, order), covariances: type === 'tied' ? covariances : pick(covariances as number[], order) });
    expectNear(turned.logDensity(x), model.logDensity(x), tight);
    expectNear(turned.responsibilities(x), flat(rowsOf(model.responsibilities(x), k).map((row) => pick(row, order))), 1e-14);
    const [a, b] = [turned.lossGradient(x), model.lossGradient(x)], terms = 1e-11 * n;
    expectNear(a.dWeights, pick([...b.dWeights], order), terms / Math.min(...weights));
    expectNear(a.dMeans, flat(pick(rowsOf(b.dMeans, d), order)), terms);
  })));
  test('batches give the bits of one call, and so does every row alone', () => fc.assert(fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }),
    ({ type, d, k, n, seed, single }, share) => {
      const { parameters, components } = drawMixture(type, d, k, seed), model = make(parameters);
      const x = arrayOf(drawRows(components, n, seed), single), whole = model.logDensity(x), r = model.responsibilities(x);
      for (const [from, to] of [[0, Math.floor(share * n)], [Math.floor(share * n), n], [n - 1, n]] as const) {
        expectBits(model.logDensity(x.subarray(from * d, to * d)), whole.slice(from, to));
        expectBits(model.responsibilities(x.subarray(from * d, to * d)), r.slice(from * k, to * k));
      }
    })));
  test('a call large enough for threads gives the bits of small ones', () => {
    const d = 8, { parameters, components } = drawMixture('full', d, 3, 1), model = make(parameters), few = drawRows(components, 1000, 2);
    const n = 200_000, x = new Float64Array(n * d), some = f64(few), want = model.logDensity(some);
    for (let at = 0; at < x.length; at += some.length) x.set(some, at);
    const got = model.logDensity(x);
    for (let at = 0; at < n; at += 1000) expectBits(got.subarray(at, at + 1000).slice(), want);
  });
  test('what else is in the batch changes no bit of a row', () => fc.assert(fc.property(shapes, fc.double({ noNaN: true, min: -1e100, max: 1e100 }),
    ({ type, d, k, n, seed }, other) => {
      const { parameters, components } = drawMixture(type, d, k, seed), model = make(parameters), row = seed % n;
      const x = f64(drawRows(components, n, seed)), crowd = x.map((v, i) => (Math.floor(i / d) === row ? v : other));
      expect(model.logDensity(crowd)[row]).toBe(model.logDensity(x)[row]);
      expectBits(model.responsibilities(crowd).slice(row * k, (row + 1) * k), model.responsibilities(x).slice(row * k, (row + 1) * k));
    })));
  test('a shift of everything changes nothing, a scale shifts log p by -d log |scale|, neither moves a share', () => fc.assert(fc.property(shapes,
    fc.integer({ min: -64, max: 64 }), fc.constantFrom(0.125, -0.5, 3, -7.25, 1e5), ({ type, d, k, n, seed }, shift, scale) => {
      const { parameters, components } = drawMixture(type, d, k, seed), rows = drawRows(components, n, seed), model = make(parameters);
      const map = (x: Dense): number[][] => x.map((row) => row.map((v) => scale * (v + shift)));
      const moved = make({ ...parameters, means: map((parameters as Parameters).means), covariances: (parameters.covariances as number[]).flat(3).map((v) => v * scale * scale) });
      const got = moved.logDensity(f64(map(rows))), off = tolerance(components, got), loose = 1 + Math.abs(shift); // the shift rounds
      expectNear(got.map((v) => v + d * Math.log(Math.abs(scale))), model.logDensity(f64(rows)), (v) => loose * off(Math.abs(v) + d * Math.abs(Math.log(Math.abs(scale)))));
      expectNear(moved.responsibilities(f64(map(rows))), model.responsibilities(f64(rows)), 100 * d * loose * off(0));
    })));

  test('a mixture of one is the Gaussian, to the bit', () => fc.assert(fc.property(shapes, ({ type, d, n, seed, single }) => {
    const { parameters, components } = drawMixture(type, d, 1, seed), { mean, covariance } = components[0]!, x = arrayOf(drawRows(components, n, seed), single);
    const one = new Gaussian(type === 'full' || type === 'tied' ? { mean, covariance } : { mean, variances: covariance.map((row, i) => row[i]!) }, on);
    expectBits(make({ ...parameters, weights: [1] }).logDensity(x), one.logDensity(x));
    expect(make({ ...parameters, weights: [1] }).responsibilities(x).every((r) => r === 1)).toBe(true);
    expectBits(make({ ...parameters, weights: [1] }).sample(5, { seed: 3 }).slice(0, 0), new Float64Array(0));
  })));
  test('tied is full with equal covariances, spherical diagonal with equal variances, to the bit', () => fc.assert(fc.property(shapes, ({ d, k, n, seed, single }) => {
    for (const [narrow, wide] of [['tied', 'full'], ['spherical', 'diagonal']] as const) {
      const { parameters, components } = drawMixture(narrow, d, k, seed), x = arrayOf(drawRows(components, n, seed), single);
      const covariances = components.map((c) => (wide === 'full' ? c.covariance : c.covariance.map((row, i) => row[i]!))) as number[][];
      const [a, b] = [make(parameters), make({ ...parameters, covariances, covarianceType: wide })];
      expectBits(a.logDensity(x), b.logDensity(x));
      expectBits(a.responsibilities(x), b.responsibilities(x));
      expectBits(a.sample(20, { seed }), b.sample(20, { seed }));
      const [g, h] = [a.lossGradient(x), b.lossGradient(x)];
      expect(g.loss).toBe(h.loss);
      expectBits(g.dWeights, h.dWeights);
      expectBits(g.dMeans, h.dMeans);
      const shared = narrow === 'tied' ? range(d * d).map((i) => sum(range(k).map((c) => h.dCovariances[c * d * d + i]!)))
        : rowsOf(h.dCovariances, d).map(sum);
      expectNear(g.dCovariances, shared, (v) => 1e-12 * (n + Math.abs(v)));
    }
  })));
  test('diagonal is full with zeros beside the diagonal', () => fc.assert(fc.property(shapes, ({ d, k, n, seed }) => {
    const { parameters, components } = drawMixture('diagonal', d, k, seed), x = f64(drawRows(components, n, seed));
    const full = make({ ...parameters, covariances: components.map((c) => c.covariance), covarianceType: 'full' }), off = tolerance(components, x);
    expectNear(full.logDensity(x), make(parameters).logDensity(x), off);
  })));
  test('a component written twice with half its weight is the same mixture', () => fc.assert(fc.property(shapes, ({ type, d, k, n, seed }) => {
    const { parameters, components } = drawMixture(type, d, k, seed), { weights, means, covariances } = parameters as Parameters, x = f64(drawRows(components, n, seed));
    const c = seed % k, order = [...range(k), c], halved = weights.map((w, i) => (i === c ? w / 2 : w));
    const twice = make({ ...parameters, weights: pick(halved, order), means: pick(means, order), covariances: type === 'tied' ? covariances : pick(covariances as number[], order) });
    expectNear(twice.logDensity(x), make(parameters).logDensity(x), tight);
    const r = twice.responsibilities(x), one = make(parameters).responsibilities(x);
    for (const i of range(n)) {
      expect(r[i * (k + 1) + c]).toBe(r[i * (k + 1) + k]);
      expectNear([2 * r[i * (k + 1) + c]!], [one[i * k + c]!], 1e-14);
    }
  })));
  test('a component of weight 0 changes no bit, wherever it stands and lies', () => fc.assert(fc.property(shapes, fc.nat(6), fc.constantFrom(0, 1e3, 1e200),
    ({ type, d, k, n, seed, single }, place, far) => {
      const { parameters, components } = drawMixture(type, d, k, seed), { weights, means, covariances } = parameters as Parameters;
      const x = arrayOf(drawRows(components, n, seed), single), at = Math.min(place, k), model = make(parameters);
      const insert = <V>(values: readonly V[], value: V): V[] => [...values.slice(0, at), value, ...values.slice(at)];
      const more = make({ ...parameters, weights: insert(weights, 0), means: insert(means, Array<number>(d).fill(single ? Math.min(far, 1e3) : far)),
        covariances: type === 'tied' ? covariances : insert(covariances as Row, (covariances as Row)[0]!) });
      expectBits(more.logDensity(x), model.logDensity(x));
      expectBits(more.responsibilities(x), arrayOf(rowsOf(model.responsibilities(x), k).map((row) => insert(row, 0)), single));
    })));

  test('shares sum to 1 and are exp(log w N - log p); classify takes the largest; logLikelihood is the sum', () => fc.assert(fc.property(shapes,
    ({ type, d, k, n, seed, single }) => {
      const { parameters, components } = drawMixture(type, d, k, seed), model = make(parameters), x = arrayOf(drawRows(components, n, seed), single);
      const log = model.logDensity(x), r = model.responsibilities(x), off = tolerance(components, x);
      const each = components.map(({ mean, covariance }) => new Gaussian({ mean, covariance }, on).logDensity(x));
      for (const [i, row] of rowsOf(r, k).entries()) {
        expectNear([sum(row)], [1], k * 2 * epsilon(x));
        expectNear(row, components.map(({ weight }, c) => Math.exp(Math.log(weight) + each[c]![i]! - log[i]!)),
          (share) => share * (off(log[i]!) + Math.max(...each.map((v) => off(v[i]!)))) + 2 ** -60);
      }
      const classes = model.classify(x);
      expect(classes).toBeInstanceOf(Int32Array);
      expect([...classes]).toEqual(rowsOf(r, k).map(largest));
      expect(model.logLikelihood(x)).toBe(sum(log));
      expectNear([model.lossGradient(x).loss], [-sum(log)], 1e-12 * (n + Math.abs(sum(log))));
    })));
  test('of two equal components classify takes the first', () => {
    const twins = make({ weights: [0.5, 0.5], means: [0, 0], covariances: [1, 1], covarianceType: 'spherical' });
    expect([...twins.classify([0, 1, -5, 1e100])]).toEqual([0, 0, 0, 0]);
    expect(twins.classify([])).toEqual(new Int32Array(0));
  });

  test('out is filled and returned, equal to what would be allocated', () => {
    const { parameters, components } = drawMixture('full', 3, 2, 1), model = make(parameters);
    for (const x of [f64(drawRows(components, 130, 1)), f32(drawRows(components, 130, 1))]) {
      const out = (x instanceof Float32Array ? new Float32Array(132) : new Float64Array(132)).subarray(1, -1);
      expect(model.logDensity(x, { out })).toBe(out);
      expectBits(out.slice(), model.logDensity(x));
    }
  });
  test('nothing returned is overwritten by a later call', () => {
    const { parameters, components } = drawMixture('full', 2, 2, 1), model = make(parameters), [x, y] = [f64(drawRows(components, 9, 1)), f64(drawRows(components, 9, 2))];
    const all = (data: Real) => [model.logDensity(data), model.responsibilities(data), model.classify(data), model.lossGradient(data), model.sample(3)];
    const first = all(x), kept = structuredClone(first);
    all(y);
    expect(first).toEqual(kept);
  });
  test('parameters are a fresh copy: neither they nor what the caller gave reach the model', () => {
    const given = { weights: Float64Array.of(0.25, 0.75), means: [[0, 1], [2, 3]], covariances: Float64Array.of(1, 2, 3, 4), covarianceType: 'diagonal' as const };
    const model = make(given), x = f64([[0, 1], [2, 2]]), want = model.logDensity(x);
    const { parameters } = model, kept = structuredClone(parameters);
    expect(parameters).toEqual({ ...given, means: Float64Array.of(0, 1, 2, 3) });
    for (const array of [given.weights, given.means[0]!, given.covariances, parameters.weights, parameters.means, parameters.covariances]) array.fill(9);
    expect(model.parameters).toEqual(kept);
    expectBits(model.logDensity(x), want);
    expectNear(model.logDensity(f32([[0, 1], [2, 2]])), want, 1e-5);
    expectBits(model.sample(4), make(kept).sample(4));
    for (const type of covarianceTypes) {
      const { parameters } = drawMixture(type, 2, 3, 1), again = make(make(parameters).parameters);
      expectBits(again.logDensity(x), make(parameters).logDensity(x));
      expect(again.parameters).toEqual(make(parameters).parameters);
    }
  });
  test('says what it is; full is what is meant without a type', () => {
    const { kind, dimension, componentCount, covarianceType, backend: own } = make({ weights: [1], means: [[0, 0]], covariances: [[[1, 0], [0, 1]]] });
    expect({ kind, dimension, componentCount, covarianceType }).toEqual({ kind: 'gaussian-mixture', dimension: 2, componentCount: 1, covarianceType: 'full' });
    expect(own).toBe(backend);
  });
  test('flat and nested parameters and points say the same', () => {
    const { parameters, components } = drawMixture('full', 2, 3, 4), rows = drawRows(components, 5, 1), want = make(parameters).logDensity(f64(rows));
    const same = make({ weights: Float64Array.from(parameters.weights), means: (parameters.means as Dense).flat(), covariances: (parameters.covariances as number[]).flat(3) });
    for (const x of [rows, rows.flat(), f64(rows)]) expectBits(same.logDensity(x), want);
  });
  test('disposed it refuses to score, as often as one likes', () => {
    const { parameters } = drawMixture('full', 2, 2, 1), model = make(parameters), other = make(parameters), x = [[0, 0], [1, 1]];
    const want = other.logDensity(x);
    model.logDensity(x);
    model.dispose();
    model.dispose();
    for (const call of [() => model.logDensity(x), () => model.responsibilities(x), () => model.classify(x), () => model.logLikelihood(x), () => model.lossGradient(x)])
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
  const two = [{ weight: 0.25, mean: [0, 0], covariance: [[2, 1], [1, 2]] }, { weight: 0.75, mean: [50, 50], covariance: matrix(2, 2, (i, j) => Number(i === j)) }];
  expectNear([logTextbook(two)([1, -1])], [Math.log(0.25 / (2 * Math.PI * Math.sqrt(3))) - 1], 1e-14);
});
