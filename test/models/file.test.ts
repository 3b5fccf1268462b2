/** Models as files: what a container may hold and a model may not. The container itself: test/tensors.test.ts. */
import { describe, expect, test } from 'vitest';
import { readTensors, type TensorFile, writeTensors } from '../../src/file/tensors.ts';
import { Gaussian, GaussianMixture, loadModel } from '../../src/index.ts';
import { modelsOn } from '../support/kinds.ts';
import { titled } from '../support/models.ts';

const parameters = { weights: [0.25, 0.75], means: [0, 1, 2, 3], covariances: [1, 0.5, 0.5, 2, 2, 0, 0, 1] };
const mixture = new GaussianMixture(parameters, { columns: ['a', 'b'] });
const file = readTensors(mixture.toBytes());
const f64 = (shape: number[], ...values: number[]) => ({ shape, values: Float64Array.from(values) });
const bytes = (metadata: Record<string, string | undefined>, tensors: Record<string, unknown>): Uint8Array => {
  const given = { metadata: { ...file.metadata, ...metadata }, tensors: { ...file.tensors, ...tensors } };
  const present = (of: object) => Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined));
  return writeTensors({ metadata: present(given.metadata), tensors: present(given.tensors) } as TensorFile);
};

describe.each(titled)('files on %s', (_, backend) => {
  test.each(modelsOn().map((model) => [model.kind, model] as const))('a %s comes back to the bit', (kind, model) => {
    const again = loadModel(model.toBytes(), { backend });
    expect(again).toMatchObject({ kind, parameters: model.parameters, backend });
    expect(again.toBytes()).toEqual(model.toBytes());
  });
  test('come back to the bit, with their names, whatever the type', () => {
    const again = loadModel(mixture.toBytes(), { backend }) as GaussianMixture;
    expect(again.toBytes()).toEqual(mixture.toBytes());
    expect(again).toMatchObject({ kind: 'gaussian-mixture', columns: ['a', 'b'], parameters: mixture.parameters });
    expect(again.backend).toBe(backend);
    for (const form of [{ covariance: [2, 1, 1, 3] }, { cholesky: [1, 0, 2, 3] }, { variances: [1, 2] }]) {
      const gaussian = new Gaussian({ mean: [1, 2], ...form }, { backend });
      const loaded = loadModel(gaussian.toBytes(), { backend });
      expect(loaded.parameters).toEqual(gaussian.parameters);
      expect(loaded.toBytes()).toEqual(gaussian.toBytes());
    }
  });
});

test.each<[string, Record<string, string | undefined>, Record<string, unknown>, RegExp]>([
  ['another format', { format: 'seqlik/2' }, {}, /format is seqlik\/2/],
  ['no kind', { kind: undefined }, {}, /holds a undefined/],
  ['an unknown kind', { kind: 'oracle' }, {}, /holds a oracle/],
  ['no covariance type', { covarianceType: undefined }, {}, /covarianceType/],
  ['an unknown covariance type', { covarianceType: 'round' }, {}, /covarianceType/],
  ['a type of another shape', { covarianceType: 'tied' }, {}, /covariances is \[2,2,2\], not \[2,2\]/],
  ['a missing tensor', {}, { means: undefined }, /no tensor means/],
  ['a tensor too many', {}, { extra: f64([1], 1) }, /unknown tensor extra/],
  ['means of three dimensions', {}, { means: f64([2, 2, 1], 0, 1, 2, 3) }, /means of 2 dimensions/],
  ['weights of another length', {}, { weights: f64([3], 0.2, 0.3, 0.5) }, /weights is \[3\], not \[2\]/],
  ['single precision', {}, { weights: { shape: [2], values: Float32Array.of(0.25, 0.75) } }, /weights is not F64/],
  ['weights that do not sum to 1', {}, { weights: f64([2], 0.25, 0.25) }, /sum to 0.5/],
  ['a negative weight', {}, { weights: f64([2], -0.25, 1.25) }, /-0.25/],
  ['not symmetric', {}, { covariances: f64([2, 2, 2], 1, 0.5, 0.1, 2, 2, 0, 0, 1) }, /transpose/],
  [
    'not positive definite',
    {},
    { covariances: f64([2, 2, 2], 1, 2, 2, 1, 2, 0, 0, 1) },
    /covariances\[0\].*pivot 1 is -3/,
  ],
  ['a threshold that is not a number', { threshold: 'x', falsePositiveRate: '0.1' }, {}, /threshold is x/],
  ['a threshold without its rate', { threshold: '1' }, {}, /falsePositiveRate/],
  ['columns that are not JSON', { columns: '[' }, {}, /columns are not JSON/],
  ['columns of another number', { columns: '["a"]' }, {}, /2 distinct names/],
])('%s is refused with the reason', (_, metadata, tensors, reason) => {
  const given = bytes(metadata, tensors);
  expect(() => loadModel(given)).toThrow(
    expect.objectContaining({ code: 'FORMAT', message: expect.stringMatching(reason) }),
  );
});

test('a file of another kind, and bytes that are not a file', () => {
  const gaussian = new Gaussian({ mean: [0], variances: [1] });
  expect(() => Gaussian.fromBytes(mixture.toBytes())).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  expect(() => GaussianMixture.fromBytes(gaussian.toBytes())).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  expect(() => loadModel(new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  expect(() => loadModel('x' as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT', argument: 'bytes' }),
  );
});
