/** The Fastify plugin: scores over HTTP under a prefix, with no hook beyond its own routes. */
import swagger from '@fastify/swagger';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fp from 'fastify-plugin';
import type { AnyModel, Backend, SeqlikError } from '../index.ts';
import { type Desk, modelOf } from './desk.ts';
import { invalid } from './errors.ts';
import { Files } from './files.ts';
import { type Limits, readLimits } from './limits.ts';
import { ServerMetrics } from './metrics.ts';
import { addOperations } from './operations.ts';
import { HttpError } from './problems.ts';
import { Queue } from './queue.ts';
import { Registry } from './registry.ts';
import { validatorOf } from './schemas.ts';
import { Sessions } from './sessions.ts';
import { addV1 } from './v1.ts';
import { addV2 } from './v2.ts';

/** Options of the plugin. */
export interface ServerOptions {
  /** Models by id; or a folder, whose files *.seqlik are models by their names; or files. */
  readonly models: Readonly<Record<string, AnyModel>> | string | readonly string[];
  /** Before every path. */
  readonly prefix?: string;
  readonly limits?: Partial<Limits>;
  /** PUT replaces models for who sends it; without one nobody can. */
  readonly token?: string;
  /** Milliseconds between two looks at the model files; default 0: they are read once. */
  readonly watch?: number;
  /** The backend of models that are read from files; default: defaultBackend(). */
  readonly backend?: Backend;
  /** Once aborted, /readyz answers 503, so that no new clients come. */
  readonly draining?: AbortSignal;
}
const known = ['models', 'prefix', 'limits', 'token', 'watch', 'backend', 'draining'];

const plugin: FastifyPluginAsync<ServerOptions> = async (fastify, options) => {
  const refuse = (argument: string, reason: string): SeqlikError =>
    invalid(`seqlik/server: ${argument} ${reason}`, argument);
  for (const name of Object.keys(options)) if (!known.includes(name)) throw refuse(name, 'is no option');
  const { models, prefix = '', token, watch = 0, backend, draining } = options;
  const limits = readLimits(options.limits);
  if (token !== undefined && (typeof token !== 'string' || token.length < 16))
    throw refuse('token', 'must have 16 characters or more');
  if (!Number.isSafeInteger(watch) || watch < 0) throw refuse('watch', 'must be a whole number of milliseconds >= 0');
  const metrics = new ServerMetrics();
  const registry = new Registry(backend, metrics);
  const queue = new Queue(limits, metrics);
  const sessions = new Sessions(limits);
  metrics.watch(queue, sessions);
  const desk: Desk = { registry, queue, sessions, metrics, limits, isDraining: () => draining?.aborted ?? false };
  let files: Files | undefined;
  if (typeof models === 'string') files = await Files.inFolder(models, registry, fastify.log);
  else if (Array.isArray(models)) files = await Files.named(models, registry, fastify.log);
  else for (const [id, model] of Object.entries(models)) registry.add(id, model);
  if (watch > 0) files?.watch(watch);

  await fastify.register(
    async (scope) => {
      scope.addHook('onClose', async () => {
        await files?.close();
        sessions.close();
        registry.close(); // what is being computed keeps its model until it has ended
      });
      scope.setValidatorCompiler(validatorOf);
      scope.setSerializerCompiler(() => JSON.stringify);
      await scope.register(swagger, openapi(token !== undefined));
      await scope.register(async (own) => addOperations(own, desk));
      await scope.register(async (own) => {
        await own.register(underPressure, {
          maxEventLoopDelay: limits.eventLoopDelay,
          maxRssBytes: limits.memory,
          pressureHandler: () => {
            throw new HttpError('UNAVAILABLE', 'the server is overloaded', 1);
          },
        });
        // a body that dawdles holds a socket
        own.addHook('onRequest', async ({ raw }) => {
          if (raw.headers['content-type'] === 'application/x-ndjson') return;
          const timer = setTimeout(() => raw.destroy(), limits.upload).unref();
          raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
        });
        own.addHook('onResponse', async (request, reply) =>
          metrics.answered(modelOf(request), reply.statusCode, reply.elapsedTime),
        );
        await own.register(async (scope: FastifyInstance) => addV1(scope, desk, files, token));
        await own.register(async (scope: FastifyInstance) => addV2(scope, desk));
      });
    },
    { prefix },
  );
};
const openapi = (hasToken: boolean) => ({
  openapi: {
    openapi: '3.1.0',
    info: { title: 'seqlik', description: 'Likelihoods over HTTP', version: '1' },
    ...(hasToken && { components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } as const } } }),
  },
});

export const server = fp(plugin, { name: 'seqlik', fastify: '5.x' });
