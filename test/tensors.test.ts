import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeqlikError } from '../src/errors.ts';
import { readTensors, type TensorFile, writeTensors } from '../src/file/tensors.ts';

const ZEROS = '0'.repeat(64);
const SMALL: TensorFile = {
  metadata: { format: 'seqlik/1', kind: 'gaussian', columns: '["height","größe"]' },
  tensors: {
    mean: { shape: [2], values: Float64Array.of(1, -2.5) },
    rough: { shape: [1, 3], values: Float32Array.of(0.1, -0, 3e38) },
    variances: { shape: [2], values: Float64Array.of(5e-324, 1e300) },
  },
};

// ---- tools that share nothing with src/file/tensors.ts ----
/** A file of any header and payload; `sign` makes its checksum true, so that nothing but its fault can refuse it. */
function raw(header: string | Uint8Array, payload: Uint8Array | number = 0, length?: bigint): Uint8Array {
  const text = Buffer.from(header as string);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length ?? BigInt(text.length));
  return sign(Buffer.concat([size, text, typeof payload === 'number' ? Buffer.alloc(payload) : payload]));
}
function sign(bytes: Uint8Array): Uint8Array {
  const file = Buffer.from(bytes);
  const key = file.toString('latin1').search(/"sha256":"\w{64}"/);
  if (key < 0) return new Uint8Array(file);
  file.write(ZEROS, key + 10, 'latin1');
  file.write(createHash('sha256').update(file).digest('hex'), key + 10, 'latin1');
  return new Uint8Array(file);
}
const SUM = `"sha256":"${ZEROS}"`;
/** A header around `entries` and further `metadata`. */
const around = (entries: string, metadata = ''): string =>
  `{"__metadata__":{${metadata}${SUM}}${entries && `,${entries}`}}`;
const entry = (name: string, shape: string, offsets: string, dtype = 'F64'): string =>
  `"${name}":{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${offsets}]}`;

/** The dumbest reader of the published format. */
function oracle(bytes: Uint8Array): TensorFile {
  const size = Number(Buffer.from(bytes).readBigUInt64LE());
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + size)).toString());
  const { __metadata__: metadata, ...entries } = header;
  const tensors = Object.entries<{ dtype: string; shape: number[]; data_offsets: [number, number] }>(entries).map(
    ([name, { dtype, shape, data_offsets }]) => {
      const own = bytes.slice(8 + size + data_offsets[0], 8 + size + data_offsets[1]).buffer;
      return [name, { shape, values: dtype === 'F64' ? new Float64Array(own) : new Float32Array(own) }] as const;
    },
  );
  const { sha256: _, ...strings } = metadata;
  return { metadata: strings, tensors: Object.fromEntries(tensors) };
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** Everything in a file, to the bit, as one string. */
const contents = ({ metadata, tensors }: TensorFile): string =>
  JSON.stringify([
    Object.entries(metadata).sort(),
    Object.entries(tensors)
      .map(([name, { shape, values }]) => [name, shape, values.constructor.name, Buffer.from(values.slice().buffer)])
      .sort(),
  ]);
/** The error of a refused file; undefined for one that was read; anything but a SeqlikError FORMAT is thrown. */
function refusal(bytes: Uint8Array): SeqlikError | undefined {
  try {
    readTensors(bytes);
  } catch (error) {
    if (error instanceof SeqlikError && error.code === 'FORMAT' && error.reason) return error;
    throw error;
  }
  return undefined;
}
/** A small fast generator; a failure is repeated by running again. */
function generator(state: number): (below: number) => number {
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

// ---- what is written is read ----
const names = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('mean', '1', '0', 'toString', 'größe', '均值', '🙂'),
  )
  .filter((name) => !['__metadata__', '__proto__', 'constructor', 'prototype', 'sha256'].includes(name));
