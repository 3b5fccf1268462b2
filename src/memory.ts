import { SeqlikError } from './errors.ts';

/** What the engine says of an array and its buffer. Intrinsic getters: no subclass, proxy or prototype can lie here. */
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const getter = (of: object, key: PropertyKey) => Object.getOwnPropertyDescriptor(of, key)?.get;
const tag = getter(typedArray, Symbol.toStringTag)!;
const [length, bytes, offset, buffer] = (['length', 'byteLength', 'byteOffset', 'buffer'] as const).map(
  (key) => getter(typedArray, key)!,
) as [() => number, () => number, () => number, () => ArrayBufferLike];
const size = getter(ArrayBuffer.prototype, 'byteLength')!; // throws for a SharedArrayBuffer
const resizable = getter(ArrayBuffer.prototype, 'resizable'); // undefined in engines without resizable buffers

/** 'Float64Array', ..., or undefined for what is no typed array. */
export const tagOf = (value: unknown): string | undefined => tag.call(value) as string | undefined;
export const lengthOf = (values: ArrayBufferView): number => length.call(values);

const constructors = { Float64Array, Float32Array, Int32Array, Uint8Array };
/** The same memory as a typed array of ours: what a caller's class or object says of itself no longer counts. */
export function plain<A extends Float64Array | Float32Array | Int32Array | Uint8Array>(values: A): A {
  const make = constructors[tagOf(values) as keyof typeof constructors];
  const count = lengthOf(values);
  return (count === 0 ? new make(0) : new make(buffer.call(values) as ArrayBuffer, offset.call(values), count)) as A; // 0: detached too
}
/** Its bytes, or `count` of them. */
export function asBytes(values: ArrayBufferView, from = 0, count = bytes.call(values)): Uint8Array<ArrayBuffer> {
  if (count === 0) return new Uint8Array(0); // detached too
  return new Uint8Array(buffer.call(values) as ArrayBuffer, offset.call(values) + from, count);
}
/** Its memory, if that is the caller's alone and stays as large as it is: neither shared nor resizable. */
export function fixedBuffer(values: ArrayBufferView): ArrayBuffer | undefined {
  const memory = buffer.call(values);
  try {
    size.call(memory);
  } catch {
    return undefined;
  }
  return resizable?.call(memory) ? undefined : (memory as ArrayBuffer);
}
/** What `make` allocates, an array of about n values. Throws OUT_OF_MEMORY. */
export function allocated<A>(where: string, n: number, make: () => A): A {
  try {
    return make();
  } catch (cause) {
    throw new SeqlikError('OUT_OF_MEMORY', `${where}: no room for ${n} values`, { cause });
  }
}
/** Whether two arrays have a byte in common. */
export function overlap(a: ArrayBufferView, b: ArrayBufferView): boolean {
  if (buffer.call(a) !== buffer.call(b)) return false;
  const [from, start] = [offset.call(a), offset.call(b)];
  return from < start + bytes.call(b) && start < from + bytes.call(a);
}
