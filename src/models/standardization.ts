/** Units of a model: data minus their mean, divided by their standard deviation. */
import type { Real } from '../check.ts';
import { callError } from '../errors.ts';

/** Units of a network: observations minus mean, divided by standard deviation; 0 and 1 for binary coordinates. */
export interface Standardization {
  /** [dimension] */
  readonly mean: Float64Array;
  /** [dimension], each > 0. */
  readonly standardDeviation: Float64Array;
}

/** Measures the first `coordinates` columns of rows [n,d], each row as often as its weight says (default 1); the others,
 * and constant ones, are not scaled. Throws NON_FINITE: a spread overflows. */
export function measureUnits(
  where: string,
  argument: string,
  values: Real,
  d: number,
  coordinates = d,
  weights?: Float64Array,
): { units: Standardization; constant: number[] } {
  const rows = values.length / d;
  const n = weights?.reduce((sum, weight) => sum + weight, 0) || rows;
  const weightOf = (row: number): number => weights?.[row] ?? 1;
  const mean = new Float64Array(d);
  const standardDeviation = new Float64Array(d).fill(1);
  const constant: number[] = [];
  for (let j = 0; j < coordinates; j++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (weightOf(row) * values[row * d + j]!) / n;
    mean[j] = sum;
    let furthest = 0;
    for (let i = j; i < values.length; i += d) furthest = Math.max(furthest, Math.abs(values[i]! - sum));
    if (furthest === Number.POSITIVE_INFINITY)
      throw callError('NON_FINITE', where, `the spread of column ${j} overflows`, { argument, column: j });
    const unit = furthest > 0 ? 2 ** Math.floor(Math.log2(furthest)) : 1; // whose squares neither overflow nor vanish
    let squares = 0;
    for (let row = 0; row < rows; row++) squares += (weightOf(row) * ((values[row * d + j]! - sum) / unit) ** 2) / n;
    const deviation = unit * Math.sqrt(squares);
    if (deviation > 1e-12 * Math.abs(sum)) standardDeviation[j] = deviation;
    else constant.push(j);
  }
  return { units: { mean, standardDeviation }, constant };
}
/** Changes values to units of the network, in place. Throws NON_FINITE: a value overflows in these units, unless it `may`. */
export function standardise(
  where: string,
  argument: string,
  values: Real,
  { mean, standardDeviation }: Standardization,
  may = false,
): void {
  const d = mean.length;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    values[i] = (value - mean[i % d]!) / standardDeviation[i % d]!;
    if (may || Number.isFinite(values[i])) continue;
    const place = { argument, column: i % d, value };
    throw callError(
      'NON_FINITE',
      where,
      `${argument} is ${value} in column ${i % d}, which overflows in units of the network`,
      place,
    );
  }
}
