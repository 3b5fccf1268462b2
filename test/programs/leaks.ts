/** `node --expose-gc leaks.js KIND WARMUP CALLS`: prints the bytes that the process grows by per call of that kind. */
import { type Backend, Gaussian, GaussianMixture, loadModel, openBackend } from 'seqlik';

const collect = (globalThis as { gc?: () => void }).gc!;
const x = Float64Array.of(0, 1, 2, 3, 4, 5);
const point = Float64Array.of(0, 1);
const mixture = (backend: Backend): GaussianMixture =>
  new GaussianMixture(
    { weights: [0.5, 0.5], means: [0, 1, 1, 0], covariances: [2, 1, 1, 2], covarianceType: 'tied' },
    { backend },
  );
type Calls = (n: number) => void | Promise<void>;
const times = (call: () => unknown): Calls => {
  return (n) => {
    for (let i = 0; i < n; i++) call();
  };
};
const synchronous = (name: 'native' | 'wasm'): Calls => {
  const model = mixture(openBackend({ name }));
  const out = new Float64Array(3);
  let odd = false;
  return times(() => ((odd = !odd) ? model.logDensity(x, { out }) : model.logDensity(point)));
};
const asynchronous = (name: 'native' | 'wasm'): Calls => {
  const model = mixture(openBackend({ name }));
  return async (n) => {
    for (let i = 0; i < n; i += 100) await Promise.all(Array.from({ length: 100 }, () => model.logDensityAsync(x)));
  };
};
const loading = (name: 'native' | 'wasm'): Calls => {
  const backend = openBackend({ name });
  const bytes = new Gaussian({ mean: [0, 1], covariance: [2, 1, 1, 2] }).toBytes();
  return times(() => {
    const model = loadModel(bytes, { backend }) as Gaussian;
    model.logDensity(x);
    model.dispose();
  });
};
const kept: Buffer[] = [];
let planted = 0;
const kinds: Readonly<Record<string, () => Calls>> = {
  planted: () => {
    const calls = synchronous('wasm');
    return (n) => {
      for (planted += n; planted >= 1000; planted -= 1000) kept.push(Buffer.alloc(100_000, 1)); // 100 bytes a call
      return calls(n);
    };
  },
  'native sync': () => synchronous('native'),
  'native async': () => asynchronous('native'),
  'wasm sync': () => synchronous('wasm'),
  'wasm async': () => asynchronous('wasm'),
  'native load': () => loading('native'),
  'wasm load': () => loading('wasm'),
};

/** The median of the slopes between all pairs: a sample that is out does not move it (Theil and Sen). */
function slopeOf(samples: readonly number[], step: number): number {
  const slopes = samples.flatMap((from, i) => samples.slice(i + 1).map((to, j) => (to - from) / (step * (j + 1))));
  slopes.sort((a, b) => a - b);
  return slopes[slopes.length >> 1]!;
}
/** The resident bytes, of the heap of V8 only what is in use: it takes and gives back pages as it likes. */
function inUse(): number {
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return rss - heapTotal + heapUsed;
}
async function growth(calls: Calls, warmUp: number, total: number): Promise<number> {
  const step = total / 20;
  const samples: number[] = [];
  await calls(warmUp);
  for (let i = 0; i < 20; i++) {
    await calls(step);
    for (let j = 0; j < 2; j++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve)); // finalizers
    }
    samples.push(inUse());
  }
  return slopeOf(samples, step);
}
const [kind, warmUp, total] = process.argv.slice(2);
console.log(await growth(kinds[kind!]!(), Number(warmUp), Number(total)));
