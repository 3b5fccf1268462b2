/** What compares models of different size: numbers of parameters, BIC and AIC. */

import { GaussianMixture } from '../index.ts';
import type { RowModel } from './model.ts';

export interface Criteria {
  readonly parameters: number;
  readonly bic: number;
  readonly aic: number;
}
/** Of `rows` of which something was observed. */
export function criteria(model: RowModel, logLikelihood: number, rows: number): Criteria {
  const parameters = freeParameters(model);
  const aic = -2 * logLikelihood + 2 * parameters;
  return { parameters, bic: -2 * logLikelihood + parameters * Math.log(rows), aic };
}
function freeParameters(model: RowModel): number {
  if (model instanceof GaussianMixture) return model.freeParameters;
  const d = model.dimension;
  return d + ('variances' in model.parameters ? d : (d * (d + 1)) / 2);
}
