/**
 * Scores the Palmer penguins on every backend and level of this machine: the main job of `npm start`.
 * `node build/js/examples/penguins.js [--out FILE.svg] [--quick]`; with SEQLIK_BACKEND=wasm on wasm alone.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { GaussianMixture } from 'seqlik';
import { type Bird, fromLabels, measurements, readBirds } from './birds.ts';
import { type Comparison, compare } from './compare.ts';
import { picture } from './picture.ts';
import { table } from './table.ts';

/** The levels that round a product-sum once; all others must equal wasm to the bit. */
const fused = ['avx512', 'avx2', 'neon'];

function main(): void {
  const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, out: { type: 'string' } } });
  const { quick = false, out = 'build/penguins.svg' } = options;
  const birds = readBirds();
  const { species, parameters } = fromLabels(birds);
  const mixture = new GaussianMixture(parameters);
  const x = Float64Array.from(birds.flatMap(({ values }) => values));

  print(`${birds.length} Palmer penguins, ${measurements.length} measurements, one Gaussian per species`);
  const draws = quick ? 20_000 : 1_000_000;
  const comparison = compare(mixture.parameters, x, draws, quick ? 3 : 9);
  print(`\n${speedTable(comparison)}`);
  print(`ulp: largest distance to native baseline (to wasm if there is no native) over the birds and ${draws} draws;`);
  print(`     a few on ${fused.join(', ')}, which round a product-sum once (fused), 0 on all others`);
  print('relative error: largest against plain JavaScript');

  const logDensity = mixture.logDensity(x, { missing: 'nan' });
  const classes = mixture.classify(x, { missing: 'nan' });
  const scored = birds.map((bird, i) => ({ bird, number: i + 1, logDensity: logDensity[i]! }));
  const right = birds.filter((bird, i) => bird.species === species[classes[i]!]);
  print(`\nspecies recognised: ${right.length} of ${birds.length} birds`);
  const measured = scored.filter(({ bird }) => !bird.values.every(Number.isNaN));
  const unusual = measured.toSorted((a, b) => a.logDensity - b.logDensity).slice(0, 5);
  print(`\nthe most unusual birds: the lowest log densities\n${birdTable(unusual)}`);
  const gaps = scored.filter(({ bird }) => bird.values.some(Number.isNaN));
  print(`birds with gaps: scored by what was measured, 0 if nothing was\n${birdTable(gaps)}`);

  const { means, covariances } = parameters;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.${process.pid}`, picture({ birds, species, means, covariances, unusual }));
  renameSync(`${out}.${process.pid}`, out); // a reader never sees half a picture
  print(`picture: ${out}`);

  const differs = comparison.contenders.find(({ isa, ulps }) => !fused.includes(isa) && ulps !== 0);
  if (differs)
    throw new Error(`${differs.name} ${differs.isa} is ${differs.ulps} ulp from baseline: it must be equal to the bit`);
}

function speedTable({ contenders, plain }: Comparison): string {
  const speed = (points: number) => [(points / 1e6).toFixed(1), (points / plain).toFixed(1)];
  return table(
    [
      ['backend', 'isa', 'threads', 'ulp', 'relative error', 'million points/s', 'x plain JavaScript'],
      ...contenders.map(({ name, isa, threads, ulps, error, pointsPerSecond }) => [
        name,
        isa,
        `${threads}`,
        `${ulps}`,
        error.toExponential(1),
        ...speed(pointsPerSecond),
      ]),
      ['plain JavaScript', '', '1', '', '', ...speed(plain)],
    ],
    2,
  );
}

function birdTable(list: readonly { bird: Bird; number: number; logDensity: number }[]): string {
  return table(
    [
      ['species', 'island', 'sex', 'bird', ...measurements, 'log density'],
      ...list.map(({ bird, number, logDensity }) => [
        bird.species,
        bird.island,
        bird.sex,
        `${number}`,
        ...bird.values.map((value) => (Number.isNaN(value) ? '-' : `${value}`)),
        logDensity.toFixed(2),
      ]),
    ],
    3,
  );
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
