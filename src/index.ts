/**
 * seqlik: likelihoods of vectors and sequences. One façade over two machines, C++ and WebAssembly, for any JavaScript
 * runtime.
 */
export { type BackendOptions, defaultBackend, openBackend, setDefaultBackend } from './backends/default.ts';
export type { Backend } from './bind.ts';
export type { Gaps, Integers, Matrix, Points, Real, Scoring, Sequences, Tensor, Vector } from './check.ts';
export { type Code, SeqlikError } from './errors.ts';
export {
  type ConvolutionGradient,
  type ConvolutionMode,
  type ConvolutionOptions,
  type ConvolutionOut,
  type ConvolveGradientOptions,
  type ConvolveOptions,
  convolve,
  convolveGradient,
} from './models/convolution.ts';
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
export { Gaussian, type GaussianFitOptions, type GaussianLike, type GaussianParameters } from './models/gaussian.ts';
export {
  backpropagate,
  type Chain,
  type ChainDiagnostics,
  type ChainOptions,
  type ChainParts,
  chainDiagnostics,
  type RecurrentJacobians,
  type RecurrentLayer,
  type Regime,
  recurrentJacobians,
  type SharedEigenProduct,
  sharedEigenProduct,
} from './models/jacobian.ts';
export { type AnyModel, loadModel } from './models/load.ts';
export {
  type Anomaly,
  type ComponentFitOptions,
  type CovarianceType,
  type FitOptions,
  type FitProgress,
  GaussianMixture,
  type Initialization,
  type MixtureFitOptions,
  type MixtureGradient,
  type MixtureLike,
  type MixtureParameters,
} from './models/mixture.ts';
export type { Model, Named, OnBackend } from './models/model.ts';
export {
  type Cell,
  MixtureDensityNetwork,
  type NetworkFitOptions,
  type NetworkForward,
  type NetworkGradient,
  type NetworkOn,
  type NetworkOptions,
  type Standardization,
  type State,
} from './models/recurrent/network.ts';
export { MixtureStatistics } from './models/statistics.ts';
export type { FitReport, TrainingReport } from './training/report.ts';
export type { CheckpointOptions, TrainingOptions, TrainingProgress } from './training/settings.ts';
