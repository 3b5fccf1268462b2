/**
 * The operations of the golden vectors through the public API: renames and reshapes, and holds no mathematics.
 * Adding one: its entry in `operations`.
 */
import {
  type Backend,
  backpropagate,
  type ConvolutionMode,
  chainDiagnostics,
  convolve,
  convolveGradient,
  type GaussianParameters,
  klDivergence,
  klDivergenceGradient,
  type Mapping,
  MixtureDensity,
  MixtureDensityNetwork,
  recurrentJacobians,
  SeqlikError,
  sharedEigenProduct,
} from 'seqlik';
import type { Outputs, Result } from './compare.ts';
import type { Fields, Tensor } from './format.ts';

type Tensors<Name extends string> = Readonly<Record<Name, Tensor>>;
export interface Operation {
  /** Outputs by their public names; throws what the library throws. Every model of it is on `backend`. */
  call(inputs: object, backend: Backend): Outputs | Promise<Outputs>;
  /** Public names -> names in the vectors: of outputs, and of arguments in errors. Others are the same in both. */
  readonly names: Readonly<Record<string, string>>;
}

const means = { 'p.mean': 'muA', 'q.mean': 'muB', dMeanP: 'gMuA', dMeanQ: 'gMuB' };
const divergence = (p: GaussianParameters, q: GaussianParameters, backend: Backend): Outputs => ({
  ...klDivergenceGradient(p, q, { backend }),
  kl: klDivergence(p, q, { backend }),
});

interface Network {
  readonly layers: number;
  readonly k: number;
  readonly M: number;
  readonly mapping: Mapping;
  readonly inputSkip: boolean;
  readonly xs: Tensor;
}
function tednet({ layers, k, M, mapping, inputSkip, xs, ...tensors }: Network & Fields, backend: Backend): Outputs {
  const parts = Object.entries(tensors) as [string, Tensor][];
  const parameters = Object.fromEntries(
    parts.filter(([name]) => !name.startsWith('h0_')).map(([name, { data }]) => [name, data]),
  );
  const states = parts.filter(([name]) => name.startsWith('h0_')).map(([, { data }]) => data);
  const initial = states.length > 0 ? { initialState: states } : {};
  const hidden = Array.from({ length: layers }, (_, n) => parameters[`b${n}`]!.length);
  const shape = { dimension: k, hidden, components: M, mapping, inputSkip, cell: 'tanh', parameters } as const;
  const network = new MixtureDensityNetwork(shape, { backend });
  const { hidden: h, ...forward } = network.forward(xs.data, initial);
  const { gradient, dInitialState } = network.lossGradient(xs.data, initial);
  return {
    ...forward,
    ...Object.fromEntries(h.map((values, n) => [`h${n}`, values])),
    ...Object.fromEntries(Object.entries(gradient).map(([name, values]) => [`g${name}`, values])),
    ...Object.fromEntries(dInitialState.map((values, n) => [`gh0_${n}`, values])),
  };
}

const chainOf = ({ shape, data }: Tensor) => ({ jacobians: data, size: shape[1]! });

