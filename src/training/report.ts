/** Reports of fits, by EM or by gradients. */
import { type Course, chosenOf, endOf, firstFall, type Limits } from './stopping.ts';

/** The course of a fit. */
export interface FitReport {
  /** M steps, or epochs, done. */
  iterations: number;
  /** Whether the last gain was below the tolerance; never true if the likelihood fell on the way (of EM with
   * regularization it may). */
  converged: boolean;
  /** Log-likelihood of the data under the fitted model. */
  logLikelihood: number;
  /** Log-likelihoods before the first iteration and after each: [iterations + 1]. */
  history: Float64Array;
  /** Sentences about what went wrong without ending the fit. */
  warnings: string[];
}

/** The course of a fit by gradients. */
export interface TrainingReport extends FitReport {
  /**
   * The epoch whose parameters were returned: the best by the held-out examples, else the last. `logLikelihood` is that
   * of the training examples after it.
   */
  bestIteration: number;
  /** Log-likelihoods per term of the held-out examples, before the first epoch and after each, if there are any. */
  validationHistory?: Float64Array;
}
export function reportOf(course: Course, limits: Limits): TrainingReport {
  const { history, validationHistory } = course;
  const iterations = history.length - 1;
  const bestIteration = chosenOf(course);
  const end = endOf(course, limits);
  const fell = firstFall(course);
  const warnings: string[] = [];
  const best = `the held-out log-likelihood was best after epoch ${bestIteration}`;
  if (end === 'patience')
    warnings.push(`stopped by patience after epoch ${iterations}: ${best}, whose parameters are returned`);
  else if (bestIteration < iterations) warnings.push(`${best} of ${iterations}, whose parameters are returned`);
  if (end === 'tolerance' && fell > 0) {
    const fall = `the training log-likelihood fell in epoch ${fell} by ${history[fell - 1]! - history[fell]!}`;
    warnings.push(`${fall}: the gain was below the tolerance, but the fit is not called converged`);
  } else if (history[bestIteration]! < history[0]!)
    warnings.push(`the training log-likelihood is ${history[0]! - history[bestIteration]!} lower than at the start`);
  return {
    iterations,
    converged: end === 'tolerance' && fell === 0,
    logLikelihood: history[bestIteration]!,
    history: Float64Array.from(history),
    bestIteration,
    ...(validationHistory && { validationHistory: Float64Array.from(validationHistory) }),
    warnings,
  };
}
