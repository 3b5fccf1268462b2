/** Gaussian mixtures by their formulas, one row at a time. */
import { TILE } from '../../src/grammar.ts';
import type { Oracle } from '../oracle.ts';
import { type Draw, type Draws, positive, shrunk, triangles } from './draws.ts';
import { add, type F64, inverse, lower, range, tri } from './matrices.ts';

// ---- q[c] of one row, in units of log 2 ----
const byColumns = (d: number, i: number, j: number): number => j * d - (j * (j - 1)) / 2 + i - j;
type Model = { x: F64; b: F64; mean: F64; low: F64 };
function full(d: number, k: number, i: number, { x, b, mean, low, W }: Model & { W: F64 }): number[] {
  return range(k).map(
    (c) =>
      b[c]! -
      add(
        range(d).map(
          (r) =>
            add(
              range(r + 1).map(
                (j) => W[c * tri(d) + byColumns(d, r, j)]! * (x[i * d + j]! - mean[c * d + j]! - low[c * d + j]!),
              ),
            ) ** 2,
        ),
      ),
  );
}
function diagonal(d: number, k: number, i: number, { x, b, mean, low, u }: Model & { u: F64 }): number[] {
  return range(k).map(
    (c) =>
      b[c]! - add(range(d).map((j) => (u[c * d + j]! * (x[i * d + j]! - mean[c * d + j]! - low[c * d + j]!)) ** 2)),
  );
}
const logSum = (q: readonly number[]): number => {
  const top = Math.max(...q);
  return Math.LN2 * top + Math.log(add(q.map((v) => 2 ** (v - top))));
};
const shares = (q: readonly number[]): number[] => q.map((v) => Math.exp(Math.LN2 * v - logSum(q)));

type Sums = { x: F64; w: F64; mean: F64; low: F64; count: F64; first: F64; second: F64; logLikelihood: F64 };
/** Adds row i; `second` has d rows (or one: the diagonal) of the width that `first` has. */
function addRow(d: number, k: number, i: number, q: readonly number[], dense: boolean, sums: Sums): void {
  const { x, w, mean, low, count, first, second, logLikelihood } = sums;
  const width = first.length / k;
  logLikelihood[0]! += w[i]! * logSum(q);
  for (const [c, share] of shares(q).entries()) {
    const r = w[i]! * share;
    const y = range(d).map((j) => x[i * d + j]! - mean[c * d + j]! - low[c * d + j]!);
    count[c]! += r;
    for (const j of range(d)) first[c * width + j]! += r * y[j]!;
    for (const j of range(d))
      if (!dense) second[c * width + j]! += r * y[j]! ** 2;
      else
        for (const h of range(Math.min(d, 8 * Math.ceil((j + 1) / 8))))
          second[(c * d + j) * width + h]! += r * y[j]! * y[h]!;
  }
}
const constant = (weight: number, d: number, logDet: number): number =>
  Math.log2(weight) - (d * Math.log2(2 * Math.PI) + logDet / Math.LN2) / 2;
const scale = Math.sqrt(Math.LOG2E / 2);

/** Coordinate j of row i of tiles. */
const inTile = (d: number, z: F64, i: number, j: number): number =>
  z[(Math.floor(i / TILE) * d + j) * TILE + (i % TILE)]!;
const distance = (d: number, z: F64, i: number, centre: F64, c: number): number =>
  add(range(d).map((j) => (inTile(d, z, i, j) - centre[c * d + j]!) ** 2));

