/**
 * Expectation maximisation for Gaussian components: the best of several restarts, each from its own start. The same seed
 * gives the same result for any number of threads. Equations: docs/math/mixture.md.
 */
import type { Rows } from '../../check.ts';
import { Random } from '../../random.ts';
import { Pace } from '../../training/pace.ts';
import { runAsync } from '../work.ts';
import { climb, type Fit, type Slope } from './climb.ts';
import type { Parts } from './components.ts';
import { hasMatrices } from './covariances.ts';
import { drawRows, Starts } from './initialise.ts';
import { Observations } from './observations.ts';
import { completeStart } from './partial.ts';
import { isSingular } from './reseed.ts';
import type { Settings } from './settings.ts';

/**
 * Short runs, some of which go on for longer: the better quarter. There are as many as cost about what one fit costs, in
 * multiplications, so that a start takes about ten milliseconds; none where one iteration takes longer than that (`dear`).
 */
const SHORT = {
  most: 10,
  least: 3,
  iterations: [3, 5],
  rows: 2048,
  tolerance: 1e-3,
  cost: 6e7,
  overhead: 2e5, // of each pattern of gaps, which has factors of its own
  dear: 2e8,
};

/**
 * The best of the restarts, by the penalised log-likelihood. Throws EMPTY_INPUT, INVALID_ARGUMENT (components),
 * NON_FINITE, NOT_POSITIVE_DEFINITE, ABORTED.
 */
export async function fitComponents(x: Rows, settings: Settings): Promise<Fit> {
  const { where, backend, signal, restarts, init, start } = settings;
  const pace = new Pace(signal, where);
  const data = await Observations.survey(x, settings, pace);
  const resident = data.complete ? backend.hold(x.values) : undefined;
  try {
    const batches = await data.batches(resident ? { ...x, resident } : x, pace);
    const slope = { data, batches, settings, pace };
    const given = start && (await completeStart(start, data, settings, pace));
    const run = async (restart: number): Promise<Fit> =>
      climb(init ?? given ?? (await findStart(slope, restart)), slope, restart);
    const ended = await settleEach(init || given ? 1 : restarts, backend.threads, run);
    const failed = ended.find((end) => end.status === 'rejected');
    const done = ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
    if (failed && (done.length === 0 || !isSingular(failed.reason))) throw failed.reason;
    const best = done.reduce((a, b) => (b.score > a.score ? b : a));
    if (done.length < ended.length)
      best.report.warnings.push(`${ended.length - done.length} of ${ended.length} restarts failed`);
    return best;
  } finally {
    resident?.dispose();
  }
}

/** Runs `run` of 0 .. count - 1, at most `most` at a time: each holds sums and a share of the caches. */
async function settleEach<R>(
  count: number,
  most: number,
  run: (index: number) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const ended: PromiseSettledResult<R>[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      [ended[index]] = (await Promise.allSettled([run(index)])) as [PromiseSettledResult<R>];
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, most) }, work));
  return ended;
}

async function findStart(slope: Slope, restart: number): Promise<Parts> {
  const { data, settings, pace } = slope;
  const { backend, type, k, seed, initialization, sampleWeights, signal } = settings;
  const random = new Random(seed, restart);
  const anywhere = initialization === 'random';
  const rows = anywhere ? data.usable : drawRows(data, Math.max(SHORT.rows, 64 * k), random);
  const starts = await Starts.of(backend, data, rows, sampleWeights, pace);
  try {
    const draw = (): Promise<Parts> => runAsync(starts.draw(type, k, random, anywhere), pace, signal);
    if (initialization !== 'short-runs' || k === 1) return await draw();
    return await runShort(slope, rows, draw);
  } finally {
    starts.dispose();
  }
}
/** The end of the best of many short runs over some of the rows. */
async function runShort(slope: Slope, rows: Int32Array, draw: () => Promise<Parts>): Promise<Parts> {
  const { backend, k, d, type } = slope.settings;
  const { data, settings } = slope.data.select(rows);
  const { onProgress: _, ...quiet } = settings;
  const [few, more] = SHORT.iterations as [number, number];
  const resident = data.complete ? backend.hold(data.x.values) : undefined;
  try {
    const batches = await data.batches(resident ? { ...data.x, resident } : data.x, slope.pace);
    const each = batches.length * SHORT.overhead + rows.length * k * (20 + (hasMatrices(type) ? d * (d + 1) : 2 * d));
    if (each > SHORT.dear) return await draw();
    const most = Math.floor(SHORT.cost / each / (few + more / 4));
    const runs = Math.max(SHORT.least, Math.min(SHORT.most, most));
    const run = async (starts: readonly Parts[], maxIterations: number): Promise<Fit[]> => {
      const short = { ...quiet, maxIterations, tolerance: SHORT.tolerance };
      const ends: Fit[] = [];
      for (const start of starts)
        try {
          ends.push(await climb(start, { data, batches, settings: short, pace: slope.pace }, 0));
        } catch (error) {
          if (!isSingular(error)) throw error;
        }
      return ends.sort((a, b) => b.score - a.score);
    };
    const starts: Parts[] = [];
    while (starts.length < runs) starts.push(await draw());
    const ends = await run(starts, few);
    const better = ends.slice(0, Math.ceil(runs / 4)).map(({ parts }) => parts);
    const [best] = await run(better, more);
    return best?.parts ?? better[0] ?? starts[0]!; // which fails over all rows too, or does not
  } finally {
    resident?.dispose();
  }
}
