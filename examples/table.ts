import { alignColumns } from '../src/cli/align.ts';

/** Lines of equal columns, the first `left` of them flush left, the others flush right; without trailing blanks. */
export const table = (rows: readonly (readonly string[])[], left: number): string =>
  alignColumns(rows, left)
    .map((line) => `${line}\n`)
    .join('');
