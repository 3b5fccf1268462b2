/** The limits of a server: bytes, rows, time, sessions. */
import type { SeqlikError } from '../index.ts';
import { invalid } from './errors.ts';

/** Whole numbers, all of them >= 1. */
export interface Limits {
  /** Bytes of a body of JSON: 1 MiB. Its parser holds the event loop some 10 ms for each. */
  readonly jsonBytes: number;
  /** Bytes of a binary body, model files included: 64 MiB. */
  readonly bytes: number;
  /** Bytes of one line of NDJSON: 1 MiB. A stream of lines has no limit but time. */
  readonly lineBytes: number;
  /** Price of a request, in multiplications (rows x components x dimension² of a mixture): 2^34, some 10 s of wasm. */
  readonly price: number;
  /** Requests that are waiting or being computed: 1024. */
  readonly queueRequests: number;
  /** Rows of these requests together: 2^22. */
  readonly queueRows: number;
  /** Price of these requests together: 2^35. */
  readonly queuePrice: number;
  /** Milliseconds until a request is answered or given up: 10,000. X-Request-Timeout-Ms may ask for less. */
  readonly timeout: number;
  /** Milliseconds until a body has arrived, unless it is a stream of lines: 7000. */
  readonly upload: number;
  /** Sessions that are open at once: 1024. */
  readonly sessions: number;
  /** Milliseconds until a session that nobody uses ends: 600,000. */
  readonly sessionIdle: number;
  /** Milliseconds until any session ends: 86,400,000. */
  readonly sessionAge: number;
  /** Milliseconds of delay of the event loop from which on requests are refused: 1000. */
  readonly eventLoopDelay: number;
  /** Bytes of resident memory from which on requests are refused: 2^40, which is none. */
  readonly memory: number;
}
export const standardLimits: Limits = {
  jsonBytes: 2 ** 20,
  bytes: 2 ** 26,
  lineBytes: 2 ** 20,
  price: 2 ** 34,
  queueRequests: 1024,
  queueRows: 2 ** 22,
  queuePrice: 2 ** 35,
  timeout: 10_000,
  upload: 7000,
  sessions: 1024,
  sessionIdle: 600_000,
  sessionAge: 86_400_000,
  eventLoopDelay: 1000,
  memory: 2 ** 40,
};

/** The standard limits with those given. Throws INVALID_ARGUMENT. */
export function readLimits(given: Partial<Limits> = {}): Limits {
  for (const [name, value] of Object.entries(given)) {
    const refuse = (reason: string): SeqlikError => invalid(`limits.${name} ${reason}`, `limits.${name}`);
    if (!Object.hasOwn(standardLimits, name))
      throw refuse(`is no limit; there are ${Object.keys(standardLimits).join(', ')}`);
    if (!Number.isSafeInteger(value) || value < 1) throw refuse(`must be a whole number >= 1, not ${value}`);
  }
  return { ...standardLimits, ...given };
}
