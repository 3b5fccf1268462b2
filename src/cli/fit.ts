/** `seqlik fit`: fits a model to DATA and writes it to a file. */
import type { Command } from 'commander';
import { RowBuffer } from '../table/buffer.ts';
import { openSource } from '../table/source.ts';
import { usageError } from './errors.ts';
import { printToStderr, stripControls } from './exit.ts';
import type { FitKind, FitOptions } from './fit/kind.ts';
import { kinds, optionsByKind } from './kinds.ts';
import {
  addBackendOptions,
  addDataOptions,
  addKindOptions,
  backendOf,
  formatOfData,
  list,
  refuseForeign,
} from './options.ts';
import { readBlocks } from './read.ts';
import { writeTo } from './write.ts';

const byKind = optionsByKind('fit');
const later = ['recurrent-classifier', 'two-layer-classifier'];

export function addFit(program: Command): void {
  const command = program
    .command('fit')
    .description('fit a model to DATA, with all rows in memory')
    .argument('<KIND>', Object.keys(kinds).join(', '))
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .requiredOption('-o, --output <MODEL>', 'the file to write; - is stdout')
    .option('--json', 'the report as one JSON object on stdout');
  addKindOptions(addBackendOptions(addDataOptions(command)), byKind).action(fit);
}

async function fit(kindName: string, dataPath: string, options: FitOptions): Promise<void> {
  const kind = kindOf(kindName);
  const format = formatOfData(dataPath, options.format);
  const { columns, output } = options;
  if (options.json && output === '-') throw usageError('-o - and --json cannot both have stdout');
  const backend = backendOf(options);
  refuseForeign(options, byKind, kind.options);
  const fitting = kind.start(options, backend);
  await fitting.validate();

  const source = await openSource(dataPath);
  const startedAt = performance.now();
  const { report, data, lines } = await writeTo(output, async (write) => {
    const rows = new RowBuffer(source.name, fitting.wanted.weights !== undefined);
    const wanted = { keep: [], ...(columns && { columns }), ...fitting.wanted };
    for await (const block of readBlocks(source, format, wanted, options.progress)) rows.add(block);
    const fitted = await fitting.run(rows, source.name);
    await write(fitted.model.toBytes());
    const report = {
      kind: kindName,
      model: output,
      columns: rows.names,
      rows: rows.counts.rows,
      ...fitted.report,
      seconds: (performance.now() - startedAt) / 1000,
      backend: { name: backend.name, isa: backend.isa, threads: backend.threads },
    };
    return { ...fitted, report };
  });
  if (options.json) await writeTo('-', (write) => write(`${JSON.stringify(report)}\n`));
  else {
    const { name, isa } = report.backend;
    const title = `${kindName} of ${report.columns.length} columns fitted to ${data}`;
    const end = `${report.seconds.toFixed(2)} s on ${name} ${isa}, written to ${output === '-' ? 'stdout' : output}`;
    printToStderr([title, ...lines, end].map(stripControls).join('\n'));
  }
}

function kindOf(kind: string): FitKind {
  if (Object.hasOwn(kinds, kind)) return kinds[kind as keyof typeof kinds].fit;
  const known = list(Object.keys(kinds));
  throw usageError(
    later.includes(kind)
      ? `${kind} is not there yet: only ${known}`
      : `no kind of model is called ${kind}: there are ${known}`,
  );
}
