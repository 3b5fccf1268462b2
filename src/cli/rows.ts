/** Models of independent rows in every command: the columns they read, and the criteria that compare them. */
import type { Gaussian, GaussianMixture } from '../index.ts';
import type { Wanted } from '../table/blocks.ts';
import { columnsFor } from './inputs.ts';
import type { DataChoice } from './options.ts';

export type RowModel = Gaussian | GaussianMixture;

/** The rows of DATA that a stored model reads. */
export const rowsFor = (model: RowModel, { columns }: DataChoice): Omit<Wanted, 'keep'> => ({
  ...columnsFor(model, columns),
  dimension: model.dimension,
});

/** Criteria that compare models of different size. */
export interface Criteria {
  readonly parameters: number;
  readonly bic: number;
  readonly aic: number;
}
/** BIC and AIC on data with `rows` observed rows. */
export function criteria(model: RowModel, logLikelihood: number, rows: number): Criteria {
  const parameters = model.parameterCount;
  const aic = -2 * logLikelihood + 2 * parameters;
  return { parameters, bic: -2 * logLikelihood + parameters * Math.log(rows), aic };
}
