/**
 * seqlik/server: scores over HTTP. A Fastify plugin, the default export, and `serve`, which runs a whole server
 * (docs/server.md). Its packages are optional peers of seqlik: without one the import throws MISSING_PACKAGE.
 */
import { withPeers } from './peers.ts';

export type { Limits } from './limits.ts';
export type { ServerOptions } from './plugin.ts';
export type { Running, ServeOptions } from './serve.ts';

const [{ server }, door] = await withPeers(() => Promise.all([import('./plugin.ts'), import('./serve.ts')]));
/**
 * The plugin: `await app.register(seqlik, { models })`.
 * @example
 * const { default: fastify } = await import('fastify');
 * const { default: seqlik } = await import('seqlik/server');
 * const app = fastify();
 * await app.register(seqlik, { models: { unit: new Gaussian({ mean: [0], variances: [1] }) } });
 * const answer = await app.inject({ method: 'POST', url: '/v1/models/unit/score', payload: { rows: [[0]] } });
 * answer.json(); // { logDensity: [ -0.91893853... ] }
 */
export default server;
/** Runs a server until it is closed, or the process gets a signal. */
export const serve: typeof door.serve = door.serve;
