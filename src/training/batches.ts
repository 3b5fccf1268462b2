/** The examples of a training run and their order: functions of the seed and the epoch, so that none is stored. */
import { Random } from '../random.ts';

const BUCKET = 64; // batches sorted by length together: similar lengths within a batch, not within an epoch

/** Shuffles in place, every order equally likely (Durstenfeld 1964). */
function shuffle<A extends Int32Array | Int32Array[]>(items: A, random: Random): A {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random.uniform() * (i + 1));
    const item = items[i]!;
    items[i] = items[j]!;
    items[j] = item;
  }
  return items;
}

export interface Split {
  /** Indices of examples, ascending. */
  readonly training: Int32Array;
  readonly heldOut: Int32Array;
}
/** Holds out a fraction `validation` of the examples, chosen by the seed: at least one, but never all. Examples without
 * terms are left out of both sets. */
export function split(terms: ArrayLike<number>, validation: number, seed: number): Split {
  const usable = Int32Array.from({ length: terms.length }, (_, i) => i).filter((i) => terms[i]! > 0);
  const n = usable.length;
  const count = validation > 0 ? Math.min(n - 1, Math.max(1, Math.round(validation * n))) : 0;
  const order = shuffle(usable, new Random(seed)); // the stream of an epoch is its number, from 1
  const held = Math.max(0, count);
  return { heldOut: order.slice(0, held).sort(), training: order.slice(held).sort() };
}

const byLength = (examples: Int32Array, lengths: Int32Array): Int32Array =>
  examples.slice().sort((a, b) => lengths[a]! - lengths[b]!); // stable
/** Most terms of a part: fewer calls than the batches of an epoch take, and a pass that still fits a cache. */
const TERMS = 2048;
/** Cuts examples into parts of similar lengths, in a fixed order: for evaluation. */
export function partsOf(examples: Int32Array, lengths: Int32Array): Int32Array[] {
  const sorted = byLength(examples, lengths);
  const cut: Int32Array[] = [];
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    let terms = 0;
    while (to < sorted.length && (to === from || terms + lengths[sorted[to]!]! <= TERMS))
      terms += lengths[sorted[to++]!]!;
    cut.push(sorted.slice(from, to));
  }
  return cut;
}
/** Draws the mini-batches of an epoch (from 1): each example once; all have `batch` examples, except one. */
export function shuffleBatches(
  examples: Int32Array,
  lengths: Int32Array,
  batch: number,
  seed: number,
  epoch: number,
): Int32Array[] {
  const random = new Random(seed, epoch);
  const order = shuffle(examples.slice(), random);
  const batches: Int32Array[] = [];
  for (let bucket = 0; bucket < order.length; bucket += BUCKET * batch) {
    const sorted = byLength(order.subarray(bucket, bucket + BUCKET * batch), lengths);
    for (let at = 0; at < sorted.length; at += batch) batches.push(sorted.slice(at, at + batch));
  }
  return shuffle(batches, random);
}
