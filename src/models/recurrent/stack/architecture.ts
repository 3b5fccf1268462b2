/** The shapes of a mixture-density recurrent network, and its parameters as one flat vector (docs/math.md § network). */

import { argumentError, callError } from '../../../errors.ts';
import { allocated } from '../../../memory.ts';
import { Random } from '../../../random.ts';
import { type Mapping, valuesOf } from '../../density/mapping.ts';

export const cells = ['tanh', 'relu', 'lstm', 'gru'] as const;
export type Cell = (typeof cells)[number];
/** Blocks of units a cell has per gate, and vectors it hands to the next step. */
export const gatesOf: Readonly<Record<Cell, number>> = { tanh: 1, relu: 1, lstm: 4, gru: 3 };
export const statesOf: Readonly<Record<Cell, number>> = { tanh: 1, relu: 1, lstm: 2, gru: 1 };
/** Parameters of a network: it takes seconds to draw as many, and 2 GB to use them. */
const MOST = 2 ** 26;
/** Inputs or outputs of a layer: a kernel holds 128 rows of them at once. */
const WIDEST = 2 ** 23;
const tri = (k: number): number => (k * (k + 1)) / 2;

/** One named tensor of the flat vector. */
export interface Slot {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly at: number;
}

export interface Shape {
  readonly dimension: number;
  readonly hidden: readonly number[];
  readonly components: number;
  readonly mapping: Mapping;
  readonly cell: Cell;
  readonly inputSkip: boolean;
  readonly binary: number;
}

export class Architecture implements Shape {
  readonly dimension: number;
  readonly hidden: readonly number[];
  readonly components: number;
  readonly mapping: Mapping;
  readonly cell: Cell;
  readonly inputSkip: boolean;
  readonly binary: number;
  /** Gaussian coordinates, covariance values per component, raw outputs. */
  readonly head: number;
  readonly covariance: number;
  readonly outputs: number;
  /** Wx0 Wh0 b0 (bh0) Wy0 Wd1 ... by, in the order of the flat vector. */
  readonly slots: readonly Slot[];
  readonly size: number;
  private readonly byName: ReadonlyMap<string, Slot>;

  /** Throws INVALID_ARGUMENT: more parameters than anything here has time and memory for. */
  constructor(where: string, shape: Shape) {
    this.dimension = shape.dimension;
    this.hidden = Object.freeze([...shape.hidden]);
    this.components = shape.components;
    this.mapping = shape.mapping;
    this.cell = shape.cell;
    this.inputSkip = shape.inputSkip;
    this.binary = shape.binary;
    const { dimension, hidden, components: M, cell } = this;
    const k = dimension - this.binary;
    this.head = k;
    this.covariance = valuesOf(this.mapping, k);
    this.outputs = M * (1 + k + this.covariance) + this.binary;
    const slots: Slot[] = [];
    let at = 0;
    const add = (name: string, rows: number, columns: number): void => {
      slots.push({ name, rows, columns, at });
      at += rows * columns;
    };
    for (const [n, H] of hidden.entries()) {
      const gates = gatesOf[cell] * H;
      if (this.sees(n)) add(`Wx${n}`, gates, dimension);
      add(`Wh${n}`, gates, H);
      if (n > 0) add(`Wd${n}`, gates, hidden[n - 1]!);
      add(`b${n}`, gates, 1);
      if (cell === 'gru') add(`bh${n}`, H, 1);
      add(`Wy${n}`, this.outputs, H);
    }
    add('by', this.outputs, 1);
    if (!(at <= MOST))
      throw argumentError('INVALID_ARGUMENT', where, 'hidden', {
        expected: `at most ${MOST} parameters`,
        received: `${at} parameters`,
        reason: `asks for ${at} parameters, more than ${MOST}`,
      });
    if (Math.max(dimension, this.outputs) > WIDEST)
      throw callError(
        'INVALID_ARGUMENT',
        where,
        `${dimension} coordinates and ${this.outputs} outputs, more than ${WIDEST}`,
        {
          argument: dimension > WIDEST ? 'dimension' : 'components',
          expected: `at most ${WIDEST} coordinates and outputs`,
          received: `${Math.max(dimension, this.outputs)}`,
        },
      );
    this.slots = slots;
    this.byName = new Map(slots.map((slot) => [slot.name, slot]));
    this.size = at;
  }

