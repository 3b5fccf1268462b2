/** A whole server: listens, with every limit of Fastify and Node set, and ends without dropping a request. */
import closeWithGrace from 'close-with-grace';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { pino } from 'pino';
import { type ServerOptions, server } from './plugin.ts';
import { HttpError } from './problems.ts';
import { sendProblem } from './v1.ts';

/** Options of `serve`. */
export interface ServeOptions extends Omit<ServerOptions, 'draining'> {
  /** Default 127.0.0.1: nobody else reaches it. */
  readonly host?: string;
  /** Default 8080; 0: any that is free. */
  readonly port?: number;
  /** Default info; silent: nothing. One line of JSON each on stderr. */
  readonly logLevel?: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
  /** Whether every request is a line of the log; default no. */
  readonly logRequests?: boolean;
  /** Milliseconds from a signal until connections are closed, in which balancers see /readyz; default 500. */
  readonly drain?: number;
  /** Milliseconds from a signal until the process ends whatever happens; default 10,000. */
  readonly grace?: number;
  /** Whether SIGTERM, SIGINT and errors that nobody caught end the server and the process; default yes. */
  readonly signals?: boolean;
}
/** A server that listens. */
export interface Running {
  readonly url: string;
  /** Answers what has entered, then ends. */
  close(): Promise<void>;
}

/** The limits of sockets (milliseconds): a client that dawdles is closed, whatever it sends. */
const sockets = {
  headersTimeout: 5000,
  requestTimeout: 300_000, // of streams of lines; other bodies: limits.upload
  connectionsCheckingInterval: 500,
  keepAliveTimeout: 72_000,
  connectionTimeout: 60_000,
  maxHeaderSize: 16_384,
};

/** `serve` of index.ts. */
export async function serve(options: ServeOptions): Promise<Running> {
  const {
    host = '127.0.0.1',
    port = 8080,
    logLevel = 'info',
    logRequests = false,
    drain = 500,
    grace = 10_000,
    signals = true,
    ...own
  } = options;
  const draining = new AbortController();
  const app = create(logLevel, logRequests);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new HttpError('NOT_FOUND', 'there is nothing at this path'), request, reply),
  );
  app.setErrorHandler(sendProblem);
  app.addHook('onRequest', async (_, reply) => {
    if (draining.signal.aborted) reply.header('connection', 'close');
  });
  await app.register(server, { ...own, draining: draining.signal });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      draining.abort();
      app.log.info('draining');
      await new Promise((resolve) => setTimeout(resolve, drain));
      await app.close();
      app.log.info('closed');
    })();
    return closing;
  };
  const url = await app.listen({ host, port });
  if (!signals) return { url, close };
  const handle = closeWithGrace({ delay: grace, logger: app.log }, async ({ err }) => {
    if (err) app.log.fatal({ err }, 'nobody caught this error');
    await close();
  });
  return {
    url,
    close: async () => {
      handle.uninstall();
      await close();
    },
  };
}

function create(level: string, logRequests: boolean): FastifyInstance {
  const { headersTimeout, connectionsCheckingInterval, maxHeaderSize, ...rest } = sockets;
  return fastify({
    ...rest,
    loggerInstance: pino({ level }, pino.destination({ dest: 2, sync: false })),
    logController: new LogController({ disableRequestLogging: !logRequests }),
    bodyLimit: 2 ** 20,
    maxRequestsPerSocket: 0,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    trustProxy: false,
    frameworkErrors: sendProblem,
    routerOptions: { maxParamLength: 128, ignoreTrailingSlash: false },
    http: { headersTimeout, connectionsCheckingInterval, maxHeaderSize },
  }) as unknown as FastifyInstance;
}
