/**
 * Values nobody should pass, in every place of the public models, on every backend: each gives what the plain array
 * would give, or a SeqlikError; never another error but one thrown by the caller's own code, and never a crash.
 */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  type Backend,
  Gaussian,
  GaussianMixture,
  type GaussianParameters,
  klDivergence,
  klDivergenceGradient,
  type MixtureParameters,
  openBackend,
  type Real,
  SeqlikError,
} from '../../src/index.ts';
import { expectBits, refusal, titled } from '../support/models.ts';

/** Fits everywhere: a mean, variances, points, weights that sum to 1, a symmetric positive definite 2 x 2 matrix. */
const plain: readonly number[] = [0.5, 0.125, 0.125, 0.25];
const mine = new Error('mine');
const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ArrayBuffer;
const inside = (buffer: ArrayBufferLike): Float64Array => {
  const view = new Float64Array(buffer as ArrayBuffer);
  view.set(plain);
  return view;
};
const detached = (): Float64Array => {
  const view = Float64Array.from(plain);
  structuredClone(view, { transfer: [view.buffer] });
  return view;
};
const over = (target: object, traps: ProxyHandler<object>): object => new Proxy(target, traps);
const lying = (length: unknown): object =>
  over([...plain], { get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)) });
class Liar extends Float64Array {
  override get length(): number {
    return 2;
  }
}
class List extends Array<number> {}
const owning = (key: 'buffer' | 'byteOffset' | 'byteLength', value: unknown): Float64Array =>
  Object.defineProperty(Float64Array.from(plain), key, { value });

/** The value, and the array it has to count as: undefined where it has to be refused. */
type Value = readonly [name: string, make: () => unknown, counts?: readonly number[]];
// biome-ignore format: a table
const values: readonly Value[] = [
  ['a Float64Array', () => Float64Array.from(plain), plain],
  ['a part of a larger one', () => Float64Array.from([9, ...plain, 9]).subarray(1, 5), plain],
  ['a frozen array', () => Object.freeze([...plain]), plain],
  ['an array with more to it', () => Object.assign([...plain], { length: 4, more: 1 }), plain],
  ['a subclass of Array', () => List.from(plain), plain],
  ['a Proxy of an array', () => over([...plain], {}), plain],
  ['an array of another realm', () => runInNewContext('[0.5, 0.125, 0.125, 0.25]'), plain],
  ['a Float64Array of another realm', () => runInNewContext('Float64Array.of(0.5, 0.125, 0.125, 0.25)'), plain],
  ['a Float64Array that lies about its length', () => Liar.from(plain), plain],
  ['a Float64Array with another buffer', () => owning('buffer', new ArrayBuffer(8)), plain],
  ['a Float64Array with another offset', () => owning('byteOffset', 8), plain],
  ['a Float64Array with another size', () => owning('byteLength', 8), plain],
  ['a Float64Array with other values to iterate over', () =>
    Object.assign(Float64Array.from(plain), { *[Symbol.iterator]() { yield 7; } }), plain],
  ['a detached Float64Array', detached, []],
  ['a Proxy without length', () => lying(Number.NaN), []],
  ['a Proxy of negative length', () => lying(-1), []],
  ['null', () => null],
  ['a number', () => 7],
  ['NaN', () => Number.NaN],
  ['true', () => true],
  ['a BigInt', () => 7n],
  ['a string', () => '0.5,0.125,0.125,0.25'],
  ['a symbol', () => Symbol('x')],
  ['a function', () => () => plain],
  ['an object', () => ({})],
  ['an object like an array', () => ({ ...plain, length: 4 })],
  ['an object of huge length', () => ({ length: 2 ** 53 })],
  ['an object that cannot be a string', () => ({ __proto__: null })],
  ['an array of huge length', () => new Array(2 ** 32 - 1)],
  ['a long array with one value', () => { const a = new Array(2 ** 28); a[0] = 1; return a; }],
  ['a sparse array', () => [0.5,  undefined, 0.125, 0.25]],
  ['an array of strings', () => plain.map(String)],
  ['an array with a string', () => [0.5, 0.125, 0.125, '0.25']],
  ['an array with undefined', () => [0.5, 0.125, 0.125, undefined]],
  ['an array with null', () => [null, 0.125, 0.125, 0.25]],
  ['an array with a BigInt', () => [0.5, 0.125, 0.125, 1n]],
  ['an array with a Number object', () => [0.5, 0.125, 0.125, new Number(0.25)]],
  ['an array that contains itself', () => { const a: unknown[] = []; a.push(a); return a; }],
  ['rows of different length', () => [[0.5, 0.125], [0.125]]],
  ['a Map', () => new Map(plain.map((v, i) => [i, v]))],
  ['a Set', () => new Set(plain)],
  ['an iterator', () => plain.values()],
  ['a Promise', () => Promise.resolve(plain)],
  ['an ArrayBuffer', () => new ArrayBuffer(32)],
  ['a DataView', () => new DataView(new ArrayBuffer(32))],
  ['an Int32Array', () => Int32Array.from(plain)],
  ['a Uint8Array', () => Uint8Array.from(plain)],
  ['a BigInt64Array', () => new BigInt64Array(4)],
  ['a Proxy of a Float64Array', () => over(Float64Array.from(plain), {})],
  ['an object with the prototype of one', () => Object.create(Float64Array.prototype)],
  ['memory that is shared', () => inside(new SharedArrayBuffer(32))],
  ['memory that may grow', () => inside(new Resizable(32, { maxByteLength: 64 }))],
  ['a Proxy that claims to be longer', () => lying(5)],
  ['a Proxy of endless length', () => lying(Number.POSITIVE_INFINITY)],
];
/** Their code is run, so their error is seen; it must come through as it is. */
// biome-ignore format: a table
const throwing: readonly Value[] = [
  ['a getter that throws', () =>
    Object.defineProperty([0.5, 0.125, 0.125, 0], 3, { get() { throw mine; }, enumerable: true })],
  ['a Proxy that throws', () => over([...plain], { get() { throw mine; } })],
  ['an iterator that throws', () => Object.assign([...plain], { [Symbol.iterator]() { throw mine; } })],
];

