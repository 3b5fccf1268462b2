/**
 * Files of seqlik, of any kind: tensors with a format and a kind (docs/format.md). Anything that does not fit is FORMAT,
 * with the reason.
 */
import { SeqlikError } from './errors.ts';
import { readTensors, type TensorFile, writeTensors } from './file/tensors.ts';

const FORMAT = 'seqlik/1';

export type { TensorFile };
export type Tensors = TensorFile['tensors'];

/** The bytes of a file of this kind. */
export const encode = (kind: string, metadata: Readonly<Record<string, string>>, tensors: Tensors): Uint8Array =>
  writeTensors({ metadata: { format: FORMAT, kind, ...metadata }, tensors });

/**
 * The contents of a file of seqlik, read by the call `where`, which has to be of this `kind` if one is given. Throws FORMAT, INVALID_ARGUMENT
 * (bytes).
 */
export function decode(where: string, bytes: unknown, kind?: string): TensorFile {
  const file = readTensors(bytes as Uint8Array, where);
  const { format, kind: own } = file.metadata;
  if (format !== FORMAT) throw malformed(`its format is ${format}, not ${FORMAT}`);
  if (kind !== undefined && own !== kind) throw malformed(`it holds a ${own}, not a ${kind}`);
  return file;
}
/** A tensor of this name and shape. Throws FORMAT: there is none, or it is not f64. */
export function tensorOf({ tensors }: TensorFile, name: string, shape: readonly number[]): Float64Array {
  const tensor = tensors[name];
  if (!tensor) throw malformed(`it has no tensor ${name}`, name);
  const { values } = tensor;
  if (!(values instanceof Float64Array)) throw malformed(`tensor ${name} is not F64`, name);
  if (tensor.shape.join() !== shape.join())
    throw malformed(`tensor ${name} is [${tensor.shape}], not [${shape}]`, name);
  return values;
}
/** The size of a tensor of this rank along an axis, from which other shapes follow. Throws FORMAT. */
export function sizeOf({ tensors }: TensorFile, name: string, rank: number, axis = 0): number {
  const shape = tensors[name]?.shape;
  if (shape?.length !== rank) throw malformed(`it has no tensor ${name} of ${rank} dimensions`, name);
  return shape[axis]!;
}
/** Throws FORMAT for a tensor that is not among `names`: everything in a file has a meaning. */
export function refuseOthers({ tensors }: TensorFile, names: readonly string[]): void {
  const extra = Object.keys(tensors).find((name) => !names.includes(name));
  if (extra !== undefined) throw malformed(`it has an unknown tensor ${extra}`, extra);
}
/** A number in the metadata, if it is there. Throws FORMAT. */
export function numberOf({ metadata }: TensorFile, name: string): number | undefined {
  const text = metadata[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw malformed(`its ${name} is ${text}, not a number`);
  return value;
}
/** The result of `make`; values from a file that it refuses are FORMAT. */
export function orMalformed<M>(make: () => M): M {
  try {
    return make();
  } catch (error) {
    const bad = error instanceof SeqlikError && !['BACKEND', 'OUT_OF_MEMORY', 'FORMAT'].includes(error.code);
    throw bad ? malformed(error.message, error.which ?? error.argument, error) : error;
  }
}

export const malformed = (reason: string, tensor?: string, cause?: unknown): SeqlikError =>
  new SeqlikError('FORMAT', `malformed seqlik file: ${reason}`, {
    reason,
    ...(tensor !== undefined && { tensor }),
    ...(cause !== undefined && { cause }),
  });
/** Names of coordinates, as JSON in the metadata. */
export const encodeColumns = (columns: readonly string[] | undefined): { columns?: string } =>
  columns ? { columns: JSON.stringify(columns) } : {};
export function decodeColumns({ metadata }: TensorFile): { columns?: readonly string[] } {
  if (metadata['columns'] === undefined) return {};
  try {
    return { columns: JSON.parse(metadata['columns']) as readonly string[] };
  } catch {
    throw malformed('its columns are not JSON');
  }
}
