/** Odd values that are right, code of the caller's that throws, errors of openBackend; test/hostile has the rest. */
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  type Backend,
  Gaussian,
  GaussianMixture,
  type GaussianParameters,
  openBackend,
  type Real,
} from '../../src/index.ts';
import { expectBits, refusal, titled } from '../support/models.ts';

const plain: readonly number[] = [0.5, 0.125, 0.125, 0.25];
const mine = new Error('mine');
const over = (target: object, traps: ProxyHandler<object>): object => new Proxy(target, traps);
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
type Outcome = { readonly result: unknown } | { readonly error: unknown };
function outcome(call: () => unknown): Outcome {
  try {
    return { result: call() };
  } catch (error) {
    return { error };
  }
}
describe.each(titled)('odd values on %s', (_, backend) => {
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