type Place = readonly [where: string, call: (value: unknown, backend: Backend) => unknown];
const points = (value: unknown): number[] => value as number[];
const gaussian =
  (parameters: object) =>
  (backend: Backend): Real =>
    new Gaussian(parameters as GaussianParameters, { backend }).logDensity([]);
const mixture =
  (change: object) =>
  (backend: Backend): Real =>
    new GaussianMixture(
      {
        weights: plain,
        means: plain,
        covariances: [1, 1, 1, 1],
        covarianceType: 'spherical',
        ...change,
      } as MixtureParameters,
      { backend },
    ).logDensity([1, 2]);
const plane = (backend: Backend): Gaussian => new Gaussian({ mean: [0, 1], variances: [1, 2] }, { backend });
const pair = (backend: Backend): GaussianMixture =>
  new GaussianMixture(
    {
      weights: [0.25, 0.75],
      means: [
        [0, 1],
        [1, 0],
      ],
      covariances: [1, 2],
      covarianceType: 'spherical',
    },
    { backend },
  );
// biome-ignore format: a table
const places: Place[] = [
  ['Gaussian mean', (mean, backend) => gaussian({ mean, variances: plain })(backend)],
  ['Gaussian covariance', (covariance, backend) => gaussian({ mean: [0, 0], covariance })(backend)],
  ['Gaussian cholesky', (cholesky, backend) => gaussian({ mean: [0, 0], cholesky })(backend)],
  ['Gaussian variances', (variances, backend) => gaussian({ mean: plain, variances })(backend)],
  ['mixture weights', (weights, backend) => mixture({ weights })(backend)],
  ['mixture means', (means, backend) => mixture({ means })(backend)],
  ['mixture covariances', (covariances, backend) => mixture({ covariances })(backend)],
  ['klDivergence mean', (mean, backend) =>
    klDivergence({ mean: plain, variances: plain }, { mean: points(mean), variances: plain }, { backend })],
  ['klDivergence covariance', (covariance, backend) => {
    const p = { mean: [0, 0], covariance: points(covariance) };
    return klDivergenceGradient(p, { mean: [0, 0], covariance: plain }, { backend }).kl;
  }],
  ['Gaussian logDensity', (x, backend) => plane(backend).logDensity(points(x))],
  ['Gaussian logDensity with gaps', (x, backend) => plane(backend).logDensity(points(x), { missing: 'nan' })],
  ['mixture logDensity', (x, backend) => pair(backend).logDensity(points(x))],
  ['mixture logDensity with a mask', (x, backend) =>
    pair(backend).logDensity(points(x), { mask: Uint8Array.of(0, 1, 1, 1) })],
  ['mixture responsibilities', (x, backend) => pair(backend).responsibilities(points(x))],
  ['mixture classify', (x, backend) => Float64Array.from(pair(backend).classify(points(x)))],
  ['mixture logLikelihood', (x, backend) => pair(backend).logLikelihood(points(x))],
  ['mixture lossGradient', (x, backend) => pair(backend).lossGradient(points(x)).dMeans],
];
type Outcome = { readonly result: unknown } | { readonly error: unknown };
function outcome(call: () => unknown): Outcome {
  try {
    return { result: call() };
  } catch (error) {
    return { error };
  }
}
function expectSame(got: Outcome, want: Outcome, name: string): void {
  if ('error' in want || 'error' in got) {
    const codes = [got, want].map((one) => ('error' in one && one.error instanceof SeqlikError ? one.error.code : one));
    expect(codes[0], name).toEqual(codes[1]);
  } else expect(got.result, name).toEqual(want.result);
}

