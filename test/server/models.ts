/** Models of every kind with more than one of everything, on a backend. */
import {
  type AnyModel,
  type Backend,
  Gaussian,
  GaussianMixture,
  LinearDynamicalSystem,
  MixtureDensityNetwork,
  openBackend,
  RecurrentClassifier,
  TwoLayerClassifier,
} from '../../src/index.ts';
import { Random } from '../../src/random.ts';
import { hasNative } from '../support/models.ts';

const name = hasNative && process.env['SEQLIK_BACKEND'] !== 'wasm' ? 'native' : 'wasm';
/** The machine of this run: `.ci/run` has one on each. */
export const machines: readonly Backend[] = [openBackend({ name, ...(name === 'native' && { threads: 2 }) })];
export const named = machines.map((backend) => [backend.name, backend] as const);

export const random = new Random(7);
const normals = (n: number, scale = 1): number[] => Array.from({ length: n }, () => scale * random.normal());

export function mixture(backend: Backend, d = 3, k = 4): GaussianMixture {
  const covariances = Array.from({ length: k * d * d }, (_, i) =>
    Math.floor(i / d) % d === i % d ? 1 + (i % 3) : 0.1 * Math.cos(Math.floor(i / d) % d) * Math.cos(i % d),
  );
  return new GaussianMixture(
    { weights: Array(k).fill(1 / k), means: normals(k * d, 3), covariances },
    { backend, anomaly: { threshold: -7, falsePositiveRate: 0.1 } },
  );
}
export const system = (backend: Backend): LinearDynamicalSystem =>
  new LinearDynamicalSystem(
    {
      transition: [0.9, 0.1, -0.1, 0.8],
      observation: [1, 0, 0, 1, 1, 1],
      transitionCovariance: [0.5, 0, 0, 0.5],
      observationCovariance: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      initialMean: [0, 1],
      initialCovariance: [2, 0, 0, 2],
    },
    { backend },
  );
/** Models by id, all of 3 inputs. */
export function modelsOn(backend: Backend): Record<string, AnyModel> {
  const on = { backend };
  const network = { dimension: 3, hidden: [4, 3], components: 2 } as const;
  return {
    gaussian: new Gaussian({ mean: [0, 1, 2], variances: [1, 2, 3] }, on),
    mixture: mixture(backend),
    gru: new MixtureDensityNetwork({ ...network, cell: 'gru', seed: 3 }, on),
    lstm: new MixtureDensityNetwork({ ...network, cell: 'lstm', seed: 4 }, on),
    system: system(backend),
    last: new RecurrentClassifier({ U: normals(16, 0.3), V: normals(12), W: normals(8) }, on),
    every: new RecurrentClassifier({ U: normals(16, 0.3), V: normals(12), W: normals(8), lossAt: 'all' }, on),
    layers: new TwoLayerClassifier({ V: normals(20), W: normals(12), hidden: 5 }, on),
  };
}
/** n rows of 3 values. */
export const rowsOf = (n: number): number[][] => Array.from({ length: n }, () => normals(3, 2));
export const bitsOf = (values: ArrayLike<number>): string =>
  [...new BigUint64Array(Float64Array.from(values).buffer)].map((bits) => bits.toString(16)).join();
