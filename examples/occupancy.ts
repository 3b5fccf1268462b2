/**
 * A recurrent classifier reads four hours of road occupancy and predicts the next half hour, as fractions. `npm run
 * example:occupancy [-- FILE or FOLDER]`, or `node build/js/examples/occupancy.js [FILE or FOLDER] [--out FILE.svg]
 * [--seed N] [--quick]`: FILE has lines `time,percent`, FOLDER is the UCI set PEMS-SF; without either it makes up a road.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultBackend, RecurrentClassifier } from 'seqlik';
import { roadPicture } from './road-picture.ts';
import { readRoad } from './roads.ts';
import { table } from './table.ts';
import { AHEAD, split, windowsOf } from './windows.ts';

const VISITS = 10_000; // of windows: each is seen again and again if the road has few, and each four times at least

/** The mean cross-entropy of a target; a prediction of 0 or 1 is moved inside by a thousandth. */
function entropyOf(y: readonly number[][], prediction: (window: number, ahead: number) => number): number {
  let sum = 0;
  for (const [i, row] of y.entries())
    for (const [j, target] of row.entries()) {
      const p = Math.min(0.999, Math.max(0.001, prediction(i, j)));
      sum -= target * Math.log(p) + (1 - target) * Math.log1p(-p);
    }
  return sum / (y.length * AHEAD);
}

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    options: { out: { type: 'string' }, quick: { type: 'boolean' }, seed: { type: 'string' } },
    allowPositionals: true,
  });
  const { out = 'build/occupancy.svg' } = options;
  const road = readRoad(positionals[0]);
  const { training, heldOut } = split(windowsOf(road));
  if (training.x.length < 20 || heldOut.x.length === 0)
    throw new Error(`${road.name}: ${training.x.length} and ${heldOut.x.length} complete windows are too few`);

  const startedAt = performance.now();
  const { model, report } = await RecurrentClassifier.fit(training.x, training.y.flat(), {
    ...{ inputs: 2, hidden: options.quick ? 24 : 200, outputs: AHEAD, seed: Number(options.seed ?? 1) },
    // small steps, and as many as it takes: held-out windows of so few, so much alike, end the training at any time
    ...{ learningRate: 3e-4, schedule: 'cosine', batch: 8, validation: 0 },
    maxIterations: Math.max(
      options.quick ? 1 : 4,
      Math.ceil((options.quick ? VISITS / 8 : VISITS) / training.x.length),
    ),
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { probabilities } = model.predict(heldOut.x);
  const prediction = (i: number, j: number): number => probabilities[i * AHEAD + j]!;

  const mean = training.y.flat().reduce((sum, v) => sum + v, 0) / (training.y.length * AHEAD);
  const { name, isa, threads } = defaultBackend();
  const entropies: [string, number][] = [
    ['the classifier', entropyOf(heldOut.y, prediction)],
    ['persistence: the last value seen', entropyOf(heldOut.y, (i) => heldOut.x[i]!.at(-2)!)],
    ['the mean of the training targets', entropyOf(heldOut.y, () => mean)],
    ['the targets themselves, the least there is', entropyOf(heldOut.y, (i, j) => heldOut.y[i]![j]!)],
  ];
  const [[, own], [, persistence], [, constant]] = entropies as [[string, number], [string, number], [string, number]];
  process.stdout.write(
    table(
      [
        ['road', road.name],
        ['windows', `${training.x.length} to learn from, then ${heldOut.x.length} held out`],
        ['classifier', `${model.hidden} units; ${report.iterations} epochs, ${seconds.toFixed(1)} s`],
        ['backend', `${name} ${isa}, ${threads} threads`],
      ],
      2,
    ),
  );
  process.stdout.write(`\ncross-entropy of a target, held out\n`);
  process.stdout.write(
    table(
      entropies.map(([what, value]) => [what, value.toFixed(4)]),
      1,
    ),
  );
  const isBetter = own < persistence && own < constant;
  process.stdout.write(isBetter ? '\nThe classifier beats both.\n' : '\nThe classifier does not beat both.\n');

  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.part`, roadPicture(road, heldOut.at, prediction));
  renameSync(`${out}.part`, out);
  process.stdout.write(`prediction and truth: ${out}\n`);
  if (!isBetter) process.exitCode = 1;
}
await main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
