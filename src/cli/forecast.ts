/** `seqlik forecast`: predicts the rows after the end of each sequence of DATA. */
import { type Command, Option } from 'commander';
import type { LinearDynamicalSystem, SystemState } from '../index.ts';
import { type Block, keptOf } from '../table/blocks.ts';
import { toDataError } from '../table/errors.ts';
import { keptWriter, type Lines, linesOf } from '../table/lines.ts';
import { openSource } from '../table/source.ts';
import { formatNumber } from './align.ts';
import { toOptionError, usageError } from './errors.ts';
import { stripControls } from './exit.ts';
import { chartSvg } from './forecast/chart.ts';
import { halfWidth } from './forecast/interval.ts';
import { columnsOf } from './inputs.ts';
import { readModel } from './model.ts';
import {
  addBackendOptions,
  addDataOptions,
  type BackendChoice,
  type DataChoice,
  dialectOf,
  number,
  outputOf,
  type SequenceChoice,
  sequenceOption,
  wholeNumber,
} from './options.ts';
import { readBlocks } from './read.ts';
import { SystemWalk, systemRows } from './system.ts';
import { refuseOverwrite, writeTo } from './write.ts';

interface ForecastOptions extends BackendChoice, DataChoice, SequenceChoice {
  readonly steps: number;
  readonly level: number;
  readonly output?: string;
  readonly svg?: string;
  readonly progress: boolean;
}

export function addForecast(program: Command): void {
  const command = program
    .command('forecast')
    .description('predict the rows after each sequence of DATA: means and intervals of a linear-dynamical-system')
    .argument('<MODEL>', 'a file that fit wrote')
    .argument('<DATA>', 'CSV with a header line, or NDJSON; - is stdin')
    .requiredOption('--steps <n>', 'number of rows to predict', wholeNumber('--steps'))
    .addOption(new Option('--level <p>', 'probability of an interval').argParser(number).default(0.95))
    .option('-o, --output <OUT>', 'the file to write; - is stdout (default: -, or none with --svg)')
    .option('--svg <FILE>', 'draw the series, its smoothed mean and the forecast to this file; one sequence only')
    .addOption(sequenceOption());
  addBackendOptions(addDataOptions(command)).action(forecast);
}

/** A sequence that has ended: the kept cells of its last row, and its state. */
interface Ended {
  readonly kept: readonly (string | undefined)[];
  readonly state: SystemState;
}

async function forecast(modelPath: string, dataPath: string, options: ForecastOptions): Promise<void> {
  const { steps, level, svg } = options;
  if (svg === '-' && options.output === '-') throw usageError('-o - and --svg - cannot both have stdout');
  if (!(level > 0 && level < 1)) throw usageError('--level must be between 0 and 1');
  const output = options.output ?? (svg === undefined ? '-' : undefined);
  const dialect = dialectOf(dataPath, options);
  refuseOverwrite({ '-o': options.output, '--svg': svg }, { DATA: dataPath, MODEL: modelPath });
  const model = await readModel(modelPath, options, dataPath);
  if (model.kind !== 'linear-dynamical-system')
    throw usageError(`forecast needs a linear-dynamical-system, and ${modelPath} holds a ${model.kind}`);
  const wanted = { keep: [], ...systemRows(model, options) };
  const source = await openSource(dataPath);
  const reading = new Reading(model, svg !== undefined);
  try {
    for await (const block of readBlocks(source, dialect, wanted, options.progress))
      try {
        reading.add(block);
      } catch (error) {
        throw toDataError(error, source.name, block.columns, (row) => block.lines[row]!);
      }
  } finally {
    await source.close();
  }
  const ended = reading.finish();
  if (svg !== undefined && ended.length > 1) throw usageError('--svg draws one sequence, and DATA has several');
  const z = halfWidth(level);
  const columns = columnsOf(model);
  if (output !== undefined) {
    const names = columns.flatMap((name) => [name, `${name}_lower`, `${name}_upper`]);
    const { format: to, delimiter } = outputOf(output, dialect);
    const lines = linesOf(to, [...keptOf(wanted), 'step', ...names], delimiter);
    await writeTo(output, async (write) => {
      await write(lines.head);
      for (const each of ended)
        await write(linesFor(model, each, steps, z, lines, keptWriter(dialect.format, to, delimiter)));
    });
  }
  if (svg !== undefined)
    await writeTo(svg, (write) =>
      write(drawing(model, reading.rows(), steps, z, `${source.name}, ${level * 100} % bands`)),
    );
}

