/** One Gaussian on every backend: against the textbook, by identities, its draws, its life and death. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Gaussian, type GaussianParameters, type Real } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import {
  type Component,
  drawCovariance,
  drawRows,
  expectBits,
  expectNear,
  f32,
  f64,
  logTextbook,
  matrix,
  once,
  range,
  refusal,
  rowsOf,
  sum,
  times,
  titled,
  tolerance,
  transpose,
} from '../support/models.ts';

/** The lower triangular factor, the way it is taught. */
function choleskyOf(S: readonly (readonly number[])[]): number[][] {
  const L = S.map((row) => row.map(() => 0));
  for (const i of range(S.length))
    for (const j of range(i + 1)) {
      const rest = S[i]![j]! - sum(range(j).map((p) => L[i]![p]! * L[j]![p]!));
      L[i]![j] = i === j ? Math.sqrt(rest) : rest / L[j]![j]!;
    }
  return L;
}
const forms = ['covariance', 'cholesky', 'variances'] as const;
type Form = (typeof forms)[number];
function draw(form: Form, d: number, seed: number): { parameters: GaussianParameters; components: Component[] } {
  const random = uniform(seed);
  const mean = range(d).map(() => 2 * random());
  const variances = mean.map(() => 1 + 0.8 * random());
  const given = drawCovariance(d, random);
  const cholesky = choleskyOf(given);
  const covariance = {
    covariance: () => given,
    cholesky: () => times(cholesky, transpose(cholesky)),
    variances: () => matrix(d, d, (i, j) => (i === j ? variances[i]! : 0)),
  }[form]();
  const parameters = { covariance: { mean, covariance }, cholesky: { mean, cholesky }, variances: { mean, variances } }[
    form
  ];
  return { parameters, components: [{ weight: 1, mean, covariance }] };
}
/** Rows, and what the textbook says of them. */
const expected = once(([form, d]: readonly [Form, number]) => {
  const { parameters, components } = draw(form, d, 100 + d);
  const logDensity = logTextbook(components);
  const batches = (d === 5 ? [0, 1, 5, 127, 128, 129, 300] : [0, 1, 5, 129]).flatMap((n) =>
    [f64, f32].map((array) => {
      const x = array(drawRows(components, n, n));
      return { x, log: rowsOf(x, d).map(logDensity), off: tolerance(components, x) };
    }),
  );
  return { parameters, batches };
});
const shapes = fc.record({
  form: fc.constantFrom(...forms),
  d: fc.integer({ min: 1, max: 8 }),
  n: fc.integer({ min: 1, max: 140 }),
  seed: fc.nat(2 ** 31 - 1),
  single: fc.boolean(),
});
const arrayOf = (rows: number[][], single: boolean): Real => (single ? f32 : f64)(rows);

