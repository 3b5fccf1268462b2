/** The contenders that run the cases. */
import {
  type Backend,
  convolve,
  convolveGradient,
  GaussianMixture,
  MixtureDensity,
  MixtureDensityNetwork,
  openBackend,
  RecurrentClassifier,
} from 'seqlik';
import { contract, type Table } from '../../src/contract.ts';
import { derivedSizes, type Kernels } from '../../src/grammar.ts';
import type {
  ConvolutionCase,
  ConvolutionDraw,
  DensityCase,
  DensityDraw,
  Draw,
  DynamicsCase,
  DynamicsDraw,
  MixtureCase,
  NetworkCase,
  NetworkDraw,
  Real,
  RecurrentCase,
  RecurrentDraw,
} from '../cases.ts';
import type { Who } from '../rows.ts';
import { plainConvolve, plainConvolveGradient } from './convolution.ts';
import { PlainDynamics } from './dynamics.ts';
import { PlainNetwork } from './network.ts';
import { PlainDensity, PlainDiagonalMixture, PlainMixture } from './plain.ts';
import { PlainRecurrent } from './recurrent.ts';

interface Ready {
  run(): void;
  dispose(): void;
}
export interface Contender extends Who {
  /** Prepares the call to time, which writes its results to `out`; undefined: this contender does not take the case. */
  ready(given: MixtureCase, draw: Draw, out: Real): Ready | undefined;
  /** The same for a density; `out` gets the log-densities, then the gradient dRaw. */
  readyDensity(given: DensityCase, draw: DensityDraw, out: Real): Ready | undefined;
  /** The same for a network; `out` gets the loss, then the gradient by every parameter in the order of the draw. */
  readyNetwork(given: NetworkCase, draw: NetworkDraw, out: Real): Ready | undefined;
  /** The same for a linear dynamical system; `out` gets what `PlainDynamics` writes. */
  readyDynamics(given: DynamicsCase, draw: DynamicsDraw, out: Float64Array): Ready | undefined;
  /** The same for a recurrent classifier; `out` gets the logits; or the loss, dU, dV and dW. */
  readyRecurrent(given: RecurrentCase, draw: RecurrentDraw, out: Real): Ready | undefined;
  /** The same for a convolution; `out` gets y; or dx, then dw. */
  readyConvolution(given: ConvolutionCase, draw: ConvolutionDraw, out: Real): Ready | undefined;
}
export interface Field {
  readonly contenders: readonly Contender[];
  /** The absent ones, each with the reason. */
  readonly missing: readonly string[];
  /** The native levels of this CPU. */
  readonly levels: readonly string[];
}

/** Opens seqlik on each native level with one thread, on the best one with two, and on wasm; and plain JavaScript. */
export function field(): Field {
  const missing: string[] = [];
  const backends: Backend[] = [];
  let levels: readonly string[] = [];
  try {
    const best = openBackend({ name: 'native', threads: 2 });
    levels = best.levels;
    backends.push(...levels.map((isa) => openBackend({ name: 'native', isa, threads: 1 })), best);
  } catch (error) {
    missing.push(`seqlik native: ${(error as Error).message}`);
  }
  backends.push(openBackend({ name: 'wasm' }));
  return { contenders: [...backends.map(seqlik), plain], missing, levels };
}

