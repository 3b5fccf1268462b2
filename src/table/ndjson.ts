/** Rows of NDJSON: an object per line. */

import { isUtf8 } from 'node:buffer';
import type { SeqlikError } from '../errors.ts';
import { Blocks, keptOf, numbersOf, type Wanted } from './blocks.ts';
import { badData, clip, type Fault, fileError, notNumber, quote } from './errors.ts';
import { LONGEST } from './source.ts';

const LF = 10;
type Row = Readonly<Record<string, unknown>>;

export class NdjsonReader {
  blocks: Blocks | undefined;
  private line = 1;
  private numbers: readonly string[] = [];
  private readonly kept: readonly string[];
  /** The names that no row had so far. */
  private readonly unseen = new Set<string>();
  constructor(
    private readonly file: string,
    private readonly wanted: Wanted,
  ) {
    this.kept = keptOf(wanted);
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
  /** Checks, after the last line, that every name was seen. */
  finish(): void {
    this.blocks ??= new Blocks([], this.wanted);
    const [name] = this.unseen;
    if (name === undefined) return;
    throw fileError('FORMAT', this.file, `no line has a ${quote(name)}`);
  }

  private row(text: string): void {
    const row = this.parse(text);
    const blocks = (this.blocks ??= this.start(Object.keys(row)));
    let gaps = 0;
    for (const [at, name] of this.numbers.entries()) {
      const value = this.own(row, name);
      if (value === undefined || value === null) gaps++;
      else if (typeof value !== 'number') throw this.bad(notNumber(clip(JSON.stringify(value))), name);
      else if (!Number.isFinite(value)) throw this.bad('it is too large for a double', name, 'NON_FINITE');
      const number = (value as number | null | undefined) ?? Number.NaN;
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
