/** Tensors of the Open Inference Protocol, in JSON and binary: docs of KServe, "binary tensor data extension". */
import { Buffer } from 'node:buffer';
import type { Real, SeqlikError } from '../index.ts';
import { describe, invalid } from './errors.ts';
import { numberText, parseJson } from './json.ts';
import { HttpError } from './problems.ts';
import type { Column, OutputName, Scorer } from './scorers.ts';

/** The data types in use: bytes of an element. */
const sizes = { FP64: 8, FP32: 4, INT32: 4, BOOL: 1 } as const;
export type Datatype = keyof typeof sizes;
/** The names of our outputs there. */
export const tensorNames: { readonly [O in OutputName]: string } = {
  logDensity: 'log_density',
  logLikelihood: 'log_likelihood',
  responsibilities: 'responsibilities',
  component: 'component',
  anomaly: 'anomaly',
  probabilities: 'probabilities',
};
type Fields = Readonly<Record<string, unknown>>;
export interface InferRequest {
  readonly id?: string;
  readonly parameters: Fields;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** undefined: all, as the server likes. */
  readonly outputs: readonly { readonly name: string; readonly parameters: Fields }[] | undefined;
}
export interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: Real | Int32Array;
}

/** Splits a body into its JSON and the bytes behind it. Throws HttpError 400. */
export function splitBody(body: Buffer, header: string | string[] | undefined): { json: unknown; rest: Buffer } {
  const refuse = (reason: string): HttpError => new HttpError('BAD_REQUEST', reason);
  let length = body.length;
  if (header !== undefined) {
    if (typeof header !== 'string' || !/^\d{1,15}$/.test(header))
      throw refuse('Inference-Header-Content-Length must be a number of bytes');
    length = Number(header);
    if (length === 0) throw refuse('Inference-Header-Content-Length must not be 0');
    if (length > body.length)
      throw refuse(`Inference-Header-Content-Length is ${length}, but the body has ${body.length} bytes`);
  }
  return { json: parseJson(body.toString('utf8', 0, length)), rest: body.subarray(length) };
}
/** Reads a request; binary tensors are taken from `rest` in the order of the inputs. Throws INVALID_ARGUMENT. */
export function readInfer(json: unknown, rest: Buffer): InferRequest {
  const body = readFields('the body', json);
  const { id, inputs, outputs } = body;
  if (id !== undefined && typeof id !== 'string') throw invalid(`id must be a string, not ${describe(id)}`, 'id');
  if (!Array.isArray(inputs)) throw invalid('inputs must be a list of tensors', 'inputs');
  if (inputs.length > 16) throw invalid(`there are ${inputs.length} inputs`, 'inputs');
  const tensors = new Map<string, Tensor>();
  let at = 0;
  for (const [i, input] of inputs.entries()) {
    const fields = readFields(`inputs[${i}]`, input);
    const { name } = fields;
    if (typeof name !== 'string' || tensors.has(name))
      throw invalid(`inputs[${i}].name must be a name of its own, not ${describe(name)}`, 'inputs');
    const { tensor, taken } = readTensor(fields, rest.subarray(at));
    tensors.set(name, tensor);
    at += taken;
  }
  if (at !== rest.length)
    throw invalid(`binary_data_size of all inputs is ${at}, but ${rest.length} bytes follow the header`, 'inputs');
  return {
    ...(id !== undefined && { id }),
    parameters: readParameters('parameters', body['parameters']),
    inputs: tensors,
    outputs: outputs === undefined ? undefined : readOutputs(outputs),
  };
}
function readOutputs(value: unknown): InferRequest['outputs'] {
  if (!Array.isArray(value) || value.length > 16) throw invalid('outputs must be a list of outputs', 'outputs');
  return value.map((output, i) => {
    const { name, parameters } = readFields(`outputs[${i}]`, output);
    if (typeof name !== 'string') throw invalid(`outputs[${i}].name must be a string`, 'outputs');
    return { name, parameters: readParameters(`outputs[${i}].parameters`, parameters) };
  });
}
function readFields(name: string, value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${name} must be an object, not ${describe(value)}`, 'body');
  return value as Fields;
}
const readParameters = (name: string, value: unknown): Fields => (value === undefined ? {} : readFields(name, value));

function readTensor(fields: Fields, rest: Buffer): { tensor: Tensor; taken: number } {
  const { name, shape, datatype, data } = fields;
  const fail = (reason: string): SeqlikError => invalid(`input ${describe(name)} ${reason}`, `${name}`.slice(0, 40));
  if (typeof datatype !== 'string' || !Object.hasOwn(sizes, datatype) || datatype === 'BOOL')
    throw fail(`has the datatype ${describe(datatype)}, which is none of FP64, FP32, INT32`);
  const type = datatype as Datatype;
  if (!Array.isArray(shape) || shape.length > 8 || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw fail('must have a shape: a list of whole numbers >= 0');
  const count = shape.reduce((product: number, size: number) => product * size, 1);
  if (!Number.isSafeInteger(count) || count >= 2 ** 31) throw fail(`has the shape ${shape}: too large`);
  const { binary_data_size: size } = readParameters(`parameters of input ${describe(name)}`, fields['parameters']);
  if (size === undefined) {
    if (data === undefined) throw fail('has neither data nor binary_data_size');
    return { tensor: { datatype: type, shape, values: fromJson(data, type, count, fail) }, taken: 0 };
  }
  if (data !== undefined) throw fail('has both data and binary_data_size');
  const bytes = count * sizes[type];
  if (size !== bytes) throw fail(`has binary_data_size ${describe(size)}, but its shape needs ${bytes} bytes`);
  if (bytes > rest.length) throw fail(`needs ${bytes} bytes, but ${rest.length} are left in the body`);
  return { tensor: { datatype: type, shape, values: fromBytes(rest.subarray(0, bytes), type) }, taken: bytes };
}
const room = (type: Datatype, of: number | ArrayBuffer): Real | Int32Array =>
  type === 'FP64'
    ? new Float64Array(of as ArrayBuffer)
    : type === 'FP32'
      ? new Float32Array(of as ArrayBuffer)
      : new Int32Array(of as ArrayBuffer);
const fromBytes = (bytes: Buffer, type: Datatype): Tensor['values'] => room(type, new Uint8Array(bytes).buffer);
/** Flat or nested numbers; each must be one that the type has. */
function fromJson(data: unknown, type: Datatype, count: number, fail: (reason: string) => Error): Tensor['values'] {
  if (!Array.isArray(data)) throw fail(`has data that is no list, but ${describe(data)}`);
  const stack: { readonly list: unknown[]; at: number }[] = [{ list: data, at: 0 }];
  const found: number[] = [];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    if (top.at === top.list.length) {
      stack.pop();
      continue;
    }
    const value = top.list[top.at++];
    if (Array.isArray(value)) {
      if (stack.length >= 8) throw fail('has data nested too deep');
      stack.push({ list: value, at: 0 });
      continue;
    }
    if (typeof value !== 'number') throw fail(`has ${describe(value)} at [${found.length}], which is no number`);
    if (type === 'INT32' && value !== (value | 0)) throw fail(`has ${value} at [${found.length}], which is no INT32`);
    if (found.push(value) > count) break;
  }
  if (found.length !== count)
    throw fail(`has ${found.length > count ? 'more' : found.length} values, but its shape ${count}`);
  const values = room(type, count);
  values.set(found);
  return values;
}

/** The datatype of an output, whose values follow the dtype of the data. */
export function datatypeOf(name: OutputName, { values }: Pick<Column, 'values'>): Datatype {
  if (name === 'anomaly') return 'BOOL';
  if (values instanceof Int32Array) return 'INT32';
  return values instanceof Float32Array ? 'FP32' : 'FP64';
}
/** The inputs and outputs of a model, as its metadata lists them. */
export function tensorsOf(scorer: Scorer): { inputs: object[]; outputs: object[] } {
  const lengths = { name: 'lengths', datatype: 'INT32', shape: [-1] };
  return {
    inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, scorer.dimension] }, ...(scorer.ofSequences ? [lengths] : [])],
    outputs: (Object.keys(scorer.outputs) as OutputName[]).map((name) => {
      const { width, type } = scorer.outputs[name]!;
      const datatype = type === 'int' ? 'INT32' : type === 'flag' ? 'BOOL' : 'FP64';
      return { name: tensorNames[name], datatype, shape: isMatrix(name) ? [-1, width] : [-1] };
    }),
  };
}
const isMatrix = (name: OutputName): boolean => name === 'responsibilities' || name === 'probabilities';
/** The head of an output tensor, and its data as JSON or as bytes. */
export function writeTensor(name: OutputName, column: Column, isBinary: boolean): { text: string; bytes?: Buffer } {
  const { values, width } = column;
  const rows = values.length / width;
  const shape = isMatrix(name) ? [rows, width] : [rows];
  const head = `"name":"${tensorNames[name]}","datatype":"${datatypeOf(name, column)}","shape":[${shape}]`;
  if (isBinary) {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    return { text: `{${head},"parameters":{"binary_data_size":${bytes.length}}}`, bytes };
  }
  let data = '';
  for (let i = 0; i < values.length; i++)
    data += `${i > 0 ? ',' : ''}${name === 'anomaly' ? Boolean(values[i]) : numberText(values[i]!)}`;
  return { text: `{${head},"data":[${data}]}` };
}
