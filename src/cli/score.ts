/** `seqlik score`: a line of OUT for each row of DATA, or for each sequence. */

import { type Command, Option } from 'commander';
import { MixtureDensityNetwork } from '../index.ts';
import { blocksOf } from '../table/read.ts';
import { openSource } from '../table/source.ts';
import { type AnyModel, readModel } from './model.ts';
import {
  type BackendChoice,
  type DataChoice,
  formatOfData,
  formatOfOutput,
  names,
  refuse,
  type SequenceChoice,
  sequenceOption,
  withBackend,
  withData,
} from './options.ts';
import { Progress, rowsText } from './progress.ts';
import type { Formats, Scores } from './score/lines.ts';
import { SequenceScores } from './score/network.ts';
import { RowScores } from './score/rows.ts';
import { writing } from './write.ts';

interface Options extends BackendChoice, DataChoice, SequenceChoice {
  readonly output: string;
  readonly keep: readonly string[];
  readonly perSequence?: true;
  readonly progress: boolean;
}

export function addScore(program: Command): void {
  const command = program
    .command('score')
    .description(
      'write the log-density of each row of DATA; of a mixture the component, too, and whether it is an anomaly; of a network given the rows before it',
    )
    .argument('<MODEL>', 'a file that fit wrote')
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .option('-o, --output <OUT>', 'where to; - is stdout', '-')
    .addOption(
      new Option('--keep <a,b,c>', 'columns of DATA that OUT begins with').argParser(names).default([], 'none'),
    )
    .addOption(sequenceOption())
    .option('--per-sequence', 'a line for each sequence: its steps and log-likelihood');
  withBackend(withData(command)).action(score);
}

async function score(modelPath: string, dataPath: string, options: Options): Promise<void> {
  const { output, keep } = options;
  const from = formatOfData(dataPath, options.format);
  const model = await readModel(modelPath, options);
  const scores = scoresOf(model, options, { from, to: formatOfOutput(output, from) });
  const source = await openSource(dataPath);
  const shown = options.progress && !(output === '-' && process.stdout.isTTY);
  await writing(output, async (write) => {
    const progress = new Progress(shown, source.size);
    let rows = 0;
    try {
      let { head } = scores; // goes with the first rows, so that nothing is written of data that have no columns
      const wanted = { keep, ...scores.wanted };
      for await (const block of blocksOf(source, from, wanted)) {
        const { text, failure } = scores.of(block, source.name);
        if (head + text) await write(head + text);
        head = '';
        if (failure) throw failure;
        progress.update(source.taken, rowsText((rows += block.n)));
      }
      const rest = scores.end();
      if (rest) await write(rest);
    } finally {
      progress.stop();
    }
  });
}

function scoresOf(model: AnyModel, options: Options, formats: Formats): Scores {
  if (model instanceof MixtureDensityNetwork) return new SequenceScores(model, options, formats);
  refuse(options, ['sequence', 'perSequence']);
  return new RowScores(model, options, formats);
}
