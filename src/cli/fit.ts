/** `seqlik fit`: a model of DATA, as a file. */

import type { Command } from 'commander';
import type { Wanted } from '../table/blocks.ts';
import { Held } from '../table/buffer.ts';
import type { Format } from '../table/format.ts';
import { blocksOf } from '../table/read.ts';
import { openSource, type Source } from '../table/source.ts';
import { misuse, plain, tell } from './exit.ts';
import type { FitOptions, FittingOf } from './fit/kind.ts';
import { NetworkFitting } from './fit/network.ts';
import { GaussianFitting, MixtureFitting } from './fit/rows.ts';
import {
  asOption,
  backendOf,
  formatOfData,
  number,
  numbers,
  sequenceOption,
  withBackend,
  withData,
} from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { writing } from './write.ts';

const kinds: Readonly<Record<string, FittingOf>> = {
  gaussian: GaussianFitting,
  'gaussian-mixture': MixtureFitting,
  'mixture-density-network': NetworkFitting,
};
const later = ['linear-dynamical-system', 'recurrent-classifier', 'two-layer-classifier'];

export function addFit(program: Command): void {
  const command = program
    .command('fit')
    .description('fit a model to DATA, all rows of which are held in memory')
    .argument('<KIND>', Object.keys(kinds).join(', '))
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .requiredOption('-o, --output <MODEL>', 'the file to write; - is stdout')
    .option('--json', 'the report as one JSON object on stdout');
  withBackend(withData(command));
  command
    .optionsGroup('Of several kinds:')
    .option('--components <n>', 'components of the mixture', number)
    .option('--seed <n>', '0 to 2^32 - 1; the same seed gives the same model (default: 0)', number)
    .option('--max-iterations <n>', 'at most so many; of a network epochs (default: 200; 100)', number)
    .option('--tolerance <t>', 'gain of the log-likelihood, relative, to stop at (default: 1e-7; none)', number)
    .option('--shard-size <n>', 'rows, of a network steps, that are summed together (default: 8192)', number);
  command
    .optionsGroup('Of gaussian and gaussian-mixture:')
    .option('--covariance-type <type>', 'full, diagonal; of a mixture also tied, spherical (default: full)')
    .option('--regularization <r>', 'added to the variances, in units of those of the data (default: 1e-6)', number)
    .option('--sample-weights <column>', 'the column that says what each row weighs');
  command
    .optionsGroup('Of gaussian-mixture:')
    .option('--restarts <n>', 'starts, of which the best is kept (default: 1)', number)
    .option('--initialization <name>', 'k-means++ or random (default: k-means++)')
    .option('--false-positive-rate <r>', 'share of DATA to call anomalies; stored with the mixture', number);
  command
    .optionsGroup('Of mixture-density-network:')
    .addOption(sequenceOption())
    .option('--hidden <a,b,c>', 'units of each layer', numbers)
    .option('--cell <name>', 'tanh, relu, lstm or gru (default: tanh)')
    .option('--mapping <name>', 'what raw outputs mean as covariances (default: chol-exp)')
    .option('--binary <n>', 'so many of the last columns are 0 or 1 (default: 0)', number)
    .option('--input-skip', 'every layer sees the input, not the first alone')
    .option('--optimizer <name>', 'adam or sgd (default: adam)')
    .option('--momentum <m>', 'of sgd (default: 0.9)', number)
    .option('--learning-rate <r>', 'of the loss per step (default: 1e-2)', number)
    .option('--schedule <name>', 'of the learning rate: constant, cosine or plateau (default: plateau)')
    .option('--batch <n>', 'sequences of a step of the optimizer (default: 32)', number)
    .option('--clip <c>', 'the longest a gradient may be; 0: any (default: 5)', number)
    .option('--validation <r>', 'share of the sequences to hold out, to find the best epoch (default: 0.1)', number)
    .option('--patience <n>', 'epochs without a better one, to stop after (default: 10)', number)
    .option('--min-standard-deviation <s>', 'of a component, in units of that of the data (default: 1e-3)', number)
    .option('--checkpoint <file>', 'where to save, after each epoch, all that is needed to go on')
    .option('--resume <file>', 'go on from such a file');
  command.action(fit);
}

async function fit(kind: string, dataPath: string, options: FitOptions): Promise<void> {
  const Fitting = kindOf(kind);
  const format = formatOfData(dataPath, options.format);
  const { columns, output } = options;
  if (options.json && output === '-') throw misuse('-o - and --json cannot both have stdout');
  const backend = backendOf(options);
  const fitting = new Fitting(options, backend);
  await fitting.check();

  const source = await openSource(dataPath);
  const started = performance.now();
  const { report, data, lines } = await writing(output, async (write) => {
    const held = new Held(source.name, fitting.wanted.weights !== undefined);
    await readInto(
      held,
      source,
      format,
      { keep: [], ...(columns && { columns }), ...fitting.wanted },
      options.progress,
    );
    const fitted = await fitting.run(held, source.name);
    await write(fitted.model.toBytes());
    const report = {
      kind,
      model: output,
      columns: held.names,
      rows: held.counts.rows,
      ...fitted.report,
      seconds: (performance.now() - started) / 1000,
      backend: { name: backend.name, isa: backend.isa, threads: backend.threads },
    };
    return { ...fitted, report };
  });
  if (options.json) await writing('-', (write) => write(`${JSON.stringify(report)}\n`));
  else {
    const { name, isa } = report.backend;
    const title = `${kind} of ${report.columns.length} columns fitted to ${data}`;
    const end = `${report.seconds.toFixed(2)} s on ${name} ${isa}, written to ${output === '-' ? 'stdout' : output}`;
    tell([title, ...lines, end].map(plain).join('\n'));
  }
}

async function readInto(held: Held, source: Source, format: Format, wanted: Wanted, shown: boolean): Promise<void> {
  const progress = new Progress(shown, source.size);
  try {
    for await (const block of blocksOf(source, format, wanted)) {
      held.add(block);
      progress.update(source.taken, rowsText(held.counts.rows));
    }
  } catch (error) {
    throw asOption(error);
  } finally {
    progress.stop();
  }
}

function kindOf(kind: string): FittingOf {
  if (Object.hasOwn(kinds, kind)) return kinds[kind]!;
  const here = Object.keys(kinds)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
  throw misuse(
    later.includes(kind)
      ? `${kind} is not there yet: only ${here}`
      : `no kind of model is called ${kind}: there are ${here}`,
  );
}