/** The filter over DATA, block by block; the rows themselves only if they are drawn. */
class Reading {
  private readonly walk: SystemWalk;
  private readonly ended: Ended[] = [];
  private last: readonly (string | undefined)[] | undefined;
  private readonly parts: Float64Array[] = [];
  constructor(
    private readonly model: LinearDynamicalSystem,
    private readonly whole: boolean,
  ) {
    this.walk = new SystemWalk(model);
  }
  add({ x, n, starts, kept, keptWidth }: Block): void {
    const d = this.model.dimension;
    const bounds = [...new Set([0, ...starts, n])];
    for (const [i, from] of bounds.slice(0, -1).entries()) {
      const to = bounds[i + 1]!;
      if (starts.includes(from)) this.close();
      const own = starts.filter((start) => start === from).map(() => 0);
      this.walk.next(x.subarray(from * d, to * d), to - from, own);
      if (to > from) this.last = kept.slice((to - 1) * keptWidth, to * keptWidth);
    }
    if (this.whole) this.parts.push(x.slice());
  }
  private close(): void {
    if (this.last) this.ended.push({ kept: this.last, state: this.walk.state! });
    this.last = undefined;
  }
  /** The sequences; data without rows are one, which has only its prior. */
  finish(): readonly Ended[] {
    this.close();
    return this.ended;
  }
  rows(): Float64Array {
    const rows = new Float64Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      rows.set(part, at);
      at += part.length;
    }
    return rows;
  }
}

function predict(model: LinearDynamicalSystem, state: SystemState, steps: number) {
  try {
    return model.forecast(state, steps);
  } catch (error) {
    throw toOptionError(error);
  }
}
function linesFor(
  model: LinearDynamicalSystem,
  { kept, state }: Ended,
  steps: number,
  z: number,
  { before, end }: Lines,
  write: (cell: string | undefined) => string,
): string {
  const d = model.dimension;
  const { observationMeans, observationCovariances } = predict(model, state, steps);
  let text = '';
  for (let h = 0; h < steps; h++) {
    const cells = [...kept.map(write), `${h + 1}`];
    for (let j = 0; j < d; j++) {
      const mean = observationMeans[h * d + j]!;
      const half = z * Math.sqrt(observationCovariances[(h * d + j) * d + j]!);
      cells.push(`${mean}`, `${mean - half}`, `${mean + half}`);
    }
    text += cells.map((cell, i) => before[i]! + cell).join('') + end;
  }
  return text;
}

function drawing(model: LinearDynamicalSystem, y: Float64Array, steps: number, z: number, note: string): string {
  const { dimension: d, latent: m } = model;
  const { observation: B } = model.parameters;
  const { means, covariances } = model.smooth(y, { missing: 'nan' });
  const { state } = model.filter(y, { missing: 'nan', store: 'none' });
  const { observationMeans, observationCovariances } = predict(model, state, steps);
  const rows = y.length / d;
  const panels = columnsOf(model).map((name, j) => {
    const b = B.subarray(j * m, (j + 1) * m);
    const mean = Array.from({ length: rows }, (_, t) => b.reduce((sum, v, i) => sum + v * means[t * m + i]!, 0));
    const half = Array.from({ length: rows }, (_, t) => {
      let variance = 0;
      for (let i = 0; i < m; i++)
        for (let k = 0; k < m; k++) variance += b[i]! * b[k]! * covariances[(t * m + i) * m + k]!;
      return z * Math.sqrt(variance);
    });
    return {
      name: stripControls(name),
      observed: Array.from({ length: rows }, (_, t) => y[t * d + j]!),
      smoothed: { mean, half },
      forecast: {
        mean: Array.from({ length: steps }, (_, h) => observationMeans[h * d + j]!),
        half: Array.from({ length: steps }, (_, h) => z * Math.sqrt(observationCovariances[(h * d + j) * d + j]!)),
      },
    };
  });
  const logLikelihood = formatNumber(model.logLikelihood(y, { missing: 'nan' }));
  return chartSvg({
    title: `${rows} rows and the ${steps} after them`,
    notes: [`${stripControls(note)}; ${m} latent coordinates, log-likelihood ${logLikelihood}`],
    panels,
  });
}
