/** Rows of NDJSON: an object per line. */

import { isUtf8 } from 'node:buffer';
import type { SeqlikError } from '../errors.ts';
import { Blocks, keptOf, numbersOf, type Wanted } from './blocks.ts';
import { badData, clip, type Fault, fileError, noColumn } from './errors.ts';
import type { Dialect } from './format.ts';
import { Notation } from './numbers.ts';
import { LONGEST } from './source.ts';
import { notNumber, Survey } from './survey.ts';

const LF = 10;
type Row = Readonly<Record<string, unknown>>;

export class NdjsonReader {
  blocks: Blocks | undefined;
  private line = 1;
  private numbers: readonly string[] = [];
  private readonly kept: readonly string[];
  /** The names that no row had so far, and those that the first one had. */
  private readonly unseen = new Set<string>();
  private first: readonly string[] = [];
  private readonly notation: Notation;
  private readonly words: ReadonlySet<string>;
  /** After the first value that is no number: what the rows from there on hold. */
  private survey: Survey | undefined;
  constructor(
    private readonly file: string,
    private readonly wanted: Wanted,
    { na = [] }: Omit<Dialect, 'format'> = {},
  ) {
    this.kept = keptOf(wanted);
    this.notation = new Notation('.', na);
    this.words = new Set(na);
  }

  /** Takes whole lines. When it throws, the rows before the bad one are in the blocks. */
  feed(bytes: Buffer): void {
    const valid = isUtf8(bytes);
    for (let start = 0; start < bytes.length; this.line++) {
      const end = bytes.indexOf(LF, start);
      if (end < 0 || end - start >= LONGEST) throw this.bad(`the line is longer than ${LONGEST} bytes`);
      if (!valid && !isUtf8(bytes.subarray(start, end))) throw this.bad('it is not UTF-8');
      const text = bytes.toString('utf8', start, end);
      if (text.trim() !== '') this.row(text);
      start = end + 1;
    }
  }
  /** Throws for a value that is no number, if all rows after it were surveyed. */
  settle(): void {
    if (this.survey) throw this.surveyed(this.survey);
  }
  /** Checks, after the last line, that every name was seen. */
  finish(): void {
    if (!this.blocks) throw fileError('EMPTY_INPUT', this.file, 'it is empty, without a single object');
    const [name] = this.unseen;
    if (name === undefined) return;
    const { reason, ...rest } = noColumn(name, this.first, this.wanted);
    throw fileError('FORMAT', this.file, reason.replace('there is no column', 'no line has a'), rest);
  }

  private row(text: string): void {
    const row = this.parse(text);
    if (this.survey) {
      this.addTo(this.survey, row);
      return;
    }
    const blocks = (this.blocks ??= this.start(Object.keys(row)));
    let gaps = 0;
    for (const [at, name] of this.numbers.entries()) {
      const number = this.numberIn(this.own(row, name));
      if (number === undefined) {
        this.refuse(row, name, blocks);
        return;
      }
      if (Number.isNaN(number)) gaps++;
      else if (!Number.isFinite(number)) throw this.bad('it is too large for a double', name, 'NON_FINITE');
      const refusal = blocks.refusal(at, number);
      if (refusal) throw this.bad(refusal, name);
      blocks.number(at, number);
    }
    const { columns, sequence } = this.wanted;
    if (this.kept.length > 0) {
      const written = members(text);
      for (const [at, name] of this.kept.entries()) {
        this.own(row, name);
        const value = written.get(name);
        blocks.keep(at, value === 'null' ? undefined : value);
      }
    }
    if (!columns)
      for (const name of Object.keys(row))
        if (name !== sequence && !this.numbers.includes(name))
          throw this.bad({ reason: 'the first line has no such key', argument: 'columns' }, name);
    const reason = blocks.next(this.line, gaps);
    if (reason) throw this.bad(reason, sequence);
  }
  /** The number of a value; NaN if it is a gap, undefined if it is something else. */
  private numberIn(value: unknown): number | undefined {
    if (typeof value === 'number') return this.notation.observed(value);
    const isGap = value === undefined || value === null || this.words.has(value as string);
    return isGap ? Number.NaN : undefined;
  }
  /** Throws for a value that is no number; if no columns are named, after a survey of the rows from here on. */
  private refuse(row: Row, name: string, blocks: Blocks): void {
    const value = row[name];
    const text = typeof value === 'string' ? value : clip(JSON.stringify(value));
    const { reason, ...rest } = notNumber(text, 'a value not observed is null or left out');
    const fault =
      typeof value === 'string' ? { reason, ...rest } : { reason: reason.replace(JSON.stringify(text), text) };
    const { columns, weights } = this.wanted;
    if (columns || name === weights || typeof value !== 'string') throw this.bad(fault, name);
    const names = blocks.columns.filter((name) => name !== weights);
    this.survey = new Survey(names, blocks.count, text, fault, this.line, { name });
    this.addTo(this.survey, row);
  }
  private addTo(survey: Survey, row: Row): void {
    const names = this.numbers.filter((name) => name !== this.wanted.weights);
    const values = names.map((name) => {
      const value = Object.hasOwn(row, name) ? row[name] : undefined;
      return this.numberIn(value) ?? String(value);
    });
    if (survey.add(values)) throw this.surveyed(survey);
  }
  private surveyed(survey: Survey): SeqlikError {
    return badData('FORMAT', this.file, survey.line, survey.fault(), survey.column);
  }
  private parse(text: string): Row {
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch (error) {
      throw this.bad(`it is not JSON: ${(error as Error).message}`);
    }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) throw this.bad('it is not an object');
    return row as Row;
  }
  private start(keys: readonly string[]): Blocks {
    this.first = keys;
    this.numbers = numbersOf(this.file, this.wanted, keys);
    for (const name of [...this.numbers, ...this.kept]) this.unseen.add(name);
    return new Blocks(this.numbers, this.wanted);
  }
  private own(row: Row, name: string): unknown {
    if (!Object.hasOwn(row, name)) return undefined;
    if (this.unseen.size > 0) this.unseen.delete(name);
    return row[name];
  }
  private bad(fault: string | Fault, name?: string, code: 'FORMAT' | 'NON_FINITE' = 'FORMAT'): SeqlikError {
    if (this.survey) return this.surveyed(this.survey); // the first of two faults
    const full = typeof fault === 'string' ? { reason: fault } : fault;
    return badData(code, this.file, this.line, full, name === undefined ? undefined : { name });
  }
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
/** The members of an object as they are written, so that kept numbers lose no digit. `text` is valid JSON. */
export function members(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let depth = 0;
  let previous = '';
  let key = '';
  let from = 0; // of the value; `to` is its end
  let to = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (depth === 1 && token === ':') {
      key = JSON.parse(previous);
      from = index + 1;
    } else if (depth === 1 && (token === ',' || (token === '}' && previous !== '{')))
      found.set(key, text.slice(from, to).trim());
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    previous = token;
    to = index + token.length;
  }
  return found;
}
