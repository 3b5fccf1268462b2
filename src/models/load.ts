/** A model of whatever kind a file holds. */
import { malformed, opened } from '../file.ts';
import { Gaussian } from './gaussian.ts';
import { GaussianMixture } from './mixture.ts';
import type { OnBackend } from './model.ts';
import { MixtureDensityNetwork } from './recurrent/network.ts';

/** The kinds of models that a file can hold, by the name that it gives them. */
const kinds = {
  gaussian: Gaussian,
  'gaussian-mixture': GaussianMixture,
  'mixture-density-network': MixtureDensityNetwork,
} as const;
type Kinds = typeof kinds;

/** A model of any of these kinds. */
export type AnyModel = InstanceType<Kinds[keyof Kinds]>;
/** Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND. */
export function loadModel(bytes: Uint8Array, options?: OnBackend): AnyModel {
  const kind = opened(bytes).metadata['kind'];
  if (kind === undefined || !Object.hasOwn(kinds, kind))
    throw malformed(`it holds a ${kind}, which is no kind of model here`);
  return kinds[kind as keyof Kinds].fromBytes(bytes, options);
}