describe.each(titled)('hostile values on %s', (_, backend) => {
  const check = (where: string, [name, make, counts]: Value, call: Place[1]): void => {
    const got = outcome(() => call(make(), backend));
    if (counts)
      expectSame(
        got,
        outcome(() => call([...counts], backend)),
        name,
      );
    else if (!('error' in got && got.error instanceof SeqlikError))
      expect.fail(`${where}: ${name} gave ${String('error' in got ? got.error : got.result)}`);
  };
  test.each(places)('%s', (where, call) => {
    for (const value of values) check(where, value, call);
    for (const [name, make] of throwing)
      expect(
        outcome(() => call(make(), backend)),
        name,
      ).toEqual({ error: mine });
  });
  test('an asynchronous call copies the values, whatever their class says of copies', async () => {
    class Small extends Float64Array {
      static get [Symbol.species](): Float64ArrayConstructor {
        return function make(length: number) {
          return new Uint8Array(length);
        } as unknown as Float64ArrayConstructor;
      }
    }
    const x = new Small(8).fill(3);
    const model = plane(backend) as Gaussian & { logDensityAsync(x: Real): Promise<Real> };
    expectBits(await model.logDensityAsync(x), model.logDensity(x));
  });
  test('a float of another realm is still one of 32 bits', () => {
    const x = runInNewContext('Float32Array.of(0.5, 0.125, 0.125, 0.25)') as Float32Array;
    for (const model of [plane(backend), pair(backend)]) {
      expectBits(model.logDensity(x), model.logDensity(Float32Array.from(plain)));
      expectBits(model.logDensity(x, { missing: 'nan' }), model.logDensity(Float32Array.from(plain)));
    }
    expectBits(pair(backend).responsibilities(x), pair(backend).responsibilities(Float32Array.from(plain)));
  });

  test('as out', () => {
    const x = [...plain, ...plain];
    const want = plane(backend).logDensity(x);
    for (const [name, make] of values) {
      const got = outcome(() => plane(backend).logDensity(x, { out: make() as Real }));
      if ('error' in got) expect(got.error, name).toBeInstanceOf(SeqlikError);
      else expect(Float64Array.from({ length: 4 }, (_, i) => (got.result as Real)[i]!)).toEqual(want);
    }
  });
  const words = [
    null,
    7,
    Number.NaN,
    true,
    7n,
    'x',
    Symbol('x'),
    () => 1,
    [],
    [1],
    new Float64Array(1),
    new Date(),
    /x/,
  ];
  test.each(words.map((word) => [String(word), word] as const))(
    'as options, a seed, a count, a backend, a mask, a type: %s',
    (_, word) => {
      const any = word as never;
      const on = { backend };
      const { mean, variances } = { mean: [0], variances: [1] };
      const options =
        word instanceof Date || word instanceof RegExp
          ? []
          : [
              // an object without any option says nothing
              () => new Gaussian({ mean, variances }, any),
              () => plane(backend).logDensity([1, 2], any),
              () => plane(backend).sample(1, any),
              () => pair(backend).responsibilities([1, 2], any),
              () => klDivergence({ mean, variances }, { mean, variances }, any),
            ];
      const calls = [
        ...options,
        () => new Gaussian({ mean, variances }, { backend: any }),
        () => klDivergence({ mean, variances }, { mean, variances }, { backend: any }),
        () => new Gaussian(any, on),
        () => new GaussianMixture(any, on),
        () => klDivergence(any, { mean, variances }, on),
        () => klDivergence({ mean, variances }, any, on),
        () => plane(backend).logDensity([1, 2], { mask: any }),
        () => plane(backend).logDensity([1, 2], { missing: any }),
        ...(word === null ? [] : [() => mixture({ covarianceType: any })(backend)]),
        ...(word === 7 ? [] : [() => plane(backend).sample(any), () => plane(backend).sample(1, { seed: any })]),
      ];
      for (const call of calls) expect(['INVALID_ARGUMENT', 'DIMENSION_MISMATCH']).toContain(refusal(call).code);
    },
  );
  test.each<unknown>([
    Number.NaN,
    Infinity,
    -Infinity,
    -1,
    0.5,
    2 ** 31,
    2 ** 53,
    1e300,
    -0.5,
    '3',
    {},
    { valueOf: () => 3 },
  ])('as a number of draws or a seed: %s', (n) => {
    expect(refusal(() => plane(backend).sample(n as number))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      argument: 'n',
    });
    if (n !== 2 ** 31)
      expect(refusal(() => pair(backend).sample(1, { seed: n as number }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        argument: 'seed',
      });
  });
  test('a getter that throws among parameters or options throws its own error', () => {
    const trap = (...keys: string[]): never =>
      Object.defineProperties(
        { mean: [0], variances: [1] },
        Object.fromEntries(
          keys.map((key) => [
            key,
            {
              get() {
                throw mine;
              },
              enumerable: true,
            },
          ]),
        ),
      ) as never;
    for (const call of [
      () => new Gaussian(trap('mean'), { backend }),
      () => new Gaussian(trap('cholesky'), { backend }),
      () =>
        new Gaussian(
          { mean: [0], variances: [1] },
          over(
            { backend },
            {
              get() {
                throw mine;
              },
            },
          ) as never,
        ),
      () =>
        plane(backend).logDensity(
          [1, 2],
          over(
            { missing: 'nan' },
            {
              get() {
                throw mine;
              },
            },
          ) as never,
        ),
      () =>
        plane(backend).sample(
          1,
          over(
            { seed: 1 },
            {
              ownKeys() {
                throw mine;
              },
            },
          ) as never,
        ),
    ])
      expect(outcome(call)).toEqual({ error: mine });
  });
  test('parameters and options may come from anywhere', () => {
    const given = Object.assign(Object.create(null) as object, {
      mean: [1, 2],
      variances: [1, 2],
    }) as GaussianParameters;
    class Given {
      readonly mean = [1, 2];
      get variances(): number[] {
        return [1, 2];
      }
    }
    const want = new Gaussian({ mean: [1, 2], variances: [1, 2] }, { backend }).logDensity(plain);
    for (const parameters of [
      given,
      new Given(),
      over({ mean: [1, 2], variances: [1, 2] }, {}) as GaussianParameters,
      runInNewContext('({ mean: [1, 2], variances: [1, 2] })') as GaussianParameters,
    ])
      expectBits(new Gaussian(parameters, { backend }).logDensity(plain), want);
  });
});

