/** Rows grouped by their pattern of gaps: which of their values were observed. */
import type { Gaps, Real, Rows } from '../../check.ts';
import { alike, gaps } from '../../check.ts';

/** Rows of one pattern of gaps, which are scored under the marginal over the coordinates that were observed. */
export interface Pattern {
  /** The observed coordinates; empty if there are none. */
  readonly dims: readonly number[];
  /** The observed values only. */
  readonly rows: Rows;
  /** Where the rows lie in the caller's data; absent if they are all of it. */
  readonly rowIndices?: Int32Array;
}

/** One pattern of all rows as they are if none has a gap, else the patterns in the order in which they appear. */
export function* groupByGaps(where: string, x: Rows, missing: Gaps, d: number): Generator<Pattern> {
  const seen = gaps(where, 'x', x, missing);
  if (!seen?.includes(0)) yield { dims: [...Array(d).keys()], rows: x };
  else yield* groupRows(x.values, seen, d, 0, x.n);
}
/** The patterns of the rows from `first` to `end`, copied, in the order in which they appear. */
export function* groupRows(
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
  for (const rowIndices of each) {
    const dims: number[] = [];
    for (let j = 0; j < d; j++) if (seen[rowIndices[0]! * d + j] === 1) dims.push(j);
    const own = alike(values, rowIndices.length * dims.length);
    let at = 0;
    for (const row of rowIndices) for (const j of dims) own[at++] = values[row * d + j]!;
    yield { dims, rows: { values: own, n: rowIndices.length }, rowIndices };
  }
}

/** The pattern of a row as one number, while its bits fit a double: text is ten times slower. */
function keyOf(seen: Uint8Array, at: number, d: number): number | string {
  if (d > 52) return seen.subarray(at, at + d).join('');
  let key = 0;
  for (let j = 0; j < d; j++) key = 2 * key + seen[at + j]!;
  return key;
}
