/** Descriptions of recurrent classifiers: their architecture, and the units of their inputs. */
import type { RecurrentClassifier } from '../../index.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { type Description, factsOf, namesOf } from '../describe.ts';
import { counted } from '../errors.ts';
import { stripControls } from '../exit.ts';
import { architectureText, inputsOf, labelsOf } from '../recurrent.ts';

export function describeRecurrent(model: RecurrentClassifier): Description {
  const { kind, hidden, outputs, lossAt, temperature, labels, parameterCount: parameters, standardization } = model;
  const { sequenceColumn } = model;
  const inputs = { ...inputsOf(model), kind };
  const units = standardization && {
    mean: [...standardization.mean],
    standardDeviation: [...standardization.standardDeviation],
  };
  const described = {
    ...factsOf(inputs),
    hidden,
    outputs,
    ...(labels && { labels }),
    lossAt,
    temperature,
    parameters,
    ...(sequenceColumn !== undefined && { sequenceColumn }),
    ...(units && { standardization: units }),
  };
  const unitText = (j: number): string =>
    units ? `${formatNumber(units.mean[j]!)} ± ${formatNumber(units.standardDeviation[j]!)}` : '0 ± 1';
  const lines = [
    `${kind} of ${counted(model.inputs, 'input')}`,
    architectureText(model),
    `targets ${labelsOf(model).map(stripControls).join(', ')}`,
    ...(temperature === 1 ? [] : [`calibrated: temperature ${formatNumber(temperature)}`]),
    ...alignColumns([['column', 'unit'], ...namesOf(inputs).map((name, j) => [name, unitText(j)])]),
  ];
  if (sequenceColumn !== undefined) lines.push(`sequences by the column ${stripControls(sequenceColumn)}`);
  return { described, text: lines.join('\n') };
}
