/**
 * `node build/js/bench/fits.js [native|wasm]` shows where default fits of mixtures end and how long they take, beside
 * those of scikit-learn on one core (if Python has it); then the start on large data, EM with gaps, and the longest time
 * that a fit keeps the event loop waiting.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GaussianMixture, type MixtureFitOptions, openBackend } from 'seqlik';
import { Random } from '../src/random.ts';

type Fits = readonly { readonly score: number; readonly seconds: number }[];
interface Peer {
  readonly sets: Readonly<Record<string, number[][]>>;
  readonly cases: readonly { readonly set: string; readonly components: number; readonly fits: Fits }[];
}
const SEEDS = 5;
const REPEATS = 3;
/** Nats per row that count as equal: two fits of one optimum stop this close to it. */
const EQUAL = 1e-4;
const FLOOR = 0.02; // seconds that a fit may always take

const name = process.argv[2] === 'wasm' ? 'wasm' : 'native';
const backend = name === 'native' ? openBackend({ name, threads: 1 }) : openBackend({ name });
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** Fits and returns the report and the least time of several tries, in seconds. */
async function time(x: Float64Array, options: MixtureFitOptions & { components: number }, tries: number) {
  let seconds = Number.POSITIVE_INFINITY;
  for (let i = 0; ; ) {
    const start = performance.now();
    const { report } = await GaussianMixture.fit(x, { backend, ...options });
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
    if (++i >= tries) return { report, seconds };
  }
}
function askPeer(): Peer | undefined {
  const script = fileURLToPath(new URL('../../../bench/fits.py', import.meta.url));
  for (const python of ['python3', '/usr/bin/python3']) {
    const { status, stdout } = spawnSync(python, [script, `${REPEATS}`], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    if (status === 0) return JSON.parse(stdout) as Peer;
  }
  return undefined;
}

async function compareStarts({ sets, cases }: Peer): Promise<void> {
  const rows = [];
  for (const { set, components, fits } of cases) {
    const n = sets[set]!.length;
    const x = Float64Array.from(sets[set]!.flat());
    const ours = [];
    for (let seed = 0; seed < SEEDS; seed++) {
      const { report, seconds } = await time(x, { dimension: x.length / n, components, seed }, REPEATS);
      ours.push({ score: report.logLikelihood / n, seconds, iterations: report.iterations });
    }
    const score = median(ours.map((own) => own.score));
    const seconds = median(ours.map((own) => own.seconds));
    const [middle, best] = [median(fits.map((fit) => fit.score)), Math.max(...fits.map((fit) => fit.score))];
    const theirs = median(fits.map((fit) => fit.seconds));
    rows.push({
      set,
      components,
      'nats/row': score.toFixed(4),
      'its median': middle.toFixed(4),
      'its best': best.toFixed(4),
      ms: (seconds * 1e3).toFixed(1),
      'its ms': (theirs * 1e3).toFixed(1),
      iterations: median(ours.map((own) => own.iterations)),
      '>= median': score >= middle - EQUAL,
      '>= best': score >= best - EQUAL,
      'in time': seconds <= Math.max(FLOOR, theirs),
    });
  }
  console.table(rows);
  for (const goal of ['>= median', '>= best', 'in time'] as const)
    console.log(`${goal}: ${rows.filter((row) => row[goal]).length} of ${rows.length}`);
}

const normals = (n: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return new Float64Array(n).map(() => random.normal());
};
/** Milliseconds of one iteration: those of a fit of `more` iterations less those of a fit of none, which starts. */
async function timeIteration(x: Float64Array, options: MixtureFitOptions & { components: number }, more: number) {
  const given = { ...options, tolerance: 0 };
  const none = await time(x, { ...given, maxIterations: 0 }, 3);
  const some = await time(x, { ...given, maxIterations: more }, 3);
  return { start: none.seconds * 1e3, iteration: ((some.seconds - none.seconds) * 1e3) / more };
}
async function timeLargeStart(): Promise<void> {
  const x = normals(200_000 * 8, 1).map((z, i) => z + 3 * ((i >> 3) % 16 === i % 8 ? 1 : 0));
  const short = await timeIteration(x, { dimension: 8, components: 16 }, 5);
  const plain = await timeIteration(x, { dimension: 8, components: 16, initialization: 'random' }, 5);
  const start = short.start - plain.start; // which surveys the data and makes one E step too
  console.log(
    `200,000 x 8, 16 components: start ${start.toFixed(0)} ms, an iteration ${short.iteration.toFixed(1)} ms`,
  );
}
async function timeGaps(): Promise<void> {
  const x = normals(1000 * 30, 2);
  const random = new Random(3);
  for (let i = 0; i < x.length; i++) if (random.uniform() < 0.2) x[i] = Number.NaN;
  const options = { dimension: 30, components: 3, missing: 'nan', initialization: 'random' } as const;
  const { iteration } = await timeIteration(x, options, 5);
  console.log(`1000 x 30 with 20 % gaps, 3 components: ${iteration.toFixed(1)} ms an iteration`);
}
/** The longest time between two turns of the event loop while a promise is pending. */
async function watch(what: string, begin: () => Promise<unknown>): Promise<void> {
  let longest = 0;
  let last = performance.now();
  let done = false;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!done) setImmediate(look);
  };
  const start = performance.now();
  const pending = begin();
  last = performance.now();
  setImmediate(look);
  await pending.finally(() => {
    done = true;
  });
  longest = Math.max(longest, performance.now() - last);
  const all = performance.now() - start;
  console.log(
    `${what}: at most ${longest.toFixed(0)} ms between two turns of the event loop, ${all.toFixed(0)} in all`,
  );
}
async function watchFits(): Promise<void> {
  for (const d of [300, 784, 1000])
    for (const components of [1, 4]) {
      const x = normals(2000 * d, d);
      const options = { backend, dimension: d, components, maxIterations: 2, regularization: 1e-2 };
      let model: GaussianMixture | undefined;
      await watch(`fit of 2000 x ${d}, ${components} components`, async () => {
        ({ model } = await GaussianMixture.fit(x, options));
      });
      await watch(`logDensityAsync of them`, () => model!.logDensityAsync(x));
    }
}

const peer = askPeer();
if (peer) await compareStarts(peer);
else console.log('no Python with scikit-learn here');
await timeLargeStart();
await timeGaps();
await watchFits();
