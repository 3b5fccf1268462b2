/** `seqlik fit`: fits a model to DATA and writes it to a file. */
import type { Command } from 'commander';
import { RowBuffer } from '../table/buffer.ts';
import { openSource } from '../table/source.ts';
import { counted, nearest, usageError } from './errors.ts';
import { printToStderr, stripControls } from './exit.ts';
import type { FitKind, FitOptions } from './fit/kind.ts';
import { kinds, optionsByKind } from './kinds.ts';
import {
  addBackendOptions,
  addDataOptions,
  addKindOptions,
  backendOf,
  dataText,
  dialectOf,
  examplesText,
  list,
  refuseForeign,
} from './options.ts';
import { readBlocks } from './read.ts';
import { refuseOverwrite, writeTo } from './write.ts';

const examples = [
  'seqlik fit gaussian-mixture birds.csv -o birds.seqlik --columns beak,mass --components 2',
  'seqlik fit gaussian-mixture birds.csv -o birds.seqlik --columns beak,mass --components 1..8',
  'seqlik fit mixture-density-network tides.csv -o tides.seqlik --sequence day --hidden 32 --components 3',
];
const byKind = optionsByKind('fit');
const later: string[] = [];

export function addFit(program: Command): void {
  const command = program
    .command('fit')
    .description('fit a model to DATA, with all rows in memory; a mixture needs --components, a network also --hidden')
    .argument('<KIND>', Object.keys(kinds).join(', '))
    .argument('<DATA>', dataText)
    .requiredOption('-o, --output <MODEL>', 'the file to write; - is stdout')
    .option('--json', 'the report as one JSON object on stdout');
  addKindOptions(addBackendOptions(addDataOptions(command, false)), byKind)
    .addHelpText('after', examplesText(examples))
    .action(fit);
}

async function fit(kindName: string, dataPath: string, options: FitOptions): Promise<void> {
  const kind = kindOf(kindName);
  const dialect = dialectOf(dataPath, options);
  const { columns, output } = options;
  if (options.json && output === '-') throw usageError('-o - and --json cannot both have stdout');
  const { checkpoint } = options as { readonly checkpoint?: string };
  refuseOverwrite({ '-o': output, '--checkpoint': checkpoint }, { DATA: dataPath });
  const backend = backendOf(options);
  refuseForeign(options, byKind, kind.options);
  const fitting = kind.start(options, backend);
  await fitting.validate();

  const source = await openSource(dataPath);
  const startedAt = performance.now();
  const { report, data, lines } = await writeTo(output, async (write) => {
    const rows = new RowBuffer(source.name, fitting.wanted.weights !== undefined);
    const wanted = { keep: [], ...(columns && { columns }), ...fitting.wanted };
    for await (const block of readBlocks(source, dialect, wanted, options.progress)) rows.add(block);
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
  }).finally(source.close);
  if (options.json) await writeTo('-', (write) => write(`${JSON.stringify(report)}\n`));
  else {
    const { name, isa } = report.backend;
    const title = `${kindName} of ${counted(report.columns.length, 'column')} fitted to ${data}`;
    const end = `${report.seconds.toFixed(2)} s on ${name} ${isa}, written to ${output === '-' ? 'stdout' : output}`;
    printToStderr([title, ...lines, end].map(stripControls).join('\n'));
  }
}

function kindOf(kind: string): FitKind {
  if (Object.hasOwn(kinds, kind)) return kinds[kind as keyof typeof kinds].fit;
  const known = list(Object.keys(kinds));
  const close = nearest(kind, Object.keys(kinds));
  const guess = close === undefined ? '' : `did you mean ${close}? `;
  throw usageError(
    later.includes(kind)
      ? `${kind} is not there yet: only ${known}`
      : `no kind of model is called ${kind}: ${guess}there are ${known}`,
  );
}
