/** IDX files: every type of value, packed or not, cut anywhere. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readIdx } from '../examples/idx.ts';
import type { SeqlikError } from '../src/index.ts';

/** A file of 2 x 3 values 1 to 6, of a type. */
function fileOf(type: number): Uint8Array {
  const size = { 8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8 }[type]!;
  const bytes = new Uint8Array(12 + 6 * size);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, type, 2]);
  view.setUint32(4, 2);
  view.setUint32(8, 3);
  for (let i = 0; i < 6; i++) {
    const at = 12 + i * size;
    if (type === 13) view.setFloat32(at, i + 1);
    else if (type === 14) view.setFloat64(at, i + 1);
    else if (type === 12) view.setInt32(at, i + 1);
    else if (type === 11) view.setInt16(at, i + 1);
    else view.setUint8(at, i + 1);
  }
  return bytes;
}
const refusal = (bytes: Uint8Array): SeqlikError => {
  try {
    readIdx(bytes, 'digits.idx');
  } catch (error) {
    return error as SeqlikError;
  }
  throw new Error('it was taken');
};

describe.each([8, 9, 11, 12, 13, 14])('type %i', (type) => {
  const bytes = fileOf(type);
  test('its values, packed or not', () => {
    const expected = { shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
    expect(readIdx(bytes)).toEqual(expected);
    expect(readIdx(gzipSync(bytes))).toEqual(expected);
    const later = new Uint8Array(bytes.length + 5);
    later.set(bytes, 3);
    expect(readIdx(later.subarray(3, -2))).toEqual(expected);
  });
  test('cut anywhere, it is refused at the byte where it ends', () => {
    for (let end = 0; end < bytes.length; end++) {
      const error = refusal(bytes.subarray(0, end));
      expect([error.name, error.code, error.file]).toEqual(['SeqlikError', 'FORMAT', 'digits.idx']);
      expect(error.reason).toMatch(new RegExp(`^byte ${end}: it ends `));
    }
    const packed = gzipSync(bytes);
    for (let end = 0; end < packed.length; end++) expect(refusal(packed.subarray(0, end)).code).toBe('FORMAT');
  });
});
test('what is malformed is refused at its byte', () => {
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = fileOf(8);
    bytes[at] = value;
    return bytes;
  };
  expect(refusal(changed(0, 1)).reason).toMatch(/^byte 0: /);
  expect(refusal(changed(1, 1)).reason).toMatch(/^byte 1: /);
  expect(refusal(changed(2, 10)).reason).toBe('byte 2: there is no type 10');
  expect(refusal(changed(3, 0)).reason).toMatch(/^byte 3: /);
  expect(refusal(changed(4, 255)).reason).toMatch(/^byte (4|18): /);
  expect(refusal(Uint8Array.of(...fileOf(8), 0)).reason).toBe('byte 18: 1 bytes follow its last value');
  const infinite = fileOf(13);
  new DataView(infinite.buffer).setFloat32(16, Number.POSITIVE_INFINITY);
  expect(refusal(infinite).reason).toBe('byte 16: its value is Infinity');
});
