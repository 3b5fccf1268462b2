/** The shapes of a stack of recurrent layers, and its parameters as one flat vector (docs/math/network.md). */
import { argumentError } from '../../../errors.ts';
import { allocate } from '../../../memory.ts';
import type { Random } from '../../../random.ts';
import type { Slot } from '../../weights.ts';
import { type Cell, type CellSizes, cellSizes } from './cell.ts';

/** A stack takes seconds to draw more parameters, and 2 GB to use them. */
const MOST_PARAMETERS = 2 ** 26;
/** Inputs or outputs of a layer: a kernel holds a TILE of rows of them at once. */
const WIDEST_LAYER = 2 ** 23;

/** The shape of a slot outside: biases are vectors. */
export const tensorShape = ({ name, rows, columns }: Slot): number[] =>
  name.startsWith('b') ? [rows] : [rows, columns];

export interface StackShape {
  readonly inputs: number;
  /** Units of each layer; layer 0 reads the inputs. */
  readonly hidden: readonly number[];
  /** All layers feed the outputs. */
  readonly outputs: number;
  readonly cell: Cell;
  /** Whether every layer reads the inputs. */
  readonly inputSkip: boolean;
  /** Whether layers and outputs have biases (gru always has its own); default true. */
  readonly hasBiases?: boolean;
}
/** The public names of the options that inputs and outputs come from, for errors. */
export interface StackNames {
  readonly inputs: string;
  readonly outputs: string;
}

export class StackArchitecture implements StackShape {
  readonly inputs: number;
  readonly hidden: readonly number[];
  readonly outputs: number;
  readonly cell: Cell;
  readonly inputSkip: boolean;
  readonly hasBiases: boolean;
  /** The sizes of each layer. */
  readonly sizes: readonly CellSizes[];
  /** Wx0 Wh0 b0 (bh0) Wy0 Wd1 ... by, in the order of the flat vector. */
  readonly slots: readonly Slot[];
  /** The length of the flat vector. */
  readonly size: number;
  private readonly byName: ReadonlyMap<string, Slot>;

  /** Throws INVALID_ARGUMENT: more parameters or wider layers than there is time and memory for. */
  constructor(where: string, shape: StackShape, names: StackNames) {
    const { inputs, outputs, cell, inputSkip, hasBiases = true } = shape;
    const hidden = Object.freeze([...shape.hidden]);
    this.inputs = inputs;
    this.hidden = hidden;
    this.outputs = outputs;
    this.cell = cell;
    this.inputSkip = inputSkip;
    this.hasBiases = hasBiases;
    this.sizes = hidden.map((units) => cellSizes({ units, cell }));
    const slots: Slot[] = [];
    let at = 0;
    const add = (name: string, rows: number, columns: number): void => {
      slots.push({ name, rows, columns, at });
      at += rows * columns;
    };
    for (const [n, { gates, biased }] of this.sizes.entries()) {
      const units = hidden[n]!;
      if (this.seesInputs(n)) add(`Wx${n}`, gates, inputs);
      add(`Wh${n}`, gates, units);
      if (n > 0) add(`Wd${n}`, gates, hidden[n - 1]!);
      if (hasBiases) add(`b${n}`, gates, 1);
      if (biased > 0) add(`bh${n}`, biased, 1);
      add(`Wy${n}`, outputs, units);
    }
    if (hasBiases) add('by', outputs, 1);
    if (!(at <= MOST_PARAMETERS))
      throw argumentError('INVALID_ARGUMENT', where, 'hidden', {
        expected: `at most ${MOST_PARAMETERS} parameters`,
        received: `${at} parameters`,
        reason: `asks for ${at} parameters, more than ${MOST_PARAMETERS}`,
      });
    if (Math.max(inputs, outputs) > WIDEST_LAYER)
      throw argumentError('INVALID_ARGUMENT', where, inputs > WIDEST_LAYER ? names.inputs : names.outputs, {
        expected: `at most ${WIDEST_LAYER} inputs and outputs`,
        received: `${Math.max(inputs, outputs)}`,
        sentence: `${inputs} inputs and ${outputs} outputs, more than ${WIDEST_LAYER}`,
      });
    this.slots = slots;
    this.byName = new Map(slots.map((slot) => [slot.name, slot]));
    this.size = at;
  }

  /** Whether layer n reads the inputs. */
  seesInputs(n: number): boolean {
    return n === 0 || this.inputSkip;
  }
  slot(name: string): Slot {
    return this.byName.get(name)!;
  }
  /** Parts of a flat vector by name. */
  splitByName<V extends Float64Array | Float32Array>(flat: V): Record<string, V> {
    return Object.fromEntries(
      this.slots.map(({ name, rows, columns, at }) => [name, flat.subarray(at, at + rows * columns) as V]),
    );
  }

  /**
   * Parameters to start learning from: weights uniform on ±1/√H, as in many libraries; biases zero, but 1 in the forget
   * gate of lstm. Throws OUT_OF_MEMORY.
   */
  initialise(where: string, random: Random): Float64Array {
    const { cell, hidden } = this;
    const flat = allocate(where, this.size, () => new Float64Array(this.size));
    const allUnits = hidden.reduce((sum, H) => sum + H, 0);
    for (const { name, rows, columns, at } of this.slots) {
      if (name.startsWith('b')) continue;
      const bound = 1 / Math.sqrt(name.startsWith('Wy') ? allUnits : hidden[Number(name.slice(2))]!);
      for (let i = at; i < at + rows * columns; i++) flat[i] = bound * (2 * random.uniform() - 1);
    }
    const named = this.splitByName(flat);
    if (cell === 'lstm' && this.hasBiases) for (const [n, H] of hidden.entries()) named[`b${n}`]!.fill(1, H, 2 * H);
    return flat;
  }
}
