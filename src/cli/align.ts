/** Columns of text for people to read. */

/** Lines of equal columns, the first `left` of them flush left, the others flush right; without trailing blanks. */
export function alignColumns(rows: readonly (readonly string[])[], left = 0): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    column < left ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return rows.map((row) => row.map(pad).join('  ').trimEnd());
}
/** A number with six digits. */
export const formatNumber = (value: number): string => String(Number(value.toPrecision(6)));
