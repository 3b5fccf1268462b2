/** Lines of a table, as CSV and NDJSON are written. */
import type { Delimiter, Format } from './format.ts';
import { numberOf } from './numbers.ts';

/** The text before all lines, before each value of a line, and at its end. */
export interface Lines {
  readonly head: string;
  readonly before: readonly string[];
  readonly end: string;
}
export function linesOf(format: Format, names: readonly string[], delimiter: Delimiter = ','): Lines {
  if (format === 'csv') {
    const head = `${names.map(cellWriter(delimiter)).join(delimiter)}\n`;
    return { head, before: names.map((_, i) => (i === 0 ? '' : delimiter)), end: '\n' };
  }
  return { head: '', before: names.map((name, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`), end: '}\n' };
}
/** A function that writes a cell, in quotes if it needs them. */
const cellWriter = (delimiter: Delimiter): ((text: string) => string) => {
  const special = new RegExp(`["\\r\\n${delimiter}]`);
  return (text) => (special.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
};

/**
 * A function that writes a kept cell: to the letter, but as a string where CSV, which has no types, becomes NDJSON; and
 * a number with a decimal comma gets its point.
 */
export function keptWriter(
  from: Format,
  to: Format,
  delimiter: Delimiter = ',',
  decimal?: ',',
): (kept?: string) => string {
  const cell = cellWriter(delimiter);
  const pointed = (text: string): string =>
    decimal && text.includes(',') && numberOf(text, decimal) !== undefined ? text.replace(',', '.') : text;
  if (from === 'csv')
    return to === 'csv'
      ? (text = '') => cell(pointed(text))
      : (text) => (text ? JSON.stringify(pointed(text)) : 'null');
  if (to === 'ndjson') return (json = 'null') => json;
  return (json = '') => cell(json.startsWith('"') ? JSON.parse(json) : json);
}
