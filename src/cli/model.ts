/** The model of a command, read from the file that MODEL names. */
import { readFile } from 'node:fs/promises';
import { loadModel, SeqlikError } from '../index.ts';
import { ioError, rephrase } from '../table/errors.ts';
import { type BackendChoice, backendOf } from './options.ts';

export type AnyModel = ReturnType<typeof loadModel>;
/** The kinds of models that a file can hold, by name. */
export type Kind = AnyModel['kind'];
export type ModelOf<K extends Kind> = Extract<AnyModel, { readonly kind: K }>;

/** Throws IO, FORMAT (file), BACKEND. */
export async function readModel(path: string, choice: BackendChoice): Promise<AnyModel> {
  const bytes = await readFile(path).catch((error) => {
    throw ioError('read', path, error);
  });
  const backend = backendOf(choice);
  try {
    return loadModel(bytes, { backend });
  } catch (error) {
    throw error instanceof SeqlikError ? rephrase(error, `${path}: ${error.message}`, { file: path }) : error;
  }
}
