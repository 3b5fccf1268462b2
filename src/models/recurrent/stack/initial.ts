/** States before the first step: zero, one per layer for all sequences, or one per layer and sequence. */
import type { Real } from '../../../check.ts';
import * as check from '../../../check.ts';
import { SeqlikError } from '../../../errors.ts';
import type { Architecture } from './architecture.ts';

/** Whole sequences of a batch, and the place of the first one among all. */
interface Part {
  readonly sequence: number;
  readonly lengths: Int32Array;
}

export class Initial {
  private readonly widths: number[];
  private readonly values: (Float64Array | undefined)[];

  /** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE. */
  constructor(
    private readonly where: string,
    given: unknown,
    { hidden, ...architecture }: Architecture,
    private readonly sequences: number,
    private readonly single: boolean,
  ) {
    this.widths = hidden.map((H) => H * (architecture.cell === 'lstm' ? 2 : 1));
    const list = given === undefined ? undefined : check.list(where, 'initialState', given);
    if (list && list.length !== hidden.length)
      throw new SeqlikError(
        'DIMENSION_MISMATCH',
        `${where}: initialState has ${list.length} states, not one per layer: ${hidden.length}`,
        { argument: 'initialState' },
      );
    this.values = this.widths.map((width, n) => {
      if (list === undefined) return undefined;
      const argument = `initialState[${n}]`;
      const values = check.tensor(where, argument, list[n], [undefined]);
      if (values.length !== width && values.length !== width * sequences)
        throw new SeqlikError(
          'DIMENSION_MISMATCH',
          `${where}: ${argument} has ${values.length} values, not ${width} or ${sequences} x ${width}`,
          { argument },
        );
      check.finite(where, argument, values);
      if (single) check.finite(where, argument, Float32Array.from(values)); // as it will be used
      return values;
    });
  }

  /** [sequences of the part, states] per layer. */
  of({ sequence, lengths }: Part): Real[] {
    return this.widths.map((width, n) => {
      const to = this.array(lengths.length * width);
      const values = this.values[n];
      if (!values) return to;
      if (this.each(n)) to.set(values.subarray(sequence * width, (sequence + lengths.length) * width));
      else for (let s = 0; s < lengths.length; s++) to.set(values, s * width);
      return to;
    });
  }
  /** Room for dLoss/dinitialState, in the shape that was given; a score needs none. */
  room(): Real[] {
    return this.widths.map((width, n) => this.array(this.values[n]?.length ?? width * this.sequences));
  }
  add({ sequence }: Pick<Part, 'sequence'>, dStates: readonly Real[], gradient: readonly Real[]): void {
    for (const [n, dState] of dStates.entries()) {
      const to = gradient[n]!;
      if (this.each(n)) to.set(dState, sequence * this.widths[n]!);
      else for (const [i, value] of dState.entries()) to[i % this.widths[n]!]! += value;
    }
  }

  private each(n: number): boolean {
    const { length } = this.values[n] ?? { length: this.sequences * this.widths[n]! };
    return length === this.sequences * this.widths[n]!;
  }
  private array(length: number): Real {
    return check.room(this.where, length, this.single);
  }
}
