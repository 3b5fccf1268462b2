/** Convolution on every backend and both paths: the textbook, other libraries, edges of sizes and of numbers. */
import { describe, expect, test } from 'vitest';
import { type Backend, type ConvolutionMode, convolve, convolveGradient, SeqlikError } from '../../src/index.ts';
import { convolved, correlated, gradients } from '../../src/models/convolution/paths.ts';
import { twiddlesOf } from '../../src/models/convolution/tables.ts';
import { uniform } from '../support/cases.ts';
import { backends, range, titled } from '../support/models.ts';

const modes: ConvolutionMode[] = ['full', 'same', 'causal', 'valid'];
const firstOf = (mode: ConvolutionMode, K: number): number =>
  mode === 'same' ? Math.floor((K - 1) / 2) : mode === 'valid' ? K - 1 : 0;
const lengthOf = (mode: ConvolutionMode, n: number, K: number): number =>
  n === 0 ? 0 : mode === 'full' ? n + K - 1 : mode === 'valid' ? Math.max(n - K + 1, 0) : n;
function draw(length: number, seed: number, scale = 1): Float64Array {
  const random = uniform(seed);
  return Float64Array.from({ length }, () => scale * random());
}
/** Σ_s w[s] x[t - s] and Σ_s |w[s] x[t - s]| of the full convolution. */
function textbook(x: Float64Array, w: Float64Array): { y: Float64Array; size: Float64Array } {
  const y = new Float64Array(x.length + w.length - 1);
  const size = new Float64Array(y.length);
  for (const [q, a] of x.entries())
    for (const [s, b] of w.entries()) {
      y[q + s]! += a * b;
      size[q + s]! += Math.abs(a * b);
    }
  return { y, size };
}
/** y, dx and dw on a path. */
function on(backend: Backend, path: 'direct' | 'transforms', mode: ConvolutionMode, x: Float64Array, w: Float64Array) {
  const first = firstOf(mode, w.length);
  const dy = draw(lengthOf(mode, x.length, w.length), 5);
  const [y, dx, dw] = [new Float64Array(dy.length), new Float64Array(x.length), new Float64Array(w.length)];
  convolved({ backend, path }, y, x, w, first);
  gradients({ backend, path }, dx, dw, x, w, dy, first);
  return { y, dx, dw, dy, first };
}
const sizes = [
  [0, 1],
  [0, 5],
  [1, 1],
  [3, 5],
  [5, 12],
  [17, 1],
  [40, 8],
  [130, 31],
  [64, 200],
  [300, 299],
  [1, 4],
] as const;

