/**
 * Expectation maximisation: restarts one after the other, acceleration, truthful convergence. Equations: docs/math/lds.md.
 */
import { argumentError, callError, SeqlikError } from '../../errors.ts';
import { Pace } from '../../training/pace.ts';
import type { FitReport } from '../../training/report.ts';
import { runAsync } from '../work.ts';
import { eigenSymmetric } from './eigen.ts';
import { Engine } from './engine.ts';
import { constrain, maximise } from './maximise.ts';
import type { Moments } from './moments.ts';
import { type CovarianceName, covarianceNames, type ParameterName, parameterNames, type System } from './parameters.ts';
import { expect as expectMoments } from './passes.ts';
import type { Settings } from './settings.ts';
import { extrapolate } from './squarem.ts';
import { drawSystem, fillGaps, initialSystem } from './subspace.ts';

/** The course of a fit of a linear dynamical system. */
export interface SystemFitReport extends FitReport {
  /** E steps, with those that an acceleration tried in vain, over the restart that was kept. */
  evaluations: number;
  /** The last gain of the log-likelihood, divided by 1 + |its value|. */
  relativeGain: number;
  /** The largest change of a parameter in the last iteration, divided by the largest value of that parameter. */
  relativeChange: number;
  /** Canonical correlations of past and future, if initial values came from them: the large ones count the states. */
  singularValues?: Float64Array;
}
export interface Fit {
  readonly system: System;
  readonly report: SystemFitReport;
}

/** The best of the restarts. Throws EMPTY_INPUT, NON_FINITE, NOT_POSITIVE_DEFINITE, ABORTED. */
export async function fitSystem(settings: Settings): Promise<Fit> {
  const { where, data, signal, restarts, init, d, m, tied, seed } = settings;
  const pace = new Pace(signal, where);
  await pace.rest();
  if (data.values.every(Number.isNaN))
    throw argumentError('EMPTY_INPUT', where, 'y', {
      expected: 'at least one observed value',
      received: 'none',
      reason: 'holds no observed value',
    });
  const first = init ? { system: init } : initialSystem(data, d, m, tied, seed);
  const done: Fit[] = [];
  const failures: unknown[] = [];
  for (let restart = 0; restart < (init ? 1 : restarts); restart++) {
    const filled = restart > 0 ? fillGaps(data, d) : data.values;
    const start = restart === 0 ? first : { system: drawSystem(filled, d, m, tied, (seed + restart) % 2 ** 32) };
    try {
      const fit = await runEm(within(start.system, settings), settings, restart, pace);
      if ('singularValues' in start && start.singularValues) fit.report.singularValues = start.singularValues;
      done.push(fit);
    } catch (error) {
      const fatal = !(error instanceof SeqlikError) || !['NON_FINITE', 'NOT_POSITIVE_DEFINITE'].includes(error.code);
      if (fatal) throw error;
      failures.push(error);
    }
  }
  if (done.length === 0) throw failures[0];
  const best = done.reduce((a, b) => (b.report.logLikelihood > a.report.logLikelihood ? b : a));
  if (failures.length > 0) best.report.warnings.push(`${failures.length} of ${restarts} restarts failed`);
  return best;
}
/** The initial values with the structure and the floor of the fit: EM gains only among such values. */
function within(system: System, { structure, floor, update }: Settings): System {
  const { m, d, tied } = system;
  const shaped = { ...system };
  for (const name of covarianceNames) {
    if (tied && name === 'initialCovariance') continue;
    const size = name === 'observationCovariance' ? d : m;
    if (update.has(name)) shaped[name] = constrain(system[name], size, structure[name] ?? 'full', floor[name] ?? 0);
  }
  if (tied) shaped.initialCovariance = shaped.transitionCovariance;
  return shaped;
}

