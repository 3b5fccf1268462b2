/** What the fits of all kinds of models have in common. */

import { type Backend, type MixtureFitOptions, type NetworkFitOptions, SeqlikError } from '../../index.ts';
import type { Wanted } from '../../table/blocks.ts';
import type { Held } from '../../table/buffer.ts';
import type { AnyModel } from '../model.ts';
import { asOption, type BackendChoice, type DataChoice, type SequenceChoice } from '../options.ts';

/** A fit of one kind of model, as the options ask for it. */
export interface Fitting {
  /** What it needs of DATA. */
  readonly wanted: Omit<Wanted, 'keep' | 'columns'>;
  /** Looks at the options, before a large file is read. */
  check(): Promise<void>;
  run(held: Held, file: string): Promise<Fitted>;
}
export interface Fitted {
  readonly model: AnyModel;
  /** For programs. */
  readonly report: object;
  /** For people: to what it was fitted, and what came of it. */
  readonly data: string;
  readonly lines: readonly string[];
}
export type FittingOf = new (options: FitOptions, backend: Backend) => Fitting;

/** The options of the library's fits that are options here, under the same names. */
export const rowSettings = [
  'components',
  'covarianceType',
  'restarts',
  'initialization',
  'regularization',
  'seed',
  'maxIterations',
  'tolerance',
  'shardSize',
  'falsePositiveRate',
] as const satisfies readonly (keyof MixtureFitOptions)[];
export const networkSettings = [
  'hidden',
  'components',
  'cell',
  'mapping',
  'binary',
  'inputSkip',
  'optimizer',
  'momentum',
  'learningRate',
  'schedule',
  'batch',
  'clip',
  'validation',
  'patience',
  'minStandardDeviation',
  'seed',
  'maxIterations',
  'tolerance',
  'shardSize',
] as const satisfies readonly (keyof NetworkFitOptions)[];
/** And those that are of the command alone. */
interface OwnOptions extends BackendChoice, DataChoice, SequenceChoice {
  readonly output: string;
  readonly sampleWeights?: string;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly json?: true;
  readonly progress: boolean;
}
type Settings<From, Names extends readonly (keyof From)[]> = { readonly [K in Names[number]]?: From[K] };
export type FitOptions = OwnOptions &
  Omit<Settings<MixtureFitOptions, typeof rowSettings>, (typeof networkSettings)[number]> &
  Settings<NetworkFitOptions, typeof networkSettings>;

/** Those of the options that were given. */
export const settingsOf = <K extends keyof FitOptions>(options: FitOptions, names: readonly K[]): Pick<FitOptions, K> =>
  Object.fromEntries(
    names.map((name) => [name, options[name]] as const).filter(([, value]) => value !== undefined),
  ) as Pick<FitOptions, K>;

/** A fit of nothing ends with EMPTY_INPUT if its options are right. */
export async function checked(fitOfNothing: Promise<unknown>): Promise<void> {
  try {
    await fitOfNothing;
  } catch (error) {
    if (!(error instanceof SeqlikError && error.code === 'EMPTY_INPUT')) throw asOption(error);
  }
}
