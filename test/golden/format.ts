/**
 * Golden vectors, format gradient-vectors/1: { format, cases: [{ op, case, inputs, expected, tolerance }] }.
 * A tensor is { shape, data } by rows, or { shape, lcg: { seed, lo, hi } }: numbers to generate. Numbers that are not
 * finite are strings. A number passes within abs + rel |expected| of its key's tolerance { abs, rel }, without one
 * exactly; expected.error = { code, ... } if every listed field is met.
 * Instead of a large tensor its digest may be expected: inputs.digest = { tensors, dotSeed, probes }, and for each of
 * these tensors <name>.frobenius (its norm), .dot (with the lcg tensor of dotSeed on [-1, 1)) and .probe (its entries
 * at those flat indices, modulo its size).
 */
export type Fields = Readonly<Record<string, unknown>>;
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}
export interface Case {
  readonly op: string;
  readonly name: string;
  /** Tensors, numbers, strings, booleans and plain arrays. */
  readonly inputs: Fields;
  /** Tensors, numbers and strings; nothing if `error` is expected. */
  readonly expected: Fields;
  readonly error?: Fields;
  readonly tolerance: Fields;
  readonly digest?: Digest;
}
export interface Digest {
  readonly tensors: readonly string[];
  readonly dotSeed: number;
  readonly probes: readonly number[];
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
function fields(what: string, value: unknown): Fields {
  if (!isFields(value)) throw new Error(`${what} is not an object`);
  return value;
}

/** The cases of a file; undefined: JSON, but no golden vectors. Throws what is wrong. */
export function readCases(text: string): Case[] | undefined {
  const file: unknown = JSON.parse(text);
  if (!isFields(file) || !String(file['format']).startsWith('gradient-vectors/')) return undefined;
  if (file['format'] !== 'gradient-vectors/1') throw new Error(`format is ${file['format']}, not gradient-vectors/1`);
  if (!Array.isArray(file['cases'])) throw new Error('cases is not an array');
  return file['cases'].map(readCase);
}
function readCase(given: unknown, at: number): Case {
  const { op, case: name, inputs, expected, tolerance = {} } = fields(`cases[${at}]`, given);
  if (typeof op !== 'string' || typeof name !== 'string') throw new Error(`cases[${at}]: op or case is not a string`);
  const where = `${op} ${name}`;
  const { digest, ...others } = fields(`${where}: inputs`, inputs);
  const { error, ...outputs } = fields(`${where}: expected`, expected);
  if ((error === undefined) === (Object.keys(outputs).length === 0))
    throw new Error(`${where}: expected needs outputs or an error`);
  return {
    op,
    name,
    inputs: decodeAll(where, others),
    expected: decodeAll(where, outputs),
    tolerance: fields(`${where}: tolerance`, tolerance),
    ...(error !== undefined && { error: readError(where, error) }),
    ...(digest !== undefined && { digest: readDigest(where, digest) }),
  };
}
function readError(where: string, given: unknown): Fields {
  const error = decodeAll(where, fields(`${where}: error`, given));
  if (typeof error['code'] !== 'string') throw new Error(`${where}: error.code is not a string`);
  return error;
}
function readDigest(where: string, given: unknown): Digest {
  const { tensors, dotSeed, probes } = fields(`${where}: digest`, given);
  if (!Array.isArray(tensors) || !Number.isInteger(dotSeed) || !Array.isArray(probes) || !probes.every(isSize))
    throw new Error(`${where}: digest needs tensors, dotSeed and probes`);
  return { tensors, dotSeed: dotSeed as number, probes };
}

const isSize = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
const notFinite = new Map<unknown, number>([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);
const number = (value: unknown): unknown => notFinite.get(value) ?? value;
const decodeAll = (where: string, given: Fields): Fields =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [key, decode(`${where}: ${key}`, value)]));

function decode(what: string, value: unknown): unknown {
  if (!isFields(value)) return number(value);
  const { shape, data, lcg } = value;
  if (!Array.isArray(shape) || !shape.every(isSize)) throw new Error(`${what}: shape is not an array of sizes`);
  const size = shape.reduce((product, n) => product * n, 1);
  if (lcg !== undefined) return { shape, data: generate(size, readRange(what, lcg)) };
  if (!Array.isArray(data) || data.length !== size) throw new Error(`${what}: data is not an array of ${size} numbers`);
  const bad = data.findIndex((v) => typeof number(v) !== 'number');
  if (bad >= 0) throw new Error(`${what}: data[${bad}] is ${JSON.stringify(data[bad])}, not a number`);
  return { shape, data: Float64Array.from(data, (v) => number(v) as number) };
}

interface Range {
  readonly seed: number;
  readonly lo: number;
  readonly hi: number;
}
function readRange(what: string, given: unknown): Range {
  const { seed, lo, hi } = fields(`${what}: lcg`, given);
  if (![seed, lo, hi].every(Number.isFinite)) throw new Error(`${what}: lcg needs seed, lo and hi`);
  return { seed, lo, hi } as Range;
}
/** s <- (1664525 s + 1013904223) mod 2^32 before each value lo + (hi - lo) s / 2^32. */
export function generate(size: number, { seed, lo, hi }: Range): Float64Array {
  let s = seed;
  return Float64Array.from({ length: size }, () => {
    s = (Math.imul(1664525, s) + 1013904223) >>> 0;
    return lo + (hi - lo) * (s / 2 ** 32);
  });
}