/** EM from one start. */
async function runEm(start: System, settings: Settings, restart: number, pace: Pace): Promise<Fit> {
  const { where, maxIterations, tolerance, onProgress, restarts, acceleration, signal, backend, shardSize } = settings;
  const warnings: string[] = [];
  let evaluations = 0;
  const expect = async (system: System): Promise<Moments> => {
    evaluations++;
    const engine = new Engine(backend, system);
    return runAsync(expectMoments(where, engine, settings.data, shardSize), pace, signal)
      .catch((error: unknown) => {
        throw ofIteration(where, error, history.length);
      })
      .finally(() => engine.dispose());
  };
  const history: number[] = [];
  let moments = await expect(start);
  history.push(moments.logLikelihood);
  let change = 0;
  let gain = 0;
  let fell = false;
  let converged = false;
  /** Moves on to the moments of other parameters; returns whether to stop. */
  const accept = (next: Moments, isEmStep: boolean): boolean => {
    gain = (next.logLikelihood - moments.logLikelihood) / (1 + Math.abs(next.logLikelihood));
    change = changeOf(moments.system, next.system);
    moments = next;
    history.push(next.logLikelihood);
    const iteration = history.length - 1;
    onProgress?.({ restart, restarts, iteration, maxIterations, logLikelihood: next.logLikelihood });
    if (gain < -1e-12 && !fell) {
      fell = true;
      warnings.push(`restart ${restart}, iteration ${iteration}: the log-likelihood fell by ${-gain} of its value`);
    }
    converged = isEmStep && tolerance > 0 && gain < tolerance && !fell;
    return (isEmStep && tolerance > 0 && gain < tolerance) || iteration >= maxIterations;
  };
  let most = 4; // the longest extrapolation that is tried
  if (maxIterations > 0)
    for (;;) {
      const first = moments.system;
      const second = await expect(maximise(where, moments, settings));
      if (accept(second, true)) break;
      if (acceleration === 'none') continue;
      const third = maximise(where, second, settings);
      const far = extrapolate(first, second.system, third, most);
      if (!far) continue;
      const system = within(far.system, settings);
      const next = await expect(system).catch((error: unknown) => {
        if (error instanceof SeqlikError && ['NON_FINITE', 'NOT_POSITIVE_DEFINITE'].includes(error.code))
          return undefined;
        throw error;
      });
      if (next && next.logLikelihood >= second.logLikelihood) {
        if (far.length === most) most *= 4;
        if (accept(next, false)) break;
      } else most = Math.max(4, far.length / 2);
    }
  warnings.push(...collapsed(moments.system, settings));
  const report = {
    iterations: history.length - 1,
    converged,
    logLikelihood: moments.logLikelihood,
    history: Float64Array.from(history),
    warnings,
    evaluations,
    relativeGain: gain,
    relativeChange: change,
  };
  return { system: moments.system, report };
}
/** The failure of a covariance that the fit made, not the caller. */
function ofIteration(where: string, error: unknown, iteration: number): unknown {
  if (!(error instanceof SeqlikError) || error.pivot === undefined) return error;
  const { which, pivot, value } = error;
  if (!Number.isFinite(value))
    return callError('NON_FINITE', where, `the ${which} of iteration ${iteration} overflows: divide y by its scale`, {
      argument: 'y',
    });
  const what = `the ${which} of iteration ${iteration} is not positive definite: pivot ${pivot} is ${value}`;
  return callError(
    'NOT_POSITIVE_DEFINITE',
    where,
    `${what}; a floor prevents it, which is needed where y hardly varies or shows fewer latent coordinates than asked for`,
    { which: which!, pivot, value: value! },
  );
}
/** The largest change of a value, relative to the largest value of its parameter. */
function changeOf(from: System, to: System): number {
  let most = 0;
  for (const name of parameterNames) {
    const size = to[name].reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    if (size > 0) for (const [i, v] of to[name].entries()) most = Math.max(most, Math.abs(v - from[name][i]!) / size);
  }
  return most;
}
/** Warnings about fitted covariances that have all but lost a direction. */
function collapsed(system: System, { update }: { readonly update: ReadonlySet<ParameterName> }): string[] {
  const size = (name: CovarianceName): number => (name === 'observationCovariance' ? system.d : system.m);
  return covarianceNames.flatMap((name) => {
    if (!update.has(name) || (system.tied && name === 'initialCovariance')) return [];
    const { values } = eigenSymmetric(system[name], size(name));
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return least < 1e-12 * most
      ? [`the ${name} is nearly singular: an eigenvalue is ${least}, another ${most}; a floor would keep it away`]
      : [];
  });
}
