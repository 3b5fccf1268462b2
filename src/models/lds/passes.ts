/** Passes over sequences: filter, smoother, E step. They rest between rows, so that an abort need not wait. */
import { KernelFailure } from '../../errors.ts';
import { solve } from '../triangles.ts';
import { byRows, type Pass } from '../work.ts';
import { factorOf } from './gradient.ts';
import { plus, product, sandwich, symmetric, times } from './matrix.ts';
import { type Moments, markMoments, mergeMoments, noMoments } from './moments.ts';
import type { Observations } from './observations.ts';
import type { System } from './parameters.ts';
import { type Back, type Carry, filterRows, smoothRow, type Track } from './recursions.ts';

/** Sequences summed together before such sums are added, so that shards of a data set merge to the same bits. */
const SHARD = 64;

export interface Filtered {
  /** [n] */
  readonly logDensity: Float64Array;
  /** After the last row of each sequence; the prior, if it has none. */
  readonly states: readonly Carry[];
}
/** The prior of a sequence. */
export const priorOf = ({ initialMean, initialCovariance }: System): Carry => ({
  mean: initialMean,
  covariance: initialCovariance,
  started: false,
});
export function roomFor(m: number, rows: number, room: (n: number) => Float64Array): Track {
  return {
    predictedMeans: room(rows * m),
    predictedCovariances: room(rows * m * m),
    means: room(rows * m),
    covariances: room(rows * m * m),
  };
}

/** Where each sequence begins. */
function* spansOf(lengths: Int32Array): Generator<{ s: number; from: number; to: number }> {
  let from = 0;
  for (const [s, length] of lengths.entries()) {
    yield { s, from, to: from + length };
    from += length;
  }
}
/** The filter over all sequences, into `track` if given. Throws KernelFailure at { n, d }; d = -1: an overflow. */
export function* filterPass(
  system: System,
  { values, seen, lengths }: Observations,
  logDensity: Float64Array,
  track?: Track,
): Pass<Filtered> {
  const states: Carry[] = [];
  for (const { from, to } of spansOf(lengths)) {
    const carry = { ...priorOf(system) };
    yield* byRows(to - from, costOf(system), (a, b) =>
      filterRows(system, values, seen, from + a, from + b, carry, logDensity, track),
    );
    states.push(carry);
  }
  return { logDensity, states };
}
const costOf = ({ m, d }: System): number => 40 * (m + d) ** 3 + 200;

/** The smoother over all sequences, in place of the filtered moments of `track`; `each` sees every row. */
export function* smoothPass(
  system: System,
  lengths: Int32Array,
  track: Track,
  each: (back: Back, row: number, next: Back | undefined) => void,
): Pass<void> {
  for (const { from, to } of spansOf(lengths)) {
    let next: Back | undefined;
    yield* byRows(to - from, costOf(system), (a, b) => {
      for (let i = a; i < b; i++) {
        const row = to - 1 - i;
        const back = smoothRow(system, track, row, next);
        each(back, row, next);
        next = back;
      }
    });
  }
}

