/** The columns of DATA that a stored model reads. */
import type { MixtureDensityNetwork } from '../index.ts';
import type { Wanted } from '../table/blocks.ts';
import { misuse } from './exit.ts';
import type { AnyModel } from './model.ts';
import { type DataChoice, type SequenceChoice, sequencesWanted } from './options.ts';
import { widthOf } from './walk.ts';

/** The inputs by name: those asked for, else those stored with the model. */
export function columnsFor(model: AnyModel, asked?: readonly string[]): { columns?: readonly string[] } {
  if (asked && asked.length !== model.dimension)
    throw misuse(`--columns names ${asked.length} columns, the model has ${model.dimension}`);
  const columns = asked ?? model.columns;
  return columns ? { columns } : {};
}
/** What a network needs of DATA. */
export function sequencesFor(
  model: MixtureDensityNetwork,
  { columns: asked, sequence }: DataChoice & SequenceChoice,
): Omit<Wanted, 'keep'> {
  const columns = columnsFor(model, asked);
  const sequences = sequencesWanted({ ...columns, ...(sequence !== undefined && { sequence }) }, model.binary);
  return { dimension: model.dimension, width: widthOf(model), ...columns, ...sequences };
}
