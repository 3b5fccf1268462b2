/** `seqlik score`: writes a line of OUT for each row of DATA, or for each sequence. */
import { type Command, Option } from 'commander';
import type { Dialect } from '../table/format.ts';
import { openSource } from '../table/source.ts';
import { printToStderr, stripControls } from './exit.ts';
import { optionsByKind, treatmentOf } from './kinds.ts';
import { readModel } from './model.ts';
import {
  addBackendOptions,
  addDataOptions,
  addKindOptions,
  dataText,
  dialectOf,
  examplesText,
  modelText,
  names,
  outputOf,
  refuseForeign,
} from './options.ts';
import { readBlocks } from './read.ts';
import type { Formats, ScoreOptions } from './score/kind.ts';
import { refuseOverwrite, type Write, writeTable } from './write.ts';

const examples = [
  'seqlik score birds.seqlik birds.csv --keep name -o scores.csv',
  'seqlik score tides.seqlik tides.csv --per-sequence',
];
const byKind = optionsByKind('score');

export function addScore(program: Command): void {
  const command = program
    .command('score')
    .description(
      `write the log-density of each row of DATA; for a mixture also its component, and whether it is an anomaly; \
for a network given the rows before it`,
    )
    .argument('<MODEL>', modelText)
    .argument('<DATA>', dataText)
    .option('-o, --output <OUT>', 'the file to write; - is stdout', '-')
    .addOption(
      new Option('--keep <a,b,c>', 'columns of DATA to put first in OUT').argParser(names).default([], 'none'),
    );
  addKindOptions(addBackendOptions(addDataOptions(command)), byKind)
    .addHelpText('after', examplesText(examples))
    .action(score);
}

async function score(modelPath: string, dataPath: string, options: ScoreOptions): Promise<void> {
  const { output, keep } = options;
  const dialect = dialectOf(dataPath, options);
  refuseOverwrite({ '-o': output }, { DATA: dataPath, MODEL: modelPath });
  const model = await readModel(modelPath, options, dataPath);
  const kind = treatmentOf(model).score;
  refuseForeign(options, byKind, kind.options);
  const scores = kind.start(model, options, formatsOf(dialect, output));
  const source = await openSource(dataPath);
  const shown = options.progress && !(output === '-' && process.stdout.isTTY);
  const job = async (write: Write): Promise<void> => {
    let { head } = scores; // written with the first rows, so that data without columns give no output
    for await (const block of readBlocks(source, dialect, { keep, ...scores.wanted }, shown)) {
      const { text, failure } = scores.score(block, source.name);
      if (head + text) await write(head + text);
      head = '';
      if (failure) throw failure;
    }
    const rest = scores.finish();
    if (rest) await write(rest);
  };
  await writeTable(output, job).finally(source.close);
  const note = scores.note(source.name);
  if (note !== undefined) printToStderr(`seqlik: ${stripControls(note)}`);
}
function formatsOf(from: Dialect, path: string): Formats {
  const { format: to, delimiter } = outputOf(path, from);
  return { from: from.format, to, ...(delimiter && { delimiter }) };
}
