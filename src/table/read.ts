/** Reads a table of either format, in constant memory. */
import type { Block, Wanted } from './blocks.ts';
import { CsvReader } from './csv.ts';
import type { Format } from './format.ts';
import { NdjsonReader } from './ndjson.ts';
import { records, type Source } from './source.ts';

/** The rows of a table as blocks. The rows before an error are yielded before it is thrown. */
export async function* blocksOf(source: Source, format: Format, wanted: Wanted): AsyncGenerator<Block> {
  const reader = format === 'csv' ? new CsvReader(source.name, wanted) : new NdjsonReader(source.name, wanted);
  for await (const bytes of records(source, format === 'csv')) {
    let failure: unknown;
    try {
      reader.feed(bytes);
    } catch (error) {
      failure = error;
    }
    yield* reader.blocks?.take() ?? [];
    if (failure === undefined) continue;
    if (reader.blocks) yield reader.blocks.block();
    throw failure;
  }
  reader.finish();
  if (reader.blocks) yield reader.blocks.block();
}
