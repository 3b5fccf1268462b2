/** Commands that write lines of OUT for the rows of DATA, in constant memory. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Wanted } from '../table/blocks.ts';
import type { Dialect } from '../table/format.ts';
import { openSource } from '../table/source.ts';
import { printToStderr, stripControls } from './exit.ts';
import { names, outputOf } from './options.ts';
import { readBlocks } from './read.ts';
import type { Formats, ScoreOptions, Scores } from './score/kind.ts';
import { type Write, writeTable } from './write.ts';

/** Adds the options of every such command that concern OUT. */
export const addOutputOptions = (command: Command): Command =>
  command
    .option('-o, --output <OUT>', 'the file to write; - is stdout', '-')
    .addOption(
      new Option('--keep <a,b,c>', 'columns of DATA to put first in OUT').argParser(names).default([], 'none'),
    );

/** A command over the rows of DATA: the parts of a row it needs, and its lines, once the columns are known. */
export interface Rewriting {
  readonly wanted: Omit<Wanted, 'keep'>;
  lines(columns: readonly string[]): Scores;
}
/** Reads DATA and writes OUT. What there is to tell at the end goes to stderr. */
export async function rewrite(
  dataPath: string,
  dialect: Dialect,
  { output, keep, progress }: ScoreOptions,
  { wanted, lines: start }: Rewriting,
): Promise<void> {
  const source = await openSource(dataPath);
  const shown = progress && !(output === '-' && process.stdout.isTTY);
  let lines: Scores | undefined;
  const job = async (write: Write): Promise<void> => {
    for await (const block of readBlocks(source, dialect, { keep, ...wanted }, shown)) {
      // the head is written with the first rows, so that data without columns give no output
      const head = lines ? '' : (lines = start(block.columns)).head;
      const { text, failure } = lines.score(block, source.name);
      if (head + text) await write(head + text);
      if (failure) throw failure;
    }
    const rest = lines?.finish();
    if (rest) await write(rest);
  };
  await writeTable(output, job).finally(source.close);
  const note = lines?.note(source.name);
  if (note !== undefined) printToStderr(`seqlik: ${stripControls(note)}`);
}
export function formatsOf(from: Dialect, path: string): Formats {
  const { format: to, delimiter } = outputOf(path, from);
  return { from: from.format, to, ...(delimiter && { delimiter }), ...(from.decimal && { decimal: from.decimal }) };
}
