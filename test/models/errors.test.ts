/** Errors of models: code, fields and sentence of every documented one, and which of several comes first. */

import { describe, expect, test } from 'vitest';
import {
  Gaussian,
  GaussianMixture,
  type GaussianParameters,
  klDivergence,
  klDivergenceGradient,
  type MixtureParameters,
  SeqlikError,
} from '../../src/index.ts';
import type { OnBackend } from '../../src/models/model.ts';
import { refusal, titled } from '../support/models.ts';

/** An argument of a caller without types. */
type Loose = Record<string, unknown>;
type Call = (on: OnBackend) => unknown;
type Place = {
  argument?: string;
  which?: string;
  row?: number;
  column?: number;
  component?: number;
  pivot?: number;
  value?: number;
};
/** A message may be reworded, but keeps its facts: the call it begins with, the numbers, and the value received. */
type Case = readonly [when: string, call: Call, code: string, place: Place, message: string];
const facts = (message: string): string[] =>
  message.match(
    /^[\w.]+:|-?\d+(\.\d+)?(e-?\d+)?|NaN|-?Infinity|null|undefined|'\w+'|an? \w+|[\w.]+(?= (has|is|must|lies)\b)/g,
  ) ?? [];

const gaussian =
  (parameters: unknown, options?: unknown): Call =>
  (on) =>
    new Gaussian(parameters as GaussianParameters, (options ?? on) as OnBackend);
const mixture =
  (change: Loose, options?: unknown): Call =>
  (on) =>
    new GaussianMixture(
      {
        weights: [0.5, 0.5],
        means: [
          [0, 0],
          [1, 1],
        ],
        covariances: [
          [
            [1, 0],
            [0, 1],
          ],
          [
            [1, 0],
            [0, 1],
          ],
        ],
        ...change,
      } as MixtureParameters,
      (options ?? on) as OnBackend,
    );
const kl =
  (p: unknown, q: unknown, options?: unknown): Call =>
  (on) =>
    klDivergence(p as GaussianParameters, q as GaussianParameters, (options ?? on) as OnBackend);
const plane = {
  mean: [0, 0],
  covariance: [
    [1, 0],
    [0, 1],
  ],
};
const model = (on: OnBackend): Gaussian => new Gaussian(plane, on);
const pair = (on: OnBackend): GaussianMixture => mixture({})(on) as GaussianMixture;
const score =
  (x: unknown, options?: unknown): Call =>
  (on) =>
    model(on).logDensity(x as number[], options as object);
const draws =
  (n: unknown, options?: unknown): Call =>
  (on) =>
    model(on).sample(n as number, options as object);

