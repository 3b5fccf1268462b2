/** The parameters a recurrent classifier is made of: read and checked. */
import type { Matrix, Vector } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { lengthOf, tagOf } from '../../../memory.ts';
import type { Standardization } from '../../standardization.ts';
import { StackArchitecture } from '../stack/architecture.ts';
import type { OutputsAt } from '../stack/pass.ts';

export const lossAts = ['final', 'all'] as const satisfies readonly OutputsAt[];
/** Where a classifier has outputs, targets and losses: after the last step of a sequence, or at all of its steps. */
export type LossAt = OutputsAt;

/** The parameters of a recurrent classifier. */
export interface RecurrentParameters {
  /** From the units of the step before to the units [hidden, hidden]. */
  readonly U: Matrix;
  /** From the inputs to the units [hidden, inputs]. */
  readonly V: Matrix;
  /** From the units to the logits [outputs, hidden]. */
  readonly W: Matrix;
  /** Default 'final'. */
  readonly lossAt?: LossAt;
  /** The probabilities are sigmoid(logits / temperature), temperature > 0; default 1. */
  readonly temperature?: number;
  /** Units of the inputs: minus `mean` [inputs], divided by `standardDeviation` [inputs]; default: those of the data. */
  readonly standardization?: { readonly mean: Vector; readonly standardDeviation: Vector };
}
export const parameterNames = ['U', 'V', 'W', 'lossAt', 'temperature', 'standardization'] as const;

/** The same, checked: U, V and W in the flat vector of the stack. */
export interface CheckedParameters {
  readonly stack: StackArchitecture;
  readonly flat: Float64Array;
  readonly lossAt: LossAt;
  readonly temperature: number;
  readonly standardization: Standardization | undefined;
}
interface Sizes {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
}
/** One layer of ReLU without biases. Throws INVALID_ARGUMENT: too many parameters, or too wide. */
export const stackOf = (where: string, { inputs, hidden, outputs }: Sizes): StackArchitecture =>
  new StackArchitecture(
    where,
    { inputs, hidden: [hidden], outputs, cell: 'relu', inputSkip: false, hasBiases: false },
    { inputs: 'inputs', outputs: 'outputs' },
  );
/** The parts of a flat vector, not copied. */
export function matricesOf(
  stack: StackArchitecture,
  flat: Float64Array,
): { U: Float64Array; V: Float64Array; W: Float64Array } {
  const { Wh0, Wx0, Wy0 } = stack.splitByName(flat);
  return { U: Wh0!, V: Wx0!, W: Wy0! };
}

/** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE. */
export function readRecurrent(where: string, given: unknown, argument = 'parameters'): CheckedParameters {
  const fields = check.fields(where, argument, given, parameterNames);
  const lossAt = check.choice(where, 'lossAt', check.or(fields.lossAt, 'final'), lossAts);
  const temperature = check.positive(where, 'temperature', check.or(fields.temperature, 1));
  const H = unitsOf(where, fields.U);
  const U = check.tensor(where, 'U', fields.U, [H, H]);
  const V = check.tensor(where, 'V', fields.V, [H, undefined]);
  const W = check.tensor(where, 'W', fields.W, [undefined, H]);
  for (const [name, values] of [['V', V] as const, ['W', W] as const])
    if (values.length === 0)
      throw argumentError('DIMENSION_MISMATCH', where, name, { expected: `${H} or more values`, received: 'none' });
  for (const [name, values] of Object.entries({ U, V, W })) check.finite(where, name, values);
  const stack = stackOf(where, { inputs: V.length / H, hidden: H, outputs: W.length / H });
  const flat = check.room(where, stack.size);
  const parts = stack.splitByName(flat);
  parts['Wh0']!.set(U);
  parts['Wx0']!.set(V);
  parts['Wy0']!.set(W);
  const standardization = readUnits(where, fields.standardization, stack.inputs);
  return { stack, flat, lossAt, temperature, standardization };
}
/** The number of rows of a square matrix, nested or flat. */
function unitsOf(where: string, U: unknown): number {
  if (!check.isArray(U) && !tagOf(U)) check.tensor(where, 'U', U, [1, 1]); // which refuses it
  const length = check.isArray(U) ? check.lengthIn(where, 'U', U) : lengthOf(U as Float64Array);
  const isNested = check.isArray(U) && length > 0 && typeof U[0] !== 'number';
  const units = isNested ? length : Math.sqrt(length);
  if (!Number.isInteger(units) || units < 1)
    throw argumentError('DIMENSION_MISMATCH', where, 'U', {
      expected: 'a square matrix',
      received: `${length} values`,
      reason: `has ${length} values, which make no square matrix`,
    });
  return units;
}
function readUnits(where: string, given: unknown, inputs: number): Standardization | undefined {
  if (given === undefined) return undefined;
  const fields = check.fields(where, 'standardization', given, ['mean', 'standardDeviation']);
  const read = (name: 'mean' | 'standardDeviation'): Float64Array => {
    const values = check.tensor(where, `standardization.${name}`, fields[name], [inputs]);
    check.finite(where, `standardization.${name}`, values);
    return values;
  };
  const units = Object.freeze({ mean: read('mean'), standardDeviation: read('standardDeviation') });
  const wrong = units.standardDeviation.find((s) => !(s > 0));
  if (wrong !== undefined)
    throw argumentError('INVALID_ARGUMENT', where, 'standardization', {
      expected: 'deviations > 0',
      received: `${wrong}`,
    });
  return units;
}
