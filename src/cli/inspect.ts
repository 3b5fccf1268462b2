/** `seqlik inspect`: what a model is, and how well it describes data. */

import type { Command } from 'commander';
import { MixtureDensityNetwork, SeqlikError } from '../index.ts';
import type { Block, Wanted } from '../table/blocks.ts';
import { Counts, gapsOf } from '../table/counts.ts';
import { inData } from '../table/errors.ts';
import { blocksOf } from '../table/read.ts';
import { openSource } from '../table/source.ts';
import { criteria } from './criteria.ts';
import { describe, short } from './describe.ts';
import { columnsFor, sequencesFor } from './inputs.ts';
import { type AnyModel, type RowModel, readModel } from './model.ts';
import {
  type BackendChoice,
  type DataChoice,
  formatOfData,
  refuse,
  type SequenceChoice,
  sequenceOption,
  withBackend,
  withData,
} from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { Walk } from './walk.ts';
import { writing } from './write.ts';

interface Options extends BackendChoice, DataChoice, SequenceChoice {
  readonly json?: true;
  readonly progress: boolean;
}
/** How well a model describes data: for programs and for people. */
interface Fitness {
  readonly fitness: object;
  readonly lines: readonly string[];
}
/** Adds up what there is to say of the blocks of DATA. */
interface Judge {
  readonly wanted: Omit<Wanted, 'keep'>;
  add(block: Block): void;
  /** Of the file that was read. */
  sum(file: string): Fitness;
}

export function addInspect(program: Command): void {
  const command = program
    .command('inspect')
    .description('describe a model, and how well it describes DATA')
    .argument('<MODEL>', 'a file that fit wrote')
    .argument('[DATA]', 'CSV with a header line, or NDJSON; - is stdin')
    .addOption(sequenceOption())
    .option('--json', 'one JSON object on stdout');
  withBackend(withData(command)).action(inspect);
}

async function inspect(modelPath: string, dataPath: string | undefined, options: Options): Promise<void> {
  const model = await readModel(modelPath, options);
  const { described, text: description } = describe(model);
  const data = dataPath === undefined ? undefined : await judged(judgeOf(model, options), dataPath, options);
  const text = options.json
    ? JSON.stringify({ ...described, ...(data && { data: data.fitness }) })
    : [description, ...(data ? [data.lines.join('\n')] : [])].join('\n\n');
  await writing('-', (write) => write(`${text}\n`));
}
function judgeOf(model: AnyModel, options: Options): Judge {
  if (model instanceof MixtureDensityNetwork) return new SequenceJudge(model, options);
  refuse(options, ['sequence']);
  return new RowJudge(model, options);
}

async function judged(judge: Judge, path: string, options: Options): Promise<Fitness> {
  const format = formatOfData(path, options.format);
  const source = await openSource(path);
  const progress = new Progress(options.progress, source.size);
  let rows = 0;
  try {
    for await (const block of blocksOf(source, format, { keep: [], ...judge.wanted })) {
      try {
        judge.add(block);
      } catch (error) {
        throw inData(error, source.name, block.columns, (row) => block.lines[row]!);
      }
      progress.update(source.taken, rowsText((rows += block.n)));
    }
  } finally {
    progress.stop();
  }
  return judge.sum(source.name);
}

class RowJudge implements Judge {
  readonly wanted: Judge['wanted'];
  private readonly counts = new Counts();
  private logLikelihood = 0;
  constructor(
    private readonly model: RowModel,
    { columns }: Options,
  ) {
    this.wanted = { ...columnsFor(model, columns), dimension: model.dimension };
  }
  add(block: Block): void {
    for (const value of this.model.logDensity(block.x, gapsOf(block))) this.logLikelihood += value; // as model.logLikelihood does
    this.counts.add(block, this.model.dimension);
  }
  sum(file: string): Fitness {
    const { logLikelihood } = this;
    const { rows, observed, gaps } = this.counts;
    if (observed === 0) throw new SeqlikError('EMPTY_INPUT', `${file}: no row holds an observation`, { file });
    const { parameters, bic, aic } = criteria(this.model, logLikelihood, observed);
    const meanLogDensity = logLikelihood / observed;
    return {
      fitness: { rows, observedRows: observed, gaps, logLikelihood, meanLogDensity, parameters, bic, aic },
      lines: [
        `${file}: ${rows} rows, ${rows - observed} of them empty, ${gaps} gaps`,
        `mean log-density  ${short(meanLogDensity)}`,
        `log-likelihood    ${short(logLikelihood)}`,
        `BIC               ${short(bic)}`,
        `AIC               ${short(aic)}  (${parameters} parameters)`,
      ],
    };
  }
}

class SequenceJudge implements Judge {
  readonly wanted: Judge['wanted'];
  private readonly walk: Walk;
  private rows = 0;
  private sequences = 0;
  private logLikelihood = 0;
  constructor(model: MixtureDensityNetwork, options: Options) {
    this.wanted = sequencesFor(model, options);
    this.walk = new Walk(model);
  }
  add({ x, n, starts }: Block): void {
    for (const value of this.walk.next(x, n, starts)) if (!Number.isNaN(value)) this.logLikelihood += value;
    this.rows += n;
    this.sequences += starts.length;
  }
  sum(file: string): Fitness {
    const { rows, sequences, logLikelihood } = this;
    const steps = rows - sequences;
    if (steps === 0) throw new SeqlikError('EMPTY_INPUT', `${file}: no sequence has two rows`, { file });
    const logLikelihoodPerStep = logLikelihood / steps;
    return {
      fitness: { rows, sequences, steps, logLikelihood, logLikelihoodPerStep },
      lines: [
        `${file}: ${sequences} sequences, ${rows} rows, ${steps} steps`,
        `log-likelihood per step  ${short(logLikelihoodPerStep)}`,
        `log-likelihood           ${short(logLikelihood)}`,
      ],
    };
  }
}
