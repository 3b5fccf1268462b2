/** Scores of models of independent rows: a line for each row. */
import { Option } from 'commander';
import type { Gaussian, GaussianMixture } from '../../index.ts';
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
  columns(x: Float64Array, gaps: { readonly missing?: 'nan' }, logDensity: Float64Array): readonly Column[];
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
      columns: (x, gaps, logDensity) => [
        model.classify(x, gaps),
        ...(anomaly ? [Array.from(logDensity, (value) => value < anomaly.threshold)] : []),
        ...(shares.length > 0 ? columnsOf(model.responsibilities(x, gaps), width) : []),
      ],
    });
  },
};

/** The columns of values [n,width]. */
const columnsOf = (values: Float64Array, width: number): Float64Array[] =>
  Array.from({ length: width }, (_, c) => values.filter((_, at) => at % width === c));

class RowScores extends Scores {
  readonly wanted: Scores['wanted'];
  constructor(
    private readonly model: RowModel,
    options: ScoreOptions,
    formats: Formats,
    private readonly further: Further,
  ) {
    super(options.keep, ['logDensity', ...further.names], formats);
    this.wanted = { ...rowsFor(model, options), width: further.width };
  }
  protected linesFor(block: Block, n: number): string {
    const x = block.x.subarray(0, n * this.model.dimension);
    const gaps = gapsOf(block);
    const logDensity = this.model.logDensity(x, gaps);
    return this.join(block, [logDensity, ...this.further.columns(x, gaps, logDensity)]);
  }
}