describe.each(titled)('%s', (_, backend) => {
  describe.each(['direct', 'transforms'] as const)('%s', (path) => {
    test.each(modes)('%s: any sizes, against sums one by one', (mode) => {
      for (const [n, K] of sizes) {
        const [x, w] = [draw(n, 1), draw(K, 2)];
        const { y, dx, dw, dy, first } = on(backend, path, mode, x, w);
        const full = n > 0 ? textbook(x, w).y : new Float64Array(0);
        for (const t of range(y.length)) expect(y[t], `${n} ${K} y`).toBeCloseTo(full[first + t]!, 12);
        for (const q of range(n)) {
          let sum = 0;
          for (const t of range(dy.length)) sum += dy[t]! * (w[first + t - q] ?? 0);
          expect(dx[q], `${n} ${K} dx[${q}]`).toBeCloseTo(sum, 12);
        }
        for (const s of range(K)) {
          let sum = 0;
          for (const t of range(dy.length)) sum += dy[t]! * (x[first + t - s] ?? 0);
          expect(dw[s], `${n} ${K} dw[${s}]`).toBeCloseTo(sum, 12);
        }
      }
    });
  });
  test('several blocks and parts: transforms of integers are sums to 1e-12 of the largest', () => {
    for (const [n, K] of [
      [14000, 1025],
      [9000, 3300],
    ] as const)
      for (const mode of modes) {
        const [x, w] = [draw(n, 3, 100).map(Math.round), draw(K, 4, 100).map(Math.round)];
        const [a, b] = [on(backend, 'direct', mode, x, w), on(backend, 'transforms', mode, x, w)];
        for (const name of ['y', 'dx', 'dw'] as const) {
          const most = a[name].reduce((m, v) => Math.max(m, Math.abs(v)), 0);
          const worst = a[name].reduce((m, v, i) => Math.max(m, Math.abs(v - b[name][i]!)), 0);
          expect(worst, `${n} ${K} ${mode} ${name}`).toBeLessThanOrEqual(1e-12 * most);
        }
      }
  });
  test('gradients of one transform are those of two', () => {
    for (const [n, K] of [
      [14000, 1025],
      [700, 9000],
    ] as const)
      for (const mode of modes) {
        const [x, w] = [draw(n, 20), draw(K, 21)];
        const { dx, dw, dy, first } = on(backend, 'transforms', mode, x, w);
        const [a, b] = [new Float64Array(n), new Float64Array(K)];
        correlated({ backend, path: 'transforms' }, a, dy, w, first);
        correlated({ backend, path: 'transforms' }, b, dy, x, first);
        for (const i of range(n)) expect(Math.abs(dx[i]! - a[i]!)).toBeLessThan(1e-11);
        for (const i of range(K)) expect(Math.abs(dw[i]! - b[i]!)).toBeLessThan(1e-11);
      }
  });
  test('a sample of 1e12 among samples of 1 leaves every result within K eps Σ|w x|', () => {
    const [n, K] = [9000, 200];
    const [x, w] = [draw(n, 6), draw(K, 7)];
    x[4000] = 1e12;
    const { y, size } = textbook(x, w);
    for (const path of ['direct', 'transforms'] as const) {
      const got = on(backend, path, 'full', x, w).y;
      for (const t of range(y.length))
        if (!(Math.abs(got[t]! - y[t]!) <= 2 * K * Number.EPSILON * size[t]!))
          expect.fail(`${path}: y[${t}] is ${got[t]}, not ${y[t]}`);
    }
    const edge = draw(n, 8);
    edge[0] = 1e12; // it meets few values of w
    const { dw, dy } = on(backend, 'transforms', 'valid', edge, w);
    for (const s of range(K)) {
      let [sum, size] = [0, 0];
      for (const t of range(dy.length)) {
        sum += dy[t]! * edge[K - 1 + t - s]!;
        size += Math.abs(dy[t]! * edge[K - 1 + t - s]!);
      }
      expect(Math.abs(dw[s]! - sum)).toBeLessThanOrEqual(2 * n * Number.EPSILON * size);
    }
  });
  test.each([
    ['x', 0],
    ['x', 4000],
    ['dy', 0],
    ['dy', 4000],
  ] as const)('gradients beside a sample of 1e12 in %s at %i', (name, at) => {
    const [n, K] = [9000, 200];
    const [x, w, dy] = [draw(n, 22), draw(K, 23), draw(n + K - 1, 24)];
    (name === 'x' ? x : dy)[at] = 1e12;
    for (const path of ['direct', 'transforms'] as const) {
      const [dx, dw] = [new Float64Array(n), new Float64Array(K)];
      gradients({ backend, path }, dx, dw, x, w, dy, 0);
      for (const s of range(K)) {
        let [sum, size] = [0, 0];
        for (const q of range(n)) {
          sum += dy[q + s]! * x[q]!;
          size += Math.abs(dy[q + s]! * x[q]!);
        }
        if (!(Math.abs(dw[s]! - sum) <= 2 * n * Number.EPSILON * size))
          expect.fail(`${path}: dw[${s}] is ${dw[s]}, not ${sum}`);
      }
      for (const q of range(n)) {
        let [sum, size] = [0, 0];
        for (const s of range(K)) {
          sum += dy[q + s]! * w[s]!;
          size += Math.abs(dy[q + s]! * w[s]!);
        }
        if (!(Math.abs(dx[q]! - sum) <= 2 * K * Number.EPSILON * size))
          expect.fail(`${path}: dx[${q}] is ${dx[q]}, not ${sum}`);
      }
    }
  });
  test('silence, huge and tiny signals', () => {
    const w = draw(100, 9);
    expect(on(backend, 'transforms', 'same', new Float64Array(9000), w).y.every((v) => v === 0)).toBe(true);
    for (const scale of [1e302, 1e-290]) {
      const x = draw(9000, 10, scale);
      const [a, b] = [on(backend, 'direct', 'same', x, w).y, on(backend, 'transforms', 'same', x, w).y];
      for (const i of range(9000)) expect(Math.abs(a[i]! - b[i]!)).toBeLessThanOrEqual(1e-12 * scale * 10);
    }
  });
  test('both orders of arguments are the same convolution', () => {
    const [x, w] = [draw(20000, 11), draw(90, 12)];
    expect(convolve(w, x, { backend })).toEqual(convolve(x, w, { backend }));
  });
  test('f32', () => {
    const [x, w] = [draw(20000, 13), draw(90, 14)];
    const want = convolve(x, w, { backend });
    const got = convolve(Float32Array.from(x), w, { backend });
    expect(got).toBeInstanceOf(Float32Array);
    for (const i of range(want.length)) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(2e-5);
  });
  test('memory of the caller', () => {
    const [x, w] = [draw(50, 15), draw(7, 16)];
    const [out, dx, dw] = [new Float64Array(56).fill(7), new Float64Array(50).fill(7), new Float64Array(7).fill(7)];
    expect(convolve(x, w, { out, backend })).toBe(out);
    expect(out).toEqual(convolve(x, w, { backend }));
    const given = convolveGradient(x, w, out, { out: { dx, dw }, backend });
    expect(given.dx).toBe(dx);
    expect({ dx, dw }).toEqual(convolveGradient(x, w, out, { backend }));
    expect(() => convolve(x, w, { out: x.subarray(0, 56), backend })).toThrow('out');
    expect(() => convolveGradient(x, w, out, { out: { dx, dw: dx.subarray(0, 7) }, backend })).toThrow('overlaps');
  });
  test.each([
    ['w', () => convolve([1], [], { backend }), 'EMPTY_INPUT'],
    ['x', () => convolve([1, Number.NaN], [1], { backend }), 'NON_FINITE'],
    ['w', () => convolve([1], [1, Number.NEGATIVE_INFINITY], { backend }), 'NON_FINITE'],
    ['x', () => convolve([1e308, 1e308], [10, 10], { backend }), 'NON_FINITE'],
    ['dy', () => convolveGradient([1, 2], [1, 2], [1, 2], { backend }), 'DIMENSION_MISMATCH'],
    ['dy', () => convolveGradient([1, 2], [1], [1, Number.NaN], { backend }), 'NON_FINITE'],
    ['mode', () => convolve([1], [1], { mode: 'circular' as 'full', backend }), 'INVALID_ARGUMENT'],
  ] as const)('refuses a wrong %s', (argument, call, code) => {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SeqlikError);
    expect(error).toMatchObject({ code, argument });
  });
  test.each([1, 31, 100, 30001])('the index of a value that is not finite, K = %i', (K) => {
    const w = draw(K, 18);
    for (const mode of modes)
      for (const [name, bad] of [
        ['x', Number.NaN],
        ['w', Number.POSITIVE_INFINITY],
        ['dy', Number.NEGATIVE_INFINITY],
      ] as const)
        for (const share of [0, 0.7, 1]) {
          const given = { x: new Float64Array(30000), w: w.slice(), dy: new Float64Array(lengthOf(mode, 30000, K)) };
          const at = Math.floor(share * (given[name].length - 1));
          if (given[name].length === 0) continue;
          given[name][at] = bad;
          const refused = `${name} is ${bad} at index ${at}`;
          expect(() => convolveGradient(given.x, given.w, given.dy, { mode, backend })).toThrow(refused);
          if (name !== 'dy') expect(() => convolve(given.x, given.w, { mode, backend })).toThrow(refused);
        }
  });
  test.each([20, 100])('the index of a result that overflows, K = %i', (K) => {
    const x = new Float64Array(30000);
    x.fill(1e308, 20000, 20002);
    const w = new Float64Array(K).fill(1);
    expect(() => convolve(x, w, { backend })).toThrow('the result overflows at index 20001');
    const dy = new Float64Array(30000 + K - 1);
    dy.fill(1e308, 25000, 25002);
    expect(() => convolveGradient(x.fill(0), w, dy, { backend })).toThrow(`dx overflows at index ${25001 - K + 1}`);
  });
});

