/** Errors about requests and options, whose senders made no call of the library: messages are sentences of their own. */
import { type Code, SeqlikError } from '../index.ts';

/** The place of an error among the rows of a request, and what was expected. */
interface Place {
  readonly row?: number;
  readonly column?: number;
  readonly value?: number;
  readonly expected?: string;
  readonly received?: string;
}
export const requestError = (code: Code, message: string, argument: string, place: Place = {}): SeqlikError =>
  new SeqlikError(code, message, { argument, ...place });
/** A value that is not what it must be. */
export const invalid = (message: string, argument: string, place: Place = {}): SeqlikError =>
  requestError('INVALID_ARGUMENT', message, argument, place);
/** A length that does not fit. */
export const mismatch = (message: string, argument: string, place: Place = {}): SeqlikError =>
  requestError('DIMENSION_MISMATCH', message, argument, place);
export const nonFinite = (place: string, value: number, row: number, column: number): SeqlikError =>
  requestError('NON_FINITE', `${place} is ${value}, beyond the finite numbers`, 'rows', { row, column, value });

/** A value of a request as a message shows it. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : `${value}`;
}
