/** The part of `sample` that every kind of model fills in. */
import { Option } from 'commander';
import type { Format } from '../../table/format.ts';
import { toOptionError } from '../errors.ts';
import type { AnyModel } from '../model.ts';
import { type BackendChoice, wholeNumber } from '../options.ts';

/** The options of every sample. */
export interface SampleOptions extends BackendChoice {
  readonly count: number;
  readonly seed: number;
  readonly output?: string;
  readonly svg?: string;
  readonly format?: Format;
  readonly progress: boolean;
}
export interface SampleKind<M extends AnyModel> {
  /** The options that this kind has beside those of every sample. */
  readonly options: readonly Option[];
  /** Validates the options. */
  start(model: M, options: SampleOptions): Sampling;
}
export interface Sampling {
  /** The columns of OUT. */
  readonly columns: readonly string[];
  /** The default format of OUT. */
  readonly format: Format;
  /** The title of a drawing, if the samples are strokes of a pen. */
  readonly drawing?: string;
  pieces(): Iterable<Piece>;
  progressText(done: number): string;
}
/** Rows drawn at once. */
export interface Piece {
  readonly x: Float64Array;
  /** The number of the sequence they make, which stands in the first column of OUT. */
  readonly sequence?: number;
  /** The samples drawn so far, of `count`. */
  readonly done: number;
}

/** The seed of a part: that of the whole for the first one, and one made of it for each other part. */
export const seedOf = (seed: number, part: number): number => (seed ^ Math.imul(part, 0x9e3779b1)) >>> 0;
/** Draws, with errors in the words of the command line. */
export function draw(call: () => Float64Array): Float64Array {
  try {
    return call();
  } catch (error) {
    throw toOptionError(error);
  }
}

// ---- sequences ----
/** Rows of a sequence, if --steps does not say. */
export const STEPS = 100;
export const stepsOption = new Option('--steps <n>', `number of rows of each sequence (default: ${STEPS})`).argParser(
  wholeNumber('--steps'),
);
/** A name for the column of sequence numbers that no other column has. */
export function freeName(columns: readonly string[]): string {
  let name = 'sequence';
  while (columns.includes(name)) name = `_${name}`;
  return name;
}
