/** The Open Inference Protocol, version 2, over REST: what clients of Triton and KServe speak. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ask, askSession, type Desk, sign, timeoutOf, withModel } from './desk.ts';
import { invalid } from './errors.ts';
import { dataOf, withLengths } from './octets.ts';
import { HttpError, toProblem } from './problems.ts';
import type { Version } from './registry.ts';
import { InferBody, ModelParams } from './schemas.ts';
import type { Columns, Data, OutputName, Scorer } from './scorers.ts';
import { type InferRequest, readInfer, splitBody, tensorNames, tensorsOf, writeTensor } from './tensors.ts';

const { version: release } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const HEADER = 'inference-header-content-length';
interface Named {
  readonly id: string;
}

/** Answers an error as the protocol does. */
function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, detail } = toProblem(error);
  if (status === 500) request.log.error({ err: error }, 'request failed');
  reply
    .code(status)
    .headers(headers)
    .type('application/json')
    .send(JSON.stringify({ error: detail }));
}

export function addV2(scope: FastifyInstance, desk: Desk): void {
  const { limits, registry, isDraining } = desk;
  scope.setErrorHandler(sendError);
  scope.removeAllContentTypeParsers();
  // whatever a client says its body is: some say nothing
  scope.addContentTypeParser(
    '*',
    { parseAs: 'buffer', bodyLimit: limits.bytes },
    (_: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void) => done(null, bytes),
  );

  scope.get('/v2', async () => ({
    name: 'seqlik',
    version: release,
    extensions: ['binary_tensor_data', 'sequence'],
  }));
  scope.get('/v2/health/live', async () => ({ live: true }));
  scope.get('/v2/health/ready', async (_, reply) => {
    const ready = !isDraining() && registry.ids.length > 0;
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  scope.get<{ Params: Named }>('/v2/models/:id', { schema: { params: ModelParams } }, (request, reply) =>
    withModel(desk, request.params.id, request, reply, async ({ id, sha256, scorer }) => ({
      name: id,
      versions: [sha256],
      platform: 'seqlik',
      ...tensorsOf(scorer),
    })),
  );
  scope.get<{ Params: Named }>('/v2/models/:id/ready', { schema: { params: ModelParams } }, (request, reply) =>
    withModel(desk, request.params.id, request, reply, async ({ id }) => ({ name: id, ready: true })),
  );
  scope.post<{ Params: Named }>(
    '/v2/models/:id/infer',
    {
      schema: {
        summary: 'Scores tensors',
        params: ModelParams,
        body: { content: { 'application/json': { schema: InferBody } } },
      },
    },
    (request, reply) => {
      const { id } = request.params;
      if (!Buffer.isBuffer(request.body)) throw new HttpError('BAD_REQUEST', 'the request has no body');
      const header = request.headers[HEADER];
      const { json, rest } = splitBody(request.body, header);
      if (request.body.length - rest.length > limits.jsonBytes)
        throw new HttpError(
          'TOO_LARGE',
          `JSON may have ${limits.jsonBytes} bytes at most: send tensors as binary data`,
        );
      const infer = readInfer(json, rest);
      return infer.parameters['sequence_id'] === undefined
        ? withModel(desk, id, request, reply, (version) => inferRows(version, infer, request, reply))
        : inferSequence(id, infer, request, reply);
    },
  );

  async function inferRows(version: Version, infer: InferRequest, request: FastifyRequest, reply: FastifyReply) {
    const { scorer } = version;
    const data = readData(infer, scorer, scorer.ofSequences);
    const outputs = readNames(infer, Object.keys(scorer.outputs) as OutputName[], scorer.standard);
    const columns = await ask(desk, version, { data, outputs }, reply, timeoutOf(request, limits));
    return send(version, infer, columns, reply);
  }
  /** Rows of a session: sequence_start begins it, sequence_end ends it. */
  async function inferSequence(id: string, infer: InferRequest, request: FastifyRequest, reply: FastifyReply) {
    const { sequence_id: given, sequence_start: start, sequence_end: end } = infer.parameters;
    for (const [name, flag] of Object.entries({ sequence_start: start, sequence_end: end }))
      if (flag !== undefined && typeof flag !== 'boolean') throw invalid(`${name} must be true or false`, name);
    const isNumber = Number.isSafeInteger(given) && (given as number) > 0;
    if (!isNumber && (typeof given !== 'string' || given.length < 1 || given.length > 128))
      throw invalid('sequence_id must be a whole number > 0, or a text of 1 to 128 characters', 'sequence_id');
    const session = `sequence ${typeof given} ${given}`; // never the id of a session of /v1
    if (start) await withModel(desk, id, request, reply, async (version) => desk.sessions.start(version, session));
    else registry.get(id);
    const answer = await desk.sessions
      .use(id, session, async (own) => {
        sign(own.version, request, reply);
        const { scorer } = own.version;
        const known = Object.keys(scorer.online!.outputs) as OutputName[];
        const names = readNames(infer, known, known);
        const columns = await askSession(desk, own, readData(infer, scorer, false), reply, timeoutOf(request, limits));
        return { version: own.version, columns: Object.fromEntries(names.map((name) => [name, columns[name]])) };
      })
      .catch((error) => {
        if (error instanceof HttpError && error.code === 'NOT_FOUND')
          throw new HttpError('BAD_REQUEST', 'the sequence has not begun, or it has ended: sequence_start begins it');
        throw error;
      });
    if (end) desk.sessions.end(id, session);
    return send(answer.version, infer, answer.columns, reply);
  }
}

/** Input x [-1,d], and lengths of the sequences. Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE. */
function readData({ inputs, parameters }: InferRequest, scorer: Scorer, takesLengths: boolean): Data {
  const x = inputs.get('x');
  if (!x) throw invalid('there is no input x', 'x');
  const known = takesLengths ? ['x', 'lengths'] : ['x'];
  for (const name of inputs.keys())
    if (!known.includes(name)) throw invalid(`there is no input ${JSON.stringify(name.slice(0, 40))}`, 'inputs');
  if (x.values instanceof Int32Array) throw invalid('input x must be FP64 or FP32', 'x');
  const { missing } = parameters;
  if (missing !== undefined && missing !== 'nan') throw invalid("missing must be 'nan'", 'missing');
  const [rows, width, ...others] = x.shape;
  if (width !== scorer.dimension || others.length > 0)
    throw invalid(`input x has the shape ${x.shape}, not -1,${scorer.dimension}`, 'x');
  const data = dataOf(x.values, scorer, missing !== undefined);
  if (!takesLengths) return scorer.ofSequences ? withLengths(data) : data;
  const lengths = inputs.get('lengths');
  if (lengths && (!(lengths.values instanceof Int32Array) || lengths.shape.length !== 1))
    throw invalid('input lengths must be INT32 [-1]', 'lengths');
  return withLengths(data, lengths?.values ?? [rows!]);
}
/** The outputs asked for, in the order of the scorer. Throws INVALID_ARGUMENT. */
function readNames(
  { outputs }: InferRequest,
  known: readonly OutputName[],
  standard: readonly OutputName[],
): readonly OutputName[] {
  if (outputs === undefined || outputs.length === 0) return standard;
  const asked = outputs.map(({ name }) => {
    const own = known.find((output) => tensorNames[output] === name);
    if (!own) {
      const there = known.map((output) => tensorNames[output]).join(', ');
      throw invalid(`there is no output ${JSON.stringify(name.slice(0, 40))}; there are ${there}`, 'outputs');
    }
    return own;
  });
  return known.filter((name) => asked.includes(name));
}
/** Outputs in the order asked for, as JSON or, where that was asked for, as bytes behind it. */
function send(version: Version, infer: InferRequest, columns: Columns, reply: FastifyReply): FastifyReply {
  const { outputs, parameters, id } = infer;
  const all = parameters['binary_data_output'] === true;
  const asked = new Map(outputs?.map(({ name, parameters }) => [name, parameters['binary_data']]));
  const names = Object.keys(columns) as OutputName[];
  const order = [...asked.keys()];
  names.sort((a, b) => order.indexOf(tensorNames[a]) - order.indexOf(tensorNames[b]));
  const tensors = names.map((name) =>
    writeTensor(
      name,
      columns[name]!,
      asked.get(tensorNames[name]) === true || (all && asked.get(tensorNames[name]) !== false),
    ),
  );
  const own = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const list = tensors.map(({ text }) => text).join(',');
  const text = `{"model_name":"${version.id}","model_version":"${version.sha256}",${own}"outputs":[${list}]}`;
  const binary = tensors.flatMap(({ bytes }) => bytes ?? []);
  if (binary.length === 0) return reply.header('content-type', 'application/json').send(text);
  const json = Buffer.from(text);
  return reply
    .header('content-type', 'application/octet-stream')
    .header(HEADER, json.length)
    .send(Buffer.concat([json, ...binary]));
}
