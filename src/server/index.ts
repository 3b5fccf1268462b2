/**
 * seqlik/server: scores over HTTP. A Fastify plugin, the default export, and `serve`, which runs a whole server
 * (docs/server.md). Its packages are optional peers of seqlik: without one the import throws MISSING_PACKAGE.
 */
import { withPeers } from './peers.ts';
import type { Running, ServeOptions } from './serve.ts';

export type { Limits } from './limits.ts';
export type { ServerOptions } from './plugin.ts';
export type { Running, ServeOptions };

const [{ server }, door] = await withPeers(() => Promise.all([import('./plugin.ts'), import('./serve.ts')]));
/** The plugin: `await app.register(seqlik, { models })`; an example is in docs/server.md. */
export default server;

/**
 * Runs a whole server until it is closed, or until the process gets a signal. Throws INVALID_ARGUMENT, IO, FORMAT,
 * BACKEND, and the errors of `listen`.
 * @example
 * const models = { unit: new Gaussian({ mean: [0], variances: [1] }) };
 * const { url, close } = await serve({ models, port: 0, logLevel: 'silent', signals: false, drain: 0 });
 * const body = JSON.stringify({ rows: [[0], [1]] });
 * const headers = { 'content-type': 'application/json' };
 * const answer = await fetch(`${url}/v1/models/unit/score`, { method: 'POST', headers, body });
 * const { logDensity } = await answer.json();
 * await close();
 * logDensity; // [ -0.91893853..., -1.41893853... ]
 */
export function serve(options: ServeOptions): Promise<Running> {
  return door.serve(options);
}
