/** When a training run ends, and which epoch was its best: functions of the recorded course. */

/** Log-likelihoods before the first epoch and after each, by which a training run is judged. */
export interface Course {
  /** That of the training examples. */
  readonly history: readonly number[];
  /** That of the held-out examples, per term; undefined if nothing is held out. */
  readonly validationHistory: readonly number[] | undefined;
}
export interface Limits {
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly patience: number;
}

/** The index of the first greatest value. */
export function bestOf(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
/** The epoch whose parameters are returned: the best by the held-out values, else the last. */
export const chosenOf = ({ history, validationHistory }: Course): number =>
  validationHistory ? bestOf(validationHistory) : history.length - 1;

const NOISE = 1e-12; // relative rounding error of a log-likelihood
const scaleOf = (value: number): number => 1 + Math.abs(value);
/** The first epoch after which the training log-likelihood was lower than before; 0: it never fell. */
export const firstFall = ({ history }: Course): number =>
  Math.max(
    0,
    history.findIndex((value, i) => i > 0 && value - history[i - 1]! < -NOISE * scaleOf(value)),
  );

/**
 * The reason why no further epoch follows, undefined if one does: 'patience' (that many epochs in a row were no better
 * than the best on the held-out examples), 'tolerance' (the training log-likelihood moved by less than tolerance (1 + |it|)),
 * 'maxIterations'.
 */
export function endOf(course: Course, limits: Limits): 'patience' | 'tolerance' | 'maxIterations' | undefined {
  const { history, validationHistory } = course;
  const done = history.length - 1;
  if (done > 0 && validationHistory) {
    const stale = done - bestOf(validationHistory);
    if (stale > 0 && stale >= limits.patience) return 'patience';
  }
  if (done > 0 && limits.tolerance > 0) {
    const now = history[done]!;
    if (Math.abs(now - history[done - 1]!) < limits.tolerance * scaleOf(now)) return 'tolerance';
  }
  return done >= limits.maxIterations ? 'maxIterations' : undefined;
}
