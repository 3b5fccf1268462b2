/** The contenders that run the cases. */
import {
  type Backend,
  chainDiagnostics,
  convolve,
  convolveGradient,
  GaussianMixture,
  LinearDynamicalSystem,
  MixtureDensity,
  MixtureDensityNetwork,
  openBackend,
  RecurrentClassifier,
} from 'seqlik';
import type { Real } from './cases.ts';
import { plainChain } from './contenders/chains.ts';
import type { Contender } from './contenders/contender.ts';
import { plainConvolve, plainConvolveGradient } from './contenders/convolution.ts';
import { PlainDynamics } from './contenders/dynamics.ts';
import { openGuests } from './contenders/guests.ts';
import { PlainNetwork } from './contenders/network.ts';
import { PlainDensity, PlainDiagonalMixture, PlainMixture } from './contenders/plain.ts';
import { PlainRecurrent } from './contenders/recurrent.ts';

export interface Field {
  readonly contenders: readonly Contender[];
  /** The absent ones, each with the reason. */
  readonly missing: readonly string[];
  /** The native levels of this CPU. */
  readonly levels: readonly string[];
}

/** Opens seqlik on each native level with one thread, on the best one with two, on wasm; plain JavaScript; guests. */
export async function field(workloads: ReadonlySet<string>): Promise<Field> {
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
  const guests = await openGuests(workloads);
  missing.push(...guests.missing);
  return { contenders: [...backends.map(seqlik), plain, ...guests.contenders], missing, levels };
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
    readyChain({ threads: wanted }, chain, out) {
      if (!wanted.includes(threads)) return undefined;
      const run = () => out.set(chainDiagnostics(chain, { backend, parts: {} }).logFrobenius);
      return { run, dispose() {} };
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
        const { loss, dU, dV, dW } = model.lossGradient(seqs, y, { dx: false });
        put(out, loss, ['dU', 'dV', 'dW'], { dU, dV, dW });
      };
      const predict = (): void => out.set(model.predict(seqs).logits);
      return { run: pass === 'forward' ? predict : run, dispose: () => model.dispose() };
    },
    readyDynamics({ latent, sequences, steps, pass, threads: wanted }, { parameters, x }, out) {
      if (!wanted.includes(threads)) return undefined;
      const { A: transition, B: observation, Q, R, V0 } = parameters;
      const noise = { transitionCovariance: Q, observationCovariance: R };
      const first = { initialMean: new Float64Array(latent), initialCovariance: V0 };
      const system = new LinearDynamicalSystem({ transition, observation, ...noise, ...first }, { backend });
      const y = { values: x, lengths: new Int32Array(sequences).fill(steps) };
      const passes = {
        filter: () => out.set(system.filter(y).means),
        smooth: () => {
          const { logLikelihood, means } = system.smooth(y);
          out[0] = logLikelihood;
          out.set(means, 1);
        },
        em: () => {
          const statistics = system.statistics(y);
          const after = system.update(statistics);
          const { transition, observation, transitionCovariance, observationCovariance, ...rest } = after.parameters;
          after.dispose();
          const parts = { transition, observation, transitionCovariance, observationCovariance, ...rest };
          put(out, statistics.logLikelihood, Object.keys(parts), parts);
        },
      };
      return { run: passes[pass], dispose: () => system.dispose() };
    },
  };
}
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
  readyChain({ units, dtype }, { W, slopes }, out) {
    if (dtype === 'f32') return undefined;
    return { run: () => plainChain(W, slopes as Float64Array, units, out), dispose() {} };
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
