/** The benchmark: how it counts, what it refuses, and the rows it writes. No test depends on a time. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  casesOf,
  type DensityCase,
  drawDensity,
  drawMixture,
  flopsDiagonal,
  flopsFull,
  isDensity,
  mixtureCases,
  type Workload,
} from '../bench/cases.ts';
import { openGuests } from '../bench/contenders/guests.ts';
import { installed } from '../bench/contenders/installed.ts';
import { requirePython } from '../bench/contenders/python.ts';
import { measure, median } from '../bench/measure.ts';
import { report, timesPlain } from '../bench/report.ts';
import { better, withWasm } from '../bench/roofline/limits.ts';
import { peakOf, type Row, rowOf } from '../bench/rows.ts';
import { bounds, maxRelativeError, reference, referenceDensity, verify, WrongResult } from '../bench/verify.ts';
import { openBackend } from '../src/backends/default.ts';

const limit = (isa: string, variant: string, dtype: 'f64' | 'f32', gflops: number): Row => ({
  ...({ workload: 'limit', variant, dtype, contender: 'limit', backend: 'native', isa, threads: 1 } as const),
  ...{ nsPerItem: gflops > 0 ? 1 / gflops : 0.005, gflops, percentOfPeak: null, maxRelativeError: null },
});
const limits = [
  limit('avx2', 'fma', 'f64', 50),
  limit('avx2', 'fma', 'f32', 100),
  limit('avx2', 'read 16 KB', 'f64', 0),
  limit('baseline', 'mul+add', 'f64', 25),
];
const P1 = mixtureCases(false).find(({ workload, variant }) => workload === 'P1' && variant === 'd=8 M=16')!;
const who = { contender: 'seqlik', backend: 'native', isa: 'avx2', threads: 2 } as const;
const plain = { contender: 'plain-js', backend: 'js', isa: 'js', threads: 1 } as const;

describe('counting', () => {
  test('flops of a point', () => {
    expect(flopsFull(16, 16)).toBe(16 * (16 * 17 + 32));
    expect(flopsDiagonal(16, 16)).toBe(4 * 16 * 16);
    const flops = casesOf(true).map(({ workload, variant, flops }) => `${workload} ${variant}: ${flops}`);
    for (const line of ['P1 d=2 M=20: 200', 'P1d d=64 M=64: 16384', 'P7 d=8 M=16: 1408', 'P8 empty batch: 0'])
      expect(flops).toContain(line);
    expect(flops).toContain('P2n k=12 H=200,200 M=10 chol-exp batch=32 T=20: 2938560');
    expect(flops).toContain(`P3 latent=16 sequences=1 smooth: ${(31 + 1 / 3) * 16 ** 3}`);
    expect(flops).toContain('P6 n=100000 K=31 forward: 62');
    expect(flops).toContain('P4 24-200-3 T=24 batch=128 forward+BPTT: 249350');
    for (const line of ['k=2 M=20 chol-exp rows=512: 320', 'k=8 M=10 diag-exp rows=100000: 1120'].map((l) => `P2 ${l}`))
      expect(flops).toContain(line);
  });
  test('a call, per item, per second, per thread and limit', () => {
    const row = rowOf(P1, who, 2e-3, 1e-15, limits); // 100,000 points in 2 ms, 1408 flops each
    const title = { workload: 'P1', variant: 'd=8 M=16', dtype: 'f64', ...who };
    expect(row).toEqual({ ...title, nsPerItem: 20, gflops: 70.4, percentOfPeak: 70.4, maxRelativeError: 1e-15 });
  });
  test('nothing counted, or no limit known: no percentage', () => {
    const P8 = casesOf(false).find(({ workload }) => workload === 'P8')!;
    expect(rowOf(P8, who, 1e-6, null, limits)).toMatchObject({ nsPerItem: 1000, gflops: 0, percentOfPeak: null });
    expect(rowOf(P1, plain, 1, 0, limits).percentOfPeak).toBeNull();
    expect(rowOf(P1, who, 1, 0, []).percentOfPeak).toBeNull();
  });
  test('the limit is that of the level and dtype; wasm has that of baseline', () => {
    const all = withWasm(limits);
    expect(peakOf(all, 'avx2', 'f32')).toBe(100);
    expect(peakOf(all, 'simd128', 'f64')).toBe(25);
    expect(peakOf(all, 'avx512', 'f64')).toBeUndefined();
    expect(all.at(-1)).toMatchObject({ workload: 'limit', variant: 'mul+add', backend: 'wasm', isa: 'simd128' });
    expect(all.length).toBe(limits.length + 1);
  });
  test('the better of two measurements of a limit counts', () => {
    const slow = limits.map((row) => ({ ...row, nsPerItem: 2 * row.nsPerItem }));
    expect(better(slow, limits)).toEqual(limits);
    expect(better(limits, slow)).toEqual(limits);
  });
});

describe('cases', () => {
  test('quick changes sizes only', () => {
    const kept = ({ workload, variant, dtype, threads, flops }: Workload) =>
      `${workload} ${variant} ${dtype} ${threads} ${flops}`;
    expect(casesOf(true).map(kept)).toEqual(casesOf(false).map(kept));
    expect(new Set(casesOf(false).map(kept)).size).toBe(67);
  });
  test('draws are the same each time, and those of f32 are those of f64 rounded', () => {
    const quick = mixtureCases(true).filter(({ d }) => d === 8);
    for (const workload of ['P1', 'P1d', 'P7']) {
      const [a, b] = quick.filter((given) => given.workload === workload).map(drawMixture) as [never, never];
      const [f64, f32] = [a, b] as { x: Float64Array; parameters: object }[];
      expect(f32!.parameters).toEqual(f64!.parameters);
      expect(f32!.x).toEqual(Float32Array.from(f64!.x));
      expect(drawMixture(quick.find((given) => given.workload === workload)!)).toEqual(f64);
    }
  });
  test('the reference of a density: the slope of its own log-density', () => {
    for (const given of casesOf(true)
      .filter(isDensity)
      .filter(({ dtype, points }) => dtype === 'f64' && points === 512)) {
      const one: DensityCase = { ...given, points: 1 };
      const { raw, x } = drawDensity(one);
      const [, ...gradient] = referenceDensity(one, { raw, x });
      gradient.forEach((g, c) => {
        const [high, low] = [1e-5, -1e-5].map((h) => referenceDensity(one, { raw: raw.with(c, raw[c]! + h), x })[0]!);
        expect((low! - high!) / 2e-5).toBeCloseTo(g, 7);
      });
    }
  });
  test('the components overlap and log p stays clear of 0', () => {
    for (const given of mixtureCases(true).filter(({ dtype, d }) => dtype === 'f64' && (d === 2 || d === 16))) {
      const draw = drawMixture(given);
      const want = reference(given, draw);
      expect(Math.max(...want)).toBeLessThan(-0.9 * given.d);
      const { weights, means, covariances, covarianceType } = draw.parameters;
      const size = covariances.length / given.M;
      for (let c = 0; c < given.M; c++) {
        // one component alone: no term is 2^-60 of the sum
        const alone = {
          weights: weights.slice(c, c + 1),
          means: means.slice(c * given.d, (c + 1) * given.d),
          covariances: covariances.slice(c * size, (c + 1) * size),
          covarianceType,
        };
        const one = reference(given, { ...draw, parameters: alone });
        const counts = one.filter((value, i) => value - want[i]! > -60 * Math.LN2).length;
        expect(counts, `${given.workload} ${given.variant}`).toBeGreaterThan(0.99 * given.points);
      }
    }
  });
});

describe('verification', () => {
  const want = Float64Array.of(-1, -2, -4);
  test('the largest relative error', () => {
    expect(maxRelativeError(Float64Array.of(-1, -2.5, -4.5), want)).toBe(0.25);
    expect(maxRelativeError(Float32Array.of(-1, -2, -4), want)).toBe(0);
    expect(maxRelativeError(Float64Array.of(-1, Number.NaN, -8), want)).toBeNaN();
    expect(maxRelativeError(Float64Array.of(1), Float64Array.of(0))).toBe(Infinity);
    expect(maxRelativeError(Float64Array.of(0.5, 5), Float64Array.of(0.25, 4), 1)).toBe(0.25);
  });
  test('within the bound: the error; of an empty result: null', () => {
    expect(verify('P1', Float64Array.of(-1, -2, -4 - 4e-13), want, bounds.f64)).toBeCloseTo(1e-13, 15);
    expect(verify('P8', new Float64Array(0), new Float64Array(0), bounds.f64)).toBeNull();
  });
  test.each([
    ['a wrong number', Float64Array.of(-1, -2 - 1e-9, -4)],
    ['no number', Float64Array.of(-1, -2, Number.NaN)],
    ['an infinity', Float64Array.of(-1, -Infinity, -4)],
    ['too few', Float64Array.of(-1, -2)],
  ])('%s is refused, by name', (_, got) => {
    expect(() => verify('P1 d=2 M=20 f64 seqlik', got, want, bounds.f64)).toThrow(WrongResult);
    expect(() => verify('P1 d=2 M=20 f64 seqlik', got, want, bounds.f64)).toThrow(/^P1 d=2 M=20 f64 seqlik: /);
  });
  test('the reference is the density: one component in one dimension', () => {
    const draw = drawMixture({ ...P1, d: 1, M: 1, points: 3 });
    const { means, covariances } = draw.parameters;
    const expected = draw.x.map(
      (x) => -0.5 * (Math.log(2 * Math.PI * covariances[0]!) + (x - means[0]!) ** 2 / covariances[0]!),
    );
    expect(maxRelativeError(reference({ ...P1, points: 3 }, draw), expected as Float64Array)).toBeLessThan(1e-14);
  });
});

describe('measuring', () => {
  const effort = { rounds: 3, seconds: 0.001 };
  test('median', () => {
    expect(median(Float64Array.of(3, 1, 2))).toBe(2);
    expect(median(Float64Array.of(4, 1, 2, 3))).toBe(2.5);
  });
  test('jobs take turns in rotating order and are checked each time', () => {
    const order: string[] = [];
    const checked: string[] = [];
    const jobs = ['a', 'b', 'c'].map((title) => ({ title, run() {}, check: () => checked.push(title) }));
    const times = measure(jobs, effort, ({ title }) => order.push(title));
    expect(order.join('')).toBe('abcbcacab');
    expect(checked).toEqual(order);
    expect(times.every((seconds) => seconds > 0)).toBe(true);
  });
  test('an error thrown by a job is not swallowed', () => {
    const run = () => {
      throw new RangeError('broken');
    };
    expect(() => measure([{ title: 'a', run, check() {} }], effort, () => {})).toThrow('a: broken');
    const check = () => {
      throw new WrongResult('b is wrong');
    };
    expect(() => measure([{ title: 'b', run() {}, check }], effort, () => {})).toThrow('b is wrong');
  });
});

describe('contenders', () => {
  const taken = async (...workloads: string[]) => {
    const { contenders, missing } = await openGuests(new Set(workloads));
    return [...contenders.map(({ contender }) => contender), ...missing.map((line) => line.replace(/: .*/s, ''))];
  };
  test('guests of a workload take part or are missing; of other workloads they are not looked for', async () => {
    const guests = ['kalman-filter', 'numpy', 'statsmodels'];
    expect(await taken('P3')).toEqual(expect.arrayContaining(guests));
    expect((await taken('P8')).filter((name) => guests.includes(name))).toEqual([]);
  });
  test('what is not installed says how to install it', async () => {
    await expect(installed('no-such-package')).rejects.toThrow('npm ci --ignore-scripts --prefix bench/contenders');
    expect(() => requirePython('no_such_module')).toThrow(/no_such_module|ENOENT/);
  });
  test('a job that times itself', () => {
    const job = { title: 'a', run() {}, check() {}, time: (seconds: number) => 3 * seconds };
    expect(measure([job], { rounds: 3, seconds: 2 }, () => {})).toEqual([6]);
  });
});

