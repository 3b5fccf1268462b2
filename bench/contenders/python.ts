/** Contenders in Python: runner.py prepares what a script defines on the same numbers, times it and returns results. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Ready } from './contender.ts';
import { folder } from './installed.ts';

/** Debian's, whose packages are python3-numpy, python3-statsmodels ...; SEQLIK_PYTHON names another. */
const python = process.env['SEQLIK_PYTHON'] ?? '/usr/bin/python3';
const single = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' };
const env = { ...process.env, ...single };

/** Throws an Error if the modules cannot be imported. */
export function requirePython(...modules: readonly string[]): void {
  const { error, status, stderr } = spawnSync(python, ['-c', `import ${modules.join()}`], { env, encoding: 'utf8' });
  if (error) throw new Error(`${python}: ${error.message}`);
  if (status !== 0) throw new Error(stderr.trim().split('\n').at(-1) ?? 'failed');
}

/**
 * A script of this folder on a case. It defines `prepare(case, arrays)`, which returns a function without arguments that
 * computes once and returns a flat array: what belongs into `out`. `arrays` go to it as f64, flat.
 */
export function inPython(
  script: string,
  given: object,
  arrays: Readonly<Record<string, Float64Array>>,
  out: Float64Array,
): Ready {
  const sizes = Object.entries(arrays).map(([name, { length }]) => [name, length]);
  const bytes = Object.values(arrays).map((a) => Buffer.from(a.buffer, a.byteOffset, a.byteLength));
  const time = (seconds: number): number => {
    const head = `${JSON.stringify({ script, case: given, arrays: sizes, seconds })}\n`;
    const { error, status, stdout, stderr } = spawnSync(python, [join(folder, 'runner.py')], {
      input: Buffer.concat([Buffer.from(head), ...bytes]),
      maxBuffer: 2 ** 30,
      env,
    });
    if (status !== 0) throw new Error(`${script}: ${error?.message ?? stderr}`);
    const end = stdout.indexOf('\n');
    const result = stdout.subarray(end + 1);
    if (result.length !== out.byteLength) throw new Error(`${script}: ${result.length / 8} results, not ${out.length}`);
    result.copy(Buffer.from(out.buffer, out.byteOffset, out.byteLength));
    return Number(stdout.subarray(0, end));
  };
  return { run: () => void time(0), time, dispose() {} };
}
