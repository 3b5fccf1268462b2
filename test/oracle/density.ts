/** Mixture densities out of the textbook: explicit covariances and inverses, and the chain rule through them. */
import type { Kernels, Resident } from '../../src/grammar.ts';
import type { Table } from '../support/table.ts';
import type { Draw, Draws } from './draws.ts';
import { add, type Dense, type F64, inverse, matrix, range, times, transpose, tri } from './matrices.ts';

type Density = Kernels<Table, 'f64'>['density'];
type Plain<A> = { readonly [K in keyof A]: Exclude<A[K], Resident> };
type Dims = Parameters<Density['forward']>[0];
type Oracle = {
  readonly [K in keyof Density]: (dims: Dims, args: Plain<Parameters<Density[K]>[1]>) => void;
};

const softplus = (r: number): number => Math.max(r, 0) + Math.log1p(Math.exp(-Math.abs(r)));
const sigmoid = (r: number): number => 1 / (1 + Math.exp(-r));
const sech2 = (r: number): number => 1 / Math.cosh(r) ** 2;
const softmax = (r: readonly number[]): number[] => {
  const top = Math.max(...r);
  const total = add(r.map((v) => Math.exp(v - top)));
  return r.map((v) => Math.exp(v - top) / total);
};

interface Covariance {
  /** A factor of the covariance. */
  readonly L: Dense;
  /** From a symmetric dLoss/dΣ to dLoss/draw. */
  readonly chain: (G: Dense) => number[];
}
/** The covariance of one component: L L' with L from raw values, or entry by entry. */
function covarianceOf(mapping: Dims['mapping'], d: number, c: readonly number[], floor: number): Covariance {
  const raised = (r: number): number => (floor > -Infinity ? floor + softplus(r - floor) : r);
  const slope = (r: number): number => (floor > -Infinity ? sigmoid(r - floor) : 1);
  const sd = (r: number): number => (mapping.endsWith('exp') ? Math.exp(raised(r)) : softplus(raised(r)));
  const dsd = (r: number): number => slope(r) * (mapping.endsWith('exp') ? Math.exp(raised(r)) : sigmoid(raised(r)));
  const packed = (l: number, m: number): number => c[tri(Math.max(l, m)) + Math.min(l, m)]!;
  const pairs = range(d).flatMap((l) => range(l + 1).map((m) => [l, m] as const));
  const diagonal = (f: (l: number) => number): Dense => matrix(d, d, (l, m) => (l === m ? f(l) : 0));
  if (mapping === 'tanh-full')
    return {
      L: cholesky(matrix(d, d, (l, m) => Math.tanh(packed(l, m)))),
      chain: (G) => pairs.map(([l, m]) => (l === m ? 1 : 2) * G[l]![m]! * sech2(packed(l, m))),
    };
  if (mapping === 'tanh-diag')
    return {
      L: diagonal((l) => Math.sqrt(Math.tanh(c[l]!))),
      chain: (G) => range(d).map((l) => G[l]![l]! * sech2(c[l]!)),
    };
  if (mapping === 'graves') {
    const most = Math.LN2 - floor;
    const z = floor > -Infinity ? most * Math.tanh(c[2]! / most) : c[2]!;
    const dz = floor > -Infinity ? sech2(c[2]! / most) : 1;
    const [sx, sy, rho] = [Math.exp(raised(c[0]!)), Math.exp(raised(c[1]!)), Math.tanh(z)];
    return {
      L: [
        [sx, 0],
        [rho * sy, sy / Math.cosh(z)],
      ],
      chain: (G) => [
        slope(c[0]!) * 2 * (G[0]![0]! * sx * sx + G[0]![1]! * rho * sx * sy),
        slope(c[1]!) * 2 * (G[1]![1]! * sy * sy + G[0]![1]! * rho * sx * sy),
        dz * 2 * G[0]![1]! * sx * sy * sech2(z),
      ],
    };
  }
  if (mapping.startsWith('diag'))
    return {
      L: diagonal((l) => sd(c[l]!)),
      chain: (G) => range(d).map((l) => 2 * G[l]![l]! * sd(c[l]!) * dsd(c[l]!)),
    };
  const L = matrix(d, d, (l, m) => (l < m ? 0 : l === m ? sd(packed(l, l)) : packed(l, m)));
  return {
    L,
    chain: (G) => {
      const GL = times(G, L);
      return pairs.map(([l, m]) => 2 * GL[l]![m]! * (l === m ? dsd(packed(l, l)) : 1));
    },
  };
}
function cholesky(S: Dense): Dense {
  const L = matrix(S.length, S.length, () => 0);
  for (const i of range(S.length))
    for (const j of range(i + 1)) {
      const s = S[i]![j]! - add(range(j).map((p) => L[i]![p]! * L[j]![p]!));
      L[i]![j] = i === j ? Math.sqrt(s) : s / L[j]![j]!;
    }
  return L;
}

interface Component extends Covariance {
  readonly weight: number;
  readonly mean: readonly number[];
}
type Sizes = Dims & { readonly values: number; readonly outputs: number };
const widths = ({ d, k, q, mapping }: Dims): { values: number; outputs: number } => {
  const values = mapping === 'graves' ? 3 : mapping === 'tanh-full' || mapping.startsWith('chol') ? tri(d) : d;
  return { values, outputs: k + k * d + k * values + q };
};
function componentsOf({ d, k, values, outputs, mapping }: Sizes, raw: F64, floor: number, i: number): Component[] {
  const row = [...raw.subarray(i * outputs, (i + 1) * outputs)];
  const weights = softmax(row.slice(0, k));
  return range(k).map((j) => ({
    weight: weights[j]!,
    mean: row.slice(k + j * d, k + (j + 1) * d),
    ...covarianceOf(mapping, d, row.slice(k + k * d + j * values, k + k * d + (j + 1) * values), floor),
  }));
}
const logitsOf = ({ k, d, values, q, outputs }: Sizes, raw: F64, i: number): number[] =>
  range(q).map((b) => raw[i * outputs + k + k * d + k * values + b]!);