function detached(): Float64Array {
  const values = new Float64Array(2);
  structuredClone(values, { transfer: [values.buffer] });
  return values;
}
// biome-ignore format: a table
const parametersOfGaussian: Case[] = [
  ['parameters are not an object', gaussian(null),
    'INVALID_ARGUMENT', { argument: 'parameters' }, 'Gaussian: parameters must be an object, not null'],
  ['parameters are an array', gaussian([0, 1]),
    'INVALID_ARGUMENT', { argument: 'parameters' }, 'must be an object, not an array'],
  ['there is no covariance', gaussian({ mean: [0] }),
    'INVALID_ARGUMENT', { argument: 'covariance' }, 'Gaussian: give one of covariance, cholesky, variances, not 0'],
  ['there are two', gaussian({ mean: [0], covariance: [1], variances: [1] }),
    'INVALID_ARGUMENT', { argument: 'covariance' }, 'not 2'],
  ['there is no mean', gaussian({ variances: [1] }),
    'INVALID_ARGUMENT', { argument: 'mean' }, 'Gaussian: mean must be an array of numbers, not undefined'],
  ['the mean is empty', gaussian({ mean: [], variances: [] }),
    'INVALID_ARGUMENT', { argument: 'mean' }, 'Gaussian: mean is empty'],
  ['the covariance has another size', gaussian({ mean: [0, 0], covariance: [1, 2, 3] }),
    'DIMENSION_MISMATCH', { argument: 'covariance' }, 'Gaussian: covariance has 3 values, not 2 x 2'],
  ['it is nested, of another size', gaussian({ mean: [0, 0], covariance: [[1]] }),
    'DIMENSION_MISMATCH', { argument: 'covariance' }, 'covariance has 1 x 1 values, not 2 x 2'],
  ['its rows differ in length', gaussian({ mean: [0, 0], covariance: [[1, 0], [0]] }),
    'DIMENSION_MISMATCH', { argument: 'covariance' }, 'covariance has 1 value at [1], not 2'],
  ['the factor has another size', gaussian({ mean: [0, 0], cholesky: [[1, 0, 0], [0, 1, 0]] }),
    'DIMENSION_MISMATCH', { argument: 'cholesky' }, 'cholesky has 2 x 3 values, not 2 x 2'],
  ['there are too many variances', gaussian({ mean: [0, 0], variances: [1, 2, 3] }),
    'DIMENSION_MISMATCH', { argument: 'variances' }, 'variances has 3 values, not 2'],
  ['a mean is NaN', gaussian({ mean: [0, NaN], variances: [1, 1] }),
    'NON_FINITE', { argument: 'mean', value: NaN }, 'Gaussian: mean is NaN at index 1'],
  ['a variance is infinite', gaussian({ mean: [0, 0], variances: [Infinity, 1] }),
    'NON_FINITE', { argument: 'variances', value: Infinity }, 'variances is Infinity at index 0'],
  ['a covariance is infinite', gaussian({ mean: [0, 0], covariance: [1, 0, 0, -Infinity] }),
    'NON_FINITE', { argument: 'covariance', value: -Infinity }, 'covariance is -Infinity at index 3'],
  ['it is not symmetric', gaussian({ mean: [0, 0], covariance: [[2, 0.5], [0, 2]] }),
    'NOT_SYMMETRIC', { argument: 'covariance' }, 'Gaussian: covariance differs from its transpose by 0.5'],
  ['by a little more than allowed', gaussian({ mean: [0, 0], covariance: [[2, 2.1e-9], [0, 2]] }),
    'NOT_SYMMETRIC', { argument: 'covariance' }, '2.1e-9'],
  ['the factor has values above its diagonal', gaussian({ mean: [0, 0], cholesky: [[1, 0.5], [0, 1]] }),
    'INVALID_ARGUMENT', { argument: 'cholesky' }, 'Gaussian: cholesky is 0.5 above its diagonal'],
  ['it is not definite', gaussian({ mean: [0, 0], covariance: [[1, 2], [2, 1]] }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariance', pivot: 1, value: -3 },
    'Gaussian: covariance is not positive definite: pivot 1 is -3'],
  ['it is singular', gaussian({ mean: [0, 0, 0], covariance: [[1, 1, 0], [1, 1, 0], [0, 0, 1]] }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariance', pivot: 1, value: 0 }, 'pivot 1 is 0'],
  ['it is zero', gaussian({ mean: [0], covariance: [0] }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariance', pivot: 0, value: 0 }, 'pivot 0 is 0'],
  ['a factor has a diagonal below 0', gaussian({ mean: [0, 0], cholesky: [[1, 0], [7, -2]] }),
    'NOT_POSITIVE_DEFINITE', { which: 'cholesky', pivot: 1, value: -2 },
    'cholesky is not positive definite: pivot 1 is -2'],
  ['a variance is 0', gaussian({ mean: [0, 0, 0], variances: [1, 0, -1] }),
    'NOT_POSITIVE_DEFINITE', { which: 'variances', pivot: 1, value: 0 },
    'variances is not positive definite: pivot 1 is 0'],
  ['an option is misspelt', gaussian(plane, { backened: 1 }),
    'INVALID_ARGUMENT', { argument: 'backened' }, 'Gaussian: backened is no option here (backend)'],
  ['options are not an object', gaussian(plane, 'wasm'),
    'INVALID_ARGUMENT', { argument: 'options' }, "options must be an object, not 'wasm'"],
  ['the backend is a name', gaussian(plane, { backend: 'wasm' }),
    'INVALID_ARGUMENT', { argument: 'backend' }, "backend must come from openBackend(), not 'wasm'"],
  ['the backend is a copy', (on) => new Gaussian(plane, { backend: { ...on.backend! } }),
    'INVALID_ARGUMENT', { argument: 'backend' }, 'must come from openBackend(), not an object'],
];
// biome-ignore format: a table
const parametersOfMixture: Case[] = [
  ['parameters are missing', gaussianMixtureOf(undefined),
    'INVALID_ARGUMENT', { argument: 'parameters' }, 'GaussianMixture: parameters must be an object, not undefined'],
  ['the covariance type is unknown', mixture({ covarianceType: 'banded' }),
    'INVALID_ARGUMENT', { argument: 'covarianceType' },
    "GaussianMixture: covarianceType must be one of full, tied, diagonal, spherical, not 'banded'"],
  ['there are no weights', mixture({ weights: [] }),
    'INVALID_ARGUMENT', { argument: 'weights' }, 'there are no weights'],
  ['weights are not an array', mixture({ weights: 1 }),
    'INVALID_ARGUMENT', { argument: 'weights' }, 'weights must be an array of numbers, not 1'],
  ['the weights do not sum to 1', mixture({ weights: [0.5, 0.25] }),
    'INVALID_ARGUMENT', { argument: 'weights' }, 'weights sum to 0.75, not 1'],
  ['by a little more than allowed', mixture({ weights: [0.5, 0.5 + 1.1e-6] }),
    'INVALID_ARGUMENT', { argument: 'weights' }, 'not 1'],
  ['a weight is negative', mixture({ weights: [-0.5, 1.5] }),
    'INVALID_ARGUMENT', { argument: 'weights' }, 'weights[0] is -0.5, not >= 0'],
  ['a weight is NaN', mixture({ weights: [0.5, NaN] }),
    'NON_FINITE', { argument: 'weights', value: NaN }, 'weights is NaN at index 1'],
  ['means have no coordinates', mixture({ means: [] }),
    'INVALID_ARGUMENT', { argument: 'means' }, 'means have no coordinates'],
  ['means do not fit the weights', mixture({ means: [1, 2, 3] }),
    'DIMENSION_MISMATCH', { argument: 'means' }, 'means has 3 values, not 2 x any'],
  ['means are of three components', mixture({ means: [[1], [2], [3]] }),
    'DIMENSION_MISMATCH', { argument: 'means' }, 'means has 3 x 1 values, not 2 x any'],
  ['a mean is infinite', mixture({ means: [0, 1, 2, Infinity] }),
    'NON_FINITE', { argument: 'means', value: Infinity }, 'means is Infinity at index 3'],
  ['full covariances do not fit', mixture({ covariances: [1, 0, 0, 1] }),
    'DIMENSION_MISMATCH', { argument: 'covariances' }, 'covariances has 4 values, not 2 x 2 x 2'],
  ['a tied one does not', mixture({ covariances: [[[1, 0], [0, 1]]], covarianceType: 'tied' }),
    'DIMENSION_MISMATCH', { argument: 'covariances' }, 'covariances has 1 x 2 x 2 values, not 2 x 2'],
  ['diagonal ones do not', mixture({ covariances: [1, 1], covarianceType: 'diagonal' }),
    'DIMENSION_MISMATCH', { argument: 'covariances' }, 'covariances has 2 values, not 2 x 2'],
  ['spherical ones do not', mixture({ covariances: [1, 1, 1], covarianceType: 'spherical' }),
    'DIMENSION_MISMATCH', { argument: 'covariances' }, 'covariances has 3 values, not 2'],
  ['a covariance is NaN', mixture({ covariances: [1, NaN], covarianceType: 'spherical' }),
    'NON_FINITE', { argument: 'covariances', value: NaN }, 'covariances is NaN at index 1'],
  ['one is not symmetric', mixture({ covariances: [[[1, 0], [0, 1]], [[1, 0.25], [0, 1]]] }),
    'NOT_SYMMETRIC', { argument: 'covariances', component: 1 }, 'covariances differs from its transpose by 0.25'],
  ['a tied one is not', mixture({ covariances: [[1, 0.25], [0, 1]], covarianceType: 'tied' }),
    'NOT_SYMMETRIC', { argument: 'covariances' }, 'by 0.25'],
  ['one is not definite', mixture({ covariances: [[[1, 0], [0, 1]], [[1, 2], [2, 1]]] }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariances', component: 1, pivot: 1, value: -3 },
    'GaussianMixture: covariances[1] is not positive definite: pivot 1 is -3'],
  ['two are not: the first', mixture({ covariances: [[[1, 2], [2, 1]], [[0, 0], [0, 1]]] }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariances', component: 0, pivot: 1, value: -3 }, 'covariances[0]'],
  ['a variance is below 0', mixture({ covariances: [[1, 1], [1, -4]], covarianceType: 'diagonal' }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariances', component: 1, pivot: 1, value: -4 },
    'covariances[1] is not positive definite: pivot 1 is -4'],
  ['a spherical one is 0', mixture({ covariances: [1, 0], covarianceType: 'spherical' }),
    'NOT_POSITIVE_DEFINITE', { which: 'covariances', component: 1, pivot: 0, value: 0 },
    'covariances[1] is not positive definite: pivot 0 is 0'],
  ['an option is misspelt', mixture({}, { seed: 1 }),
    'INVALID_ARGUMENT', { argument: 'seed' }, 'seed is no option here (backend)'],
];
// biome-ignore format: a table
const data: Case[] = [
  ['points are not a multiple of the dimension', score([1, 2, 3]),
    'DIMENSION_MISMATCH', { argument: 'x' }, 'Gaussian.logDensity: x has 3 values, not a multiple of dimension 2'],
  ['rows have another length', score([[1, 2, 3]]),
    'DIMENSION_MISMATCH', { argument: 'x' }, 'x has rows of 3 values, not 2'],
  ['rows differ in length', score([[1, 2], [3]]),
    'DIMENSION_MISMATCH', { argument: 'x' }, 'x has 1 value at [1], not 2'],
  ['points are nested too deep', score([[[1, 2]]]),
    'DIMENSION_MISMATCH', { argument: 'x' }, 'x has rows of 1 x 2 values, not 2'],
  ['a point is not a number', score([1, '2']),
    'INVALID_ARGUMENT', { argument: 'x', row: 0, column: 1 },
    "x must hold numbers only, not '2' at row 0, column 1"],
  ['a value is null', score([[0, 1], [2, null]]),
    'INVALID_ARGUMENT', { argument: 'x', row: 1, column: 1 },
    "x must hold numbers only, not null at row 1, column 1; a gap? say missing: 'nan'"],
  ['there is a hole', score([[0, 1], [2, 3], Object.assign([], { 1: 5 })]),
    'INVALID_ARGUMENT', { argument: 'x', row: 2, column: 0 },
    "x must hold numbers only, not undefined at row 2, column 0; a gap? say missing: 'nan'"],
  ['a value is a BigInt', score([[0, 1n]]),
    'INVALID_ARGUMENT', { argument: 'x', row: 0, column: 1 }, 'not 1n at row 0, column 1'],
  ['a row is none', score([[0, 1], null]),
    'INVALID_ARGUMENT', { argument: 'x', row: 1 }, 'x must hold an array of numbers, not null at row 1'],
  ['points are BigInts', score(new BigInt64Array(2)),
    'INVALID_ARGUMENT', { argument: 'x' }, 'x must be a typed array or an array of numbers, not a BigInt64Array'],
  ['points were transferred', score(detached()),
    'INVALID_ARGUMENT', { argument: 'x' }, 'x lies in a detached buffer'],
  ['a value is NaN', score([[0, 1], [2, NaN]]),
    'NON_FINITE', { argument: 'x', row: 1, column: 1, value: NaN },
    "x is NaN at row 1, column 1; a gap? say missing: 'nan'"],
  ['a value is infinite', score([[-Infinity, 1]]),
    'NON_FINITE', { argument: 'x', row: 0, column: 0, value: -Infinity }, 'x is -Infinity at row 0, column 0'],
  ['out is of another dtype', score([1, 2], { out: new Float32Array(1) }),
    'INVALID_ARGUMENT', { argument: 'out' }, 'out must be a Float64Array like the data, not Float32Array'],
  ['out is of the dtype of something else', score(Float32Array.of(1, 2), { out: new Float64Array(1) }),
    'INVALID_ARGUMENT', { argument: 'out' }, 'out must be a Float32Array'],
  ['out is an array', score([1, 2], { out: [0] }), 'INVALID_ARGUMENT', { argument: 'out' }, 'not an array'],
  ['out has another length', score([1, 2], { out: new Float64Array(2) }),
    'DIMENSION_MISMATCH', { argument: 'out' }, 'out has 2 values, not 1'],
  ['out lies in the data',
    (on) => { const x = new Float64Array(4); return model(on).logDensity(x, { out: x.subarray(1, 3) }); },
    'INVALID_ARGUMENT', { argument: 'out' }, 'out overlaps the data'],
  ['out is shared', score([1, 2], { out: new Float64Array(new SharedArrayBuffer(8)) }),
    'INVALID_ARGUMENT', { argument: 'out' }, 'out lies in a shared or resizable buffer'],
  // one point in an array of its own goes a way of its own
  ['out lies in the one point',
    (on) => { const x = new Float64Array(4); return model(on).logDensity(x.subarray(0, 2), { out: x.subarray(1, 2) }); },
    'INVALID_ARGUMENT', { argument: 'out' }, 'out overlaps the data'],
  ['the one point is shared', score(new Float64Array(new SharedArrayBuffer(16))),
    'INVALID_ARGUMENT', { argument: 'x' }, 'x lies in a shared or resizable buffer'],
  ['out of one point is shared', score(Float64Array.of(1, 2), { out: new Float64Array(new SharedArrayBuffer(8)) }),
    'INVALID_ARGUMENT', { argument: 'out' }, 'out lies in a shared or resizable buffer'],
  ['out of one point is of another dtype', score(Float64Array.of(1, 2), { out: new Float32Array(1) }),
    'INVALID_ARGUMENT', { argument: 'out' }, 'out must be a Float64Array like the data, not Float32Array'],
  ['out of one point has another length', score(Float64Array.of(1, 2), { out: new Float64Array(2) }),
    'DIMENSION_MISMATCH', { argument: 'out' }, 'out has 2 values, not 1'],
  ['out of one point is a proxy', score(Float64Array.of(1, 2), { out: new Proxy(new Float64Array(1), {}) }),
    'INVALID_ARGUMENT', { argument: 'out' }, 'out must be a Float64Array like the data, not an object'],
  ['an option is misspelt', score([1, 2], { mising: 'nan' }),
    'INVALID_ARGUMENT', { argument: 'mising' }, 'mising is no option here (out, missing, mask)'],
  ['shares take no out', (on) => pair(on).responsibilities([1, 2], { out: new Float64Array(2) } as object),
    'INVALID_ARGUMENT', { argument: 'out' }, 'GaussianMixture.responsibilities: out is no option here (missing, mask)'],
  ['nor does a sum', (on) => pair(on).logLikelihood([1, 2], { out: new Float64Array(1) } as object),
    'INVALID_ARGUMENT', { argument: 'out' }, 'GaussianMixture.logLikelihood: out is no option here (missing, mask)'],
  ['a gradient meets a NaN', (on) => pair(on).lossGradient([[0, 0], [0, NaN]]),
    'NON_FINITE', { argument: 'x', row: 1, column: 1, value: NaN }, 'GaussianMixture.lossGradient: x is NaN'],
  ['a gradient meets another dimension', (on) => pair(on).lossGradient([1]),
    'DIMENSION_MISMATCH', { argument: 'x' },
    'GaussianMixture.lossGradient: x has 1 value, not a multiple of dimension 2'],
  ['there are fewer than no draws', draws(-1),
    'INVALID_ARGUMENT', { argument: 'n' }, 'Gaussian.sample: n must be a whole number from 0 to 1073741823, not -1'],
  ['there are half draws', draws(0.5), 'INVALID_ARGUMENT', { argument: 'n' }, 'not 0.5'],
  ['there are too many', draws(2 ** 30), 'INVALID_ARGUMENT', { argument: 'n' }, 'not 1073741824'],
  ['the seed is negative', draws(1, { seed: -1 }),
    'INVALID_ARGUMENT', { argument: 'seed' }, 'seed must be a whole number from 0 to 4294967295, not -1'],
  ['the seed is too large', draws(1, { seed: 2 ** 32 }),
    'INVALID_ARGUMENT', { argument: 'seed' }, 'not 4294967296'],
  ['the seed is a word', draws(1, { seed: 'x' }), 'INVALID_ARGUMENT', { argument: 'seed' }, "not 'x'"],
  ['draws know no such option', draws(1, { sed: 1 }),
    'INVALID_ARGUMENT', { argument: 'sed' }, 'sed is no option here (seed)'],
];
// biome-ignore format: a table
const divergence: Case[] = [
  ['p is nothing', kl(undefined, plane),
    'INVALID_ARGUMENT', { argument: 'p' }, 'klDivergence: p must be an object, not undefined'],
  ['q is an array', kl(plane, [1]), 'INVALID_ARGUMENT', { argument: 'q' }, 'q must be an object, not an array'],
  ['q has no covariance', kl(plane, { mean: [0, 0] }),
    'INVALID_ARGUMENT', { argument: 'q.covariance' }, 'give one of q.covariance, q.cholesky, q.variances, not 0'],
  ['the means differ in dimension', kl(plane, { mean: [0], covariance: [1] }),
    'DIMENSION_MISMATCH', { argument: 'q.mean' }, 'klDivergence: q.mean has 1 value, not 2'],
  ['a covariance does', kl(plane, { mean: [0, 0], covariance: [1] }),
    'DIMENSION_MISMATCH', { argument: 'q.covariance' }, 'q.covariance has 1 value, not 2 x 2'],
  ['p does within itself', kl({ mean: [0, 0], variances: [1] }, plane),
    'DIMENSION_MISMATCH', { argument: 'p.variances' }, 'p.variances has 1 value, not 2'],
  ['q holds a NaN', kl(plane, { mean: [0, NaN], variances: [1, 1] }),
    'NON_FINITE', { argument: 'q.mean', value: NaN }, 'q.mean is NaN at index 1'],
  ['p is not symmetric', kl({ mean: [0, 0], covariance: [1, 0.5, 0, 1] }, plane),
    'NOT_SYMMETRIC', { argument: 'p.covariance' }, 'p.covariance differs from its transpose by 0.5'],
  ['q is not definite', kl(plane, { mean: [0, 0], covariance: [1, 2, 2, 1] }),
    'NOT_POSITIVE_DEFINITE', { which: 'q.covariance', pivot: 1, value: -3 },
    'klDivergence: q.covariance is not positive definite: pivot 1 is -3'],
  ['a factor of p is not', kl({ mean: [0, 0], cholesky: [0, 0, 0, 1] }, plane),
    'NOT_POSITIVE_DEFINITE', { which: 'p.cholesky', pivot: 0, value: 0 }, 'p.cholesky'],
  ['a variance of q is 0', kl({ mean: [0, 0], variances: [1, 1] }, { mean: [0, 0], variances: [1, 0] }),
    'NOT_POSITIVE_DEFINITE', { which: 'q.variances', pivot: 1, value: 0 }, 'q.variances'],
  ['variances meet a covariance', kl({ mean: [0, 0], variances: [1, -1] }, plane),
    'NOT_POSITIVE_DEFINITE', { which: 'p.variances', pivot: 1, value: -1 }, 'p.variances'],
  ['it overflows', kl({ mean: [0], variances: [1e300] }, { mean: [0], variances: [1e-300] }),
    'NON_FINITE', { argument: 'p' }, 'overflows'],
  ['an option is misspelt', kl(plane, plane, { method: 'x' }),
    'INVALID_ARGUMENT', { argument: 'method' }, 'klDivergence: method is no option here (backend)'],
  ['a gradient is asked for', (on) => klDivergenceGradient(plane, { mean: [0, 0], covariance: [1, 2, 2, 1] }, on),
    'NOT_POSITIVE_DEFINITE', { which: 'q.covariance', pivot: 1, value: -3 }, 'klDivergenceGradient: q.covariance'],
];
/** Several mistakes at once: options come first, then dimensions, finiteness, symmetry, definiteness; within a kind
 * the first argument. */
// biome-ignore format: a table
const first: (readonly [string, Call, string, string])[] = [
  ['an option before a dimension', gaussian({ mean: [0, 0], variances: [1] }, { backened: 1 }),
    'INVALID_ARGUMENT', 'backened'],
  ['a dimension before NaN', gaussian({ mean: [NaN, 0], variances: [1] }), 'DIMENSION_MISMATCH', 'variances'],
  ['NaN before symmetry', gaussian({ mean: [0, 0], covariance: [1, 2, 3, NaN] }), 'NON_FINITE', 'covariance'],
  ['the mean before the covariance', gaussian({ mean: [0, NaN], covariance: [1, 2, 3, NaN] }),
    'NON_FINITE', 'mean'],
  ['symmetry before definiteness', gaussian({ mean: [0, 0], covariance: [-1, 2, 3, 1] }),
    'NOT_SYMMETRIC', 'covariance'],
  ['an unknown type before a dimension', mixture({ covarianceType: 'x', means: [1] }),
    'INVALID_ARGUMENT', 'covarianceType'],
  ['means before covariances', mixture({ means: [1], covariances: [1] }), 'DIMENSION_MISMATCH', 'means'],
  ['the dimension of covariances before a NaN in weights', mixture({ weights: [NaN, 1], covariances: [1] }),
    'DIMENSION_MISMATCH', 'covariances'],
  ['NaN in weights before NaN in means, and before their sum',
    mixture({ weights: [NaN, 1], means: [0, 0, 0, NaN] }),
    'NON_FINITE', 'weights'],
  ['weights before symmetry', mixture({ weights: [1, 1], covariances: [1, 2, 3, 1, 1, 0, 0, 1] }),
    'INVALID_ARGUMENT', 'weights'],
  ['symmetry of the second before definiteness of the first', mixture({ covariances: [1, 2, 2, 1, 1, 0.5, 0, 1] }),
    'NOT_SYMMETRIC', 'covariances'],
  ['an option of the score before its dimension', score([1], { mising: 'nan' }), 'INVALID_ARGUMENT', 'mising'],
  ['a dimension of the score before NaN', score([NaN, 1, 2]), 'DIMENSION_MISMATCH', 'x'],
  ['the length of out before NaN', score([NaN, 1], { out: new Float64Array(2) }), 'DIMENSION_MISMATCH', 'out'],
  ['a mask and missing before NaN', score([NaN, 1], { missing: 'nan', mask: new Uint8Array(2) }),
    'INVALID_ARGUMENT', 'mask'],
  ['an option before p', kl(null, null, { x: 1 }), 'INVALID_ARGUMENT', 'x'],
  ['p.mean before q.mean', kl({ mean: [], variances: [] }, { mean: [], variances: [] }),
    'INVALID_ARGUMENT', 'p.mean'],
  ['a dimension of q before NaN in p', kl({ mean: [NaN, 0], variances: [1, 1] }, { mean: [0], variances: [1] }),
    'DIMENSION_MISMATCH', 'q.mean'],
  ['NaN in q before the symmetry of p',
    kl({ mean: [0, 0], covariance: [1, 2, 3, 1] }, { mean: [0, 0], covariance: [1, 0, 0, NaN] }),
    'NON_FINITE', 'q.covariance'],
  ['the symmetry of q before the definiteness of p',
    kl({ mean: [0, 0], covariance: [1, 2, 2, 1] }, { mean: [0, 0], covariance: [1, 0, 0.5, 1] }),
    'NOT_SYMMETRIC', 'q.covariance'],
  ['the definiteness of p before that of q',
    kl({ mean: [0, 0], covariance: [1, 2, 2, 1] }, { mean: [0, 0], variances: [0, 1] }),
    'NOT_POSITIVE_DEFINITE', 'p.covariance'],
  ['two covariances of q before a dimension of p',
    kl({ mean: [0, 0], covariance: [1] }, { mean: [0], covariance: [1], variances: [1] }),
    'INVALID_ARGUMENT', 'q.covariance'],
  ['an unknown word for gaps before the dimension of x', score([1], { missing: 'zero' }),
    'INVALID_ARGUMENT', 'missing'],
  ['a mask and missing before the dimension of x', score([1], { missing: 'nan', mask: new Uint8Array(1) }),
    'INVALID_ARGUMENT', 'mask'],
];

describe.each(titled)('errors on %s', (_, backend) => {
  const on = { backend };
  describe.each([
    ['Gaussian', parametersOfGaussian],
    ['GaussianMixture', parametersOfMixture],
    ['data', data],
    ['klDivergence', divergence],
  ] as const)('%s', (_, cases) => {
    test.each(cases)('%s', (_, call, code, place, message) => {
      const error = refusal(() => call(on));
      const { argument, which, row, column, component, pivot, value } = error;
      // undefined and absent are the same here
      expect({ code: error.code, argument, which, row, column, component, pivot, value }).toEqual({ code, ...place });
      // first the public name of the call
      expect(error.message).toMatch(/^((Gaussian|GaussianMixture)(\.\w+)?|klDivergence(Gradient)?): /);
      for (const fact of facts(message)) expect(error.message).toContain(fact);
      expect(error).toBeInstanceOf(Error);
      expect(error.name).toBe('SeqlikError');
      expect(String(error)).toBe(`SeqlikError: ${error.message}`);
    });
  });
  test.each(first)('of several mistakes: %s', (_, call, code, argument) => {
    const error = refusal(() => call(on));
    expect([error.code, error.argument ?? error.which]).toEqual([code, argument]);
  });
  test('a tied covariance belongs to no component', () => {
    const error = refusal(() =>
      mixture({
        covariances: [
          [1, 2],
          [2, 1],
        ],
        covarianceType: 'tied',
      })(on),
    );
    expect(error.component).toBeUndefined();
    expect(error.message).toContain('covariances is not positive definite');
  });
  test('a divergence that is finite is given, even where its gradient overflows', () => {
    const want = -0.5 * (1 + Math.log(1e-310));
    expect(klDivergence({ mean: [0], variances: [1e-310] }, { mean: [0], variances: [1] }, on)).toBeCloseTo(want, 9);
  });

  test('what is nearly symmetric, and weights that nearly sum to 1, are taken', () => {
    expect(
      gaussian({
        mean: [0, 0],
        covariance: [
          [2, 1.9e-9],
          [0, 2],
        ],
      })(on),
    ).toBeInstanceOf(Gaussian);
    expect(mixture({ weights: [0.5, 0.5 + 9e-10] })(on)).toBeInstanceOf(GaussianMixture);
  });
  test('an error leaves the model and the backend as they were', () => {
    const [g, m] = [model(on), pair(on)];
    const want = [g.logDensity([1, 2]), m.responsibilities([1, 2])];
    for (const x of [[1], [NaN, 1], [1e200, 0]])
      for (const call of [() => g.logDensity(x), () => m.responsibilities(x), () => m.lossGradient(x)]) refusal(call);
    expect([g.logDensity([1, 2]), m.responsibilities([1, 2])]).toEqual(want);
  });
});
test('an error is an Error with its code first', () => {
  const error = new SeqlikError('NON_FINITE', 'x', { argument: 'x', row: 3, cause: 'why' });
  expect([error.code, error.argument, error.row, error.cause, error instanceof Error]).toEqual([
    'NON_FINITE',
    'x',
    3,
    'why',
    true,
  ]);
  expect('cause' in new SeqlikError('NON_FINITE', 'x')).toBe(false);
});

function gaussianMixtureOf(parameters: unknown): Call {
  return (on) => new GaussianMixture(parameters as MixtureParameters, on);
}
