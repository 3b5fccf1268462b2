/** The golden vectors through the built public API on every backend and level; and a runner that can say no. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openBackend } from '../src/backends/default.ts';
import { judge, type Outputs, ratio, type Verdict } from './golden/compare.ts';
import { type Case, generate, readCases } from './golden/format.ts';

const vectors = 'test/golden/vectors';
/** Cases of the operations the library has; the others of the vectors are missing. */
const mapped: Record<string, number> = {
  'S0.mdn': 69,
  'S0.tednet': 11,
  'S1a.kl': 14,
  'S1b.kl': 10,
  'S1c.filter': 20,
  'S1c.smooth': 16,
  'S1c.gradient': 11,
  'S1c.em': 12,
  'S2a.conv': 29,
  'S2b.ctrnn': 13,
  'S3.diagnostics': 15,
  'S3.bptt': 7,
  'S3.sharedEigen': 5,
  'S3.rnnJacobians': 5,
  'S4a.rnn': 14,
  'S4b.net': 10,
  'S4b.sgd': 2,
  'S4c.sin': 8,
};
const native = existsSync('build/native/Release/kernels.node') ? openBackend({ name: 'native' }).levels : [];

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
  last: unknown;
}
function run(args: readonly string[], backend = 'none'): Run {
  // no backend is called 'none': an operation that would use another than the one opened here fails
  const env = { ...process.env, SEQLIK_BACKEND: backend };
  const child = spawnSync(process.execPath, ['build/js/test/golden/run.js', ...args], { encoding: 'utf8', env });
  const last = child.stdout.trimEnd().split('\n').at(-1)!;
  return { ...child, last: last.startsWith('{') ? JSON.parse(last) : undefined };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'seqlik-golden-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('every vector passes', () => {
  const names = readdirSync(vectors).flatMap((file) =>
    readCases(readFileSync(join(vectors, file), 'utf8'))!.map(({ op }) => op),
  );
  const ops = Object.fromEntries(
    names.map((op) => [op, op in mapped ? { passed: mapped[op], failed: 0 } : { missing: true }]),
  );
  const passed = Object.values(mapped).reduce((a, b) => a + b);
  test.each([...native.map((isa) => ['native', isa] as const), ['wasm', 'simd128'] as const])('%s %s', (name, isa) => {
    const { status, stdout, stderr, last } = run([vectors, '--backend', name, '--isa', isa]);
    expect({ status, stderr, last }, stdout).toEqual({ status: 0, stderr: '', last: { passed, failed: 0, ops } });
    expect(stdout).toContain(`${vectors} on ${name} ${isa}\n`);
  });
  test('without options on the default backend', () => {
    expect(run([vectors], 'wasm').stdout).toContain(`${vectors} on wasm simd128\n`);
  });
});

