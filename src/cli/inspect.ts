/** `seqlik inspect`: describes a model, and how well it describes DATA. */
import type { Command } from 'commander';
import { fileError, toDataError } from '../table/errors.ts';
import { openSource } from '../table/source.ts';
import { usageError } from './errors.ts';
import type { Evaluation, Fitness, InspectOptions } from './inspect/kind.ts';
import { optionsByKind, treatmentOf } from './kinds.ts';
import { type AnyModel, readModel } from './model.ts';
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
import { readBlocks } from './read.ts';
import { writeTo } from './write.ts';

const examples = ['seqlik inspect birds.seqlik', 'seqlik inspect birds.seqlik birds.csv --json'];
const byKind = optionsByKind('inspect');

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('describe a model, and how well it describes DATA')
    .argument('<MODEL>', modelText)
    .argument('[DATA]', dataText)
    .option('--json', 'one JSON object on stdout');
  addKindOptions(addBackendOptions(addDataOptions(command)), byKind)
    .addHelpText('after', examplesText(examples))
    .action(inspect);
}

async function inspect(modelPath: string, dataPath: string | undefined, options: InspectOptions): Promise<void> {
  const { svg } = options;
  if (svg === '-') throw usageError('--svg needs a file: stdout has the text');
  const model = await readModel(modelPath, options, dataPath);
  if (svg !== undefined) refuseForeign(options, byKind, treatmentOf(model).inspect.options);
  if (svg !== undefined && dataPath === undefined)
    throw usageError('--svg draws the gradients on DATA, which is missing');
  const { described, text: description } = treatmentOf(model).describe(model);
  const data = dataPath === undefined ? undefined : await evaluate(start(model, options), dataPath, options);
  const { diagnosis, fitness, lines = [] } = data ?? {};
  const text = options.json
    ? JSON.stringify({ ...described, ...(data && { data: fitness }), ...(diagnosis && { diagnosis: diagnosis.found }) })
    : [diagnosis?.lines ?? [], [description], lines]
        .filter(({ length }) => length > 0)
        .map((part) => part.join('\n'))
        .join('\n\n');
  await writeTo('-', (write) => write(`${text}\n`));
  if (svg === undefined) return;
  if (!diagnosis) throw fileError('EMPTY_INPUT', dataPath!, 'no sequence is long enough to draw');
  await writeTo(svg, (write) => write(diagnosis.svg));
}
function start(model: AnyModel, options: InspectOptions): Evaluation {
  const kind = treatmentOf(model).inspect;
  refuseForeign(options, byKind, kind.options);
  return kind.start(model, options);
}
async function evaluate(evaluation: Evaluation, path: string, options: InspectOptions): Promise<Fitness> {
  const dialect = dialectOf(path, options);
  const source = await openSource(path);
  try {
    for await (const block of readBlocks(source, dialect, { keep: [], ...evaluation.wanted }, options.progress))
      try {
        evaluation.add(block);
      } catch (error) {
        throw toDataError(error, source.name, block.columns, (row) => block.lines[row]!);
      }
    return evaluation.finish(source.name);
  } finally {
    await source.close();
  }
}
