/** Calibration of classifiers: one temperature for all logits (Guo, Pleiss, Sun and Weinberger 2017). */
import type { Real } from '../../check.ts';

/** How well probabilities agree with targets, before and after a calibration. */
export interface CalibrationReport {
  /** The divisor of the logits: > 1 for a classifier that was too sure. */
  temperature: number;
  /** Mean cross-entropy per target, at the temperature before and at the new one, which is never worse. */
  negativeLogLikelihood: { before: number; after: number };
  /** Expected calibration error: of 15 bins of equal width, the mean distance between the mean probability and the mean
   * target of a bin, weighted by what is in it. */
  expectedCalibrationError: { before: number; after: number };
  /** Sentences about what went wrong without ending the calibration. */
  warnings: string[];
}

/** Inverse temperatures, as powers of 2. */
const RANGE = 20;
const BINS = 15;

/**
 * The temperature that minimises the cross-entropy of the targets y under sigmoid(logits / temperature). In β = 1/T the
 * cross-entropy is convex, with the derivative Σ a (sigmoid(β a) - y): its zero is found by bisection of log β.
 */
export function calibrateLogits(logits: Real, y: Real, before: number): CalibrationReport {
  const warnings: string[] = [];
  const slope = (exponent: number): number => slopeAt(logits, y, 2 ** exponent);
  let temperature = before;
  let [low, high] = [-RANGE, RANGE];
  if (!(slope(low) < 0)) {
    warnings.push('the probabilities would be best at an infinite temperature: the logits say nothing of the targets');
    high = low;
  } else if (!(slope(high) > 0)) {
    warnings.push('the probabilities would be best at a temperature of 0: the logits have the sign of every target');
    low = high;
  }
  for (let i = 0; i < 60 && low < high; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  const found = 2 ** -((low + high) / 2);
  const negativeLogLikelihood = { before: entropyAt(logits, y, 1 / before), after: entropyAt(logits, y, 1 / found) };
  if (negativeLogLikelihood.after < negativeLogLikelihood.before) temperature = found;
  else negativeLogLikelihood.after = negativeLogLikelihood.before;
  const expectedCalibrationError = {
    before: calibrationError(logits, y, before),
    after: calibrationError(logits, y, temperature),
  };
  return { temperature, negativeLogLikelihood, expectedCalibrationError, warnings };
}

function sigmoid(a: number): number {
  const e = Math.exp(-Math.abs(a));
  return (a >= 0 ? 1 : e) / (1 + e);
}
/** The derivative of the cross-entropy by β. */
function slopeAt(logits: Real, y: Real, beta: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += logits[i]! * (sigmoid(beta * logits[i]!) - y[i]!);
  return sum;
}
/** The mean cross-entropy of a target. */
function entropyAt(logits: Real, y: Real, beta: number): number {
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const a = beta * logits[i]!;
    sum += Math.max(a, 0) - a * y[i]! + Math.log1p(Math.exp(-Math.abs(a)));
  }
  return sum / logits.length;
}
function calibrationError(logits: Real, y: Real, temperature: number): number {
  const gaps = new Float64Array(BINS);
  for (let i = 0; i < logits.length; i++) {
    const p = sigmoid(logits[i]! / temperature);
    gaps[Math.min(BINS - 1, Math.floor(BINS * p))]! += p - y[i]!;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / logits.length;
}
