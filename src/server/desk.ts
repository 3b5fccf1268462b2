/** The things that all routes share: models, queue, sessions, metrics, limits; and how a request is put to a model. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Question } from './json.ts';
import type { Limits } from './limits.ts';
import type { ServerMetrics } from './metrics.ts';
import { HttpError } from './problems.ts';
import type { Queue, Work } from './queue.ts';
import type { Registry, Version } from './registry.ts';
import type { Columns, OutputName } from './scorers.ts';
import type { Session, Sessions } from './sessions.ts';

export interface Desk {
  readonly registry: Registry;
  readonly queue: Queue;
  readonly sessions: Sessions;
  readonly metrics: ServerMetrics;
  readonly limits: Limits;
  /** Whether the server takes no new clients. */
  readonly isDraining: () => boolean;
}
/** The model of a request, for the metrics. */
const MODEL = Symbol('model');
interface Marked {
  [MODEL]?: string;
}
export const modelOf = (request: FastifyRequest): string => (request as Marked)[MODEL] ?? '';

/** Runs `use` on a model of now, which lives until that has ended. Throws HttpError 404, 503. */
export async function withModel<R>(
  { registry }: Desk,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
  use: (version: Version) => Promise<R>,
): Promise<R> {
  const version = registry.acquire(id);
  sign(version, request, reply);
  try {
    return await use(version);
  } finally {
    version.release();
  }
}
/** Says which version of which model answers. */
export function sign({ id, sha256 }: Version, request: FastifyRequest, reply: FastifyReply): void {
  (request as Marked)[MODEL] = id;
  reply.header('x-model-sha256', sha256);
}

/** Milliseconds a request may take. Throws HttpError 400. */
export function timeoutOf(request: FastifyRequest, { timeout }: Limits): number {
  const asked = request.headers['x-request-timeout-ms'];
  if (asked === undefined) return timeout;
  if (typeof asked !== 'string' || !/^[1-9]\d{0,8}$/.test(asked))
    throw new HttpError('BAD_REQUEST', 'X-Request-Timeout-Ms must be a whole number of milliseconds, 1 or more');
  return Math.min(timeout, Number(asked));
}
/** The outputs of data under a model. Throws SeqlikError, HttpError 413, 429, 503. */
export async function ask(
  { queue, metrics }: Desk,
  target: Version,
  { data, outputs }: Pick<Question, 'data' | 'outputs'>,
  reply: FastifyReply,
  timeout: number,
  session?: Session,
): Promise<Columns> {
  const work: Work = { target, data, outputs, ...(session && { session }) };
  const { result, cancel } = queue.submit(work, timeout);
  const { raw } = reply;
  raw.once('close', cancel);
  try {
    const columns = await result;
    return Object.fromEntries(outputs.map((name) => [name, columns[name]])); // a scorer may return more
  } finally {
    raw.removeListener('close', cancel);
    metrics.scored(target, data.n);
  }
}
/** The outputs of the next rows of a session. Throws as `ask`. */
export function askSession(
  desk: Desk,
  session: Session,
  data: Question['data'],
  reply: FastifyReply,
  timeout: number,
): Promise<Columns> {
  const outputs = Object.keys(session.version.scorer.online!.outputs) as OutputName[];
  return ask(desk, session.version, { data, outputs }, reply, timeout, session);
}
/** The inputs and outputs of a model. */
export function describeModel({ registry }: Desk, { id, sha256, model, scorer, loaded }: Version): object {
  const refused = registry.failureOf(id);
  return {
    id,
    sha256,
    ...model.toJSON(),
    inputs: scorer.dimension,
    gaps: scorer.knowsGaps,
    sequences: scorer.ofSequences,
    outputs: Object.keys(scorer.outputs),
    loaded: loaded.toISOString(),
    ...(refused !== undefined && { refused }),
  };
}
