/**
 * Expectation maximisation for Gaussian components: restarts side by side, collapsed components, truthful convergence.
 * The same seed gives the same result for any number of threads. Equations: docs/math/mixture.md.
 */
import type { Rows } from '../../check.ts';
import { isSingle } from '../../check.ts';
import { Pace } from '../../training/pace.ts';
import type { FitReport } from '../../training/report.ts';
import { runAsync } from '../work.ts';
import { Components, type Parts } from './components.ts';
import { initialise } from './initialise.ts';
import { maximise } from './maximise.ts';
import { Observations } from './observations.ts';
import { isSingular, reseedCollapsed } from './reseed.ts';
import type { Settings } from './settings.ts';
import { type Batch, expect } from './sums.ts';

interface Fit {
  readonly parts: Parts;
  readonly report: FitReport;
}

/**
 * The best of the restarts. Throws EMPTY_INPUT, INVALID_ARGUMENT (components), NON_FINITE, NOT_POSITIVE_DEFINITE,
 * ABORTED.
 */
export async function fitComponents(x: Rows, settings: Settings): Promise<Fit> {
  const { where, backend, signal, restarts, init } = settings;
  const pace = new Pace(signal, where);
  const data = await Observations.survey(x, settings, pace);
  const resident = data.complete ? backend.hold(x.values) : undefined;
  try {
    const batches = await data.batches(resident ? { ...x, resident } : x, pace);
    const runs = Array.from({ length: init ? 1 : restarts }, async (_, restart) => {
      const start = init ?? (await initialise(data, settings, restart, pace));
      return runEm(start, batches, data, settings, restart, pace);
    });
    const ended = await Promise.allSettled(runs);
    const failed = ended.find((run) => run.status === 'rejected');
    const done = ended.flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
    if (failed && (done.length === 0 || !isSingular(failed.reason))) throw failed.reason;
    const best = done.reduce((a, b) => (b.report.logLikelihood > a.report.logLikelihood ? b : a));
    if (done.length < ended.length)
      best.report.warnings.push(`${ended.length - done.length} of ${ended.length} restarts failed`);
    return best;
  } finally {
    resident?.dispose();
  }
}

/** EM from one start. */
async function runEm(
  start: Parts,
  batches: readonly Batch[],
  data: Observations,
  settings: Settings,
  restart: number,
  pace: Pace,
): Promise<Fit> {
  const { where, backend, regularization, maxIterations, tolerance, signal, onProgress, shardSize, restarts } =
    settings;
  const noise = isSingle(data.x.values) ? 1e-6 : 1e-12; // relative rounding error of a log-likelihood
  const reseeded = new Set<number>();
  const warnings: string[] = [];
  let components = new Components(backend, start, where, 'covariances');
  try {
    let totals = await runAsync(expect(where, components, batches, shardSize), pace, signal);
    const history = [totals.logLikelihood];
    let fell = false;
    let converged = false;
    while (history.length <= maxIterations) {
      const iteration = history.length;
      const warn = (event: string): void => {
        warnings.push(`restart ${restart}, iteration ${iteration}: ${event}`);
      };
      const next = await reseedCollapsed(
        maximise(where, totals, regularization),
        totals.count,
        components,
        data,
        reseeded,
        (c, row) => warn(`component ${c} collapsed and was put at row ${row}`),
        settings,
      );
      components.dispose();
      components = next.components;
      const before = totals.logLikelihood;
      totals = await runAsync(expect(where, components, batches, shardSize), pace, signal);
      history.push(totals.logLikelihood);
      onProgress?.({ restart, restarts, iteration, maxIterations, logLikelihood: totals.logLikelihood });
      const gain = totals.logLikelihood - before;
      const scale = 1 + Math.abs(totals.logLikelihood);
      if (next.collapsed) continue;
      if (gain < -noise * scale && !fell) {
        fell = true;
        warn(`the log-likelihood fell by ${-gain}`);
      }
      if (tolerance > 0 && gain < tolerance * scale) {
        converged = !fell;
        break;
      }
    }
    const report: FitReport = {
      iterations: history.length - 1,
      converged,
      logLikelihood: totals.logLikelihood,
      history: Float64Array.from(history),
      warnings,
    };
    return { parts: components.parts, report };
  } finally {
    components.dispose();
  }
}
