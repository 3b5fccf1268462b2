/** Reads a table of either format, in constant memory. */
import type { Block, Wanted } from './blocks.ts';
import { CsvReader } from './csv.ts';
import type { Dialect } from './format.ts';
import { NdjsonReader } from './ndjson.ts';
import { records, type Source } from './source.ts';

/** The rows of a table as blocks. The rows before an error are yielded before it is thrown. */
export async function* blocksOf(source: Source, dialect: Dialect, wanted: Wanted): AsyncGenerator<Block> {
  const isCsv = dialect.format === 'csv';
  const reader = new (isCsv ? CsvReader : NdjsonReader)(source.name, wanted, dialect);
  for await (const bytes of records(source, isCsv)) {
    const failure = failureOf(() => reader.feed(bytes));
    yield* reader.blocks?.take() ?? [];
    if (failure === undefined) continue;
    if (reader.blocks) yield reader.blocks.block();
    throw failure;
  }
  const failure = failureOf(() => reader.settle());
  if (failure === undefined) reader.finish();
  if (reader.blocks) yield reader.blocks.block();
  if (failure !== undefined) throw failure;
}
function failureOf(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
