/** Cold starts: the wait of a program before its first result. Each sample is a process of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { coldCase, drawMixture } from './cases.ts';
import type { PackageSample } from './cold/package.ts';
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

const coldStart = (backend: string): Sample => JSON.parse(printed([program, backend])) as Sample;

/** The folders of `npm run pack` that its tarballs are made of. */
const packed = {
  library: 'build/packages/seqlik/dist',
  addon: resolve(`build/packages/${process.platform}-${process.arch}-gnu/kernels.node`),
};
export const isPacked = (): boolean => Object.values(packed).every(existsSync);
const packageVariants: Readonly<Record<string, (sample: PackageSample) => number>> = {
  'package: import': ({ imported }) => imported,
  'package: import, openBackend, first logDensity': ({ scored }) => scored,
};

/** Rows of workload `cold` for the packed library: medians over `processes`, Node's own start taken off. */
export function packageRows(
  backends: readonly ('native' | 'wasm')[],
  processes: number,
  onSample: (title: string) => void,
): Row[] {
  const start = fileURLToPath(new URL('./cold/package.js', import.meta.url));
  const index = pathToFileURL(`${packed.library}/index.js`).href;
  const want = reference(coldCase, drawMixture(coldCase));
  const row = (
    variant: string,
    backend: Row['backend'],
    isa: string,
    milliseconds: readonly number[],
    most: number,
  ): Row => {
    const who = { contender: 'seqlik', backend, isa, threads: 1 };
    return rowOf({ ...coldCase, variant }, who, median(Float64Array.from(milliseconds)) / 1000, most, []);
  };
  const rows = backends.flatMap((backend) => {
    const title = `cold package ${backend}`;
    const samples = Array.from({ length: processes }, () => {
      onSample(title);
      return JSON.parse(printed([start, index, backend], { SEQLIK_NATIVE: packed.addon })) as PackageSample;
    });
    const most = samples.map(({ logDensity }) => verify(title, Float64Array.from(logDensity), want, bounds.f64) ?? 0);
    return Object.entries(packageVariants).map(([variant, of]) =>
      row(variant, backend, samples[0]!.isa, samples.map(of), Math.max(...most)),
    );
  });
  const over = Array.from({ length: processes }, () => {
    onSample('cold package --version');
    const none = timed(['-e', '0']);
    return timed([`${packed.library}/cli/main.js`, '--version']) - none;
  });
  return [...rows, row('package: seqlik --version, over node -e 0', 'js', 'js', over, 0)];
}
function timed(args: readonly string[]): number {
  const start = performance.now();
  printed(args);
  return performance.now() - start;
}

function printed(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const all = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
  const { error, status, stdout, stderr } = spawnSync(process.execPath, args, all);
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}
