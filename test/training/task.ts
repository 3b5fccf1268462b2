/** Small tasks whose optimum is known: Gaussian likelihoods with parameters that are means. */
import type { Task } from '../../src/training/loop.ts';
import { readTraining, type TrainingOptions, type TrainingSettings } from '../../src/training/settings.ts';
import { uniform } from '../support/cases.ts';

/** A linear regression with noise N(0, 1): examples are runs of rows (x, y), one term each; slope and intercept. */
export interface Regression extends Task {
  /** The optimum of all examples, in closed form. */
  readonly optimum: readonly [slope: number, intercept: number];
  readonly calls: { gradients: number; losses: number };
}
export function regression(count = 60, { seed = 5, noise = 0.3, start = [0, 0] } = {}): Regression {
  const draw = uniform(seed);
  const random = (): number => (draw() + 1) / 2;
  const lengths = Int32Array.from({ length: count }, () => Math.floor(6 * random()));
  lengths[0] = 3;
  const rows = [...lengths].map((n) =>
    Array.from({ length: n }, () => {
      const x = 4 * random() - 2;
      return [x, 1.5 * x - 0.7 + noise * (random() + random() - 1)] as const;
    }),
  );
  const all = rows.flat();
  const mean = (of: (row: readonly [number, number]) => number): number =>
    all.reduce((sum, row) => sum + of(row), 0) / all.length;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  const slope = mean(([x, y]) => (x - mx) * (y - my)) / mean(([x]) => (x - mx) ** 2);
  const calls = { gradients: 0, losses: 0 };
  const sumLoss = (parameters: Float64Array, examples: Int32Array, gradient?: Float64Array): number => {
    let loss = 0;
    for (const i of examples)
      for (const [x, y] of rows[i]!) {
        const r = parameters[0]! * x + parameters[1]! - y;
        loss += 0.5 * r * r + 0.5 * Math.log(2 * Math.PI);
        if (!gradient) continue;
        gradient[0]! += r * x;
        gradient[1]! += r;
      }
    return loss;
  };
  return {
    parameters: Float64Array.from(start),
    lengths,
    identity: { kind: 'regression' },
    optimum: [slope, my - slope * mx],
    calls,
    async lossGradient(parameters, examples, gradient) {
      calls.gradients++;
      return sumLoss(parameters, examples, gradient);
    },
    async loss(parameters, examples) {
      calls.losses++;
      return sumLoss(parameters, examples);
    },
  };
}
/** Checked settings; nothing is held out if not said otherwise. */
export const settings = (options: TrainingOptions = {}): TrainingSettings =>
  readTraining('Some.fit', { validation: 0, ...options });
