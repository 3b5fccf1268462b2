/** A model of whatever kind a file holds. */
import { malformed, opened } from './file.ts';
import { Gaussian, type OnBackend } from './gaussian.ts';
import { GaussianMixture } from './mixture.ts';

/** Throws FORMAT (tensor, reason), INVALID_ARGUMENT, BACKEND. */
export function loadModel(bytes: Uint8Array, options?: OnBackend): Gaussian | GaussianMixture {
  const kind = opened(bytes).metadata['kind'];
  if (kind === 'gaussian') return Gaussian.fromBytes(bytes, options);
  if (kind === 'gaussian-mixture') return GaussianMixture.fromBytes(bytes, options);
  throw malformed(`it holds a ${kind}, which is no kind of model here`);
}
