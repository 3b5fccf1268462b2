/** Numbers as they are written in cells: decimal only. */

/** A decimal number. No two parts of the expression match the same text, so that it takes linear time on any input. */
export const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number in a cell, ignoring spaces and tabs around it; NaN if the cell is empty, undefined if it holds something
 * else. */
export function numberOf(cell: string): number | undefined {
  if (decimal.test(cell)) return Number(cell);
  let from = 0; // by hand, since / +$/ takes quadratic time
  let to = cell.length;
  while (from < to && isBlank(cell, from)) from++;
  while (from < to && isBlank(cell, to - 1)) to--;
  if (from === to) return Number.NaN;
  const inner = cell.slice(from, to);
  return decimal.test(inner) ? Number(inner) : undefined;
}
const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t';

/** The powers of ten that a double holds exactly. */
export const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
