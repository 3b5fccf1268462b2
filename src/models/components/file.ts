/** The parameters of mixtures in files: docs/format.md. What does not fit is FORMAT, with the reason. */
import * as check from '../../check.ts';
import { orMalformed, refuseOthers, sizeOf, type TensorFile, type Tensors, tensorOf } from '../../file.ts';
import type { Parts } from './components.ts';
import { covarianceTypes, shapeOf } from './covariances.ts';

export const encodeParts = ({ type, k, d, weights, means, covariances }: Parts): Tensors => ({
  weights: { shape: [k], values: weights },
  means: { shape: [k, d], values: means },
  covariances: { shape: shapeOf(type, k, d), values: covariances },
});
/** The parameters of a mixture that a file holds beside the tensors `others`. Throws FORMAT. */
export function decodeParts(file: TensorFile, others: readonly string[] = []): Parts {
  const given = file.metadata['covarianceType'];
  const type = orMalformed(() => check.choice('file', 'covarianceType', given, covarianceTypes));
  refuseOthers(file, ['weights', 'means', 'covariances', ...others]);
  const k = sizeOf(file, 'means', 2);
  const d = sizeOf(file, 'means', 2, 1);
  const weights = tensorOf(file, 'weights', [k]);
  const means = tensorOf(file, 'means', [k, d]);
  const covariances = tensorOf(file, 'covariances', shapeOf(type, k, d));
  return { type, k, d, weights, means, covariances };
}
