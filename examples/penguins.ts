/**
 * Fits mixtures to the Palmer penguins, chooses one by BIC and scores every bird on every backend and level of this
 * machine: the main job of `npm start`.
 * `node build/js/examples/penguins.js [--out FILE.svg] [--quick]`; with SEQLIK_BACKEND=wasm on wasm alone.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type FitReport, GaussianMixture } from 'seqlik';
import { type Bird, crossTabulate, isMeasured, measurements, readBirds } from './birds.ts';
import { type Comparison, compare } from './compare.ts';
import { picture } from './picture.ts';
import { table } from './table.ts';

/** Levels that round a product-sum once (fused); all others must equal wasm to the bit. */
const fused = ['avx512', 'avx2', 'neon'];

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, out: { type: 'string' } } });
  const { quick = false, out = 'build/penguins.svg' } = options;
  const birds = readBirds();
  const x = Float64Array.from(birds.flatMap(({ values }) => values));

  print(`${birds.length} Palmer penguins, ${measurements.length} measurements; mixtures fitted without the species:`);
  const fits = await Promise.all([1, 2, 3, 4, 5, 6].map((components) => fitMixture(x, components)));
  const best = fits.reduce((a, b) => (b.bic < a.bic ? b : a));
  print(fitTable(fits, best));
  const { mixture } = best;
  const classes = mixture.classify(x, { missing: 'nan' });
  const { species, counts, names } = crossTabulate(birds, classes, mixture.componentCount);
  print(`birds of each species in each of the ${mixture.componentCount} components\n${crossTable(species, counts)}`);
  const right = birds.filter((bird, i) => isMeasured(bird) && bird.species === names[classes[i]!]);
  const measured = birds.filter(isMeasured);
  print(`in the component of their species: ${right.length} of ${measured.length} birds`);

  const draws = quick ? 20_000 : 1_000_000;
  const comparison = compare(mixture.parameters, x, draws, quick ? 3 : 9);
  print(`\n${speedTable(comparison)}`);
  print(`ulp: largest distance to native baseline (to wasm if there is no native) over the birds and ${draws} draws;`);
  print(`     a few on ${fused.join(', ')}, which round a product-sum once (fused), 0 on all others`);
  print('relative error: largest against plain JavaScript');

  const logDensity = mixture.logDensity(x, { missing: 'nan' });
  const scored = birds.map((bird, i) => ({ bird, number: i + 1, logDensity: logDensity[i]! }));
  const complete = scored.filter(({ bird }) => isMeasured(bird));
  const unusual = complete.toSorted((a, b) => a.logDensity - b.logDensity).slice(0, 5);
  print(`\nthe most unusual birds: the lowest log densities\n${birdTable(unusual)}`);
  const gaps = scored.filter(({ bird }) => bird.values.some(Number.isNaN));
  print(`birds with gaps: scored by what was measured, 0 if nothing was\n${birdTable(gaps)}`);

  const components = names.map((name, c) => ({ name, ...partOf(mixture, c) }));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.${process.pid}`, picture({ birds, species, components, unusual }));
  renameSync(`${out}.${process.pid}`, out); // a reader never sees half a picture
  print(`picture: ${out}`);

  const differs = comparison.contenders.find(({ isa, ulps }) => !fused.includes(isa) && ulps !== 0);
  if (differs)
    throw new Error(`${differs.name} ${differs.isa} is ${differs.ulps} ulp from baseline: it must be equal to the bit`);
}

interface Fit {
  readonly mixture: GaussianMixture;
  readonly report: FitReport;
  readonly bic: number;
}
async function fitMixture(x: Float64Array, components: number): Promise<Fit> {
  const dimension = measurements.length;
  const { model, report } = await GaussianMixture.fit(x, { components, dimension, restarts: 10, missing: 'nan' });
  return { mixture: model, report, bic: model.bic(x, { missing: 'nan' }) };
}

/** Mean and covariance of one component. */
function partOf({ parameters, dimension: d }: GaussianMixture, c: number) {
  const { means, covariances } = parameters;
  const row = (j: number): number[] => [...covariances.subarray((c * d + j) * d, (c * d + j + 1) * d)];
  return { mean: [...means.subarray(c * d, (c + 1) * d)], covariance: measurements.map((_, j) => row(j)) };
}

function fitTable(fits: readonly Fit[], best: Fit): string {
  return table(
    [
      ['components', 'log likelihood', 'BIC', 'iterations', ''],
      ...fits.map((fit) => [
        `${fit.mixture.componentCount}`,
        fit.report.logLikelihood.toFixed(2),
        fit.bic.toFixed(2),
        `${fit.report.iterations}${fit.report.converged ? '' : ' (not converged)'}`,
        fit === best ? '<- least BIC' : '',
      ]),
    ],
    0,
  );
}

function crossTable(species: readonly string[], counts: readonly (readonly number[])[]): string {
  const rows = counts.map((row, c) => [`component ${c}`, ...row.map(String)]);
  return table([['', ...species], ...rows], 1);
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

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
