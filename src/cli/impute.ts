/** `seqlik impute`: writes the rows of DATA with their gaps filled. */
import { type Command, Option } from 'commander';
import type { Block } from '../table/blocks.ts';
import { toOptionError, usageError } from './errors.ts';
import { readModel } from './model.ts';
import {
  addBackendOptions,
  addDataOptions,
  dataText,
  dialectOf,
  examplesText,
  modelText,
  number,
  wholeNumber,
} from './options.ts';
import { addOutputOptions, formatsOf, rewrite } from './rewrite.ts';
import { type RowModel, rowsFor } from './rows.ts';
import { type Formats, type ScoreOptions, Scores } from './score/kind.ts';
import { refuseOverwrite } from './write.ts';

interface ImputeOptions extends ScoreOptions {
  readonly draws?: number;
  readonly seed: number;
}
const examples = [
  'seqlik impute birds.seqlik birds.csv --keep name -o full.csv',
  'seqlik impute birds.seqlik birds.csv --draws 5 --seed 1 -o drawn.csv.gz',
];

export function addImpute(program: Command): void {
  const command = program
    .command('impute')
    .description(
      `write the input columns of each row of DATA with their gaps filled: by the means that a gaussian or a \
gaussian-mixture expects given the rest of the row, or by draws`,
    )
    .argument('<MODEL>', modelText)
    .argument('<DATA>', dataText);
  addBackendOptions(addDataOptions(addOutputOptions(command)))
    .addOption(
      new Option(
        '--draws <n>',
        'this many lines for each row, numbered in the column draw (default: the means)',
      ).argParser(wholeNumber('--draws')),
    )
    .option('--seed <n>', '0 to 2^32 - 1; the same seed gives the same draws', number, 0)
    .addHelpText('after', examplesText(examples))
    .action(impute);
}

async function impute(modelPath: string, dataPath: string, options: ImputeOptions): Promise<void> {
  const dialect = dialectOf(dataPath, options);
  refuseOverwrite({ '-o': options.output }, { DATA: dataPath, MODEL: modelPath });
  const model = await readModel(modelPath, options, dataPath);
  if (model.kind !== 'gaussian' && model.kind !== 'gaussian-mixture')
    throw usageError(`a ${model.kind} fills no gaps: only gaussian and gaussian-mixture do`);
  const { draws, seed } = options;
  try {
    model.impute(new Float64Array(), { ...(draws !== undefined && { draws }), seed });
  } catch (error) {
    throw toOptionError(error);
  }
  const formats = formatsOf(dialect, options.output);
  const wanted = { ...rowsFor(model, options), width: (draws ?? 1) * model.dimension };
  await rewrite(dataPath, dialect, options, {
    wanted,
    lines: (columns) => new Filled(model, columns, options, formats),
  });
}

class Filled extends Scores {
  readonly wanted = {};
  private readonly gap: string;
  private blocks = 0;
  constructor(
    private readonly model: RowModel,
    columns: readonly string[],
    private readonly options: ImputeOptions,
    formats: Formats,
  ) {
    super(options.keep, options.draws === undefined ? columns : ['draw', ...columns], formats);
    this.gap = formats.to === 'csv' ? '' : 'null';
  }
  protected linesFor(block: Block, n: number): string {
    const { model, gap } = this;
    const { draws, seed, keep } = this.options;
    const d = model.dimension;
    const drawing = draws === undefined ? {} : { draws, seed: (seed ^ Math.imul(this.blocks++, 0x9e3779b1)) >>> 0 };
    const x = block.x.subarray(0, n * d);
    const filled = model.impute(x, { missing: 'nan', unscorable: 'mark', ...drawing });
    const { before, end } = this.form;
    let text = '';
    for (let row = 0; row < n; row++) {
      const begin = this.beginLine(block, row);
      let marked = false;
      for (let s = 0; s < (draws ?? 1); s++) {
        let j = keep.length;
        text += begin;
        if (draws !== undefined) text += before[j++]! + s;
        for (let at = (s * n + row) * d; j < before.length; at++, j++) {
          const value = filled[at]!;
          if (Number.isNaN(value)) marked = true;
          text += before[j]! + (Number.isNaN(value) ? gap : value);
        }
        text += end;
      }
      if (marked) this.countUnscorable(block.lines[row]!);
    }
    return text;
  }
  protected override readonly describeUnscorable = (isOne: boolean): string =>
    `${isOne ? 'keeps its' : 'keep their'} gaps, too far from the model for a density in a double`;
}
