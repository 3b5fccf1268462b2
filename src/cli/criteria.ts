/** What compares models of different size: numbers of parameters, BIC and AIC. */

import type { RowModel } from './model.ts';

export interface Criteria {
  readonly parameters: number;
  readonly bic: number;
  readonly aic: number;
}
/** Of `rows` of which something was observed. */
export function criteria(model: RowModel, logLikelihood: number, rows: number): Criteria {
  const parameters = model.parameterCount;
  const aic = -2 * logLikelihood + 2 * parameters;
  return { parameters, bic: -2 * logLikelihood + parameters * Math.log(rows), aic };
}
