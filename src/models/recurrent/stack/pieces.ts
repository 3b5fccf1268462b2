/**
 * Sequences through one layer. What runs here is one call; elsewhere, where an abort waits for the end of a cut and a cut
 * holds whole sequences, a long one goes in pieces of its steps, its state from call to call: the same bits.
 */
import { type Backend, WORTH_LEAVING } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import { later, now, type Work } from '../../work.ts';

/** Some sequences, or some steps of one. */
export interface Piece {
  readonly row: number;
  readonly rows: number;
  readonly item: number;
  readonly items: number;
}
/**
 * Steps of a piece at least, by units and gates: about as the contract counts the work of one. Less would not leave the
 * event loop; of lstm and gru of 64 to 512 units this takes 10 ms on AVX2, 15 to 35 on wasm. Two sequences of twice as
 * much are two cuts (src/bind/plan.ts): in pieces they miss no lock step.
 */
export const stepsOf = (m: number, gates: number): number => Math.ceil(WORTH_LEAVING / (m * gates + 20 * gates + 200));

/** Pieces of at least so many steps, forward in time (backward: the reverse), those of a list independent of each other. */
export function piecesOf(lengths: Int32Array, steps: number, threads: number): Piece[][] {
  const lists: Piece[][] = [];
  const long: (Piece & { pieces: number })[] = [];
  let row = 0;
  let run: { row: number; rows: number; item: number; items: number } | undefined;
  for (const [item, rows] of lengths.entries()) {
    if (rows >= 2 * steps) {
      long.push({ row, rows, item, items: 1, pieces: Math.floor(rows / steps) });
      run = undefined;
    } else {
      if (!run) lists.push([(run = { row, rows: 0, item, items: 0 })]);
      run.rows += rows;
      run.items++;
    }
    row += rows;
  }
  let left = long;
  for (let piece = 0; left.length > 0; piece++) {
    const same = left.map(({ row, rows, item, items, pieces }): Piece => {
      const at = (piece: number): number => Math.floor((rows * piece) / pieces); // as long as each other: they end together
      return { row: row + at(piece), rows: at(piece + 1) - at(piece), item, items };
    });
    for (let first = 0; first < same.length; first += threads) lists.push(same.slice(first, first + threads));
    left = left.filter(({ pieces }) => pieces > piece + 1);
  }
  return lists;
}

/** What a kernel of a layer is given: by row, by sequence, and whole. */
interface Given {
  readonly lengths: Int32Array;
  readonly rows: Readonly<Record<string, Real>>;
  readonly states: Readonly<Record<string, Real>>;
  readonly whole: object;
}
/** A kernel of a layer over sequences, from their first step or from their last. */
export function throughTime(
  { threads }: Backend,
  kernel: unknown,
  dims: { readonly m: number; readonly cell: string },
  { lengths, rows, states, whole }: Given,
  gates: number,
  backward = false,
): Work {
  const all = { lengths, ...rows, ...states, ...whole };
  const n = lengths.reduce((sum, length) => sum + length, 0);
  const piece = async ({ row, rows: steps, item, items }: Piece, signal?: AbortSignal): Promise<void> => {
    const own = items === 1 ? Int32Array.of(steps) : lengths.subarray(item, item + items);
    const args = { ...parts(rows, n, row, steps), ...parts(states, lengths.length, item, items), ...whole };
    // one sequence is one cut, which no signal stops, and Node warns of many listeners
    return later(kernel, dims, { lengths: own, ...args }, {}, items === 1 ? undefined : signal);
  };
  return {
    now: () => now(kernel, dims, all),
    async later(pace, signal) {
      const lists = piecesOf(lengths, stepsOf(dims.m, gates), threads);
      if (lists.length === 1) return later(kernel, dims, all, {}, signal);
      for (const list of backward ? lists.reverse() : lists) {
        await pace.rest();
        await ended(list.map((one) => piece(one, signal)));
      }
    },
  };
}
/** Waits for all of them, whatever becomes of one: they work in memory that is used again. */
export async function ended(calls: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(calls)) if (outcome.status === 'rejected') throw outcome.reason;
}
/** Of arrays of `n` rows `count` from `from` on. */
function parts(arrays: Readonly<Record<string, Real>>, n: number, from: number, count: number): Record<string, Real> {
  const part = (values: Real): Real => {
    const width = values.length / Math.max(1, n);
    return values.subarray(from * width, (from + count) * width);
  };
  return Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, part(values)]));
}
