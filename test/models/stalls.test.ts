/** Large models do their algebra in small pieces, between which others may run: counted, not timed. */
import { describe, expect, test } from 'vitest';
import { GaussianMixture, openBackend } from '../../src/index.ts';
import { Components } from '../../src/models/components/components.ts';
import { maximise } from '../../src/models/components/maximise.ts';
import { expect as expectation } from '../../src/models/components/sums.ts';
import { factorise, factorising, PIECE, pieces, tri } from '../../src/models/triangles.ts';
import { type Pass, runNow } from '../../src/models/work.ts';
import { Random } from '../../src/random.ts';
import { backends } from '../support/backends.ts';

const normals = (n: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return new Float64Array(n).map(() => random.normal());
};
/** A covariance [d,d]: a aᵀ and a diagonal. */
function covarianceOf(d: number): Float64Array {
  const a = normals(d, d);
  return new Float64Array(d * d).map((_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return a[i]! * a[j]! + Number(i === j) * (1 + (i % 5));
  });
}
const never = (): Error => new Error('it is definite');
/** The results of a pass, and how many pieces of work it yields. */
function count<R>(pass: Pass<R>): { result: R; pieces: number } {
  for (let yielded = 0; ; yielded++) {
    const step = pass.next();
    if (step.done) return { result: step.value, pieces: yielded };
    step.value.now();
  }
}

test('pieces are whole groups of lanes, together all rows, and none is large', () => {
  for (const d of [1, 31, 300, 784, 1000]) {
    const all = [...pieces(d)];
    expect(all.reduce((end, [from, part]) => (from === end ? end + part : Number.NaN), 0)).toBe(d);
    for (const [from, part] of all) {
      expect(part * d * d).toBeLessThanOrEqual(PIECE);
      expect(from % 32).toBe(0);
    }
  }
});

describe.each(backends.map((backend) => [`${backend.name} ${backend.isa}`, backend] as const))(
  'on %s',
  (_, backend) => {
    const d = 330; // the first piece is smaller than the matrix
    test('a matrix factorised in parts has the bits of one factorised at once', () => {
      const A = covarianceOf(d);
      const { result, pieces: parts } = count(factorising(backend, A, 1, d, never));
      const [L, logDet] = [new Float64Array(tri(d)), new Float64Array(1)];
      backend.f64.gaussian.factor({ n: 1, d }, { A, L, logDet });
      expect(parts).toBeGreaterThan(1);
      expect(result).toEqual({ L, logDet });
    });
    test('and so has its inverse', () => {
      const { L, logDet } = factorise(backend, covarianceOf(d), 1, d, never);
      const [W, b, weights] = [new Float64Array(tri(d)), new Float64Array(1), Float64Array.of(0.5)];
      backend.f64.mixture.prepare({ k: 1, d }, { weights, L, logDet, b, W });
      const [parts, c] = [new Float64Array(tri(d)), new Float64Array(1)];
      for (const [from, part] of pieces(d))
        backend.f64.mixture.preparePart({ d, from, part }, { weight: weights, L, logDet, b: c, W: parts });
      expect([parts, c]).toEqual([W, b]);
    });
    test('the pivot of a later part is named with its value', () => {
      const A = covarianceOf(d);
      const p = 300;
      A[p * d + p] = -1;
      let failure: unknown;
      expect(() =>
        factorise(backend, A, 1, d, (found) => {
          failure = found;
          return new Error('not definite');
        }),
      ).toThrow('not definite');
      expect(failure).toMatchObject({ matrix: 0, pivot: p });
      expect((failure as { value: number }).value).toBeLessThan(-1);
    });
  },
);

const names = (['native', 'wasm'] as const).filter((name) => backends.some((backend) => backend.name === name));
describe.each(names)('on %s', (name) => {
  test('neither a fit nor asynchronous scores call a kernel for a whole large matrix', async () => {
    const backend = openBackend({ name });
    const other = openBackend({ name }); // computes in its place
    const called: string[] = [];
    const watch = (noun: 'gaussian' | 'mixture', kernel: string): void => {
      const original = (
        other.f64[noun] as unknown as Record<string, (dims: { n?: number; k?: number; d: number }) => void>
      )[kernel]!;
      const note = ({ n = 1, k = 1, d }: { n?: number; k?: number; d: number }): void => {
        called.push(kernel);
        if (!kernel.endsWith('Part')) expect(n * k * d ** 3).toBeLessThanOrEqual(PIECE);
      };
      const watched = (...given: Parameters<typeof original>): void => {
        note(given[0]);
        original(...given);
      };
      const later = async (...given: Parameters<typeof original>): Promise<void> => {
        note(given[0]);
        await (original as unknown as { async: (...given: unknown[]) => Promise<void> }).async(...given);
      };
      Object.defineProperty(backend.f64[noun], kernel, { value: Object.assign(watched, { async: later }) });
    };
    for (const kernel of ['factor', 'factorPart']) watch('gaussian', kernel);
    for (const kernel of ['prepare', 'preparePart']) watch('mixture', kernel);
    const d = 330;
    const x = normals(400 * d, 1);
    const { model } = await GaussianMixture.fit(x, {
      ...{ backend, dimension: d, components: 2, maxIterations: 1, regularization: 0.1, initialization: 'k-means++' },
    });
    await model.logDensityAsync(x.subarray(0, 2 * d));
    expect(called).toContain('factorPart');
    expect(called).toContain('preparePart');
  });
});

test('the sums and the M step of a large mixture rest between some of their rows', () => {
  const [backend] = backends;
  const d = 256;
  const means = new Float64Array(2 * d);
  const covariances = new Float64Array(2 * d * d);
  for (let i = 0; i < 2 * d; i++) covariances[i * d + (i % d)] = 1;
  const weights = Float64Array.of(0.5, 0.5);
  const parts = { type: 'full', k: 2, d, weights, means, covariances } as const;
  const components = new Components(backend!, parts, 'f', 'covariances');
  const rows = { values: normals(10 * d, 3), n: 10 };
  const dims = [...Array(d).keys()];
  const sums = count(expectation('f', components, [{ dims, rows, weights: new Float64Array(10).fill(1) }]));
  expect(sums.pieces).toBeGreaterThanOrEqual(2 * (d / 64));
  const next = count(maximise('f', sums.result, new Float64Array(d)));
  expect(next.pieces).toBe(2 * (d / 64));
  expect(next.result).toEqual(runNow(maximise('f', sums.result, new Float64Array(d))));
  components.dispose();
});