/** seqlik through its public API. */
function seqlik(backend: Backend): Contender {
  const { name, isa, threads } = backend;
  return {
    contender: 'seqlik',
    backend: name,
    isa,
    threads,
    ready(given, { parameters, x }, out) {
      if (!given.threads.includes(threads)) return undefined;
      const model = new GaussianMixture(parameters, { backend });
      return { run: () => model.logDensity(x, { out }), dispose: () => model.dispose() };
    },
    readyDensity({ k, M, mapping, points, threads: wanted }, { raw, x }, all) {
      if (!wanted.includes(threads)) return undefined;
      const model = new MixtureDensity({ components: M, dimension: k, mapping }, { backend });
      const out = {
        logDensity: all.subarray(0, points),
        responsibilities: raw.slice(0, points * M),
        dRaw: all.subarray(points),
        dx: x.slice(),
      };
      return { run: () => model.lossGradient(raw, x, { out }), dispose() {} };
    },
    readyNetwork({ k, hidden, M, sequences, steps, threads: wanted }, { parameters, x }, out) {
      if (!wanted.includes(threads)) return undefined;
      const shape = { dimension: k, hidden, components: M, inputSkip: true, parameters };
      const model = new MixtureDensityNetwork(shape, { backend });
      const seqs = { values: x, lengths: Array.from({ length: sequences }, () => steps + 1) };
      const run = () => {
        const { loss, gradient } = model.lossGradient(seqs);
        put(out, loss, Object.keys(parameters), gradient);
      };
      return { run, dispose: () => model.dispose() };
    },
    readyConvolution({ points, pass, threads: wanted }, { x, w, dy }, out) {
      if (!wanted.includes(threads)) return undefined;
      const parts = { dx: out.subarray(0, points), dw: out.subarray(points) };
      const run = (): unknown =>
        pass === 'forward'
          ? convolve(x, w, { mode: 'valid', out, backend })
          : convolveGradient(x, w, dy, { mode: 'valid', out: parts, backend });
      return { run, dispose() {} };
    },
    readyRecurrent({ sequences, steps, pass, threads: wanted }, { U, V, W, x, y }, out) {
      if (!wanted.includes(threads)) return undefined;
      const model = new RecurrentClassifier({ U, V, W }, { backend });
      const seqs = { values: x, lengths: new Int32Array(sequences).fill(steps) };
      const run = (): void => {
        const { loss, dU, dV, dW } = model.lossGradient(seqs, y);
        put(out, loss, ['dU', 'dV', 'dW'], { dU, dV, dW });
      };
      const predict = (): void => out.set(model.predict(seqs).logits);
      return { run: pass === 'forward' ? predict : run, dispose: () => model.dispose() };
    },
    readyDynamics: (given, draw, out) =>
      given.threads.includes(threads) ? { run: dynamicsOf(backend, given, draw, out), dispose() {} } : undefined,
  };
}
/** The kernels of a linear dynamical system, as a model calls them. */
function dynamicsOf(backend: Backend, { latent, sequences, steps, pass }: DynamicsCase, draw: DynamicsDraw, out: Real) {
  const { lds, gaussian } = (backend as unknown as { readonly f64: Kernels<Table, 'f64'> }).f64;
  const { m, A, B, Q, R, V0 } = draw.parameters;
  const n = sequences * steps;
  const size = { d: m, latent };
  const array = (length: number): Float64Array<ArrayBuffer> => new Float64Array(length);
  const factor = (S: Float64Array): Float64Array => {
    const L = array((m * (m + 1)) / 2);
    gaussian.factor({ n: 1, d: m }, { A: S, L, logDet: array(1) });
    return L;
  };
  const { prepared } = derivedSizes(contract.lds.prepare)(size);
  const model = array(prepared);
  lds.prepare(size, { A, B, Q, LQ: factor(Q), R, LR: factor(R), model });
  const lengths = new Int32Array(sequences).fill(steps);
  const [started, ended] = [new Int32Array(sequences), new Int32Array(sequences).fill(1)];
  const state = array(sequences * (m + m * m));
  const [mean, covariance] = [array(n * m), array(n * m * m)];
  const predicted = { predictedMean: array(0), predictedCovariance: array(0) };
  const logDensity = out.subarray(0, n) as Float64Array;
  const square = (i: number): Float64Array => out.subarray(n + i * m * m, n + (i + 1) * m * m) as Float64Array;
  const rows = () => ({ smoothedCovariance: array(n * m * m), lagOne: array(n * m * m) });
  const smoothed = pass === 'smooth' ? { smoothedMean: out.subarray(n) as Float64Array, ...rows() } : undefined;
  const [first, firstSquare] = [array(m), array(m * m)];
  return () => {
    for (let s = 0; s < sequences; s++) {
      state.fill(0, s * (m + m * m), s * (m + m * m) + m);
      state.set(V0, s * (m + m * m) + m);
    }
    const given = { lengths, model, state, mean, covariance };
    lds.filter({ ...size, keep: 'filtered' }, { ...given, started, x: draw.x, ...predicted, logDensity });
    if (smoothed) return lds.smooth(size, { ...given, ended, ...smoothed });
    out.fill(0, n);
    const [S00, cross, W, Szz, observed, residual] = Array.from({ length: 6 }, (_, i) => square(i)) as Six;
    const sums = { S00, cross, W, Szz, observed, residual, first, firstSquare };
    lds.moments(size, { ...given, started, ended, initialMean: new Float64Array(m), x: draw.x, ...sums });
  };
}
type Six = [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
function put(
  out: Real,
  loss: number,
  names: readonly string[],
  gradient: Readonly<Record<string, Float64Array>>,
): void {
  out[0] = loss;
  let at = 1;
  for (const name of names) {
    out.set(gradient[name]!, at);
    at += gradient[name]!.length;
  }
}

/** Plain JavaScript, in f64 only; it does not take the empty call. */
const plain: Contender = {
  contender: 'plain-js',
  backend: 'js',
  isa: 'js',
  threads: 1,
  ready({ covarianceType, dtype, points }, { parameters, x }, out) {
    if (dtype !== 'f64' || points === 0) return undefined;
    const model = new (covarianceType === 'full' ? PlainMixture : PlainDiagonalMixture)(parameters);
    return { run: () => model.logDensity(x as Float64Array, out as Float64Array), dispose() {} };
  },
  readyDensity({ k, M, mapping, points, dtype }, { raw, x }, out) {
    if (dtype !== 'f64') return undefined;
    const model = new PlainDensity(k, M, mapping === 'chol-exp');
    const [theirs, all, r, dx] = [raw, out, new Float64Array(points * M), x.slice()] as Float64Array[];
    const results = [all!.subarray(0, points), r!, all!.subarray(points), dx!] as const;
    return { run: () => model.lossGradient(theirs!, x as Float64Array, ...results), dispose() {} };
  },
  readyConvolution({ points, pass, dtype }, draw, out) {
    if (dtype === 'f32') return undefined;
    const [x, w, dy, all] = [draw.x, draw.w, draw.dy, out] as Float64Array[] as Signals;
    const run = (): void =>
      pass === 'forward'
        ? plainConvolve(x, w, all)
        : plainConvolveGradient(x, w, dy, all.subarray(0, points), all.subarray(points));
    return { run, dispose() {} };
  },
  readyNetwork({ k, hidden, M, steps, dtype }, { parameters, x }, out) {
    if (dtype !== 'f64') return undefined;
    const model = new PlainNetwork(k, hidden, M, parameters);
    const run = () => {
      const zeros = Object.entries(parameters).map(
        ([name, values]) => [name, new Float64Array(values.length)] as const,
      );
      const gradient = Object.fromEntries(zeros);
      put(out, model.lossGradient(x as Float64Array, steps, gradient), Object.keys(parameters), gradient);
    };
    return { run, dispose() {} };
  },
  readyRecurrent({ units, steps, pass, dtype }, { U, V, W, x, y }, out) {
    if (dtype !== 'f64') return undefined;
    const model = new PlainRecurrent(U, V, W, units, steps);
    const [seqs, targets, all] = [x, y, out] as Float64Array[] as [Float64Array, Float64Array, Float64Array];
    const run = (): void => (pass === 'forward' ? model.forward(seqs, all) : model.lossGradient(seqs, targets, all));
    return { run, dispose() {} };
  },
  readyDynamics({ steps, pass }, { parameters, x }, out) {
    const model = new PlainDynamics(parameters);
    return { run: () => model[pass](x, steps, out), dispose() {} };
  },
};
type Signals = [x: Float64Array, w: Float64Array, dy: Float64Array, out: Float64Array];
