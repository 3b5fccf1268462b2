import { argumentError, callError, type SeqlikError } from './errors.ts';

/** Arrays and their buffers as the engine sees them: no subclass, proxy or prototype can lie to an intrinsic getter. */
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (of: object, key: PropertyKey) => Object.getOwnPropertyDescriptor(of, key)?.get;
const tag = getter(typedArray, Symbol.toStringTag)!;
const [length, bytes, offset, buffer] = (['length', 'byteLength', 'byteOffset', 'buffer'] as const).map(
  (key) => getter(typedArray, key)!,
) as [() => number, () => number, () => number, () => ArrayBufferLike];
const size = getter(ArrayBuffer.prototype, 'byteLength')!; // throws for a SharedArrayBuffer
const resizable = getter(ArrayBuffer.prototype, 'resizable'); // undefined in engines without resizable buffers

/** Returns 'Float64Array' and so on, or undefined for anything but a typed array. */
export const tagOf = (value: unknown): string | undefined => tag.call(value) as string | undefined;
export const lengthOf = (values: ArrayBufferView): number => length.call(values);

const constructors = { Float64Array, Float32Array, Int32Array, Uint8Array };
/** Returns the same memory as a typed array of ours: overrides of a caller's class or object no longer count. */
export function plain<A extends Float64Array | Float32Array | Int32Array | Uint8Array>(values: A): A {
  const make = constructors[tagOf(values) as keyof typeof constructors];
  const count = lengthOf(values);
  if (count === 0) return new make(0) as A; // also if detached
  return new make(buffer.call(values) as ArrayBuffer, offset.call(values), count) as A;
}
/** Returns the bytes of an array, or `count` of them. */
export function asBytes(values: ArrayBufferView, from = 0, count = bytes.call(values)): Uint8Array<ArrayBuffer> {
  if (count === 0) return new Uint8Array(0); // also if detached
  return new Uint8Array(buffer.call(values) as ArrayBuffer, offset.call(values) + from, count);
}
/** Returns the buffer of an array, or undefined if others may write or resize it: a shared or resizable one. */
export function fixedBuffer(values: ArrayBufferView): ArrayBuffer | undefined {
  const memory = buffer.call(values);
  try {
    size.call(memory);
  } catch {
    return undefined;
  }
  return resizable?.call(memory) ? undefined : (memory as ArrayBuffer);
}
/** Whether a value is an ArrayBuffer that nobody else may write or resize. */
export function isBuffer(value: unknown): value is ArrayBuffer {
  try {
    size.call(value);
    return !resizable?.call(value);
  } catch {
    return false;
  }
}
/** Whether the memory of an array went away with a transfer, or with growing memory of WebAssembly. */
export function isDetached(values: ArrayBufferView): boolean {
  if (bytes.call(values) > 0) return false;
  try {
    void new Uint8Array(buffer.call(values)); // throws; `detached` is missing in Node 20
    return false;
  } catch {
    return true;
  }
}
/** Whether the values of an array are there, and nobody else may write or resize its memory. */
export const isReadable = (values: ArrayBufferView): boolean =>
  fixedBuffer(values) !== undefined && !isDetached(values);
/** The error of an array whose memory went away: its values are lost. */
export const detachedMemory = (call: string, argument: string): SeqlikError =>
  argumentError('INVALID_ARGUMENT', call, argument, {
    expected: 'memory that is not detached',
    received: 'a detached buffer',
    reason: 'lies in a detached buffer: it was transferred, or its memory grew',
  });
/** The error of an array without a fixed buffer: another thread, or a growing buffer, could change it under a
 * kernel. */
export const sharedMemory = (call: string, argument: string): SeqlikError =>
  argumentError('INVALID_ARGUMENT', call, argument, {
    expected: 'memory that is neither shared nor resizable',
    received: 'a shared or resizable buffer',
    reason: 'lies in a shared or resizable buffer',
  });
/** Returns what `make` allocates, about n values. Throws OUT_OF_MEMORY. */
export function allocate<A>(where: string, n: number, make: () => A): A {
  try {
    return make();
  } catch (cause) {
    throw callError('OUT_OF_MEMORY', where, `no room for ${n} values`, { cause });
  }
}
/** Whether two arrays have a byte in common. */
export function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (buffer.call(a) !== buffer.call(b)) return false;
  const [from, start] = [offset.call(a), offset.call(b)];
  return from < start + bytes.call(b) && start < from + bytes.call(a);
}
