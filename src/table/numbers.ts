/** How a number is written in a cell: decimal, nothing else. */

/** A decimal number. No two parts of it match the same text, so that it is fast on any input. */
export const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number in a cell, spaces and tabs around it aside; NaN: the cell is empty; undefined: it holds something else. */
export function numberOf(cell: string): number | undefined {
  if (decimal.test(cell)) return Number(cell);
  let from = 0; // by hand: / +$/ takes quadratic time
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
