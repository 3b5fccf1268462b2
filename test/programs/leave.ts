/**
 * Ends while work is under way: `leave.js WAY native|wasm`; started by test/exit.test.ts.
 * WAY: exit (after 100 ms), throw (an uncaught error), wait (for the work), terminate (one worker after the other, each
 * timed in milliseconds), workers (20 at once: some are ended while they load, some while they work, some end by
 * themselves).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Backend, GaussianMixture, openBackend } from 'seqlik';

type Asked = [way: string, name: 'native' | 'wasm', count: number];
const [way, name, count] = (isMainThread ? process.argv.slice(2) : workerData) as Asked;

function mixture(backend: Backend, k: number): GaussianMixture {
  const means = Float64Array.from({ length: k }, (_, i) => i);
  return new GaussianMixture(
    { weights: means.map(() => 1 / k), means, covariances: means.map(() => 1), covarianceType: 'diagonal' },
    { backend },
  );
}
/** Work without end, of both kinds: the density of this many components takes half a minute at best. */
function start(backend: Backend, components = 2 ** 17): void {
  const x = Float64Array.from({ length: 200_000 }, (_, i) => Math.sin(i) + (i % 5));
  const endless = { init: mixture(backend, 16), tolerance: 0, maxIterations: 2 ** 31 - 1, backend };
  void GaussianMixture.fit(x, endless);
  void mixture(backend, components).logDensityAsync(x);
}
function score(backend: Backend): void {
  const [density] = mixture(backend, 2).logDensity([0]);
  const right = Math.log((1 + Math.exp(-0.5)) / 2 / Math.sqrt(2 * Math.PI));
  if (!(Math.abs(density! - right) < 1e-12)) throw new Error(`the log-density is ${density}, not ${right}`);
}
const working = (worker: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
const begun = (how: string, components: number): Worker =>
  new Worker(new URL(import.meta.url), { workerData: [how, name, components] });

const ways: Readonly<Record<string, () => Promise<void>>> = {
  exit: async () => {
    start(openBackend({ name }));
    await wait(100);
    console.log(Date.now());
    process.exit(0);
  },
  throw: async () => {
    start(openBackend({ name }));
    setTimeout(() => {
      console.log(Date.now());
      throw new Error('on purpose');
    }, 100);
  },
  wait: async () => {
    const density = mixture(openBackend({ name }), 1000).logDensityAsync(new Float64Array(10_000));
    density.then((values) => console.log(values.length)); // nothing else keeps the process alive
  },
  terminate: async () => {
    for (let i = 0; i < 5; i++) {
      const worker = begun('work', 2 ** 17);
      await working(worker);
      await wait(50);
      const from = performance.now();
      await worker.terminate();
      console.log(performance.now() - from);
    }
  },
  workers: async () => {
    const all = Array.from({ length: 20 }, (_, i) => begun(i % 4 === 0 ? 'leave' : 'work', 2 ** 13));
    const codes = all.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    await Promise.all(
      all.map(async (worker, i) => {
        if (i % 4 === 1)
          await wait(5 * i); // it is loading
        else await working(worker);
        if (i % 4 !== 0) await worker.terminate();
      }),
    );
    console.log((await Promise.all(codes)).length);
    score(openBackend({ name }));
    process.exit(0);
  },
  work: async () => {
    const backend = openBackend({ name });
    score(backend);
    start(backend, count);
    parentPort!.postMessage('working');
  },
  leave: async () => {
    await ways['work']!();
    setTimeout(() => process.exit(0), 30);
  },
};
await ways[way]!();
