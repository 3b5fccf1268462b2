/** All rows of a table in memory, 8 bytes per number. */

import type { SeqlikError } from '../errors.ts';
import type { Block } from './blocks.ts';
import { Counts } from './counts.ts';
import { badData, fileError } from './errors.ts';

const LIMIT = 2 ** 31; // the library takes fewer numbers than this

export class RowBuffer {
  readonly counts = new Counts();
  /** The names of the inputs. */
  names: readonly string[] = [];
  /** The rows that begin a sequence. */
  private readonly starts: number[] = [];
  private parts: Float64Array[] = [];
  private weightParts: Float64Array[] = [];
  /** The rows that do not stand on the line after that of the row before, and their lines. */
  private readonly jumps: { readonly row: number; readonly line: number }[] = [];
  private nextLine = 0;
  constructor(
    private readonly file: string,
    private readonly weighted: boolean,
  ) {}

  add(block: Block): void {
    const { columns, n, x, lines, starts } = block;
    const d = columns.length - Number(this.weighted);
    this.names = columns.slice(0, d);
    for (const [i, line] of lines.entries()) {
      if (line !== this.nextLine) this.jumps.push({ row: this.counts.rows + i, line });
      this.nextLine = line + 1;
    }
    for (const start of starts) this.starts.push(this.counts.rows + start);
    if (!this.weighted) this.keep(block, x, d);
    else {
      const inputs = new Float64Array(n * d);
      for (let i = 0; i < n; i++) inputs.set(x.subarray(i * (d + 1), i * (d + 1) + d), i * d);
      this.weightParts.push(Float64Array.from({ length: n }, (_, i) => this.weight(x[i * (d + 1) + d]!, block, i)));
      this.keep({ ...block, x: inputs }, inputs, d);
    }
    if (this.counts.rows * d >= LIMIT)
      throw fileError('OUT_OF_MEMORY', this.file, `more than ${LIMIT} numbers, too many for a fit`);
  }
  /** Moves everything out, as flat arrays; can be called once. */
  take(): { x: Float64Array; sampleWeights?: Float64Array } {
    const x = join(this.parts);
    if (!this.weighted) return { x };
    const sampleWeights = join(this.weightParts);
    if (sampleWeights.length > 0 && !sampleWeights.some((w) => w > 0))
      throw fileError('FORMAT', this.file, 'all weights are 0');
    return { x, sampleWeights };
  }
  /** The number of rows of each sequence. */
  lengths(): Int32Array {
    return Int32Array.from(this.starts, (start, i) => (this.starts[i + 1] ?? this.counts.rows) - start);
  }
  /** The line on which a row stood. */
  lineOf(row: number): number {
    const jump = this.jumps.findLast((jump) => jump.row <= row);
    return jump ? jump.line + row - jump.row : row;
  }

  private keep(block: Block, x: Float64Array, d: number): void {
    this.counts.add({ ...block, x }, d);
    this.parts.push(x);
  }
  private weight(value: number, { lines, columns }: Block, i: number): number {
    const name = columns.at(-1)!;
    if (Number.isNaN(value)) throw this.bad(lines[i]!, 'a weight cannot be missing', name);
    if (value < 0) throw this.bad(lines[i]!, `a weight cannot be ${value}`, name);
    return value;
  }
  private bad(line: number, reason: string, name: string): SeqlikError {
    return badData('FORMAT', this.file, line, { reason }, { name });
  }
}
/** One array of all parts, which are freed on the way. */
function join(parts: Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (let part = parts.shift(); part; part = parts.shift()) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
