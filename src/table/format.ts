/** The formats of a table. */
export const formats = ['csv', 'ndjson'] as const;
export type Format = (typeof formats)[number];
