/** A small model of every kind that a file can hold: a kind without one does not compile. */
import {
  type Backend,
  Gaussian,
  GaussianMixture,
  LinearDynamicalSystem,
  type loadModel,
  MixtureDensityNetwork,
  type OnBackend,
  RecurrentClassifier,
  TwoLayerClassifier,
} from '../../src/index.ts';

type AnyModel = ReturnType<typeof loadModel>;
type Kind = AnyModel['kind'];
type Make<K extends Kind> = (on: OnBackend) => Extract<AnyModel, { readonly kind: K }>;

const makers: { readonly [K in Kind]: Make<K> } = {
  gaussian: (on) => new Gaussian({ mean: [0], variances: [1] }, on),
  'gaussian-mixture': (on) =>
    new GaussianMixture({ weights: [1], means: [0], covariances: [1], covarianceType: 'spherical' }, on),
  'recurrent-classifier': (on) => new RecurrentClassifier({ U: [1], V: [1], W: [1] }, on),
  'mixture-density-network': (on) => new MixtureDensityNetwork({ dimension: 1, hidden: [1], components: 1 }, on),
  'two-layer-classifier': (on) => new TwoLayerClassifier({ V: [[1, 0]], W: [[1, 0]] }, on),
  'linear-dynamical-system': (on) =>
    new LinearDynamicalSystem(
      {
        transition: [1],
        observation: [1],
        transitionCovariance: [1],
        observationCovariance: [1],
        initialMean: [0],
        initialCovariance: [1],
      },
      on,
    ),
};
export const modelsOn = (backend?: Backend): AnyModel[] =>
  Object.values(makers).map((make: (on: OnBackend) => AnyModel) => make(backend ? { backend } : {}));
