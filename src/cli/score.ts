/** `seqlik score`: writes a line of OUT for each row of DATA, or for each sequence. */
import type { Command } from 'commander';
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
  refuseForeign,
} from './options.ts';
import { addOutputOptions, formatsOf, rewrite } from './rewrite.ts';
import type { ScoreOptions } from './score/kind.ts';
import { refuseOverwrite } from './write.ts';

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
    .argument('<DATA>', dataText);
  addKindOptions(addBackendOptions(addDataOptions(addOutputOptions(command))), byKind)
    .addHelpText('after', examplesText(examples))
    .action(score);
}

async function score(modelPath: string, dataPath: string, options: ScoreOptions): Promise<void> {
  const { output } = options;
  const dialect = dialectOf(dataPath, options);
  refuseOverwrite({ '-o': output }, { DATA: dataPath, MODEL: modelPath });
  const model = await readModel(modelPath, options, dataPath);
  const kind = treatmentOf(model).score;
  refuseForeign(options, byKind, kind.options);
  const scores = kind.start(model, options, formatsOf(dialect, output));
  await rewrite(dataPath, dialect, options, { wanted: scores.wanted, lines: () => scores });
}