/** All of row i: what every component adds, and what it does to the loss. */
function rowOf(sizes: Sizes, raw: F64, x: F64, floor: number, i: number) {
  const { d, q } = sizes;
  const point = [...x.subarray(i * (d + q), (i + 1) * (d + q))];
  const each = componentsOf(sizes, raw, floor, i).map((component) => {
    const y = component.mean.map((mean, l) => [point[l]! - mean]);
    const precision = inverse(times(component.L, transpose(component.L)));
    const a = times(precision, y).map(([value]) => value!);
    const logDet = 2 * add(component.L.map((row, l) => Math.log(row[l]!)));
    const square = add(a.map((value, l) => value * y[l]![0]!));
    const log = Math.log(component.weight) - (d * Math.log(2 * Math.PI) + logDet + square) / 2;
    return { ...component, precision, a, log };
  });
  const top = Math.max(...each.map(({ log }) => log));
  const shares = softmax(each.map(({ log }) => log));
  const logits = logitsOf(sizes, raw, i);
  const targets = point.slice(d);
  const loss = logits.map((r, b) => -targets[b]! * Math.log(sigmoid(r)) - (1 - targets[b]!) * Math.log(sigmoid(-r)));
  const logDensity = top + Math.log(add(each.map(({ log }) => Math.exp(log - top)))) - add(loss);
  return { each, shares, logits, targets, logDensity };
}

export const density: Oracle = {
  forward(dims, { raw, x, floor, logDensity, r }) {
    const sizes = { ...dims, ...widths(dims) };
    for (const i of range(dims.n)) {
      const row = rowOf(sizes, raw, x, floor[0]!, i);
      logDensity[i] = row.logDensity;
      r.set(row.shares, i * dims.k);
    }
  },
  lossGradient(dims, { raw, x, floor, logDensity, r, dRaw, dx }) {
    const sizes = { ...dims, ...widths(dims) };
    const { d, k, q } = dims;
    for (const i of range(dims.n)) {
      const { each, shares, logits, targets, logDensity: value } = rowOf(sizes, raw, x, floor[0]!, i);
      logDensity[i] = value;
      r.set(shares, i * k);
      const covariances = each.flatMap(({ precision, a, chain }, j) =>
        chain(matrix(d, d, (l, h) => (shares[j]! / 2) * (precision[l]![h]! - a[l]! * a[h]!))),
      );
      const means = each.flatMap(({ a }, j) => a.map((value) => -shares[j]! * value));
      const weights = each.map(({ weight }, j) => weight - shares[j]!);
      dRaw.set(
        [...weights, ...means, ...covariances, ...logits.map((r, b) => sigmoid(r) - targets[b]!)],
        i * sizes.outputs,
      );
      const gradient = range(d).map((l) => -add(range(k).map((j) => means[j * d + l]!)));
      dx.set([...gradient, ...logits.map((r) => -r)], i * (d + q));
    }
  },
  distribution(dims, { raw, floor, weights, L, probabilities }) {
    const sizes = { ...dims, ...widths(dims) };
    const { d, k, q } = dims;
    const full = sizes.values === tri(d);
    for (const i of range(dims.n)) {
      const each = componentsOf(sizes, raw, floor[0]!, i);
      weights.set(
        each.map(({ weight }) => weight),
        i * k,
      );
      const factors = each.flatMap(({ L }) =>
        full ? L.flatMap((row, l) => row.slice(0, l + 1)) : L.map((row, l) => row[l]!),
      );
      L.set(factors, i * k * sizes.values);
      probabilities.set(logitsOf(sizes, raw, i).map(sigmoid), i * q);
    }
  },
};

/** Raw rows: triangles that are well conditioned, and values that tanh takes to a covariance. */
const distributions: Draw = (raw, { sizes, words }) => {
  const { d, k, values, outputs } = sizes as Record<'d' | 'k' | 'values' | 'outputs', number>;
  const mapping = words['mapping']!;
  const full = mapping.startsWith('chol') || mapping === 'tanh-full';
  const diagonal = range(values).filter((c) => !full || range(d).some((l) => c === (l * (l + 3)) / 2));
  for (let at = k + k * d; at < raw.length; at += outputs)
    for (let c = 0; c < k * values; c++) {
      const value = raw[at + c]!;
      if (!diagonal.includes(c % values)) raw[at + c] = value / (2 * d);
      else if (mapping.startsWith('tanh')) raw[at + c] = 1.2 + value / 2;
    }
};
/** Every second case has a floor. */
const floors: Draw = (floor, { seed }) => {
  floor[0] = seed % 2 ? floor[0]! - 1 : -Infinity;
};
/** Columns from the d-th on lie between 0 and 1. */
const targets: Draw = (x, { sizes }) => {
  for (let i = 0; i < x.length; i++) if (i % sizes['observed']! >= sizes['d']!) x[i] = Math.abs(x[i]!);
};
const scored = { args: { raw: distributions, floor: floors, x: targets }, extremes: ['raw', 'x'] } as const;
export const draws: Draws<'density'> = {
  sizes: (sizes, { mapping }) => {
    if (mapping === 'graves') sizes['d'] = 2;
  },
  kernels: {
    forward: scored,
    lossGradient: scored,
    distribution: { args: { raw: distributions, floor: floors }, extremes: ['raw'] },
  },
};
