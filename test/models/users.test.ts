/** Stumbling blocks that users of other libraries reported: messages that say what to do, and data as they come. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  type AnyModel,
  Gaussian,
  GaussianMixture,
  type Initialization,
  loadModel,
  MixtureDensityNetwork,
  SeqlikError,
} from '../../src/index.ts';
import { refusal, titled } from '../support/models.ts';

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('it was not refused');
    },
    (error) => error,
  );

describe.each(titled)('on %s', (_, backend) => {
  const plane = new Gaussian({ mean: [0, 1], variances: [1, 2] }, { backend });
  const pair = new GaussianMixture(
    { weights: [0.5, 0.5], means: [0, 0, 4, 4], covariances: [1, 1], covarianceType: 'spherical' },
    { backend },
  );
  test('gaps are recommended only by calls that know them', () => {
    const x = [[0, Number.NaN]];
    expect(refusal(() => plane.logDensity(x)).message).toMatch(/; a gap\? say missing: 'nan'$/);
    expect(refusal(() => pair.lossGradient(x))).toMatchObject({ code: 'NON_FINITE', row: 0, column: 1 });
    expect(refusal(() => pair.lossGradient(x)).message).not.toContain('gap');
    const network = new MixtureDensityNetwork({ dimension: 2, hidden: [2], components: 1 }, { backend });
    expect(refusal(() => network.logDensity([[0, 1], ...x])).message).not.toContain('gap');
  });
  test('null, undefined and holes are gaps once gaps are announced', () => {
    const x = [[0, 2], [null, 1], [3, undefined], Object.assign([], { 1: 5 }), [null, null]] as number[][];
    const same = x.map((row) => Array.from({ length: 2 }, (_, j) => row[j] ?? Number.NaN));
    expect(plane.logDensity(x, { missing: 'nan' })).toEqual(plane.logDensity(same, { missing: 'nan' }));
    const mask = Uint8Array.of(1, 1, 0, 1, 1, 0, 0, 1, 0, 0);
    expect(pair.logLikelihood(x, { mask })).toBe(pair.logLikelihood(same, { missing: 'nan' }));
    expect(refusal(() => plane.logDensity(x))).toMatchObject({ code: 'INVALID_ARGUMENT', row: 1, column: 0 });
  });
  test('whole numbers of any width are data', async () => {
    const values = [0, 2, 1, 1, 3, 0];
    for (const Type of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array]) {
      expect(plane.logDensity(Type.from(values))).toEqual(plane.logDensity(values));
      expect(plane.logDensity([Type.from([1, 2])] as never)).toEqual(plane.logDensity([[1, 2]]));
    }
    const { model } = await Gaussian.fit(Int32Array.from(values), { dimension: 2, backend });
    expect(model.parameters).toEqual((await Gaussian.fit(values, { dimension: 2, backend })).model.parameters);
  });
  test('weights of f32 are normalised', () => {
    const weights = Float32Array.of(0.1, 0.2, 0.7).map((w) => w * (1 + 3e-7));
    const mixture = new GaussianMixture({ weights, means: [0, 1, 2], covariances: [1, 1, 1] }, { backend });
    expect(Math.abs(mixture.parameters.weights.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-15);
    expect(
      refusal(() => new GaussianMixture({ weights: [0.5, 0.50001], means: [0, 1], covariances: [1, 1] })),
    ).toMatchObject({
      argument: 'weights',
    });
  });
  test('a column without spread: never observed, constant, or lost to rounding', async () => {
    const refusedFit = (x: number[][]) => failure(GaussianMixture.fit(x, { components: 1, missing: 'nan', backend }));
    for (const [column, words] of [
      [[Number.NaN, Number.NaN, Number.NaN], 'column 1 of x was never observed'],
      [[7, 7, 7], 'column 1 of x is constant'],
      [[0, 1e-170, 0], 'column 1 of x varies so little, from 0 to 1e-170, that its variance is 0'],
    ] as const)
      expect(await refusedFit(column.map((v, i) => [i, v]))).toMatchObject({
        code: 'NOT_POSITIVE_DEFINITE',
        pivot: 1,
        message: expect.stringContaining(words),
      });
  });
  test('a variance that is too small for f32 is what is blamed', () => {
    const narrow = new Gaussian({ mean: [0], variances: [1e-80] }, { backend });
    expect(narrow.logDensity([0])[0]).toBeGreaterThan(0);
    const { code, message } = refusal(() => narrow.logDensity(Float32Array.of(0)));
    expect({ code, message }).toMatchObject({
      code: 'NON_FINITE',
      message: 'Gaussian.logDensity: a variance of variances is too small for f32 at row 0 of x: pass f64',
    });
  });
  test('an abort names the call', async () => {
    const signal = AbortSignal.abort(new Error('mine'));
    const x = new Float64Array(2e5).map((_, i) => Math.sin(i));
    for (const [call, name] of [
      [() => plane.logDensityAsync(x, { signal }), 'Gaussian.logDensityAsync'],
      [() => GaussianMixture.fit(x, { dimension: 2, components: 2, signal, backend }), 'GaussianMixture.fit'],
    ] as const)
      expect(await failure(call())).toMatchObject({
        code: 'ABORTED',
        message: `${name} was aborted`,
        cause: signal.reason,
      });
    const later = new AbortController();
    const fit = GaussianMixture.fit(x, { dimension: 2, components: 9, tolerance: 0, signal: later.signal, backend });
    setTimeout(() => later.abort('late'), 30);
    expect(await failure(fit)).toMatchObject({ message: 'GaussianMixture.fit was aborted', cause: 'late' });
  });
  test('a model is loaded from an ArrayBuffer; a path is no file', () => {
    const bytes = plane.toBytes();
    expect(loadModel(bytes.slice().buffer, { backend }).parameters).toEqual(plane.parameters);
    expect(Gaussian.fromBytes(bytes.slice().buffer, { backend }).parameters).toEqual(plane.parameters);
    expect(refusal(() => loadModel('x.seqlik' as never)).message).toBe(
      "loadModel: bytes must be a Uint8Array or an ArrayBuffer, neither shared, resizable nor detached, not 'x.seqlik': " +
        'read the file first, as with await readFile(path)',
    );
  });
  test('rows too far away are marked, whatever is around them; the others score as ever', async () => {
    const near = Array.from({ length: 700 }, (_, i) => [Math.sin(i), i % 7 === 0 ? Number.NaN : Math.cos(i)]);
    const far = new Map([
      [0, [1e200, 0]],
      [300, [Number.NaN, -1e300]],
      [301, [1e300, 1e300]],
      [699, [1e250, Number.NaN]],
    ]);
    const x = near.map((row, i) => far.get(i) ?? row);
    const options = { missing: 'nan', unscorable: 'mark' } as const;
    for (const model of [plane, pair]) {
      const expected = model
        .logDensity(near, { missing: 'nan' })
        .map((v, i) => (far.has(i) ? Number.NEGATIVE_INFINITY : v));
      expect(model.logDensity(x, options)).toEqual(expected);
      expect(await model.logDensityAsync(x, options)).toEqual(expected);
      expect(model.logLikelihood(x, options)).toBe(Number.NEGATIVE_INFINITY);
      expect(model.logDensity(Float32Array.of(3e38, 0), { unscorable: 'mark' })[0]).toBe(Number.NEGATIVE_INFINITY);
      expect(refusal(() => model.logDensity(x, { missing: 'nan', unscorable: 'throw' }))).toMatchObject({ row: 0 });
      // a value that is not finite is no distance
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
        expect(
          refusal(() =>
            model.logDensity(
              [
                [1e200, 0],
                [0, value],
              ],
              { unscorable: 'mark' },
            ),
          ),
        ).toMatchObject({
          code: 'NON_FINITE',
          row: 1,
          column: 1,
        });
    }
    const classes = pair.classify(near, { missing: 'nan' }).map((c, i) => (far.has(i) ? -1 : c));
    expect(pair.classify(x, options)).toEqual(classes);
    const shares = pair.responsibilities(near, { missing: 'nan' }).map((r, i) => (far.has(i >> 1) ? 0 : r));
    expect(pair.responsibilities(x, options)).toEqual(shares);
    const narrow = new Gaussian({ mean: [0], variances: [1e-80] }, { backend });
    expect(refusal(() => narrow.logDensity(Float32Array.of(0), { unscorable: 'mark' }))).toMatchObject({ row: 0 });
  });
  test('the mean and the covariance of the whole, whatever the parameters', () => {
    const weights = [0.3, 0.7];
    const means = [0, 1, 4, -2];
    const full = [2, 0.5, 0.5, 1, 1, -0.25, -0.25, 3];
    const mean = [0.7 * 4, 0.3 - 1.4];
    const covariancesOf = { full, tied: full.slice(0, 4), diagonal: [2, 1, 1, 3], spherical: [2, 3] } as const;
    for (const [covarianceType, covariances] of Object.entries(covariancesOf)) {
      const mixture = new GaussianMixture(
        { weights, means, covariances, covarianceType: covarianceType as 'full' },
        { backend },
      );
      expect([...mixture.mean()].map((v, j) => v - mean[j]!)).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
      // the variance of a sum over both coordinates is that of its marginal moments
      const draws = mixture.sample(200_000, { seed: 1 });
      const S = mixture.covariance();
      for (const [i, j] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        let sum = 0;
        for (let n = 0; n < draws.length; n += 2) sum += (draws[n + i]! - mean[i]!) * (draws[n + j]! - mean[j]!);
        expect(Math.abs(S[2 * i + j]! - sum / 200_000)).toBeLessThan(0.1);
      }
    }
    const g = new Gaussian({ mean: [1, 2], cholesky: [2, 0, 1, 3] }, { backend });
    expect([...g.mean(), ...g.covariance()]).toEqual([1, 2, 4, 2, 2, 10]);
    expect([...plane.covariance()]).toEqual([1, 0, 0, 2]);
  });
  test('words that were most likely meant', () => {
    const options = { dimension: 1, hidden: [2], components: 1, cell: 'LSTM' as 'lstm' };
    expect(refusal(() => new MixtureDensityNetwork(options)).message).toMatch(/not 'LSTM'; did you mean 'lstm'\?$/);
    expect(refusal(() => plane.logDensity([0, 1], { mising: 'nan' } as object)).message).toContain(
      'did you mean missing?',
    );
  });
});

describe('an error far from home', () => {
  const g = new Gaussian({ mean: [0], variances: [1] });
  const error = refusal(() => g.logDensity([[1], [Number.NaN]]));
  test('through JSON and through a message it keeps its class, code, fields and message', () => {
    for (const sent of [JSON.parse(JSON.stringify(error)), structuredClone(error.toJSON())]) {
      const back = SeqlikError.from(sent);
      expect(back).toBeInstanceOf(SeqlikError);
      expect({ ...back, message: back.message }).toEqual({ ...error, message: error.message });
      expect(back.value).toBeNaN();
    }
  });
  test('with its causes, and without what is not for others', () => {
    const outer = new SeqlikError('FORMAT', 'outer', { cause: error, checkpoint: new Uint8Array(9) });
    const back = SeqlikError.from(JSON.parse(JSON.stringify(outer)));
    expect(back.cause).toBeInstanceOf(SeqlikError);
    expect(back.cause).toMatchObject({ code: 'NON_FINITE', row: 1 });
    expect(outer.toJSON()).not.toHaveProperty('checkpoint');
    expect(outer.toJSON()).not.toHaveProperty('stack');
    expect(new SeqlikError('IO', 'x', { cause: new TypeError('y') }).toJSON()).toMatchObject({ cause: 'y' });
  });
});
test('JSON of a model is its summary, not its private state', () => {
  const mixture = new GaussianMixture({ weights: [1], means: [0], covariances: [1] }, { columns: ['a'] });
  const summary = { kind: 'gaussian-mixture', dimension: 1, componentCount: 1, covarianceType: 'full', columns: ['a'] };
  expect(JSON.parse(JSON.stringify(mixture))).toEqual(summary);
  expect(Object.keys(summary).every((name) => name in mixture)).toBe(true);
  expect(JSON.parse(JSON.stringify(Object.create(GaussianMixture.prototype)))).toEqual({});
});
test('an environment variable at fault is named', () => {
  for (const [variable, value] of [
    ['SEQLIK_BACKEND', 'foo'],
    ['SEQLIK_THREADS', 'many'],
  ]) {
    const program =
      "import { defaultBackend } from './dist/index.js'; try { defaultBackend(); } catch (e) { console.log(e.message); }";
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { ...process.env, [variable!]: value },
      encoding: 'utf8',
    });
    expect(stdout).toMatch(new RegExp(`^${variable} must be .*, not `));
  }
});
/** Calls that the types allow, and some that they do not: `tsc` checks them, they never run. */
async function types(model: AnyModel, initialization: Initialization): Promise<void> {
  await GaussianMixture.fit([[1], [2]], { components: 2, initialization });
  if (model.kind === 'gaussian-mixture') await GaussianMixture.fit([[1]], { init: model });
  // @ts-expect-error neither components nor init
  await GaussianMixture.fit([[1], [2]], { seed: 1 });
  // @ts-expect-error no options
  await GaussianMixture.fit([[1], [2]]);
}
test('the types say what a fit needs', () => expect(types).toBeTypeOf('function'));
