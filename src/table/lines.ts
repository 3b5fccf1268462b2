/** Lines of a table, as CSV and NDJSON are written. */
import type { Format } from './format.ts';

/** The text before all lines, before each value of a line, and at its end. */
export interface Lines {
  readonly head: string;
  readonly before: readonly string[];
  readonly end: string;
}
export function linesOf(format: Format, names: readonly string[]): Lines {
  if (format === 'csv')
    return { head: `${names.map(cell).join(',')}\n`, before: names.map((_, i) => (i === 0 ? '' : ',')), end: '\n' };
  return { head: '', before: names.map((name, i) => `${i === 0 ? '{' : ','}${JSON.stringify(name)}:`), end: '}\n' };
}
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A function that writes a kept cell: to the letter, but as a string where CSV, which has no types, becomes NDJSON. */
export function keptWriter(from: Format, to: Format): (kept: string | undefined) => string {
  if (from === 'csv')
    return to === 'csv' ? (text = '') => cell(text) : (text) => (text ? JSON.stringify(text) : 'null');
  if (to === 'ndjson') return (json = 'null') => json;
  return (json = '') => cell(json.startsWith('"') ? JSON.parse(json) : json);
}
