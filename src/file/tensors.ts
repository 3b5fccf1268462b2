/**
 * Named arrays and strings <-> safetensors bytes with a checksum: docs/format.md. Knows no file system and no model.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { argumentError, SeqlikError } from '../errors.ts';
import { fixedBuffer, isBuffer, lengthOf, tagOf } from '../memory.ts';

export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: Float64Array | Float32Array }>
  >;
}

const HEADER = 2 ** 20; // the most bytes of a header
const ENTRIES = 1024; // the most tensors, and the most metadata
const RANK = 4;
const BRACE = 123; // {, with which a header begins
const TEXT = 2 ** 40; // a greater length of a header is most likely text
const ELEMENTS = 2 ** 26;
const FORBIDDEN = ['__metadata__', '__proto__', 'constructor', 'prototype']; // as a name of anything
const ZEROS = '0'.repeat(64); // in place of the checksum while it is computed
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const quote = (text: string): string => JSON.stringify(text.slice(0, 40));
const describe = (value: unknown): string => (typeof value === 'string' ? `'${value.slice(0, 40)}'` : typeof value);

function fail(reason: string, tensor?: string): never {
  const whose = tensor === undefined ? '' : `tensor ${quote(tensor)}: `;
  const place = tensor === undefined ? { reason } : { tensor, reason };
  throw new SeqlikError('FORMAT', `malformed seqlik file: ${whose}${reason}`, place);
}

// ---- the header: JSON in one form, read token by token, so that it can neither nest nor outgrow its limits ----
interface Entry {
  readonly dtype: 'F64' | 'F32';
  readonly shape: readonly number[];
  /** Its bytes in the payload. */
  readonly from: number;
  readonly to: number;
}
interface Layout {
  readonly metadata: ReadonlyMap<string, string>;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly payload: DataView;
  /** The first byte of the checksum in the file. */
  readonly sumAt: number;
}

function parse(token: string, tensor?: string): unknown {
  try {
    return JSON.parse(token);
  } catch {
    return fail(`no JSON in the header: ${quote(token)}`, tensor);
  }
}
function parseString(token: string): string {
  const string = parse(token) as string;
  return /\p{Surrogate}/u.test(string) ? fail('the header has an unpaired surrogate') : string;
}
/** Returns `name`, which must not be among `known` yet. */
function requireNew(known: ReadonlyMap<string, unknown>, name: string): string {
  if (FORBIDDEN.includes(name)) fail(`the header has the forbidden name ${name}`);
  if (known.has(name)) fail(`the header has the name ${quote(name)} twice`);
  if (known.size === ENTRIES) fail(`the header has more than ${ENTRIES} tensors or strings`);
  return name;
}
/** The entry that `token` describes; its bytes have to begin at `from`. */
function parseEntry(token: string, name: string, from: number): Entry {
  if (!/^\{.{0,200}\}$/.test(token)) fail('it is not an object of at most 200 characters', name);
  const { dtype, shape } = parse(token, name) as { dtype?: unknown; shape?: unknown };
  if (dtype !== 'F64' && dtype !== 'F32') return fail(`its dtype is neither F64 nor F32: ${token}`, name);
  if (!isShape(shape)) return fail(`its shape is not up to ${RANK} whole numbers, 0 to ${ELEMENTS}: ${token}`, name);
  const elements = shape.reduce((product, length) => product * length, 1);
  if (elements > ELEMENTS) fail(`it has ${elements} elements, more than ${ELEMENTS}`, name);
  const to = from + elements * (dtype === 'F64' ? 8 : 4);
  const expected = JSON.stringify({ dtype, shape, data_offsets: [from, to] });
  if (token !== expected) fail(`it is ${token}, not ${expected}`, name);
  return { dtype, shape, from, to };
}
const isShape = (shape: unknown): shape is number[] =>
  Array.isArray(shape) && shape.length <= RANK && shape.every((n) => Number.isInteger(n) && n >= 0 && n <= ELEMENTS);

/** The header of a file, checked against its length; reads no payload and allocates nothing of its size. */
function readLayout(file: Uint8Array): Layout {
  if (file.length < 8) fail(`${file.length} bytes are too few for the length of a header`);
  const size = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (size > TEXT && file[8] !== BRACE) fail('its first bytes are not those of a model');
  if (size > HEADER) fail(`a header of ${size} bytes is longer than ${HEADER}`);
  if (8 + size > file.length) fail(`a header of ${size} bytes does not fit a file of ${file.length}`);
  const text = decodeText(file.subarray(8, 8 + size));
  const payload = new DataView(file.buffer, file.byteOffset + 8 + size, file.length - 8 - size);

  let at = 0; // the next character
  const skip = (mark: string): boolean => {
    const found = text.startsWith(mark, at);
    if (found) at += mark.length;
    return found;
  };
  const take = (mark: string): void => {
    if (!skip(mark)) fail(`no ${mark} at character ${at} of the header`);
  };
  const string = (): string => {
    const start = at;
    take('"');
    while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    take('"');
    return parseString(text.slice(start, at));
  };
  const metadata = new Map<string, string>();
  let sumAt = 0; // in characters
  take('{"__metadata__":{');
  do {
    const name = requireNew(metadata, string());
    take(':');
    metadata.set(name, string());
    if (name === 'sha256') sumAt = at - 1 - ZEROS.length;
  } while (skip(','));
  take('}');
  const entries = new Map<string, Entry>();
  let end = 0;
  while (skip(',')) {
    const name = requireNew(entries, string());
    take(':');
    const token = text.slice(at, text.indexOf('}', at) + 1);
    at += token.length;
    entries.set(name, parseEntry(token, name, end));
    end = entries.get(name)!.to;
  }
  take('}');
  if (/[^ ]/.test(text.slice(at))) fail(`no end at character ${at} of the header`);
  if (end !== payload.byteLength) fail(`the tensors take ${end} bytes, the payload has ${payload.byteLength}`);
  if (!/^"[0-9a-f]{64}"$/.test(text.slice(sumAt - 1, sumAt + 65))) fail('__metadata__ has no sha256 of 64 digits');
  return { metadata, entries, payload, sumAt: 8 + utf8(text.slice(0, sumAt)).length };
}
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('the header is not UTF-8');
  }
}

