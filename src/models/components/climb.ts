/** EM from one start: when it ends, and which of the states on its way is returned. Equations: docs/math/mixture.md. */
import { isSingle } from '../../check.ts';
import { counted } from '../../errors.ts';
import type { Pace } from '../../training/pace.ts';
import type { FitReport } from '../../training/report.ts';
import type { Factors } from '../triangles.ts';
import { type Pass, runAsync } from '../work.ts';
import { Components, type Parts } from './components.ts';
import { maximiseOthers } from './held.ts';
import type { Observations } from './observations.ts';
import { Collapses } from './reseed.ts';
import type { Settings } from './settings.ts';
import { type Batch, expect, type Totals } from './sums.ts';

export interface Fit {
  readonly parts: Parts;
  readonly factors: Factors;
  readonly report: FitReport;
  /** The penalised log-likelihood, by which fits are compared. */
  readonly score: number;
}
/** The data and settings of a climb, whatever its start. */
export interface Slope {
  readonly data: Observations;
  readonly batches: readonly Batch[];
  readonly settings: Settings;
  readonly pace: Pace;
}
/** Iterations in which a component that started anew has to make the fit better than it was. */
const PATIENCE = 20;

/** A state that components left by starting anew. */
interface Kept {
  readonly parts: Parts;
  readonly logLikelihood: number;
  readonly iteration: number;
  readonly revived: readonly number[];
}

export async function climb(start: Parts, { data, batches, settings, pace }: Slope, restart: number): Promise<Fit> {
  const { where, backend, regularization, maxIterations, tolerance, signal, onProgress, shardSize, restarts } =
    settings;
  const noise = isSingle(data.x.values) ? 1e-6 : 1e-12; // relative rounding error of a log-likelihood
  const { floor } = data;
  const warnings: string[] = [];
  const history: number[] = [];
  const warn = (event: string): void => {
    warnings.push(`restart ${restart}, iteration ${history.length}: ${event}`);
  };
  const conclude = (sentence: string): void => {
    warnings.push(`restart ${restart}: ${sentence}`);
  };
  const collapses = new Collapses(data, settings, pace, warn);
  const make = (parts: Parts): Promise<Components> =>
    runAsync(Components.forOnePass(backend, parts, where, 'covariances'), pace, signal);
  let components = await make(start);
  try {
    let totals = await runAsync(expect(where, components, batches, shardSize), pace, signal);
    history.push(totals.logLikelihood);
    const exact = start.k === 1 && data.complete; // one M step is the end
    let kept: Kept | undefined;
    let fell = false;
    let converged = false;
    while (history.length <= maxIterations) {
      await pace.rest(); // small calls run at once
      const before = totals.logLikelihood;
      const late = kept && history.length - kept.iteration >= PATIENCE && before <= kept.logLikelihood;
      const next = late
        ? without(kept!, collapses)
        : await runAsync(maximiseOthers(where, totals, floor, settings.held), pace, signal);
      const revival = await collapses.revive(next, totals.count, components);
      if (revival.revived.length > 0 && !revival.singular && !(kept && kept.logLikelihood >= before))
        kept = { ...revival, parts: components.parts, logLikelihood: before, iteration: history.length };
      else if (late || (kept && before > kept.logLikelihood)) kept = undefined;
      const from = components.parts;
      components.dispose();
      components = revival.components;
      totals = await runAsync(expect(where, components, batches, shardSize), pace, signal);
      history.push(totals.logLikelihood);
      const iteration = history.length - 1;
      onProgress?.({ restart, restarts, iteration, maxIterations, logLikelihood: totals.logLikelihood });
      if (late || revival.revived.length > 0) continue;
      const weight = totals.count.reduce((a, b) => a + b, 0);
      const gain = (totals.logLikelihood - before) / weight;
      const least = Math.max(tolerance, noise * (1 + Math.abs(totals.logLikelihood) / weight));
      if (gain < -least && regularization === 0 && !fell) {
        fell = true;
        warn(`the log-likelihood fell by ${-gain * weight}`);
      }
      if (tolerance === 0) continue;
      const still = gain < tolerance && gain >= -least && distance(from, components.parts) <= 2 * least;
      if (!still && !exact) continue;
      if (kept && totals.logLikelihood <= kept.logLikelihood) {
        kept = { ...kept, iteration: history.length - 1 - PATIENCE }; // it has stopped short of what it left
        continue;
      }
      converged = !fell;
      break;
    }
    const stuck = kept !== undefined && kept.logLikelihood > totals.logLikelihood;
    if (stuck) conclude(`the better state before iteration ${kept!.iteration} is returned`);
    else if (!converged && !fell && tolerance > 0 && maxIterations > 0)
      conclude(`not converged after ${counted(maxIterations, 'iteration')}`);
    const best = stuck ? await make(kept!.parts) : components;
    const logLikelihood = stuck ? kept!.logLikelihood : totals.logLikelihood;
    const penalty = await runAsync(lean(best, totals, floor, conclude), pace, signal);
    const report: FitReport = {
      iterations: history.length - 1,
      converged,
      logLikelihood,
      history: Float64Array.from(history),
      warnings,
    };
    const { parts, L, logDet } = best;
    return { parts, factors: { L, logDet }, report, score: logLikelihood - penalty };
  } finally {
    components.dispose();
  }
}
/** The state that was left, without the components that did not pay by starting anew. */
const without = ({ parts, revived }: Kept, collapses: Collapses): Parts =>
  revived.reduce((rest, c) => collapses.giveUp(rest, c, parts), parts);

