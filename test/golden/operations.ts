/**
 * The operations of the golden vectors through the public API: renames and reshapes, and holds no mathematics.
 * Adding one: its entry in `operations`.
 */
import {
  type Backend,
  backpropagate,
  ContinuousRNN,
  type ConvolutionMode,
  chainDiagnostics,
  convolve,
  convolveGradient,
  type GaussianParameters,
  klDivergence,
  klDivergenceGradient,
  LinearDynamicalSystem,
  type LossAt,
  type Mapping,
  MixtureDensity,
  MixtureDensityNetwork,
  RecurrentClassifier,
  recurrentJacobians,
  SeqlikError,
  sharedEigenProduct,
  sineLayer,
  TwoLayerClassifier,
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

const rowsOf = ({ shape: [rows, columns], data }: Tensor): number[][] =>
  Array.from({ length: rows! }, (_, i) => [...data.subarray(i * columns!, (i + 1) * columns!)]);
interface Continuous extends Tensors<'b' | 'W' | 'x0' | 'g'> {
  readonly steps: number;
  readonly alpha: number;
  readonly partials: boolean;
}
function continuous({ b, W, x0, g, steps, alpha, partials }: Continuous, backend: Backend): Outputs {
  const network = new ContinuousRNN({ W: W.data, b: b.data, alpha }, { backend });
  return {
    ...network.run(x0.data, steps),
    ...network.jacobians(x0.data, steps, { partials }),
    ...network.lossGradient(x0.data, g.data, { steps }),
  };
}
type TwoLayers = Tensors<'V' | 'W' | 'x' | 'y'>;
const twoLayers = ({ V, W }: TwoLayers, backend: Backend): TwoLayerClassifier =>
  new TwoLayerClassifier({ V: V.data, W: W.data, hidden: V.shape[0]! }, { backend });

interface Recurrent {
  readonly lossAt: LossAt;
  readonly h0?: Tensor;
}
const chainOf = ({ shape, data }: Tensor) => ({ jacobians: data, size: shape[1]! });
interface Dynamics extends Tensors<'A' | 'B' | 'Sigma' | 'Gamma' | 'mu0' | 'x' | 'mask'> {
  readonly V0?: Tensor;
  readonly tied: boolean;
  readonly lengths: readonly number[];
}
const systemNames = {
  transition: 'A',
  observation: 'B',
  transitionCovariance: 'Sigma',
  observationCovariance: 'Gamma',
  initialMean: 'mu0',
  initialCovariance: 'V0',
} as const;
/** The system and its data; the shapes of the vectors become nested arrays. */
function dynamics(inputs: Dynamics, backend: Backend) {
  const { x, mask, lengths } = inputs;
  const given = Object.entries(systemNames).flatMap(([name, short]) => {
    const tensor = inputs[short];
    return tensor ? [[name, nested(tensor)] as const] : [];
  });
  const parameters = Object.fromEntries(given) as unknown as ConstructorParameters<typeof LinearDynamicalSystem>[0];
  const system = new LinearDynamicalSystem(parameters, { backend });
  return { system, y: { values: x.data, lengths }, gaps: { mask: Uint8Array.from(mask.data) } };
}
const nested = ({ shape, data }: Tensor): number[] | number[][] =>
  shape.length === 1
    ? [...data]
    : Array.from({ length: shape[0]! }, (_, i) => [...data.subarray(i * shape[1]!, (i + 1) * shape[1]!)]);
const systemErrors = { ...systemNames, y: 'x', 'y.values': 'x', 'y.lengths': 'lengths' };

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
  'S1c.filter': {
    call(inputs: Dynamics, backend) {
      const { system, y, gaps } = dynamics(inputs, backend);
      const { state, steadyState, ...filtered } = system.filter(y, gaps);
      return filtered;
    },
    names: {
      ...systemErrors,
      predictedMeans: 'predMean',
      predictedCovariances: 'predCov',
      means: 'filtMean',
      covariances: 'filtCov',
      logDensity: 'logLikStep',
      logLikelihood: 'logLik',
    },
  },
  'S1c.smooth': {
    call(inputs: Dynamics, backend) {
      const { system, y, gaps } = dynamics(inputs, backend);
      return { ...system.smooth(y, gaps) };
    },
    names: {
      ...systemErrors,
      means: 'smoothMean',
      covariances: 'smoothCov',
      lagOneCovariances: 'lagOneCov',
      logLikelihood: 'logLik',
    },
  },
  'S1c.gradient': {
    call(inputs: Dynamics, backend) {
      const { system, y, gaps } = dynamics(inputs, backend);
      return { ...system.logLikelihoodGradient(y, gaps) };
    },
    names: {
      ...systemErrors,
      logLikelihood: 'logLik',
      dTransition: 'gA',
      dObservation: 'gB',
      dTransitionCovariance: 'gSigma',
      dObservationCovariance: 'gGamma',
      dInitialMean: 'gMu0',
      dInitialCovariance: 'gV0',
    },
  },
  'S1c.em': {
    async call(inputs: Dynamics & { readonly iterations: number; readonly update: readonly string[] }, backend) {
      const { system, y, gaps } = dynamics(inputs, backend);
      const names = Object.entries(systemNames);
      const update = inputs.update.map((short) => names.find((pair) => pair[1] === short)![0]);
      const options = { init: system, update: update as never, maxIterations: inputs.iterations, tolerance: 0 };
      const { model, report } = await LinearDynamicalSystem.fit(y, { ...options, backend, ...gaps });
      const { parameters } = model;
      return { initialCovariance: parameters.transitionCovariance, ...parameters, history: report.history };
    },
    names: { ...systemErrors, history: 'logLikHistory' },
  },
  'S2a.conv': {
    call({ x, w, mode, gy }: Tensors<'x' | 'w' | 'gy'> & { mode: ConvolutionMode }, backend) {
      const y = convolve(x.data, w.data, { mode, backend });
      return { y, ...convolveGradient(x.data, w.data, gy.data, { mode, backend }) };
    },
    names: { dy: 'gy', dx: 'gX', dw: 'gW' },
  },
  'S2b.ctrnn': { call: continuous, names: { dx0: 'gX0', db: 'gB', dW: 'gW', cotangents: 'g' } },
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
  'S4a.rnn': {
    call({ U, V, W, x, y, h0, lossAt }: Tensors<'U' | 'V' | 'W' | 'x' | 'y'> & Recurrent, backend) {
      const classifier = new RecurrentClassifier({ U: U.data, V: V.data, W: W.data }, { backend });
      const [B, T] = x.shape as [number, number];
      const lengths = new Int32Array(B).fill(T);
      const options = { lossAt, ...(h0 && { h0: h0.data }) };
      return { ...classifier.lossGradient({ values: x.data, lengths }, y.data, options) };
    },
    names: {
      'x.values': 'x',
      'x.lengths': 'x',
      probabilities: 'z',
      dU: 'gU',
      dV: 'gV',
      dW: 'gW',
      dx: 'gX',
      dh0: 'gH0',
    },
  },
  'S4b.net': {
    call: (inputs: TwoLayers, backend) => ({
      ...twoLayers(inputs, backend).lossGradient(inputs.x.data, inputs.y.data),
    }),
    names: { probabilities: 'z', dV: 'gV', dW: 'gW' },
  },
  'S4b.sgd': {
    call({ order, learningRate, ...inputs }: TwoLayers & { order: number[]; learningRate: number }, backend) {
      const net = twoLayers(inputs, backend);
      const { model, losses } = net.sgd(inputs.x.data, inputs.y.data, { order, learningRate });
      return { losses, V: model.parameters.V, W: model.parameters.W };
    },
    names: {},
  },
  'S4c.sin': {
    call: ({ A, x, g }: Tensors<'A' | 'x' | 'g'>, backend) =>
      sineLayer(rowsOf(A), x.data, { cotangent: g.data, backend }) as unknown as Outputs,
    names: { dx: 'gX', dA: 'gA', cotangent: 'g' },
  },
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
