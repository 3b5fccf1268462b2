/**
 * Kernels of Gaussian mixtures. q[c] = b[c] - ‖W[c] (x - mean[c])‖² is the log2 density of a component, whose mean is
 * given as its rounded value and the rest `low` (0 in f64, where no kernel reads it): x - mean is (x - mean) - low. A
 * term 60 or more below the largest of its row counts as 0. Fails at the first row where every component overflows.
 * Rows of k-means, which finds their starts, lie in tiles of 128, one line per coordinate; the last is filled up with
 * rows of weight 0. Sums over rows are 8 each, of every eighth row. Equations: docs/math/mixture.md.
 */
import { type NounSpec, TILE } from '../grammar.ts';

const exact = { f64: 1e-12, f32: 2e-4 };
const summed = { f64: 1e-11, f32: 1e-3 };
const full = { x: 'in n d', b: 'in k', mean: 'in k d', low: 'in k d', W: 'in k tri(d)' } as const;
const diagonal = { x: 'in n d', b: 'in k', mean: 'in k d', low: 'in k d', u: 'in k d' } as const;
// a tile: its rows transposed, less a mean, the q of its components, one line of results
const tile = { tile: `tmp ${TILE} d`, centred: `tmp ${TILE} d`, q: `tmp ${TILE} k`, line: `tmp ${TILE}` } as const;
const tileDiagonal = { tile: `tmp ${TILE} d`, q: `tmp ${TILE} k`, line: `tmp ${TILE}` } as const;
// rows of a tile in f64; a mean; r, y and r y of the rows that weigh anything in one component
const statistics = {
  wide: `tmp f64 ${TILE} pad(d)`,
  centre: 'tmp f64 pad(d)',
  r: `tmp f64 ${TILE}`,
  y: `tmp f64 ${TILE} pad(d)`,
  ry: `tmp f64 ${TILE} pad(d)`,
} as const;
const tiles = { z: `in f64 tiles d ${TILE}`, w: `in f64 tiles ${TILE}`, centre: 'in f64 k d' } as const;

export const mixture = {
  prepare: {
    formula: 'W[c] = √(½ log₂e) L[c]⁻¹ packed by columns;  b[c] = log₂ weights[c] - ½ (d log₂ 2π + log₂|Σ[c]|)',
    dims: ['k', 'd'],
    args: {
      weights: 'in f64 k',
      L: 'in f64 k tri(d)',
      logDet: 'in f64 k',
      lines: 'tmp f64 32 d',
      b: 'out k',
      W: 'out k tri(d)',
    },
    rows: 'k',
    cost: 'k d d d',
    rtol: exact,
  },
  preparePart: {
    formula: 'the same for one component, columns from .. from + part - 1 of W: the same bits',
    dims: ['d', 'from', 'part'],
    args: {
      weight: 'in f64 1',
      L: 'in f64 tri(d)',
      logDet: 'in f64 1',
      lines: 'tmp f64 32 d',
      b: 'out 1',
      W: 'inout tri(d)',
    },
    cost: 'part d d',
    rtol: exact,
  },
  prepareDiagonal: {
    formula: 'u[c,j] = √(½ log₂e) / L[c,j], L[c] the standard deviations;  b[c] as in prepare',
    dims: ['k', 'd'],
    args: { weights: 'in f64 k', L: 'in f64 k d', logDet: 'in f64 k', b: 'out k', u: 'out k d' },
    rows: 'k',
    cost: 'k d 16 + k 20',
    rtol: exact,
  },
  logDensity: {
    formula: 'out[i] = log Σ_c 2^q[c],  q[c] = b[c] - ‖W[c] (x[i] - mean[c])‖²',
    dims: ['n', 'd', 'k'],
    args: { ...full, ...tile, out: 'out n' },
    rows: 'n',
    cost: 'n k tri(d) + n k 20',
    info: ['n'],
    rtol: exact,
  },
  logDensityDiagonal: {
    formula: 'out[i] = log Σ_c 2^q[c],  q[c] = b[c] - Σ_j (u[c,j] (x[i,j] - mean[c,j]))²',
    dims: ['n', 'd', 'k'],
    args: { ...diagonal, ...tileDiagonal, out: 'out n' },
    rows: 'n',
    cost: 'n k d + n k 20',
    info: ['n'],
    rtol: exact,
  },
  responsibilities: {
    formula: 'r[i,c] = 2^q[c] / Σ_c 2^q[c]',
    dims: ['n', 'd', 'k'],
    args: { ...full, ...tile, r: 'out n k' },
    rows: 'n',
    cost: 'n k tri(d) + n k 20',
    info: ['n'],
    rtol: summed,
  },
  responsibilitiesDiagonal: {
    formula: 'r[i,c] = 2^q[c] / Σ_c 2^q[c]',
    dims: ['n', 'd', 'k'],
    args: { ...diagonal, ...tileDiagonal, r: 'out n k' },
    rows: 'n',
    cost: 'n k d + n k 20',
    info: ['n'],
    rtol: summed,
  },
  expect: {
    formula:
      'y = x[i] - mean[c], s = w[i] r[i,c];  count[c] += s, first[c] += s y, second[c] += s y yᵀ, ' +
      'logLikelihood += w[i] log p(x[i]);' +
      ' row j of second has only the columns of whole 64-byte lines up to the diagonal',
    dims: ['n', 'd', 'k'],
    args: {
      ...full,
      w: 'in f64 n',
      ...tile,
      ...statistics,
      count: 'sum k',
      first: 'sum k pad(d)',
      second: 'sum k d pad(d)',
      logLikelihood: 'sum 1',
    },
    rows: 'n',
    cost: 'n k d d + n k 20',
    info: ['n'],
    rtol: summed,
  },
  expectDiagonal: {
    formula: 'the same with variances: second[c] += s y²',
    dims: ['n', 'd', 'k'],
    args: {
      ...diagonal,
      w: 'in f64 n',
      ...tileDiagonal,
      ...statistics,
      count: 'sum k',
      first: 'sum k pad(d)',
      second: 'sum k pad(d)',
      logLikelihood: 'sum 1',
    },
    rows: 'n',
    cost: 'n k d 2 + n k 20',
    info: ['n'],
    rtol: summed,
  },
  approach: {
    formula: 'after[c] = min(before, ‖z - centre[c]‖²) of each row z;  potential[c] += w after[c]',
    dims: ['tiles', 'd', 'k'],
    args: { ...tiles, before: `in f64 tiles ${TILE}`, after: `out f64 tiles k ${TILE}`, potential: 'sum k 8' },
    rows: 'tiles',
    cost: `${TILE} tiles k d + ${TILE} tiles k 2`,
    rtol: summed,
  },
  assign: {
    formula: 'count[c] += w, first[c] += w z of each row z, whose nearest centre (the first of several) is c',
    dims: ['tiles', 'd', 'k'],
    args: { ...tiles, nearest: `tmp f64 ${TILE}`, share: `tmp f64 ${TILE}`, count: 'sum k 8', first: 'sum k d 8' },
    rows: 'tiles',
    cost: `2 ${TILE} tiles k d + ${TILE} tiles k 4`,
    rtol: summed,
  },
} as const satisfies NounSpec;
