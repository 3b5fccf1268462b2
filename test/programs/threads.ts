/**
 * Prints the number of threads that the addon has made: after synchronous calls on two, and after several calls of one
 * cut each at once.
 */
import { readdirSync } from 'node:fs';
import { GaussianMixture, openBackend } from 'seqlik';

const tasks = (): number => readdirSync('/proc/self/task').length;
const [d, k] = [16, 16];
const backend = openBackend({ name: 'native', threads: 2 });
const model = new GaussianMixture(
  {
    weights: Array.from({ length: k }, () => 1 / k),
    means: Array.from({ length: k * d }, (_, i) => i % 7),
    covariances: Float64Array.from({ length: k * d * d }, (_, i) => Number((i % (d * d)) % (d + 1) === 0)),
  },
  { backend },
);
const many = new Float64Array(2 ** 18 * d);
const few = many.slice(0, 2 ** 13 * d); // one cut, with work enough for two threads
model.logDensity(few);
await new Promise((resolve) => setTimeout(resolve, 50)); // node's own threads are there
const before = tasks();
for (let i = 0; i < 50; i++) model.logDensity(many);
const synchronous = tasks() - before;
await Promise.all(Array.from({ length: 20 }, () => model.logDensityAsync(few)));
console.log(JSON.stringify([synchronous, tasks() - before]));
process.exit(); // sooner than idle threads of node come or go
