/** Conditional distributions: some coordinates given the values of the others. Equations: docs/math/mixture.md. */
import type { Real } from '../../check.ts';
import { solve } from '../triangles.ts';
import type { Components, Parts } from './components.ts';
import { expand } from './covariances.ts';

/**
 * The coordinates u not in `dims`, given that those in `dims`, o, have `values` v: means m_u + G (v - m_o) and
 * covariances Σ_uu - G Σ_ou with G = Σ_uo Σ_oo⁻¹; weights are the responsibilities for the values. Throws NON_FINITE.
 */
export function conditionOn(where: string, components: Components, dims: readonly number[], values: Real): Parts {
  const { type, k, d, means } = components.parts;
  const rest = [...Array(d).keys()].filter((j) => !dims.includes(j));
  const unseen = components.marginalParts(rest);
  if (dims.length === 0) return unseen;
  const seen = components.marginal(dims);
  try {
    const weights = Float64Array.from(seen.responsibilities(where, { values, n: 1 }, {}));
    if (!components.full) return { ...unseen, weights };
    const u = rest.length;
    const newMeans = unseen.means.slice();
    const covariances = expand(type, unseen.covariances, k, u).slice();
    for (let c = 0; c < k; c++) {
      const sigma = (a: number, b: number): number => components.covariances[(c * d + a) * d + b]!;
      const L = seen.factorOf(c);
      for (const [i, j] of rest.entries()) {
        const cross = Float64Array.from(dims, (o) => sigma(j, o));
        const g = solve(L, cross); // row i of G
        for (const [a, o] of dims.entries()) newMeans[c * u + i]! += g[a]! * (values[a]! - means[c * d + o]!);
        for (let h = 0; h <= i; h++) {
          let s = covariances[(c * u + i) * u + h]!;
          for (const [a, o] of dims.entries()) s -= g[a]! * sigma(o, rest[h]!);
          covariances[(c * u + i) * u + h] = covariances[(c * u + h) * u + i] = s;
        }
      }
    }
    return {
      ...unseen,
      weights,
      means: newMeans,
      covariances: type === 'tied' ? covariances.slice(0, u * u) : covariances,
    };
  } finally {
    seen.dispose();
  }
}
