/** Counts of rows, observations and gaps; and the option that gaps ask for. */
import type { Block } from './blocks.ts';

/** The option of a call on data with gaps. Data without gaps need not be searched for them. */
export const gapsOf = ({ gaps }: { readonly gaps: number }): { missing?: 'nan' } =>
  gaps > 0 ? { missing: 'nan' } : {};

/** Rows, observed rows and gaps of a table, counted block by block. */
export class Counts {
  rows = 0;
  /** Rows with at least one observed value. */
  observed = 0;
  /** Missing values. */
  gaps = 0;
  add({ n, x, gaps }: Block, width: number): void {
    this.rows += n;
    this.gaps += gaps;
    this.observed += n;
    if (gaps >= width) for (let i = 0; i < n; i++) if (isEmpty(x, i * width, width)) this.observed--;
  }
}
function isEmpty(x: Float64Array, from: number, width: number): boolean {
  for (let at = from; at < from + width; at++) if (!Number.isNaN(x[at])) return false;
  return true;
}
