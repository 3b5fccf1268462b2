/** Cold starts: the wait of a program before its first result. Each sample is a process of its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { coldCase, drawMixture } from './cases.ts';
import type { Sample } from './cold/start.ts';
import { median } from './measure.ts';
import { type Row, rowOf } from './rows.ts';
import { bounds, reference, verify } from './verify.ts';

const program = fileURLToPath(new URL('./cold/start.js', import.meta.url)); // compiled: build/js/bench
/** Milliseconds of a sample, by variant. A user's first call waits for the binary and the backend too. */
const variants: Readonly<Record<string, (sample: Sample) => number>> = {
  'loading the binary': ({ loaded }) => loaded,
  openBackend: ({ loaded, opened }) => opened - loaded,
  [`first logDensity ${coldCase.variant}`]: ({ scored }) => scored,
};

/** Rows of workload `cold` for each backend: medians over `processes`. `onSample` is called before each. */
export function coldRows(
  backends: readonly ('native' | 'wasm')[],
  processes: number,
  onSample: (title: string) => void,
): Row[] {
  const want = reference(coldCase, drawMixture(coldCase));
  return backends.flatMap((backend) => {
    const title = `cold ${coldCase.variant} ${backend}`;
    const samples: Sample[] = [];
    let most = 0;
    for (let i = 0; i < processes; i++) {
      onSample(title);
      const sample = coldStart(backend);
      most = Math.max(most, verify(title, Float64Array.from(sample.logDensity), want, bounds.f64) ?? 0);
      samples.push(sample);
    }
    const who = { contender: 'seqlik', backend, isa: samples[0]!.isa, threads: 1 };
    return Object.entries(variants).map(([variant, milliseconds]) => {
      const seconds = median(Float64Array.from(samples, milliseconds)) / 1000;
      return rowOf({ ...coldCase, variant }, who, seconds, most, []);
    });
  });
}

function coldStart(backend: string): Sample {
  const { error, status, stdout, stderr } = spawnSync(process.execPath, [program, backend], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cold start of ${backend} failed: ${error?.message ?? stderr}`);
  return JSON.parse(stdout) as Sample;
}
