/** Descriptions of models of independent rows: their components. */
import type { Anomaly, Gaussian, GaussianMixture } from '../../index.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { type Description, type Facts, factsOf, namesOf } from '../describe.ts';
import { counted } from '../errors.ts';

interface Component {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}
interface Described extends Facts {
  readonly covarianceType: string;
  readonly components: readonly Component[];
  readonly anomaly?: Anomaly;
}

export function describeGaussian(model: Gaussian): Description {
  const d = model.dimension;
  const { mean, variances, covariance, cholesky } = model.parameters;
  const variance = (j: number): number => {
    if (variances) return variances[j]!;
    if (covariance) return covariance[j * (d + 1)]!;
    return cholesky!.slice(j * d, (j + 1) * d).reduce((sum, v) => sum + v * v, 0);
  };
  const standardDeviation = Array.from(mean, (_, j) => Math.sqrt(variance(j)));
  return describe({
    ...factsOf(model),
    covarianceType: variances ? 'diagonal' : 'full',
    components: [{ weight: 1, mean: [...mean], standardDeviation }],
  });
}
export function describeMixture(model: GaussianMixture): Description {
  const { anomaly, dimension: d } = model;
  const { weights, means, covariances, covarianceType } = model.parameters;
  const variance = (c: number, j: number): number => {
    const at = { full: (c * d + j) * d + j, tied: j * (d + 1), diagonal: c * d + j, spherical: c }[covarianceType];
    return covariances[at]!;
  };
  const components = Array.from(weights, (weight, c) => ({
    weight,
    mean: [...means.subarray(c * d, (c + 1) * d)],
    standardDeviation: Array.from({ length: d }, (_, j) => Math.sqrt(variance(c, j))),
  }));
  return describe({ ...factsOf(model), covarianceType, components, ...(anomaly && { anomaly }) });
}

/** A component per line, with its mean ± standard deviation in each column. */
function describe(described: Described): Description {
  const { kind, dimension, covarianceType, components, anomaly } = described;
  const many = components.length === 1 ? '' : ` of ${components.length} components`;
  const rows = components.map(({ weight, mean, standardDeviation }, c) => [
    `${c}`,
    formatNumber(weight),
    ...mean.map((m, j) => `${formatNumber(m)} ± ${formatNumber(standardDeviation[j]!)}`),
  ]);
  const lines = [
    `${kind}${many} in ${counted(dimension, 'dimension')}, covariance ${covarianceType}`,
    ...alignColumns([['component', 'weight', ...namesOf(described)], ...rows]),
  ];
  if (anomaly) {
    const { threshold, falsePositiveRate } = anomaly;
    lines.push(`anomaly: log-density below ${formatNumber(threshold)} (false positive rate ${falsePositiveRate})`);
  }
  return { described, text: lines.join('\n') };
}
