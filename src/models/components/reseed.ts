/**
 * Collapsed components, which hold next to no data or have a singular covariance, start anew where the fit is worst.
 */
import type { Real } from '../../check.ts';
import { callError, SeqlikError } from '../../errors.ts';
import { Components, type Parts } from './components.ts';
import { fromVariances } from './covariances.ts';
import type { Observations } from './observations.ts';
import type { Settings } from './settings.ts';

const LEAST = 1e-3; // observations' worth of weight below which a component has collapsed

export const isSingular = (error: unknown): boolean =>
  error instanceof SeqlikError && error.code === 'NOT_POSITIVE_DEFINITE';

/**
 * The next components, from the parameters of an M step and the weights `count` they were made of; those that collapsed
 * start anew at the row that the present components explain worst. Each row is taken once: `taken`.
 */
export async function reseedCollapsed(
  parts: Parts,
  count: Float64Array,
  present: Components,
  data: Observations,
  taken: Set<number>,
  onReseed: (component: number, row: number) => void,
  settings: Settings,
): Promise<{ components: Components; collapsed: boolean }> {
  const { where, backend, sampleWeights, signal } = settings;
  const unit = sampleWeights.reduce((a, b) => a + b, 0) / sampleWeights.length;
  let density: Real | undefined;
  const reseed = async (parts: Parts, c: number): Promise<Parts> => {
    density ??= await present.logDensityAsync(where, data.x, settings.missing, signal);
    const row = findWorst(data.usable, density, taken);
    if (row < 0) throw collapsesEverywhere(where, c);
    taken.add(row);
    onReseed(c, row);
    return placeAt(row, c, parts, data);
  };
  let next = parts;
  let collapsed = false;
  for (let c = 0; c < parts.k; c++)
    if (parts.k > 1 && count[c]! < LEAST * unit) {
      next = await reseed(next, c);
      collapsed = true;
    }
  for (let tries = 0; ; tries++) {
    try {
      return { components: new Components(backend, next, where, 'covariances'), collapsed };
    } catch (error) {
      const c = error instanceof SeqlikError ? error.component : undefined;
      if (!isSingular(error) || c === undefined || tries >= parts.k) throw error;
      next = await reseed(next, c);
      collapsed = true;
    }
  }
}
const collapsesEverywhere = (where: string, component: number): SeqlikError =>
  callError(
    'NOT_POSITIVE_DEFINITE',
    where,
    `component ${component} collapses wherever it is put: fewer components, or more regularization`,
    { which: 'covariances', component, pivot: 0, value: 0 },
  );
/** The first row of the lowest density that was not taken yet; -1 if there is none. */
function findWorst(usable: Int32Array, density: Real, taken: ReadonlySet<number>): number {
  let worst = -1;
  for (let i = 0; i < usable.length; i++) {
    const row = usable[i]!;
    if ((worst < 0 || density[row]! < density[worst]!) && !taken.has(row)) worst = row;
  }
  return worst;
}
/** Component c at a row, with the variances of the data and the weight 1/k. */
function placeAt(row: number, c: number, parts: Parts, data: Observations): Parts {
  const { k, d, type } = parts;
  const means = parts.means.slice();
  for (let j = 0; j < d; j++) means[c * d + j] = data.value(row, j);
  const weights = parts.weights.map((w, i) => (i === c ? 1 / k : w * (1 - 1 / k)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const covariances = parts.covariances.slice();
  const wide = fromVariances(type, 1, data.variance);
  if (type !== 'tied') covariances.set(wide, c * wide.length);
  return { ...parts, weights: weights.map((w) => w / sum), means, covariances };
}
