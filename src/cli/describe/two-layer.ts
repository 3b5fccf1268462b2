/** Descriptions of two-layer classifiers: their architecture, and the names of what they read and say. */
import type { TwoLayerClassifier } from '../../index.ts';
import { formatNumber } from '../align.ts';
import { type Description, factsOf, namesOf } from '../describe.ts';
import { counted } from '../errors.ts';
import { stripControls } from '../exit.ts';
import { architectureText, inputsOf, labelsOf } from '../two-layer.ts';

export function describeTwoLayer(model: TwoLayerClassifier): Description {
  const { kind, hidden, outputs, temperature, labels, parameterCount: parameters } = model;
  const inputs = { ...inputsOf(model), kind };
  const described = { ...factsOf(inputs), hidden, outputs, ...(labels && { labels }), temperature, parameters };
  const lines = [
    `${kind} of ${counted(model.inputs, 'input')}`,
    architectureText(model),
    `inputs ${namesOf(inputs).join(', ')}`,
    `targets ${labelsOf(model).map(stripControls).join(', ')}`,
    ...(temperature === 1 ? [] : [`calibrated: temperature ${formatNumber(temperature)}`]),
  ];
  return { described, text: lines.join('\n') };
}
