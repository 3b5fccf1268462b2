/**
 * seqlik: likelihoods of vectors and sequences. One façade over two machines, C++ and WebAssembly; any JavaScript runtime.
 */
export { type BackendOptions, defaultBackend, openBackend } from './backends/default.ts';
export type { Backend } from './bind.ts';
export type { Gaps, Matrix, Points, Real, Tensor, Vector } from './check.ts';
export { type Code, SeqlikError } from './errors.ts';
export type { CovarianceType } from './models/components.ts';
export {
  type DensityForward,
  type DensityGradient,
  type Distribution,
  type GradientOut,
  type Mapping,
  MixtureDensity,
  type MixtureDensityShape,
} from './models/density.ts';
export { type DivergenceGradient, klDivergence, klDivergenceGradient, mixtureDivergence } from './models/divergence.ts';
export type { FitProgress } from './models/em.ts';
export {
  Gaussian,
  type GaussianFitOptions,
  type GaussianLike,
  type GaussianParameters,
  type Named,
  type OnBackend,
} from './models/gaussian.ts';
export { loadModel } from './models/load.ts';
export {
  type Anomaly,
  GaussianMixture,
  type MixtureFitOptions,
  type MixtureGradient,
  type MixtureLike,
  type MixtureParameters,
} from './models/mixture.ts';
export type { Model } from './models/model.ts';
export type { Cell } from './models/recurrent/architecture.ts';
export type { Standardization } from './models/recurrent/batch.ts';
export type { NetworkFitOptions } from './models/recurrent/fit.ts';
export {
  MixtureDensityNetwork,
  type NetworkForward,
  type NetworkGradient,
  type NetworkOn,
} from './models/recurrent/network.ts';
export type { NetworkOptions } from './models/recurrent/options.ts';
export type { State } from './models/recurrent/stepper.ts';
export type { ComponentFitOptions, FitOptions } from './models/settings.ts';
export { MixtureStatistics } from './models/statistics.ts';
export type { Sequences } from './sequences.ts';
export type { FitReport, TrainingReport } from './training/report.ts';
export type { CheckpointOptions, TrainingOptions, TrainingProgress } from './training/settings.ts';
