/** Requests and answers in JSON. Nothing is coerced: a text is no number, and an unknown key is an error. */
import { counted, nearest } from '../table/errors.ts';
import { describe, invalid, mismatch, nonFinite } from './errors.ts';
import { HttpError } from './problems.ts';
import type { Column, Columns, Data, OutputName, Scorer } from './scorers.ts';

/** A request to score: its data, and the outputs it asks for, in the order of the scorer. */
export interface Question {
  readonly data: Data;
  readonly outputs: readonly OutputName[];
  /** Whether the rows are named as sequences, so that the answer is a list of them. */
  readonly several: boolean;
}

/** Levels of lists and objects that any request may have, and characters that may be parsed without a look at them. */
const DEPTH = 16;
const UNSEEN = 2 ** 14;
/** JSON.parse, but for lists in lists in lists: a megabyte of them would hold the event loop for 100 ms. */
export function parseJson(text: string): unknown {
  if (text.length > UNSEEN) {
    let depth = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i) | 32; // [ and {, ] and } are alike but for this bit
      if (code === 123 && ++depth > DEPTH) throw new HttpError('BAD_REQUEST', 'the body is nested too deep');
      if (code === 125) depth--;
    }
  }
  try {
    return JSON.parse(text); // objects are only read, never merged: __proto__ is one more unknown key
  } catch (error) {
    throw new HttpError('BAD_REQUEST', `the body is not JSON: ${(error as Error).message}`);
  }
}
/** The object that a body is, with known keys only. Throws INVALID_ARGUMENT. */
export function readObject<K extends string>(value: unknown, known: readonly K[]): { readonly [N in K]?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`the body must be an object, not ${describe(value)}`, 'body');
  for (const key of Object.keys(value))
    if (!(known as readonly string[]).includes(key)) {
      const name = JSON.stringify(key.slice(0, 40));
      const close = nearest(key, known);
      throw invalid(
        `there is no key ${name}${close ? `; did you mean ${close}?` : `; there are ${known.join(', ')}`}`,
        'body',
      );
    }
  return value as { readonly [N in K]?: unknown };
}
/** { rows | sequences, outputs? }. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE (row, column). */
export function readQuestion(body: unknown, scorer: Scorer): Question {
  const { rows, sequences, outputs } = readObject(body, ['rows', 'sequences', 'outputs']);
  if ((rows === undefined) === (sequences === undefined))
    throw invalid(
      `the body must have ${rows === undefined ? 'rows or sequences' : 'either rows or sequences'}`,
      'body',
    );
  const wanted = readOutputs(outputs, scorer);
  if (sequences === undefined) return { data: readRows(rows, scorer), outputs: wanted, several: false };
  return { data: readSequences(sequences, scorer), outputs: wanted, several: true };
}
/** The outputs named, in the scorer's order. Throws INVALID_ARGUMENT. */
export function readOutputs(value: unknown, scorer: Scorer): readonly OutputName[] {
  if (value === undefined) return scorer.standard;
  if (!Array.isArray(value) || value.length === 0 || value.length > 16)
    throw invalid('outputs must be a list of names', 'outputs');
  const known = Object.keys(scorer.outputs) as OutputName[];
  for (const name of value)
    if (!(known as unknown[]).includes(name))
      throw invalid(`outputs has ${describe(name)}; there are ${known.join(', ')}`, 'outputs');
  return known.filter((name) => value.includes(name));
}
/** Nested rows [n][dimension], with null for a gap. */
export function readRows(value: unknown, scorer: Scorer): Data {
  if (!Array.isArray(value)) throw invalid(`rows must be a list of rows, not ${describe(value)}`, 'rows');
  const values = new Float64Array(value.length * scorer.dimension);
  const gaps = fill(values, 0, value, 'rows', scorer);
  const data = { values, n: value.length, gaps };
  return scorer.ofSequences ? { ...data, lengths: Int32Array.of(value.length) } : data;
}
function readSequences(value: unknown, scorer: Scorer): Data {
  if (!scorer.ofSequences) throw invalid('rows of this kind of model are independent: send rows', 'sequences');
  if (!Array.isArray(value))
    throw invalid(`sequences must be a list of sequences, not ${describe(value)}`, 'sequences');
  let n = 0;
  const lengths = Int32Array.from(value, (sequence: unknown, s) => {
    if (!Array.isArray(sequence))
      throw invalid(`sequences[${s}] must be a list of rows, not ${describe(sequence)}`, 'sequences');
    n += sequence.length;
    return sequence.length;
  });
  const values = new Float64Array(n * scorer.dimension);
  let gaps = false;
  let row = 0;
  for (const [s, sequence] of value.entries()) {
    if (fill(values, row, sequence, `sequences[${s}]`, scorer)) gaps = true;
    row += sequence.length;
  }
  return { values, n, gaps, lengths };
}
/** Copies rows into `values` from row `first` on; returns whether there are gaps. */
function fill(values: Float64Array, first: number, rows: unknown[], name: string, scorer: Scorer): boolean {
  const { dimension: d, knowsGaps } = scorer;
  let gaps = false;
  let at = first * d;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!Array.isArray(row))
      throw invalid(`${name}[${i}] must be a list of numbers, not ${describe(row)}`, 'rows', { row: first + i });
    if (row.length !== d)
      throw mismatch(`${name}[${i}] has ${counted(row.length, 'value')}, not ${d}`, 'rows', {
        row: first + i,
        expected: `${d}`,
        received: `${row.length}`,
      });
    for (let j = 0; j < d; j++) {
      const value: unknown = row[j];
      if (typeof value === 'number') {
        if (!Number.isFinite(value)) throw nonFinite(`${name}[${i}][${j}]`, value, first + i, j);
        values[at++] = value;
      } else if (value === null && knowsGaps) {
        gaps = true;
        values[at++] = Number.NaN;
      } else {
        const kind = value === null ? 'null: this kind of model has no gaps' : describe(value);
        throw invalid(`${name}[${i}][${j}] must be a number, not ${kind}`, 'rows', { row: first + i, column: j });
      }
    }
  }
  return gaps;
}
// ---- answers ----
/** Numbers that parse back to the same bits; null where there is none. */
export function numberText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return Number.isFinite(value) ? `${value}` : 'null';
}
/** Values from `from` to `end`, separated by commas. */
function listText({ values }: Column, from: number, end: number, isFlag: boolean): string {
  let text = '';
  for (let i = from; i < end; i++) {
    if (i > from) text += ',';
    text += isFlag ? (values[i] ? 'true' : 'false') : numberText(values[i]!);
  }
  return text;
}
/** The rows `from` .. `end` of an output: numbers, or lists where there are several for each row. */
function columnText(name: OutputName, column: Column, from: number, end: number, isNested: boolean): string {
  const { width } = column;
  const isFlag = name === 'anomaly';
  if (!isNested) return `[${listText(column, from * width, end * width, isFlag)}]`;
  let text = '[';
  for (let i = from; i < end; i++) {
    if (i > from) text += ',';
    text += `[${listText(column, i * width, (i + 1) * width, isFlag)}]`;
  }
  return `${text}]`;
}
const isNested = (name: OutputName): boolean => name === 'responsibilities' || name === 'probabilities';
/** The fields of rows `row` .. `end` and of sequence `s`. */
function fieldsText(columns: Columns, row: number, end: number, s: number): string {
  const fields = (Object.entries(columns) as [OutputName, Column][]).map(([name, column]) => {
    if (column.per === 'row') return `"${name}":${columnText(name, column, row, end, isNested(name))}`;
    const text = listText(column, s * column.width, (s + 1) * column.width, false);
    return `"${name}":${isNested(name) ? `[${text}]` : text}`;
  });
  return `{${fields.join(',')}}`;
}
/** The outputs of one sequence, or of one row where there are none: numbers of the row itself. */
export function answerText(columns: Columns, row: number, end?: number, s = 0): string {
  if (end !== undefined) return fieldsText(columns, row, end, s);
  const fields = (Object.entries(columns) as [OutputName, Column][]).map(([name, column]) => {
    const text = listText(column, row * column.width, (row + 1) * column.width, name === 'anomaly');
    return `"${name}":${isNested(name) ? `[${text}]` : text}`;
  });
  return `{${fields.join(',')}}`;
}
/** Rows or sequences after which others may run. */
const BLOCK = 4096;
/** The pieces of an answer, none of which takes long to write. */
export function* answerPieces({ data, several }: Question, columns: Columns): Generator<string> {
  if (several) {
    let row = 0;
    let rows = 0;
    let text = '{"sequences":[';
    for (const [s, length] of data.lengths!.entries()) {
      if (s > 0) text += ',';
      text += fieldsText(columns, row, row + length, s);
      row += length;
      rows += length + 1;
      if (rows < BLOCK) continue;
      yield text;
      text = '';
      rows = 0;
    }
    yield `${text}]}`;
    return;
  }
  if (data.n <= BLOCK) {
    yield fieldsText(columns, 0, data.n, 0);
    return;
  }
  let head = '{';
  for (const [name, column] of Object.entries(columns) as [OutputName, Column][]) {
    if (column.per === 'sequence') {
      yield `${head}${fieldsText({ [name]: column }, 0, 0, 0).slice(1, -1)}`;
      head = ',';
      continue;
    }
    for (let row = 0; row < data.n; row += BLOCK) {
      const end = Math.min(data.n, row + BLOCK);
      const text = columnText(name, column, row, end, isNested(name)).slice(1, -1);
      yield row === 0 ? `${head}"${name}":[${text}` : `,${text}`;
    }
    yield ']';
    head = ',';
  }
  yield '}';
}