// ---- files ----
/** sha256 of the whole file, with '0' for each digit of the checksum. */
function checksum(file: Uint8Array, sumAt: number): string {
  const hash = sha256.create().update(file.subarray(0, sumAt)).update(utf8(ZEROS));
  return bytesToHex(hash.update(file.subarray(sumAt + ZEROS.length)).digest());
}
const requireFinite = (value: number, i: number, name: string): number =>
  Number.isFinite(value) ? value : fail(`value ${i} is ${value}`, name);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const member = (key: string, value: unknown): string => `${JSON.stringify(key)}:${JSON.stringify(value)}`;

/**
 * Writes a file; equal contents give equal bytes, whatever the order of their keys. Throws FORMAT for what no file can
 * hold.
 */
export function writeTensors({ metadata, tensors }: TensorFile): Uint8Array {
  const strings = [...Object.entries(metadata), ['sha256', ZEROS] as const].sort(([a], [b]) => compare(a, b));
  const sorted = Object.entries(tensors)
    .map(([name, { shape, values }]) => ({ name, shape, values, dtype: `${tagOf(values)}`.replace(/loat|Array/g, '') }))
    .sort((a, b) => compare(b.dtype, a.dtype) || compare(a.name, b.name)); // F64, then F32
  let end = 0;
  const members = sorted.map(({ name, dtype, shape, values }) =>
    member(name, { dtype, shape, data_offsets: [end, (end += values.byteLength)] }),
  );
  const first = `"__metadata__":{${strings.map(([key, value]) => member(key, value))}}`;
  const header = utf8(`{${[first, ...members]}}`);
  const size = Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(8 + size + end).fill(0x20, 8, 8 + size);
  new DataView(file.buffer).setBigUint64(0, BigInt(size), true);
  file.set(header, 8);

  const { entries, payload, sumAt } = readLayout(file);
  for (const [name, { dtype, from }] of entries)
    for (let i = 0, { values } = tensors[name]!; i < values.length; i++)
      if (dtype === 'F64') payload.setFloat64(from + 8 * i, requireFinite(values[i]!, i, name), true);
      else payload.setFloat32(from + 4 * i, requireFinite(values[i]!, i, name), true);
  file.set(utf8(checksum(file, sumAt)), sumAt);
  return file;
}

/**
 * A plain view of the caller's bytes, or of a Buffer's, made by intrinsic getters only. Throws INVALID_ARGUMENT
 * (bytes).
 */
function viewOf(bytes: unknown, where: string): Uint8Array {
  try {
    if (isBuffer(bytes)) return new Uint8Array(bytes);
    if (tagOf(bytes) === 'Uint8Array' && fixedBuffer(bytes as Uint8Array)) {
      const { buffer, byteOffset } = bytes as Uint8Array;
      return new Uint8Array(buffer, byteOffset, lengthOf(bytes as Uint8Array)); // throws if it is detached
    }
  } catch {}
  const expected = 'a Uint8Array or an ArrayBuffer, neither shared, resizable nor detached';
  const received = tagOf(bytes) ?? describe(bytes);
  const hint = typeof bytes === 'string' ? ': read the file first, as with await readFile(path)' : '';
  throw argumentError('INVALID_ARGUMENT', where, 'bytes', {
    expected,
    received,
    reason: `must be ${expected}, not ${received}${hint}`,
  });
}
/**
 * The inverse of writeTensors; the result shares no memory with `bytes`. Throws FORMAT (tensor, reason),
 * INVALID_ARGUMENT.
 */
export function readTensors(bytes: Uint8Array | ArrayBuffer, where = 'readTensors'): TensorFile {
  const file = viewOf(bytes, where);
  const { metadata, entries, payload, sumAt } = readLayout(file);
  if (metadata.get('sha256') !== checksum(file, sumAt)) fail('the checksum does not match: the file was changed');
  const tensors: Record<string, TensorFile['tensors'][string]> = Object.create(null);
  for (const [name, { dtype, shape, from, to }] of entries) {
    const values = dtype === 'F64' ? new Float64Array((to - from) / 8) : new Float32Array((to - from) / 4);
    for (let i = 0; i < values.length; i++)
      if (dtype === 'F64') values[i] = requireFinite(payload.getFloat64(from + 8 * i, true), i, name);
      else values[i] = requireFinite(payload.getFloat32(from + 4 * i, true), i, name);
    tensors[name] = { shape, values };
  }
  const strings = Object.fromEntries([...metadata].filter(([name]) => name !== 'sha256'));
  return { metadata: Object.assign(Object.create(null), strings), tensors };
}
