/**
 * Rows of CSV. csv-parse is the authority: it reads the header line, and any piece of the file from its first unusual
 * record on. Usual records, nearly all, are cut and parsed here in one pass, several times as fast.
 */

import { isUtf8 } from 'node:buffer';
import { CsvError, parse } from 'csv-parse/sync';
import type { SeqlikError } from '../errors.ts';
import { Blocks, keptOf, numbersOf, type Wanted } from './blocks.ts';
import { badData, type Column, counted, type Fault, fileError, noColumn, quote } from './errors.ts';
import { type Delimiter, type Dialect, delimiters } from './format.ts';
import { Notation, POWERS } from './numbers.ts';
import { boundary, LONGEST } from './source.ts';
import { notNumber, Survey } from './survey.ts';

const LF = 10;
const CR = 13;
const QUOTE = 34;
const MINUS = 45;
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
  /** Known, unless it is to be read off the header line. */
  private delimiter: Delimiter | undefined;
  private separator = 0;
  private readonly point: number;
  private readonly notation: Notation;
  /** After the first cell that is no number: what the rows from there on hold. */
  private survey: Survey | undefined;
  constructor(
    private readonly file: string,
    private readonly wanted: Wanted,
    { delimiter, decimal, na }: Omit<Dialect, 'format'> = {},
  ) {
    this.delimiter = delimiter;
    this.notation = new Notation(decimal, na);
    this.point = this.notation.mark.charCodeAt(0);
  }

  /** Takes whole records. When it throws, the rows before the bad one are in the blocks. */
  feed(bytes: Buffer): void {
    this.delimiter ??= delimiterOf(bytes, this.notation.mark);
    this.separator = this.delimiter.charCodeAt(0);
    if (bytes.at(-1) !== LF) throw this.bad(`the line is longer than ${LONGEST} bytes, or a quote is not closed`);
    if (!isUtf8(bytes)) this.feedUntilBad(bytes);
    else if (this.blocks && !this.survey) this.scan(bytes, this.blocks);
    else this.parse(bytes);
  }
  /** Throws for a value that is no number, if all rows after it were surveyed. */
  settle(): void {
    if (this.survey) throw this.surveyed(this.survey);
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
      parse(bytes, {
        delimiter: this.delimiter!,
        on_record: onRecord,
        relax_column_count: true,
        record_delimiter: ['\r\n', '\n'],
      });
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw this.bad('a quote is misplaced or not closed');
    }
  }
  private record(cells: readonly string[], bytes: Buffer): void {
    if (bytes.length > LONGEST) throw this.bad(`the line is longer than ${LONGEST} bytes`);
    if (!this.blocks) this.readHeader(cells);
    else if (cells.length === this.header.length) this.row(cells, this.blocks);
    else if (cells.length > 1 || cells[0] !== '' || bytes[0] === QUOTE) throw this.bad(this.otherWidth(cells));
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
      if (count === 0) throw this.bad(this.otherDelimiter() ?? noColumn(name, header, this.wanted));
      if (count > 1) throw this.bad(`there are ${count} columns ${quote(name)}`);
    }
    this.numberAt = placesOf(header, numbers);
    this.keptAt = placesOf(header, kept);
    this.blocks = new Blocks(numbers, this.wanted);
  }
  /** The fault of a header line that looks as if it had another delimiter. */
  private otherDelimiter(): Fault | undefined {
    const { header } = this;
    for (const [delimiter, name] of [
      [';', 'semicolon'],
      ['\t', 'tab'],
      [',', 'comma'],
    ] as const) {
      const count = header.reduce((sum, cell) => sum + cell.split(delimiter).length - 1, 0);
      if (delimiter === this.delimiter || count < header.length) continue;
      const reason = `the header line has ${counted(header.length, 'cell')} with ${counted(count, name)}`;
      return { reason, remedy: { delimiter: delimiter === '\t' ? 'tab' : delimiter } };
    }
    return undefined;
  }
  private otherWidth(cells: readonly string[]): Fault {
    const reason = `it has ${counted(cells.length, 'cell')}, the header line ${this.header.length}`;
    const { remedy } = this.otherDelimiter() ?? {};
    return { reason, ...(remedy && { remedy }) };
  }
  private row(cells: readonly string[], blocks: Blocks): void {
    if (this.survey) {
      this.addTo(this.survey, cells);
      return;
    }
    let gaps = 0;
    for (const [j, cell] of cells.entries()) {
      const at = this.numberAt[j]!;
      if (at >= 0) {
        const value = this.notation.numberOf(cell);
        const column = { at: j, name: this.header[j]! };
        if (value === undefined) {
          this.refuse(cell, cells, column, blocks);
          return;
        }
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
  /** Throws for a cell that is no number; if no columns are named, after a survey of the rows from here on. */
  private refuse(cell: string, cells: readonly string[], column: Column, blocks: Blocks): void {
    const fault = notNumber(cell, 'a cell not observed is left empty');
    const { columns, weights } = this.wanted;
    if (columns || column.name === weights) throw this.bad(fault, column);
    const names = blocks.columns.filter((name) => name !== weights);
    this.survey = new Survey(names, blocks.count, cell, fault, this.line, column);
    this.addTo(this.survey, cells);
  }
  private addTo(survey: Survey, cells: readonly string[]): void {
    const own = cells.filter((_, j) => this.numberAt[j]! >= 0 && this.header[j] !== this.wanted.weights);
    if (survey.add(own.map((cell) => this.notation.numberOf(cell) ?? cell))) throw this.surveyed(survey);
  }
  private surveyed(survey: Survey): SeqlikError {
    return badData('FORMAT', this.file, survey.line, survey.fault(), survey.column);
  }
  private next(blocks: Blocks, gaps: number): void {
    const reason = blocks.next(this.line, gaps);
    const name = this.wanted.sequence!;
    if (reason) throw this.bad(reason, { at: this.header.indexOf(name), name });
  }
  private bad(fault: string | Fault, column?: Column): SeqlikError {
    if (this.survey) return this.surveyed(this.survey); // the first of two faults
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
    const { separator, point } = this;
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
    if (c === point && point !== separator)
      for (c = bytes[++i]!; c >= ZERO && c <= NINE; fraction++) {
        whole = whole * 10 + (c - ZERO);
        c = bytes[++i]!;
      }
    if (c === CR && bytes[i + 1] === LF) c = bytes[++i]!;
    if ((c !== separator && c !== LF) || digits + fraction === 0)
      return (
        (this.skip(bytes, from) ? this.notation.numberOf(textOf(bytes, from, this.end)) : undefined) ??
        Number.POSITIVE_INFINITY
      );
    this.end = i;
    if (whole > Number.MAX_SAFE_INTEGER || fraction >= POWERS.length)
      return this.notation.observed(Number(text.slice(from, i).replace(',', '.'))); // Number ignores white space
    const value = whole / POWERS[fraction]!; // both are exact, so that this rounds once, as Number does
    return this.notation.observed(bytes[from] === MINUS ? -value : value);
  }
  /** Finds the end of the cell at `from`; false if a quote stands where none may. */
  private skip(bytes: Buffer, from: number): boolean {
    const { separator } = this;
    let i = from;
    if (bytes[i] === QUOTE) {
      do i = bytes.indexOf(QUOTE, i + 1) + 1;
      while (i > 0 && bytes[i] === QUOTE); // a doubled quote is a quote of the text
      if (bytes[i] === CR && bytes[i + 1] === LF) i++;
      this.end = i;
      return i > 0 && (bytes[i] === separator || bytes[i] === LF);
    }
    while (bytes[i] !== separator && bytes[i] !== LF) if (bytes[i++] === QUOTE) return false;
    this.end = i;
    return true;
  }
}
/** The delimiter that the header line has outside quotes, if it is the only one; else a comma. With a decimal comma, a
 * comma is none. */
function delimiterOf(bytes: Buffer, mark: '.' | ','): Delimiter {
  const found = new Set<Delimiter>();
  let quoted = false;
  for (let i = 0; i < bytes.length && (quoted || bytes[i] !== LF); i++) {
    if (bytes[i] === QUOTE) quoted = !quoted;
    if (quoted) continue;
    const delimiter = delimiters.find((delimiter) => delimiter.charCodeAt(0) === bytes[i]);
    if (delimiter) found.add(delimiter);
  }
  if (mark === ',' && found.size > 1) found.delete(',');
  const [only = ','] = found;
  return found.size === 1 ? only : ',';
}
/** The text of the cell between `from` and `end`, the index of a delimiter or a line end. */
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
