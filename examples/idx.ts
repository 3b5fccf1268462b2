/** Files in the IDX format of MNIST and EMNIST: a tensor, big endian, possibly packed with gzip. */
import { gunzipSync } from 'node:zlib';
import { SeqlikError } from 'seqlik';

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
type Read = (view: DataView, at: number) => number;
/** Bytes of a value, and how it is read, by the third byte of a file. */
const types: Readonly<Record<number, readonly [size: number, read: Read]>> = {
  8: [1, (view, at) => view.getUint8(at)],
  9: [1, (view, at) => view.getInt8(at)],
  11: [2, (view, at) => view.getInt16(at)],
  12: [4, (view, at) => view.getInt32(at)],
  13: [4, (view, at) => view.getFloat32(at)],
  14: [8, (view, at) => view.getFloat64(at)],
};
const LIMIT = 2 ** 31;

/** Throws FORMAT, with the byte (of the unpacked file) from which on it is malformed. */
export function readIdx(bytes: Uint8Array, name = 'IDX file'): Tensor {
  const file = bytes[0] === 0x1f && bytes[1] === 0x8b ? unpack(bytes, name) : bytes;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const { length } = file;
  if (length < 4) throw malformed(name, length, 'it ends within its first four bytes');
  if (file[0] !== 0 || file[1] !== 0) throw malformed(name, file[0] === 0 ? 1 : 0, 'it does not begin with two zeros');
  const type = types[file[2]!];
  if (!type) throw malformed(name, 2, `there is no type ${file[2]}`);
  const [size, read] = type;
  const rank = file[3]!;
  if (rank === 0) throw malformed(name, 3, 'it has no dimensions');
  const start = 4 + 4 * rank;
  if (length < start) throw malformed(name, length, `it ends within its ${rank} sizes`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, n) => product * n, 1);
  if (!(count < LIMIT)) throw malformed(name, 4, `${shape.join(' x ')} values are more than fit here`);
  const end = start + count * size;
  if (length < end) throw malformed(name, length, `it ends before ${shape.join(' x ')} values, at byte ${end}`);
  if (length > end) throw malformed(name, end, `${length - end} bytes follow its last value`);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = read(view, start + i * size);
    if (!Number.isFinite(values[i])) throw malformed(name, start + i * size, `its value is ${values[i]}`);
  }
  return { shape, values };
}
function unpack(bytes: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw malformed(name, bytes.length, `gzip cannot unpack it: ${(cause as Error).message}`);
  }
}
function malformed(name: string, byte: number, what: string): SeqlikError {
  const reason = `byte ${byte}: ${what}`;
  return new SeqlikError('FORMAT', `${name}: ${reason}`, { reason, file: name });
}
