/** The packages this door needs and the library does not: a missing one is an error that names the command. */
import { SeqlikError } from '../index.ts';

export const peers = [
  'fastify',
  'fastify-plugin',
  'typebox',
  '@fastify/swagger',
  '@fastify/under-pressure',
  'prom-client',
  'pino',
  'close-with-grace',
] as const;

/** Runs an import. Throws MISSING_PACKAGE if one of the peers is not installed. */
export async function withPeers<M>(load: () => Promise<M>): Promise<M> {
  try {
    return await load();
  } catch (error) {
    throw toMissingPackage(error);
  }
}
/** The error of an import that did not find a peer; any other error stays as it is. */
export function toMissingPackage(error: unknown): unknown {
  const { code, message = '' } = error as NodeJS.ErrnoException;
  const [, name] = /Cannot find package '([^']+)'/.exec(message) ?? [];
  if (code !== 'ERR_MODULE_NOT_FOUND' || !name || !(peers as readonly string[]).includes(name)) return error;
  return new SeqlikError('MISSING_PACKAGE', `seqlik/server needs the package ${name}: npm install ${peers.join(' ')}`, {
    cause: error,
  });
}
