/** Where EM starts: k-means++ (Arthur and Vassilvitskii 2007) or random rows. Equations: docs/math/mixture.md. */
import { Random } from '../../random.ts';
import type { Pace } from '../../training/pace.ts';
import type { Parts } from './components.ts';
import { fromVariances } from './covariances.ts';
import { type Observations, STRIDE } from './observations.ts';
import type { Settings } from './settings.ts';

/**
 * Centres that are rows of the data, far apart (k-means++) or anywhere (random), all as wide as their neighbourhoods.
 */
export async function initialise(data: Observations, settings: Settings, restart: number, pace: Pace): Promise<Parts> {
  const { k, d, type, initialization, seed, sampleWeights } = settings;
  const { usable, variance } = data;
  const random = new Random(seed, restart);
  const distance = new Float64Array(usable.length).fill(Number.POSITIVE_INFINITY); // squared, in standard deviations
  const chosen = new Uint8Array(usable.length);
  const means = new Float64Array(k * d);
  const within = new Float64Array(d); // squared deviations from the nearest centre
  const nearest = new Int32Array(usable.length);
  const weight = new Float64Array(usable.length);
  for (let c = 0; c < k; c++) {
    const near = initialization === 'k-means++' && c > 0;
    for (let i = 0; i < usable.length; i++)
      weight[i] = chosen[i] ? 0 : sampleWeights[usable[i]!]! * (near ? distance[i]! : 1);
    // where all rows coincide, any row that was not chosen
    if (!weight.some((w) => w > 0)) for (let i = 0; i < usable.length; i++) weight[i] = Number(!chosen[i]);
    const pick = random.categorical(weight);
    chosen[pick] = 1;
    for (let j = 0; j < d; j++) means[c * d + j] = data.value(usable[pick]!, j);
    for (let i = 0; i < usable.length; i++) {
      if (i % STRIDE === 0) await pace.rest();
      let s = 0;
      for (let j = 0; j < d; j++) s += (data.value(usable[i]!, j) - means[c * d + j]!) ** 2 / variance[j]!;
      if (s < distance[i]!) {
        distance[i] = s;
        nearest[i] = c;
      }
    }
  }
  let total = 0;
  for (let i = 0; i < usable.length; i++) {
    if (i % STRIDE === 0) await pace.rest();
    const row = usable[i]!;
    total += sampleWeights[row]!;
    for (let j = 0; j < d; j++)
      within[j]! += sampleWeights[row]! * (data.value(row, j) - means[nearest[i]! * d + j]!) ** 2;
  }
  const variances = within.map((s, j) => Math.max(s / total, 1e-3 * variance[j]!));
  return {
    type,
    k,
    d,
    weights: new Float64Array(k).fill(1 / k),
    means,
    covariances: fromVariances(type, k, variances),
  };
}
