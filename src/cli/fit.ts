/** `seqlik fit`: a model of DATA, as a file. */
import type { Command } from 'commander';
import { type FitProgress, type FitReport, Gaussian, GaussianMixture, SeqlikError } from '../index.ts';
import type { Wanted } from './blocks.ts';
import { type Criteria, criteria } from './criteria.ts';
import { gapsOf, inData } from './data.ts';
import { short } from './describe.ts';
import { misuse, plain, tell } from './exit.ts';
import { Held } from './held.ts';
import {
  asOption,
  type BackendChoice,
  backendOf,
  type DataChoice,
  type Format,
  formatOfData,
  number,
  withBackend,
  withData,
} from './options.ts';
import { Progress, rowsText } from './progress.ts';
import { type AnyModel, openSource, type Source } from './read.ts';
import { blocksOf } from './rows.ts';
import { writing } from './write.ts';

type Settings = NonNullable<Parameters<typeof GaussianMixture.fit>[1]>;
const fits = {
  gaussian: (x: Float64Array, settings: object) => Gaussian.fit(x, settings),
  'gaussian-mixture': (x: Float64Array, settings: object) => GaussianMixture.fit(x, settings),
} as const;
const later = ['mixture-density-network', 'linear-dynamical-system', 'recurrent-classifier', 'two-layer-classifier'];

/** The options of the library's fits that are options here, under the same names. */
const settingNames = [
  'components',
  'covarianceType',
  'restarts',
  'initialization',
  'regularization',
  'seed',
  'maxIterations',
  'tolerance',
  'shardSize',
  'falsePositiveRate',
] as const satisfies readonly (keyof Settings)[];
interface Options extends BackendChoice, DataChoice, Pick<Settings, (typeof settingNames)[number]> {
  readonly output: string;
  readonly sampleWeights?: string;
  readonly json?: true;
  readonly progress: boolean;
}
interface Report extends Omit<FitReport, 'history'>, Partial<Criteria> {
  readonly kind: string;
  readonly model: string;
  readonly columns: readonly string[];
  readonly rows: number;
  readonly observedRows: number;
  readonly gaps: number;
  readonly history: readonly number[];
  readonly anomaly?: { readonly threshold: number; readonly falsePositiveRate: number };
  readonly seconds: number;
  readonly backend: { readonly name: string; readonly isa: string; readonly threads: number };
}

export function addFit(program: Command): void {
  const command = program
    .command('fit')
    .description('fit a model to DATA, all rows of which are held in memory')
    .argument('<KIND>', Object.keys(fits).join(' or '))
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .requiredOption('-o, --output <MODEL>', 'the file to write; - is stdout')
    .option('--components <n>', 'components of the mixture', number)
    .option('--covariance-type <type>', 'full, diagonal; of a mixture also tied, spherical (default: full)')
    .option('--restarts <n>', 'starts, of which the best is kept (default: 1)', number)
    .option('--initialization <name>', 'k-means++ or random (default: k-means++)')
    .option('--regularization <r>', 'added to the variances, in units of those of the data (default: 1e-6)', number)
    .option('--seed <n>', '0 to 2^32 - 1; the same seed gives the same model (default: 0)', number)
    .option('--max-iterations <n>', 'at most so many (default: 200)', number)
    .option('--tolerance <t>', 'gain of the log-likelihood, relative, to stop at (default: 1e-7)', number)
    .option('--shard-size <n>', 'rows that are summed together (default: 8192)', number)
    .option('--false-positive-rate <r>', 'share of DATA to call anomalies; stored with the mixture', number)
    .option('--sample-weights <column>', 'the column that says what each row weighs')
    .option('--json', 'the report as one JSON object on stdout');
  withBackend(withData(command)).action(fit);
}

