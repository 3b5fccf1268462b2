/** Reading DATA: its blocks, with a progress bar, and with errors in the words of the command line. */
import type { Block, Wanted } from '../table/blocks.ts';
import type { Dialect } from '../table/format.ts';
import { blocksOf } from '../table/read.ts';
import type { Source } from '../table/source.ts';
import { toReadError } from './errors.ts';
import { Progress, rowsText } from './progress.ts';

/** The rows of DATA in constant memory. The rows before an error are yielded before it is thrown. */
export async function* readBlocks(
  source: Source,
  dialect: Dialect,
  wanted: Wanted,
  shown: boolean,
): AsyncGenerator<Block> {
  const progress = new Progress(shown, source.size);
  let rows = 0;
  try {
    for await (const block of blocksOf(source, dialect, wanted)) {
      yield block;
      progress.update(source.taken, rowsText((rows += block.n)));
    }
  } catch (error) {
    throw toReadError(error);
  } finally {
    progress.stop();
  }
}
