/** The sizes of a two-layer net, and its parameters as one flat vector: V and W without their last columns, b and c. */
import type { Matrix } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { allocate } from '../../../memory.ts';
import type { Random } from '../../../random.ts';
import type { Slot, Slots } from '../../weights.ts';

/** The parameters of TwoLayerClassifier; the last column of each matrix is a bias. */
export interface TwoLayerParameters {
  /** [hidden, inputs + 1]: hidden = tanh(V [x; 1]). */
  readonly V: Matrix;
  /** [outputs, hidden + 1]: logits = W [hidden; 1]. */
  readonly W: Matrix;
  /** Hidden units, needed if both matrices are flat. */
  readonly hidden?: number;
  /** The probabilities are sigmoid(logits / temperature), temperature > 0; default 1. */
  readonly temperature?: number;
}
export const parameterNames = ['V', 'W', 'hidden', 'temperature'] as const;
export interface TwoLayerShape {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
}
/** Parts of a flat vector: V [H, I], b [H], W [O, H], c [O]. */
export type Parts = Readonly<Record<'V' | 'b' | 'W' | 'c', Float64Array>>;

/** The limits: as many parameters as a minute of training and the memory of a gradient allow, and the widest row of a
 * kernel's tile. */
const MOST_PARAMETERS = 2 ** 26;
const WIDEST_LAYER = 2 ** 23;

export class Layers implements TwoLayerShape, Slots {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  /** The length of the flat vector. */
  readonly size: number;
  private readonly slots: Readonly<Record<string, Slot>>;

  /** Throws INVALID_ARGUMENT: more parameters or wider layers than there is time and memory for. */
  constructor(where: string, { inputs, hidden, outputs }: TwoLayerShape) {
    this.inputs = inputs;
    this.hidden = hidden;
    this.outputs = outputs;
    this.size = hidden * (inputs + 1) + outputs * (hidden + 1);
    if (this.size > MOST_PARAMETERS)
      throw argumentError('INVALID_ARGUMENT', where, 'hidden', {
        expected: `at most ${MOST_PARAMETERS} parameters`,
        received: `${this.size} parameters`,
        reason: `asks for ${this.size} parameters, more than ${MOST_PARAMETERS}`,
      });
    for (const name of ['inputs', 'outputs'] as const)
      if (this[name] > WIDEST_LAYER)
        throw argumentError('INVALID_ARGUMENT', where, name, {
          expected: `at most ${WIDEST_LAYER}`,
          received: `${this[name]}`,
        });
    let at = 0;
    const slot = (name: string, rows: number, columns: number): Slot => {
      at += rows * columns;
      return { name, rows, columns, at: at - rows * columns };
    };
    this.slots = {
      V: slot('V', hidden, inputs),
      b: slot('b', hidden, 1),
      W: slot('W', outputs, hidden),
      c: slot('c', outputs, 1),
    };
  }
  slot(name: string): Slot {
    return this.slots[name]!;
  }
  /** The parts of a flat vector, which share its memory. */
  split(flat: Float64Array): Parts {
    const part = (name: string): Float64Array => {
      const { at, rows, columns } = this.slot(name);
      return flat.subarray(at, at + rows * columns);
    };
    return { V: part('V'), b: part('b'), W: part('W'), c: part('c') };
  }
  /** Copies V [H, I + 1] and W [O, H + 1] into a flat vector. */
  join(where: string, { V, W }: { readonly V: Float64Array; readonly W: Float64Array }): Float64Array {
    const flat = check.room(where, this.size);
    const parts = this.split(flat);
    for (const [from, to, bias, columns] of [
      [V, parts.V, parts.b, this.inputs],
      [W, parts.W, parts.c, this.hidden],
    ] as const)
      for (let row = 0; row < bias.length; row++) {
        const start = row * (columns + 1);
        to.set(from.subarray(start, start + columns), row * columns);
        bias[row] = from[start + columns]!;
      }
    return flat;
  }
  /** The inverse of join. */
  matrices(where: string, flat: Float64Array): { V: Float64Array; W: Float64Array } {
    const { V, b, W, c } = this.split(flat);
    const join = (from: Float64Array, bias: Float64Array, columns: number): Float64Array => {
      const to = check.room(where, bias.length * (columns + 1));
      for (let row = 0; row < bias.length; row++) {
        to.set(from.subarray(row * columns, (row + 1) * columns), row * (columns + 1));
        to[row * (columns + 1) + columns] = bias[row]!;
      }
      return to;
    };
    return { V: join(V, b, this.inputs), W: join(W, c, this.hidden) };
  }
  /** Parameters to start learning from: weights N(0, 1/inputs of the layer), biases 0. Throws OUT_OF_MEMORY. */
  initialise(where: string, random: Random): Float64Array {
    const flat = allocate(where, this.size, () => new Float64Array(this.size));
    for (const name of ['V', 'W']) {
      const { at, rows, columns } = this.slot(name);
      const deviation = 1 / Math.sqrt(columns + 1);
      for (let i = at; i < at + rows * columns; i++) flat[i] = deviation * random.normal();
    }
    return flat;
  }
}

/**
 * Reads the parameters: their sizes, and the flat vector. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE
 * (argument: V, W, hidden or temperature).
 */
export function readTwoLayers(
  where: string,
  given: unknown,
  argument = 'parameters',
): { layers: Layers; flat: Float64Array; temperature: number } {
  const fields = check.fields(where, argument, given, parameterNames);
  const temperature = check.positive(where, 'temperature', check.or(fields.temperature, 1));
  const hidden = hiddenOf(where, fields);
  const V = check.tensor(where, 'V', fields.V, [hidden, undefined]);
  const inputs = V.length / hidden - 1;
  if (inputs < 1)
    throw argumentError('DIMENSION_MISMATCH', where, 'V', {
      expected: `${hidden} rows of an input and a bias at least`,
      received: `${V.length} values`,
    });
  const W = check.tensor(where, 'W', fields.W, [undefined, hidden + 1]);
  const outputs = W.length / (hidden + 1);
  if (outputs < 1)
    throw argumentError('DIMENSION_MISMATCH', where, 'W', { expected: 'at least one row', received: 'none' });
  const layers = new Layers(where, { inputs, hidden, outputs });
  check.finite(where, 'V', V);
  check.finite(where, 'W', W);
  return { layers, flat: layers.join(where, { V, W }), temperature };
}
function hiddenOf(where: string, { V, W, hidden }: { V?: unknown; W?: unknown; hidden?: unknown }): number {
  if (hidden !== undefined) return check.count(where, 'hidden', hidden);
  const isNested = (value: unknown): value is unknown[] => {
    if (!check.isArray(value) || check.lengthIn(where, 'V', value) === 0) return false;
    return typeof value[0] === 'object';
  };
  if (isNested(V)) return check.lengthIn(where, 'V', V);
  if (isNested(W)) {
    const row = check.tensor(where, 'W', W[0], [undefined]);
    if (row.length > 1) return row.length - 1;
  }
  throw argumentError('INVALID_ARGUMENT', where, 'hidden', {
    expected: 'the number of hidden units, as V and W are flat',
    received: 'undefined',
    reason: 'is needed: V and W are flat',
  });
}
