/**
 * The public door without the WebAssembly module, `seqlik/external`: for pages and workers that load
 * 'seqlik/kernels.wasm' or 'seqlik/mixture.wasm' by themselves and open a backend on it with `openBackend({ module })`.
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
  type Prediction,
  TwoLayerClassifier,
  type TwoLayerFitOptions,
  type TwoLayerGradient,
  type TwoLayerLossOptions,
  type TwoLayerOn,
  type TwoLayerParameters,
} from './models/dense/classifier.ts';
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
export {
  type FilteredSystem,
  type FilterOptions,
  type Floor,
  type Forecast,
  LinearDynamicalSystem,
  type Observability,
  type ParameterName,
  type SmoothedSystem,
  type SteadyState,
  type Store,
  type Structure,
  type Structures,
  type SystemFitOptions,
  type SystemFitProgress,
  type SystemFitReport,
  type SystemGradient,
  type SystemLike,
  type SystemParameters,
  type SystemState,
} from './models/lds.ts';
export { type AnyModel, loadModel } from './models/load.ts';
export {
  type Anomaly,
  type ComponentFitOptions,
  type CovarianceType,
  type FitOptions,
  type FitProgress,
  GaussianMixture,
  type Initialization,
  type MixtureDraws,
  type MixtureFitOptions,
  type MixtureGradient,
  type MixtureLike,
  type MixtureParameter,
  type MixtureParameters,
  type MixtureStart,
  type PointGradient,
  type Weighted,
} from './models/mixture.ts';
export type { Model, Named, OnBackend } from './models/model.ts';
export {
  type CalibrationReport,
  type ClassifierOn,
  type LossAt,
  RecurrentClassifier,
  type RecurrentFitOptions,
  type RecurrentForward,
  type RecurrentGradient,
  type RecurrentGradientOptions,
  type RecurrentLossOptions,
  type RecurrentParameters,
  type RecurrentStart,
} from './models/recurrent/classifier.ts';
export {
  type ContinuousGradient,
  type ContinuousParameters,
  ContinuousRNN,
  type Sensitivities,
  type StepJacobians,
  type Trajectory,
} from './models/recurrent/continuous.ts';
export {
  type Diagnosis,
  diagnose,
  type GradientCheck,
  type GradientNorms,
} from './models/recurrent/diagnose.ts';
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
export { type SineLayer, type SineOptions, sineLayer } from './models/sine.ts';
export { MixtureStatistics } from './models/statistics.ts';
export { SystemStatistics } from './models/system-statistics.ts';
export type { FitReport, TrainingReport } from './training/report.ts';
export type { CheckpointOptions, TrainingOptions, TrainingProgress } from './training/settings.ts';
