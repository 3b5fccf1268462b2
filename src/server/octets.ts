/** Binary requests and answers: little-endian numbers, row by row, without a header. */
import type { Real } from '../index.ts';
import { invalid, mismatch, nonFinite } from './errors.ts';
import type { Question } from './json.ts';
import type { Column, Data, OutputName, Scorer } from './scorers.ts';

/** The query of a binary request. */
export interface OctetsQuery {
  readonly dtype?: 'f64' | 'f32';
  /** nan: NaN stands for a gap. */
  readonly missing?: 'nan';
  readonly output?: string;
  /** Rows of each sequence; default: all rows are one. */
  readonly lengths?: string;
}
/** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE (row, column). */
export function readOctets(bytes: Uint8Array, query: OctetsQuery, scorer: Scorer): Question {
  const { dtype = 'f64', missing, output, lengths } = query;
  const values = realsOf(bytes, dtype === 'f32');
  const rows = dataOf(values, scorer, missing !== undefined);
  const known = Object.keys(scorer.outputs) as OutputName[];
  if (output !== undefined && !(known as string[]).includes(output))
    throw invalid(`there is no output of this name; there are ${known.join(', ')}`, 'output');
  const [standard] = scorer.outputs.logDensity ? (['logDensity'] as const) : scorer.standard;
  const outputs = [(output as OutputName | undefined) ?? standard!];
  if (!scorer.ofSequences) {
    if (lengths !== undefined)
      throw invalid('rows of this kind of model are independent: they have no lengths', 'lengths');
    return { data: rows, outputs, several: false };
  }
  return { data: withLengths(rows, lengths?.split(',').map(lengthOf)), outputs, several: lengths !== undefined };
}
const lengthOf = (text: string): number => (/^\d{1,10}$/.test(text) ? Number(text) : Number.NaN);
/** The same rows as sequences of these lengths. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH. */
export function withLengths(data: Data, lengths: ArrayLike<number> = [data.n]): Data {
  let sum = 0;
  for (let s = 0; s < lengths.length; s++) {
    const length = lengths[s]!;
    if (!Number.isInteger(length) || length < 0) throw invalid('lengths must be whole numbers >= 0', 'lengths');
    sum += length;
  }
  if (sum !== data.n)
    throw mismatch(`lengths add up to ${sum}, but there are ${data.n} rows`, 'lengths', {
      expected: `${data.n}`,
      received: `${sum}`,
    });
  return { ...data, lengths: Int32Array.from(lengths) };
}
/** The numbers in bytes, which stay where they are if they are aligned. Throws DIMENSION_MISMATCH. */
export function realsOf(bytes: Uint8Array, single: boolean): Real {
  const size = single ? 4 : 8;
  if (bytes.length % size !== 0)
    throw mismatch(`${bytes.length} bytes are no whole number of ${size} bytes each`, 'body');
  const own = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // slice of a Buffer copies nothing
  const of = [own.buffer, own.byteOffset, own.length / size] as const;
  return single ? new Float32Array(...of) : new Float64Array(...of);
}
/** Rows of values that were checked: finite, or gaps where NaN stands for them. */
export function dataOf(values: Real, scorer: Scorer, missing: boolean): Data {
  const { dimension: d, knowsGaps } = scorer;
  if (values.length % d !== 0)
    throw mismatch(`there are ${values.length} values, not a multiple of dimension ${d}`, 'rows', {
      expected: `a multiple of ${d}`,
      received: `${values.length}`,
    });
  if (missing && !knowsGaps) throw invalid('this kind of model has no gaps', 'missing');
  let gaps = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value === 0) continue;
    if (!missing || !Number.isNaN(value)) {
      const [row, column] = [Math.floor(i / d), i % d];
      throw nonFinite(`the value at row ${row}, column ${column}`, value, row, column);
    }
    gaps = true;
  }
  return { values, n: values.length / d, gaps };
}
/** The bytes of an output. */
export const bytesOf = ({ values }: Column): Buffer => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
