/** Scores in which a row too far away ends nothing: it has -Infinity, and the filter goes on as if it were a gap. */
import { SeqlikError } from '../../errors.ts';
import { byRows, type Pass } from '../work.ts';
import type { Engine } from './engine.ts';
import type { Observations } from './observations.ts';
import { filter } from './passes.ts';
import { type SystemState, startOf } from './state.ts';

/**
 * log p(y[t] | those before it that could be scored) [n]. Where the state itself overflows, all rows from there to the end
 * of the sequence have -Infinity. Once a row is marked all are filtered one by one: the same bits, in linear time.
 */
export function* scoreMarking(where: string, engine: Engine, data: Observations): Pass<Float64Array> {
  try {
    return (yield* filter(where, engine, data, 'none')).logDensity;
  } catch (error) {
    if (!isFar(error)) throw error;
  }
  const { d, m } = engine.system;
  const { values, lengths } = data;
  const logDensity = new Float64Array(values.length / d).fill(Number.NEGATIVE_INFINITY);
  let first = 0;
  for (const T of lengths) {
    let state: SystemState | undefined = startOf(engine.system);
    const base = first;
    yield* byRows(T, (m + d) ** 2, (from, end) => {
      for (let row = base + from; row < base + end && state; row++) {
        const next = tryStep(where, engine, state, { ...data, values: values.subarray(row * d, (row + 1) * d) });
        if (next) logDensity[row] = next.logDensity;
        state = next?.state;
      }
    });
    first += T;
  }
  return logDensity;
}
/** One row; a row too far away has -Infinity. Throws NON_FINITE: the state overflows. */
export function stepMarking(where: string, engine: Engine, state: SystemState, row: Observations) {
  try {
    return engine.step(where, state, row);
  } catch (error) {
    if (!isFar(error)) throw error;
  }
  const gap = { ...row, values: new Float64Array(row.values.length).fill(Number.NaN) };
  return { ...engine.step(where, state, gap), logDensity: Number.NEGATIVE_INFINITY };
}
function tryStep(where: string, engine: Engine, state: SystemState, row: Observations) {
  try {
    return stepMarking(where, engine, state, row);
  } catch (error) {
    if (!isFar(error)) throw error;
    return undefined;
  }
}
/** Whether an error is about a row of data that are finite: its distance overflows, or the state does. */
const isFar = (error: unknown): boolean =>
  error instanceof SeqlikError && error.code === 'NON_FINITE' && error.argument === 'y' && error.row !== undefined;
