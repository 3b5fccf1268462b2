/**
 * Sequences through one layer. A synchronous run is one call. In an asynchronous run an abort waits for the end of a
 * cut, and a cut holds whole sequences: so a long one is cut into pieces of its steps, with its state handed from call
 * to call and the same bits.
 */
import { type Backend, WORTH_LEAVING } from '../../../bind.ts';
import type { Real } from '../../../check.ts';
import { contract } from '../../../contract.ts';
import { type Args, costOf, type Dims, type DType, type Kernel, type KernelSpec, paramsOf } from '../../../grammar.ts';
import type { Pace } from '../../../training/pace.ts';
import { type Work, work } from '../../work.ts';

const costOfStep = costOf(contract.recurrent.forward, 'f64');

/** Several sequences, or some steps of one. */
export interface Piece {
  readonly row: number;
  readonly rows: number;
  readonly item: number;
  readonly items: number;
}
/**
 * The least steps of a piece, so that the contract's cost of it is worth leaving the event loop. lstm and gru of 64 to
 * 512 units take 10 ms for that many on AVX2, 15 to 35 on wasm. Two sequences of twice as many are two cuts
 * (src/bind/plan.ts): in pieces they miss no lock step.
 */
export function stepsOf(units: number, gates: number): number {
  const { dims } = contract.recurrent.forward;
  const step = { n: 1, units, gates };
  return Math.ceil(WORTH_LEAVING / costOfStep.of(dims.map((dim) => step[dim as keyof typeof step] ?? 0)));
}

/**
 * Cuts long sequences into pieces of at least `steps` steps: lists of pieces independent of each other, `threads` at
 * most, forward in time (the reverse is backward).
 */
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
      const at = (piece: number): number => Math.floor((rows * piece) / pieces); // of equal length: they end together
      return { row: row + at(piece), rows: at(piece + 1) - at(piece), item, items };
    });
    for (let first = 0; first < same.length; first += threads) lists.push(same.slice(first, first + threads));
    left = left.filter(({ pieces }) => pieces > piece + 1);
  }
  return lists;
}

/**
 * A call of a layer's kernel over all time steps. An asynchronous run cuts long sequences into pieces, forward in time
 * or, with `backward`, from the last one; `gates` is the width of a step, by which pieces are measured.
 */
export function layerWork<R extends KernelSpec>(
  { threads }: Backend,
  spec: R,
  kernel: Kernel<R, DType>,
  dims: Dims<R> & { readonly units: number },
  args: Args<R, DType> & { readonly lengths: Int32Array },
  gates: number,
  backward = false,
): Work {
  const { lengths } = args;
  const all = work(kernel, dims, args);
  const piece = (part: Piece, pace: Pace, signal?: AbortSignal): Promise<void> =>
    // one sequence is one cut, which no signal stops, and Node warns of many listeners
    work(kernel, dims, sliceArgs(spec, args, part)).later(pace, part.items === 1 ? undefined : signal);
  return {
    now: all.now,
    async later(pace, signal) {
      const lists = piecesOf(lengths, stepsOf(dims.units, gates), threads);
      if (lists.length === 1) return all.later(pace, signal);
      for (const list of backward ? lists.reverse() : lists) {
        await pace.rest();
        await settleAll(list.map((part) => piece(part, pace, signal)));
      }
    },
  };
}
/** Waits for all calls, even if one of them fails: they work in memory that is used again. */
export async function settleAll(calls: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(calls)) if (outcome.status === 'rejected') throw outcome.reason;
}
/** Takes the rows and states of one piece; arrays that are whole stay so. */
function sliceArgs<R extends KernelSpec>(
  spec: R,
  args: Args<R, DType> & { readonly lengths: Int32Array },
  { row, rows, item, items }: Piece,
): Args<R, DType> {
  const given = args as Readonly<Record<string, Real>>;
  const n = args.lengths.reduce((sum, length) => sum + length, 0);
  const part = (values: Real, count: number, from: number, length: number): Real => {
    const width = values.length / Math.max(1, count);
    return values.subarray(from * width, (from + length) * width);
  };
  const own: Record<string, unknown> = {};
  for (const { name, axis, scratch } of paramsOf(spec, 'f64')) {
    if (scratch) continue;
    const values = given[name]!;
    own[name] =
      axis === 'rows'
        ? part(values, n, row, rows)
        : axis === 'sequences'
          ? part(values, args.lengths.length, item, items)
          : values;
  }
  own['lengths'] = items === 1 ? Int32Array.of(rows) : args.lengths.subarray(item, item + items);
  return own as Args<R, DType>;
}
