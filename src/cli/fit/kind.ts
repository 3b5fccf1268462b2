/** The part of a fit that every kind of model fills in. */
import { Option } from 'commander';
import { type Backend, SeqlikError } from '../../index.ts';
import type { Wanted } from '../../table/blocks.ts';
import type { RowBuffer } from '../../table/buffer.ts';
import { optionName, toOptionError, usageError } from '../errors.ts';
import type { AnyModel } from '../model.ts';
import { type BackendChoice, type DataChoice, number, sequenceOption, targetsOption } from '../options.ts';

/** The options of every fit. */
export interface FitOptions extends BackendChoice, DataChoice {
  readonly output: string;
  readonly json?: true;
  readonly progress: boolean;
}
export interface FitKind {
  /** The options that this kind has beside those of every fit. */
  readonly options: readonly Option[];
  start(options: FitOptions, backend: Backend): Fitting;
}
/** A fit as the options ask for it. */
export interface Fitting {
  /** The parts of DATA it needs; its columns, if it says which, instead of those asked for. */
  readonly wanted: Omit<Wanted, 'keep'>;
  /** Validates the options, before a large file is read. */
  validate(): Promise<void>;
  run(rows: RowBuffer, file: string): Promise<Fitted>;
}
export interface Fitted {
  readonly model: AnyModel;
  /** The result for programs. */
  readonly report: object;
  /** The result for people: the data it was fitted to, and lines about the fit. */
  readonly data: string;
  readonly lines: readonly string[];
}

// ---- settings: options that have the names of the library's ----
type Text = readonly [value: string, description: string, parse?: (text: string) => unknown];
/** Options named after those of the library's fits. */
export const settingsOf = <Options>(texts: { readonly [K in keyof Options & string]?: Text }): readonly Option[] =>
  Object.entries(texts as Readonly<Record<string, Text>>).map(([name, [value, description, parse]]) => {
    const option = new Option(`${optionName(name)} ${value}`.trimEnd(), description);
    return parse ? option.argParser(parse) : option;
  });
/** The values of the settings that were given. */
export function pickSettings(options: object, settings: readonly Option[]): Record<string, unknown> {
  const names = settings.map((option) => option.attributeName());
  return Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
}
interface Shared {
  readonly seed?: number;
  readonly maxIterations?: number;
  readonly tolerance?: number;
  readonly shardSize?: number;
}
export const sharedSettings = settingsOf<Shared>({
  seed: ['<n>', '0 to 2^32 - 1; the same seed gives the same model (default: 0)', number],
  maxIterations: ['<n>', 'maximum number of iterations (default: 500), of epochs for a network (default: 100)', number],
  tolerance: [
    '<t>',
    'gain of the log-likelihood per row at which to stop (default: 3e-7); for a network relative (default: 0, never), for a system relative (default: 1e-8)',
    number,
  ],
  shardSize: ['<n>', 'rows, or steps of a network, that are summed together (default: 8192)', number],
});
/** A range of whole numbers. */
export interface Range {
  readonly from: number;
  readonly to: number;
}
function countOrRange(text: string): number | Range {
  const [, from, to] = /^(\d{1,6})\.\.(\d{1,6})$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return number(text);
  if (Number(from) < 1 || Number(from) > Number(to))
    throw usageError('--components a..b: a is 1 or more, b at least a');
  return { from: Number(from), to: Number(to) };
}
export const restartsSetting = settingsOf<{ readonly restarts: number }>({
  restarts: ['<n>', 'number of starts, the best of which is kept (default: 1)', number],
});
export const componentsSetting = settingsOf<{ readonly components: number }>({
  components: [
    '<n>',
    'number of components of the mixture; of a gaussian-mixture also a..b: the best of them',
    countOrRange,
  ],
});

/** A fraction to hold out. */
export const validationSetting = settingsOf<{ readonly validation: number }>({
  validation: [
    '<r>',
    'fraction of the sequences to hold out, to find the best epoch (default: 0.1); for a gaussian-mixture of the rows, to choose --components a..b by their likelihood (default: by BIC)',
    number,
  ],
});

/** Options that several kinds share. */
export const sequenceSetting = sequenceOption();
export const targetsSetting = targetsOption();

/** Validates options by a fit to no data, which ends with EMPTY_INPUT if they are right. */
export async function validateOptions(fitToNothing: Promise<unknown>): Promise<void> {
  try {
    await fitToNothing;
  } catch (error) {
    const { code, argument, reason } = error instanceof SeqlikError ? error : ({} as Partial<SeqlikError>);
    if (code === 'EMPTY_INPUT') return;
    // nothing has no size: a list among the options is too long or too short
    if (code === 'DIMENSION_MISMATCH' && argument) throw usageError(`${optionName(argument)} ${reason}`);
    throw toOptionError(error);
  }
}
