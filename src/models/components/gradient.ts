/**
 * Gradients of a mixture's loss by its parameters: equations 18 to 20 of the notes, corrected (docs/math/mixture.md); and
 * of a log-density by the point.
 */
import { alike, type Real, type Rows } from '../../check.ts';
import { callError } from '../../errors.ts';
import { invert, multiply, solve, tri, unpackSymmetric } from '../triangles.ts';
import { Components } from './components.ts';
import { sumShared } from './covariances.ts';
import { logShares } from './shares.ts';
import type { Totals } from './sums.ts';

/** dMeans [k,d] = -Σ⁻¹ first; dCovariances = ½ (count Σ⁻¹ - Σ⁻¹ second Σ⁻¹), in the shape of the covariances. */
export function gradients(
  components: Components,
  totals: Totals,
): { dMeans: Float64Array; dCovariances: Float64Array } {
  const { type, k, d } = components.parts;
  const dMeans = new Float64Array(k * d);
  const each = new Float64Array(k * d * (components.full ? d : 1));
  for (let c = 0; c < k; c++) (components.full ? byMatrix : byVariances)(components, totals, c, dMeans, each);
  return { dMeans, dCovariances: sumShared(type, each, k, d) };
}

/** Writes the gradients of component c. */
type Differentiate = (
  components: Components,
  totals: Totals,
  c: number,
  dMeans: Float64Array,
  each: Float64Array,
) => void;
const byMatrix: Differentiate = (components, { count, first, second }, c, dMeans, each) => {
  const { d } = components.parts;
  const inverse = invert(components.factorOf(c), d);
  const left = multiply(inverse, unpackSymmetric(second.subarray(c * tri(d), (c + 1) * tri(d)), d), d);
  for (let i = 0; i < d; i++) {
    let step = 0;
    for (let p = 0; p < d; p++) step += inverse[i * d + p]! * first[c * d + p]!;
    dMeans[c * d + i] = -step;
    for (let j = 0; j <= i; j++) {
      let twice = count[c]! * inverse[i * d + j]!;
      for (let p = 0; p < d; p++) twice -= left[i * d + p]! * inverse[p * d + j]!;
      each[(c * d + i) * d + j] = each[(c * d + j) * d + i] = 0.5 * twice;
    }
  }
};
const byVariances: Differentiate = ({ parts: { d }, covariances }, { count, first, second }, c, dMeans, each) => {
  for (let at = c * d; at < (c + 1) * d; at++) {
    const v = covariances[at]!;
    dMeans[at] = -first[at]! / v;
    each[at] = (0.5 * (count[c]! - second[at]! / v)) / v;
  }
};

const LIGHT = 1e-3; // shares below 2^-60 count as 0: that is 1e-15 of the derivative of a weight of 1e-3

/** dWeights [k] = -Σ N(x | c)/p(x), the weights taken as free. Throws NON_FINITE (row). */
export function weightGradient(where: string, components: Components, rows: Rows, { count }: Totals): Float64Array {
  const { weights } = components.parts;
  return weights.map((w, c) => (w > LIGHT ? -count[c]! / w : lightWeightGradient(where, components, rows, c)));
}
/**
 * The same for a component that weighs little: its share may count as 0 where the derivative does not. In the mixture
 * ½ p + ½ N(c) the shares of c and of the others are never both negligible.
 */
function lightWeightGradient(where: string, { backend, parts, which }: Components, rows: Rows, c: number): number {
  const weights = parts.weights.map((w, i) => (w + Number(i === c)) / 2);
  const raised = new Components(backend, { ...parts, weights }, where, which);
  try {
    const r = raised.responsibilities(where, rows, {});
    const w = parts.weights[c]!;
    let sum = 0;
    for (let row = 0; row < rows.n; row++) {
      const shares = Float64Array.from(r.subarray(row * parts.k, (row + 1) * parts.k));
      const own = shares[c]! / (1 + w);
      const others = shares.reduce((a, b, i) => (i === c ? a : a + b), 0);
      const ratio = own / (others + w * own);
      if (!Number.isFinite(ratio))
        throw callError('NON_FINITE', where, `the gradient of weights[${c}] overflows at row ${row} of x`, {
          argument: 'x',
          row,
        });
      sum += ratio;
    }
    return -sum;
  } finally {
    raised.dispose();
  }
}

/**
 * The gradient of log p(x) by x [n,d], -Σ r_c Σ_c⁻¹ (x - m_c), in the dtype of x. The shares are exact: one of 2^-60 may
 * still have the steepest slope. Throws NON_FINITE (row).
 */
export function gradientByPoint(where: string, components: Components, x: Rows): Real {
  const { k, d, means } = components.parts;
  const shares = k === 1 ? undefined : logShares(where, components, x, {});
  const dx = alike(x.values, x.values.length);
  const y = new Float64Array(d);
  const sum = new Float64Array(d);
  for (let row = 0; row < x.n; row++) {
    sum.fill(0);
    for (let c = 0; c < k; c++) {
      const share = shares ? Math.exp(shares[row * k + c]!) : 1;
      if (share === 0) continue;
      for (let j = 0; j < d; j++) y[j] = x.values[row * d + j]! - means[c * d + j]!;
      if (components.full) solve(components.factorOf(c), y);
      else for (let j = 0; j < d; j++) y[j]! /= components.covariances[c * d + j]!;
      for (let j = 0; j < d; j++) sum[j]! -= share * y[j]!;
    }
    for (let j = 0; j < d; j++) {
      dx[row * d + j] = sum[j]!;
      if (!Number.isFinite(dx[row * d + j]))
        throw callError('NON_FINITE', where, `the gradient by x overflows at row ${row}`, { argument: 'x', row });
    }
  }
  return dx;
}
