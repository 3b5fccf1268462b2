/** The model of a command, read from the file that MODEL names. */
import { readFile } from 'node:fs/promises';
import { loadModel, SeqlikError } from '../index.ts';
import { ioError, rephrase } from '../table/errors.ts';
import { usageError } from './errors.ts';
import { type BackendChoice, backendOf } from './options.ts';

const BRACE = 123; // { after the 8 bytes of the length of the header

export type AnyModel = ReturnType<typeof loadModel>;
/** The kinds of models that a file can hold, by name. */
export type Kind = AnyModel['kind'];
export type ModelOf<K extends Kind> = Extract<AnyModel, { readonly kind: K }>;

/** Throws IO, FORMAT (file), BACKEND. */
export async function readModel(path: string, choice: BackendChoice, dataPath?: string): Promise<AnyModel> {
  if (path === '-' && dataPath === '-') throw usageError('MODEL and DATA cannot both be stdin');
  const bytes = await (path === '-' ? readStdin() : readFile(path)).catch((error) => {
    throw ioError('read', path, error);
  });
  const backend = backendOf(choice);
  try {
    return loadModel(bytes, { backend });
  } catch (error) {
    if (!(error instanceof SeqlikError)) throw error;
    const hint = bytes.length > 0 && bytes[8] !== BRACE ? ': is it a file that fit wrote, and not the data?' : '';
    throw rephrase(error, `${path}: ${error.message}${hint}`, { file: path });
  }
}
async function readStdin(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return Buffer.concat(pieces);
}
