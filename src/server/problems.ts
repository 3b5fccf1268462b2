/** Errors as answers: the library's errors and those of HTTP, by status and as problem+json (RFC 9457). */
import { type Code, SeqlikError } from '../index.ts';

/** The faults of a request that no model has seen. */
export type HttpCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_MANY_REQUESTS'
  | 'UNAVAILABLE';
const statuses: Readonly<Record<HttpCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  UNAVAILABLE: 503,
};
/** The HTTP column of docs/errors.md. */
export const statusByCode: Readonly<Record<Code, number>> = {
  INVALID_ARGUMENT: 400,
  DIMENSION_MISMATCH: 400,
  NON_FINITE: 422,
  EMPTY_INPUT: 422,
  NOT_SYMMETRIC: 422,
  NOT_POSITIVE_DEFINITE: 422,
  FORMAT: 422,
  DIVERGED: 422,
  ABORTED: 499,
  BACKEND: 500,
  DISPOSED: 500,
  IO: 500,
  MISSING_PACKAGE: 500,
  OUT_OF_MEMORY: 503,
  TIMEOUT: 503,
};
const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** An error of HTTP. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly statusCode: number;
  constructor(
    readonly code: HttpCode,
    message: string,
    /** Seconds after which to try again. */
    readonly retryAfter?: number,
  ) {
    super(message);
    this.statusCode = statuses[code];
  }
}

export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** A sentence for people. */
  readonly detail: string;
  readonly body: Readonly<Record<string, unknown>>;
}
/** An error as an answer. What nobody expected is 500 and says nothing of the machine. */
export function toProblem(error: unknown): Problem {
  if (error instanceof SeqlikError) {
    const { name, code, message, sentence, cause, path, file, ...fields } = error.toJSON();
    const detail = (sentence ?? message) as string;
    return problemOf(statusByCode[error.code] ?? 500, error.code, detail, fields);
  }
  if (error instanceof HttpError) return problemOf(error.statusCode, error.code, error.message, {}, error.retryAfter);
  const { statusCode, code, message } = error as { statusCode?: number; code?: string; message?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500 && code?.startsWith('FST_'))
    return problemOf(statusCode, codeOf(statusCode), message ?? '');
  if (statusCode === 503) return problemOf(503, 'UNAVAILABLE', message ?? '', {}, 1);
  return problemOf(500, 'INTERNAL', 'an error of the server, which its log describes');
}
const codeOf = (status: number): string =>
  Object.entries(statuses).find(([, other]) => other === status)?.[0] ?? 'BAD_REQUEST';
function problemOf(
  status: number,
  code: string,
  detail: string,
  fields: Readonly<Record<string, unknown>> = {},
  retryAfter = status === 503 || status === 429 ? 1 : undefined,
): Problem {
  return {
    status,
    headers: retryAfter === undefined ? {} : { 'retry-after': `${retryAfter}` },
    detail,
    body: { type: 'about:blank', title: titles[status] ?? 'Error', status, code, detail, ...fields },
  };
}
