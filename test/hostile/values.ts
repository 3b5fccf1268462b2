/** Values nobody should pass. Every one goes into every place of the public face (places.ts). */
import { runInNewContext } from 'node:vm';
import { Gaussian, GaussianMixture, MixtureDensityNetwork, openBackend, SeqlikError } from '../../src/index.ts';

/** Fits everywhere: a mean, variances, points, weights that sum to 1, a symmetric positive definite 2 x 2 matrix. */
export const plain: readonly number[] = [0.5, 0.125, 0.125, 0.25];
/** The error that the caller's own code throws. */
export const mine = new Error('mine');

export interface Value {
  readonly name: string;
  readonly make: () => unknown;
  /** The numbers it has to count as where numbers are wanted; undefined: to be refused there. */
  readonly counts?: readonly number[];
  /** Whether it runs code of the caller's, which throws `mine`. */
  readonly throws?: boolean;
}
const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Growing;
const GrowableShared = SharedArrayBuffer as unknown as new (bytes: number, options: object) => SharedArrayBuffer;
interface Growing extends ArrayBuffer {
  resize(bytes: number): void;
}
const f64 = (): Float64Array => Float64Array.from(plain);
const inside = (buffer: ArrayBufferLike, offset = 0): Float64Array => {
  const view = new Float64Array(buffer as ArrayBuffer, offset, 4);
  view.set(plain);
  return view;
};
const detach = <A extends Float64Array>(view: A): A => {
  structuredClone(view, { transfer: [view.buffer as ArrayBuffer] });
  return view;
};
const shrunk = (): Float64Array => {
  const buffer = new Resizable(32, { maxByteLength: 64 });
  const view = inside(buffer);
  buffer.resize(8);
  return view;
};
const inWasm = (grow: boolean): Float64Array => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = inside(memory.buffer);
  if (grow) memory.grow(1);
  return view;
};
const over = <T extends object>(target: T, traps: ProxyHandler<T> = {}): T => new Proxy(target, traps);
const revoked = (target: object): unknown => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const lying = (length: unknown): object =>
  over([...plain], { get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)) });
const throwing = (): never => {
  throw mine;
};
class Liar extends Float64Array {
  override get length(): number {
    return 2;
  }
}
class Strange extends Float64Array {
  static get [Symbol.species](): Float64ArrayConstructor {
    return ((length: number) => new Uint8Array(length)) as unknown as Float64ArrayConstructor;
  }
}
class List extends Array<number> {}
const owning = (key: PropertyKey, value: unknown): Float64Array => Object.defineProperty(f64(), key, { value });
const endless = function* (): Generator<number> {
  for (;;) yield 1;
};
const wasm = openBackend({ name: 'wasm' });
const line = (): Gaussian => new Gaussian({ mean: [0], variances: [1] }, { backend: wasm });
const pair = (): GaussianMixture =>
  new GaussianMixture(
    { weights: [0.5, 0.5], means: [0, 1], covariances: [1, 1], covarianceType: 'spherical' },
    { backend: wasm },
  );
const cell = (): MixtureDensityNetwork =>
  new MixtureDensityNetwork({ dimension: 1, hidden: [1], components: 1 }, { backend: wasm });
const gone = (): Gaussian => {
  const model = line();
  model.dispose();
  return model;
};

