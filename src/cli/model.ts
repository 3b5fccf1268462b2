/** The model of a command: read from the file that MODEL names. */
import { readFile } from 'node:fs/promises';
import { loadModel, type MixtureDensityNetwork, SeqlikError } from '../index.ts';
import { ioError } from '../table/errors.ts';
import { type BackendChoice, backendOf } from './options.ts';

export type AnyModel = ReturnType<typeof loadModel>;
/** Those of rows that know nothing of each other. */
export type RowModel = Exclude<AnyModel, MixtureDensityNetwork>;
/** Throws IO, FORMAT (file), BACKEND. */
export async function readModel(path: string, choice: BackendChoice): Promise<AnyModel> {
  const bytes = await readFile(path).catch((error) => {
    throw ioError('read', path, error);
  });
  const backend = backendOf(choice);
  try {
    return loadModel(bytes, { backend });
  } catch (error) {
    if (!(error instanceof SeqlikError)) throw error;
    throw new SeqlikError(error.code, `${path}: ${error.message}`, { ...error, file: path, cause: error });
  }
}