const finite = { noNaN: true, noDefaultInfinity: true };
const tensor = fc.tuple(fc.array(fc.nat({ max: 3 }), { maxLength: 4 }), fc.boolean()).chain(([shape, double]) => {
  const length = shape.reduce((product, n) => product * n, 1);
  const size = { minLength: length, maxLength: length };
  return fc.record({
    shape: fc.constant(shape),
    values: double
      ? fc.array(fc.double(finite), size).map((values) => Float64Array.from(values))
      : fc.array(fc.float(finite), size).map((values) => Float32Array.from(values)),
  });
});
const files = fc.record({
  metadata: fc.dictionary(names, fc.string({ unit: 'binary' })),
  tensors: fc.dictionary(names, tensor, { maxKeys: 6 }),
});

test('round trip, to the bit; the published format; one file per content', () => {
  fc.assert(
    fc.property(files, (file) => {
      const bytes = writeTensors(file);
      const [read, seen] = [readTensors(bytes), oracle(bytes)];
      expect(contents(read)).toBe(contents(file));
      expect(contents(seen)).toBe(contents(file));
      expect(Buffer.from(bytes).readBigUInt64LE() % 8n).toBe(0n);
      const reversed = <T>(object: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(object).reverse());
      const other = { metadata: reversed(file.metadata), tensors: reversed(file.tensors) };
      for (const same of [sign(bytes), writeTensors(read), writeTensors(other)]) expect(hex(same)).toBe(hex(bytes));
    }),
    { numRuns: 300 },
  );
});
test('the bytes of a file never change from version to version', () => {
  const bytes = Buffer.from(writeTensors(SMALL));
  const size = Number(bytes.readBigUInt64LE());
  expect(bytes.subarray(8, 8 + size).toString()).toMatchInlineSnapshot(
    `"{"__metadata__":{"columns":"[\\"height\\",\\"größe\\"]","format":"seqlik/1","kind":"gaussian","sha256":"c9293b3c7c7e7da71e2054cf4c9ce8db7eccb685d316f3e617b3b6c4ae4c68e1"},"mean":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"variances":{"dtype":"F64","shape":[2],"data_offsets":[16,32]},"rough":{"dtype":"F32","shape":[1,3],"data_offsets":[32,44]}}  "`,
  );
  expect(bytes.subarray(8 + size).toString('hex')).toMatchInlineSnapshot(
    `"000000000000f03f00000000000004c001000000000000009c7500883ce4377ecdcccc3d00000080e6b1617f"`,
  );
});
test.each<[string, number[], Float64Array | Float32Array]>([
  ['a scalar', [], Float64Array.of(-0)],
  ['an empty vector', [0], new Float64Array()],
  ['an empty vector of f32', [0], new Float32Array()],
  ['an empty matrix', [3, 0, 2 ** 26], new Float64Array()],
  ['four dimensions', [1, 2, 1, 2], Float32Array.of(1, 2, 3, 4)],
  ['the extremes of f64', [4], Float64Array.of(Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, -5e-324)],
  ['the extremes of f32', [2], Float32Array.of(3.4028234663852886e38, 1.401298464324817e-45)],
])('%s', (_, shape, values) => {
  const file = { metadata: {}, tensors: { a: { shape, values }, z: { shape, values } } };
  expect(contents(readTensors(writeTensors(file)))).toBe(contents(file));
});
test('no tensors and no metadata', () => {
  const read = readTensors(writeTensors({ metadata: {}, tensors: {} }));
  expect([Object.keys(read.metadata), Object.keys(read.tensors)]).toEqual([[], []]);
});
test('f64 first, then by name', () => {
  const [a, b] = [new Float32Array(1), new Float64Array(1)].map((values) => ({ shape: [1], values })) as [never, never];
  const bytes = writeTensors({ metadata: {}, tensors: { a, 10: a, d: b, c: b, 9: b } });
  const header = Buffer.from(bytes).toString('latin1');
  const places = ['"9":', '"c":', '"d":', '"10":', '"a":'].map((name) => header.indexOf(name));
  expect(places).toEqual(places.toSorted((x, y) => x - y));
});
test('results have no prototype, share no memory with the input, and leave it as it was', () => {
  const bytes = writeTensors(SMALL);
  const copy = bytes.slice();
  const read = readTensors(bytes);
  expect(bytes).toEqual(copy);
  for (const object of [read.metadata, read.tensors]) expect(Object.getPrototypeOf(object)).toBe(null);
  bytes.fill(255);
  expect(contents(read)).toBe(contents(SMALL));
});
test('a Buffer, a subclass, a view at any offset', () => {
  const bytes = writeTensors(SMALL);
  class Odd extends Uint8Array {
    override subarray(): never {
      throw new Error('nobody asks a subclass');
    }
    static get [Symbol.species](): never {
      throw new Error('nobody asks a subclass');
    }
  }
  for (const Type of [Uint8Array, Odd, Buffer])
    for (let offset = 0; offset < 9; offset++) {
      const view = Buffer.alloc(bytes.length + 20, 7);
      view.set(bytes, offset);
      const given = new (Type as typeof Uint8Array)(view.buffer as ArrayBuffer, view.byteOffset + offset, bytes.length);
      expect(contents(readTensors(given))).toBe(contents(SMALL));
    }
});

