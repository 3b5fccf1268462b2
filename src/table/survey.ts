/** A survey of the rows from the first cell on that is no number: which columns hold text, and what would help. */
import { type Column, type Fault, headerCell, listed, quote } from './errors.ts';

const ROWS = 100;
/** Words that other programs write for a gap. */
const gapWords = /^(?:na|n\/a|#n\/a|nan|null|none|nil|missing|-+|\?)$/i;
const decimalComma = /^[+-]?\d+,\d+$/;

/** The fault of one cell that is no number, by what it looks like. `gap`: how the format writes one. */
export function notNumber(text: string, gap: string): Fault {
  const reason = `${quote(text)} is not a number`;
  if (gapWords.test(text.trim())) return { reason: `${reason} (a gap?)`, remedy: { na: text.trim() } };
  if (decimalComma.test(text.trim())) return { reason: `${reason} (a decimal comma?)`, remedy: { decimal: ',' } };
  return { reason: `${reason} (${gap})` };
}

export class Survey {
  private rows = 0;
  private readonly counts: { texts: number; numbers: number }[];
  private readonly gaps = new Set<string>();
  private commas = false;
  /** `names`: the columns; `before`: the rows that held numbers in all of them; `cell`, at `column`: the first that
   * does not. */
  constructor(
    private readonly names: readonly string[],
    before: number,
    private readonly cell: string,
    private readonly own: Fault,
    /** The place of the cell. */
    readonly line: number,
    readonly column: Column,
  ) {
    this.counts = names.map(() => ({ texts: 0, numbers: before }));
  }
  /** Takes the cells of a row: numbers (NaN: a gap), and texts that are no numbers. Returns whether it has seen enough. */
  add(cells: readonly (number | string)[]): boolean {
    for (const [j, cell] of cells.entries())
      if (typeof cell === 'number') this.counts[j]!.numbers += Number(!Number.isNaN(cell));
      else if (gapWords.test(cell.trim())) this.gaps.add(cell.trim());
      else if (decimalComma.test(cell.trim())) this.commas = true;
      else this.counts[j]!.texts++;
    return ++this.rows === ROWS;
  }
  /** The fault of the first cell, with the columns that hold numbers if its column, or another one, holds text. */
  fault(): Fault {
    const isText = this.counts.map(({ texts, numbers }) => texts > numbers);
    const texts = this.names.filter((_, j) => isText[j]);
    if (texts.length === 0) return this.own;
    const numbers = this.names.filter((_, j) => !isText[j]);
    const verb = texts.length === 1 ? 'holds' : 'hold';
    const reason = `${quote(this.cell)} is not a number: ${listed(texts)} ${verb} text`;
    if (numbers.length === 0) return { reason: `${reason}, and no column holds numbers` };
    const remedy = {
      columns: numbers.map(headerCell).join(),
      ...(this.gaps.size > 0 && { na: [...this.gaps].join() }),
      ...(this.commas && { decimal: ',' }),
    };
    return { reason, remedy };
  }
}