describe('openBackend', () => {
  test.each([
    ['name', 'gpu'],
    ['name', 7],
    ['isa', 7],
    ['reproducible', 'yes'],
    ['threads', 0],
    ['threads', -1],
    ['threads', 0.5],
    ['threads', Number.NaN],
    ['threads', '2'],
    ['threads', 2000],
    ['threads', 2n],
  ] as const)('refuses %s: %s', (option, value) => {
    const error = refusal(() => openBackend({ [option]: value }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', argument: option });
    expect(error.message).toContain(String(value));
  });
  test.each([
    { isa: 'avx9' },
    { name: 'wasm', isa: 'avx2' },
    { name: 'wasm', isa: 'baseline' },
    { module: {} },
    { module: 'x' },
  ] as const)('has none for %j', (options) =>
    expect(refusal(() => openBackend(options as object))).toMatchObject({ code: 'BACKEND' }),
  );
  test('refuses a module that is not ours', () => {
    const empty = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    expect(refusal(() => openBackend({ module: empty }))).toMatchObject({
      code: 'BACKEND',
      message: 'module is not a WebAssembly.Module of seqlik',
    });
  });
  test.each([
    ['null', null],
    ['a string', 'wasm'],
    ['a number', 7],
    ['an array', ['wasm']],
    ['a misspelt option', { nmae: 'wasm' }],
    ['a symbol for a level', { isa: Symbol('x') }],
    ['a name that cannot be a string', { name: Object.create(null) as object }],
  ] as const)('refuses %s', (_, options) =>
    expect(['INVALID_ARGUMENT', 'BACKEND']).toContain(refusal(() => openBackend(options as object)).code),
  );
});
