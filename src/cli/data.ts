/** Errors of the library about data, in terms of the file they came from. */
import { SeqlikError } from '../index.ts';
import { type Block, badData } from './blocks.ts';

/** Rows with gaps have the density of what was observed. Data without gaps need not be searched for them. */
export const gapsOf = ({ gaps }: { readonly gaps: number }): { missing?: 'nan' } =>
  gaps > 0 ? { missing: 'nan' } : {};

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

/** What data hold, counted block by block. */
export class Counts {
  rows = 0;
  /** Rows of which something was observed. */
  observed = 0;
  /** Values that are missing. */
  gaps = 0;
  add({ n, x, gaps }: Block, width: number): void {
    this.rows += n;
    this.gaps += gaps;
    this.observed += n;
    if (gaps >= width) for (let i = 0; i < n; i++) if (isEmpty(x, i * width, width)) this.observed--;
  }
}
function isEmpty(x: Float64Array, from: number, width: number): boolean {
  for (let at = from; at < from + width; at++) if (!Number.isNaN(x[at])) return false;
  return true;
}
