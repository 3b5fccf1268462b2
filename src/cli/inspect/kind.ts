/** The part of `inspect` that every kind of model fills in: how well a model describes data. */
import type { Option } from 'commander';
import type { Block, Wanted } from '../../table/blocks.ts';
import type { AnyModel } from '../model.ts';
import { type BackendChoice, type DataChoice, sequenceOption, targetsOption } from '../options.ts';

/** The options of every inspection. */
export interface InspectOptions extends BackendChoice, DataChoice {
  readonly json?: true;
  readonly svg?: string;
  readonly progress: boolean;
}
/** An option that several kinds share. */
export const sequenceSetting = sequenceOption();
export const targetsSetting = targetsOption();
export interface InspectKind<M extends AnyModel> {
  /** The options that this kind has beside those of every inspection. */
  readonly options: readonly Option[];
  start(model: M, options: InspectOptions): Evaluation;
}
/** An evaluation of a model on DATA, block by block. */
export interface Evaluation {
  /** The parts of DATA it needs. */
  readonly wanted: Omit<Wanted, 'keep'>;
  add(block: Block): void;
  /** The result over all blocks of `file`. Throws EMPTY_INPUT. */
  finish(file: string): Fitness;
}
/** The result for programs and for people. */
export interface Fitness {
  /** A diagnosis of a model that learns by gradients: it comes first. */
  readonly diagnosis?: { readonly found: object; readonly lines: readonly string[]; readonly svg: string };
  readonly fitness: object;
  readonly lines: readonly string[];
}
