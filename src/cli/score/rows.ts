/** Scores of models of independent rows: a line for each row. */
import { Option } from 'commander';
import type { Gaps, Gaussian, GaussianMixture, Scoring } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { gapsOf } from '../../table/counts.ts';
import { type RowModel, rowsFor } from '../rows.ts';
import { type Formats, type ScoreKind, type ScoreOptions, Scores } from './kind.ts';

type Column = ArrayLike<number | boolean>;
/** The columns of OUT that a kind has beyond the log-density. */
interface Further {
  readonly names: readonly string[];
  /** Values per row that they are computed from. */
  readonly width: number;
  columns(x: Float64Array, scoring: Gaps & Scoring, logDensity: Float64Array): readonly Column[];
}

export const gaussianScore: ScoreKind<Gaussian> = {
  options: [],
  start: (model, options, formats) =>
    new RowScores(model, options, formats, { names: [], width: 1, columns: () => [] }),
};
interface MixtureOptions extends ScoreOptions {
  readonly responsibilities?: true;
}
export const mixtureScore: ScoreKind<GaussianMixture> = {
  options: [new Option('--responsibilities', 'also the probability of each component: responsibility0, ...')],
  start: (model, options: MixtureOptions, formats) => {
    const { anomaly, componentCount: width } = model;
    const shares = options.responsibilities ? Array.from({ length: width }, (_, c) => c) : [];
    return new RowScores(model, options, formats, {
      names: ['component', ...(anomaly ? ['anomaly'] : []), ...shares.map((c) => `responsibility${c}`)],
      width,
      columns: (x, scoring, logDensity) => [
        model.classify(x, scoring),
        ...(anomaly ? [Array.from(logDensity, (value) => value < anomaly.threshold)] : []),
        ...(shares.length > 0 ? columnsOf(model.responsibilities(x, scoring), width) : []),
      ],
    });
  },
};

/** The columns of values [n,width]. */
const columnsOf = (values: Float64Array, width: number): Float64Array[] =>
  Array.from({ length: width }, (_, c) => values.filter((_, at) => at % width === c));

class RowScores extends Scores {
  readonly wanted: Scores['wanted'];
  private readonly isCsv: boolean;
  constructor(
    private readonly model: RowModel,
    options: ScoreOptions,
    formats: Formats,
    private readonly further: Further,
  ) {
    super(options.keep, ['logDensity', ...further.names], formats);
    this.isCsv = formats.to === 'csv';
    this.wanted = { ...rowsFor(model, options), width: further.width };
  }
  protected linesFor(block: Block, n: number): string {
    const x = block.x.subarray(0, n * this.model.dimension);
    const gaps = gapsOf(block);
    const scoring = { ...gaps, unscorable: 'mark' } as const;
    const logDensity = this.model.logDensity(x, scoring);
    const marked = new Set<number>();
    for (const [row, value] of logDensity.entries()) if (value === Number.NEGATIVE_INFINITY) marked.add(row);
    for (const row of marked) this.countUnscorable(block.lines[row]!);
    const columns = [logDensity, ...this.further.columns(x, scoring, logDensity)];
    return this.join(
      block,
      marked.size === 0 ? columns : columns.map((column, j) => this.withMarks(column, marked, j)),
    );
  }
  /** A column with the texts of rows that have no density: -Infinity or null, and no component. */
  private withMarks(column: Column, marked: ReadonlySet<number>, j: number): readonly (number | boolean | string)[] {
    const none = this.isCsv ? '' : 'null';
    const text = j === 0 && this.isCsv ? '-Infinity' : none;
    const named = ['logDensity', 'component'].includes(['logDensity', ...this.further.names][j]!);
    return Array.from(column, (value, row) => (named && marked.has(row) ? text : value));
  }
}
