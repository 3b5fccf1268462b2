/** The limits of this machine, as peak.cc finds them. It is built on demand into build/roofline. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { identifier } from '../../src/levels.ts';
import type { Row } from '../rows.ts';

const root = dirname(createRequire(import.meta.url).resolve('seqlik/package.json'));
const out = join(root, 'build', 'roofline');

/** Builds peak.cc. Returns undefined, or one line that says what is missing. */
export function buildProbe(): string | undefined {
  for (const args of [
    ['-S', join(root, 'bench', 'roofline'), '-B', out, '-DCMAKE_BUILD_TYPE=Release'],
    ['--build', out, '--parallel'],
  ]) {
    const { error, status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return 'no cmake here';
    const lines = `${error?.message ?? ''}${stderr}${stdout}`.split('\n');
    if (status !== 0) return `cmake: ${(lines.find((line) => /error/i.test(line)) ?? lines[0])!.trim()}`;
  }
  return undefined;
}

/** Returns rows of workload `limit`. An item is a flop or, in `read ...`, a byte. Each limit takes `seconds`. */
export function limitsOf(levels: readonly string[], seconds: number): Row[] {
  return levels.flatMap((isa) => {
    const { error, status, stdout } = spawnSync(join(out, `peak_${identifier(isa)}`), [`${seconds}`], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`roofline: peak_${identifier(isa)} failed: ${error?.message ?? status}`);
    const lines = stdout.trim().split('\n');
    return lines.map((line) => {
      const { variant, dtype, nsPerItem, gflops } = JSON.parse(line) as Row;
      const title = {
        workload: 'limit',
        variant,
        dtype,
        contender: 'limit',
        backend: 'native',
        isa,
        threads: 1,
      } as const;
      return { ...title, nsPerItem, gflops, percentOfPeak: null, maxRelativeError: null };
    });
  });
}

/** Takes the better of two measurements, limit by limit. */
export const better = (a: readonly Row[], b: readonly Row[]): Row[] =>
  a.map((row, i) => (b[i]!.nsPerItem < row.nsPerItem ? b[i]! : row));

/** Adds the limits of wasm, which has the width of `baseline` and no fused product-sum: the same peaks. */
export const withWasm = (rows: readonly Row[]): Row[] => [
  ...rows,
  ...rows
    .filter(({ isa, gflops }) => isa === 'baseline' && gflops > 0)
    .map((row) => ({ ...row, backend: 'wasm', isa: 'simd128' }) as const),
];