// ---- what is refused ----
test('every truncation', () => {
  const bytes = writeTensors(SMALL);
  const accepted: number[] = [];
  for (let length = 0; length < bytes.length; length++)
    for (const cut of [bytes.subarray(0, length), sign(bytes.subarray(0, length))])
      if (!refusal(cut)) accepted.push(length);
  expect(accepted).toEqual([]);
});
test('every flip of a bit', () => {
  const bytes = writeTensors(SMALL);
  const accepted: number[] = [];
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    if (!refusal(bytes)) accepted.push(bit);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  expect(accepted).toEqual([]);
  expect(refusal(bytes)).toBeUndefined();
});
test('bytes after the end, or before the beginning', () => {
  const bytes = writeTensors(SMALL);
  for (const extra of [1, 8, 100]) {
    expect(refusal(sign(Buffer.concat([bytes, Buffer.alloc(extra)])))?.reason).toMatch(/^the tensors take/);
    expect(refusal(sign(Buffer.concat([Buffer.alloc(extra, 32), bytes])))).toBeDefined();
  }
});

const good = entry('a', '2', '0,16');
const many = (n: number, item: (i: number) => string): string => Array.from({ length: n }, (_, i) => item(i)).join(',');
test.each<[what: string, bytes: Uint8Array, reason: RegExp, tensor?: string]>([
  ['nothing', new Uint8Array(), /^0 bytes are too few/],
  ['a table', new TextEncoder().encode('a,b,c\n1,2,3\n'), /^its first bytes are not those of a model$/],
  ['seven bytes', new Uint8Array(7), /^7 bytes are too few/],
  ['no header', new Uint8Array(8), /^no \{"__metadata__":\{ at character 0 of/],
  ['a header of 2^63 bytes', raw(around(good), 16, 2n ** 63n), /^a header of 9223372036854776000 bytes is longer/],
  ['a header of 2^64 - 1 bytes', raw(around(good), 16, 2n ** 64n - 1n), /is longer than 1048576$/],
  ['a header of 100 MB', raw(around(good), 16, 100_000_000n), /^a header of 100000000 bytes is longer/],
  ['a header of 1 MiB + 1', raw(' '.repeat(2 ** 20 + 1)), /^a header of 1048577 bytes is longer/],
  ['a header beyond the file', raw(around(good), 16, 300n), /does not fit a file of/],
  ['a header one byte short', raw(around(good), 16, BigInt(around(good).length - 1)), /^no \} at character/],
  ['a header one byte long', raw(around(good), 16, BigInt(around(good).length + 1)), /^no end at character/],
  ['not UTF-8', raw(Buffer.concat([Buffer.from(around(good)), Buffer.of(0xff)]), 16), /^the header is not UTF-8$/],
  ['a byte order mark', raw(`\ufeff${around(good)}`, 16), /at character 0 of/],
  ['a space first', raw(` ${around(good)}`, 16), /at character 0 of/],
  ['not JSON', raw('hello'), /at character 0 of/],
  ['an array', raw(`[${around(good)}]`, 16), /at character 0 of/],
  ['no metadata', raw(`{${good}}`, 16), /^no \{"__metadata__":\{ at character 0 of/],
  ['metadata after the tensors', raw(`{${good},"__metadata__":{${SUM}}}`, 16), /at character 0 of/],
  ['metadata twice', raw(around(`${good},"__metadata__":{${SUM}}`), 16), /forbidden name __metadata__$/],
  ['metadata null', raw('{"__metadata__":null}'), /at character 0 of/],
  ['empty metadata', raw('{"__metadata__":{}}'), /^no " at character \d+ of/],
  ['a number as metadata', raw(around(good, '"n":1,'), 16), /^no " at character \d+ of/],
  ['an object as metadata', raw(around(good, '"n":{},'), 16), /^no " at character 21 of/],
  ['metadata with a name twice', raw(around(good, '"n":"","n":"",'), 16), /the name "n" twice$/],
  ['the same name, escaped', raw(around(good, '"n":"","\\u006e":"",'), 16), /the name "n" twice$/],
  ['two checksums', raw(around(good, `"sha256":"${ZEROS}",`), 16), /the name "sha256" twice$/],
  ['__proto__ as metadata', raw(around(good, '"__proto__":"",'), 16), /forbidden name __proto__$/],
  ['__proto__, escaped', raw(around(good, '"\\u005f_proto__":"",'), 16), /forbidden name __proto__$/],
  ['constructor as metadata', raw(around(good, '"constructor":"",'), 16), /forbidden name constructor$/],
  ['an unknown escape', raw(around(good, '"n":"\\x",'), 16), /^no JSON in the header: /],
  ['a line feed in a string', raw(around(good, '"n":"\n",'), 16), /^no JSON in the header: /],
  ['an unpaired surrogate', raw(around(good, '"n":"\\ud800",'), 16), /unpaired surrogate$/],
  ['1025 strings', raw(around(good, `${many(1024, (i) => `"n${i}":""`)},`), 16), /more than 1024 tensors or strings$/],
  ['no checksum', raw(`{"__metadata__":{"a":"b"},${good}}`, 16), /no sha256 of 64 digits$/],
  ['a short checksum', raw(`{"__metadata__":{"n":"${ZEROS}","sha256":"00"},${good}}`, 16), /no sha256 of 64 digits$/],
  ['a long checksum', raw(`{"__metadata__":{"sha256":"${ZEROS}0"},${good}}`, 16), /no sha256 of 64 digits$/],
  ['a checksum of capitals', resummed(writeTensors(SMALL), (sum) => sum.toUpperCase()), /no sha256 of 64 digits$/],
  ['an escaped checksum', raw(`{"__metadata__":{"sha256":"\\u0030${ZEROS.slice(1)}"},${good}}`, 16), /no sha256 of 64/],
  ['a quote before the checksum', raw(`{"__metadata__":{"sha256":"\\"${ZEROS}"},${good}}`, 16), /^the checksum does/],
  ['a wrong checksum', resummed(raw(around(good), 16), () => ZEROS), /^the checksum does not match/],
  ['a comma at the end', raw(`${around(good).slice(0, -1)},}`, 16), /^no " at character/],
  ['two objects', raw(around(good) + around(good), 16), /^no end at character/],
  ['zeros as padding', raw(`${around(good)}\0\0`, 16), /^no end at character/],
  ['a space between tokens', raw(around(good).replace(',"a"', ', "a"'), 16), /^no " at character/],
  ['a tensor null', raw(around('"a":null'), 0), /^it is not an object/, 'a'],
  ['a tensor in a tensor', raw(around(`"a":{${good}}`), 16), /^no JSON in the header: /, 'a'],
  ['a tensor __metadata__', raw(around(entry('__metadata__', '2', '0,16')), 16), /forbidden name __metadata__$/],
  ['a tensor __proto__', raw(around(entry('__proto__', '2', '0,16')), 16), /forbidden name __proto__$/],
  ['a tensor constructor', raw(around(entry('constructor', '2', '0,16')), 16), /forbidden name constructor$/],
  ['a tensor twice', raw(around(`${good},${entry('a', '2', '16,32')}`), 32), /the name "a" twice$/],
  ['1025 tensors', raw(around(many(1025, (i) => entry(`t${i}`, '0', '0,0')))), /more than 1024 tensors or strings$/],
  ['a tensor that is null, up to a brace', raw(around(`"a":null${' '.repeat(196)}}`)), /^it is not an object/, 'a'],
  ['an entry of many spaces', raw(around(good.replace(',', ' '.repeat(200))), 16), /^it is not an object/, 'a'],
  ['an empty entry', raw(around('"a":{}')), /neither F64 nor F32/, 'a'],
  ['not JSON in an entry', raw(around('"a":{dtype}')), /^no JSON in the header: /, 'a'],
  ['an unknown dtype', raw(around(entry('a', '2', '0,4', 'F16')), 4), /^its dtype is neither F64 nor F32/, 'a'],
  ['a dtype of the prototype', raw(around(entry('a', '2', '0,4', 'toString')), 4), /neither F64 nor F32/, 'a'],
  ['an unknown field', raw(around(good.replace('}', ',"x":1}')), 16), /^it is .*, not /, 'a'],
  ['__proto__ as a field', raw(around(good.replace('}', ',"__proto__":[]}')), 16), /^it is .*, not /, 'a'],
  ['a field twice', raw(around(good.replace('{', '{"dtype":"F32",')), 16), /^it is .*, not /, 'a'],
  ['no offsets', raw(around('"a":{"dtype":"F64","shape":[2]}'), 16), /^it is .*, not /, 'a'],
  ['no shape', raw(around('"a":{"dtype":"F64","data_offsets":[0,16]}'), 16), /^its shape is not up to 4/, 'a'],
  ['a shape that is not an array', raw(around(good.replace('[2]', '2')), 16), /^its shape is not up to 4/, 'a'],
  ['a shape of strings', raw(around(good.replace('[2]', '["2"]')), 16), /^its shape is not up to 4/, 'a'],
  ['a nested shape', raw(around(good.replace('[2]', '[[2]]')), 16), /^its shape is not up to 4/, 'a'],
  ['five dimensions', raw(around(entry('a', '1,1,1,1,2', '0,16')), 16), /^its shape is not up to 4/, 'a'],
  ['a negative length', raw(around(entry('a', '-2', '0,16')), 16), /^its shape is not up to 4/, 'a'],
  ['two negative lengths', raw(around(entry('a', '-1,-2', '0,16')), 16), /^its shape is not up to 4/, 'a'],
  ['a fractional length', raw(around(entry('a', '0.5,4', '0,16')), 16), /^its shape is not up to 4/, 'a'],
  ['a length with an exponent', raw(around(entry('a', '2e0', '0,16')), 16), /^it is .*, not /, 'a'],
  ['a length of -0', raw(around(entry('a', '-0', '0,0'))), /^it is .*, not /, 'a'],
  ['a length beyond all numbers', raw(around(entry('a', '0,1e999', '0,0'))), /^its shape is not up to 4/, 'a'],
  ['2^26 + 1 elements', raw(around(entry('a', '67108865', '0,536870920'))), /^its shape is not up to 4/, 'a'],
  ['2^27 elements', raw(around(entry('a', '67108864,2', '0,1073741824'))), /^it has 134217728 elements/, 'a'],
  [
    'a product that overflows',
    raw(
      around(
        entry(
          'a',
          many(4, () => '65536'),
          '0,0',
        ),
      ),
    ),
    /^it has 18446744073709552000/,
    'a',
  ],
  ['2^26 elements, elsewhere', raw(around(entry('a', '67108864', '0,536870912'))), /take 536870912 bytes, .* has 0$/],
  ['a scalar without a value', raw(around(entry('a', '', '0,8'))), /^the tensors take 8 bytes, the payload has 0$/],
  ['negative offsets', raw(around(entry('a', '2', '-16,0')), 16), /^it is .*, not /, 'a'],
  ['fractional offsets', raw(around(entry('a', '2', '0.5,16.5')), 17), /^it is .*, not /, 'a'],
  ['huge offsets', raw(around(entry('a', '2', '9007199254740993,9007199254741009')), 16), /^it is .*, not /, 'a'],
  ['offsets backwards', raw(around(entry('a', '2', '16,0')), 16), /^it is .*, not /, 'a'],
  ['one offset', raw(around(entry('a', '2', '0')), 16), /^it is .*, not /, 'a'],
  ['three offsets', raw(around(entry('a', '2', '0,16,16')), 16), /^it is .*, not /, 'a'],
  ['offsets of another length', raw(around(entry('a', '2', '0,8')), 8), /^it is .*, not /, 'a'],
  ['offsets of f32', raw(around(entry('a', '2', '0,16', 'F32')), 16), /^it is .*, not /, 'a'],
  ['overlapping tensors', raw(around(`${good},${entry('b', '2', '8,24')}`), 24), /^it is .*, not /, 'b'],
  ['the same bytes twice', raw(around(`${good},${entry('b', '2', '0,16')}`), 16), /^it is .*, not /, 'b'],
  ['a hole between tensors', raw(around(`${good},${entry('b', '2', '24,40')}`), 40), /^it is .*, not /, 'b'],
  ['a hole at the start', raw(around(entry('a', '2', '8,24')), 24), /^it is .*, not /, 'a'],
  ['a hole at the end', raw(around(good), 24), /^the tensors take 16 bytes, the payload has 24$/],
  ['a payload that is missing', raw(around(good), 8), /^the tensors take 16 bytes, the payload has 8$/],
  ['NaN', raw(around(good), bytesOf(Float64Array.of(1, NaN))), /^value 1 is NaN$/, 'a'],
  ['an infinity', raw(around(good), bytesOf(Float64Array.of(-Infinity, 1))), /^value 0 is -Infinity$/, 'a'],
  ['NaN in f32', raw(around(entry('n', '1', '0,4', 'F32')), bytesOf(Float32Array.of(NaN))), /^value 0 is NaN$/, 'n'],
])('%s', (_, bytes, reason, tensor) => {
  const copy = Buffer.from(bytes);
  const error = refusal(bytes)!;
  expect(error).toBeDefined();
  expect(error.reason).toMatch(reason);
  expect(error.message).toContain(error.reason);
  expect(error.tensor).toBe(tensor);
  expect(copy.equals(bytes)).toBe(true);
});
function bytesOf(values: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer);
}
function resummed(bytes: Uint8Array, change: (sum: string) => string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return new Uint8Array(Buffer.from(text.replace(/(?<="sha256":")\w{64}/, change), 'latin1'));
}

test.each<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a string', 'text'],
  ['an array', [...writeTensors(SMALL)]],
  ['a shared buffer', new SharedArrayBuffer(800)],
  ['a DataView', new DataView(writeTensors(SMALL).buffer)],
  ['an Int8Array', new Int8Array(writeTensors(SMALL).buffer)],
  ['a Uint8ClampedArray', new Uint8ClampedArray(writeTensors(SMALL).buffer)],
  ['a proxy', new Proxy(writeTensors(SMALL), {})],
  ['what looks like one', Object.create(Uint8Array.prototype, { length: { value: 8 } })],
  ['shared memory', new Uint8Array(new SharedArrayBuffer(800))],
  [
    'resizable memory',
    new Uint8Array(new (ArrayBuffer as new (...args: unknown[]) => ArrayBuffer)(8, { maxByteLength: 9 })),
  ],
  ['detached memory', detached(writeTensors(SMALL))],
])('%s is not a file', (_, bytes) => {
  const place = { code: 'INVALID_ARGUMENT', argument: 'bytes' };
  expect(() => readTensors(bytes as never)).toThrow(expect.objectContaining(place));
});
function detached(bytes: Uint8Array): Uint8Array {
  structuredClone(bytes, { transfer: [bytes.buffer as ArrayBuffer] });
  return bytes;
}

const of = (shape: number[], values: unknown, name = 'a') => ({ metadata: {}, tensors: { [name]: { shape, values } } });
test.each<[what: string, file: unknown, reason: RegExp, tensor?: string]>([
  ['NaN', of([2], Float64Array.of(1, NaN)), /^value 1 is NaN$/, 'a'],
  ['an infinity', of([1], Float32Array.of(Infinity)), /^value 0 is Infinity$/, 'a'],
  ['a shape of another length', of([3], new Float64Array(2)), /^it is .*, not /, 'a'],
  ['a fractional shape', of([0.5, 4], new Float64Array(2)), /^its shape/, 'a'],
  ['five dimensions', of([1, 1, 1, 1, 1], new Float64Array(1)), /^its shape/, 'a'],
  ['integers', of([2], new Int32Array(2)), /^its dtype/, 'a'],
  ['a name of the format', of([1], new Float64Array(1), '__metadata__'), /forbidden name __metadata__$/],
  ['a name of the language', of([1], new Float64Array(1), 'constructor'), /forbidden name constructor$/],
  ['an unpaired surrogate', of([1], new Float64Array(1), '\ud800'), /unpaired surrogate$/],
  ['a checksum', { metadata: { sha256: '' }, tensors: {} }, /the name "sha256" twice$/],
  ['a number as metadata', { metadata: { n: 1 }, tensors: {} }, /^no " at character 21 of/],
  ['a header beyond 1 MiB', { metadata: { n: 'x'.repeat(2 ** 20) }, tensors: {} }, /is longer than 1048576$/],
])('nobody writes %s', (_, file, reason, tensor) => {
  const place = { code: 'FORMAT', reason: expect.stringMatching(reason), ...(tensor && { tensor }) };
  expect(() => writeTensors(file as TensorFile)).toThrow(expect.objectContaining(place));
});

// ---- bombs ----
const MIB = 2 ** 20;
const room = MIB - around('').length - 100;
test.each<[what: string, bytes: Uint8Array]>([
  ['a header of 2^63 bytes', raw(around(good), 64 * MIB, 2n ** 63n)],
  ['a header of 100 MB that is there', raw(`{"__metadata__":{${SUM}}`, 100_000_000, 100_000_000n)],
  ['open brackets', raw('['.repeat(MIB))],
  ['open braces', raw('{"a":'.repeat(MIB / 5))],
  ['nested lists', raw(around(`"a":${'['.repeat(room / 2)}${']'.repeat(room / 2)}`))],
  ['nested objects', raw(around('"a":{'.repeat(room / 6) + '}'.repeat(room / 6)))],
  ['empty objects', raw(around(`"a":[${'{},'.repeat(room / 3 - 10)}{}]`))],
  ['short strings', raw(around('', many(room / 13, (i) => `"${i}":""`).concat(',')))],
  ['short tensors', raw(around(many(room / 70, (i) => entry(`${i}`, '0', '0,0'))))],
  [
    'a long shape',
    raw(
      around(
        entry(
          'a',
          many(room / 2 - 50, () => '0'),
          '0,0',
        ),
      ),
    ),
  ],
  ['a long number', raw(around(entry('a', '9'.repeat(room - 100), '0,0')))],
  ['a string without end', raw(`{"__metadata__":{"${'a'.repeat(room)}`)],
  ['a string of backslashes', raw(`{"__metadata__":{"${'\\'.repeat(room)}`)],
  ['a string of quotes', raw(`{"__metadata__":{"a":"${'\\"'.repeat(room / 2)}`)],
  ['a long name without a tensor', raw(around(`"${'\\n'.repeat(room / 2)}"`))],
  ['a second string without end', raw(`{"__metadata__":{"${'\\n'.repeat(room / 4)}":"${'\\n'.repeat(room / 4)}`)],
  ['spaces', raw(`${around('')}${' '.repeat(room)}.`)],
  ['commas', raw(around('') + ','.repeat(room))],
  ['zeros', raw(new Uint8Array(MIB))],
  ['2^26 elements in 4 dimensions of nothing', raw(around(entry('a', '67108864,1,1,1', '0,536870912')))],
])('a bomb of %s is refused at once', (_, bytes) => {
  const before = process.memoryUsage().rss;
  const start = process.cpuUsage(); // not the time that others take on a busy machine
  expect(refusal(bytes)).toBeDefined();
  expect(process.cpuUsage(start).user).toBeLessThan(1e6); // µs
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
});
test('the largest header there may be', () => {
  const value = 'ü"\\\n'.repeat(100_000);
  const tensors = Object.fromEntries(
    Array.from({ length: 1024 }, (_, i) => [`t${i}`, { shape: [1], values: Float64Array.of(i) }]),
  );
  const strings = Object.fromEntries(Array.from({ length: 1022 }, (_, i) => [`n${i}`, `${i}`]));
  const file = { metadata: { ...strings, value }, tensors };
  expect(contents(readTensors(writeTensors(file)))).toBe(contents(file));
});

// ---- mutants ----
const OTHER: TensorFile = {
  metadata: { 'a "quote"': '\\', empty: '', größe: '🙂' },
  tensors: {
    '': { shape: [], values: Float64Array.of(7) },
    10: { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) },
    none: { shape: [2, 0], values: new Float64Array() },
  },
};
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '0',
  '-',
  '1e9',
  ' ',
  '\0',
  'ÿ',
  '"__proto__":',
  '[[',
  'null',
  'F32',
];
const MUTANTS = Number(process.env['SEQLIK_MUTANTS'] ?? 50_000);
/** One to three changes: bits, bytes, pieces of JSON, cuts, copies. */
function mutant(bytes: Uint8Array, below: (n: number) => number): Uint8Array {
  let text = Buffer.from(bytes).toString('latin1');
  for (let n = 1 + below(3); n > 0; n--) {
    const at = below(text.length);
    const to = Math.min(text.length, at + 1 + below(below(4) ? 4 : 200));
    const put = [
      () => String.fromCharCode(text.charCodeAt(at) ^ (1 << below(8))) + text.slice(at + 1, to),
      () => String.fromCharCode(below(256)) + text.slice(at + 1, to),
      () => PIECES[below(PIECES.length)]! + text.slice(at, to),
      () => PIECES[below(PIECES.length)]!,
      () => '',
      () => text.slice(at, to) + text.slice(at, to),
      () => [...text.slice(at, to)].reverse().join(''),
    ];
    text = text.slice(0, at) + put[below(put.length)]!() + text.slice(to);
  }
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
/** A false length of the header hides every other fault; so half of the mutants have a true one. */
function relength(bytes: Uint8Array): Uint8Array {
  const end = Buffer.from(bytes).lastIndexOf('}') + 1;
  if (bytes.length >= 8 && end > 8)
    new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.ceil(end / 8) * 8 - 8), true);
  return bytes;
}
test('mutants are refused, with a typed error', { timeout: 120_000 + MUTANTS }, () => {
  const below = generator(1);
  const parents = [writeTensors(SMALL), writeTensors(OTHER)];
  for (let i = 0; i < MUTANTS; i++) {
    const parent = parents[i % 2]!;
    const bytes = mutant(parent, below);
    if (!refusal(bytes)) expect(bytes, `mutant ${i}`).toEqual(parent);
  }
});
test('mutants with a true checksum are refused, or are what any reader says they are', {
  timeout: 120_000 + MUTANTS,
}, () => {
  const below = generator(2);
  const parents = [writeTensors(SMALL), writeTensors(OTHER)];
  let accepted = 0;
  const reasons = new Set<string>();
  for (let i = 0; i < MUTANTS; i++) {
    const changed = mutant(parents[i % 2]!, below);
    const bytes = sign(below(2) ? changed : relength(changed));
    const error = refusal(bytes);
    if (error) reasons.add(error.reason!.replace(/\d+|\{.*\}|".*"/g, '#'));
    else {
      accepted++;
      const read = readTensors(bytes);
      expect(contents(read), `mutant ${i}`).toBe(contents(oracle(bytes)));
      for (const { shape, values } of Object.values(read.tensors)) {
        expect(values.length).toBe(shape.reduce((product, n) => product * n, 1));
        expect(values.every(Number.isFinite)).toBe(true);
      }
    }
  }
  expect(accepted).toBeGreaterThan(MUTANTS / 100); // the fuzz gets past the checksum, and to many different ends
  expect(reasons.size).toBeGreaterThan(12);
});