type Entry = readonly [name: string, make: () => unknown, counts?: readonly number[]];
const own = (name: string, ...numbers: number[]): Entry => [name, () => [...numbers], numbers];
// biome-ignore format: a table
const table: readonly Entry[] = [
  // arrays that are right, however odd
  ['a Float64Array', f64, plain],
  ['a part of a larger one', () => Float64Array.from([9, ...plain, 9]).subarray(1, 5), plain],
  ['memory of WebAssembly', () => inWasm(false), plain],
  ['a frozen array', () => Object.freeze([...plain]), plain],
  ['an array with more to it', () => Object.assign([...plain], { length: 4, more: 1 }), plain],
  ['a subclass of Array', () => List.from(plain), plain],
  ['a Proxy of an array', () => over([...plain]), plain],
  ['an array of another realm', () => runInNewContext('[0.5, 0.125, 0.125, 0.25]'), plain],
  ['a Float64Array of another realm', () => runInNewContext('Float64Array.of(0.5, 0.125, 0.125, 0.25)'), plain],
  ['a Float64Array that lies about its length', () => Liar.from(plain), plain],
  ['a Float64Array whose copies are bytes', () => Strange.from(plain), plain],
  ['a Float64Array with another buffer', () => owning('buffer', new ArrayBuffer(8)), plain],
  ['a Float64Array with another offset', () => owning('byteOffset', 8), plain],
  ['a Float64Array with another size', () => owning('byteLength', 8), plain],
  ['a Float64Array that says it is another', () => owning(Symbol.toStringTag, 'Int32Array'), plain],
  ['a Float64Array with other values to iterate over', () => Object.assign(f64(), { [Symbol.iterator]: endless }), plain],
  ['an array with other values to iterate over', () => Object.assign([...plain], { [Symbol.iterator]: endless }), plain],
  ['an array with methods of its own', () => Object.assign([...plain], { entries: 1, map: 2, join: 3, slice: 4 }), plain],
  // arrays of the wrong numbers
  own('an empty array'), own('one number', 0.5), own('five numbers', ...plain, 1),
  own('a NaN', 0.5, Number.NaN, 0.125, 0.25), own('an infinity', 0.5, 0.125, 0.125, Number.NEGATIVE_INFINITY),
  own('negative zeros', -0, -0, -0, -0), own('denormals', 5e-324, 5e-324, 5e-324, 5e-324),
  own('overflowing numbers', 1e308, 1e308, 1e308, 1e308), own('whole numbers', 0, 1, 2, 3),
  ['a detached Float64Array', () => detach(f64())],
  ['memory of WebAssembly that grew', () => inWasm(true)],
  // nothing, and words
  ['undefined', () => undefined], ['null', () => null], ['a number', () => 7], ['zero', () => 0], ['minus one', () => -1],
  ['a half', () => 0.5], ['NaN', () => Number.NaN], ['infinity', () => Number.POSITIVE_INFINITY], ['2^31', () => 2 ** 31],
  ['2^53', () => 2 ** 53], ['1e300', () => 1e300], ['true', () => true], ['a BigInt', () => 7n], ['a symbol', () => Symbol('x')],
  ['a string', () => '0.5,0.125,0.125,0.25'], ['an empty string', () => ''], ['a string of a number', () => '7'],
  ['__proto__', () => '__proto__'], ['a boxed number', () => new Number(7)], ['a boxed string', () => new String('full')],
  // functions and objects
  ['a function', () => () => plain], ['a bound function', () => Math.max.bind(null, 1)], ['an async function', () => async () => plain],
  ['an object', () => ({})], ['an object without prototype', () => ({ __proto__: null })],
  ['an object like an array', () => ({ ...plain, length: 4 })], ['an object of huge length', () => ({ length: 2 ** 53 })],
  ['an object with a misspelt field', () => ({ maen: [0] })], ['a module', () => import('node:fs')], ['a Date', () => new Date(7)],
  ['a RegExp', () => /x/], ['a Map', () => new Map(plain.map((v, i) => [i, v]))], ['a Set', () => new Set(plain)],
  ['a WeakMap', () => new WeakMap()], ['an iterator', () => plain.values()], ['an endless generator', endless],
  ['a Promise', () => Promise.resolve(plain)], ['an Error', () => new SeqlikError('IO', 'x')], ['globalThis', () => globalThis],
  ['arguments', () => runInNewContext('(function () { return arguments; })()')],
  // arrays that are wrong
  ['a Proxy of nonsense length', () => lying(Number.NaN)], ['a Proxy of negative length', () => lying(-1)],
  ['a Proxy of a length that is no number', () => lying(Symbol('4'))], ['a Proxy of a length to be converted', () => lying('4')],
  ['a Proxy that claims to be longer', () => lying(5)], ['a Proxy of endless length', () => lying(Number.POSITIVE_INFINITY)],
  ['an array of huge length', () => new Array(2 ** 32 - 1)],
  ['a long array with one value', () => { const a = new Array(2 ** 28); a[0] = 1; return a; }],
  ['a sparse array', () => [0.5, undefined, 0.125, 0.25]], ['an array of strings', () => plain.map(String)],
  ['an array with a string', () => [0.5, 0.125, 0.125, '0.25']], ['an array with null', () => [null, 0.125, 0.125, 0.25]],
  ['an array with a BigInt', () => [0.5, 0.125, 0.125, 1n]], ['an array with a Number object', () => [0.5, 0.125, 0.125, new Number(0.25)]],
  ['an array that contains itself', () => { const a: unknown[] = []; a.push(a); return a; }],
  ['rows of different length', () => [[0.5, 0.125], [0.125]]], ['rows of different depth', () => [[0.5, 0.125], [[0.125, 0.25]]]],
  ['rows that were revoked', () => [revoked([0.5]), [0.125]]], ['a row of nonsense length', () => [lying(Symbol('4'))]],
  // other memory
  ['an ArrayBuffer', () => new ArrayBuffer(32)], ['a DataView', () => new DataView(new ArrayBuffer(32))],
  ['an Int32Array', () => Int32Array.from(plain), [0, 0, 0, 0]], ['a Uint8Array', () => Uint8Array.from(plain), [0, 0, 0, 0]],
  ['a Uint8ClampedArray', () => Uint8ClampedArray.from([2, 1, 1, 2]), [2, 1, 1, 2]], ['a Buffer', () => Buffer.from('0.5'), [48, 46, 53]],
  ['a BigInt64Array', () => new BigInt64Array(4)], ['a Proxy of a Float64Array', () => over(f64())],
  ['an object with the prototype of a Float64Array', () => Object.create(Float64Array.prototype)],
  ['an object that inherits from a Float64Array', () => Object.create(f64())],
  ['memory that is shared', () => inside(new SharedArrayBuffer(32))],
  ['shared memory that may grow', () => inside(new GrowableShared(32, { maxByteLength: 64 }))],
  ['memory that may grow', () => inside(new Resizable(64, { maxByteLength: 64 }), 16)],
  ['memory that shrank', shrunk],
  ['shared bytes', () => new Uint8Array(new SharedArrayBuffer(4))],
  ['bytes that may shrink', () => new Uint8Array(new Resizable(4, { maxByteLength: 8 }))],
  ['a revoked Proxy of an array', () => revoked([...plain])], ['a revoked Proxy of an object', () => revoked({})],
  // what the library makes, and what only looks like it
  ['a Gaussian', line], ['a disposed Gaussian', gone], ['a Proxy of a Gaussian', () => over(line())],
  ['an object with the prototype of a Gaussian', () => Object.create(Gaussian.prototype)],
  ['an object that inherits from a Gaussian', () => Object.create(line())],
  ['a mixture', pair], ['a Proxy of a mixture', () => over(pair())],
  ['an object with the prototype of a mixture', () => Object.create(GaussianMixture.prototype)],
  ['a network', cell], ['a Proxy of a network', () => over(cell())],
  ['an object with the prototype of a network', () => Object.create(MixtureDensityNetwork.prototype)],
  ['an object that inherits from a network', () => Object.create(cell())],
  ['the file of a network', () => cell().toBytes(), [...cell().toBytes()]], ['a state of a network', () => cell().start()],
  ['statistics of another mixture', () => pair().statistics([0, 1])],
  ['a Proxy of statistics', () => over(pair().statistics([0, 1]))],
  ['the file of a Gaussian', () => line().toBytes(), [...line().toBytes()]],
  ['a file cut short', () => pair().toBytes().subarray(0, 300), [...pair().toBytes().subarray(0, 300)]],
  ['a Proxy of a backend', () => over(wasm)], ['an object that inherits from a backend', () => Object.create(wasm)],
  ['a copy of a backend', () => ({ ...wasm })],
  ['an object with the prototype of a signal', () => Object.create(AbortSignal.prototype)],
  ['an AbortController', () => new AbortController()], ['a signal that was aborted', () => AbortSignal.abort(mine)],
  ['an empty WebAssembly module', () => new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))],
];
/** Code of the caller's runs when these are looked at: it throws, or pulls the memory away. */
// biome-ignore format: a table
const alive: readonly Entry[] = [
  ['a getter that throws', () => Object.defineProperty([0.5, 0.125, 0.125, 0], 3, { get: throwing, enumerable: true })],
  ['a Proxy that throws', () => over([...plain], { get: throwing })],
  ['a Proxy whose keys throw', () => over({}, { ownKeys: throwing })],
  ['a Proxy whose prototype throws', () => over({}, { getPrototypeOf: throwing })],
  ['an object whose fields throw', () => over({ mean: 1, mask: 1, seed: 1, backend: 1 }, { get: throwing })],
  ['an array of what cannot be a number', () => [{ valueOf: throwing }, 0.125, 0.125, 0.25]],
  ['what throws as a string', () => ({ toString: throwing, [Symbol.toPrimitive]: throwing })],
];

export const values: readonly Value[] = [
  ...table.map(([name, make, counts]): Value => ({ name, make, ...(counts && { counts }) })),
  ...alive.map(([name, make]): Value => ({ name, make, throws: true })),
];
