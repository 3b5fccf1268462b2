/** The gradient beside finite differences, in directions that are random within each parameter. */
import { callError } from '../../../errors.ts';
import { Random } from '../../../random.ts';
import type { Slot } from '../../weights.ts';
import { runNow } from '../../work.ts';
import type { StackArchitecture } from '../stack/architecture.ts';
import type { Diagnosable, Task } from '../stack/diagnosable.ts';
import { backward, forward } from '../stack/pass.ts';

/** The largest difference between the gradient and finite differences of the loss. */
export interface GradientCheck {
  /** |gradient - difference| / max(|gradient|, |difference|) of a derivative along a random direction; at worst. */
  worstRelativeDifference: number;
  /** The parameter it was found in. */
  parameter: string;
}

const DIRECTIONS = 2; // in each parameter
/** Steps, relative to the size of a parameter. A step of relu must not cross a kink, so that it is smaller. */
const ASIDE = 1e-3;
const STEP = { smooth: 1e-4, kinked: 1e-8 };
/** Derivatives below this share of the loss are lost in its rounding, and count as equal. */
const ROUNDING = 1e-7;

/** The largest number of a parameter; 0.1 if all are 0. */
function sizeOf(flat: Float64Array, { at, rows, columns }: Slot): number {
  let size = 0;
  for (let i = at; i < at + rows * columns; i++) size = Math.max(size, Math.abs(flat[i]!));
  return size || 0.1;
}

export function checkGradient(
  where: string,
  { context }: Pick<Diagnosable, 'context'>,
  flat: Float64Array,
  architecture: StackArchitecture,
  task: Task,
): GradientCheck {
  const { slots, cell, sizes: layers } = architecture;
  const states = () => layers.map(({ carried }) => new Float64Array(task.batch.lengths.length * carried));
  /** Loss and, if asked for, gradient at other parameters. */
  const at = (parameters: Float64Array, gradient?: Float64Array): number => {
    const own = context(where, parameters);
    try {
      const { layers: traces, outputs } = runNow(forward(own, task.batch, states()));
      const { loss, dOutputs } = task.lossGradient(own, outputs);
      if (gradient) runNow(backward(own, task.batch, traces, dOutputs, architecture.splitByName(gradient)));
      return loss;
    } finally {
      own.weights.dispose();
    }
  };
  const random = new Random(0);
  const sizes = slots.map((slot) => sizeOf(flat, slot));
  // units of relu may sit on their kink exactly, as where inputs and biases are 0: they are checked beside it
  const point = flat.slice();
  if (cell === 'relu')
    for (const [n, { at: from, rows, columns }] of slots.entries())
      for (let i = from; i < from + rows * columns; i++) point[i]! += ASIDE * sizes[n]! * (2 * random.uniform() - 1);
  const gradient = new Float64Array(flat.length);
  const loss = at(point, gradient);
  if (!Number.isFinite(loss) || !gradient.every(Number.isFinite))
    throw callError('NON_FINITE', where, 'the loss or its gradient overflows', { argument: 'model' });

  const worst: GradientCheck = { worstRelativeDifference: 0, parameter: slots[0]!.name };
  for (const [n, slot] of slots.entries()) {
    const [from, end] = [slot.at, slot.at + slot.rows * slot.columns];
    const step = (cell === 'relu' ? STEP.kinked : STEP.smooth) * sizes[n]!;
    for (let times = 0; times < DIRECTIONS; times++) {
      const direction = new Float64Array(flat.length);
      let exact = 0;
      for (let i = from; i < end; i++) {
        direction[i] = random.uniform() < 0.5 ? -1 : 1;
        exact += direction[i]! * gradient[i]!;
      }
      const along = (h: number): number => at(point.map((v, i) => v + h * step * direction[i]!));
      // the central difference of fourth order
      const difference = (8 * (along(1) - along(-1)) - (along(2) - along(-2))) / (12 * step);
      const scale = Math.max(Math.abs(exact), Math.abs(difference));
      const noise = (ROUNDING * 1e-9 * (Math.abs(loss) + 1)) / step;
      const relative = Number.isNaN(scale)
        ? Number.POSITIVE_INFINITY
        : scale <= noise
          ? 0
          : Math.abs(exact - difference) / Math.max(scale, noise / ROUNDING);
      if (!(relative <= worst.worstRelativeDifference)) {
        worst.worstRelativeDifference = relative;
        worst.parameter = slot.name;
      }
    }
  }
  return worst;
}
