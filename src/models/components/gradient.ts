/** Gradients of a mixture's loss from its statistics: equations 18 to 20 of the notes, corrected (docs/math.md § mixture). */

import { inverseOf, tri } from '../triangles.ts';
import { type Components, gathered } from './components.ts';
import type { Totals } from './sums.ts';

/** dMeans [k,d] = -Σ⁻¹ first; dCovariances = ½ (count Σ⁻¹ - Σ⁻¹ second Σ⁻¹), in the shape of the covariances. */
export function gradients(
  components: Components,
  totals: Totals,
): { dMeans: Float64Array; dCovariances: Float64Array } {
  const { type, k, d } = components.parts;
  const dMeans = new Float64Array(k * d);
  const each = new Float64Array(k * d * (components.full ? d : 1));
  for (let c = 0; c < k; c++) (components.full ? dense : diagonal)(components, totals, c, dMeans, each);
  return { dMeans, dCovariances: gathered(type, each, k, d) };
}

type Into = (components: Components, totals: Totals, c: number, dMeans: Float64Array, each: Float64Array) => void;
const dense: Into = ({ parts: { d }, L }, { count, first, second }, c, dMeans, each) => {
  const inverse = inverseOf(L.subarray(c * tri(d)), d);
  const S = (i: number, j: number): number => second[c * tri(d) + tri(Math.max(i, j)) + Math.min(i, j)]!;
  const times = inverse.map((row) => row.map((_, j) => row.reduce((s, v, p) => s + v * S(p, j), 0)));
  for (let i = 0; i < d; i++) {
    dMeans[c * d + i] = -inverse[i]!.reduce((s, v, p) => s + v * first[c * d + p]!, 0);
    for (let j = 0; j <= i; j++) {
      const twice = times[i]!.reduce((s, v, p) => s - v * inverse[p]![j]!, count[c]! * inverse[i]![j]!);
      each[(c * d + i) * d + j] = each[(c * d + j) * d + i] = 0.5 * twice;
    }
  }
};
const diagonal: Into = ({ parts: { d }, covariances }, { count, first, second }, c, dMeans, each) => {
  for (let at = c * d; at < (c + 1) * d; at++) {
    const v = covariances[at]!;
    dMeans[at] = -first[at]! / v;
    each[at] = (0.5 * (count[c]! - second[at]! / v)) / v;
  }
};
