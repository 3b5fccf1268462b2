/** The M step of expectation maximisation: parameters from statistics. Equations: docs/math/mixture.md. */
import { callError } from '../../errors.ts';
import { packedIndex, tri } from '../triangles.ts';
import type { Parts } from './components.ts';
import { hasMatrices } from './covariances.ts';
import type { Totals } from './sums.ts';

/**
 * The M step: weights count/Σ count, means mean + first/count, covariances second/count - δδᵀ with δ = first/count;
 * each diagonal raised by `regularization` times the variance of its column over all data. A component without weight
 * keeps its mean and covariance. Throws EMPTY_INPUT.
 */
export function maximise(where: string, { parts, count, first, second }: Totals, regularization: number): Parts {
  const { type, k, d } = parts;
  const total = count.reduce((a, b) => a + b, 0);
  if (!(total > 0)) throw callError('EMPTY_INPUT', where, 'the statistics hold no observation');
  const full = hasMatrices(type);
  const means = parts.means.slice();
  const delta = first.map((f, i) => (count[Math.floor(i / d)]! > 0 ? f / count[Math.floor(i / d)]! : 0));
  for (let i = 0; i < means.length; i++) means[i]! += delta[i]!;
  const floor = columnVariances(parts, { count, first, second }).map((v) => v * regularization);

  /** count · covariance of component c, entry (j, h). */
  const scatter = (c: number, j: number, h: number): number => {
    const s = full ? second[c * tri(d) + packedIndex(j, h)]! : second[c * d + j]!;
    return s - count[c]! * delta[c * d + j]! * delta[c * d + h]!;
  };
  /** The same for all components together, over the total weight. */
  const pooledScatter = (j: number, h: number): number => {
    let s = 0;
    for (let c = 0; c < k; c++) s += scatter(c, j, h);
    return s / total;
  };
  const kept = parts.covariances;
  const entry = {
    full: (i: number): number => {
      const [c, j, h] = [Math.floor(i / (d * d)), Math.floor(i / d) % d, i % d];
      return count[c]! > 0 ? scatter(c, j, h) / count[c]! + (j === h ? floor[j]! : 0) : kept[i]!;
    },
    tied: (i: number): number =>
      pooledScatter(Math.floor(i / d), i % d) + (Math.floor(i / d) === i % d ? floor[i % d]! : 0),
    diagonal: (i: number): number => {
      const [c, j] = [Math.floor(i / d), i % d];
      return count[c]! > 0 ? scatter(c, j, j) / count[c]! + floor[j]! : kept[i]!;
    },
    spherical: (c: number): number => {
      if (!(count[c]! > 0)) return kept[c]!;
      let s = 0;
      for (let j = 0; j < d; j++) s += scatter(c, j, j) / count[c]! + floor[j]!;
      return s / d;
    },
  }[type];
  const covariances = Float64Array.from({ length: kept.length }, (_, i) => entry(i));
  return { type, k, d, weights: count.map((n) => n / total), means, covariances };
}
/** The variance of each column over all components, about their common mean. */
function columnVariances(
  { k, d, means, type }: Parts,
  { count, first, second }: Pick<Totals, 'count' | 'first' | 'second'>,
): Float64Array {
  const full = hasMatrices(type);
  const total = count.reduce((a, b) => a + b, 0);
  return Float64Array.from({ length: d }, (_, j) => {
    let mean = 0;
    for (let c = 0; c < k; c++) mean += (count[c]! * means[c * d + j]! + first[c * d + j]!) / total;
    let sum = 0;
    for (let c = 0; c < k; c++) {
      const shift = means[c * d + j]! - mean;
      const square = full ? second[c * tri(d) + packedIndex(j, j)]! : second[c * d + j]!;
      sum += square + 2 * shift * first[c * d + j]! + shift * shift * count[c]!;
    }
    return Math.max(0, sum) / total;
  });
}
