/** `seqlik score`: writes a line of OUT for each row of DATA, or for each sequence. */
import { type Command, Option } from 'commander';
import { openSource } from '../table/source.ts';
import { optionsByKind, treatmentOf } from './kinds.ts';
import { readModel } from './model.ts';
import {
  addBackendOptions,
  addDataOptions,
  addKindOptions,
  formatOfData,
  formatOfOutput,
  names,
  refuseForeign,
} from './options.ts';
import { readBlocks } from './read.ts';
import type { ScoreOptions } from './score/kind.ts';
import { writeTo } from './write.ts';

const byKind = optionsByKind('score');

export function addScore(program: Command): void {
  const command = program
    .command('score')
    .description(
      `write the log-density of each row of DATA; for a mixture also its component, and whether it is an anomaly; \
for a network given the rows before it`,
    )
    .argument('<MODEL>', 'a file that fit wrote')
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .option('-o, --output <OUT>', 'the file to write; - is stdout', '-')
    .addOption(
      new Option('--keep <a,b,c>', 'columns of DATA to put first in OUT').argParser(names).default([], 'none'),
    );
  addKindOptions(addBackendOptions(addDataOptions(command)), byKind).action(score);
}

async function score(modelPath: string, dataPath: string, options: ScoreOptions): Promise<void> {
  const { output, keep } = options;
  const from = formatOfData(dataPath, options.format);
  const model = await readModel(modelPath, options);
  const kind = treatmentOf(model).score;
  refuseForeign(options, byKind, kind.options);
  const scores = kind.start(model, options, { from, to: formatOfOutput(output, from) });
  const source = await openSource(dataPath);
  const shown = options.progress && !(output === '-' && process.stdout.isTTY);
  await writeTo(output, async (write) => {
    let { head } = scores; // written with the first rows, so that data without columns give no output
    for await (const block of readBlocks(source, from, { keep, ...scores.wanted }, shown)) {
      const { text, failure } = scores.score(block, source.name);
      if (head + text) await write(head + text);
      head = '';
      if (failure) throw failure;
    }
    const rest = scores.finish();
    if (rest) await write(rest);
  });
}
