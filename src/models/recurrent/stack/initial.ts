/** States before the first step: zero, one per layer for all sequences, or one per layer and sequence. */
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { argumentError, counted } from '../../../errors.ts';
import type { DType } from '../../../grammar.ts';
import type { StackArchitecture } from './architecture.ts';

/** Whole sequences of a batch, and the place of the first one among all. */
interface Part {
  readonly sequence: number;
  readonly lengths: Int32Array;
}

export class InitialStates {
  private readonly widths: number[];
  private readonly values: (Float64Array | undefined)[];

  /** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE. */
  constructor(
    private readonly where: string,
    given: unknown,
    { sizes }: StackArchitecture,
    private readonly sequences: number,
    private readonly dtype: DType,
    /** The public name, if it is the state of the one layer there is. */
    name?: string,
  ) {
    this.widths = sizes.map(({ carried }) => carried);
    const list = given === undefined ? undefined : name ? [given] : check.list(where, 'initialState', given);
    if (list && list.length !== sizes.length)
      throw argumentError('DIMENSION_MISMATCH', where, 'initialState', {
        expected: `${sizes.length} states, one per layer`,
        received: `${list.length} states`,
        reason: `has ${list.length} states, not one per layer: ${sizes.length}`,
      });
    this.values = this.widths.map((width, n) => {
      if (list === undefined) return undefined;
      const argument = name ?? `initialState[${n}]`;
      const values = check.tensor(where, argument, list[n], [undefined]);
      if (values.length !== width && values.length !== width * sequences)
        throw argumentError('DIMENSION_MISMATCH', where, argument, {
          expected: `${width} or ${sequences} x ${width}`,
          received: counted(values.length, 'value'),
          reason: `has ${counted(values.length, 'value')}, not ${width} or ${sequences} x ${width}`,
        });
      check.finite(where, argument, values);
      if (dtype === 'f32') check.finite(where, argument, Float32Array.from(values)); // as it will be used
      return values;
    });
  }

  /** The states of the sequences of a part [S, carried], per layer. */
  statesOf({ sequence, lengths }: Part): Real[] {
    return this.widths.map((width, n) => {
      const to = this.allocate(lengths.length * width);
      const values = this.values[n];
      if (!values) return to;
      if (this.isPerSequence(n)) to.set(values.subarray(sequence * width, (sequence + lengths.length) * width));
      else for (let s = 0; s < lengths.length; s++) to.set(values, s * width);
      return to;
    });
  }
  /** Zeros for dLoss/dinitialState, in the shape that was given; only a gradient needs them. */
  gradient(): Real[] {
    return this.widths.map((width, n) => this.allocate(this.values[n]?.length ?? width * this.sequences));
  }
  /** Adds dLoss/dstates of a part to `gradient`. */
  addGradient({ sequence }: Pick<Part, 'sequence'>, dStates: readonly Real[], gradient: readonly Real[]): void {
    for (const [n, dState] of dStates.entries()) {
      const to = gradient[n]!;
      if (this.isPerSequence(n)) to.set(dState, sequence * this.widths[n]!);
      else for (const [i, value] of dState.entries()) to[i % this.widths[n]!]! += value;
    }
  }

  private isPerSequence(n: number): boolean {
    const { length } = this.values[n] ?? { length: this.sequences * this.widths[n]! };
    return length === this.sequences * this.widths[n]!;
  }
  private allocate(length: number): Real {
    return check.room(this.where, length, this.dtype);
  }
}
