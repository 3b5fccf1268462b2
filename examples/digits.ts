/**
 * A two-layer net of 784 - 200 - 10 learns handwritten digits: `npm run example:digits`, or the letters of pen drawings,
 * `npm run example:digits -- letters FILE.ndjson`, or pictures in IDX files, `-- idx IMAGES LABELS`. With `--out FILE.svg`
 * and `--quick`. The numbers are the same every time on one machine.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultBackend, TwoLayerClassifier } from 'seqlik';
import { Random } from '../src/random.ts';
import { readIdx } from './idx.ts';
import {
  distort,
  drawAffine,
  type Labelled,
  PIXELS,
  rasterise,
  readDigits,
  readDrawings,
  SIDE,
  sheet,
} from './images.ts';
import { table } from './table.ts';

const HIDDEN = 200;
const WORST = 24; // pictures drawn

interface Task {
  readonly names: readonly string[];
  readonly heldOut: readonly Labelled[];
  /** Pictures to learn from, under a heading each. */
  readonly courses: Readonly<Record<string, { readonly training: readonly Labelled[]; readonly epochs: number }>>;
}

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    options: { out: { type: 'string' }, quick: { type: 'boolean' } },
    allowPositionals: true,
  });
  const quick = options.quick ?? false;
  const [what = 'digits', ...files] = positionals;
  const { out = `build/${what}.svg` } = options;
  const { names, heldOut, courses } = taskOf(what, files, quick);
  const { name, isa, threads } = defaultBackend();
  print(
    `${heldOut.length} pictures held out; ${PIXELS} - ${HIDDEN} - ${names.length} on ${name} ${isa}, ${threads} threads`,
  );

  const rows = [['trained on', 'pictures', 'epochs', 's per epoch', 'right, held out']];
  let last: { right: number; probabilities: ArrayLike<number> } | undefined;
  for (const [title, { training, epochs }] of Object.entries(courses)) {
    const startedAt = performance.now();
    const { model } = await TwoLayerClassifier.fit(join(training), oneHot(training, names.length), {
      ...{ inputs: PIXELS, hidden: HIDDEN, outputs: names.length, labels: names },
      ...{ learningRate: 2e-3, batch: 64, schedule: 'cosine', validation: 0, maxIterations: epochs, seed: 1 },
      onProgress: ({ iteration, loss }) =>
        progress(`${title}: epoch ${iteration} of ${epochs}, loss ${loss.toFixed(4)}`),
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const { probabilities } = model.predict(join(heldOut));
    const chosen = heldOut.map((_, i) => bestOf(probabilities, i, names.length));
    const right = heldOut.filter(({ label }, i) => chosen[i] === label).length / heldOut.length;
    last = { right, probabilities };
    rows.push([
      title,
      `${training.length}`,
      `${epochs}`,
      (seconds / epochs).toFixed(2),
      `${(100 * right).toFixed(2)} %`,
    ]);
  }
  progress('');
  print(table(rows, 1));
  const { probabilities } = last!;
  print(confusion(heldOut, probabilities, names));
  writeWorst(out, heldOut, probabilities, names);
  print(`picture: ${out}`);
}

function taskOf(what: string, files: readonly string[], quick: boolean): Task {
  const random = new Random(1);
  const copies = (all: readonly Labelled[], count: number): Labelled[] => [
    ...all,
    ...Array.from({ length: count }, () =>
      all.map(({ image, label }) => ({ image: distort(image, drawAffine(random)), label })),
    ).flat(),
  ];
  if (what === 'letters' && files.length === 1) {
    const drawings = readDrawings(files[0]!);
    const characters = [...new Set(drawings.map(({ character }) => character))].sort((a, b) => a - b);
    const drawers = [...new Set(drawings.map(({ drawer }) => drawer))].sort((a, b) => a - b);
    const others = drawers.slice(-4);
    const label = (character: number): number => characters.indexOf(character);
    const [known, unseen] = [false, true].map((is) => drawings.filter(({ drawer }) => others.includes(drawer) === is));
    const count = quick ? 2 : 60;
    const training = known!.flatMap((drawing) =>
      Array.from({ length: 1 + count }, (_, i) => ({
        image: rasterise(drawing, i === 0 ? undefined : drawAffine(random)),
        label: label(drawing.character),
      })),
    );
    const isLatin = characters.length === 26;
    return {
      names: characters.map((character, i) => (isLatin ? String.fromCharCode(97 + i) : `${character}`)),
      heldOut: unseen!.map((drawing) => ({ image: rasterise(drawing), label: label(drawing.character) })),
      courses: { [`${count} distorted copies of each`]: { training, epochs: quick ? 2 : 20 } },
    };
  }
  let all: Labelled[];
  if (what === 'digits' && files.length === 0) all = readDigits();
  else if (what === 'idx' && files.length === 2) all = readPictures(files[0]!, files[1]!);
  else throw new Error('say nothing, or letters FILE.ndjson, or idx IMAGES LABELS');
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  if (quick) all = all.slice(0, 500);
  const held = Math.floor(all.length / 5);
  const [heldOut, training] = [all.slice(0, held), all.slice(held)];
  const most = all.reduce((largest, { label }) => Math.max(largest, label), 0);
  return {
    names: Array.from({ length: most + 1 }, (_, label) => `${label}`),
    heldOut,
    courses: {
      'pictures as they are': { training, epochs: quick ? 2 : 20 },
      'with 4 distorted copies of each': { training: copies(training, quick ? 1 : 4), epochs: quick ? 2 : 20 },
    },
  };
}
function readPictures(images: string, labels: string): Labelled[] {
  const { shape, values } = readIdx(readFileSync(images), images);
  const { shape: count, values: numbers } = readIdx(readFileSync(labels), labels);
  const [n, ...size] = shape;
  if (size.join() !== `${SIDE},${SIDE}`) throw new Error(`${images}: pictures of ${size.join(' x ')}, not 28 x 28`);
  if (count.join() !== `${n}`) throw new Error(`${labels}: ${count.join(' x ')} labels for ${n} pictures`);
  const grey = values.map((value) => value / 255);
  return Array.from(numbers, (label, i) => ({ image: grey.subarray(i * PIXELS, (i + 1) * PIXELS), label }));
}

function join(all: readonly Labelled[]): Float32Array {
  const rows = new Float32Array(all.length * PIXELS);
  for (const [i, { image }] of all.entries()) rows.set(image, i * PIXELS);
  return rows;
}
function oneHot(all: readonly Labelled[], classes: number): Float32Array {
  const rows = new Float32Array(all.length * classes);
  for (const [i, { label }] of all.entries()) rows[i * classes + label] = 1;
  return rows;
}
/** The likeliest class of a row. */
function bestOf(probabilities: ArrayLike<number>, row: number, classes: number): number {
  let best = 0;
  for (let j = 1; j < classes; j++)
    if (probabilities[row * classes + j]! > probabilities[row * classes + best]!) best = j;
  return best;
}
/** Rows: what it is; columns: what the net says. */
function confusion(heldOut: readonly Labelled[], probabilities: ArrayLike<number>, names: readonly string[]): string {
  const counts = names.map(() => names.map(() => 0));
  for (const [i, { label }] of heldOut.entries()) counts[label]![bestOf(probabilities, i, names.length)]!++;
  const lines = counts.map((row, i) => [names[i]!, ...row.map((count) => (count === 0 ? '.' : `${count}`))]);
  return table([['is, taken for', ...names], ...lines], 1);
}
/** Draws the pictures whose own class has the least probability beside the likeliest other. */
function writeWorst(
  path: string,
  heldOut: readonly Labelled[],
  probabilities: ArrayLike<number>,
  names: readonly string[],
): void {
  const judged = heldOut.map(({ image, label }, i) => {
    const best = bestOf(probabilities, i, names.length);
    const [own, other] = [label, best].map((j) => probabilities[i * names.length + j]!);
    const percent = (p: number): string => `${Math.round(100 * p)} %`;
    const text = `${names[label]} ${percent(own!)}, ${names[best]} ${percent(other!)}`;
    return { image, text, isWrong: best !== label, margin: own! - other! };
  });
  const wrong = judged.filter(({ isWrong }) => isWrong).sort((a, b) => a.margin - b.margin);
  const title = `The worst ${Math.min(WORST, wrong.length)} of ${wrong.length} mistakes: what it is, what it was taken for`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, sheet(title, wrong.slice(0, WORST), 8));
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
