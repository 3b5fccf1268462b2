/** Linear dynamical systems in every command: the columns they read, and their pass over blocks. */
import { type LinearDynamicalSystem, SeqlikError, type SystemState } from '../index.ts';
import type { Wanted } from '../table/blocks.ts';
import { rephrase } from '../table/errors.ts';
import { columnsFor, sequenceOf } from './inputs.ts';
import type { DataChoice, SequenceChoice } from './options.ts';

/** The rows of DATA that a stored system reads. */
export function systemRows(
  model: LinearDynamicalSystem,
  { columns: asked, sequence = model.sequenceColumn }: DataChoice & SequenceChoice,
): Omit<Wanted, 'keep'> {
  const columns = columnsFor(model, asked);
  const own = sequenceOf({ ...columns, ...(sequence !== undefined && { sequence }) });
  return { dimension: model.dimension, width: 4 * (model.latent + model.dimension) ** 2, ...columns, ...own };
}

/** The filter over sequences that come in blocks: the numbers of one batch to the bit, in the memory of a block. */
export class SystemWalk {
  /** After the last row so far; undefined if it has overflowed. */
  state: SystemState | undefined;
  private readonly options: { readonly missing: 'nan'; readonly unscorable: 'throw' | 'mark' };
  /** `unscorable`: the treatment of rows that are too far away. */
  constructor(
    private readonly model: LinearDynamicalSystem,
    unscorable: 'throw' | 'mark' = 'throw',
  ) {
    this.options = { missing: 'nan', unscorable };
  }

  /** Log densities of the next rows x [n, dimension], whose gaps are NaN; `starts` begin a sequence. Throws the errors
   * of the model, with `row` an index into n. */
  next(x: Float64Array, n: number, starts: readonly number[]): Float64Array {
    const d = this.model.dimension;
    const begins = new Set(starts);
    return Float64Array.from({ length: n }, (_, row) => {
      if (begins.has(row)) this.state = this.model.start();
      return this.step(x.subarray(row * d, (row + 1) * d), row);
    });
  }
  private step(y: Float64Array, row: number): number {
    if (!this.state) return Number.NEGATIVE_INFINITY;
    try {
      const { state, logDensity } = this.model.step(this.state, y, this.options);
      this.state = state;
      return logDensity;
    } catch (error) {
      if (!(error instanceof SeqlikError)) throw error;
      if (this.options.unscorable === 'throw' || error.code !== 'NON_FINITE')
        throw rephrase(error, error.message, { ...error, row });
      this.state = undefined;
      return Number.NEGATIVE_INFINITY;
    }
  }
}
