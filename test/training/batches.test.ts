/** Mini-batches and the split: partitions, functions of the seed, similar lengths together. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partsOf, shuffleBatches, split } from '../../src/training/batches.ts';

const lengthsOf = fc.array(fc.nat(50), { minLength: 1, maxLength: 300 }).map((n) => Int32Array.from(n));
const seeds = fc.nat(2 ** 32 - 1);
const sorted = (batches: readonly Int32Array[]): number[] => batches.flatMap((b) => [...b]).sort((a, b) => a - b);
const sumOfRanges = (batches: readonly Int32Array[], lengths: Int32Array): number =>
  batches.reduce((sum, b) => {
    const own = [...b].map((i) => lengths[i]!);
    return sum + Math.max(...own) - Math.min(...own);
  }, 0);

describe('batches of an epoch', () => {
  test('are a partition; all but one of `batch` examples', () =>
    fc.assert(
      fc.property(lengthsOf, fc.integer({ min: 1, max: 40 }), seeds, fc.nat(1000), (lengths, batch, seed, epoch) => {
        const examples = Int32Array.from(lengths.keys()).filter((i) => i % 3 > 0);
        const batches = shuffleBatches(examples, lengths, batch, seed, epoch);
        expect(sorted(batches)).toEqual([...examples]);
        expect(batches.length).toBe(Math.ceil(examples.length / batch));
        expect(batches.filter((b) => b.length !== batch).length).toBeLessThanOrEqual(1);
      }),
    ));
  test('are a function of seed and epoch', () => {
    const lengths = Int32Array.from({ length: 100 }, (_, i) => i % 7);
    const examples = Int32Array.from(lengths.keys());
    const of = (seed: number, epoch: number) => JSON.stringify(shuffleBatches(examples, lengths, 8, seed, epoch));
    expect(of(1, 1)).toBe(of(1, 1));
    const all = [0, 1, 2, 2 ** 32 - 1].flatMap((seed) => [1, 2, 3].map((epoch) => of(seed, epoch)));
    expect(new Set(all).size).toBe(all.length);
    expect([...examples]).toEqual([...lengths.keys()]); // untouched
  });
  test('hold similar lengths: in a bucket the ranges of two batches do not overlap', () =>
    fc.assert(
      fc.property(lengthsOf, fc.integer({ min: 5, max: 20 }), seeds, (lengths, batch, seed) => {
        const examples = Int32Array.from(lengths.keys()); // one bucket: at most 300 of 64 x 5
        const batches = shuffleBatches(examples, lengths, batch, seed, 1);
        const ranges = batches
          .map((b) => [...b].map((i) => lengths[i]!))
          .map((own) => [Math.min(...own), Math.max(...own)] as const)
          .sort(([a, b], [c, d]) => a - c || b - d);
        for (let i = 1; i < ranges.length; i++) expect(ranges[i]![0]).toBeGreaterThanOrEqual(ranges[i - 1]![1]);
        expect(sumOfRanges(batches, lengths)).toBeLessThanOrEqual(Math.max(...lengths) - Math.min(...lengths));
      }),
    ));
  test('hold similar lengths also of many buckets, and neither order is that of the data or of the lengths', () => {
    const lengths = Int32Array.from({ length: 5000 }, (_, i) => (i * 7919) % 1000);
    const batches = shuffleBatches(Int32Array.from(lengths.keys()), lengths, 4, 9, 2);
    expect(sumOfRanges(batches, lengths) / batches.length).toBeLessThan(20); // of 1000; 600 for batches of any four
    const firsts = batches.map((b) => lengths[b[0]!]!);
    const up = firsts.filter((n, i) => i > 0 && n > firsts[i - 1]!).length;
    expect(Math.abs(up / firsts.length - 0.5)).toBeLessThan(0.05);
  });
  test('equal lengths: every example meets every other', () => {
    const lengths = new Int32Array(20).fill(3);
    const met = new Set<number>();
    for (let epoch = 1; epoch <= 200; epoch++) {
      const own = shuffleBatches(Int32Array.from(lengths.keys()), lengths, 5, 0, epoch).find((b) => b.includes(0))!;
      for (const i of own) met.add(i);
    }
    expect(met.size).toBe(20);
  });
  test('each example is in the first batch equally often', () => {
    const lengths = new Int32Array(10).fill(1);
    const counts = new Float64Array(10);
    for (let epoch = 1; epoch <= 5000; epoch++)
      for (const i of shuffleBatches(Int32Array.from(lengths.keys()), lengths, 2, 3, epoch)[0]!) counts[i]!++;
    for (const c of counts) expect(Math.abs(c - 1000)).toBeLessThan(5 * Math.sqrt(800)); // 5 standard deviations
  });
});

test('partsOf: a partition in ascending length, in the order of the data where they are equal', () =>
  fc.assert(
    fc.property(lengthsOf, fc.constantFrom(1, 2, 40, 400), (counts, each) => {
      const lengths = counts.map((n) => n * each);
      const cut = partsOf(Int32Array.from(lengths.keys()), lengths);
      const terms = cut.map((part) => part.reduce((sum, i) => sum + lengths[i]!, 0));
      for (const [p, part] of cut.entries()) {
        expect(part.length === 1 || terms[p]! <= 2048).toBe(true);
        const next = cut[p + 1];
        expect(next === undefined || terms[p]! + lengths[next[0]!]! > 2048).toBe(true); // no shorter than need be
      }
      const flat = cut.flatMap((part) => [...part]);
      expect([...flat].sort((a, b) => a - b)).toEqual([...lengths.keys()]);
      for (let i = 1; i < flat.length; i++) {
        const [a, b] = [flat[i - 1]!, flat[i]!];
        expect(lengths[a]! < lengths[b]! || (lengths[a] === lengths[b] && a < b)).toBe(true);
      }
    }),
  ));

test('a part has up to 2048 terms, or one example', () => {
  const lengths = new Int32Array(17).fill(256).fill(2049, 16);
  expect(partsOf(Int32Array.from(lengths.keys()), lengths).map((part) => part.length)).toEqual([8, 8, 1]);
});

describe('split', () => {
  const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  test('is a partition of the examples that have terms, by the fraction, never without a training example', () =>
    fc.assert(
      fc.property(lengthsOf, fraction, seeds, (lengths, validation, seed) => {
        const { training, heldOut } = split(lengths, validation, seed);
        const usable = [...lengths.keys()].filter((i) => lengths[i]! > 0);
        expect([...training, ...heldOut].sort((a, b) => a - b)).toEqual(usable);
        for (const part of [training, heldOut]) expect([...part]).toEqual([...part].sort((a, b) => a - b));
        const n = usable.length;
        const want = validation === 0 || n < 2 ? 0 : Math.min(n - 1, Math.max(1, Math.round(validation * n)));
        expect(heldOut.length).toBe(want);
        expect(split(lengths, validation, seed)).toEqual({ training, heldOut });
      }),
    ));
  test('depends on the seed, and holds out each example equally often', () => {
    const lengths = new Int32Array(10).fill(1);
    const counts = new Float64Array(10);
    for (let seed = 0; seed < 5000; seed++) for (const i of split(lengths, 0.2, seed).heldOut) counts[i]!++;
    for (const c of counts) expect(Math.abs(c - 1000)).toBeLessThan(5 * Math.sqrt(800));
  });
});
