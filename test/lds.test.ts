/** Kernels of the linear dynamical system: sequences in pieces, many steps, and the joint Gaussian. */
import { describe, expect, test } from 'vitest';
import { add, type Dense, inverse, matrix, range, times, transpose, tri } from './oracle/matrices.ts';
import { backends } from './support/backends.ts';
import { uniform } from './support/cases.ts';

type Backend = (typeof backends)[number];
interface System {
  readonly A: Dense;
  readonly B: Dense;
  readonly Q: Dense;
  readonly R: Dense;
  readonly V0: Dense;
}
const flat = (M: Dense): Float64Array => Float64Array.from(M.flat());
const scalars = (d: number, c: number): Dense => matrix(d, d, (i, j) => (i === j ? c : 0));
/** Random, stable, with correlated noise. */
function systemOf(m: number, d: number, seed: number): System {
  const random = uniform(seed);
  const draw = (rows: number, columns: number): Dense => matrix(rows, columns, random);
  const definite = (n: number): Dense => {
    const M = draw(n, n);
    return times(M, transpose(M)).map((row, i) => row.map((v, j) => v + Number(i === j) / 4));
  };
  const A = draw(m, m).map((row) => row.map((v) => v / Math.sqrt(m)));
  return { A, B: draw(d, m), Q: definite(m), R: definite(d), V0: definite(m) };
}
/** The kernels over arrays of one system. */
function kernelsOf({ f64 }: Backend, { A, B, Q, R, V0 }: System) {
  const [latent, d] = [A.length, B.length];
  const factor = (S: Dense): Float64Array => {
    const L = new Float64Array(tri(S.length));
    f64.gaussian.factor({ n: 1, d: S.length }, { A: flat(S), L, logDet: new Float64Array(1) });
    return L;
  };
  const padded = (n: number): number => Math.ceil(n / 8) * 8;
  const [M, D] = [padded(latent), padded(d)];
  const model = new Float64Array(4 * latent * M + 2 * d * M + latent * D + 2 * d * D + 8);
  f64.lds.prepare(
    { d, latent },
    { A: flat(A), B: flat(B), Q: flat(Q), LQ: factor(Q), R: flat(R), LR: factor(R), model },
  );
  const flags = (on: boolean, s: number): Int32Array => new Int32Array(s).fill(Number(on));
  return {
    start: () => Float64Array.from([...new Float64Array(latent), ...flat(V0)]),
    filter(x: Float64Array, state: Float64Array, started: boolean, lengths = Int32Array.of(x.length / d)) {
      const n = x.length / d;
      const out = {
        predictedMean: new Float64Array(n * latent),
        predictedCovariance: new Float64Array(n * latent * latent),
        mean: new Float64Array(n * latent),
        covariance: new Float64Array(n * latent * latent),
        logDensity: new Float64Array(n),
      };
      const given = { lengths, model, started: flags(started, lengths.length), x, state };
      f64.lds.filter({ d, latent, keep: 'all' }, { ...given, ...out });
      return out;
    },
    smooth(
      { mean, covariance }: Readonly<Record<'mean' | 'covariance', Float64Array>>,
      state: Float64Array,
      ended: boolean,
    ) {
      const n = mean.length / latent;
      const out = {
        smoothedMean: new Float64Array(n * latent),
        smoothedCovariance: new Float64Array(n * latent * latent),
        lagOne: new Float64Array(n * latent * latent),
      };
      const lengths = Int32Array.of(n);
      f64.lds.smooth({ d, latent }, { lengths, model, ended: flags(ended, 1), mean, covariance, state, ...out });
      return out;
    },
  };
}
/** Normal enough: sums of uniforms; one value in ten is a gap, and so are all of some rows. */
function dataOf(n: number, d: number, seed: number): Float64Array {
  const random = uniform(seed);
  return Float64Array.from({ length: n * d }, (_, i) => {
    const value = add(range(4).map(random));
    return random() > 0.8 || Math.floor(i / d) % 11 === 7 ? NaN : value;
  });
}
const cut = (values: Float64Array, width: number, from: number, to: number): Float64Array =>
  values.slice(from * width, to * width);

