/** Options that several commands have, and how their values are written. */
import { extname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'csv-parse/sync';
import { type Backend, defaultBackend, openBackend, SeqlikError } from '../index.ts';
import type { Format } from '../table/format.ts';
import { decimal } from '../table/numbers.ts';
import { misuse } from './exit.ts';

export interface BackendChoice {
  readonly backend?: 'native' | 'wasm';
  readonly isa?: string;
  readonly threads?: number;
}
export interface DataChoice {
  readonly format?: Format;
  readonly columns?: readonly string[];
}
export interface SequenceChoice {
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
/** Names separated by commas, written as in the header line of a CSV file. */
export function names(text: string): readonly string[] {
  let lines: string[][];
  try {
    lines = parse(text);
  } catch {
    lines = [];
  }
  const [list = []] = lines;
  if (lines.length !== 1 || list.includes('')) throw new InvalidArgumentError('It is not a list like a,b,c.');
  if (new Set(list).size < list.length) throw new InvalidArgumentError('It names a column twice.');
  return list;
}

// ---- options ----
export function withBackend(command: Command): Command {
  return command
    .addOption(
      new Option('--backend <name>', 'where to compute (default: native, else wasm)').choices(['native', 'wasm']),
    )
    .option('--isa <level>', 'one level of the native backend, such as baseline')
    .option('--threads <n>', 'threads of the native backend (default: all cores)', number);
}
/** `rest`: what else there is to say of it. */
export const sequenceOption = (rest = ''): Option =>
  new Option(
    '--sequence <column>',
    `the column that says which sequence a row is of, for networks (default: all rows are one)${rest}`,
  );
export function withData(command: Command): Command {
  return command
    .option(
      '--columns <a,b,c>',
      'the input columns, in their order (default: those stored with the model, else all)',
      names,
    )
    .addOption(formatOption('how DATA is written (default: by its extension; stdin: csv)'))
    .option('--no-progress', 'no progress bar');
}
export const formatOption = (description: string): Option =>
  new Option('--format <name>', description).choices(['csv', 'ndjson']);

// ---- what they mean ----
/** Options stand above SEQLIK_BACKEND, SEQLIK_ISA and SEQLIK_THREADS. Throws BACKEND, INVALID_ARGUMENT. */
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
    throw asOption(error);
  }
}

/** What a network takes of the rows of DATA: all values of the `columns`, if they are known; 0 or 1 in the last. */
export function sequencesWanted(
  { columns, sequence }: { readonly columns?: readonly string[] } & SequenceChoice,
  binary: number,
): { readonly sequence?: string; readonly complete: { readonly binary: number } } {
  if (sequence !== undefined && columns?.includes(sequence))
    throw misuse(`--sequence ${sequence}: that column is an input`);
  return { complete: { binary }, ...(sequence !== undefined && { sequence }) };
}

const formats: Readonly<Record<string, Format>> = { '.csv': 'csv', '.ndjson': 'ndjson', '.jsonl': 'ndjson' };
const byExtension = (path: string): Format | undefined => formats[extname(path).toLowerCase()];
export function formatOfData(path: string, given?: Format): Format {
  const format = given ?? (path === '-' ? 'csv' : byExtension(path));
  if (!format) throw misuse(`${path}: neither .csv, .ndjson nor .jsonl: say --format csv or --format ndjson`);
  return format;
}
/** Any other extension, and stdout, take the `other` format. */
export const formatOfOutput = (path: string, other: Format): Format => byExtension(path) ?? other;

/** Errors of the library about an argument, in the words of the command line. */
export function asOption(error: unknown): unknown {
  if (!(error instanceof SeqlikError) || error.code !== 'INVALID_ARGUMENT' || !error.argument) return error;
  const { argument } = error;
  const option = wordOf(argument);
  const said = error.message.replace(/^\S+: /, '');
  const text = said.startsWith(argument) ? option + said.slice(argument.length) : `${option}: ${said}`;
  const told = text.replace(/ must be .* not undefined$/, ' is needed').replace(/ is no option here.*/, FOREIGN);
  return new SeqlikError('INVALID_ARGUMENT', told, { argument, cause: error });
}
const FOREIGN = ' is no option of this kind of model';
/** Throws for the first of these options that was given: they say nothing to this kind of model. */
export function refuse<Options extends object>(options: Options, foreign: readonly (keyof Options & string)[]): void {
  for (const name of foreign) if (options[name] !== undefined) throw misuse(wordOf(name) + FOREIGN);
}
/** --an-option of anOption. */
const wordOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
