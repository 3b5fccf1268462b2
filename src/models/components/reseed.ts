/**
 * Collapsed components, which hold next to no data or have a singular covariance, start anew where the fit is worst:
 * twice at most, then they are given up.
 */
import type { Real } from '../../check.ts';
import { callError, SeqlikError } from '../../errors.ts';
import type { Pace } from '../../training/pace.ts';
import { runAsync } from '../work.ts';
import { Components, type Parts } from './components.ts';
import { fromVariances } from './covariances.ts';
import type { Observations } from './observations.ts';
import type { Settings } from './settings.ts';

const LEAST = 1e-3; // observations' worth of weight below which a component has collapsed
const MOST = 2; // times that a component starts anew

export const isSingular = (error: unknown): boolean =>
  error instanceof SeqlikError && error.code === 'NOT_POSITIVE_DEFINITE';

/** The components of a run that started anew or were given up. */
export class Collapses {
  private readonly taken = new Set<number>();
  private readonly times = new Map<number, number>();
  private readonly dead = new Set<number>();
  private readonly unit: number;
  constructor(
    private readonly data: Observations,
    private readonly settings: Settings,
    private readonly pace: Pace,
    private readonly warn: (event: string) => void,
  ) {
    const { sampleWeights } = settings;
    this.unit = sampleWeights.reduce((a, b) => a + b, 0) / sampleWeights.length;
  }

  /**
   * The next components, from the parameters of an M step and the weights `count` they were made of, and those of them
   * that started anew. A component starts anew at the row that the present components explain worst; each row is taken
   * once. Throws NOT_POSITIVE_DEFINITE.
   */
  async revive(
    parts: Parts,
    count: Float64Array,
    present: Components,
  ): Promise<{ components: Components; revived: readonly number[]; singular: boolean }> {
    const { where, signal, held } = this.settings;
    // where parameters are held no component can go anywhere
    if (held.size > 0) return { components: await this.make(parts), revived: [], singular: false };
    const revived: number[] = [];
    let singular = false;
    let density: Real | undefined;
    const replace = async (given: Parts, c: number): Promise<Parts> => {
      const times = this.times.get(c) ?? 0;
      if (times < MOST) density ??= await present.logDensityAsync(where, this.data.x, this.settings.missing, signal);
      const row = density && times < MOST ? this.findWorst(density) : -1;
      if (row < 0) return this.giveUp(given, c, present.parts);
      this.times.set(c, times + 1);
      this.taken.add(row);
      revived.push(c);
      this.warn(`component ${c} collapsed and was put at row ${row}`);
      return placeAt(row, c, given, this.data);
    };
    let next = parts;
    for (let c = 0; c < parts.k; c++)
      if (parts.k > 1 && !this.dead.has(c) && count[c]! < LEAST * this.unit) next = await replace(next, c);
    for (let tries = 0; ; tries++) {
      try {
        return { components: await this.make(next), revived, singular };
      } catch (error) {
        const c = error instanceof SeqlikError ? error.component : undefined;
        if (!isSingular(error) || c === undefined || tries >= parts.k) throw error;
        next = await replace(next, c);
        singular = true;
      }
    }
  }
  private make(parts: Parts): Promise<Components> {
    const { where, backend, signal } = this.settings;
    return runAsync(Components.forOnePass(backend, parts, where, 'covariances'), this.pace, signal);
  }
  /** The parameters without component c, which keeps its place with weight 0, and a covariance that can be factored. */
  giveUp(parts: Parts, c: number, before: Parts): Parts {
    const { where } = this.settings;
    this.dead.add(c);
    const weights = parts.weights.map((w, i) => (i === c ? 0 : w));
    const sum = weights.reduce((a, b) => a + b, 0);
    if (!(sum > 0)) throw collapsesEverywhere(where, c);
    this.warn(`component ${c} collapsed wherever it was put, and has weight 0 now`);
    const covariances = parts.covariances.slice();
    if (parts.type !== 'tied') {
      const size = covariances.length / parts.k;
      covariances.set(before.covariances.subarray(c * size, (c + 1) * size), c * size);
    }
    return { ...parts, weights: weights.map((w) => w / sum), covariances };
  }
  /** The first row of the lowest density that was not taken yet; -1 if there is none. */
  private findWorst(density: Real): number {
    let worst = -1;
    for (const row of this.data.usable)
      if ((worst < 0 || density[row]! < density[worst]!) && !this.taken.has(row)) worst = row;
    return worst;
  }
}
const collapsesEverywhere = (where: string, component: number): SeqlikError =>
  callError(
    'NOT_POSITIVE_DEFINITE',
    where,
    `component ${component} collapses wherever it is put: fewer components, or more regularization`,
    { which: 'covariances', component, pivot: 0, value: 0 },
  );
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
