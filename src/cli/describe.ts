/** What a model is, as an object and as text. */

import { type Anomaly, GaussianMixture, MixtureDensityNetwork } from '../index.ts';
import { plain } from './exit.ts';
import type { AnyModel, RowModel } from './model.ts';

interface Component {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}
interface Described {
  readonly kind: string;
  readonly dimension: number;
  readonly columns?: readonly string[];
}
interface DescribedRows extends Described {
  readonly covarianceType: string;
  readonly components: readonly Component[];
  readonly anomaly?: Anomaly;
}
interface DescribedNetwork extends Described {
  readonly hidden: readonly number[];
  readonly cell: string;
  readonly components: number;
  readonly mapping: string;
  readonly binary: number;
  readonly inputSkip: boolean;
  readonly parameters: number;
  readonly minStandardDeviation: number;
  readonly standardization?: { readonly mean: readonly number[]; readonly standardDeviation: readonly number[] };
}
/** For programs and for people. */
export function describe(model: AnyModel): { readonly described: object; readonly text: string } {
  if (model instanceof MixtureDensityNetwork) {
    const described = describedNetwork(model);
    return { described, text: networkText(model, described) };
  }
  const described = describedRows(model);
  return { described, text: textOf(described) };
}

function describedNetwork(model: MixtureDensityNetwork): DescribedNetwork {
  const { kind, dimension, columns, hidden, cell, components, mapping, binary, inputSkip } = model;
  const { standardization: units, minStandardDeviation } = model;
  return {
    kind,
    dimension,
    ...(columns && { columns }),
    hidden,
    cell,
    components,
    mapping,
    binary,
    inputSkip,
    parameters: model.parameterCount,
    minStandardDeviation,
    ...(units && { standardization: { mean: [...units.mean], standardDeviation: [...units.standardDeviation] } }),
  };
}
/** In a line: what the network is made of. */
export function architectureText(model: MixtureDensityNetwork): string {
  const { hidden, cell, components, mapping, inputSkip } = model;
  const layers = hidden.length === 1 ? `a layer of ${hidden}` : `layers of ${hidden.join(', ')}`;
  const skip = inputSkip && hidden.length > 1 ? ' that all see the input' : '';
  return `${layers} ${cell} units${skip}, ${components} component${components === 1 ? '' : 's'}, covariance ${mapping}: ${model.parameterCount.toLocaleString('en')} parameters`;
}
function networkText(model: MixtureDensityNetwork, described: DescribedNetwork): string {
  const { kind, dimension, binary, minStandardDeviation, standardization: units } = described;
  const names = namesOf(described);
  const unit = (j: number): string => {
    if (j >= dimension - binary) return '0 or 1';
    return units ? `${short(units.mean[j]!)} ± ${short(units.standardDeviation[j]!)}` : '0 ± 1';
  };
  const floor = minStandardDeviation > 0 ? [`no standard deviation is below ${short(minStandardDeviation)} units`] : [];
  return [
    `${kind} in ${dimension} dimensions`,
    architectureText(model),
    aligned([['column', 'unit'], ...names.map((name, j) => [name, unit(j)])]),
    ...floor,
  ].join('\n');
}

function describedRows(model: RowModel): DescribedRows {
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
function textOf(described: DescribedRows): string {
  const { kind, dimension, covarianceType, components, anomaly } = described;
  const many = components.length === 1 ? '' : ` of ${components.length} components`;
  const title = `${kind}${many} in ${dimension} dimensions, covariance ${covarianceType}`;
  const names = namesOf(described);
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
/** Of the columns, made up if nobody knows them. */
export const namesOf = ({ columns, dimension }: Pick<Described, 'columns' | 'dimension'>): readonly string[] =>
  columns?.map(plain) ?? Array.from({ length: dimension }, (_, j) => `x${j + 1}`);
/** Six digits are enough to read. */
export const short = (value: number): string => String(Number(value.toPrecision(6)));

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, j) => Math.max(...rows.map((row) => row[j]!.length)));
  return rows.map((row) => row.map((text, j) => text.padStart(widths[j]!)).join('  ')).join('\n');
}
