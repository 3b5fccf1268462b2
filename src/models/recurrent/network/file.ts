/** Encodes a network as the tensors and metadata of a model file, and decodes it: docs/format.md. */
import * as check from '../../../check.ts';
import { argumentError } from '../../../errors.ts';
import { numberOf, refuseOthers, type TensorFile, tensorOf } from '../../../file.ts';
import type { Standardization } from '../../standardization.ts';
import { tensorShape } from '../stack/architecture.ts';
import type { NetworkArchitecture } from './architecture.ts';
import { type NetworkOptions, readArchitecture } from './options.ts';

const units = { mean: 'standardization.mean', standardDeviation: 'standardization.standardDeviation' };

export function encodeNetwork(
  { shape, stack }: NetworkArchitecture,
  flat: Float64Array,
  standardization: Standardization | undefined,
  minStandardDeviation: number,
): Pick<TensorFile, 'metadata' | 'tensors'> {
  const { dimension, hidden, components, mapping, cell, inputSkip, binary } = shape;
  const facts = {
    dimension,
    hidden: hidden.join(),
    components,
    mapping,
    cell,
    inputSkip,
    binary,
    minStandardDeviation,
  };
  const named = stack.slots.map((slot) => {
    const values = flat.subarray(slot.at, slot.at + slot.rows * slot.columns);
    return [slot.name, { shape: tensorShape(slot), values }] as const;
  });
  const d = [dimension];
  return {
    metadata: Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, String(value)])),
    tensors: {
      ...Object.fromEntries(named),
      ...(standardization && {
        [units.mean]: { shape: d, values: standardization.mean },
        [units.standardDeviation]: { shape: d, values: standardization.standardDeviation },
      }),
    },
  };
}

/** The options of the constructor. Throws FORMAT, and the errors of reading the architecture. */
export function decodeNetwork(file: TensorFile): NetworkOptions {
  const { metadata } = file;
  const read = (text: string): number => (/^\d{1,10}$/.test(text) ? Number(text) : Number.NaN);
  const number = (name: string): number => read(metadata[name] ?? ''); // NaN is refused with the architecture
  const inputSkip = check.choice('file', 'inputSkip', metadata['inputSkip'], ['true', 'false']) === 'true';
  const { mapping, cell } = metadata;
  if (mapping === undefined || cell === undefined)
    throw argumentError('INVALID_ARGUMENT', 'file', 'mapping', {
      expected: 'mapping and cell',
      received: 'undefined',
      reason: 'and cell are missing',
    });
  const architecture = readArchitecture('file', {
    dimension: number('dimension'),
    hidden: (metadata['hidden'] ?? '').split(',').map(read),
    components: number('components'),
    mapping,
    cell,
    inputSkip,
    binary: number('binary'),
  });
  const { slots } = architecture.stack;
  const d = [architecture.shape.dimension];
  refuseOthers(file, [...slots.map(({ name }) => name), ...Object.values(units)]);
  const parameters = Object.fromEntries(slots.map((slot) => [slot.name, tensorOf(file, slot.name, tensorShape(slot))]));
  const isStandardised = Object.values(units).some((name) => name in file.tensors);
  return {
    ...architecture.shape,
    parameters,
    ...(isStandardised && {
      standardization: {
        mean: tensorOf(file, units.mean, d),
        standardDeviation: tensorOf(file, units.standardDeviation, d),
      },
    }),
    minStandardDeviation: numberOf(file, 'minStandardDeviation') ?? 0,
  };
}
