/** Models of any kind, read from files. */
import { decode, malformed } from '../file.ts';
import { TwoLayerClassifier } from './dense/classifier.ts';
import { Gaussian } from './gaussian.ts';
import { LinearDynamicalSystem } from './lds.ts';
import { GaussianMixture } from './mixture.ts';
import type { OnBackend } from './model.ts';
import { RecurrentClassifier } from './recurrent/classifier.ts';
import { MixtureDensityNetwork } from './recurrent/network.ts';

/** Every kind of model that a file can hold. */
export type AnyModel =
  | Gaussian
  | GaussianMixture
  | MixtureDensityNetwork
  | LinearDynamicalSystem
  | RecurrentClassifier
  | TwoLayerClassifier;
type Kind = AnyModel['kind'];

const classes: {
  readonly [K in Kind]: { fromBytes(bytes: Uint8Array | ArrayBuffer, on?: OnBackend): AnyModel & { kind: K } };
} = {
  gaussian: Gaussian,
  'gaussian-mixture': GaussianMixture,
  'mixture-density-network': MixtureDensityNetwork,
  'recurrent-classifier': RecurrentClassifier,
  'two-layer-classifier': TwoLayerClassifier,
  'linear-dynamical-system': LinearDynamicalSystem,
};

/**
 * The model in a file that `toBytes` made, of any kind: see its `kind`.
 * Throws FORMAT (tensor, reason), INVALID_ARGUMENT (bytes, backend), BACKEND.
 * @example
 * const bytes = new Gaussian({ mean: [0], variances: [1] }).toBytes();
 * loadModel(bytes).kind; // 'gaussian'
 */
export function loadModel(bytes: Uint8Array | ArrayBuffer, options?: OnBackend): AnyModel {
  const { kind } = decode('loadModel', bytes).metadata;
  if (kind === undefined || !Object.hasOwn(classes, kind))
    throw malformed(`it holds a ${kind}, which is no kind of model here`);
  return classes[kind as Kind].fromBytes(bytes, options);
}
