/** The jobs that return a promise, as short or as long as a test needs; a test compares the list with the types. */
import {
  type Backend,
  Gaussian,
  GaussianMixture,
  LinearDynamicalSystem,
  MixtureDensityNetwork,
  type Real,
  RecurrentClassifier,
  TwoLayerClassifier,
} from '../../src/index.ts';
import { uniform } from '../support/cases.ts';

/** The arrays a caller hands over. */
export interface Arrays {
  readonly x: Float64Array;
  readonly mask: Uint8Array;
  readonly sampleWeights: Float64Array;
  /** All sequences have 100 rows. */
  readonly lengths: Int32Array;
}
export interface Job {
  /** The callable, as surface.ts names it; `how`: what sets this job apart. */
  readonly of: string;
  readonly how?: string;
  /** Never much work: it is aborted only before it begins. */
  readonly brief?: true;
  /** Makes its model, too, so that nothing else holds it. `long`: hours of work. */
  readonly start: (arrays: Arrays, backend: Backend, long: boolean, signal?: AbortSignal) => Promise<Answer>;
}
export type Answer = Real | Gaussian['parameters'] | GaussianMixture['parameters'] | Record<string, Float64Array>;

export const D = 8;
export function arraysOf(n: number): Arrays {
  const random = uniform(5);
  return {
    x: Float64Array.from({ length: n * D }, random),
    mask: Uint8Array.from({ length: n * D }, (_, i) => Number(i % 7 > 0 || i % 3 > 0)),
    sampleWeights: Float64Array.from({ length: n }, () => 2 + random()),
    lengths: new Int32Array(n / 100).fill(100),
  };
}
/** `k` components over D coordinates. */
function mixture(backend: Backend, k: number): GaussianMixture {
  const random = uniform(9);
  const covariance = Array.from({ length: D * D }, (_, i) => (i % (D + 1) === 0 ? 1 : 0.1));
  return new GaussianMixture(
    {
      weights: new Float64Array(k).fill(1 / k),
      means: Float64Array.from({ length: k * D }, random),
      covariances: Float64Array.from({ length: k * D * D }, (_, i) => covariance[i % (D * D)]!),
    },
    { backend },
  );
}
const gaussian = (backend: Backend): Gaussian =>
  new Gaussian({ mean: new Float64Array(D), variances: new Float64Array(D).fill(2) }, { backend });
/** `m` latent and D observed coordinates. */
function system(backend: Backend, m: number): LinearDynamicalSystem {
  const random = uniform(7);
  const unit = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0));
  return new LinearDynamicalSystem(
    {
      transition: unit(m).map((v) => v / 2),
      observation: Float64Array.from({ length: D * m }, random),
      transitionCovariance: unit(m),
      observationCovariance: unit(D),
      initialMean: new Float64Array(m),
      initialCovariance: unit(m),
    },
    { backend },
  );
}
const how = (signal?: AbortSignal): { signal?: AbortSignal } => (signal ? { signal } : {});
/** Never converges by itself. */
const endless = { tolerance: 0, maxIterations: 2 ** 31 - 1 };
const short = { maxIterations: 2 };
const cell = { dimension: D, hidden: [4], components: 2, mapping: 'diag-exp' } as const;

