/** The columns of DATA that a stored model reads. */
import { usageError } from './errors.ts';
import type { AnyModel } from './model.ts';

/** The names of the inputs: those asked for, else those stored with the model. */
export function columnsFor(model: AnyModel, asked?: readonly string[]): { columns?: readonly string[] } {
  if (asked && asked.length !== model.dimension)
    throw usageError(`--columns names ${asked.length} columns, the model has ${model.dimension}`);
  const columns = asked ?? model.columns;
  return columns ? { columns } : {};
}