/**
 * How far an M step moved, in nats per observation: twice the divergence of the new from the old parameters to second
 * order, by weights, means and variances.
 */
function distance(a: Parts, b: Parts): number {
  const { k, d, type } = a;
  // where the variance of a coordinate stands
  const [each, step] = { full: [d * d, d + 1], tied: [0, d + 1], diagonal: [d, 1], spherical: [1, 0] }[type] as [
    number,
    number,
  ];
  let sum = 0;
  for (let c = 0; c < k; c++) {
    const w = b.weights[c]!;
    if (!(w > 0)) continue;
    sum += (w - a.weights[c]!) ** 2 / w;
    for (let j = 0; j < d; j++) {
      const v = b.covariances[c * each + j * step]!;
      const shift = b.means[c * d + j]! - a.means[c * d + j]!;
      sum += w * ((shift * shift) / v + 0.5 * ((v - a.covariances[c * each + j * step]!) / v) ** 2);
    }
  }
  return sum;
}

/**
 * ½ Σ_c n_c tr(S_c⁻¹ R), with R the diagonal that regularization adds: what the regularised M step takes off the
 * log-likelihood. Warns of each component that leans on R: one of its coordinates, given the others, varies less than
 * twice the part of R in it.
 */
function* lean(
  components: Components,
  { count }: Totals,
  floor: Float64Array,
  warn: (event: string) => void,
): Pass<number> {
  const { k, d, weights } = components.parts;
  if (!floor.some((v) => v > 0)) return 0;
  const total = count.reduce((a, b) => a + b, 0);
  const inverses = yield* components.inverseDiagonals();
  let penalty = 0;
  for (let c = 0; c < k; c++) {
    if (!(weights[c]! > 0)) continue;
    const n = weights[c]! * total;
    let column = -1;
    for (let j = 0; j < d; j++) {
      const share = floor[j]! * inverses[c * d + j]!;
      penalty += 0.5 * n * share;
      if (share > 0.5 && column < 0) column = j;
    }
    if (column >= 0 && k > 1)
      warn(
        `component ${c}, of ${counted(Number(n.toPrecision(3)), 'row')}, hardly varies in column ${column}: it leans on regularization`,
      );
  }
  return penalty;
}