describe.each(titled)('Gaussian on %s', (_, backend) => {
  const on = { backend };

  describe.each(forms)('by %s', (form) => {
    test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33])('scores rows as the textbook does, d = %i', (d) => {
      const { parameters, batches } = expected([form, d]);
      const model = new Gaussian(parameters, on);
      for (const { x, log, off } of batches) {
        const got = model.logDensity(x);
        expect(got.constructor).toBe(x.constructor);
        expectNear(got, log, off);
      }
      model.dispose();
    });
    test('has the entropy of the closed form, and of the mean of -log p over its draws', () => {
      const { parameters, components } = draw(form, 3, 9);
      const model = new Gaussian(parameters, on);
      const n = 4000;
      const diagonal = choleskyOf(components[0]!.covariance).map((row, i) => row[i]!);
      const want = 1.5 * Math.log(2 * Math.PI * Math.E) + sum(diagonal.map(Math.log));
      expectNear([model.entropy()], [want], 1e-14);
      const mean = -sum(model.logDensity(model.sample(n, { seed: 5 }))) / n; // -log p has variance d/2
      expectNear([mean], [want], 5 * Math.sqrt(1.5 / n));
    });
    test('draws with its mean and covariance, the same for the same seed', () => {
      const { parameters, components } = draw(form, 3, 31);
      const model = new Gaussian(parameters, on);
      const n = 10_000;
      const x = model.sample(n, { seed: 7 });
      const { mean, covariance } = components[0]!;
      expect(x.length).toBe(3 * n);
      const drawn = rowsOf(x, 3);
      const moment = (f: (row: number[]) => number): number => sum(drawn.map(f)) / n;
      for (const i of range(3)) {
        const deviation = Math.sqrt(covariance[i]![i]! / n);
        expectNear([moment((row) => row[i]!)], [mean[i]!], 5 * deviation);
        for (const j of range(i + 1)) {
          const product = covariance[i]![i]! * covariance[j]![j]! + covariance[i]![j]! ** 2; // Isserlis
          const got = moment((row) => (row[i]! - mean[i]!) * (row[j]! - mean[j]!));
          expectNear([got], [covariance[i]![j]!], 5 * Math.sqrt(product / n));
        }
      }
      expectBits(model.sample(n, { seed: 7 }), x);
      expectBits(model.sample(10, { seed: 7 }), x.subarray(0, 30).slice());
      expectBits(model.sample(10), model.sample(10, { seed: 0 }));
      expect(model.sample(10, { seed: 8 })).not.toEqual(model.sample(10, { seed: 7 }));
      expect(model.sample(0)).toEqual(new Float64Array(0));
    });
  });

  test('its density is 1 in all, on a line and on a plane', () => {
    for (const form of forms)
      for (const [d, h, reach] of [
        [1, 0.05, 12],
        [2, 0.2, 10],
      ] as const) {
        const model = new Gaussian(draw(form, d, 3).parameters, on);
        const n = Math.round((2 * reach) / h) + 1;
        const at = (i: number): number => -reach + i * h;
        const x = f64(
          d === 1 ? range(n).map((i) => [at(i)]) : range(n * n).map((i) => [at(Math.floor(i / n)), at(i % n)]),
        );
        expectNear([sum([...model.logDensity(x)].map(Math.exp)) * h ** d], [1], 1e-12);
      }
  });
  test('the same covariance gives the same density whichever way it is given', () => {
    const mean = [1, -2, 0.5];
    const cholesky = [
      [1.9, 0, 0],
      [-1.1, 0.6, 0],
      [0.3, 2.7, 1.3],
    ];
    const x = f64(drawRows([{ weight: 1, mean, covariance: [] }], 200, 3));
    const full = new Gaussian({ mean, covariance: times(cholesky, transpose(cholesky)) }, on);
    expectNear(
      new Gaussian({ mean, cholesky }, on).logDensity(x),
      full.logDensity(x),
      (v) => 4e-14 * (1 + Math.abs(v)),
    );
    const variances = [4.1, 0.3, 9.7];
    const diagonal = matrix(3, 3, (i, j) => (i === j ? variances[i]! : 0));
    expectNear(
      new Gaussian({ mean, variances }, on).logDensity(x),
      new Gaussian({ mean, covariance: diagonal }, on).logDensity(x),
      (v) => 1e-14 * (1 + Math.abs(v)),
    );
  });
  test('flat and nested parameters and points say the same', () => {
    const model = new Gaussian(
      {
        mean: [1, 2],
        covariance: [
          [2, 1],
          [1, 3],
        ],
      },
      on,
    );
    const x = [
      [0, 1],
      [2, 3],
      [4, 5],
    ];
    const same = new Gaussian({ mean: Float32Array.of(1, 2), covariance: Float64Array.of(2, 1, 1, 3) }, on);
    for (const points of [x, x.flat(), f64(x), x.map((row) => Float64Array.from(row)) as unknown as number[][]])
      expectBits(same.logDensity(points), model.logDensity(f64(x)));
    expectBits(same.logDensity([0, 1]), model.logDensity(f64([[0, 1]])));
    expectBits(same.logDensity([]), new Float64Array(0));
    expectBits(same.logDensity(new Float32Array(0)), new Float32Array(0));
  });

  test('a permutation of the rows permutes the results, to the bit', () =>
    fc.assert(
      fc.property(shapes, ({ form, d, n, seed, single }) => {
        const { parameters, components } = draw(form, d, seed);
        const model = new Gaussian(parameters, on);
        const rows = drawRows(components, n, seed);
        const step = [1, 3, 7, 11].find((s) => s > 1 && gcd(s, n) === 1) ?? 1;
        const order = range(n).map((i) => (i * step + seed) % n);
        const whole = model.logDensity(arrayOf(rows, single));
        expectBits(
          model.logDensity(
            arrayOf(
              order.map((i) => rows[i]!),
              single,
            ),
          ),
          whole.map((_, i) => whole[order[i]!]!),
        );
      }),
    ));
  test('batches give the bits of one call, and so does every row alone', () =>
    fc.assert(
      fc.property(shapes, fc.double({ min: 0, max: 1, noNaN: true }), ({ form, d, n, seed, single }, share) => {
        const { parameters, components } = draw(form, d, seed);
        const model = new Gaussian(parameters, on);
        const x = arrayOf(drawRows(components, n, seed), single);
        const cut = Math.floor(share * n);
        const whole = model.logDensity(x);
        expectBits(model.logDensity(x.subarray(0, cut * d)), whole.subarray(0, cut).slice());
        expectBits(model.logDensity(x.subarray(cut * d)), whole.subarray(cut).slice());
        expectBits(model.logDensity(x.subarray((n - 1) * d)), whole.subarray(n - 1).slice());
      }),
    ));
  test('what else is in the batch changes no bit of a row', () =>
    fc.assert(
      fc.property(
        shapes,
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }),
        ({ form, d, n, seed }, other) => {
          const { parameters, components } = draw(form, d, seed);
          const model = new Gaussian(parameters, on);
          const x = f64(drawRows(components, n, seed));
          const alone = model.logDensity(x);
          const row = seed % n;
          const crowd = x.map((v, i) => (Math.floor(i / d) === row ? v : other));
          expect(model.logDensity(crowd)[row]).toBe(alone[row]);
        },
      ),
    ));
  test('a shift of mean and points changes nothing; a scale of both shifts log p by -d log |scale|', () =>
    fc.assert(
      fc.property(
        shapes,
        fc.integer({ min: -64, max: 64 }),
        fc.constantFrom(0.125, -0.5, 3, -7.25, 1e5),
        ({ form, d, n, seed }, shift, scale) => {
          const { parameters, components } = draw(form, d, seed);
          const { mean, covariance } = components[0]!;
          const rows = drawRows(components, n, seed);
          const log = new Gaussian(parameters, on).logDensity(f64(rows));
          const moved = new Gaussian(
            {
              mean: mean.map((m) => scale * (m + shift)),
              covariance: covariance.map((row) => row.map((v) => v * scale * scale)),
            },
            on,
          );
          const got = moved.logDensity(f64(rows.map((row) => row.map((v) => scale * (v + shift)))));
          const loose = 1 + Math.abs(shift); // the shift itself rounds points and mean
          expectNear(
            got.map((v) => v + d * Math.log(Math.abs(scale))),
            log,
            (v) => loose * tolerance(components, got)(Math.abs(v) + d * Math.abs(Math.log(Math.abs(scale)))),
          );
        },
      ),
    ));
  test('coordinates in another order are the same Gaussian', () =>
    fc.assert(
      fc.property(shapes, ({ d, n, seed }) => {
        const { components } = draw('covariance', d, seed);
        const { mean, covariance } = components[0]!;
        const x = drawRows(components, n, seed);
        const order = range(d)
          .map((j) => (j + seed) % d)
          .reverse();
        const turned = {
          mean: order.map((j) => mean[j]!),
          covariance: order.map((i) => order.map((j) => covariance[i]![j]!)),
        };
        const got = new Gaussian(turned, on).logDensity(f64(x.map((row) => order.map((j) => row[j]!))));
        expectNear(got, new Gaussian({ mean, covariance }, on).logDensity(f64(x)), tolerance(components, got));
      }),
    ));

  test('out is filled and returned, equal to what would be allocated; a subarray will do', () => {
    const model = new Gaussian({ mean: [0, 1], variances: [1, 2] }, on);
    for (const x of [
      f64(drawRows([{ weight: 1, mean: [0, 1], covariance: [] }], 130, 1)),
      Float32Array.of(1, 2, 3, 4),
    ]) {
      const n = x.length / 2;
      const out = (x instanceof Float32Array ? new Float32Array(n + 2) : new Float64Array(n + 2))
        .fill(7)
        .subarray(1, -1);
      expect(model.logDensity(x, { out })).toBe(out);
      expectBits(out.slice(), model.logDensity(x));
      expect(new (x.constructor as typeof Float64Array)(out.buffer as ArrayBuffer)[n + 1]).toBe(7);
    }
    const nested = new Float64Array(1);
    expect(model.logDensity([[1, 2]], { out: nested })).toBe(nested);
  });
  test('nothing returned is overwritten by a later call, and the data are left as they were', () => {
    const model = new Gaussian({ mean: [0], variances: [1] }, on);
    const x = Float64Array.of(1, 2, 3);
    const first = model.logDensity(x);
    const kept = first.slice();
    expect(model.logDensity(Float64Array.of(4, 5, 6))).not.toBe(first);
    expect(model.sample(3)).not.toBe(model.sample(3));
    expect(first).toEqual(kept);
    expect(x).toEqual(Float64Array.of(1, 2, 3));
  });
  test('parameters are a fresh copy: neither they nor what the caller gave reach the model', () => {
    const mean = Float64Array.of(1, 2);
    const covariance = [
      [2, 1],
      [1, 3],
    ];
    const model = new Gaussian({ mean, covariance }, on);
    const before = model.logDensity([0, 0]);
    const { parameters } = model;
    expect(parameters).toEqual({ mean: Float64Array.of(1, 2), covariance: Float64Array.of(2, 1, 1, 3) });
    mean.fill(9);
    covariance[0]![0] = 99;
    parameters.mean.fill(9);
    parameters.covariance!.fill(9);
    expect(model.parameters).toEqual({ mean: Float64Array.of(1, 2), covariance: Float64Array.of(2, 1, 1, 3) });
    expectBits(model.logDensity([0, 0]), before);
    expect(model.logDensity(Float32Array.of(0, 0))[0]).toBeCloseTo(before[0]!, 5);
    for (const form of forms) {
      const given = draw(form, 2, 5).parameters;
      const again = new Gaussian(new Gaussian(given, on).parameters as GaussianParameters, on);
      expect(Object.keys(again.parameters)).toEqual(['mean', form]);
      expectBits(again.logDensity([0.5, 1]), new Gaussian(given, on).logDensity([0.5, 1]));
    }
  });
  test('says what it is', () => {
    const { kind, dimension, backend: own } = new Gaussian({ mean: [0, 0, 0], variances: [1, 1, 1] }, on);
    expect({ kind, dimension }).toEqual({ kind: 'gaussian', dimension: 3 });
    expect(own).toBe(backend);
  });
  test('disposed it refuses to score, as often as one likes; others live on', () => {
    const model = new Gaussian({ mean: [0], variances: [1] }, on);
    const other = new Gaussian({ mean: [0], variances: [1] }, on);
    const want = model.logDensity([1]);
    model.dispose();
    model.dispose();
    for (const x of [[1], Float32Array.of(1), []])
      expect(refusal(() => model.logDensity(x))).toMatchObject({ code: 'DISPOSED' });
    expectBits(other.logDensity([1]), want);
    const never = new Gaussian({ mean: [0], variances: [1] }, on);
    never.dispose();
    expect(refusal(() => never.logDensity([1]))).toMatchObject({
      code: 'DISPOSED',
      message: 'this gaussian was disposed',
    });
  });
  test.runIf(Symbol.dispose)('`using` disposes', () => {
    const model = new Gaussian({ mean: [0], variances: [1] }, on) as Gaussian & Partial<Record<symbol, () => void>>;
    model[Symbol.dispose]!();
    expect(refusal(() => model.logDensity([1]))).toMatchObject({ code: 'DISPOSED' });
  });
});

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
