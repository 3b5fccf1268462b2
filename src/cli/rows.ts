/** From DATA to blocks of rows, and from results to lines of OUT: both formats. */
import type { Block, Wanted } from './blocks.ts';
import { CsvReader } from './csv.ts';
import { NdjsonReader } from './ndjson.ts';
import type { Format } from './options.ts';
import { records, type Source } from './read.ts';

/** The rows of DATA in constant memory; what stands before an error comes before it is thrown. */
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

/** What stands before all lines, before each value of one and at its end. */
export interface Lines {
  readonly head: string;
  readonly before: readonly string[];
  readonly end: string;
}
export function linesOf(format: Format, names: readonly string[]): Lines {
  if (format === 'csv')
    return { head: `${names.map(cell).join(',')}\n`, before: names.map((_, i) => (i === 0 ? '' : ',')), end: '\n' };
  return { head: '', before: names.map((name, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`), end: '}\n' };
}
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Writes what was kept of a row: to the letter, and as text where CSV, which knows no types, becomes NDJSON. */
export function written(from: Format, to: Format): (kept: string | undefined) => string {
  if (from === 'csv')
    return to === 'csv' ? (text = '') => cell(text) : (text) => (text ? JSON.stringify(text) : 'null');
  if (to === 'ndjson') return (json = 'null') => json;
  return (json = '') => cell(json.startsWith('"') ? JSON.parse(json) : json);
}
