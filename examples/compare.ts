/** Compares one mixture on every backend and level of this machine with plain JavaScript: agreement and speed. */
import { type Backend, defaultBackend, GaussianMixture, openBackend } from 'seqlik';
import { PlainMixture } from '../bench/contenders/plain.ts';
import { relativeError, ulps } from './ulp.ts';

export interface Contender {
  readonly name: string;
  readonly isa: string;
  readonly threads: number;
  /** Largest distance to native baseline, or to wasm where there is no native. */
  readonly ulps: number;
  /** Largest relative error against plain JavaScript. */
  readonly error: number;
  readonly pointsPerSecond: number;
}
export interface Comparison {
  readonly contenders: readonly Contender[];
  /** Points per second of plain JavaScript. */
  readonly plain: number;
}

/** Scores `rows`, which may have gaps, and, `rounds` times, `n` draws from the mixture. */
export function compare(
  parameters: GaussianMixture['parameters'],
  rows: Float64Array,
  n: number,
  rounds: number,
): Comparison {
  const mixtures = openBackends().map((backend) => new GaussianMixture(parameters, { backend }));
  const plain = new PlainMixture(parameters);
  const draws = mixtures[0]!.sample(n, { seed: 1 });
  const expected = new Float64Array(n);
  const outs = mixtures.map(() => new Float64Array(n));
  const [plainSeconds, ...seconds] = measureMedians(rounds, [
    () => plain.logDensity(draws, expected),
    ...mixtures.map((mixture, i) => () => mixture.logDensity(draws, { out: outs[i]! })),
  ]) as [number, ...number[]];

  const birds = mixtures.map((mixture) => mixture.logDensity(rows, { missing: 'nan' }) as Float64Array);
  const baseline = mixtures.findIndex(({ backend }) => backend.isa === 'baseline');
  const reference = baseline < 0 ? 0 : baseline;
  const contenders = mixtures.map(({ backend: { name, isa, threads } }, i) => ({
    name,
    isa,
    threads,
    ulps: Math.max(ulps(birds[i]!, birds[reference]!), ulps(outs[i]!, outs[reference]!)),
    error: relativeError(outs[i]!, expected),
    pointsPerSecond: n / seconds[i]!,
  }));
  for (const mixture of mixtures) mixture.dispose();
  return { contenders, plain: n / plainSeconds };
}

/** Opens the best level on all cores and each level on one, then wasm; wasm alone if that is the default here. */
function openBackends(): Backend[] {
  const best = defaultBackend();
  const wasm = openBackend({ name: 'wasm' });
  if (best.name === 'wasm') return [wasm];
  const levels = best.levels.map((isa) => openBackend({ name: 'native', isa, threads: 1 }));
  return [...(best.threads > 1 ? [best] : []), ...levels, wasm];
}

/** Measures the median seconds of each job. The jobs take turns, so that a busy moment of the machine hits them all. */
function measureMedians(rounds: number, jobs: readonly (() => void)[]): number[] {
  const times = jobs.map(() => new Float64Array(rounds));
  for (let round = -2; round < rounds; round++) {
    // two rounds to warm up
    for (const [i, job] of jobs.entries()) {
      const start = performance.now();
      job();
      if (round >= 0) times[i]![round] = (performance.now() - start) / 1000;
    }
  }
  return times.map((all) => all.sort()[rounds >> 1]!);
}
