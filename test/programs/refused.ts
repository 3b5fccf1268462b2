/**
 * The first allocation is refused, then the second, and so on, while an environment loads the addon and makes its first
 * call, which starts its threads. Each attempt is a worker of its own. Started by test/allocations.test.ts.
 */
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { openNative } from '../../src/backends/native.ts';
import { table } from '../support/table.ts';

const addonPath = `${process.cwd()}/build/native/Release/probe.node`;

async function first(): Promise<string> {
  let addon: unknown;
  try {
    addon = createRequire(import.meta.url)(addonPath);
  } catch (error) {
    return `load: ${(error as Error).message}`;
  }
  const zeros = (n: number): Float64Array => new Float64Array(n);
  const n = 300;
  const out = zeros(n);
  const args = { x: zeros(n).fill(2), b: zeros(1), mean: zeros(1), low: zeros(1), W: Float64Array.of(1), out };
  try {
    const { f64 } = openNative(table, addon, addonPath);
    await f64.mixture.logDensity.async({ n, d: 1, k: 1 }, args, { threads: 3, chunk: 10 });
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return out.every((v) => Math.abs(v + 4 * Math.LN2) < 1e-12) ? 'right' : 'wrong';
}

if (isMainThread) {
  const { failAllocation } = createRequire(import.meta.url)(addonPath) as { failAllocation(n: number): number };
  for (let n = 1; ; n++) {
    failAllocation(n);
    const worker = new Worker(new URL(import.meta.url));
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    const outcome = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await exited;
    if (failAllocation(0) > 0) break; // it came to nothing
    console.log(outcome);
  }
} else parentPort!.postMessage(await first());
