/** The shares of components in a density, in logarithms: none is too small. Equations: docs/math/mixture.md. */
import { type Gaps, nonFinite, type Rows } from '../../check.ts';
import type { Components } from './components.ts';

/**
 * log P(c | x) of each row and component [n,k], in f64; the logarithms of the weights for a row without observations.
 * A row whose distances all overflow has -Infinity in every component if `mark`, else it throws NON_FINITE (row).
 */
export function logShares(where: string, components: Components, x: Rows, missing: Gaps, mark = false): Float64Array {
  const { k, weights } = components.parts;
  const shares = components.componentLogDensity(where, x, missing);
  const logWeights = weights.map(Math.log);
  for (let at = 0; at < shares.length; at += k) {
    let most = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < k; c++) {
      shares[at + c]! += logWeights[c]!;
      if (shares[at + c]! > most) most = shares[at + c]!;
    }
    if (most === Number.NEGATIVE_INFINITY) {
      if (!mark) throw nonFinite(where, 'x', x.values, at / k, components.parts.d);
      continue;
    }
    let sum = 0;
    for (let c = 0; c < k; c++) sum += Math.exp(shares[at + c]! - most);
    const logSum = Math.log(sum);
    for (let c = 0; c < k; c++) shares[at + c] = shares[at + c]! - most - logSum;
  }
  return shares;
}
/** Throws NON_FINITE for the first row of densities [n,k] that are all -Infinity: it is too far from every component. */
export function refuseFar(where: string, densities: Float64Array, k: number, x: Rows, d: number): void {
  for (let row = 0; row < x.n; row++) {
    let c = 0;
    while (c < k && densities[row * k + c] === Number.NEGATIVE_INFINITY) c++;
    if (c === k) throw nonFinite(where, 'x', x.values, row, d);
  }
}
