/** Numbers as they are written in cells: decimal only. */

/** A decimal number. No two parts of the expression match the same text, so that it takes linear time on any input. */
export const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** How the numbers of a table are written. */
export class Notation {
  /** The gaps that are written as numbers, such as -999. */
  private readonly gaps: readonly number[];
  private readonly words: ReadonlySet<string>;
  /** `mark`: the decimal mark. `na`: cells that are gaps. */
  constructor(
    readonly mark: '.' | ',' = '.',
    na: readonly string[] = [],
  ) {
    this.words = new Set(na);
    this.gaps = na.map((word) => numberOf(word, mark)).filter((value) => value !== undefined);
  }
  /** The number in a cell; NaN if it is a gap, undefined if it holds something else. */
  numberOf(cell: string): number | undefined {
    if (this.words.size > 0 && this.words.has(cell.trim())) return Number.NaN;
    const value = numberOf(cell, this.mark);
    return value === undefined ? undefined : this.observed(value);
  }
  /** The value, or NaN if it stands for a gap. */
  observed(value: number): number {
    return this.gaps.length > 0 && this.gaps.includes(value) ? Number.NaN : value;
  }
}

/** The number in a cell, ignoring spaces and tabs around it; NaN if the cell is empty, undefined if it holds something
 * else. */
export function numberOf(cell: string, mark: '.' | ',' = '.'): number | undefined {
  if (mark === '.' && decimal.test(cell)) return Number(cell);
  let from = 0; // by hand, since / +$/ takes quadratic time
  let to = cell.length;
  while (from < to && isBlank(cell, from)) from++;
  while (from < to && isBlank(cell, to - 1)) to--;
  if (from === to) return Number.NaN;
  const inner = cell.slice(from, to);
  if (mark === '.') return decimal.test(inner) ? Number(inner) : undefined;
  const pointed = inner.replace(',', '.');
  return !inner.includes('.') && decimal.test(pointed) ? Number(pointed) : undefined;
}
const isBlank = (text: string, at: number): boolean => text[at] === ' ' || text[at] === '\t';

/** The powers of ten that a double holds exactly. */
export const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