export const jobs: readonly Job[] = [
  {
    of: 'GaussianMixture#logDensityAsync',
    start: ({ x }, backend, long, signal) => mixture(backend, long ? 65536 : 16).logDensityAsync(x, how(signal)),
  },
  {
    of: 'GaussianMixture#logDensityAsync',
    how: 'with gaps',
    start: ({ x, mask }, backend, long, signal) =>
      mixture(backend, long ? 16384 : 8).logDensityAsync(x, { mask, ...how(signal) }),
  },
  {
    of: 'Gaussian#logDensityAsync',
    brief: true, // one component
    start: ({ x }, backend, _, signal) => gaussian(backend).logDensityAsync(x, how(signal)),
  },
  {
    of: 'Gaussian.fit',
    how: 'with gaps and weights',
    start: async ({ x, mask, sampleWeights }, backend, long, signal) => {
      const options = { dimension: D, backend, mask, sampleWeights, ...(long ? endless : short), ...how(signal) };
      return (await Gaussian.fit(x, options)).model.parameters;
    },
  },
  {
    of: 'GaussianMixture.fit',
    start: async ({ x }, backend, long, signal) => {
      const init = mixture(backend, 16);
      const options = { init, backend, ...(long ? endless : short), ...how(signal) };
      return (await GaussianMixture.fit(x, options)).model.parameters;
    },
  },
  {
    of: 'GaussianMixture.fit',
    how: 'from many starts, with weights',
    start: async ({ x, sampleWeights }, backend, long, signal) => {
      const size = { components: long ? 2048 : 4, restarts: long ? 4 : 2 };
      const options = { dimension: D, backend, sampleWeights, ...size, ...(long ? endless : short), ...how(signal) };
      return (await GaussianMixture.fit(x, options)).model.parameters;
    },
  },
  {
    of: 'GaussianMixture.fit',
    how: 'with gaps',
    start: async ({ x, mask }, backend, long, signal) => {
      const options = { dimension: D, components: 3, mask, backend, ...(long ? endless : short), ...how(signal) };
      return (await GaussianMixture.fit(x, options)).model.parameters;
    },
  },
  {
    of: 'LinearDynamicalSystem#filterAsync',
    start: async ({ x, mask, lengths }, backend, long, signal) => {
      const options = { mask, store: 'last', ...how(signal) } as const;
      const { means, covariances } = await system(backend, long ? 200 : 2).filterAsync({ values: x, lengths }, options);
      return { means, covariances } as Record<string, Float64Array>;
    },
  },
  {
    of: 'LinearDynamicalSystem#smoothAsync',
    start: async ({ x }, backend, long, signal) => {
      const { means, covariances } = await system(backend, long ? 40 : 2).smoothAsync(x, how(signal));
      return { means, covariances } as Record<string, Float64Array>;
    },
  },
  {
    of: 'LinearDynamicalSystem#logDensityAsync',
    start: ({ x }, backend, long, signal) => system(backend, long ? 200 : 2).logDensityAsync(x, how(signal)),
  },
  {
    of: 'LinearDynamicalSystem.fit',
    start: async ({ x, mask, lengths }, backend, long, signal) => {
      const options = { init: system(backend, 2), mask, backend, ...(long ? endless : short), ...how(signal) };
      return (await LinearDynamicalSystem.fit({ values: x, lengths }, options)).model.parameters as Answer;
    },
  },
  {
    of: 'MixtureDensityNetwork.fit',
    start: async ({ x, lengths }, backend, long, signal) => {
      const options = { ...cell, backend, ...(long ? endless : { maxIterations: 1 }), ...how(signal) };
      return (await MixtureDensityNetwork.fit({ values: x, lengths }, options)).model.parameters;
    },
  },
  {
    of: 'TwoLayerClassifier.fit',
    start: async ({ x }, backend, long, signal) => {
      const sizes = { inputs: D, hidden: 8, outputs: 1 };
      const options = { ...sizes, backend, ...(long ? endless : { maxIterations: 1 }), ...how(signal) };
      const { V, W } = (await TwoLayerClassifier.fit(x, new Float64Array(x.length / D).fill(0.5), options)).model
        .parameters;
      return { V, W };
    },
  },
  {
    of: 'RecurrentClassifier.fit',
    start: async ({ x, lengths }, backend, long, signal) => {
      const sizes = { inputs: D, hidden: 8, outputs: 1, lossAt: 'all' } as const;
      const options = { ...sizes, backend, ...(long ? endless : { maxIterations: 1 }), ...how(signal) };
      const y = new Float64Array(x.length / D).fill(0.5);
      const { U, V, W } = (await RecurrentClassifier.fit({ values: x, lengths }, y, options)).model.parameters;
      return { U, V, W };
    },
  },
  {
    of: 'MixtureDensityNetwork.fit',
    how: 'of one long batch',
    start: async ({ x }, backend, long, signal) => {
      const size = long ? { hidden: [256] } : { maxIterations: 1 };
      const options = { ...cell, ...size, batch: 10_000, cell: 'lstm', backend, ...how(signal) } as const;
      return (await MixtureDensityNetwork.fit(x, options)).model.parameters;
    },
  },
];
export const titleOf = ({ of, how }: Job): string => (how ? `${of} ${how}` : of);
