/** Options that several commands have, and the values they take. */
import { extname } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'csv-parse/sync';
import { type Backend, defaultBackend, openBackend } from '../index.ts';
import type { Format } from '../table/format.ts';
import { decimal } from '../table/numbers.ts';
import { foreignOption, toOptionError, usageError } from './errors.ts';

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
/** A whole number >= 0, as the value of `option`. */
export const wholeNumber =
  (option: string) =>
  (text: string): number => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw usageError(`${option} must be a whole number, 0 or more`);
    return value;
  };
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

// ---- options ----
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
export const newSequenceOption = (): Option =>
  new Option(
    '--sequence <column>',
    'column that identifies the sequence of a row (default: all rows are one sequence)',
  );
/** The same for the kinds of a command, which show an option once if it is one object. */
export const sequenceOption = newSequenceOption();
export function addDataOptions(command: Command): Command {
  return command
    .option('--columns <a,b,c>', 'input columns, in this order (default: those stored with the model, else all)', names)
    .addOption(formatOption('format of DATA (default: by its extension; csv for stdin)'))
    .option('--no-progress', 'no progress bar');
}
export const formatOption = (description: string): Option =>
  new Option('--format <name>', description).choices(['csv', 'ndjson']);

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

const formats: Readonly<Record<string, Format>> = { '.csv': 'csv', '.ndjson': 'ndjson', '.jsonl': 'ndjson' };
const byExtension = (path: string): Format | undefined => formats[extname(path).toLowerCase()];
/** The format of DATA: the one given, else by the extension; csv for stdin. */
export function formatOfData(path: string, given?: Format): Format {
  const format = given ?? (path === '-' ? 'csv' : byExtension(path));
  if (!format) throw usageError(`${path}: neither .csv, .ndjson nor .jsonl: say --format csv or --format ndjson`);
  return format;
}
/** The format of OUT by its extension; for any other extension, and stdout, the `other` format. */
export const formatOfOutput = (path: string, other: Format): Format => byExtension(path) ?? other;

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
  for (const option of Object.values(byKind).flat())
    if (!own.includes(option) && option.attributeName() in given) throw foreignOption(option.attributeName());
}
/** Words as a list: `a, b and c`. */
export const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
