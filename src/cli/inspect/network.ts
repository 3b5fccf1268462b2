/** Inspection of networks. */
import { Option } from 'commander';
import { type Diagnosis, diagnose, type MixtureDensityNetwork } from '../../index.ts';
import type { Block } from '../../table/blocks.ts';
import { fileError } from '../../table/errors.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { counted } from '../errors.ts';
import { sequencesFor, Walk } from '../network.ts';
import type { DataChoice, SequenceChoice } from '../options.ts';
import { allFar, Unscorable } from '../unscorable.ts';
import { gradientsSvg } from './gradients.ts';
import { type Evaluation, type Fitness, type InspectKind, sequenceSetting } from './kind.ts';

const SVG = new Option('--svg <FILE>', 'draw the gradient by the distance in time to this file');
export const networkInspection: InspectKind<MixtureDensityNetwork> = {
  options: [sequenceSetting, SVG],
  start: (model, options) => new SequenceEvaluation(model, options),
};

class SequenceEvaluation implements Evaluation {
  readonly wanted: Evaluation['wanted'];
  private readonly walk: Walk;
  private rows = 0;
  private sequences = 0;
  private logLikelihood = 0;
  private readonly unscorable = new Unscorable();
  private readonly head: Head;
  constructor(
    private readonly model: MixtureDensityNetwork,
    options: DataChoice & SequenceChoice,
  ) {
    this.wanted = sequencesFor(model, options);
    this.walk = new Walk(model);
    this.head = new Head(model.dimension);
  }
  add({ x, n, starts, lines }: Block): void {
    for (const [row, value] of this.walk.next(x, n, starts).entries())
      if (value === Number.NEGATIVE_INFINITY) this.unscorable.add(lines[row]!);
      else if (!Number.isNaN(value)) this.logLikelihood += value;
    this.head.add(x, n, starts);
    this.rows += n;
    this.sequences += starts.length;
  }
  /** The diagnosis; none if the rows it looks at hold one without a density. */
  private diagnose(first: { values: Float64Array; lengths: readonly number[] }): Diagnosis | undefined {
    try {
      return diagnose(this.model, first);
    } catch (error) {
      if (this.unscorable.count === 0) throw error;
      return undefined;
    }
  }
  finish(file: string): Fitness {
    const { rows, sequences, logLikelihood } = this;
    const steps = rows - sequences;
    if (steps === 0) throw fileError('EMPTY_INPUT', file, 'no sequence has two rows');
    const { count: unscorable } = this.unscorable;
    if (unscorable === steps) throw fileError('NON_FINITE', file, allFar);
    const logLikelihoodPerStep = logLikelihood / (steps - unscorable);
    const { sequences: first } = this.head;
    const found = first.lengths.some((length) => length > 2) ? this.diagnose(first) : undefined;
    return {
      ...(found && { diagnosis: { found, lines: linesOf(found), svg: gradientsSvg(found) } }),
      fitness: { rows, sequences, steps, ...(unscorable > 0 && { unscorable }), logLikelihood, logLikelihoodPerStep },
      lines: [
        `${file}: ${counted(sequences, 'sequence')}, ${counted(rows, 'row')}, ${counted(steps, 'step')}`,
        ...this.unscorable.lines(),
        ...(found || unscorable === 0 ? [] : ['no diagnosis: the first rows have no gradient']),
        `log-likelihood per step  ${formatNumber(logLikelihoodPerStep)}`,
        `log-likelihood           ${formatNumber(logLikelihood)}`,
      ],
    };
  }
}

/** The first rows, which the diagnosis looks at: of data of any size only these stay in memory. */
class Head {
  private readonly lengths: number[] = [];
  private readonly rows: Float64Array[] = [];
  private count = 0;
  constructor(private readonly dimension: number) {}
  add(x: Float64Array, n: number, starts: ArrayLike<number>): void {
    const some = Math.min(n, ROWS - this.count);
    if (some <= 0) return;
    const begins = new Set(Array.from(starts));
    for (let row = 0; row < some; row++) {
      if (begins.has(row) || this.lengths.length === 0) this.lengths.push(0);
      this.lengths[this.lengths.length - 1]!++;
    }
    this.rows.push(x.slice(0, some * this.dimension));
    this.count += some;
  }
  get sequences(): { values: Float64Array; lengths: readonly number[] } {
    const values = new Float64Array(this.count * this.dimension);
    let at = 0;
    for (const part of this.rows) {
      values.set(part, at);
      at += part.length;
    }
    return { values, lengths: this.lengths };
  }
}
const ROWS = 16_384;

/** The diagnosis for people. */
function linesOf(found: Diagnosis): string[] {
  const { gradientCheck: check, growthRate, regime, gradientNorms: norms, reach, deadUnits, saturatedUnits } = found;
  const percent = `${growthRate < 0 ? '-' : '+'}${(100 * Math.abs(Math.expm1(growthRate))).toPrecision(2)} %`;
  const chosen = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
    .map((most) => norms.distances.findLastIndex((k) => k <= most))
    .filter((i, j, all) => i !== all[j - 1]);
  const table = [
    ['steps back', '5 %', 'median', '95 %'],
    ...chosen.map((i) => [
      `${norms.distances[i]}`,
      ...[norms.low[i]!, norms.median[i]!, norms.high[i]!].map((v) => v.toExponential(1)),
    ]),
  ];
  const units = (name: string, layers: readonly (readonly number[])[]): string[] =>
    layers.flatMap((own, n) => (own.length > 0 ? [`${name} in layer ${n}: ${own.length} (${own.join(', ')})`] : []));
  const idle = [...units('dead units', deadUnits), ...units('saturated units', saturatedUnits)];
  return [
    `gradient check: worst relative difference ${check.worstRelativeDifference.toExponential(1)} (${check.parameter})`,
    `growth of the gradient: ${percent} a step back in time (log ${formatNumber(growthRate)}), ${regime}`,
    'norm of the gradient by time distance, over sequences:',
    ...alignColumns(table).map((line) => `  ${line}`),
    reach === undefined ? 'it does not fall to 1/1000' : `it has fallen to 1/1000 after ${reach} steps`,
    ...(idle.length > 0 ? idle : ['no dead or saturated units']),
    found.advice,
  ];
}
