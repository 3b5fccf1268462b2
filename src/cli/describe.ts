/** What a model is, as an object and as text. */
import { type Anomaly, GaussianMixture } from '../index.ts';
import { plain } from './exit.ts';
import type { AnyModel } from './read.ts';

interface Component {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}
export interface Described {
  readonly kind: string;
  readonly dimension: number;
  readonly columns?: readonly string[];
  readonly covarianceType: string;
  readonly components: readonly Component[];
  readonly anomaly?: Anomaly;
}
export function describe(model: AnyModel): Described {
  const { kind, dimension, columns } = model;
  const same = { kind, dimension, ...(columns && { columns }) };
  if (model instanceof GaussianMixture) {
    const { covarianceType, anomaly } = model;
    return { ...same, covarianceType, components: componentsOf(model), ...(anomaly && { anomaly }) };
  }
  const { mean, variances, covariance, cholesky } = model.parameters;
  const variance = (j: number): number => {
    if (variances) return variances[j]!;
    if (covariance) return covariance[j * (dimension + 1)]!;
    return cholesky!.slice(j * dimension, (j + 1) * dimension).reduce((sum, v) => sum + v * v, 0);
  };
  const standardDeviation = Array.from(mean, (_, j) => Math.sqrt(variance(j)));
  return {
    ...same,
    covarianceType: variances ? 'diagonal' : 'full',
    components: [{ weight: 1, mean: [...mean], standardDeviation }],
  };
}
function componentsOf(model: GaussianMixture): Component[] {
  const { weights, means, covariances, covarianceType } = model.parameters;
  const d = model.dimension;
  const variance = (c: number, j: number): number => {
    const at = { full: (c * d + j) * d + j, tied: j * (d + 1), diagonal: c * d + j, spherical: c }[covarianceType];
    return covariances[at]!;
  };
  return Array.from(weights, (weight, c) => ({
    weight,
    mean: [...means.subarray(c * d, (c + 1) * d)],
    standardDeviation: Array.from({ length: d }, (_, j) => Math.sqrt(variance(c, j))),
  }));
}

/** A component per line, with its mean ± standard deviation in each column. */
export function textOf({ kind, dimension, columns, covarianceType, components, anomaly }: Described): string {
  const many = components.length === 1 ? '' : ` of ${components.length} components`;
  const title = `${kind}${many} in ${dimension} dimensions, covariance ${covarianceType}`;
  const names = columns?.map(plain) ?? Array.from({ length: dimension }, (_, j) => `x${j + 1}`);
  const rows = components.map(({ weight, mean, standardDeviation }, c) => [
    `${c}`,
    short(weight),
    ...mean.map((m, j) => `${short(m)} ± ${short(standardDeviation[j]!)}`),
  ]);
  const rule = anomaly && `anomaly: log-density below ${short(anomaly.threshold)}`;
  const of = anomaly && ` (false positive rate ${anomaly.falsePositiveRate})`;
  return [title, aligned([['component', 'weight', ...names], ...rows]), ...(anomaly ? [`${rule}${of}`] : [])].join(
    '\n',
  );
}
/** Six digits are enough to read. */
export const short = (value: number): string => String(Number(value.toPrecision(6)));

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, j) => Math.max(...rows.map((row) => row[j]!.length)));
  return rows.map((row) => row.map((text, j) => text.padStart(widths[j]!)).join('  ')).join('\n');
}
