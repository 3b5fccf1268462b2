/** The diagnosis of a recurrent model: the rows it looks at, and its report for people. */
import { Option } from 'commander';
import { type Diagnosis, diagnose } from '../../index.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { gradientsSvg } from './gradients.ts';
import type { Fitness } from './kind.ts';

export const svgSetting = new Option('--svg <FILE>', 'draw the gradient by the distance in time to this file');
/** A diagnosis as `inspect` shows it. */
export const reportOf = (found: Diagnosis): Pick<Fitness, 'diagnosis'> => ({
  diagnosis: { found, lines: linesOf(found), svg: gradientsSvg(found) },
});

const ROWS = 16_384;
/** The first rows, which the diagnosis looks at: of data of any size only these stay in memory. */
export class FirstRows {
  private readonly lengths: number[] = [];
  private readonly rows: Float64Array[] = [];
  private count = 0;
  constructor(private readonly width: number) {}
  add(x: Float64Array, n: number, starts: ArrayLike<number>): void {
    const some = Math.min(n, ROWS - this.count);
    if (some <= 0) return;
    const begins = new Set(Array.from(starts));
    for (let row = 0; row < some; row++) {
      if (begins.has(row) || this.lengths.length === 0) this.lengths.push(0);
      this.lengths[this.lengths.length - 1]!++;
    }
    this.rows.push(x.slice(0, some * this.width));
    this.count += some;
  }
  get sequences(): { values: Float64Array; lengths: number[] } {
    const values = new Float64Array(this.count * this.width);
    let at = 0;
    for (const part of this.rows) {
      values.set(part, at);
      at += part.length;
    }
    return { values, lengths: this.lengths };
  }
}
/**
 * The diagnosis of the first rows; none if no sequence has `shortest` of them, or if a row without a density
 * (`unscorable` of them so far) is in the way.
 */
export function diagnoseFirst(
  model: Parameters<typeof diagnose>[0],
  { sequences }: FirstRows,
  shortest: number,
  unscorable: number,
): Diagnosis | undefined {
  if (sequences.lengths.every((length) => length < shortest)) return undefined;
  try {
    return diagnose(model, sequences);
  } catch (error) {
    if (unscorable === 0) throw error;
    return undefined;
  }
}
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
