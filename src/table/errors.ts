/** Errors about a file and its lines: what the system said, what a line or a cell holds, what the library said of rows. */
import { type Code, SeqlikError } from '../errors.ts';

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

/** What the system said when `path` was to be opened, read or written. */
export function ioError(what: string, path: string, cause: unknown): SeqlikError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = code ?? message;
  const text = reasons[reason] ? `${reasons[reason]} (${reason})` : reason;
  return new SeqlikError('IO', `cannot ${what} ${path}: ${text}`, { path, reason, cause });
}

/** What is wrong with a line of the data or with one of its cells. Lines and columns count from 1 in the message. */
export function badData(
  code: Code,
  file: string,
  line: number,
  what: string,
  column?: { readonly at?: number; readonly name: string },
): SeqlikError {
  const { at, name } = column ?? {};
  const cell = name === undefined ? '' : `, column ${at === undefined ? name : `${at + 1} (${name})`}`;
  return new SeqlikError(code, `${file}: line ${line}${cell}: ${what}`, {
    file,
    line,
    reason: what,
    ...(at !== undefined && { column: at }),
  });
}
export const notNumber = (what: string): string => `${what} is not a number (a cell not observed is left empty)`;

/** `lineOf` tells where a row stood. */
export function inData(
  error: unknown,
  file: string,
  columns: readonly string[],
  lineOf: (row: number) => number,
): unknown {
  if (!(error instanceof SeqlikError)) return error;
  const { code, row, pivot, component } = error;
  const fail = (what: string): SeqlikError =>
    new SeqlikError(code, `${file}: ${what}`, { ...error, file, reason: what, cause: error });
  if (code === 'NON_FINITE' && row !== undefined)
    return badData(code, file, lineOf(row), 'the values are so far from the model that the squared distance overflows');
  if (code === 'NOT_POSITIVE_DEFINITE' && pivot !== undefined && component === undefined)
    return fail(
      `column ${pivot + 1} (${columns[pivot]}) is constant, or the columns before it determine it (${error.which}, pivot ${pivot})`,
    );
  if (code === 'EMPTY_INPUT') return fail('no row holds an observation');
  if (code !== 'NOT_POSITIVE_DEFINITE') return error;
  const said = error.message.replace(/^\S+: /, '');
  return row === undefined ? fail(said) : badData(code, file, lineOf(row), said);
}

/** Text of a file in a message: not too long. */
export const clipped = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text);
export const quoted = (text: string): string => JSON.stringify(clipped(text));
