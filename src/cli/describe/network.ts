/** Descriptions of networks: their architecture, and the units of their columns. */
import type { MixtureDensityNetwork } from '../../index.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { type Description, factsOf, namesOf } from '../describe.ts';
import { counted } from '../errors.ts';
import { stripControls } from '../exit.ts';
import { architectureText } from '../network.ts';

export function describeNetwork(model: MixtureDensityNetwork): Description {
  const { kind, dimension, hidden, cell, components, mapping, binary, inputSkip } = model;
  const { parameterCount: parameters, minStandardDeviation, standardization: units, sequenceColumn } = model;
  const described = {
    ...factsOf(model),
    hidden,
    cell,
    components,
    mapping,
    binary,
    inputSkip,
    parameters,
    minStandardDeviation,
    ...(sequenceColumn !== undefined && { sequenceColumn }),
    ...(units && { standardization: { mean: [...units.mean], standardDeviation: [...units.standardDeviation] } }),
  };
  const unitText = (j: number): string => {
    if (j >= dimension - binary) return '0 or 1';
    return units ? `${formatNumber(units.mean[j]!)} ± ${formatNumber(units.standardDeviation[j]!)}` : '0 ± 1';
  };
  const lines = [
    `${kind} in ${counted(dimension, 'dimension')}`,
    architectureText(model),
    ...alignColumns([['column', 'unit'], ...namesOf(model).map((name, j) => [name, unitText(j)])]),
  ];
  if (sequenceColumn !== undefined) lines.push(`sequences by the column ${stripControls(sequenceColumn)}`);
  if (minStandardDeviation > 0)
    lines.push(`no standard deviation is below ${formatNumber(minStandardDeviation)} units`);
  return { described, text: lines.join('\n') };
}
