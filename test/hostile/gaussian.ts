/** Places of Gaussian, and of the divergences between two. */

import {
  type Backend,
  Gaussian,
  type GaussianLike,
  type GaussianParameters,
  klDivergence,
  klDivergenceGradient,
} from '../../src/index.ts';
import type { OnBackend } from '../../src/models/model.ts';
import { none, numbers, optional, options, type Place, type Places, those } from './places.ts';
import { backends, fits, loading, scoringPlaces } from './scored.ts';
import { plain } from './values.ts';

const zeros = [0, 0];
const ones = [1, 1];
const made = (parameters: object, backend: Backend): Gaussian =>
  new Gaussian(parameters as GaussianParameters, { backend });
/** Places of parameters at a path: one form of covariance at a time, and a mean as long as the values need. */
function parameters(name: string, path: string, use: (given: object, backend: Backend) => unknown): Places {
  return {
    [`${name}(${path}.mean)`]: numbers((mean, backend) => use({ mean, variances: plain }, backend)),
    [`${name}(${path}.covariance)`]: numbers((covariance, backend) => use({ mean: zeros, covariance }, backend)),
    [`${name}(${path}.cholesky)`]: numbers((cholesky, backend) => use({ mean: zeros, cholesky }, backend)),
    [`${name}(${path}.variances)`]: numbers((variances, backend) => use({ mean: plain, variances }, backend)),
  };
}
const isGaussian = (value: unknown): boolean => value instanceof Gaussian && Object.hasOwn(value, 'dimension');
function divergence(name: string, kl: (p: GaussianLike, q: GaussianLike, on?: OnBackend) => unknown): Places {
  const fitting = (given: object): object =>
    'covariance' in given || 'cholesky' in given
      ? { mean: zeros, variances: ones }
      : { mean: plain, variances: [1, 2, 3, 4] };
  const like = (call: Place['call']): Place => those(isGaussian, call);
  return {
    ...parameters(name, 'p', (p, backend) => kl(p as GaussianLike, fitting(p) as GaussianLike, { backend })),
    ...parameters(name, 'q', (q, backend) => kl(fitting(q) as GaussianLike, q as GaussianLike, { backend })),
    [`${name}(p)`]: like((p, backend) => kl(p as Gaussian, { mean: [1], variances: [1] }, { backend })),
    [`${name}(q)`]: like((q, backend) => kl({ mean: [1], variances: [1] }, q as Gaussian, { backend })),
    [`${name}(options)`]: options((given) => kl({ mean: [1], variances: [1] }, { mean: [2], variances: [2] }, given)),
    [`${name}(options.backend)`]: backends((backend) =>
      kl({ mean: [1], variances: [1] }, { mean: [2], variances: [2] }, { backend: backend as Backend }),
    ),
  };
}
const file = (): Uint8Array => new Gaussian({ mean: [0], variances: [1] }).toBytes();

export const gaussian: Places = {
  ...parameters('new Gaussian', 'parameters', (given, backend) => made(given, backend).logDensity([])),
  'new Gaussian(parameters)': none((given, backend) => new Gaussian(given, { backend })),
  'new Gaussian(options)': options((given) => new Gaussian({ mean: [0], variances: [1] }, given).dimension),
  'new Gaussian(options.backend)': backends(
    (backend) => made({ mean: [0], variances: [1] }, backend as Backend).dimension,
  ),
  'new Gaussian(options.columns)': {
    call: (columns, backend) =>
      new Gaussian({ mean: plain, variances: plain }, { backend, columns: columns as string[] }).columns,
    meant: (_, made) => (made === undefined ? { as: made } : undefined), // the strings among the values are not distinct
  },
  ...scoringPlaces('Gaussian', (backend) => made({ mean: [0, 1], covariance: [2, 1, 1, 3] }, backend)),
  ...loading('Gaussian.fromBytes', () => [file()], Gaussian.fromBytes),
  ...fits('Gaussian', (x, given) => Gaussian.fit(x, given), {}),
  ...parameters('Gaussian.fit', 'options.init', async (init, backend) => {
    const dimension = 'variances' in init ? 4 : 2;
    const given = { init: init as GaussianParameters, dimension, backend, maxIterations: 2 };
    return (await Gaussian.fit([1, 2, 3, 5, 8, 13, 0, 4], given)).model.parameters;
  }),
  'Gaussian.fit(options.init)': optional(
    those(
      isGaussian,
      async (init, backend) => (await Gaussian.fit([1, 2, 4], { init, dimension: 1, backend })).model.parameters,
    ),
  ),
  ...divergence('klDivergence', klDivergence),
  ...divergence('klDivergenceGradient', klDivergenceGradient),
};
