/** A network in a file: docs/format.md. */
import * as check from '../../../check.ts';
import { SeqlikError } from '../../../errors.ts';
import { refuseOthers, type TensorFile, tensorOf } from '../../../file.ts';
import type { Architecture } from '../stack/architecture.ts';
import type { Standardization } from './batch.ts';
import { architectureOf, type NetworkOptions } from './options.ts';

const units = { mean: 'standardization.mean', standardDeviation: 'standardization.standardDeviation' };

export function tensorsOf(
  architecture: Architecture,
  flat: Float64Array,
  standardization: Standardization | undefined,
): TensorFile['tensors'] {
  const named = architecture.slots.map(({ name, rows, columns, at }) => {
    const shape = name.startsWith('b') ? [rows] : [rows, columns];
    return [name, { shape, values: flat.subarray(at, at + rows * columns) }] as const;
  });
  const shape = [architecture.dimension];
  return {
    ...Object.fromEntries(named),
    ...(standardization && {
      [units.mean]: { shape, values: standardization.mean },
      [units.standardDeviation]: { shape, values: standardization.standardDeviation },
    }),
  };
}

/** What the constructor takes. Throws FORMAT, and what reading the architecture throws. */
export function fromFile(file: TensorFile): NetworkOptions {
  const { metadata } = file;
  const number = (name: string): number => {
    const text = metadata[name] ?? '';
    return /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN; // the architecture says what is wrong with it
  };
  const hidden = (metadata['hidden'] ?? '')
    .split(',')
    .map((size) => (/^\d{1,10}$/.test(size) ? Number(size) : Number.NaN));
  const inputSkip = check.choice('file', 'inputSkip', metadata['inputSkip'], ['true', 'false']) === 'true';
  const { mapping, cell } = metadata;
  if (mapping === undefined || cell === undefined)
    throw new SeqlikError('INVALID_ARGUMENT', 'file: mapping and cell are missing', { argument: 'mapping' });
  const shape = {
    dimension: number('dimension'),
    hidden,
    components: number('components'),
    mapping,
    cell,
    inputSkip,
    binary: number('binary'),
  };
  const architecture = architectureOf('file', shape);
  const d = [architecture.dimension];
  const standard = Object.values(units).some((name) => name in file.tensors);
  refuseOthers(file, [...architecture.slots.map(({ name }) => name), ...Object.values(units)]);
  const parameters = Object.fromEntries(
    architecture.slots.map(({ name, rows, columns }) => {
      const shape = name.startsWith('b') ? [rows] : [rows, columns];
      return [name, tensorOf(file, name, shape)];
    }),
  );
  return {
    ...architecture.shape,
    parameters,
    ...(standard && {
      standardization: {
        mean: tensorOf(file, units.mean, d),
        standardDeviation: tensorOf(file, units.standardDeviation, d),
      },
    }),
  };
}
