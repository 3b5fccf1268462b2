/** The contenders that run the cases. */
import { type Backend, GaussianMixture, MixtureDensity, MixtureDensityNetwork, openBackend } from 'seqlik';
import type { DensityCase, DensityDraw, Draw, MixtureCase, NetworkCase, NetworkDraw, Real } from '../cases.ts';
import type { Who } from '../rows.ts';
import { PlainNetwork } from './network.ts';
import { PlainDensity, PlainDiagonalMixture, PlainMixture } from './plain.ts';

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
};
