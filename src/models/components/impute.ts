/** Gaps filled with what the rest of their rows says of them. Equations: docs/math/mixture.md. */
import { dtypeOf, type Gaps, type Real, type Rows, room } from '../../check.ts';
import { callError } from '../../errors.ts';
import type { Random } from '../../random.ts';
import { solveLower, tri } from '../triangles.ts';
import type { Components } from './components.ts';
import { groupByGaps } from './patterns.ts';

/** Draws to make of each row, instead of its conditional mean. */
export interface Drawing {
  readonly draws: number;
  readonly random: Random;
}

/**
 * The rows with their gaps filled [n,d]: by conditional means, or [draws,n,d] by draws. A row that is too far from every
 * component keeps its gaps as NaN if `mark`, else it throws NON_FINITE (row).
 */
export function impute(
  where: string,
  components: Components,
  x: Rows,
  missing: Gaps,
  mark: boolean,
  drawing: Drawing | undefined,
): Real {
  const { d } = components.parts;
  const copies = drawing?.draws ?? 1;
  const filled = room(where, copies * x.values.length, dtypeOf(x.values));
  for (let s = 0; s < copies; s++) filled.set(x.values, s * x.values.length);
  for (const { dims, rows, rowIndices } of groupByGaps(where, x, missing, d)) {
    if (!rowIndices || dims.length === d) continue;
    const pattern = new ConditionalPattern(components, dims);
    try {
      for (const [i, row] of rowIndices.entries()) {
        const scorable = pattern.condition(rows.values, i * dims.length);
        let fits = scorable;
        for (let s = 0; s < copies; s++) {
          const own = filled.subarray((s * x.n + row) * d, (s * x.n + row + 1) * d);
          if (scorable && !pattern.fill(own, drawing?.random)) fits = false;
        }
        if (fits) continue;
        if (!mark)
          throw callError(
            'NON_FINITE',
            where,
            `row ${row} of x is so far away that what it says of its gaps overflows`,
            {
              argument: 'x',
              row,
            },
          );
        for (let s = 0; s < copies; s++) for (const j of pattern.rest) filled[(s * x.n + row) * d + j] = Number.NaN;
      }
    } finally {
      pattern.dispose();
    }
  }
  return filled;
}

/**
 * The conditional distribution of the gaps of one pattern. With the observed coordinates first, the factor of a
 * covariance holds it all: z = L_oo⁻¹ (x_o - m_o), the mean is m_u + L_uo z, and L_uu is the factor of the conditional
 * covariance.
 */
class ConditionalPattern {
  /** The coordinates that were not observed, u. */
  readonly rest: readonly number[];
  private readonly part: Components;
  private readonly z: Float64Array;
  private readonly noise: Float64Array;
  private readonly shares: Float64Array;
  private readonly constants: Float64Array;
  constructor(components: Components, dims: readonly number[]) {
    const { k, d, weights } = components.parts;
    this.rest = [...Array(d).keys()].filter((j) => !dims.includes(j));
    this.part = components.marginal([...dims, ...this.rest]);
    const o = dims.length;
    this.z = new Float64Array(k * o);
    this.noise = new Float64Array(d - o);
    this.shares = new Float64Array(k);
    // log w - log |L_oo|; what all components have in common is left out
    this.constants = Float64Array.from({ length: k }, (_, c) => {
      const L = this.part.factorOf(c);
      let sum = Math.log(weights[c]!);
      for (let j = 0; j < o; j++) sum -= Math.log(L[this.part.full ? tri(j) + j : j]!);
      return sum;
    });
  }
  /** Takes the observed values of a row; false if no component has a density there. */
  condition(values: Real, at: number): boolean {
    const { part, z, shares } = this;
    const { k, d, means } = part.parts;
    const o = d - this.rest.length;
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < k; c++) {
      const own = z.subarray(c * o, (c + 1) * o);
      for (let j = 0; j < o; j++) own[j] = values[at + j]! - means[c * d + j]!;
      const L = part.factorOf(c);
      if (part.full) solveLower(L, own);
      else for (let j = 0; j < o; j++) own[j]! /= L[j]!;
      let square = 0;
      for (let j = 0; j < o; j++) square += own[j]! * own[j]!;
      const log = k === 1 ? 0 : this.constants[c]! - square / 2; // of one component the density is not needed
      shares[c] = Number.isNaN(log) ? Number.NEGATIVE_INFINITY : log;
      if (shares[c]! > most) most = shares[c]!;
    }
    if (most === Number.NEGATIVE_INFINITY) return false;
    let sum = 0;
    for (let c = 0; c < k; c++) sum += shares[c] = Math.exp(shares[c]! - most);
    for (let c = 0; c < k; c++) shares[c]! /= sum;
    return true;
  }
  /** Writes the means of the gaps, or a draw, into a row; false if one of them overflows. */
  fill(row: Real, random: Random | undefined): boolean {
    const { part, rest, shares, z, noise } = this;
    const { k, d, means } = part.parts;
    const o = d - rest.length;
    const chosen = random ? (k > 1 ? random.categorical(shares) : 0) : -1;
    if (random) for (let a = 0; a < noise.length; a++) noise[a] = random.normal();
    let fits = true;
    for (const [a, j] of rest.entries()) {
      let value = 0;
      for (let c = 0; c < k; c++) {
        const share = random ? Number(c === chosen) : shares[c]!;
        if (share === 0) continue;
        const L = part.factorOf(c);
        let own = means[c * d + o + a]!;
        if (part.full) for (let p = 0; p < o; p++) own += L[tri(o + a) + p]! * z[c * o + p]!;
        if (random && part.full) for (let p = 0; p <= a; p++) own += L[tri(o + a) + o + p]! * noise[p]!;
        else if (random) own += L[o + a]! * noise[a]!;
        value += share * own;
      }
      row[j] = value;
      if (!Number.isFinite(row[j])) fits = false;
    }
    return fits;
  }
  dispose(): void {
    this.part.dispose();
  }
}
