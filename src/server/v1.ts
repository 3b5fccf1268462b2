/** The routes of /v1: scores, sessions, models. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ask, askSession, type Desk, describeModel, sign, timeoutOf, withModel } from './desk.ts';
import type { Files } from './files.ts';
import {
  answerPieces,
  type answerText,
  parseJson,
  type Question,
  readObject,
  readOutputs,
  readQuestion,
  readRows,
} from './json.ts';
import { answerLines } from './lines.ts';
import { bytesOf, type OctetsQuery, readOctets } from './octets.ts';
import { HttpError, toProblem } from './problems.ts';
import type { Version } from './registry.ts';
import {
  ModelAnswer,
  ModelParams,
  ModelsAnswer,
  NoQuery,
  ProblemAnswer,
  RowsBody,
  ScoreAnswer,
  ScoreBody,
  ScoreQuery,
  SessionAnswer,
  SessionParams,
} from './schemas.ts';
import type { Column } from './scorers.ts';

const json = 'application/json; charset=utf-8';
const problem = { description: 'an error', content: { 'application/problem+json': { schema: ProblemAnswer } } };
const answers = (schema: unknown) => ({ 200: schema, default: problem });
const binary = { schema: { type: 'string', format: 'binary' } };

interface Named {
  readonly id: string;
}
type Query = OctetsQuery & { readonly outputs?: string };

/** Answers an error as problem+json. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = toProblem(error);
  if (status === 500) request.log.error({ err: error }, 'request failed');
  reply.code(status).headers(headers).header('content-type', 'application/problem+json').send(JSON.stringify(body));
}

/** `token`: models may be replaced by who has it. */
export function addV1(scope: FastifyInstance, desk: Desk, files: Files | undefined, token: string | undefined): void {
  const { limits, registry, sessions } = desk;
  scope.setErrorHandler(sendProblem);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: limits.jsonBytes },
    (_: FastifyRequest, text: string, done: (error: Error | null, body?: unknown) => void) => {
      try {
        done(null, parseJson(text));
      } catch (error) {
        done(error as Error);
      }
    },
  );
  scope.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: limits.bytes },
    (_: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) => done(null, bytes),
  );
  scope.addContentTypeParser('application/x-ndjson', (_, payload, done) => done(null, payload));

  scope.post<{ Params: Named; Querystring: Query }>(
    '/v1/models/:id/score',
    {
      schema: {
        summary: 'Scores rows or sequences',
        params: ModelParams,
        querystring: ScoreQuery,
        body: {
          content: {
            'application/json': { schema: ScoreBody },
            'application/octet-stream': binary,
            'application/x-ndjson': { schema: { type: 'string' } },
          },
        },
        response: answers({
          description: 'the outputs',
          content: { 'application/json': { schema: ScoreAnswer }, 'application/octet-stream': binary },
        }),
      },
    },
    (request, reply) =>
      withModel(desk, request.params.id, request, reply, async (version) => {
        refuseEncoding(request);
        const { body, query } = request;
        if (Buffer.isBuffer(body)) return scoreOctets(version, body, query, request, reply);
        if (body instanceof Readable) return scoreLines(version, body, query, request, reply);
        refuseKeys(query, []);
        const question = readQuestion(body, version.scorer);
        const columns = await ask(desk, version, question, reply, timeoutOf(request, limits));
        return reply.header('content-type', json).send(await answerOf(question, columns));
      }),
  );
  async function scoreOctets(
    version: Version,
    body: Buffer,
    query: Query,
    request: FastifyRequest,
    reply: FastifyReply,
  ) {
    refuseKeys(query, ['dtype', 'missing', 'output', 'lengths']);
    const question = readOctets(body, query, version.scorer);
    const columns = await ask(desk, version, question, reply, timeoutOf(request, limits));
    const [column] = Object.values(columns) as Column[];
    return reply.header('content-type', 'application/octet-stream').send(bytesOf(column!));
  }
  async function scoreLines(
    version: Version,
    body: Readable,
    query: Query,
    request: FastifyRequest,
    reply: FastifyReply,
  ) {
    refuseKeys(query, ['outputs']);
    const outputs = readOutputs(query.outputs?.split(','), version.scorer);
    const until = performance.now() + timeoutOf(request, limits);
    const isOwn = request.headers['x-request-timeout-ms'] !== undefined;
    const left = (): number => (isOwn ? Math.max(1, until - performance.now()) : limits.timeout);
    const tools = {
      scorer: version.scorer,
      outputs,
      most: limits.lineBytes,
      ask: (question: Question) => ask(desk, version, question, reply, left()),
    };
    const lines = answerLines(body, tools);
    const first = await lines.next(); // an error before any line is an answer of its own
    version.retain();
    const stream = Readable.from(withErrors(first, lines, request), { objectMode: false });
    stream.once('close', () => version.release());
    return reply.header('content-type', 'application/x-ndjson').send(stream);
  }

  scope.get('/v1/models', { schema: { querystring: NoQuery, response: answers(ModelsAnswer) } }, async () => ({
    models: registry.ids.map((id) => describeModel(desk, registry.get(id))),
  }));
  scope.get<{ Params: Named }>(
    '/v1/models/:id',
    { schema: { params: ModelParams, querystring: NoQuery, response: answers(ModelAnswer) } },
    (request, reply) =>
      withModel(desk, request.params.id, request, reply, async (version) => describeModel(desk, version)),
  );

  // ---- sessions ----
  scope.post<{ Params: Named }>(
    '/v1/models/:id/sessions',
    {
      schema: {
        summary: 'Starts a session',
        params: ModelParams,
        querystring: NoQuery,
        response: { 201: SessionAnswer, default: problem },
      },
    },
    (request, reply) =>
      withModel(desk, request.params.id, request, reply, async (version) => {
        if (request.body !== undefined && request.body !== null) readObject(request.body, []);
        return reply.code(201).send({ session: sessions.start(version).id });
      }),
  );
  scope.post<{ Params: Named & { session: string } }>(
    '/v1/models/:id/sessions/:session',
    {
      schema: {
        summary: 'Scores the next rows of a session',
        params: SessionParams,
        querystring: NoQuery,
        body: { content: { 'application/json': { schema: RowsBody } } },
        response: answers(ScoreAnswer),
      },
    },
    (request, reply) => pushRows(request, request.params, reply),
  );
  function pushRows(request: FastifyRequest, { id, session }: Named & { session: string }, reply: FastifyReply) {
    return sessions.use(id, session, async (own) => {
      sign(own.version, request, reply);
      const { rows } = readObject(request.body, ['rows']);
      const data = readRows(rows, own.version.scorer);
      const columns = await askSession(desk, own, data, reply, timeoutOf(request, limits));
      const question = { data, outputs: [], several: false };
      return reply.header('content-type', json).send(await answerOf(question, columns));
    });
  }
  scope.delete<{ Params: Named & { session: string } }>(
    '/v1/models/:id/sessions/:session',
    { schema: { summary: 'Ends a session', params: SessionParams, querystring: NoQuery } },
    async (request, reply) => {
      sessions.end(request.params.id, request.params.session);
      return reply.code(204).send();
    },
  );

  // ---- models ----
  if (token === undefined) return;
  const isAllowed = tokenCheck(token);
  scope.put<{ Params: Named }>(
    '/v1/models/:id',
    {
      schema: {
        summary: 'Replaces a model',
        params: ModelParams,
        querystring: NoQuery,
        body: { content: { 'application/octet-stream': binary } },
        response: answers(ModelAnswer),
        security: [{ token: [] }],
      },
      // before the body is read
      onRequest: async (request, reply) => {
        if (isAllowed(request.headers.authorization)) return;
        reply.header('www-authenticate', 'Bearer');
        throw new HttpError(
          'UNAUTHORIZED',
          'a model is replaced with the token of the server: Authorization: Bearer TOKEN',
        );
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!Buffer.isBuffer(request.body))
        throw new HttpError('UNSUPPORTED_MEDIA_TYPE', 'a model file is application/octet-stream');
      refuseEncoding(request);
      const version = registry.load(id, request.body);
      sign(version, request, reply);
      await files?.write(id, request.body);
      request.log.info({ model: id, sha256: version.sha256 }, 'model replaced');
      return describeModel(desk, version);
    },
  );
}

function refuseEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', 'a body must not be compressed');
}
function refuseKeys(query: object, known: readonly string[]): void {
  const other = Object.keys(query).find((key) => !known.includes(key));
  if (other !== undefined)
    throw new HttpError('BAD_REQUEST', `the query has no ${JSON.stringify(other)} for a body of this type`);
}
/** Compares in a time that does not depend on what was sent. */
export function tokenCheck(token: string): (authorization: string | undefined) => boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  const own = hash(`Bearer ${token}`);
  return (authorization = '') => timingSafeEqual(hash(authorization), own);
}
/** The text of an answer; others run between the pieces of a long one. */
async function answerOf(question: Question, columns: Parameters<typeof answerText>[0]): Promise<string> {
  let text = '';
  for (const piece of answerPieces(question, columns)) {
    if (text !== '') await new Promise((resolve) => setImmediate(resolve));
    text += piece;
  }
  return text;
}
/** The lines, and an error as the last of them: the status has been sent. */
async function* withErrors(first: IteratorResult<string>, lines: AsyncGenerator<string>, request: FastifyRequest) {
  try {
    if (!first.done) yield first.value;
    yield* lines;
  } catch (error) {
    const { status, body } = toProblem(error);
    if (status === 500) request.log.error({ err: error }, 'request failed');
    yield `${JSON.stringify({ error: body })}\n`;
  }
}
