/** `seqlik inspect`: what a model is, and how well it describes data. */
import type { Command } from 'commander';
import { SeqlikError } from '../index.ts';
import type { Block } from './blocks.ts';
import { type Criteria, criteria } from './criteria.ts';
import { Counts, gapsOf, inData } from './data.ts';
import { describe, short, textOf } from './describe.ts';
import { type BackendChoice, type DataChoice, formatOfData, withBackend, withData } from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { type AnyModel, openSource, readModel } from './read.ts';
import { blocksOf } from './rows.ts';
import { columnsFor } from './score.ts';
import { writing } from './write.ts';

interface Options extends BackendChoice, DataChoice {
  readonly json?: true;
  readonly progress: boolean;
}
interface Fitness extends Criteria {
  readonly rows: number;
  readonly observedRows: number;
  readonly gaps: number;
  readonly logLikelihood: number;
  readonly meanLogDensity: number;
}

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('describe a model, and how well it describes DATA')
    .argument('<MODEL>', 'a file that fit wrote')
    .argument('[DATA]', 'CSV with a header line, or NDJSON; - is stdin')
    .option('--json', 'one JSON object on stdout');
  withBackend(withData(command)).action(inspect);
}

async function inspect(modelPath: string, dataPath: string | undefined, options: Options): Promise<void> {
  const model = await readModel(modelPath, options);
  const described = describe(model);
  const data = dataPath === undefined ? undefined : await fitnessOf(model, dataPath, options);
  const text = options.json
    ? JSON.stringify({ ...described, ...(data && { data }) })
    : [textOf(described), ...(data ? [fitnessText(data, dataPath!)] : [])].join('\n\n');
  await writing('-', (write) => write(`${text}\n`));
}

async function fitnessOf(model: AnyModel, path: string, options: Options): Promise<Fitness> {
  const format = formatOfData(path, options.format);
  const wanted = { ...columnsFor(model, options.columns), keep: [], dimension: model.dimension };
  const source = await openSource(path);
  const progress = new Progress(options.progress, source.size);
  const counts = new Counts();
  let logLikelihood = 0;
  try {
    for await (const block of blocksOf(source, format, wanted)) {
      for (const value of densities(model, block, source.name)) logLikelihood += value; // as model.logLikelihood does
      counts.add(block, model.dimension);
      progress.update(source.taken, rowsText(counts.rows));
    }
  } finally {
    progress.stop();
  }
  const { rows, observed, gaps } = counts;
  if (observed === 0)
    throw new SeqlikError('EMPTY_INPUT', `${source.name}: no row holds an observation`, { file: source.name });
  const { parameters, bic, aic } = criteria(model, logLikelihood, observed);
  const meanLogDensity = logLikelihood / observed;
  return { rows, observedRows: observed, gaps, logLikelihood, meanLogDensity, parameters, bic, aic };
}
function densities(model: AnyModel, block: Block, file: string): Float64Array {
  try {
    return model.logDensity(block.x, gapsOf(block)) as Float64Array;
  } catch (error) {
    throw inData(error, file, block.columns, (row) => block.lines[row]!);
  }
}

function fitnessText(data: Fitness, path: string): string {
  const { rows, observedRows, gaps, logLikelihood, meanLogDensity, parameters, bic, aic } = data;
  return [
    `${path === '-' ? 'stdin' : path}: ${rows} rows, ${rows - observedRows} of them empty, ${gaps} gaps`,
    `mean log-density  ${short(meanLogDensity)}`,
    `log-likelihood    ${short(logLikelihood)}`,
    `BIC               ${short(bic)}`,
    `AIC               ${short(aic)}  (${parameters} parameters)`,
  ].join('\n');
}