describe('report', () => {
  const rows = [rowOf(P1, who, 2e-3, 1.3e-15, limits), rowOf(P1, plain, 80e-3, 0, limits)];
  const f32 = rowOf({ ...P1, dtype: 'f32' }, who, 1e-3, 1e-7, limits);
  test('times faster than plain-js, in the same dtype', () => {
    expect(timesPlain(rows[0]!, rows)).toBe(40);
    expect(timesPlain(f32, [f32, ...rows])).toBeUndefined();
  });
  test('Markdown', () => {
    expect(report([...rows, f32, ...withWasm(limits)], 'a machine', ['somebody: not installed'])).toBe(`# seqlik bench

a machine

| workload | variant  | dtype | contender | isa  | threads | ns/item | GF/s | % of peak | x plain-js | max relative error |
| -------- | -------- | ----- | --------- | ---- | ------: | ------: | ---: | --------: | ---------: | -----------------: |
| P1       | d=8 M=16 | f64   | seqlik    | avx2 |       2 |    20.0 | 70.4 |        70 |       40.0 |            1.3e-15 |
| P1       | d=8 M=16 | f64   | plain-js  | js   |       1 |     800 | 1.76 |           |       1.00 |             0.0e+0 |
| P1       | d=8 M=16 | f32   | seqlik    | avx2 |       2 |    10.0 |  141 |        70 |            |             1.0e-7 |

Limits of one thread: GF/s of product-sums, GB/s of reading

| isa      | product-sum | f64 GF/s | f32 GF/s | read 16 KB GB/s |
| -------- | ----------- | -------: | -------: | --------------: |
| avx2     | fma         |     50.0 |      100 |             200 |
| baseline | mul+add     |     25.0 |          |                 |
| simd128  | mul+add     |     25.0 |          |                 |

missing: somebody: not installed
`);
  });
});

