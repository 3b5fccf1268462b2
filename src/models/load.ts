/** A model of whatever kind a file holds. */
import { malformed, opened } from '../file.ts';
import { Gaussian } from './gaussian.ts';
import { GaussianMixture } from './mixture.ts';
import type { OnBackend } from './model.ts';
import { MixtureDensityNetwork } from './recurrent/network.ts';

/** Every kind of model that a file can hold. */
export type AnyModel = Gaussian | GaussianMixture | MixtureDensityNetwork;
/** Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND. */
export function loadModel(bytes: Uint8Array, options?: OnBackend): AnyModel {
  const kind = opened(bytes).metadata['kind'];
  if (kind === 'gaussian') return Gaussian.fromBytes(bytes, options);
  if (kind === 'gaussian-mixture') return GaussianMixture.fromBytes(bytes, options);
  if (kind === 'mixture-density-network') return MixtureDensityNetwork.fromBytes(bytes, options);
  throw malformed(`it holds a ${kind}, which is no kind of model here`);
}
