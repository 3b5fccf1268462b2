/** Networks: the first row of a sequence has no density, NaN. */
import { type MixtureDensityNetwork, type Real, SeqlikError, type State } from '../../index.ts';
import { type Columns, type Data, real, type Scorer, summariseDensity, sumsOf } from './kind.ts';

/** The last row so far and the states of the layers before it; of an lstm, the state of `step`. */
type Walked = { readonly row?: Real; readonly hidden: readonly Real[] } | State;

export function networkScorer(model: MixtureDensityNetwork): Scorer {
  const { dimension: d } = model;
  /** Runs a call, whose errors about a term become errors about its row. */
  function withRows<R>(lengths: Int32Array, offset: number, run: () => R): R {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof SeqlikError) || error.row === undefined || error.column !== undefined) throw error;
      throw SeqlikError.from({ ...error.toJSON(), row: rowOfTerm(lengths, error.row) - offset });
    }
  }
  function score({ values, lengths }: Data): Real {
    const terms = withRows(lengths!, 0, () => model.logDensity({ values, lengths: lengths! }));
    return aligned(terms, lengths!);
  }
  function advance(state: unknown, { values, n }: Data): { state: Walked; columns: Columns } {
    const { row, hidden: before } = state as { row?: Real; hidden: readonly Real[] };
    const first = row ? 1 : 0;
    const joined = row ? append(row, values) : values;
    const lengths = Int32Array.of(n + first);
    const run = () => model.forward({ values: joined, lengths }, { initialState: before });
    const { logDensity, hidden } = withRows(lengths, first, run);
    const terms = logDensity.length;
    const next = {
      ...(n + first > 0 && { row: joined.slice(-d) }),
      hidden: terms > 0 ? hidden.map((h, layer) => h.slice(-model.hidden[layer]!)) : before,
    };
    const own = row ? logDensity : aligned(logDensity, lengths);
    return { state: next, columns: { logDensity: { values: own, width: 1, per: 'row' } } };
  }
  /** The pass does not return the cells of an lstm: row by row, then. */
  function step(state: unknown, { values, n }: Data): { state: Walked; columns: Columns } {
    const densities = new Float64Array(n);
    let own = state as State;
    for (let i = 0; i < n; i++)
      try {
        const next = model.step(own, values.subarray(i * d, (i + 1) * d));
        densities[i] = next.logDensity ?? Number.NaN;
        own = next.state;
      } catch (error) {
        throw error instanceof SeqlikError ? SeqlikError.from({ ...error.toJSON(), row: i }) : error;
      }
    return { state: own, columns: { logDensity: { values: densities, width: 1, per: 'row' } } };
  }
  const lstm = model.cell === 'lstm';
  return {
    dimension: d,
    knowsGaps: false,
    ofSequences: true,
    outputs: { logDensity: real('row'), logLikelihood: real('sequence') },
    standard: ['logLikelihood', 'logDensity'],
    pricePerRow: () => model.parameterCount,
    score(data) {
      const values = score(data);
      return { logDensity: { values, width: 1, per: 'row' }, logLikelihood: sumsOf(values, data.lengths!) };
    },
    online: {
      outputs: { logDensity: real('row') },
      single: !lstm,
      start: (): Walked => (lstm ? model.start() : { hidden: model.start().hidden }),
      advance: lstm ? step : advance,
    },
    summarise: summariseDensity,
  };
}

/** Terms with a NaN before those of each sequence. */
function aligned(terms: Real, lengths: Int32Array): Real {
  const rows = lengths.reduce((sum, length) => sum + length, 0);
  const values = terms instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
  let row = 0;
  let term = 0;
  for (const length of lengths) {
    if (length === 0) continue;
    values[row] = Number.NaN;
    values.set(terms.subarray(term, term + length - 1), row + 1);
    row += length;
    term += length - 1;
  }
  return values;
}
function rowOfTerm(lengths: Int32Array, term: number): number {
  let row = 0;
  let rest = term;
  for (const length of lengths) {
    if (rest < length - 1) return row + rest + 1;
    rest -= Math.max(0, length - 1);
    row += length;
  }
  return row;
}
function append(row: Real, values: Real): Real {
  const joined =
    values instanceof Float32Array
      ? new Float32Array(row.length + values.length)
      : new Float64Array(row.length + values.length);
  joined.set(row);
  joined.set(values, row.length);
  return joined;
}