describe('a wrong vector fails, and is reported', () => {
  function runChanged(name: string, change: object): Run {
    const file = JSON.parse(readFileSync(join(vectors, 'S1a.json'), 'utf8')) as { cases: { case: string }[] };
    Object.assign(file.cases.find((given) => given.case === name)!, change);
    return run([folderOf({ 'S1a.json': JSON.stringify(file) }), '--backend', 'wasm']);
  }
  const kl = 0.7927097497683893;
  const gMuB = { shape: [2], data: [-1.0411131969732215, 0.75] };
  const failing: [string, string, object, RegExp][] = [
    [
      'a number',
      'n2',
      { expected: { kl: kl * (1 + 1e-9) } },
      /n2: kl is 0\.79270974976\d*, expected 0\.79270975056\d*, allowed error 8\.0\d*e-12\n/,
    ],
    ['an element', 'n2', { expected: { gMuB } }, /n2: gMuB\[1\] is -0\.2139\d*, expected 0\.75, allowed error \S+\n/],
    ['a size', 'n2', { expected: { gMuA: { shape: [1], data: [1] } } }, /n2: gMuA is 2 numbers, expected 1 numbers\n/],
    [
      'an output that is not there',
      'n2',
      { expected: { kl, entropy: 1 } },
      /n2: entropy is undefined, expected 1, allowed error 0\n/,
    ],
    [
      'a field',
      'error-sigmaB-indefinite',
      { expected: { error: { code: 'NOT_POSITIVE_DEFINITE', which: 'sigmaA' } } },
      /error-sigmaB-indefinite: error.which is sigmaB, expected sigmaA\n/,
    ],
    [
      'an argument',
      'error-nan',
      { expected: { error: { code: 'NON_FINITE', argument: 'muB' } } },
      /error-nan: error.argument is muA, expected muB\n/,
    ],
    [
      'an error that does not come',
      'n2',
      { expected: { error: { code: 'NON_FINITE' } } },
      /n2: error is none, expected \{"code":"NON_FINITE"\}\n/,
    ],
    ['an error that comes', 'error-nan', { expected: { kl } }, /error-nan: error is \S.*p\.mean.*, expected none\n/],
    [
      'an input that is not there',
      'error-nan',
      { inputs: {} },
      /error-nan: error.code is TypeError: .*, expected NON_FINITE\n/,
    ],
  ];
  test.each(failing)('%s', (_, name, change, line) => {
    const { status, stdout, stderr, last } = runChanged(name, change);
    expect(stdout).toMatch(new RegExp(`  FAILED ${line.source}`));
    const counts = { passed: mapped['S1a.kl']! - 1, failed: 1 };
    expect({ status, stderr, last }).toEqual({ status: 1, stderr: '', last: { ...counts, ops: { 'S1a.kl': counts } } });
  });
  test('an operation nobody knows is missing', () => {
    const { status, last } = runChanged('n2', { op: 'S9.none' });
    const counts = { passed: 13, failed: 0 };
    expect({ status, last }).toEqual({
      status: 0,
      last: { ...counts, ops: { 'S1a.kl': counts, 'S9.none': { missing: true } } },
    });
  });
  test('other JSON is left out', () => {
    const good = readFileSync(join(vectors, 'S1b.json'), 'utf8');
    const { status, last } = run([
      folderOf({ 'S1b.json': good, 'about.json': '{"files": 1}', 'x.txt': '{' }),
      '--backend',
      'wasm',
    ]);
    expect({ status, last }).toMatchObject({ status: 0, last: { passed: 10, failed: 0 } });
  });
});

describe('a run that cannot start is reported in one line', () => {
  const refused = (args: readonly string[], status: number, message: RegExp): void => {
    const result = run(args);
    expect(result.stderr).toMatch(/^golden: [^\n]+\n$/);
    expect(result.stderr).toMatch(message);
    expect({ status: result.status, last: result.last }).toEqual({ status, last: undefined });
  };
  test('an absent folder, one without vectors, a file for a folder, a folder for a file', () => {
    refused(['no/such/folder'], 1, /ENOENT.*no\/such\/folder/);
    refused([folderOf({ 'about.json': '{}' })], 1, /has no golden vectors/);
    refused(['package.json'], 1, /ENOTDIR.*package\.json/);
    const folder = folderOf({});
    mkdirSync(join(folder, 'x.json'));
    refused([folder], 1, /x\.json: EISDIR/);
  });
  const part = (inputs: string, expected: string): string =>
    `{"op": "S1a.kl", "case": "a", "inputs": ${inputs}, "expected": ${expected}}`;
  const bad: [string, string, RegExp][] = [
    ['no JSON, over several lines', '[\n oops\n]', /oops.*JSON/],
    ['an operation without a case', '[{"op": "S1a.kl"}]', /op or case/],
    ['no cases', '7', /cases is not an array/],
    ['no inputs', `[${part('7', '{"kl": 1}')}]`, /S1a.kl a: inputs is not an object/],
    ['nothing expected', `[${part('{}', '{}')}]`, /needs outputs or an error/],
    ['an error without code', `[${part('{}', '{"error": {}}')}]`, /error.code/],
    [
      'a tensor of another size',
      `[${part('{"muA": {"shape": [2], "data": [1]}}', '{"kl": 1}')}]`,
      /muA: data is not an array of 2/,
    ],
    [
      'a word in a tensor',
      `[${part('{}', '{"gMuA": {"shape": [1], "data": ["x"]}}')}]`,
      /data\[0\] is "x", not a number/,
    ],
    ['half a generator', `[${part('{"muA": {"shape": [2], "lcg": {"seed": 1}}}', '{"kl": 1}')}]`, /lcg needs/],
    ['half a digest', `[${part('{"digest": {}}', '{"kl": 1}')}]`, /digest needs/],
  ];
  test.each(bad)('a file with %s', (_, cases, message) => {
    const folder = folderOf({ 'bad.json': `{"format": "gradient-vectors/1", "cases": ${cases}}` });
    refused([folder, '--backend', 'wasm'], 1, new RegExp(`bad\\.json: .*${message.source}`));
  });
  test('a later format', () => {
    refused(
      [folderOf({ 'bad.json': '{"format": "gradient-vectors/2", "cases": []}' })],
      1,
      /bad\.json: format is gradient-vectors\/2/,
    );
  });
  test('options', () => {
    refused([], 2, /usage/);
    refused([vectors, vectors], 2, /usage/);
    refused([vectors, '--fast'], 2, /--fast.*usage/);
    refused([vectors, '--backend', 'cuda'], 2, /cuda.*usage/);
    refused([vectors, '--backend', 'wasm', '--isa', 'avx9'], 1, /avx9/);
  });
});

