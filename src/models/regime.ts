/** The regime of a recurrence: whether what it carries through time dies, lasts or grows. */
export type Regime = 'vanishing' | 'stable' | 'exploding';

/** The growth per step, as a logarithm, up to which a recurrence counts as stable. */
export const RATE_THRESHOLD = 0.01;
/** The regime at a growth rate, the mean logarithm of the gain per step; -Infinity vanishes. */
export const regimeOf = (rate: number, threshold = RATE_THRESHOLD): Regime =>
  rate > threshold ? 'exploding' : rate < -threshold ? 'vanishing' : 'stable';
