/** The mistakes of the source notes: docs/errata.md has an entry for each of the 91, by number. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Mistakes in each document. */
const counts = { 0: 13, 1: 31, 2: 9, 3: 13, 4: 25 };
const all = Object.entries(counts).flatMap(([document, count]) =>
  Array.from({ length: count }, (_, i) => `${document}.${i + 1}`),
);
const text = readFileSync('docs/errata.md', 'utf8');
const entries = text.split(/^### /m).slice(1);
const numberOf = (entry: string): string => /^(\d+\.\d+) /.exec(entry)?.[1] ?? entry.slice(0, 20);

test('the notes have 91 mistakes, and each has an entry', () => {
  const there = entries.map(numberOf);
  expect(all).toHaveLength(91);
  expect({ missing: all.filter((number) => !there.includes(number)) }).toEqual({ missing: [] });
});
test('no entry is there twice, and none is of another number', () => {
  const there = entries.map(numberOf);
  expect(there.filter((number, i) => there.indexOf(number) !== i || !all.includes(number))).toEqual([]);
});
test.each(entries.map((entry) => [numberOf(entry), entry] as const))(
  '%s says what is wrong, what is right, and where',
  (number, entry) => {
    expect(entry).toContain(`| ${number} | document 00${number[0]}, `);
    for (const line of ['wrong', 'corrected', 'evidence', 'in seqlik'])
      expect(entry).toMatch(new RegExp(`^\\| ${line} \\| \\S`, 'm'));
  },
);
