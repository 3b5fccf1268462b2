/** Draws over seeds, not along one stream: a small seed is as random as any other. */
import { expect, test } from 'vitest';
import { GaussianMixture, MixtureDensityNetwork } from '../src/index.ts';
import { Random } from '../src/random.ts';

const SEEDS = 2000;
/** χ² of values in [0, 1) over ten equal classes: 27.9 is exceeded once in a thousand times, 45 once in a million. */
function chiSquare(values: readonly number[]): number {
  const counts = new Float64Array(10);
  for (const v of values) counts[Math.floor(10 * v)]!++;
  const each = values.length / 10;
  return counts.reduce((sum, n) => sum + (n - each) ** 2 / each, 0);
}
const overSeeds = (draw: (seed: number) => number): number[] => Array.from({ length: SEEDS }, (_, seed) => draw(seed));
const nth = (random: Random, n: number): number => {
  for (let i = 1; i < n; i++) random.uniform();
  return random.uniform();
};
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (v: readonly number[]): number => v.reduce((s, x) => s + x, 0) / v.length;
  const [p, q] = [mean(a), mean(b)];
  const dot = (f: (i: number) => number): number => a.reduce((s, _, i) => s + f(i), 0);
  const [pq, pp, qq] = [
    dot((i) => (a[i]! - p) * (b[i]! - q)),
    dot((i) => (a[i]! - p) ** 2),
    dot((i) => (b[i]! - q) ** 2),
  ];
  return pq / Math.sqrt(pp * qq);
}

for (const n of [1, 2, 3, 10, 61])
  test(`draw ${n} of consecutive seeds, of seeds far apart, and of streams of one seed is uniform`, () => {
    expect(chiSquare(overSeeds((seed) => nth(new Random(seed), n)))).toBeLessThan(30);
    expect(chiSquare(overSeeds((seed) => nth(new Random((seed * 65536) >>> 0), n)))).toBeLessThan(30);
    expect(chiSquare(overSeeds((stream) => nth(new Random(7, stream), n)))).toBeLessThan(30);
  });

test('neighbouring seeds and streams are uncorrelated, and no stream is one of another seed', () => {
  const first = overSeeds((seed) => new Random(seed).uniform());
  const bound = 4 / Math.sqrt(SEEDS);
  expect(
    Math.abs(
      correlation(
        first,
        overSeeds((seed) => new Random(seed + 1).uniform()),
      ),
    ),
  ).toBeLessThan(bound);
  expect(
    Math.abs(
      correlation(
        first,
        overSeeds((seed) => new Random(seed, 1).uniform()),
      ),
    ),
  ).toBeLessThan(bound);
  const all = [...Array(100).keys()].flatMap((seed) =>
    [...Array(100).keys()].map((stream) => new Random(seed, stream).uniform()),
  );
  expect(new Set(all).size).toBe(100 * 100);
});

test('the first normal of a seed has mean 0 and variance 1 over seeds', () => {
  const draws = overSeeds((seed) => new Random(seed).normal());
  const mean = draws.reduce((a, b) => a + b, 0) / SEEDS;
  const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / SEEDS;
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(SEEDS));
  expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / SEEDS));
});

test('the first draw of a mixture comes from each component as often as its weight says', () => {
  const m = new GaussianMixture({ weights: [0.3, 0.7], means: [[0], [10]], covariances: [1, 1] });
  const low = overSeeds((seed) => m.sample(1, { seed })[0]!).filter((x) => x < 5).length;
  expect(Math.abs(low - 0.3 * SEEDS)).toBeLessThan(4 * Math.sqrt(SEEDS * 0.3 * 0.7)); // was 0
});

test('the first weight of a network is uniform over seeds', () => {
  const weights = [...Array(200).keys()].map((seed) => {
    const network = new MixtureDensityNetwork({ dimension: 1, hidden: [4], components: 1, seed });
    const w = network.parameters['Wx0']![0]!;
    network.dispose();
    return w + 0.5; // ±1/√4
  });
  expect(chiSquare(weights)).toBeLessThan(30);
});

test('the rows at which a fit starts differ over seeds', async () => {
  const x = Array.from({ length: 50 }, (_, i) => [i]);
  const first = new Set<number>();
  for (let seed = 0; seed < 100; seed++) {
    const { model } = await GaussianMixture.fit(x, { components: 2, initialization: 'random', seed, maxIterations: 0 });
    first.add(model.parameters.means[0]!);
  }
  expect(first.size).toBeGreaterThan(35); // of 50; expected 43.4 ± 2. Was 1
});
