/**
 * Rows of CSV. csv-parse is the authority: it reads the header line, and any piece of the file from its first unusual
 * record on. Usual records, nearly all, are cut and parsed here in one pass, several times as fast.
 */

import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import type { SeqlikError } from '../errors.ts';
import { Blocks, keptOf, numbersOf, type Wanted } from './blocks.ts';
import { badData, type Column, type Fault, fileError, notNumber, quote } from './errors.ts';
import { numberOf, POWERS } from './numbers.ts';
import { boundary, LONGEST } from './source.ts';

const LF = 10;
const CR = 13;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;

export class CsvReader {
  blocks: Blocks | undefined;
  private line = 1;
  private header: readonly string[] = [];
  /** The place of each column of the file among the numbers, and among the kept cells; -1: none. */
  private numberAt = new Int32Array();
  private keptAt = new Int32Array();
  /** The end of the cell read last. */
  private end = 0;
  constructor(
    private readonly file: string,
    private readonly wanted: Wanted,
  ) {}

  /** Takes whole records. When it throws, the rows before the bad one are in the blocks. */
  feed(bytes: Buffer): void {
    if (bytes.at(-1) !== LF) throw this.bad(`the line is longer than ${LONGEST} bytes, or a quote is not closed`);
    if (!isUtf8(bytes)) this.feedUntilBad(bytes);
    else if (this.blocks) this.scan(bytes, this.blocks);
    else this.parse(bytes);
  }
  /** Checks, after the last record, that there was a header line. */
  finish(): void {
    if (this.blocks) return;
    throw fileError('EMPTY_INPUT', this.file, 'it is empty, without even a header line');
  }

  private feedUntilBad(bytes: Buffer): never {
    let start = 0;
    let end = bytes.indexOf(LF) + 1;
    while (isUtf8(bytes.subarray(start, end))) {
      start = end;
      end = bytes.indexOf(LF, start) + 1;
    }
    const good = boundary(bytes.subarray(0, start), true);
    if (good > 0) this.feed(bytes.subarray(0, good));
    throw this.bad('it is not UTF-8');
  }

  // ---- any record ----
  private parse(bytes: Buffer): void {
    let start = 0;
    const onRecord = (cells: string[], { bytes: end }: { readonly bytes: number }): null => {
      this.record(cells, bytes.subarray(start, end));
      start = end;
      return null;
    };
    try {
      parse(bytes, { on_record: onRecord, relax_column_count: true, record_delimiter: ['\r\n', '\n'] });
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw this.bad('a quote is misplaced or not closed');
    }
  }
  private record(cells: readonly string[], bytes: Buffer): void {
    if (bytes.length > LONGEST) throw this.bad(`the line is longer than ${LONGEST} bytes`);
    if (!this.blocks) this.readHeader(cells);
    else if (cells.length === this.header.length) this.row(cells, this.blocks);
    else if (cells.length > 1 || cells[0] !== '' || bytes[0] === QUOTE)
      throw this.bad(`it has ${cells.length} cells, the header line ${this.header.length}`);
    this.line += lineEnds(bytes);
  }
  private readHeader(header: readonly string[]): void {
    this.header = header;
    const numbers = numbersOf(this.file, this.wanted, header);
    const kept = keptOf(this.wanted);
    const places = new Map<string, number>();
    for (const name of header) places.set(name, (places.get(name) ?? 0) + 1);
    for (const name of [...numbers, ...kept]) {
      const count = places.get(name) ?? 0;
      if (name === '') throw this.bad({ reason: 'a column has no name', argument: 'columns' });
      if (count === 0) throw this.bad(`there is no column ${quote(name)}`);
      if (count > 1) throw this.bad(`there are ${count} columns ${quote(name)}`);
    }
    this.numberAt = placesOf(header, numbers);
    this.keptAt = placesOf(header, kept);
    this.blocks = new Blocks(numbers, this.wanted);
  }
  private row(cells: readonly string[], blocks: Blocks): void {
    let gaps = 0;
    for (const [j, cell] of cells.entries()) {
      const at = this.numberAt[j]!;
      if (at >= 0) {
        const value = numberOf(cell);
        const column = { at: j, name: this.header[j]! };
        if (value === undefined) throw this.bad(notNumber(quote(cell)), column);
        if (Math.abs(value) === Number.POSITIVE_INFINITY) throw this.tooLarge(cell, column);
        const refusal = blocks.refusal(at, value);
        if (refusal) throw this.bad(refusal, column);
        if (Number.isNaN(value)) gaps++;
        blocks.number(at, value);
      }
      if (this.keptAt[j]! >= 0) blocks.keep(this.keptAt[j]!, cell);
    }
    this.next(blocks, gaps);
  }
  private next(blocks: Blocks, gaps: number): void {
    const reason = blocks.next(this.line, gaps);
    const name = this.wanted.sequence!;
    if (reason) throw this.bad(reason, { at: this.header.indexOf(name), name });
  }
  private bad(fault: string | Fault, column?: Column): SeqlikError {
    return badData('FORMAT', this.file, this.line, typeof fault === 'string' ? { reason: fault } : fault, column);
  }
  private tooLarge(cell: string, column: Column): SeqlikError {
    const reason = `${quote(cell)} is too large for a double`;
    return badData('NON_FINITE', this.file, this.line, { reason }, column);
  }

