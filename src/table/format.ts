/** The formats of a table, and how its cells are written. */
export const formats = ['csv', 'ndjson'] as const;
export type Format = (typeof formats)[number];

/** The characters that may stand between the cells of CSV. */
export const delimiters = [',', ';', '\t'] as const;
export type Delimiter = (typeof delimiters)[number];

/** How a table is written, where that differs from CSV with commas and decimal points. */
export interface Dialect {
  readonly format: Format;
  /** Default: the one that the header line has, or a comma if it has several of them or none. */
  readonly delimiter?: Delimiter;
  /** The decimal mark, if it is no point. */
  readonly decimal?: ',';
  /** Cells, and strings of NDJSON, that are gaps, as an empty cell is. One that is a number stands for its value. */
  readonly na?: readonly string[];
}
