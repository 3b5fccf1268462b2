/** Samples of models of independent rows. */
import { columnsOf } from '../inputs.ts';
import { rowsText } from '../progress.ts';
import type { RowModel } from '../rows.ts';
import { draw, type Piece, type SampleKind, seedOf } from './kind.ts';

const VALUES = 2 ** 22; // drawn at once, which bounds the memory
const LINES = 8192; // written at once

export const rowSample: SampleKind<RowModel> = {
  options: [],
  start: (model, { count, seed }) => {
    draw(() => model.sample(0, { seed }));
    return {
      columns: columnsOf(model),
      format: 'csv',
      pieces: () => rowsOf(model, count, seed),
      progressText: rowsText,
    };
  },
};
/** Blocks of rows: the first is what `model.sample` gives for the seed, each other one has a seed of its own. */
function* rowsOf(model: RowModel, count: number, seed: number): Generator<Piece> {
  const d = model.dimension;
  const rows = Math.max(1, Math.floor(VALUES / d));
  for (let from = 0, block = 0; from < count; from += rows, block++) {
    const n = Math.min(rows, count - from);
    const x = draw(() => model.sample(n, { seed: seedOf(seed, block) }));
    for (let row = 0; row < n; row += LINES)
      yield { x: x.subarray(row * d, Math.min(row + LINES, n) * d), done: from + Math.min(row + LINES, n) };
  }
}
