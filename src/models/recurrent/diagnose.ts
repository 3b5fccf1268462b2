/**
 * Diagnosis of networks that do not learn: whether the gradient is right, how far back in time it reaches, and which
 * units take no part. It knows the stack and no model: a model has a method [DIAGNOSABLE]. Explained in
 * docs/gradients.md.
 */
import type { Real } from '../../check.ts';
import { describe, type Sequences } from '../../check.ts';
import { argumentError, callError } from '../../errors.ts';
import { isA, Model } from '../model.ts';
import { type Regime, regimeOf } from '../regime.ts';
import { runNow } from '../work.ts';
import { adviceOf } from './diagnose/advice.ts';
import { checkGradient, type GradientCheck } from './diagnose/check.ts';
import { type GradientNorms, gradientNorms, growthRates, reachOf } from './diagnose/norms.ts';
import { idleUnits } from './diagnose/units.ts';
import { DIAGNOSABLE, type Diagnosable } from './stack/diagnosable.ts';
import { forward } from './stack/pass.ts';

export type { GradientCheck } from './diagnose/check.ts';
export type { GradientNorms } from './diagnose/norms.ts';

/** Results of diagnose. */
export interface Diagnosis {
  /** The gradient of lossGradient beside finite differences. */
  gradientCheck: GradientCheck;
  /** The median over sequences of the logarithm of the gradient's growth per step, going back in time. */
  growthRate: number;
  /** 'vanishing' below -0.01, 'exploding' above 0.01, else 'stable'. */
  regime: Regime;
  /** The gradient of the last loss of a sequence by the states before it. */
  gradientNorms: GradientNorms;
  /** Steps after which the median norm has fallen to a thousandth; absent if it does not, as far as sequences go. */
  reach?: number;
  /** Per layer: units that are 0 (less than 1e-6) at every step. */
  deadUnits: number[][];
  /** Per layer: units beyond ±0.99 in 95 % of the steps, whose slope is nearly 0; relu has none. */
  saturatedUnits: number[][];
  /** One sentence. */
  advice: string;
}

const STEPS = 16_384; // of the passes
const CHECKED = 500; // of the finite differences, which take some 50 passes,
const HEAD = 10; // over heads of the sequences: over many steps a chaotic network has differences, but no gradient

/**
 * Finds out why a recurrent model does not learn (docs/gradients.md): compares its gradient with finite differences,
 * measures how the gradient grows or falls with the distance in time, and lists the units that are dead or saturated.
 * Takes a MixtureDensityNetwork or a RecurrentClassifier, whose loss is that of the opposite of what it decides, and
 * looks at the first sequences, up to 16,384 steps, in f64.
 * Throws INVALID_ARGUMENT (model), EMPTY_INPUT (no sequence has two steps), and what the model's lossGradient throws.
 *
 * @example
 * const network = new MixtureDensityNetwork({ dimension: 1, hidden: [4], components: 1 });
 * diagnose(network, [0, 1, 0, 1, 0, 1]).regime; // 'vanishing'
 */
export function diagnose(model: Model, seqs: Sequences): Diagnosis {
  const where = 'diagnose';
  const { architecture, flat, ...stack } = diagnosableOf(where, model);
  const task = stack.read(where, seqs, STEPS);
  if (!task.batch.lengths.some((length) => length > 1))
    throw argumentError('EMPTY_INPUT', where, 'seqs', {
      expected: 'a sequence of two steps or more',
      received: 'shorter ones',
      reason: 'has no sequence of two steps',
    });
  const gradientCheck = checkGradient(where, stack, flat, architecture, stack.read(where, seqs, CHECKED, HEAD));
  const context = stack.context(where, flat);
  try {
    const states = zeros(architecture.sizes, task.batch.lengths.length);
    const { layers, outputs } = runNow(forward(context, task.batch, states));
    const { dOutputs } = task.lossGradient(context, outputs);
    if (!dOutputs.every(Number.isFinite))
      throw callError('NON_FINITE', where, 'the gradient by the outputs overflows', { argument: 'model' });
    const measured = gradientNorms(context, task.batch, dOutputs);
    const growthRate = median(growthRates(measured));
    const { deadUnits, saturatedUnits } = idleUnits(architecture, layers);
    const reach = reachOf(measured.norms);
    const regime = regimeOf(growthRate);
    return {
      gradientCheck,
      growthRate,
      regime,
      gradientNorms: measured.norms,
      ...(reach !== undefined && { reach }),
      deadUnits,
      saturatedUnits,
      advice: adviceOf({ regime, growthRate, reach, cell: architecture.cell, check: gradientCheck }),
    };
  } finally {
    context.weights.dispose();
  }
}
function diagnosableOf(where: string, model: unknown): Diagnosable {
  if (isA(Model, model) && DIAGNOSABLE in model)
    return (model as unknown as Record<typeof DIAGNOSABLE, () => Diagnosable>)[DIAGNOSABLE]();
  throw argumentError('INVALID_ARGUMENT', where, 'model', {
    expected: 'a recurrent model: a MixtureDensityNetwork or a RecurrentClassifier',
    received: describe(model),
  });
}
const zeros = (sizes: readonly { readonly carried: number }[], sequences: number): Real[] =>
  sizes.map(({ carried }) => new Float64Array(sequences * carried));
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
