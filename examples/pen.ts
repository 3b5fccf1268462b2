/**
 * A network learns how Chinese characters are written, stroke by stroke, and writes some of its own. `npm run
 * example:pen`, or `node build/js/examples/pen.js [--out FILE.svg] [--minutes N] [--quick]`: the numbers and the
 * picture are the same every time on one machine, unless N minutes (default 10) are too few for all epochs.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultBackend, GaussianMixture, MixtureDensityNetwork, type NetworkFitOptions } from 'seqlik';
import { strokesSvg } from '../src/cli/sample/strokes.ts';
import { Random } from '../src/random.ts';
import { firstCharacter, GRID, readCharacters, resample, roundToGrid, shuffle, toOffsets } from './strokes.ts';
import { table } from './table.ts';

const full = {
  strokes: 10,
  characters: 4000,
  heldOut: 300,
  epochs: 30,
  hidden: [128, 128],
  components: 20,
  drawings: 36,
  batch: 32,
};
const quick = {
  strokes: 4,
  characters: 120,
  heldOut: 20,
  epochs: 30,
  hidden: [24],
  components: 5,
  drawings: 6,
  batch: 8,
};
const SPACING = 12; // between the points along a stroke, in steps of the grid
const STEPS = 150; // most steps of a drawing
const biases = [0, 1, 3];

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { out: { type: 'string' }, minutes: { type: 'string' }, quick: { type: 'boolean' } },
  });
  const { out = 'build/pen.svg' } = options;
  const minutes = Number(options.minutes ?? 10);
  if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, not ${options.minutes}`);
  const startedAt = performance.now();
  const settings = options.quick ? quick : full;

  const { training, heldOut } = chooseSequences(settings);
  const { drawings, epochs, hidden, components, batch } = settings;
  const network: NetworkFitOptions = {
    ...{ dimension: 3, binary: 1, hidden, components, mapping: 'graves', cell: 'lstm', inputSkip: true },
    ...{ batch, learningRate: 5e-3, schedule: 'cosine', validation: 0.05, patience: epochs, seed: 1 },
  };
  const affordable = (60 * minutes * 0.85) / (await measureEpoch(training, network));
  const maxIterations = Math.max(1, Math.min(epochs, Math.floor(affordable)));
  const { name, isa, threads } = defaultBackend();
  print(
    table(
      [
        [
          'characters',
          `${training.length} to learn from, ${heldOut.length} held out, of at most ${settings.strokes} strokes`,
        ],
        [
          'points',
          `${stepsOf(training)} and ${stepsOf(heldOut)}, ${SPACING} apart along a stroke, on a grid of ${GRID} x ${GRID}`,
        ],
        ['network', `lstm ${hidden.join(', ')}; ${components} Gaussians and the pen`],
        ['epochs', `${maxIterations}${maxIterations < epochs ? ` of ${epochs}: what ${minutes} minutes allow` : ''}`],
        ['backend', `${name} ${isa}, ${threads} threads`],
      ],
      2,
    ),
  );

  const { model } = await MixtureDensityNetwork.fit(training, {
    ...network,
    maxIterations,
    onProgress: ({ iteration, loss, secondsLeft }) =>
      progress(
        `epoch ${iteration} of ${maxIterations}, ${(-loss).toFixed(3)} per step, ${Math.ceil(secondsLeft)} s left`,
      ),
  });
  progress('');
  const baseline = await fitIndependent(training, components);
  const both = (score: (sequences: readonly Float32Array[]) => number) =>
    [training, heldOut].map((part) => (score(part) / stepsOf(part)).toFixed(3));
  print(
    table(
      [
        ['log-likelihood per step', 'training', 'held out'],
        ['one mixture of Gaussians for every step', ...both(baseline)],
        ['the network', ...both((part) => model.logLikelihood(part))],
      ],
      1,
    ),
  );

  const shown = heldOut.slice(0, drawings);
  const real = shown.map((rows) => firstCharacter(Float64Array.from(rows)).rows);
  const groups = [{ title: 'held-out characters', sequences: real }];
  for (const bias of biases) {
    const samples = shown.map((rows, seed) => {
      const first = rows.slice(0, 3); // the first point of a real character
      const rest = model.sample(STEPS, { prefix: first, bias, seed });
      return firstCharacter(Float64Array.of(...first, ...rest));
    });
    const complete = samples.filter((each) => each.complete).length;
    print(`bias ${bias}: ${complete} of ${drawings} drawings came to an end within ${STEPS} steps`);
    groups.push({ title: `written by the network, bias ${bias}`, sequences: samples.map((each) => each.rows) });
  }
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.${process.pid}`, strokesSvg(groups, { columns: Math.min(drawings, 18), cell: 64 }));
  renameSync(`${out}.${process.pid}`, out); // a reader never sees half a picture
  print(`picture: ${out} (${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes)`);
}

/** Chooses the characters to learn from, and others to judge the network by. */
function chooseSequences({ strokes, characters, heldOut }: typeof full) {
  const random = new Random(1);
  const uniform = (): number => random.uniform();
  const chosen = shuffle(readCharacters(strokes), uniform).slice(0, characters);
  const all = chosen.map((character) =>
    toOffsets(
      character.strokes.map((stroke) => roundToGrid(resample(stroke, SPACING))),
      uniform,
    ),
  );
  return { training: all.slice(heldOut), heldOut: all.slice(0, heldOut) };
}
/** Steps of sequences: the first observation of each is not predicted. */
const stepsOf = (sequences: readonly Float32Array[]): number =>
  sequences.reduce((sum, rows) => sum + rows.length / 3 - 1, 0);

/** Measures an epoch on a part of the sequences. */
async function measureEpoch(training: readonly Float32Array[], network: NetworkFitOptions): Promise<number> {
  const part = training.slice(0, 320);
  const startedAt = performance.now();
  await MixtureDensityNetwork.fit(part, { ...network, maxIterations: 1 });
  return ((performance.now() - startedAt) / 1000) * (stepsOf(training) / stepsOf(part));
}

/** Fits a model of a step without those before it: a mixture of Gaussians, and how often the pen is lifted. */
async function fitIndependent(training: readonly Float32Array[], components: number) {
  const offsets = (rows: Float32Array): number[][] =>
    Array.from({ length: rows.length / 3 - 1 }, (_, i) => [rows[3 * i + 3]!, rows[3 * i + 4]!]);
  const lifts = (rows: Float32Array): number => rows.filter((up, i) => i > 3 && i % 3 === 2 && up === 1).length;
  const sum = (sequences: readonly Float32Array[], value: (rows: Float32Array) => number): number =>
    sequences.reduce((total, rows) => total + value(rows), 0);
  const { model } = await GaussianMixture.fit(training.flatMap(offsets), { components, seed: 1 });
  const share = sum(training, lifts) / stepsOf(training);
  return (sequences: readonly Float32Array[]): number => {
    const up = sum(sequences, lifts);
    const down = stepsOf(sequences) - up;
    return model.logLikelihood(sequences.flatMap(offsets)) + up * Math.log(share) + down * Math.log(1 - share);
  };
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const progress = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`));

process.on('SIGINT', () => {
  progress('');
  process.exit(130);
});
main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
