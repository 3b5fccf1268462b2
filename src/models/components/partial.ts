/** The start of a fit from part of a mixture, completed from the data. Equations: docs/math/mixture.md. */
import { argumentError, counted } from '../../errors.ts';
import type { Pace } from '../../training/pace.ts';
import { packedIndex, tri } from '../triangles.ts';
import { runAsync } from '../work.ts';
import type { Parts } from './components.ts';
import { fromVariances, hasMatrices } from './covariances.ts';
import { maximise } from './maximise.ts';
import { type Observations, STRIDE } from './observations.ts';
import type { Settings } from './settings.ts';
import type { Start } from './start.ts';

/** The start over these data. Throws DIMENSION_MISMATCH (labels, responsibilities), EMPTY_INPUT. */
export async function completeStart(start: Start, data: Observations, settings: Settings, pace: Pace): Promise<Parts> {
  const { parts, given, k } = start;
  if (!parts) return fromShares(start, data, settings, pace);
  if (given.has('covariances')) return parts;
  const variances = await varianceWithin(parts.means, k, data, settings, pace);
  return { ...parts, covariances: fromVariances(parts.type, k, variances) };
}

/** The variances of the columns about the nearest of the means, in units of those of the data, which bound them. */
async function varianceWithin(
  means: Float64Array,
  k: number,
  data: Observations,
  { d, sampleWeights }: Settings,
  pace: Pace,
): Promise<Float64Array> {
  const sums = new Float64Array(d);
  let total = 0;
  for (const [i, row] of data.usable.entries()) {
    if (i % STRIDE === 0) await pace.rest();
    let [nearest, least] = [0, Number.POSITIVE_INFINITY];
    for (let c = 0; c < k; c++) {
      let s = 0;
      for (let j = 0; j < d; j++) s += (data.value(row, j) - means[c * d + j]!) ** 2 / data.variance[j]!;
      if (s < least) [nearest, least] = [c, s];
    }
    total += sampleWeights[row]!;
    for (let j = 0; j < d; j++) sums[j]! += sampleWeights[row]! * (data.value(row, j) - means[nearest * d + j]!) ** 2;
  }
  return sums.map((s, j) => Math.min(Math.max(s / total, 1e-3 * data.variance[j]!), data.variance[j]!));
}

/**
 * The M step from shares of the rows. A gap counts as if it were at the mean of its component, with the variance of what
 * was observed.
 */
async function fromShares(start: Start, data: Observations, settings: Settings, pace: Pace): Promise<Parts> {
  const { where, type, d, sampleWeights } = settings;
  const { k, labels, responsibilities } = start;
  const n = data.x.n;
  const rows = labels ? labels.length : responsibilities!.length / k;
  if (rows !== n)
    throw argumentError('DIMENSION_MISMATCH', where, labels ? 'init.labels' : 'init.responsibilities', {
      expected: `${counted(n, 'row')}, as many as x`,
      received: counted(rows, 'row'),
      reason: `has ${counted(rows, 'row')}, x ${n}`,
    });
  const share = (row: number, c: number): number =>
    sampleWeights[row]! * (labels ? Number(labels[row] === c) : responsibilities![row * k + c]!);
  const [count, seen] = [new Float64Array(k), new Float64Array(k * d)];
  const means = Float64Array.from({ length: k * d }, (_, at) => data.mean[at % d]!);
  const sum = new Float64Array(k * d);
  for (const [i, row] of data.usable.entries()) {
    if (i % STRIDE === 0) await pace.rest();
    for (let c = 0; c < k; c++) {
      const r = share(row, c);
      count[c]! += r;
      for (let j = 0; j < d && r > 0; j++)
        if (data.isObserved(row, j)) {
          seen[c * d + j]! += r;
          sum[c * d + j]! += r * (data.value(row, j) - data.mean[j]!);
        }
    }
  }
  for (let at = 0; at < k * d; at++) if (seen[at]! > 0) means[at]! += sum[at]! / seen[at]!;
  const full = hasMatrices(type);
  const width = full ? tri(d) : d;
  const second = new Float64Array(k * width);
  const y = new Float64Array(d);
  for (const [i, row] of data.usable.entries()) {
    if (i % STRIDE === 0) await pace.rest();
    for (let c = 0; c < k; c++) {
      const r = share(row, c);
      if (!(r > 0)) continue;
      for (let j = 0; j < d; j++) y[j] = data.isObserved(row, j) ? data.value(row, j) - means[c * d + j]! : 0;
      for (let j = 0; j < d; j++)
        for (let h = full ? 0 : j; h <= j; h++)
          second[c * width + (full ? packedIndex(j, h) : j)]! += r * y[j]! * y[h]!;
    }
  }
  for (let c = 0; c < k; c++)
    for (let j = 0; j < d; j++) {
      const at = c * width + (full ? packedIndex(j, j) : j);
      const observed = seen[c * d + j]!;
      second[at] = observed > 0 ? (second[at]! * count[c]!) / observed : count[c]! * data.variance[j]!;
    }
  const weights = new Float64Array(k).fill(1 / k);
  const parts = { type, k, d, weights, means, covariances: fromVariances(type, k, data.variance) };
  const totals = { parts, rows: data.usable.length, logLikelihood: 0, count, first: new Float64Array(k * d), second };
  return runAsync(maximise(where, totals, data.floor), pace, settings.signal);
}
