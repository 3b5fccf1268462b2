/** `seqlik score`: a line of OUT for each row of DATA. */
import { type Command, Option } from 'commander';
import { GaussianMixture, SeqlikError } from '../index.ts';
import type { Block } from './blocks.ts';
import { gapsOf, inData } from './data.ts';
import { misuse } from './exit.ts';
import {
  type BackendChoice,
  type DataChoice,
  type Format,
  formatOfData,
  formatOfOutput,
  names,
  withBackend,
  withData,
} from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { type AnyModel, openSource, readModel } from './read.ts';
import { blocksOf, type Lines, linesOf, written } from './rows.ts';
import { writing } from './write.ts';

interface Options extends BackendChoice, DataChoice {
  readonly output: string;
  readonly keep: readonly string[];
  readonly progress: boolean;
}

export function addScore(program: Command): void {
  const command = program
    .command('score')
    .description(
      'write the log-density of each row of DATA; of a mixture the component, too, and whether it is an anomaly',
    )
    .argument('<MODEL>', 'a file that fit wrote')
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .option('-o, --output <OUT>', 'where to; - is stdout', '-')
    .addOption(
      new Option('--keep <a,b,c>', 'columns of DATA that OUT begins with').argParser(names).default([], 'none'),
    );
  withBackend(withData(command)).action(score);
}

async function score(modelPath: string, dataPath: string, options: Options): Promise<void> {
  const { output, keep } = options;
  const from = formatOfData(dataPath, options.format);
  const to = formatOfOutput(output, from);
  const model = await readModel(modelPath, options);
  const columns = columnsFor(model, options.columns);
  const results = new Results(model, keep, from, to);
  const source = await openSource(dataPath);
  const shown = options.progress && !(output === '-' && process.stdout.isTTY);
  await writing(output, async (write) => {
    const progress = new Progress(shown, source.size);
    let rows = 0;
    try {
      let { head } = results; // goes with the first rows, so that nothing is written of data that have no columns
      const wanted = { ...columns, keep, dimension: model.dimension, width: results.width };
      for await (const block of blocksOf(source, from, wanted)) {
        const { text, failure } = results.of(block, source.name);
        if (head + text) await write(head + text);
        head = '';
        if (failure) throw failure;
        progress.update(source.taken, rowsText((rows += block.n)));
      }
    } finally {
      progress.stop();
    }
  });
}

/** The inputs by name: those asked for, else those stored with the model. */
export function columnsFor(model: AnyModel, asked?: readonly string[]): { columns?: readonly string[] } {
  if (asked && asked.length !== model.dimension)
    throw misuse(`--columns names ${asked.length} columns, the model has ${model.dimension}`);
  const columns = asked ?? model.columns;
  return columns ? { columns } : {};
}

class Results {
  readonly head: string;
  /** Values per row of what a mixture computes. */
  readonly width: number;
  private readonly form: Lines;
  private readonly kept: (text: string | undefined) => string;
  constructor(
    private readonly model: AnyModel,
    private readonly keep: readonly string[],
    from: Format,
    to: Format,
  ) {
    const mixture = model instanceof GaussianMixture ? model : undefined;
    const own = ['logDensity', ...(mixture ? ['component'] : []), ...(mixture?.anomaly ? ['anomaly'] : [])];
    const twice = keep.find((name) => own.includes(name));
    if (twice !== undefined) throw misuse(`--keep ${twice}: OUT has a column of that name already`);
    this.form = linesOf(to, [...keep, ...own]);
    this.head = this.form.head;
    this.kept = written(from, to);
    this.width = mixture?.componentCount ?? 1;
  }
  /** The lines of a block; up to a row without a density, if there is one: the failure. */
  of(block: Block, file: string): { text: string; failure?: unknown } {
    try {
      return { text: this.lines(block, block.n) };
    } catch (error) {
      const failure = inData(error, file, block.columns, (row) => block.lines[row]!);
      const row = error instanceof SeqlikError ? error.row : undefined;
      return { text: row === undefined ? '' : this.lines(block, row), failure };
    }
  }
  private lines(block: Block, n: number): string {
    const { model, keep } = this;
    const x = block.x.subarray(0, n * model.dimension);
    const gaps = gapsOf(block);
    const logDensity = model.logDensity(x, gaps);
    const mixture = model instanceof GaussianMixture ? model : undefined;
    const component = mixture?.classify(x, gaps);
    const threshold = mixture?.anomaly?.threshold;
    const { before, end } = this.form;
    let text = '';
    for (let row = 0; row < n; row++) {
      let j = 0;
      for (; j < keep.length; j++) text += before[j]! + this.kept(block.kept[row * keep.length + j]);
      text += before[j++]! + logDensity[row];
      if (component) text += before[j++]! + component[row];
      if (threshold !== undefined) text += before[j++]! + (logDensity[row]! < threshold);
      text += end;
    }
    return text;
  }
}