  // ---- usual records ----
  private scan(bytes: Buffer, blocks: Blocks): void {
    const text = bytes.toString('latin1'); // one character per byte, so that indices agree
    for (let start = 0; start < bytes.length; ) {
      const next = this.scanRow(bytes, text, start, blocks);
      if (next > start) start = next;
      else {
        this.parse(bytes.subarray(start));
        return;
      }
    }
  }
  /** Takes the row at `start`; returns where the next one starts, or `start` if this one is unusual. */
  private scanRow(bytes: Buffer, text: string, start: number, blocks: Blocks): number {
    const { numberAt, keptAt } = this;
    const last = numberAt.length - 1;
    let from = start;
    let gaps = 0;
    let lines = 1;
    for (let j = 0; j <= last; j++) {
      const number = numberAt[j]!;
      if (number >= 0) {
        const value = this.number(bytes, text, from);
        if (Math.abs(value) === Number.POSITIVE_INFINITY || blocks.refusal(number, value)) return start;
        if (Number.isNaN(value)) gaps++;
        blocks.number(number, value);
      } else if (!this.skip(bytes, from)) return start;
      const { end } = this;
      if (keptAt[j]! >= 0) blocks.keep(keptAt[j]!, textOf(bytes, from, end));
      if ((bytes[end] === LF) !== (j === last)) return start;
      if (bytes[from] === QUOTE) lines += lineEnds(bytes.subarray(from, end));
      from = end + 1;
    }
    if (from - start > LONGEST) return start;
    this.next(blocks, gaps);
    this.line += lines;
    return from;
  }
  /** The number in the cell at `from`; NaN if the cell is empty, infinite if it holds something else. */
  private number(bytes: Buffer, text: string, from: number): number {
    let i = from;
    let c = bytes[i]!;
    if (c === MINUS) c = bytes[++i]!;
    let digits = 0;
    let fraction = 0;
    let whole = 0;
    for (; c >= ZERO && c <= NINE; digits++) {
      whole = whole * 10 + (c - ZERO);
      c = bytes[++i]!;
    }
    if (c === DOT)
      for (c = bytes[++i]!; c >= ZERO && c <= NINE; fraction++) {
        whole = whole * 10 + (c - ZERO);
        c = bytes[++i]!;
      }
    if (c === CR && bytes[i + 1] === LF) c = bytes[++i]!;
    if ((c !== COMMA && c !== LF) || digits + fraction === 0)
      return (this.skip(bytes, from) ? numberOf(textOf(bytes, from, this.end)) : undefined) ?? Number.POSITIVE_INFINITY;
    this.end = i;
    // Number ignores white space
    if (whole > Number.MAX_SAFE_INTEGER || fraction >= POWERS.length) return Number(text.slice(from, i));
    const value = whole / POWERS[fraction]!; // both are exact, so that this rounds once, as Number does
    return bytes[from] === MINUS ? -value : value;
  }
  /** Finds the end of the cell at `from`; false if a quote stands where none may. */
  private skip(bytes: Buffer, from: number): boolean {
    let i = from;
    if (bytes[i] === QUOTE) {
      do i = bytes.indexOf(QUOTE, i + 1) + 1;
      while (i > 0 && bytes[i] === QUOTE); // a doubled quote is a quote of the text
      if (bytes[i] === CR && bytes[i + 1] === LF) i++;
      this.end = i;
      return i > 0 && (bytes[i] === COMMA || bytes[i] === LF);
    }
    while (bytes[i] !== COMMA && bytes[i] !== LF) if (bytes[i++] === QUOTE) return false;
    this.end = i;
    return true;
  }
}
/** The text of the cell between `from` and `end`, the index of a comma or a line end. */
function textOf(bytes: Buffer, from: number, end: number): string {
  const returns = bytes[end] === LF && end > from && bytes[end - 1] === CR ? 1 : 0;
  const written = bytes.toString('utf8', from, end - returns);
  return written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
}
function lineEnds(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) count++;
  return count;
}
/** The place of each name of the header among `names`, or -1. */
function placesOf(header: readonly string[], names: readonly string[]): Int32Array<ArrayBuffer> {
  const places = new Map(names.map((name, at) => [name, at]));
  return Int32Array.from(header, (name) => places.get(name) ?? -1);
}
