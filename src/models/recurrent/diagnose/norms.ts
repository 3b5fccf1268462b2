/** The gradient of the last loss of each sequence by the states at some distances before it. */
import { runNow } from '../../work.ts';
import { type Batch, backward, forward, type PassContext } from '../stack/pass.ts';

/** Norms of a gradient by the distance in time that it has flowed back, over the sequences that go back so far. */
export interface GradientNorms {
  /** Steps from the end of a sequence, ascending: 1, 2, 3, ... and farther apart the farther back. */
  distances: number[];
  /** Sequences that have so many steps. */
  sequences: number[];
  /** Quantiles over sequences of the Euclidean norm: the median, 5 % and 95 %. */
  median: number[];
  low: number[];
  high: number[];
}
/** The norms of each sequence as well: [distance][sequence], absent for shorter sequences. */
export interface Measured {
  readonly norms: GradientNorms;
  readonly each: readonly (readonly (number | undefined)[])[];
}

const FARTHEST = 2000;
/** 1 to 10, then twelve to a decade, and the longest. */
function distancesTo(longest: number): number[] {
  const most = Math.min(longest, FARTHEST);
  const grid = Array.from({ length: 40 }, (_, i) => Math.round(10 ** (1 + i / 12)));
  const near = Array.from({ length: 10 }, (_, i) => i + 1);
  return [...new Set([...near, ...grid, most])].filter((k) => k <= most).sort((a, b) => a - b);
}

/**
 * Runs the sequences up to `distance` steps before their ends, and then the rest as sequences of their own, from the
 * states reached: the gradient by these is what a backward pass returns, whatever the cell.
 */
export function gradientNorms(context: PassContext, batch: Batch, dOutputs: ArrayLike<number>): Measured {
  const { lengths } = batch;
  const distances = distancesTo(lengths.reduce((most, length) => Math.max(most, length), 0));
  const each = distances.map((distance) => normsAt(context, batch, dOutputs, distance));
  const present = each.map((row) => row.filter((v): v is number => v !== undefined).sort((a, b) => a - b));
  const quantile = (q: number): number[] => present.map((row) => row[Math.round(q * (row.length - 1))]!);
  return {
    each,
    norms: {
      distances,
      sequences: present.map(({ length }) => length),
      median: quantile(0.5),
      low: quantile(0.05),
      high: quantile(0.95),
    },
  };
}
function normsAt(
  context: PassContext,
  batch: Batch,
  dOutputs: ArrayLike<number>,
  distance: number,
): (number | undefined)[] {
  const { architecture } = context.weights;
  const { inputs: width, outputs, sizes } = architecture;
  const chosen = [...batch.lengths.keys()].filter((s) => batch.lengths[s]! >= distance);
  const starts = startsOf(batch.lengths);
  const part = (from: (s: number) => number, count: (s: number) => number): Batch => {
    const lengths = Int32Array.from(chosen, count);
    const steps = lengths.reduce((a, b) => a + b, 0);
    const inputs = new Float64Array(steps * width);
    let at = 0;
    for (const s of chosen) {
      const first = from(s) * width;
      inputs.set(batch.inputs.subarray(first, first + count(s) * width), at);
      at += count(s) * width;
    }
    return { lengths, inputs, steps };
  };
  const before = (s: number): number => batch.lengths[s]! - distance;
  const head = part((s) => starts[s]!, before);
  const zeros = sizes.map(({ carried }) => new Float64Array(chosen.length * carried));
  const states = runNow(forward(context, head, zeros)).layers.map(({ last }) => last);
  const tail = part(
    (s) => starts[s]! + before(s),
    () => distance,
  );
  const { layers } = runNow(forward(context, tail, states));
  const last = new Float64Array(tail.steps * outputs); // the loss of the last step only
  for (const [i, s] of chosen.entries())
    for (let j = 0; j < outputs; j++)
      last[((i + 1) * distance - 1) * outputs + j] = dOutputs[(starts[s]! + batch.lengths[s]! - 1) * outputs + j]!;
  const unused = architecture.splitByName(new Float64Array(architecture.size));
  const dStates = runNow(backward(context, tail, layers, last, unused));
  const norms: (number | undefined)[] = Array(batch.lengths.length).fill(undefined);
  for (const [i, s] of chosen.entries()) {
    let most = 0;
    const own = dStates.flatMap((d, n) => [...d.subarray(i * sizes[n]!.carried, (i + 1) * sizes[n]!.carried)]);
    for (const v of own) most = Math.max(most, Math.abs(v));
    norms[s] = most === 0 ? 0 : most * Math.sqrt(own.reduce((sum, v) => sum + (v / most) ** 2, 0));
  }
  return norms;
}
function startsOf(lengths: Int32Array): number[] {
  let at = 0;
  return Array.from(lengths, (length) => {
    const start = at;
    at += length;
    return start;
  });
}

/**
 * The logarithm of the growth per step of each sequence of two steps or more, from one step before its end to the
 * farthest state that still has a gradient; -Infinity if none has.
 */
export function growthRates({ norms: { distances }, each }: Measured): number[] {
  const rates: number[] = [];
  for (const s of each[0]!.keys()) {
    if (each[1]?.[s] === undefined) continue;
    const own = distances.map((k, i) => [k, each[i]![s] ?? 0] as const).filter(([, norm]) => norm > 0);
    const [first, last] = [own[0], own.at(-1)];
    rates.push(
      first && last && first[0] === 1 && last[0] > 1
        ? (Math.log(last[1]) - Math.log(first[1])) / (last[0] - 1)
        : Number.NEGATIVE_INFINITY,
    );
  }
  return rates;
}
/** The distance at which the median norm is a thousandth of that at distance 1, between two measured ones. */
export function reachOf({ distances, median }: GradientNorms): number | undefined {
  const least = median[0]! / 1000;
  const at = median.findIndex((norm) => norm <= least);
  if (at < 0) return undefined;
  if (at === 0) return distances[0];
  const [a, b] = [Math.log(median[at - 1]!), Math.log(Math.max(median[at]!, Number.MIN_VALUE))];
  const share = (a - Math.log(least)) / (a - b);
  return Math.ceil(distances[at - 1]! + share * (distances[at]! - distances[at - 1]!));
}
