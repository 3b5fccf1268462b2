/** The M step of expectation maximisation: parameters from statistics. Equations: docs/math/mixture.md. */
import { callError } from '../../errors.ts';
import { packedIndex, tri } from '../triangles.ts';
import { type Pass, rest } from '../work.ts';
import type { Parts } from './components.ts';
import { hasMatrices } from './covariances.ts';
import type { Totals } from './sums.ts';

/**
 * The M step: weights count/Σ count, means mean + first/count, covariances second/count - δδᵀ with δ = first/count;
 * each diagonal raised by `floor` [d]. A component without weight keeps its mean and covariance. Throws EMPTY_INPUT.
 */
export function* maximise(where: string, { parts, count, first, second }: Totals, floor: Float64Array): Pass<Parts> {
  const { type, k, d } = parts;
  const total = count.reduce((a, b) => a + b, 0);
  if (!(total > 0)) throw callError('EMPTY_INPUT', where, 'the statistics hold no observation');
  const means = parts.means.slice();
  const covariances = type === 'tied' ? new Float64Array(d * d) : parts.covariances.slice();
  const full = hasMatrices(type);
  const delta = new Float64Array(d);
  for (let c = 0; c < k; c++) {
    const n = count[c]!;
    if (!(n > 0)) continue;
    for (let j = 0; j < d; j++) {
      delta[j] = first[c * d + j]! / n;
      means[c * d + j]! += delta[j]!;
    }
    let sum = 0;
    for (let j = 0; j < d; j++) {
      if (j % 64 === 63) yield rest; // in a large matrix each row is work
      for (let h = full ? 0 : j; h <= j; h++) {
        const at = full ? c * tri(d) + packedIndex(j, h) : c * d + j;
        const scatter = second[at]! - n * delta[j]! * delta[h]!;
        if (type === 'tied') covariances[j * d + h]! += scatter;
        else {
          const value = scatter / n + (j === h ? floor[j]! : 0);
          if (type === 'full') covariances[(c * d + j) * d + h] = covariances[(c * d + h) * d + j] = value;
          else if (type === 'diagonal') covariances[c * d + j] = value;
          else sum += value;
        }
      }
    }
    if (type === 'spherical') covariances[c] = sum / d;
  }
  if (type === 'tied')
    for (let j = 0; j < d; j++)
      for (let h = 0; h <= j; h++)
        covariances[j * d + h] = covariances[h * d + j] = covariances[j * d + h]! / total + (j === h ? floor[j]! : 0);
  return { type, k, d, weights: count.map((n) => n / total), means, covariances };
}
/** The variance of each column over all components, about their common mean. */
export function columnVariances({ parts: { k, d, means, type }, count, first, second }: Totals): Float64Array {
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
