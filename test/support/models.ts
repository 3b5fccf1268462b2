/** The public models on every backend of this machine; random models; the dumbest densities that can be right. */
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Backend, CovarianceType, MixtureParameters, Real } from '../../src/index.ts';
import { openBackend, SeqlikError } from '../../src/index.ts';
import { uniform } from './cases.ts';

/** Whether this machine has the addon: one that is there and does not load is an error, not a reason to skip. */
export const hasNative = existsSync('build/native/Release/kernels.node');
const nativeLevels = hasNative ? openBackend({ name: 'native' }).levels : [];
export const backends: readonly Backend[] = [
  ...nativeLevels.map((isa) => openBackend({ isa })),
  openBackend({ name: 'wasm' }),
];
export const titled = backends.map((backend) => [`${backend.name} ${backend.isa}`, backend] as const);

/** Draws are the same in every run; SEQLIK_SEED tries others. */
fc.configureGlobal({ seed: Number(process.env['SEQLIK_SEED'] ?? 1), numRuns: 15 });

// ---- small dense matrices ----
export type Row = readonly number[];
export type Dense = readonly Row[];
export const range = (n: number): number[] => [...Array(n).keys()];
export const sum = (terms: Iterable<number>): number => [...terms].reduce((a, b) => a + b, 0);
export const matrix = (rows: number, columns: number, entry: (i: number, j: number) => number): number[][] =>
  range(rows).map((i) => range(columns).map((j) => entry(i, j)));
export const identity = (d: number): number[][] => matrix(d, d, (i, j) => Number(i === j));
export const transpose = (A: Dense): number[][] => matrix(A[0]!.length, A.length, (i, j) => A[j]![i]!);
export const times = (A: Dense, B: Dense): number[][] =>
  matrix(A.length, B[0]!.length, (i, j) => sum(A[i]!.map((a, p) => a * B[p]![j]!)));
export const dot = (a: Iterable<number>, b: ArrayLike<number>): number => sum([...a].map((v, i) => v * b[i]!));
export const flat = (A: Dense): number[] => A.flat();
/** The inverse by Gauss and Jordan with row exchanges, and the determinant on the way. */
export function invert(A: Dense): { inverse: number[][]; determinant: number } {
  const d = A.length;
  const M = A.map((row, i) => [...row, ...range(d).map((j) => Number(i === j))]);
  let determinant = 1;
  for (const i of range(d)) {
    const best = range(d)
      .slice(i)
      .reduce((a, b) => (Math.abs(M[b]![i]!) > Math.abs(M[a]![i]!) ? b : a));
    if (best !== i) determinant = -determinant;
    [M[i], M[best]] = [M[best]!, M[i]!];
    const pivot = M[i]![i]!;
    determinant *= pivot;
    M[i] = M[i]!.map((v) => v / pivot);
    for (const r of range(d)) {
      const factor = M[r]![i]!;
      if (r !== i) M[r] = M[r]!.map((v, j) => v - factor * M[i]![j]!);
    }
  }
  return { inverse: M.map((row) => row.slice(d)), determinant };
}
const norm = (A: Dense): number => Math.max(...A.map((row) => sum(row.map(Math.abs))));

// ---- densities out of the textbook ----
export interface Component {
  readonly weight: number;
  readonly mean: Row;
  readonly covariance: Dense;
}
/** w N(x | mean, covariance) = w exp(-½ (x-m)ᵀ S⁻¹ (x-m)) / √((2π)^d |S|), of each component. */
export function textbook(components: readonly Component[]): (x: Row) => number[] {
  const each = components.map(({ weight, mean, covariance }) => {
    const { inverse, determinant } = invert(covariance);
    const scale = weight / Math.sqrt((2 * Math.PI) ** mean.length * determinant);
    return (x: Row): number => {
      const y = x.map((v, j) => v - mean[j]!);
      return scale * Math.exp(-0.5 * sum(y.map((v, i) => v * dot(y, inverse[i]!))));
    };
  });
  return (x) => each.map((density) => density(x));
}
export const logTextbook = (components: readonly Component[]): ((x: Row) => number) => {
  const densities = textbook(components);
  return (x) => Math.log(sum(densities(x)));
};
/** The components over some of the coordinates. */
export const part = (components: readonly Component[], dims: readonly number[]): Component[] =>
  components.map(({ weight, mean, covariance }) => ({
    weight,
    mean: dims.map((j) => mean[j]!),
    covariance: dims.map((i) => dims.map((j) => covariance[i]![j]!)),
  }));
/** Computes once what several backends are compared with. */
export function once<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<string, V>();
  return (key) => {
    const name = JSON.stringify(key);
    if (!made.has(name)) made.set(name, make(key));
    return made.get(name)!;
  };
}
export const epsilon = (x: Real): number => (x instanceof Float32Array ? 2 ** -24 : 2 ** -53);
/**
 * The error allowed for a log-density: the forward error of a triangular solve is about the condition of the covariance
 * times the unit roundoff, relative to the squared distance; d terms are added, and the mean itself is rounded (f32).
 */