function run(...args: string[]) {
  return spawnSync(process.execPath, ['build/js/bench/run.js', ...args], { encoding: 'utf8' });
}
describe('npm run bench -- --quick', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seqlik-bench-'));
  const file = join(folder, 'rows.json');
  afterAll(() => rmSync(folder, { recursive: true }));
  const levels = existsSync('build/native/Release/kernels.node') ? openBackend({ name: 'native' }).levels : [];
  const found = (command: string) => spawnSync(command, ['--version']).status === 0;
  const tools = found('cmake') && ['c++', 'g++', 'clang++'].some(found);
  let child: ReturnType<typeof run>;
  let rows: Row[];
  beforeAll(() => {
    child = run('--quick', '--only', '^P7$|^P8$|^cold$|^limit$', '--json', file);
    expect({ status: child.status, stderr: child.stderr }).toEqual({ status: 0, stderr: '' });
    rows = JSON.parse(readFileSync(file, 'utf8'));
  });

  test('rows have the fields of the documentation', () => {
    const number = expect.any(Number);
    for (const row of rows) {
      const { percentOfPeak, maxRelativeError, ...rest } = row;
      expect(rest).toEqual({
        workload: expect.stringMatching(/^(P7|P8|cold|limit)$/),
        variant: expect.any(String),
        dtype: expect.stringMatching(/^f(64|32)$/),
        contender: expect.stringMatching(/^(seqlik|plain-js|limit)$/),
        backend: expect.stringMatching(/^(native|wasm|js)$/),
        isa: expect.stringMatching(/^[a-z]+[0-9]*(-unfused)?$/),
        ...{ threads: 1, nsPerItem: number, gflops: number },
      });
      expect(rest.nsPerItem).toBeGreaterThan(0);
      const measured = row.workload === 'P7' && row.contender === 'seqlik' && tools;
      expect(percentOfPeak).toEqual(measured ? number : null);
      const verified = row.workload === 'P7' || row.workload === 'cold';
      expect(maxRelativeError).toEqual(verified ? number : null);
      if (verified) expect(maxRelativeError).toBeLessThan(bounds[row.dtype]);
    }
  });
  test('every level of this machine, wasm and plain JavaScript take part', () => {
    const who = (workload: string, dtype: string) =>
      rows
        .filter((row) => row.workload === workload && row.dtype === dtype)
        .map((row) => `${row.contender} ${row.isa}`);
    const seqlik = [...levels, 'simd128'].map((isa) => `seqlik ${isa}`);
    expect(who('P7', 'f64')).toEqual([...seqlik, 'plain-js js']);
    expect(who('P7', 'f32')).toEqual(seqlik);
    expect(who('P8', 'f64')).toEqual(seqlik);
    expect(who('P8', 'f32')).toEqual([]);
    const limited = [...(levels.length > 0 ? levels : ['baseline']), 'simd128'].map((isa) => `limit ${isa}`);
    expect(who('limit', 'f32')).toEqual(tools ? limited : []);
  });
  test('cold starts of the best level and of wasm: the binary, the backend, and all to the first result', () => {
    const variants = ['loading the binary', 'openBackend', 'first logDensity d=8 M=16'];
    // the packed library takes part if there is one
    const cold = rows.filter(({ workload, variant }) => workload === 'cold' && !variant.startsWith('package'));
    expect(cold.map(({ isa, variant }) => `${isa} ${variant}`)).toEqual(
      [...levels.slice(0, 1), 'simd128'].flatMap((isa) => variants.map((variant) => `${isa} ${variant}`)),
    );
    for (let at = 0; at < cold.length; at += 3) {
      const [binary, , first] = cold.slice(at, at + 3).map(({ nsPerItem }) => nsPerItem);
      expect(first).toBeGreaterThan(binary!);
    }
  });
  test('the report has a line for each, and says what is missing', () => {
    const lines = child.stdout.split('\n').filter((line) => /^\| (P[78]|cold) /.test(line));
    expect(lines.length).toBe(rows.filter(({ workload }) => workload !== 'limit').length);
    expect(child.stdout.includes('missing: seqlik native: ')).toBe(levels.length === 0);
    expect(child.stdout.includes('missing: limits')).toBe(!tools);
  });
});
test('without a native backend: the others, and what is missing', () => {
  const args = ['--no-addons', 'build/js/bench/run.js', '--quick', '--only', '^P8$'];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status: child.status, stderr: child.stderr }).toEqual({ status: 0, stderr: '' });
  expect(child.stdout.split('\n').filter((line) => line.startsWith('| P8 '))).toEqual([
    expect.stringMatching(/^\| P8 +\| empty batch \| f64 +\| seqlik +\| simd128 \|/),
  ]);
  expect(child.stdout).toContain('\nmissing: seqlik native: no native binary');
});
describe('a request that cannot be run is refused in one line', () => {
  test.each([
    [['--fast'], 2, /--fast/],
    [['P1'], 2, /P1/],
    [['--only', '('], 2, /Invalid regular expression/],
    [['--only', 'P99'], 2, /no workload matches \/P99\/: P1, P1d, P2, P2n, P3, P4, P5, P6, P7, P8, cold, limit/],
    [['--only', 'P8', '--json', '/nowhere/rows.json'], 1, /ENOENT.*\/nowhere/],
  ])('%j', (args, status, message) => {
    const child = run(...args);
    expect(child.stderr).toMatch(/^bench: [^\n]+\n$/);
    expect(child.stderr).toMatch(message);
    expect({ status: child.status, stdout: child.stdout }).toEqual({ status, stdout: '' });
  });
});