describe('judging', () => {
  type Parts = Partial<{ inputs: object; expected: object; tolerance: object }>;
  const caseOf = (parts: Parts): Case =>
    readCases(
      JSON.stringify({ format: 'gradient-vectors/1', cases: [{ op: 'o', case: 'c', inputs: {}, ...parts }] }),
    )![0]!;
  const verdict = (parts: Parts, outputs: Outputs): Verdict => judge(caseOf(parts), { outputs });
  const passes = (parts: Parts, outputs: Outputs): boolean => verdict(parts, outputs).misses.length === 0;

  test('generated numbers: the recurrence in integers', () => {
    let s = 4294967295n; // the product does not fit a double
    const want = Array.from({ length: 1000 }, () => {
      s = (1664525n * s + 1013904223n) % 2n ** 32n;
      return -2 + 5 * (Number(s) / 4294967296);
    });
    expect(Array.from(generate(1000, { seed: 4294967295, lo: -2, hi: 3 }))).toEqual(want);
    expect(generate(1, { seed: 1, lo: 0, hi: 1 })[0]).toBe(1015568748 / 2 ** 32);
    const { inputs } = caseOf({ inputs: { x: { shape: [2, 3], lcg: { seed: 5, lo: 0, hi: 1 } } }, expected: { y: 1 } });
    expect(inputs['x']).toEqual({ shape: [2, 3], data: generate(6, { seed: 5, lo: 0, hi: 1 }) });
  });
  test('inputs: strings are numbers where they name one', () => {
    const given = {
      x: { shape: [3], data: ['NaN', 'Infinity', '-Infinity'] },
      mode: 'same',
      tied: true,
      lengths: [1, 2],
      floor: '-Infinity',
    };
    expect(caseOf({ inputs: given, expected: { y: 1 } }).inputs).toEqual({
      ...given,
      x: { shape: [3], data: Float64Array.of(NaN, Infinity, -Infinity) },
      floor: -Infinity,
    });
  });
  test('a number passes up to abs + rel |expected|, its end included', () => {
    const given = { expected: { y: -2 }, tolerance: { y: { abs: 0.25, rel: 0.125 } } };
    for (const [y, pass] of [
      [-2, true],
      [-1.5, true],
      [-2.5, true],
      [-1.5 + 2e-16, false],
      [-2.5 - 5e-16, false],
      [2, false],
    ] as const)
      expect([y, passes(given, { y })]).toEqual([y, pass]);
    expect(verdict(given, { y: -2.25 })).toEqual({ worst: 0.5, key: 'y', misses: [] });
    expect(verdict(given, { y: -4 })).toEqual({
      worst: 4,
      key: 'y',
      misses: [{ key: 'y', got: -4, expected: -2, allowed: 0.5 }],
    });
    expect(ratio(1 + 2 ** -52, 1, 0)).toBe(Infinity);
    expect(ratio(1, 1, 0)).toBe(0);
  });
  test('without a tolerance exactly; under a broken one never', () => {
    expect([1, 1 + 2 ** -52].map((y) => passes({ expected: { y: 1 } }, { y }))).toEqual([true, false]);
    for (const y of [{ abs: 1 }, { rel: 1 }, { abs: -1, rel: 0 }, 7])
      expect(passes({ expected: { y: 1 }, tolerance: { y } }, { y: 1.5 })).toBe(false);
  });
  test('NaN never passes, infinities only as themselves, strings do not become numbers', () => {
    const passing = (expected: unknown, y: unknown): boolean =>
      passes({ expected: { y: expected }, tolerance: { y: { abs: 1e300, rel: 1 } } }, { y: y as number });
    for (const expected of [0, 'NaN', 'Infinity', '-Infinity']) expect(passing(expected, NaN)).toBe(false);
    expect([passing('Infinity', Infinity), passing('-Infinity', -Infinity)]).toEqual([true, true]);
    expect([passing('Infinity', -Infinity), passing('Infinity', 1e308), passing(1e308, Infinity)]).toEqual([
      false,
      false,
      false,
    ]);
    for (const y of [undefined, null, '1', [1], Float64Array.of(1), true]) expect(passing(1, y)).toBe(false);
  });
  test('strings are met exactly', () => {
    const given = { expected: { regime: 'stable' } };
    for (const [regime, pass] of [
      ['stable', true],
      ['Stable', false],
      ['', false],
      [undefined, false],
      [1, false],
    ] as const)
      expect(passes(given, { regime })).toBe(pass);
  });
  test('a tensor: flat, of its size, its worst element reported', () => {
    const given = {
      expected: { y: { shape: [2, 2], data: [1, 2, '-Infinity', 4] }, z: 0 },
      tolerance: { y: { abs: 0.5, rel: 0 }, z: { abs: 1, rel: 0 } },
    };
    expect(verdict(given, { y: Float32Array.of(1, 2.25, -Infinity, 4), z: 0.75, more: 1 })).toEqual({
      worst: 0.75,
      key: 'z',
      misses: [],
    });
    expect(verdict(given, { y: [1.75, 2, -Infinity, 5], z: 0 })).toEqual({
      worst: 2,
      key: 'y',
      misses: [{ key: 'y[3]', got: 5, expected: 4, allowed: 0.5 }],
    });
    for (const y of [[1, 2, -Infinity], [1, 2, -Infinity, 4, 5], [1, 2, 3, 4], [1, NaN, -Infinity, 4], undefined, 1])
      expect(passes(given, { y, z: 0 })).toBe(false);
    const empty = { expected: { y: { shape: [0, 3], data: [] } } };
    expect([passes(empty, { y: [] }), passes(empty, { y: [1] }), passes(empty, {})]).toEqual([true, false, false]);
  });
  test('a digest: norm, dot product and probes', () => {
    const y = Float64Array.of(3, 0, -4);
    const dot = generate(3, { seed: 9, lo: -1, hi: 1 });
    const exact = { abs: 1e-15, rel: 0 };
    const given = (part: string, value: unknown): Parts => ({
      inputs: { digest: { tensors: ['y'], dotSeed: 9, probes: [0, 5] } },
      expected: { [`y.${part}`]: value },
      tolerance: { [`y.${part}`]: exact },
    });
    expect(caseOf(given('dot', 1)).inputs).toEqual({});
    expect([5, -5].map((v) => passes(given('frobenius', v), { y }))).toEqual([true, false]);
    const product = 3 * dot[0]! - 4 * dot[2]!;
    expect([0, 1e-14].map((v) => passes(given('dot', product + v), { y }))).toEqual([true, false]);
    expect([3, 0].map((v) => passes(given('probe', { shape: [2], data: [v, -4] }), { y }))).toEqual([true, false]);
    expect(passes(given('trace', product), { y })).toBe(false);
    const other = { ...given('frobenius', 5), inputs: { digest: { tensors: ['z'], dotSeed: 9, probes: [] } } };
    expect([passes(other, { y }), passes(other, { y, 'y.frobenius': 5 })]).toEqual([false, true]);
    for (const part of ['frobenius', 'dot']) {
      expect(passes(given(part, 1), {})).toBe(false);
      expect(passes(given(part, 0), { y: Float64Array.of(NaN) })).toBe(false);
    }
  });
  test('an error: the listed fields, exactly', () => {
    const given = caseOf({ expected: { error: { code: 'NON_FINITE', argument: 'x', row: 2 } } });
    const error = { code: 'NON_FINITE', argument: 'x', row: 2, column: 1, message: 'x is NaN' };
    const keys = (verdict: Verdict): string[] => verdict.misses.map(({ key }) => key);
    expect(judge(given, { error })).toEqual({ worst: 0, key: '', misses: [] });
    expect(keys(judge(given, { error: { ...error, row: 1 } }))).toEqual(['error.row']);
    expect(keys(judge(given, { error: { code: 'DISPOSED' } }))).toEqual(['error.code', 'error.argument', 'error.row']);
    expect(keys(judge(given, { outputs: { y: 1 } }))).toEqual(['error']);
    expect(judge(caseOf({ expected: { y: 1 } }), { error })).toEqual({
      worst: Infinity,
      key: 'error',
      misses: [{ key: 'error', got: 'x is NaN', expected: 'none' }],
    });
  });
});