  /** What its head is. */
  get density(): { components: number; gaussian: number; mapping: Mapping; outputs: number; dimension: number } {
    const { components, head: gaussian, mapping, outputs, dimension } = this;
    return { components, gaussian, mapping, outputs, dimension };
  }
  get shape(): Shape {
    const { dimension, hidden, components, mapping, cell, inputSkip, binary } = this;
    return { dimension, hidden, components, mapping, cell, inputSkip, binary };
  }
  /** Whether layer n sees the input. */
  sees(n: number): boolean {
    return n === 0 || this.inputSkip;
  }
  gates(n: number): number {
    return gatesOf[this.cell] * this.hidden[n]!;
  }
  /** Numbers of the state of layer n. */
  states(n: number): number {
    return statesOf[this.cell] * this.hidden[n]!;
  }
  slot(name: string): Slot {
    return this.byName.get(name)!;
  }
  /** Parts of a flat vector by name. */
  named<V extends Float64Array | Float32Array>(flat: V): Record<string, V> {
    return Object.fromEntries(
      this.slots.map(({ name, rows, columns, at }) => [name, flat.subarray(at, at + rows * columns) as V]),
    );
  }

  /**
   * Where learning starts: weights uniform on ±1/√H, as many libraries have it; biases zero, the forget part of lstm 1;
   * the components apart from each other, with standard deviations of about 1. Throws OUT_OF_MEMORY.
   */
  initial(where: string, seed: number): Float64Array {
    const random = new Random(seed);
    const { cell, components: M, head: k, covariance: p, hidden } = this;
    const flat = allocated(where, this.size, () => new Float64Array(this.size));
    const wide = Math.sqrt(hidden.reduce((sum, H) => sum + H, 0));
    for (const { name, rows, columns, at } of this.slots) {
      if (name.startsWith('b')) continue;
      const bound = 1 / (name.startsWith('Wy') ? wide : Math.sqrt(hidden[Number(name.slice(2))]!));
      for (let i = at; i < at + rows * columns; i++) flat[i] = bound * (2 * random.uniform() - 1);
    }
    const named = this.named(flat);
    if (cell === 'lstm') for (const [n, H] of hidden.entries()) named[`b${n}`]!.fill(1, H, 2 * H);
    const by = named['by']!;
    for (let i = M; i < M + M * k; i++) by[i] = 0.3 * random.normal();
    const [diagonal, damped] = {
      tanh: [1, 0.1],
      chol: [softplusOne(this.mapping), 1],
      diag: [softplusOne(this.mapping), 1],
      graves: [0, 1],
    }[this.mapping.split('-')[0] as 'tanh' | 'chol' | 'diag' | 'graves'] as [number, number];
    for (let j = 0; j < M; j++) {
      const from = M + M * k + j * p;
      for (let i = 0; i < k && this.mapping !== 'graves'; i++) by[from + (p === k ? i : tri(i + 1) - 1)] = diagonal;
      if (damped < 1)
        // a tanh is a variance only if it is positive: the hidden units begin with little to say
        for (const n of hidden.keys()) {
          const Wy = named[`Wy${n}`]!;
          for (let i = from * hidden[n]!; i < (from + p) * hidden[n]!; i++) Wy[i]! *= damped;
        }
    }
    return flat;
  }
}
/** The raw value of a standard deviation of 1. */
const softplusOne = (mapping: Mapping): number => (mapping.endsWith('softplus') ? Math.log(Math.E - 1) : 0);