describe.each(backends.map((backend) => [`${backend.name} ${backend.isa}`, backend] as const))('%s', (_, backend) => {
  test.each([
    [1, 3],
    [4, 3],
    [8, 8],
    [8, 9],
    [11, 3],
  ])('a sequence of %i latent and %i observed coordinates in pieces has the bits of one call', (m, d) => {
    const n = 40;
    const kernels = kernelsOf(backend, systemOf(m, d, m));
    const x = dataOf(n, d, 5);
    const state = kernels.start();
    const whole = kernels.filter(x, state, false);
    const carried = kernels.start();
    const ends = [0, 1, 2, 9, 30, n];
    for (const [i, from] of ends.slice(0, -1).entries()) {
      const to = ends[i + 1]!;
      const piece = kernels.filter(cut(x, d, from, to), carried, i > 0);
      expect(piece.logDensity).toEqual(cut(whole.logDensity, 1, from, to));
      expect(piece.predictedCovariance).toEqual(cut(whole.predictedCovariance, m * m, from, to));
      expect(piece.covariance).toEqual(cut(whole.covariance, m * m, from, to));
    }
    expect(carried).toEqual(state);
    const after = new Float64Array(m + m * m);
    const smoothed = kernels.smooth(whole, after, true);
    const back = new Float64Array(m + m * m);
    for (const [i, to] of [...ends].reverse().slice(0, -1).entries()) {
      const from = ends[ends.length - 2 - i]!;
      const rows = { mean: cut(whole.mean, m, from, to), covariance: cut(whole.covariance, m * m, from, to) };
      const piece = kernels.smooth(rows, back, i === 0);
      expect(piece.smoothedMean).toEqual(cut(smoothed.smoothedMean, m, from, to));
      expect(piece.smoothedCovariance).toEqual(cut(smoothed.smoothedCovariance, m * m, from, to));
      expect(piece.lagOne).toEqual(cut(smoothed.lagOne, m * m, from, to));
    }
    expect(back).toEqual(after);
  });

  test.each([
    [1, 1],
    [2, 2],
    [4, 5],
    [8, 8],
    [3, 9],
    [9, 2],
  ])('many sequences of %i latent and %i observed coordinates have the bits of each alone', (m, d) => {
    const kernels = kernelsOf(backend, systemOf(m, d, 3));
    const lengths = Int32Array.from({ length: 21 }, (_, s) => ((s * 5) % 8) + (s % 6 === 2 ? 30 : 0));
    const x = dataOf(add([...lengths]), d, 1);
    const state = Float64Array.from(range(lengths.length).flatMap(() => [...kernels.start()]));
    const together = kernels.filter(x, state, false, lengths);
    let row = 0;
    for (const [s, length] of lengths.entries()) {
      const own = kernels.start();
      const alone = kernels.filter(cut(x, d, row, row + length), own, false);
      expect(alone.logDensity).toEqual(cut(together.logDensity, 1, row, row + length));
      expect(alone.predictedMean).toEqual(cut(together.predictedMean, m, row, row + length));
      expect(alone.covariance).toEqual(cut(together.covariance, m * m, row, row + length));
      expect(own).toEqual(cut(state, m + m * m, s, s + 1));
      row += length;
    }
  });

  test('a row of gaps has the same bits alone and beside others, even where its covariance has -0', () => {
    const system = systemOf(2, 1, 3);
    const V0 = matrix(2, 2, (i, j) => (i === j ? 1 : -0));
    const kernels = kernelsOf(backend, { ...system, V0 });
    const both = Float64Array.from([...kernels.start(), ...kernels.start()]);
    const own = kernels.start();
    const together = kernels.filter(Float64Array.of(NaN, 1), both, false, Int32Array.of(1, 1));
    const alone = kernels.filter(Float64Array.of(NaN), own, false);
    expect(alone.covariance).toEqual(cut(together.covariance, 4, 0, 1));
    expect(own).toEqual(cut(both, 6, 0, 1));
  });

  test('a failure is that of the first row of all sequences', () => {
    const [m, d, n] = [3, 2, 20];
    const kernels = kernelsOf(backend, systemOf(m, d, 3));
    const x = new Float64Array(30 * n * d).fill(0.5);
    for (const row of [59, 41, 400, 130]) x[row * d] = Infinity; // of sequences 2, 2, 20 and 6
    x[15 * d] = 1e300; // the last to be reached of those in lanes
    const state = Float64Array.from(range(30).flatMap(() => [...kernels.start()]));
    const failed = (): unknown => kernels.filter(x, state.slice(), false, new Int32Array(30).fill(n));
    expect(failed).toThrow(expect.objectContaining({ at: { n: 15 } }));
    x[15 * d] = 0.5;
    expect(failed).toThrow(expect.objectContaining({ at: { n: 41 } }));
  });

  test('agrees with conditioning of the joint Gaussian', () => {
    const [m, d, n] = [3, 2, 5];
    const system = systemOf(m, d, 8);
    const kernels = kernelsOf(backend, system);
    const x = dataOf(n, d, 4);
    const filtered = kernels.filter(x, kernels.start(), false);
    const smoothed = kernels.smooth(filtered, new Float64Array(m + m * m), true);
    const marginal: Dense[] = [system.V0];
    for (const t of range(n - 1))
      marginal.push(
        times(times(system.A, marginal[t]!), transpose(system.A)).map((row, i) =>
          row.map((v, j) => v + system.Q[i]![j]!),
        ),
      );
    const power = (k: number): Dense => range(k).reduce((P) => times(system.A, P), scalars(m, 1));
    const block = (s: number, t: number): Dense =>
      s >= t ? times(power(s - t), marginal[t]!) : transpose(times(power(t - s), marginal[s]!));
    const Z = matrix(n * m, n * m, (i, j) => block(Math.floor(i / m), Math.floor(j / m))[i % m]![j % m]!);
    const seen = range(n * d).filter((i) => !Number.isNaN(x[i]!));
    const H = seen.map((i) =>
      range(n * m).map((j) => (Math.floor(j / m) === Math.floor(i / d) ? system.B[i % d]![j % m]! : 0)),
    );
    const noise = matrix(seen.length, seen.length, (i, j) =>
      Math.floor(seen[i]! / d) === Math.floor(seen[j]! / d) ? system.R[seen[i]! % d]![seen[j]! % d]! : 0,
    );
    const S = times(times(H, Z), transpose(H)).map((row, i) => row.map((v, j) => v + noise[i]![j]!));
    const K = times(times(Z, transpose(H)), inverse(S));
    const mean = times(
      K,
      seen.map((i) => [x[i]!]),
    );
    const less = times(times(K, H), Z);
    for (const i of range(n * m)) expect(smoothed.smoothedMean[i]).toBeCloseTo(mean[i]![0]!, 10);
    for (const t of range(n))
      for (const i of range(m))
        for (const j of range(m)) {
          const of = (s: number): number => Z[s * m + i]![t * m + j]! - less[s * m + i]![t * m + j]!;
          expect(smoothed.smoothedCovariance[(t * m + i) * m + j]).toBeCloseTo(of(t), 10);
          if (t < n - 1) expect(smoothed.lagOne[(t * m + i) * m + j]).toBeCloseTo(of(t + 1), 10);
        }
  });

  const m = 3;
  const one = systemOf(m, 2, 6);
  const stiff = matrix(m, m, (i, j) => (i === j ? 10 ** (-4 * i) : 0));
  test.each([
    ['stiff', { ...one, Q: stiff, R: stiff.slice(1).map((row) => row.slice(1)), V0: stiff }],
    ['diffuse', { ...one, V0: scalars(m, 1e7) }],
    [
      'nearly deterministic',
      {
        ...one,
        A: [
          [0.9999, 0.01, 0],
          [0, 0.9999, 0.01],
          [0, 0, 0.999],
        ],
        Q: scalars(m, 1e-12),
      },
    ],
    ['nearly exact', { ...one, R: scalars(2, 1e-10) }],
  ])('covariances of 100,000 steps, %s, are symmetric and positive definite', (_, system) => {
    const [d, n, pieces] = [2, 10_000, 10];
    const kernels = kernelsOf(backend, system);
    const state = kernels.start();
    const kept = range(pieces).map((i) => kernels.filter(dataOf(n, d, i), state, i > 0));
    const after = new Float64Array(m + m * m);
    for (const i of range(pieces).reverse()) {
      const { covariance, predictedCovariance } = kept[i]!;
      expect(firstIndefinite(m, covariance)).toBe(-1);
      expect(firstIndefinite(m, predictedCovariance)).toBe(-1);
      expect(firstIndefinite(m, kernels.smooth(kept[i]!, after, i === pieces - 1).smoothedCovariance)).toBe(-1);
    }
  });
});

/** The first of m x m matrices that is not symmetric to the bit, or has a pivot that is not positive; or -1. */
function firstIndefinite(m: number, covariances: Float64Array): number {
  const S = new Float64Array(m * m);
  for (let at = 0; at < covariances.length; at += m * m) {
    S.set(covariances.subarray(at, at + m * m));
    for (let i = 0; i < m; i++) for (let j = 0; j < i; j++) if (S[i * m + j] !== S[j * m + i]) return at / (m * m);
    for (let p = 0; p < m; p++) {
      if (!(S[p * m + p]! > 0)) return at / (m * m);
      for (let i = p + 1; i < m; i++)
        for (let j = p + 1; j <= i; j++) S[i * m + j]! -= (S[i * m + p]! * S[j * m + p]!) / S[p * m + p]!;
    }
  }
  return -1;
}
test('a matrix that is not symmetric or not definite is found', () => {
  expect(firstIndefinite(2, Float64Array.of(1, 0, 0, 1, 1, 1e-17, 0, 1))).toBe(1);
  expect(firstIndefinite(2, Float64Array.of(1, 0, 0, 1, 1, 2, 2, 1))).toBe(1);
});
