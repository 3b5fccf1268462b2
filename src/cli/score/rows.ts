/** A line for each row, which knows nothing of the others. */

import { GaussianMixture } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { gapsOf } from '../../table/counts.ts';
import { columnsFor } from '../inputs.ts';
import type { RowModel } from '../model.ts';
import type { DataChoice } from '../options.ts';
import { type Formats, Scores } from './lines.ts';

interface Options extends DataChoice {
  readonly keep: readonly string[];
}

export class RowScores extends Scores {
  readonly wanted: Scores['wanted'];
  constructor(
    private readonly model: RowModel,
    { keep, columns }: Options,
    formats: Formats,
  ) {
    const mixture = model instanceof GaussianMixture ? model : undefined;
    const own = ['logDensity', ...(mixture ? ['component'] : []), ...(mixture?.anomaly ? ['anomaly'] : [])];
    super(keep, own, formats);
    this.wanted = { ...columnsFor(model, columns), dimension: model.dimension, width: mixture?.componentCount ?? 1 };
  }
  protected lines(block: Block, n: number): string {
    const { model } = this;
    const x = block.x.subarray(0, n * model.dimension);
    const gaps = gapsOf(block);
    const logDensity = model.logDensity(x, gaps);
    const mixture = model instanceof GaussianMixture ? model : undefined;
    const component = mixture?.classify(x, gaps);
    const threshold = mixture?.anomaly?.threshold;
    return this.text(block, [
      logDensity,
      ...(component ? [component] : []),
      ...(threshold === undefined ? [] : [Array.from(logDensity, (value) => value < threshold)]),
    ]);
  }
}