/** The E step. */
export function* expectPass(system: System, data: Observations, room: (n: number) => Float64Array): Pass<Moments> {
  let total = noMoments(system);
  let shard = noMoments(system);
  const { m, d } = system;
  const { values, seen } = data;
  for (const { s, from, to } of spansOf(data.lengths)) {
    const x = values.subarray(from * d, to * d);
    const own = seen?.subarray(from * d, to * d);
    const lengths = Int32Array.of(to - from);
    const track = roomFor(m, to - from, room);
    const logDensity = room(to - from);
    const sums = new Sums(system);
    try {
      yield* filterPass(system, { ...data, values: x, seen: own, lengths }, logDensity, track);
    } catch (error) {
      if (!(error instanceof KernelFailure)) throw error;
      throw new KernelFailure(error.kernel, { ...error.at, n: error.at['n']! + from });
    }
    yield* smoothPass(system, lengths, track, (back, row, next) => {
      sums.addObservation(x, own, row, back);
      if (next) sums.addTransition(back, next);
      if (row === 0) sums.addFirst(back);
    });
    shard = mergeMoments(shard, sums.moments(logDensity));
    if (s % SHARD === SHARD - 1) {
      total = mergeMoments(total, shard);
      shard = noMoments(system);
    }
  }
  return mergeMoments(total, shard);
}
type Sum = { -readonly [K in keyof Moments]: Moments[K] };
class Sums {
  private readonly sum: Sum;
  private readonly patterns = new Map<string, Completion>();
  constructor(private readonly system: System) {
    this.sum = { ...noMoments(system) };
  }
  moments(logDensity: Float64Array): Moments {
    let logLikelihood = 0;
    for (const value of logDensity) logLikelihood += value;
    return markMoments({ ...this.sum, logLikelihood });
  }
  addTransition({ mean, covariance, gain, conditional }: Back, next: Back): void {
    const { system, sum } = this;
    const { m, transition: A } = system;
    const e = plus(next.mean, times(A, mean, m, m), -1);
    const E = product(A, gain!, m, m, m).map((v, i) => (i % (m + 1) === 0 ? 1 : 0) - v);
    const EP = product(E, next.covariance, m, m, m);
    const AC = product(A, conditional!, m, m, m);
    sum.transitions++;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < m; j++) {
        let cross = e[i]! * mean[j]! - AC[i * m + j]!;
        let square = e[i]! * e[j]!;
        for (let p = 0; p < m; p++) {
          cross += EP[i * m + p]! * gain![j * m + p]!;
          square += EP[i * m + p]! * E[j * m + p]! + AC[i * m + p]! * A[j * m + p]!;
        }
        sum.transitionCross[i * m + j]! += cross;
        sum.transitionResidual[i * m + j]! += square;
        sum.previous[i * m + j]! += mean[i]! * mean[j]! + covariance[i * m + j]!;
      }
  }
  addFirst({ mean, covariance }: Back): void {
    const { m, initialMean } = this.system;
    const e = plus(mean, initialMean, -1);
    this.sum.sequences++;
    for (let i = 0; i < m; i++) {
      this.sum.initialResidual[i]! += e[i]!;
      for (let j = 0; j < m; j++) this.sum.initialSquare[i * m + j]! += e[i]! * e[j]! + covariance[i * m + j]!;
    }
  }
  addObservation(x: Float64Array, seen: Uint8Array | undefined, row: number, { mean, covariance: P }: Back): void {
    const { system, sum } = this;
    const { m, d, observation: B } = system;
    const mask = seen?.subarray(row * d, (row + 1) * d);
    const { rest, G, D, R } = this.completionOf(mask);
    sum.rows++;
    if (rest.length < d) sum.observedRows++;
    const r = new Float64Array(d); // E r = c + D m: of an observed coordinate x - B m, of another one G (x - B m)[o]
    for (let i = 0; i < d; i++) {
      if (mask && mask[i] === 0) continue;
      r[i] = x[row * d + i]!;
      for (let p = 0; p < m; p++) r[i]! -= B[i * m + p]! * mean[p]!;
    }
    if (rest.length > 0) r.set(plus(r, times(G, r, d, d)));
    const DP = product(D, P, d, m, m);
    const DPD = symmetric(sandwich(D, P, d, m), d);
    for (let i = 0; i < m; i++)
      for (let j = 0; j < m; j++) sum.state[i * m + j]! += mean[i]! * mean[j]! + P[i * m + j]!;
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < m; j++) sum.observationCross[i * m + j]! += r[i]! * mean[j]! + DP[i * m + j]!;
      for (let j = 0; j < d; j++)
        sum.observationResidual[i * d + j]! += r[i]! * r[j]! + DPD[i * d + j]! + R[i * d + j]!;
    }
  }
  private completionOf(mask: Uint8Array | undefined): Completion {
    const key = mask?.join('') ?? '';
    let found = this.patterns.get(key);
    if (!found) {
      found = complete(this.system, mask);
      this.patterns.set(key, found);
    }
    return found;
  }
}
interface Completion {
  /** The coordinates that are missing. */
  readonly rest: readonly number[];
  /** Their regression on the others [d,d], zero elsewhere. */
  readonly G: Float64Array;
  /** D = K - B [d,m]: -B of the observed ones, - G B of the others. */
  readonly D: Float64Array;
  /** The covariance [d,d] of the missing ones given the others, zero elsewhere. */
  readonly R: Float64Array;
}
function complete({ m, d, observation: B, observationCovariance: S }: System, mask?: Uint8Array): Completion {
  const rest = [...Array(d).keys()].filter((i) => mask?.[i] === 0);
  const o = [...Array(d).keys()].filter((i) => mask?.[i] !== 0);
  const L = factorOf(Float64Array.from(o.flatMap((i) => o.map((j) => S[i * d + j]!))), o.length);
  const G = new Float64Array(d * d);
  for (const u of rest) {
    const row = solve(
      L,
      Float64Array.from(o, (i) => S[u * d + i]!),
    );
    for (const [a, i] of o.entries()) G[u * d + i] = row[a]!;
  }
  const R = new Float64Array(d * d);
  for (const u of rest)
    for (const w of rest) {
      R[u * d + w] = S[u * d + w]!;
      for (const i of o) R[u * d + w]! -= G[u * d + i]! * S[i * d + w]!;
    }
  const D = new Float64Array(d * m);
  for (let i = 0; i < d; i++)
    for (let p = 0; p < m; p++) {
      if (rest.includes(i)) for (const j of o) D[i * m + p]! -= G[i * d + j]! * B[j * m + p]!;
      else D[i * m + p] = -B[i * m + p]!;
    }
  return { rest, G, D, R: symmetric(R, d) };
}