/** All there are; undefined: the library cannot do it yet. */
export const operations: Readonly<Record<string, Operation | undefined>> = {
  'S0.mdn': {
    call({ M, k, mapping, raw, x }: { M: number; k: number; mapping: Mapping } & Tensors<'raw' | 'x'>, backend) {
      const density = new MixtureDensity({ components: M, dimension: k, mapping }, { backend });
      const result = density.lossGradient(raw.data, x.data);
      const block = (from: number, to: number) =>
        result.dRaw.filter((_, i) => i % density.outputs >= from && i % density.outputs < to);
      return {
        ...result,
        ...density.distribution(raw.data),
        gLogits: block(0, M),
        gMu: block(M, M + M * k),
        gCov: block(M + M * k, density.outputs),
      };
    },
    names: {
      components: 'M',
      dimension: 'k',
      logDensity: 'logp',
      responsibilities: 'gamma',
      weights: 'pi',
      covariances: 'covariance',
      dRaw: 'gRaw',
      dx: 'gX',
    },
  },
  'S0.tednet': { call: tednet, names: { seqs: 'xs', logDensity: 'logp' } },
  'S1a.kl': {
    call: ({ muA, sigmaA, muB, sigmaB }: Tensors<'muA' | 'sigmaA' | 'muB' | 'sigmaB'>, backend) =>
      divergence({ mean: muA.data, covariance: sigmaA.data }, { mean: muB.data, covariance: sigmaB.data }, backend),
    names: {
      ...means,
      'p.covariance': 'sigmaA',
      'q.covariance': 'sigmaB',
      dCovarianceP: 'gSigmaA',
      dCovarianceQ: 'gSigmaB',
      dPackedP: 'gPackedA',
      dPackedQ: 'gPackedB',
    },
  },
  'S1b.kl': {
    call: ({ muA, varA, muB, varB }: Tensors<'muA' | 'varA' | 'muB' | 'varB'>, backend) =>
      divergence({ mean: muA.data, variances: varA.data }, { mean: muB.data, variances: varB.data }, backend),
    names: { ...means, 'p.variances': 'varA', 'q.variances': 'varB', dVariancesP: 'gVarA', dVariancesQ: 'gVarB' },
  },
  'S1c.filter': undefined,
  'S1c.smooth': undefined,
  'S1c.gradient': undefined,
  'S1c.em': undefined,
  'S2a.conv': {
    call({ x, w, mode, gy }: Tensors<'x' | 'w' | 'gy'> & { mode: ConvolutionMode }, backend) {
      const y = convolve(x.data, w.data, { mode, backend });
      return { y, ...convolveGradient(x.data, w.data, gy.data, { mode, backend }) };
    },
    names: { dy: 'gy', dx: 'gX', dw: 'gW' },
  },
  'S2b.ctrnn': undefined,
  'S3.diagnostics': {
    call: ({ J, rateThreshold }: { rateThreshold: number } & Tensors<'J'>, backend) => ({
      ...chainDiagnostics(chainOf(J), { rateThreshold, backend }),
    }),
    names: { 'chain.jacobians': 'J' },
  },
  'S3.bptt': {
    call: ({ J, g }: Tensors<'J' | 'g'>, backend) => ({ ...backpropagate(chainOf(J), g.data, { backend }) }),
    names: { 'chain.jacobians': 'J' },
  },
  'S3.sharedEigen': {
    call: ({ V, lambda }: Tensors<'V' | 'lambda'>) => ({ ...sharedEigenProduct(V.data, lambda.data) }),
    names: {},
  },
  'S3.rnnJacobians': {
    call(
      { W, U, b, x, h0, activation }: { activation: 'tanh' | 'relu' } & Tensors<'W' | 'U' | 'b' | 'x' | 'h0'>,
      backend,
    ) {
      const layer = { W: W.data, U: U.data, b: b.data, x: x.data, h0: h0.data, activation };
      return { ...recurrentJacobians(layer, { backend }) };
    },
    names: {},
  },
  'S4a.rnn': undefined,
  'S4b.net': undefined,
  'S4b.sgd': undefined,
  'S4c.sin': undefined,
};

/** Calls it; names and errors in the words of the vectors. */
export async function perform({ call, names }: Operation, inputs: Fields, backend: Backend): Promise<Result> {
  const rename = (name: unknown): unknown => names[name as string] ?? name;
  try {
    const outputs = Object.entries(await call(inputs, backend));
    return { outputs: Object.fromEntries(outputs.map(([name, value]) => [rename(name), value])) };
  } catch (error) {
    if (!(error instanceof SeqlikError)) return { error: { code: String(error), message: String(error) } };
    const { argument, which, message } = error;
    return { error: { ...error, argument: rename(argument), which: rename(which), message } };
  }
}
