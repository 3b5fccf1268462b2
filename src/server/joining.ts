/** Small requests for the same outputs of one model, joined into one set of data, and its outputs handed back. */
import { alike, type Columns, type Data } from './scorers.ts';

export function join(parts: readonly Data[]): Data {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const values = alike(
    first!.values,
    parts.reduce((sum, part) => sum + part.values.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    values.set(part.values, at);
    at += part.values.length;
  }
  const { gaps, lengths } = first!;
  return lengths ? { values, n, gaps, lengths: joinLengths(parts) } : { values, n, gaps };
}
function joinLengths(parts: readonly Data[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, { lengths }) => sum + lengths!.length, 0));
  let at = 0;
  for (const { lengths } of parts) {
    joined.set(lengths!, at);
    at += lengths!.length;
  }
  return joined;
}

/** The outputs of each part, as views of those of all. */
export function split(columns: Columns, parts: readonly Data[]): Columns[] {
  if (parts.length === 1) return [columns];
  let row = 0;
  let sequence = 0;
  return parts.map(({ n, lengths }) => {
    const own: Columns = {};
    const s = lengths?.length ?? 0;
    for (const [name, { values, width, per }] of Object.entries(columns)) {
      const [from, count] = per === 'row' ? [row, n] : [sequence, s];
      own[name as keyof Columns] = { values: values.subarray(from * width, (from + count) * width), width, per };
    }
    row += n;
    sequence += s;
    return own;
  });
}
