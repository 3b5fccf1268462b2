/** Options that several commands have, and the values they take. */
import { basename, extname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'csv-parse/sync';
import { type Backend, defaultBackend, openBackend } from '../index.ts';
import type { Delimiter, Dialect, Format } from '../table/format.ts';
import { decimal } from '../table/numbers.ts';
import { foreignOption, toOptionError, usageError } from './errors.ts';

export interface BackendChoice {
  readonly backend?: 'native' | 'wasm';
  readonly isa?: string;
  readonly threads?: number;
}
export interface DataChoice {
  readonly format?: Format;
  readonly delimiter?: Delimiter;
  readonly decimal?: '.' | ',';
  readonly na?: readonly string[];
  readonly columns?: readonly string[];
}
export interface SequenceChoice {
  /** '': all rows are one sequence. */
  readonly sequence?: string;
}

// ---- values ----
export function number(text: string): number {
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}
/** Numbers separated by commas. */
export const numbers = (text: string): readonly number[] => text.split(',').map(number);
/** A whole number >= 0, as the value of `option`. */
export const wholeNumber =
  (option: string) =>
  (text: string): number => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw usageError(`${option} must be a whole number, 0 or more`);
    return value;
  };
function delimiter(text: string): Delimiter {
  const known: Readonly<Record<string, Delimiter>> = { ',': ',', ';': ';', tab: '\t', '\t': '\t', '\\t': '\t' };
  const found = known[text];
  if (!found) throw new InvalidArgumentError('It is none of , ; and tab.');
  return found;
}
/** Names separated by commas, written as in the header line of a CSV file. */
export function names(text: string): readonly string[] {
  let lines: string[][];
  try {
    lines = parse(text);
  } catch {
    lines = [];
  }
  const [listText = []] = lines;
  if (lines.length !== 1 || listText.includes('')) throw new InvalidArgumentError('It is not a list like a,b,c.');
  if (new Set(listText).size < listText.length) throw new InvalidArgumentError('It names a column twice.');
  return listText;
}

// ---- arguments and options ----
export const dataText = 'CSV with a header line, or NDJSON, also as .gz; - is stdin';
export const modelText = 'a file that fit wrote; - is stdin';
export function addBackendOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--backend <name>', 'the machine that computes (default: native, else wasm)').choices([
        'native',
        'wasm',
      ]),
    )
    .option('--isa <level>', 'instruction set of the native backend, such as baseline (default: the best of this CPU)')
    .option('--threads <n>', 'number of threads of the native backend (default: all cores)', number);
}
export const sequenceOption = (): Option =>
  new Option(
    '--sequence <column>',
    "column that identifies the sequence of a row (default: the one of the fit; if none, or '', all rows are one)",
  );
export const targetsOption = (): Option =>
  new Option('--targets <a,b,c>', 'columns of targets from 0 to 1 (default: those stored with the model)').argParser(
    names,
  );
/** `fitted`: whether there is a model that has columns. */
export function addDataOptions(command: Command, fitted = true): Command {
  const columns = fitted ? 'those stored with the model, else all' : 'all but those of other options';
  return command
    .option('--columns <a,b,c>', `input columns, in this order (default: ${columns})`, names)
    .addOption(formatOption('format of DATA (default: by its extension; csv for stdin)'))
    .option('--delimiter <c>', 'between cells of CSV: , ; or tab (default: as in the header line)', delimiter)
    .addOption(new Option('--decimal <c>', 'decimal mark in cells of CSV (default: .)').choices(['.', ',']))
    .option('--na <a,b,c>', 'cells that stand for gaps, such as NA or -999; empty ones always do', names)
    .option('--no-progress', 'no progress bar');
}
export const formatOption = (description: string): Option =>
  new Option('--format <name>', description).choices(['csv', 'ndjson']);

/** The end of the help of a command: lines to try. */
export const examplesText = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;

// ---- what they select ----
/** The backend. Options override SEQLIK_BACKEND, SEQLIK_ISA and SEQLIK_THREADS. Throws BACKEND, INVALID_ARGUMENT. */
export function backendOf({ backend: name, isa, threads }: BackendChoice): Backend {
  if (name === undefined && isa === undefined && threads === undefined) return defaultBackend();
  const { SEQLIK_BACKEND, SEQLIK_ISA, SEQLIK_THREADS } = process.env;
  const chosen = {
    name: name ?? (isa === undefined ? SEQLIK_BACKEND : undefined),
    isa: isa ?? (name === undefined ? SEQLIK_ISA : undefined),
    threads: threads ?? (SEQLIK_THREADS ? Number(SEQLIK_THREADS) : undefined),
  };
  try {
    return openBackend(
      Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined && value !== '')),
    );
  } catch (error) {
    throw toOptionError(error);
  }
}

const formats: Readonly<Record<string, Dialect>> = {
  '.csv': { format: 'csv' },
  '.tsv': { format: 'csv', delimiter: '\t' },
  '.ndjson': { format: 'ndjson' },
  '.jsonl': { format: 'ndjson' },
};
const byExtension = (path: string): Dialect | undefined =>
  formats[extname(basename(path.toLowerCase(), '.gz')).toLowerCase()];
/** How DATA is written: as the options say, else by the extension; CSV for stdin. */
export function dialectOf(path: string, { format: given, delimiter, decimal, na }: DataChoice): Dialect {
  const known = byExtension(path) ?? (path === '-' ? { format: 'csv' } : undefined);
  const format = given ?? known?.format ?? (delimiter && 'csv');
  if (!format) throw usageError(`${path}: neither .csv, .tsv, .ndjson nor .jsonl: say --format csv or --format ndjson`);
  for (const [name, value] of Object.entries({ delimiter, decimal }))
    if (value !== undefined && format === 'ndjson') throw usageError(`--${name} is for CSV, not for NDJSON`);
  const own = delimiter ?? (known?.format === format ? known.delimiter : undefined);
  return { format, ...(own && { delimiter: own }), ...(decimal === ',' && { decimal }), ...(na && { na }) };
}
/** How OUT is written by its extension; for any other extension, and stdout, as `other`. */
export const outputOf = (path: string, { format, delimiter }: Dialect): Dialect =>
  byExtension(path) ?? { format, ...(delimiter && { delimiter }) };

// ---- options of kinds ----
/** The options of a command that only some kinds of models have, by kind. */
export type OptionsByKind = Readonly<Record<string, readonly Option[]>>;

/** Adds each option once, under a heading that names its kinds. */
export function addKindOptions(command: Command, byKind: OptionsByKind): Command {
  const kinds = Object.keys(byKind);
  for (const option of new Set(Object.values(byKind).flat())) {
    const own = kinds.filter((kind) => byKind[kind]!.includes(option));
    command.addOption(option.helpGroup(own.length < kinds.length ? `For ${list(own)}:` : 'For every kind:'));
  }
  return command;
}
/** Throws for the first option given that is one of other kinds only. */
export function refuseForeign(given: object, byKind: OptionsByKind, own: readonly Option[]): void {
  for (const option of Object.values(byKind).flat()) {
    if (own.includes(option) || !(option.attributeName() in given)) continue;
    const others = Object.keys(byKind).filter((kind) => byKind[kind]!.includes(option));
    throw foreignOption(option.attributeName(), list(others));
  }
}
/** Words as a list: `a, b and c`. */
export const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
