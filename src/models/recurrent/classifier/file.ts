/** Encodes a recurrent classifier as the tensors and metadata of a model file, and decodes it: docs/format.md. */
import * as check from '../../../check.ts';
import { malformed, numberOf, refuseOthers, sizeOf, type TensorFile, tensorOf } from '../../../file.ts';
import type { StackArchitecture } from '../stack/architecture.ts';
import { lossAts, type RecurrentParameters } from './parameters.ts';

const units = { mean: 'standardization.mean', standardDeviation: 'standardization.standardDeviation' };

interface Names {
  readonly labels?: readonly string[];
  readonly sequenceColumn?: string;
}

export function encodeRecurrent(
  { inputs, hidden: [H], outputs }: StackArchitecture,
  { U, V, W, lossAt, temperature, standardization }: RecurrentParameters,
  { labels, sequenceColumn }: { readonly [K in keyof Names]: Names[K] | undefined },
): Pick<TensorFile, 'metadata' | 'tensors'> {
  const tensor = (shape: readonly number[], values: unknown) => ({ shape: [...shape], values: values as Float64Array });
  return {
    metadata: {
      lossAt: lossAt!,
      temperature: String(temperature),
      ...(labels && { labels: JSON.stringify(labels) }),
      ...(sequenceColumn !== undefined && { sequenceColumn }),
    },
    tensors: {
      U: tensor([H!, H!], U),
      V: tensor([H!, inputs], V),
      W: tensor([outputs, H!], W),
      ...(standardization && {
        [units.mean]: tensor([inputs], standardization.mean),
        [units.standardDeviation]: tensor([inputs], standardization.standardDeviation),
      }),
    },
  };
}

/** The arguments of the constructor. Throws FORMAT, INVALID_ARGUMENT. */
export function decodeRecurrent(file: TensorFile): {
  parameters: RecurrentParameters;
  named: Names;
} {
  refuseOthers(file, ['U', 'V', 'W', ...Object.values(units)]);
  const H = sizeOf(file, 'U', 2);
  const inputs = sizeOf(file, 'V', 2, 1);
  const isStandardised = Object.values(units).some((name) => name in file.tensors);
  return {
    parameters: {
      U: tensorOf(file, 'U', [H, H]),
      V: tensorOf(file, 'V', [H, inputs]),
      W: tensorOf(file, 'W', [sizeOf(file, 'W', 2), H]),
      lossAt: check.choice('file', 'lossAt', file.metadata['lossAt'], lossAts),
      temperature: numberOf(file, 'temperature') ?? 1,
      ...(isStandardised && {
        standardization: {
          mean: tensorOf(file, units.mean, [inputs]),
          standardDeviation: tensorOf(file, units.standardDeviation, [inputs]),
        },
      }),
    },
    named: decodeNames(file),
  };
}
function decodeNames({ metadata: { labels, sequenceColumn } }: TensorFile): Names {
  const named = sequenceColumn === undefined ? {} : { sequenceColumn };
  if (labels === undefined) return named;
  try {
    return { ...named, labels: JSON.parse(labels) as readonly string[] };
  } catch {
    throw malformed('its labels are not JSON');
  }
}