export const mixture: Oracle['mixture'] = {
  prepare({ k, d }, { weights, L, logDet, b, W }) {
    for (const c of range(k)) {
      b[c] = constant(weights[c]!, d, logDet[c]!);
      const inverted = inverse(lower(d, L, c * tri(d)));
      for (const i of range(d))
        for (const j of range(i + 1)) W[c * tri(d) + byColumns(d, i, j)] = scale * inverted[i]![j]!;
    }
  },
  preparePart({ d, from, part }, { weight, L, logDet, b, W }) {
    b[0] = constant(weight[0]!, d, logDet[0]!);
    const inverted = inverse(lower(d, L, 0));
    for (const j of range(part).map((column) => from + column))
      for (const i of range(d - j).map((row) => j + row)) W[byColumns(d, i, j)] = scale * inverted[i]![j]!;
  },
  prepareDiagonal({ k, d }, { weights, L, logDet, b, u }) {
    for (const c of range(k)) b[c] = constant(weights[c]!, d, logDet[c]!);
    for (const [i, sd] of L.entries()) u[i] = scale / sd;
  },
  logDensity({ n, d, k }, { out, ...model }) {
    for (const i of range(n)) out[i] = logSum(full(d, k, i, model));
  },
  logDensityDiagonal({ n, d, k }, { out, ...model }) {
    for (const i of range(n)) out[i] = logSum(diagonal(d, k, i, model));
  },
  responsibilities({ n, d, k }, { r, ...model }) {
    for (const i of range(n)) r.set(shares(full(d, k, i, model)), i * k);
  },
  responsibilitiesDiagonal({ n, d, k }, { r, ...model }) {
    for (const i of range(n)) r.set(shares(diagonal(d, k, i, model)), i * k);
  },
  expect({ n, d, k }, args) {
    for (const i of range(n)) addRow(d, k, i, full(d, k, i, args), true, args);
  },
  expectDiagonal({ n, d, k }, args) {
    for (const i of range(n)) addRow(d, k, i, diagonal(d, k, i, args), false, args);
  },
  approach({ tiles, d, k }, { z, w, centre, before, after, potential }) {
    for (const i of range(tiles * TILE))
      for (const c of range(k)) {
        const s = Math.min(before[i]!, distance(d, z, i, centre, c));
        after[(Math.floor(i / TILE) * k + c) * TILE + (i % TILE)] = s;
        potential[c * 8 + (i % 8)]! += w[i]! * s;
      }
  },
  assign({ tiles, d, k }, { z, w, centre, count, first }) {
    for (const i of range(tiles * TILE)) {
      const squares = range(k).map((c) => distance(d, z, i, centre, c));
      const c = squares.indexOf(Math.min(...squares));
      count[c * 8 + (i % 8)]! += w[i]!;
      for (const j of range(d)) first[(c * d + j) * 8 + (i % 8)]! += w[i]! * inTile(d, z, i, j);
    }
  },
};

/** Half of the coordinates lie far from 0, where the digits of f32 are further apart than the data: 2^-4. */
const offset: Draw = (values, { sizes }) => {
  for (let i = 0; i < values.length; i++) if ((i % sizes['d']!) % 2 === 0) values[i]! += 2 ** 20;
};
/** The rest that rounding a mean leaves: less than half of such a distance; nothing in f64. */
const rests: Draw = (values) => {
  for (let i = 0; i < values.length; i++) values[i] = values instanceof Float32Array ? values[i]! / 32 : 0;
};
const located = { x: offset, mean: offset, low: rests };
const scored = { args: { ...located, W: shrunk('d') }, extremes: ['x'] } as const;
const diagonals = { args: located, extremes: ['x'] } as const;
export const draws: Draws<'mixture'> = {
  sizes(sizes) {
    sizes['tiles'] = Math.ceil(sizes['n']! / 40);
    sizes['from'] = Math.floor(sizes['d']! / 3);
    sizes['part'] = sizes['d']! - sizes['from'];
  },
  kernels: {
    prepare: { args: { weights: positive, L: triangles } },
    preparePart: { args: { weight: positive, L: triangles } },
    prepareDiagonal: { args: { weights: positive, L: positive } },
    logDensity: scored,
    logDensityDiagonal: diagonals,
    responsibilities: scored,
    responsibilitiesDiagonal: diagonals,
    expect: { args: { ...scored.args, w: positive }, extremes: ['x'] },
    expectDiagonal: { args: { ...diagonals.args, w: positive }, extremes: ['x'] },
    approach: { args: { w: positive, before: positive } },
    assign: { args: { w: positive } },
  },
};
