/** The columns of DATA that a stored model reads. */
import { counted, usageError } from './errors.ts';
import type { SequenceChoice } from './options.ts';

/** The part of a model that names its inputs. */
export interface Inputs {
  readonly dimension: number;
  readonly columns?: readonly string[] | undefined;
}
/** The names of the inputs: those asked for, else those stored with the model. */
export function columnsFor(model: Inputs, asked?: readonly string[]): { columns?: readonly string[] } {
  if (asked && asked.length !== model.dimension)
    throw usageError(`--columns names ${counted(asked.length, 'column')}, the model has ${model.dimension}`);
  const columns = asked ?? model.columns;
  return columns ? { columns } : {};
}
/** The names of a model's columns: x1, x2, ... if they have none. */
export const columnsOf = ({ columns, dimension }: Inputs): readonly string[] =>
  columns ?? Array.from({ length: dimension }, (_, j) => `x${j + 1}`);
/** The column that tells sequences apart, which is no input; none where it is '' or not named. */
export function sequenceOf({ columns, sequence }: { readonly columns?: readonly string[] } & SequenceChoice): {
  readonly sequence?: string;
} {
  if (!sequence) return {};
  if (columns?.includes(sequence)) throw usageError(`--sequence ${sequence}: that column is an input`);
  return { sequence };
}
