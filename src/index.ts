/**
 * seqlik: likelihoods of vectors and sequences. One façade over two machines, C++ and WebAssembly; any JavaScript runtime.
 */
export { type BackendOptions, defaultBackend, openBackend } from './backends/default.ts';
export type { Backend } from './bind.ts';
export type { Gaps, Matrix, Points, Real, Tensor, Vector } from './check.ts';
export { type Code, SeqlikError } from './errors.ts';
export {
  type DivergenceGradient,
  Gaussian,
  type GaussianLike,
  type GaussianParameters,
  klDivergence,
  klDivergenceGradient,
  type OnBackend,
} from './models/gaussian.ts';
export {
  type CovarianceType,
  GaussianMixture,
  type MixtureGradient,
  type MixtureParameters,
} from './models/mixture.ts';
export type { Model } from './models/model.ts';
