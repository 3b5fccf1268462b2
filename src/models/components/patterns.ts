/** Rows by what of them was observed. */
import type { Gaps, Real, Rows } from '../../check.ts';
import { alike, gaps } from '../../check.ts';

/** Rows of one pattern of gaps: with the marginal over what was observed (none: nothing was) and, gathered, their places. */
export interface Pattern {
  readonly dims: readonly number[];
  readonly rows: Rows;
  readonly of?: Int32Array;
}

/** Rows with the same observed coordinates together: all rows as they are if none has a gap, else gathered. */
export function* patterns(where: string, x: Rows, missing: Gaps, d: number): Generator<Pattern> {
  const seen = gaps(where, 'x', x, missing);
  if (!seen?.includes(0)) yield { dims: [...Array(d).keys()], rows: x };
  else yield* grouped(x.values, seen, d, 0, x.n);
}
/** The patterns of the rows from `first` to `end`, in the order in which they appear. */
export function* grouped(
  values: Real,
  seen: Uint8Array,
  d: number,
  first: number,
  end: number,
): Generator<Required<Pattern>> {
  const found = new Map<number | string, number>();
  const pattern = new Int32Array(end - first);
  const counts: number[] = [];
  for (let row = first; row < end; row++) {
    const key = keyOf(seen, row * d, d);
    let p = found.get(key);
    if (p === undefined) found.set(key, (p = counts.push(0) - 1));
    pattern[row - first] = p;
    counts[p]!++;
  }
  const each = counts.map((n) => new Int32Array(n));
  const ends = counts.map(() => 0);
  for (let row = first; row < end; row++) {
    const p = pattern[row - first]!;
    each[p]![ends[p]!++] = row;
  }
  for (const of of each) {
    const dims: number[] = [];
    for (let j = 0; j < d; j++) if (seen[of[0]! * d + j] === 1) dims.push(j);
    const own = alike(values, of.length * dims.length);
    let at = 0;
    for (const row of of) for (const j of dims) own[at++] = values[row * d + j]!;
    yield { dims, rows: { values: own, n: of.length }, of };
  }
}

/** One number per pattern while its bits fit a double: text is ten times slower. */
function keyOf(seen: Uint8Array, at: number, d: number): number | string {
  if (d > 52) return seen.subarray(at, at + d).join('');
  let key = 0;
  for (let j = 0; j < d; j++) key = 2 * key + seen[at + j]!;
  return key;
}