export function tolerance(components: readonly Component[], x: Real): (logDensity: number) => number {
  const d = components[0]!.mean.length;
  const condition = Math.max(...components.map(({ covariance: S }) => norm(S) * norm(invert(S).inverse)));
  return (logDensity) => 4 * epsilon(x) * condition * (d + Math.abs(logDensity));
}

// ---- random models ----
export const covarianceTypes = ['full', 'tied', 'diagonal', 'spherical'] as const;
/** B Bᵀ/d + ½ I: exactly symmetric, eigenvalues from ½ to about 2. */
export function drawCovariance(d: number, random: () => number): number[][] {
  const B = matrix(d, d, random);
  return matrix(d, d, (i, j) => dot(B[i]!, B[j]!) / d + Number(i === j) / 2);
}
export interface Drawn {
  readonly parameters: MixtureParameters & { readonly covarianceType: CovarianceType };
  readonly components: readonly Component[];
}
export function drawMixture(covarianceType: CovarianceType, d: number, k: number, seed: number): Drawn {
  const random = uniform(seed);
  const raw = range(k).map(() => random() + 1.2);
  const weights = raw.map((w) => w / sum(raw));
  const means = matrix(k, d, () => 2 * random());
  const diagonal = (v: Row): number[][] => matrix(d, d, (i, j) => (i === j ? v[i]! : 0));
  const shared = drawCovariance(d, random);
  const variances = matrix(k, d, () => 1 + 0.8 * random());
  const each = range(k).map((c) =>
    covarianceType === 'full'
      ? drawCovariance(d, random)
      : covarianceType === 'tied'
        ? shared
        : diagonal(covarianceType === 'diagonal' ? variances[c]! : Array<number>(d).fill(variances[c]![0]!)),
  );
  const covariances = {
    full: () => each,
    tied: () => shared,
    diagonal: () => variances,
    spherical: () => variances.map(([v]) => v!),
  }[covarianceType]();
  return {
    parameters: { weights, means, covariances, covarianceType },
    components: each.map((covariance, c) => ({ weight: weights[c]!, mean: means[c]!, covariance })),
  };
}
/** Rows within a few standard deviations of a component, so that naive densities do not underflow. */
export function drawRows(components: readonly Component[], n: number, seed: number): number[][] {
  const random = uniform(seed);
  return range(n).map(() => {
    const { mean } = components[Math.floor(((random() + 1) / 2) * components.length)]!;
    return mean.map((m) => m + 1.5 * random());
  });
}
export const f64 = (rows: Dense): Float64Array => Float64Array.from(rows.flat());
export const f32 = (rows: Dense): Float32Array => Float32Array.from(rows.flat());
/** The rows as they are after rounding to the dtype of x. */
export const rowsOf = (x: Real, d: number): number[][] => matrix(x.length / d, d, (i, j) => x[i * d + j]!);

// ---- expectations ----
/** Equal to the bit, NaN as a class; of the same dtype and length. */
export function expectBits(got: Real, want: Real): void {
  expect(got.constructor).toBe(want.constructor);
  expect(got.length).toBe(want.length);
  const at = got.findIndex((v, i) => !Object.is(v, want[i]));
  if (at >= 0) expect.fail(`[${at}] is ${got[at]}, not to the bit ${want[at]}`);
}
/** |got - want| <= allowed; says where and by how much if not. */
export function expectNear(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  allowed: number | ((want: number, i: number) => number),
): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    const limit = typeof allowed === 'number' ? allowed : allowed(want[i]!, i);
    if (!(Math.abs(got[i]! - want[i]!) <= limit))
      expect.fail(`[${i}] is ${got[i]}, not ${want[i]}: off by ${Math.abs(got[i]! - want[i]!)}, allowed ${limit}`);
  }
}
/** The slope of f at 0 by a central difference of fourth order. */
export const slope = (f: (t: number) => number, h = 1e-3): number =>
  (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
/** A gradient against the slope along one direction, relative to the terms of the sum. */
export function expectSlope(gradient: Iterable<number>, direction: ArrayLike<number>, f: (t: number) => number): void {
  const terms = [...gradient].map((g, i) => g * direction[i]!);
  expectNear([sum(terms)], [slope(f)], 1e-7 * (sum(terms.map(Math.abs)) + 1e-3));
}
/** The fields that an error about an argument lacks; none for an error of another code. */
export function lacking(error: SeqlikError): string[] {
  if (error.code !== 'INVALID_ARGUMENT' && error.code !== 'DIMENSION_MISMATCH') return [];
  const fields = ['argument', 'expected', 'received'] as const;
  return fields.filter((name) => typeof error[name] !== 'string' || error[name] === '');
}
/** The error that a call throws, which has to be a SeqlikError with all its fields. */
export function refusal(call: () => unknown): SeqlikError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    if (!(error instanceof SeqlikError)) throw error;
    expect(lacking(error), error.message).toEqual([]);
    return error;
  }
  return expect.fail(`returned ${String(result)} instead of throwing`);
}
