/** Models as files: docs/format.md. Everything that does not fit is FORMAT, with the reason. */
import * as check from '../../check.ts';
import { built, lengthOf, onlyTensors, type TensorFile, type Tensors, tensorOf } from '../../file.ts';
import { type CovarianceType, covarianceTypes, type Parts } from './components.ts';

/** The shape of k covariances of a type. */
export const shapeOf = (type: CovarianceType, k: number, d: number): number[] =>
  ({ full: [k, d, d], tied: [d, d], diagonal: [k, d], spherical: [k] })[type];
export const tensorsOf = ({ type, k, d, weights, means, covariances }: Parts): Tensors => ({
  weights: { shape: [k], values: weights },
  means: { shape: [k, d], values: means },
  covariances: { shape: shapeOf(type, k, d), values: covariances },
});
/** The parameters of a mixture that a file holds, beside the tensors `others`. */
export function partsIn(file: TensorFile, others: readonly string[] = []): Parts {
  const type = built(() => check.choice('file', 'covarianceType', file.metadata['covarianceType'], covarianceTypes));
  onlyTensors(file, ['weights', 'means', 'covariances', ...others]);
  const k = lengthOf(file, 'means', 2);
  const d = lengthOf(file, 'means', 2, 1);
  const weights = tensorOf(file, 'weights', [k]);
  const means = tensorOf(file, 'means', [k, d]);
  const covariances = tensorOf(file, 'covariances', shapeOf(type, k, d));
  return { type, k, d, weights, means, covariances };
}
