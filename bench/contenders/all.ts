/** Who runs the cases. */
import { type Backend, GaussianMixture, MixtureDensity, openBackend } from 'seqlik';
import type { DensityCase, DensityDraw, Draw, MixtureCase, Real } from '../cases.ts';
import type { Who } from '../rows.ts';
import { PlainDensity, PlainDiagonalMixture, PlainMixture } from './plain.ts';

interface Ready {
  run(): void;
  dispose(): void;
}
export interface Contender extends Who {
  /** The call to time, whose results go to `out`; undefined: not a case of this contender. */
  ready(given: MixtureCase, draw: Draw, out: Real): Ready | undefined;
  /** The same; `out` gets the log-densities, then the gradient dRaw. */
  readyDensity(given: DensityCase, draw: DensityDraw, out: Real): Ready | undefined;
}
export interface Field {
  readonly contenders: readonly Contender[];
  /** Those that are not here, and why. */
  readonly missing: readonly string[];
  /** The native levels of this CPU. */
  readonly levels: readonly string[];
}

/** seqlik on each native level with one thread, on the best with two, on wasm; plain JavaScript. */
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

/** Through the public API. */
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
  };
}

/** In f64 only; the empty call is no case of it. */
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
};
