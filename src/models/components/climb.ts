/** EM from one start: when it ends, and which of the states on its way is returned. Equations: docs/math/mixture.md. */
import { isSingle } from '../../check.ts';
import { counted } from '../../errors.ts';
import type { Pace } from '../../training/pace.ts';
import type { FitReport } from '../../training/report.ts';
import { tri } from '../triangles.ts';
import { runAsync } from '../work.ts';
import { Components, type Parts } from './components.ts';
import { expand } from './covariances.ts';
import { maximiseOthers } from './held.ts';
import type { Observations } from './observations.ts';
import { Collapses } from './reseed.ts';
import type { Settings } from './settings.ts';
import { type Batch, expect, type Totals } from './sums.ts';

export interface Fit {
  readonly parts: Parts;
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
  const collapses = new Collapses(data, settings, warn);
  let components = new Components(backend, start, where, 'covariances');
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
      const next = late ? without(kept!, collapses) : maximiseOthers(where, totals, floor, settings.held);
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
    const best = stuck ? new Components(backend, kept!.parts, where, 'covariances') : components;
    const logLikelihood = stuck ? kept!.logLikelihood : totals.logLikelihood;
    const penalty = await lean(best, totals, floor, conclude, pace);
    const report: FitReport = {
      iterations: history.length - 1,
      converged,
      logLikelihood,
      history: Float64Array.from(history),
      warnings,
    };
    return { parts: best.parts, report, score: logLikelihood - penalty };
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
  const [A, B] = [a, b].map((parts) => expand(type, parts.covariances, k, d)) as [Float64Array, Float64Array];
  const at = A.length === k * d ? (c: number, j: number) => c * d + j : (c: number, j: number) => (c * d + j) * d + j;
  let sum = 0;
  for (let c = 0; c < k; c++) {
    const w = b.weights[c]!;
    if (!(w > 0)) continue;
    sum += (w - a.weights[c]!) ** 2 / w;
    for (let j = 0; j < d; j++) {
      const v = B[at(c, j)]!;
      const shift = b.means[c * d + j]! - a.means[c * d + j]!;
      sum += w * ((shift * shift) / v + 0.5 * ((v - A[at(c, j)]!) / v) ** 2);
    }
  }
  return sum;
}

/**
 * ½ Σ_c n_c tr(S_c⁻¹ R), with R the diagonal that regularization adds: what the regularised M step takes off the
 * log-likelihood. Warns of each component that leans on R: one of its coordinates, given the others, varies less than
 * twice the part of R in it.
 */
async function lean(
  components: Components,
  { count }: Totals,
  floor: Float64Array,
  warn: (event: string) => void,
  pace: Pace,
): Promise<number> {
  const { k, d, type, weights } = components.parts;
  if (!floor.some((v) => v > 0)) return 0;
  const total = count.reduce((a, b) => a + b, 0);
  let penalty = 0;
  let shares = new Float64Array(d);
  for (let c = 0; c < k; c++) {
    if (!(weights[c]! > 0)) continue;
    const L = components.factorOf(c);
    if (c === 0 || type !== 'tied') shares = new Float64Array(d);
    for (let j = 0; j < d && (c === 0 || type !== 'tied'); j++) {
      if (j % 16 === 0) await pace.rest();
      shares[j] = floor[j]! * (components.full ? precision(L, d, j) : 1 / L[j]! ** 2);
    }
    const n = weights[c]! * total;
    penalty += 0.5 * n * shares.reduce((a, b) => a + b, 0);
    const column = shares.findIndex((share) => share > 0.5);
    if (column >= 0 && k > 1)
      warn(
        `component ${c}, of ${counted(Number(n.toPrecision(3)), 'row')}, hardly varies in column ${column}: it leans on regularization`,
      );
  }
  return penalty;
}
/** Entry (j, j) of (L Lᵀ)⁻¹: the square of column j of L⁻¹. */
function precision(L: Float64Array, d: number, j: number): number {
  const x = new Float64Array(d);
  let sum = 0;
  for (let i = j; i < d; i++) {
    let s = Number(i === j);
    for (let p = j; p < i; p++) s -= L[tri(i) + p]! * x[p]!;
    x[i] = s / L[tri(i) + i]!;
    sum += x[i]! * x[i]!;
  }
  return sum;
}
