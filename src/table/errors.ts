/** Errors of a file: reported by the system, found in a line or a cell, or found by the library in the rows. */
import { callError, counted, type ErrorFields, nearest, rephrase, SeqlikError } from '../errors.ts';

export { counted, nearest, rephrase }; // for the doors

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file would be too large',
  EISDIR: 'it is a folder',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/** The system's error when `path` was to be opened, read or written: `what` is the verb. */
export function ioError(what: string, path: string, cause: unknown): SeqlikError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code ?? message;
  const text = reasons[reason] ? `${reasons[reason]} (${reason})` : reason;
  return new SeqlikError('IO', `cannot ${what} ${path}: ${text}`, { path, reason, cause });
}

type FileCode = 'FORMAT' | 'EMPTY_INPUT' | 'NON_FINITE' | 'NOT_POSITIVE_DEFINITE' | 'OUT_OF_MEMORY';
/** The error of a file. */
export const fileError = (
  code: FileCode,
  file: string,
  sentence: string,
  fields: ErrorFields & ErrorOptions = {},
): SeqlikError => callError(code, file, sentence, { file, ...fields });

/** A fault of the data. */
export interface Fault {
  readonly reason: string;
  /** The field of Wanted that would put it right, if one would. */
  readonly argument?: string;
  /** The fields of Wanted or of the dialect that would, with their values. */
  readonly remedy?: Readonly<Record<string, string>>;
}
/** A column by its name and, if the file has a fixed order, its index. */
export interface Column {
  readonly at?: number;
  readonly name: string;
}
/** The error of a line of the data or of one of its cells. Lines and columns count from 1 in the message. */
export function badData(code: FileCode, file: string, line: number, fault: Fault, column?: Column): SeqlikError {
  const { at, name } = column ?? {};
  const cell = name === undefined ? '' : `, column ${at === undefined ? name : `${at + 1} (${name})`}`;
  const place = at === undefined ? { line } : { line, column: at };
  return fileError(code, file, `line ${line}${cell}: ${fault.reason}`, { ...place, ...fault });
}
/** The fault of a column that is not there, with those that are. */
export function noColumn(name: string, there: readonly string[], { sequence }: { readonly sequence?: string }): Fault {
  const close = nearest(name, there);
  const guess = close === undefined ? '' : `; did you mean ${quote(close)}?`;
  const known = there.length === 0 ? '' : `; there ${there.length === 1 ? 'is' : 'are'} ${listed(there)}`;
  const reason = `there is no column ${quote(name)}${guess || known}`;
  return { reason, ...(name === sequence && !guess && { remedy: { sequence: '' } }) };
}
/** The library's error about a row, placed at a line or column of the file. `lineOf` returns the line of a row. */
export function toDataError(
  error: unknown,
  file: string,
  columns: readonly string[],
  lineOf: (row: number) => number,
): unknown {
  if (!(error instanceof SeqlikError)) return error;
  const { code, row, pivot, component } = error;
  const fail = (reason: string): SeqlikError => rephrase(error, `${file}: ${reason}`, { file, reason });
  if (code === 'NON_FINITE' && row !== undefined) {
    const { argument, sentence = error.message } = error;
    const isDistance = sentence.startsWith('the squared distance');
    const far = 'the values are so far from the model that the squared distance overflows';
    const other = sentence.replace(/ (?:of|in) row \d+| at row \d+/, '').replace(` of ${argument}`, '');
    return badData(code, file, lineOf(row), { reason: isDistance ? far : other });
  }
  if (code === 'NOT_POSITIVE_DEFINITE' && pivot !== undefined && component === undefined) {
    const column = `column ${pivot + 1} (${columns[pivot]})`;
    const own = `column ${pivot} of x `;
    const { sentence = '' } = error;
    const fault = sentence.startsWith(own)
      ? sentence.slice(own.length)
      : `is constant, or the columns before it determine it (${error.which}, pivot ${pivot})`;
    const reason = `${column} ${fault}`;
    const rest = columns.filter((_, j) => j !== pivot).map(headerCell);
    const remedy = rest.length > 0 && !fault.endsWith('scale it') && { remedy: { columns: rest.join() } };
    return rephrase(error, `${file}: ${reason}`, { file, reason, ...remedy });
  }
  if (code === 'EMPTY_INPUT') return fail('no row holds an observation');
  if ((code === 'INVALID_ARGUMENT' || code === 'FORMAT') && row !== undefined)
    // a target
    return badData('FORMAT', file, lineOf(row), { reason: error.reason ?? error.message });
  if (code !== 'NOT_POSITIVE_DEFINITE') return error;
  const reason = error.sentence ?? error.message;
  return row === undefined ? fail(reason) : badData(code, file, lineOf(row), { reason });
}

/** Text of a file as a message shows it: not too long. */
export const clip = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text);
export const quote = (text: string): string => JSON.stringify(clip(text));
/** A name as in a header line of CSV. */
export const headerCell = (name: string): string => (/[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
/** Names as a message lists them, the first twelve of them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).map(clip);
  if (names.length > shown.length) shown.push(`${names.length - shown.length} more`);
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
