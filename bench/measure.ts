/** Times jobs in rounds of short Benchmark.js runs. */
import Benchmark from 'benchmark';

export interface Effort {
  readonly rounds: number;
  /** The duration of one run. */
  readonly seconds: number;
}
export interface Job {
  readonly title: string;
  /** Computes once; leaves the result where `check` looks for it. */
  run(): void;
  /** Computes for about `seconds` and returns the seconds per call, of a job that `run` cannot time from outside. */
  time?(seconds: number): number;
  /** Throws if the result of the last run is wrong. */
  check(): void;
}

/**
 * Returns the seconds per call of each job, the median over rounds. The jobs take turns, in an order that rotates from
 * round to round, so that a busy moment of the machine hits all of them. `onTurn` is called before each turn.
 */
export function measure(jobs: readonly Job[], { rounds, seconds }: Effort, onTurn: (job: Job) => void): number[] {
  const times = jobs.map(() => new Float64Array(rounds));
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < jobs.length; turn++) {
      const at = (round + turn) % jobs.length;
      const job = jobs[at]!;
      onTurn(job);
      times[at]![round] = timeJob(job, seconds);
      job.check();
    }
  return times.map(median);
}
export function median(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Times one job. Benchmark.js swallows what `run` throws: it is thrown again here. */
function timeJob({ title, run, time }: Job, seconds: number): number {
  if (time) return time(seconds);
  const settings = { maxTime: seconds, minTime: seconds / 10, minSamples: 1 };
  const benchmark = new Benchmark(title, run, settings).run();
  if (benchmark.error)
    throw new Error(`${title}: ${benchmark.error.message ?? benchmark.error}`, { cause: benchmark.error });
  const { mean } = benchmark.stats;
  if (!(mean > 0)) throw new Error(`${title}: no time was measured`);
  return mean;
}
