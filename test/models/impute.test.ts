/** Gaps filled by their conditional means, and by draws. */
import { describe, expect, test } from 'vitest';
import { Gaussian, GaussianMixture } from '../../src/index.ts';
import {
  covarianceTypes,
  drawMixture,
  drawRows,
  expectNear,
  f32,
  f64,
  range,
  refusal,
  sum,
  titled,
} from '../support/models.ts';

const gaps = { missing: 'nan' } as const;

describe.each(titled)('on %s', (_, backend) => {
  describe.each(covarianceTypes)('%s', (type) => {
    const { parameters, components } = drawMixture(type, 4, 3, 6);
    const model = new GaussianMixture(parameters, { backend });
    const rows = drawRows(components, 60, 2).map((row, i) => row.map((v, j) => ((i >> j) & 1 ? Number.NaN : v)));

    test('the means are those of the conditional mixture, and what was observed stays', () => {
      const want = rows.flatMap((row) => {
        const dims = range(4).filter((j) => !Number.isNaN(row[j]));
        if (dims.length === 4) return row;
        const given = dims.map((j) => row[j]!);
        const rest = [...(dims.length === 0 ? model : model.conditional(dims, given)).mean()];
        return row.map((v) => (Number.isNaN(v) ? rest.shift()! : v));
      });
      const x = f64(rows);
      const got = model.impute(x, gaps);
      expectNear(got, want, 1e-11);
      for (const [at, v] of x.entries()) if (!Number.isNaN(v)) expect(got[at]).toBe(v);
      expect(model.impute(rows, gaps)).toEqual(got);
      const mask = Uint8Array.from(x, (v) => Number(!Number.isNaN(v)));
      expect(
        model.impute(
          x.map((v) => (Number.isNaN(v) ? 77 : v)),
          { mask },
        ),
      ).toEqual(got);
      const single = model.impute(f32(rows), gaps);
      expect(single).toBeInstanceOf(Float32Array);
      expectNear(single, got, 1e-5);
      const complete = rows[0]!.map((_, j) => j);
      expect([...model.impute([complete])]).toEqual(complete);
      expect(model.impute([]).length).toBe(0);
    });
    test('draws have the moments of the conditional mixture', () => {
      const x = [rows[5]!, rows[10]!, rows[15]!, rows[1]!];
      const draws = 20_000;
      const got = model.impute(x, { ...gaps, draws, seed: 3 });
      expect(got.length).toBe(draws * 16);
      expect(model.impute(x, { ...gaps, draws: 3, seed: 3 })).not.toEqual(got.slice(0, 48));
      expect(model.impute(x, { ...gaps, draws: 3, seed: 1 })).toEqual(model.impute(x, { ...gaps, draws: 3, seed: 1 }));
      for (const [i, row] of x.entries()) {
        const dims = range(4).filter((j) => !Number.isNaN(row[j]));
        const rest = range(4).filter((j) => Number.isNaN(row[j]));
        const own =
          dims.length === 0
            ? model
            : model.conditional(
                dims,
                dims.map((j) => row[j]!),
              );
        const [mean, S] = [own.mean(), own.covariance()];
        const value = (s: number, j: number): number => got[(s * 4 + i) * 4 + j]!;
        for (const j of dims) expect(value(7, j)).toBe(row[j]);
        for (const [a, j] of rest.entries())
          for (const [b, h] of rest.entries()) {
            const moment = sum(range(draws).map((s) => (value(s, j) - mean[a]!) * (value(s, h) - mean[b]!))) / draws;
            expect(Math.abs(moment - S[a * rest.length + b]!)).toBeLessThan(0.15);
          }
      }
    });
  });

  test('a Gaussian, also by its factor', () => {
    for (const form of [{ covariance: [4, 2, 2, 10] }, { cholesky: [2, 0, 1, 3] }]) {
      const g = new Gaussian({ mean: [1, 2], ...form }, { backend });
      expectNear(
        g.impute(
          [
            [3, Number.NaN],
            [Number.NaN, 12],
            [Number.NaN, Number.NaN],
          ],
          gaps,
        ),
        [3, 3, 3, 12, 1, 2],
        1e-14,
      );
    }
    const g = new Gaussian({ mean: [1, 2], variances: [1, 4] }, { backend });
    // no distance is too far for one component
    expect([...g.impute([[1e200, Number.NaN]], gaps)]).toEqual([1e200, 2]);
    expect(g.impute([[null, 5]] as never, gaps)[0]).toBe(1);
  });
  test('far rows: the nearest component decides, until distances overflow', () => {
    const m = new GaussianMixture(
      { weights: [0.5, 0.5], means: [0, 1, 0, 9], covariances: [1, 4], covarianceType: 'spherical' },
      { backend },
    );
    expect(m.impute([[1e100, Number.NaN]], gaps)[1]).toBe(9);
    const x = [
      [0, 3],
      [1e200, Number.NaN],
      [0, Number.NaN],
    ];
    expect(refusal(() => m.impute(x, gaps))).toMatchObject({ code: 'NON_FINITE', argument: 'x', row: 1 });
    for (const options of [{}, { draws: 2, seed: 1 }]) {
      const marked = m.impute(x, { ...gaps, ...options, unscorable: 'mark' });
      expect(range(marked.length).filter((at) => Number.isNaN(marked[at]))).toEqual(options.draws ? [3, 9] : [3]);
    }
    const mask = Uint8Array.of(1, 0);
    expect(m.impute([1e200, 5], { mask, unscorable: 'mark' })[1]).toBeNaN();
    const steep = new Gaussian({ mean: [0, 0], covariance: [1e-300, 0.5e-150, 0.5e-150, 1] }, { backend });
    expect(refusal(() => steep.impute([[1e300, Number.NaN]], gaps))).toMatchObject({ code: 'NON_FINITE', row: 0 });
  });
  test('gaps have to be announced', () => {
    const g = new Gaussian({ mean: [1, 2], variances: [1, 4] }, { backend });
    expect(refusal(() => g.impute([[0, Number.NaN]]))).toMatchObject({
      code: 'NON_FINITE',
      row: 0,
      column: 1,
      message: "Gaussian.impute: x is NaN at row 0, column 1; a gap? say missing: 'nan'",
    });
    expect(refusal(() => g.impute([[0, 1]], { draws: 0 }))).toMatchObject({ argument: 'draws' });
    expect(refusal(() => g.impute([[0, Number.POSITIVE_INFINITY]], gaps))).toMatchObject({ row: 0, column: 1 });
  });
});