async function fit(kind: string, dataPath: string, options: Options): Promise<void> {
  const fitKind = kindOf(kind);
  const format = formatOfData(dataPath, options.format);
  const { columns, sampleWeights: weights, output } = options;
  if (weights !== undefined && columns?.includes(weights))
    throw misuse(`--columns and --sample-weights both name ${weights}`);
  if (options.json && output === '-') throw misuse('-o - and --json cannot both have stdout');
  const backend = backendOf(options);
  const settings = { ...settingsOf(options), backend };
  await checked(fitKind, settings);

  const source = await openSource(dataPath);
  const started = performance.now();
  const report = await writing(output, async (write): Promise<Report> => {
    const wanted = { keep: [], ...(columns && { columns }), ...(weights !== undefined && { weights }) };
    const held = new Held(source.name, weights !== undefined);
    await readInto(held, source, format, wanted, options.progress);
    const { x, sampleWeights } = held.take();
    const { names, counts } = held;
    const watched = watching(options.progress);
    const { model, report } = await fitKind(x, {
      ...settings,
      ...(sampleWeights && { sampleWeights }),
      ...gapsOf(counts),
      dimension: names.length,
      onProgress: watched.update,
    })
      .catch((error) => {
        throw asOption(inData(error, source.name, names, (row) => held.lineOf(row)));
      })
      .finally(watched.stop);
    const named = withColumns(model, names);
    await write(named.toBytes());
    return {
      kind,
      model: output,
      columns: names,
      rows: counts.rows,
      observedRows: counts.observed,
      gaps: counts.gaps,
      ...report,
      history: [...report.history],
      ...(!sampleWeights && criteria(named, report.logLikelihood, counts.observed)), // no number of rows is right for weights
      ...(named instanceof GaussianMixture && named.anomaly && { anomaly: named.anomaly }),
      seconds: (performance.now() - started) / 1000,
      backend: { name: backend.name, isa: backend.isa, threads: backend.threads },
    };
  });
  if (options.json) await writing('-', (write) => write(`${JSON.stringify(report)}\n`));
  else tell(textOf(report, source.name));
}

async function readInto(held: Held, source: Source, format: Format, wanted: Wanted, shown: boolean): Promise<void> {
  const progress = new Progress(shown, source.size);
  try {
    for await (const block of blocksOf(source, format, wanted)) {
      held.add(block);
      progress.update(source.taken, rowsText(held.counts.rows));
    }
  } finally {
    progress.stop();
  }
}

function kindOf(kind: string): (typeof fits)[keyof typeof fits] {
  if (Object.hasOwn(fits, kind)) return fits[kind as keyof typeof fits];
  const here = Object.keys(fits).join(' and ');
  throw misuse(
    later.includes(kind)
      ? `${kind} is not there yet: only ${here}`
      : `no kind of model is called ${kind}: there are ${here}`,
  );
}
const settingsOf = (options: Options): object =>
  Object.fromEntries(settingNames.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined));

/** Lets the library look at the options before a large file is read: a fit of nothing ends with EMPTY_INPUT if they are right. */
async function checked(fitKind: ReturnType<typeof kindOf>, settings: object): Promise<void> {
  try {
    await fitKind(new Float64Array(), settings);
  } catch (error) {
    if (!(error instanceof SeqlikError && error.code === 'EMPTY_INPUT')) throw asOption(error);
  }
}

function watching(shown: boolean): { update: (progress: FitProgress) => void; stop: () => void } {
  let bar: Progress | undefined;
  let iterations = 0;
  return {
    update: ({ maxIterations, restarts, logLikelihood }) => {
      bar ??= new Progress(shown, maxIterations * restarts);
      bar.update(++iterations, `iteration ${iterations}, log-likelihood ${short(logLikelihood)}`);
    },
    stop: () => bar?.stop(),
  };
}

function withColumns(model: AnyModel, columns: readonly string[]): AnyModel {
  const { backend } = model;
  if (!(model instanceof GaussianMixture)) return new Gaussian(model.parameters, { backend, columns });
  const { anomaly } = model;
  return new GaussianMixture(model.parameters, { backend, columns, ...(anomaly && { anomaly }) });
}

function textOf(report: Report, file: string): string {
  const { rows, observedRows, gaps, columns, iterations, converged, logLikelihood, bic, seconds, backend } = report;
  const { anomaly, warnings } = report;
  const lines = [
    `${report.kind} of ${columns.length} columns fitted to ${rows} rows of ${file} (${rows - observedRows} empty, ${gaps} gaps)`,
    `${iterations} iterations, ${converged ? 'converged' : 'not converged'}`,
    `log-likelihood ${short(logLikelihood)}${bic === undefined ? '' : `, BIC ${short(bic)}`}`,
    ...(anomaly ? [`anomaly: log-density below ${short(anomaly.threshold)}`] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
    `${seconds.toFixed(2)} s on ${backend.name} ${backend.isa}, written to ${report.model === '-' ? 'stdout' : report.model}`,
  ];
  return lines.map(plain).join('\n');
}