test('transforms give the same bits on wasm and every unfused level, and on all fused ones', () => {
  const [x, w] = [draw(14000, 18), draw(1700, 19)];
  x[9000] = 1e9; // some groups are summed directly
  const results = backends.map((backend) => ({ backend, ...on(backend, 'transforms', 'same', x, w) }));
  const fused = (isa: string): boolean => ['avx512', 'avx2', 'neon'].includes(isa);
  for (const kind of [true, false]) {
    const [best, ...others] = results.filter(({ backend }) => fused(backend.isa) === kind);
    for (const other of others)
      for (const name of ['y', 'dx', 'dw'] as const) expect(other[name], other.backend.isa).toEqual(best![name]);
  }
});
test('factors of the transform', () => {
  const values = twiddlesOf('f64');
  for (const at of range(4096)) {
    const turns = ((at % 64) * (Math.floor(at / 512) + 8 * (Math.floor(at / 64) % 8))) % 4096;
    expect(values[at]).toBeCloseTo(Math.cos((-2 * Math.PI * turns) / 4096), 14);
    expect(values[4096 + at]).toBeCloseTo(Math.sin((-2 * Math.PI * turns) / 4096), 14);
  }
});

/** The table of docs/convolution.md. */
describe('what other libraries return for [1,2,3,4] and [1,10]', () => {
  const [x, w] = [
    [1, 2, 3, 4],
    [1, 10],
  ];
  const flipped = w.toReversed();
  test.each([
    ["numpy.convolve(x, w, 'full'), scipy.signal.convolve", convolve(x, w), [1, 12, 23, 34, 40]],
    ["numpy.convolve(x, w, 'same')", convolve(x, w, { mode: 'same' }), [1, 12, 23, 34]],
    ["numpy.convolve(x, w, 'valid')", convolve(x, w, { mode: 'valid' }), [12, 23, 34]],
    ['scipy.signal.lfilter(w, 1, x)', convolve(x, w, { mode: 'causal' }), [1, 12, 23, 34]],
    ["numpy.correlate(x, w, 'valid')", convolve(x, flipped, { mode: 'valid' }), [21, 32, 43]],
    ['torch.nn.functional.conv1d(x, w)', convolve(x, flipped, { mode: 'valid' }), [21, 32, 43]],
    ["torch conv1d(padding='same')", convolve([...x, 0], flipped, { mode: 'valid' }), [21, 32, 43, 4]],
    ["keras Conv1D(padding='causal')", convolve(x, flipped, { mode: 'causal' }), [10, 21, 32, 43]],
    ["keras Conv1D(padding='same')", convolve([...x, 0], flipped, { mode: 'valid' }), [21, 32, 43, 4]],
  ])('%s', (_, got, want) => expect([...got]).toEqual(want));
});
