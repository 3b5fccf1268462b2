/** The learning rate of an epoch: a function of the recorded course, so that a resumed run has the same bits. */

export const schedules = ['constant', 'cosine', 'plateau'] as const;
export type Schedule = (typeof schedules)[number];

const FLOOR = 0.01; // fraction of the learning rate below which no schedule goes
const FACTOR = 0.5; // applied at each plateau

export interface Rates {
  readonly schedule: Schedule;
  readonly learningRate: number;
  readonly maxIterations: number;
  readonly patience: number;
}
/**
 * The rate of the next epoch; `values` are the log-likelihoods to maximise (held-out, else training), before the first
 * epoch and after each.
 *
 *     constant   the learning rate
 *     cosine     from the learning rate down to a hundredth of it, reached after the last epoch:
 *                floor + (rate - floor) (1 + cos(π t / maxIterations)) / 2 (Loshchilov and Hutter 2017, eq. 5)
 *     plateau    halved after each patience/2 epochs in a row without a new best value, down to a hundredth
 */
export function rateOf({ schedule, learningRate, maxIterations, patience }: Rates, values: readonly number[]): number {
  if (schedule === 'cosine') {
    const done = (values.length - 1) / maxIterations;
    return learningRate * (FLOOR + ((1 - FLOOR) * (1 + Math.cos(Math.PI * done))) / 2);
  }
  if (schedule === 'constant') return learningRate;
  const wait = Math.max(1, Math.ceil(patience / 2));
  let rate = learningRate;
  let best = Number.NEGATIVE_INFINITY;
  let stale = 0;
  for (const value of values) {
    stale = value > best ? 0 : stale + 1;
    best = Math.max(best, value);
    if (stale > 0 && stale % wait === 0) rate *= FACTOR;
  }
  return Math.max(rate, FLOOR * learningRate);
}
