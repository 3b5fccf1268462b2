/** Counts of rows, observations and gaps, and what gaps mean for a call. */
import type { Block } from './blocks.ts';

/** Rows with gaps have the density of what was observed. Data without gaps need not be searched for them. */
export const gapsOf = ({ gaps }: { readonly gaps: number }): { missing?: 'nan' } =>
  gaps > 0 ? { missing: 'nan' } : {};

/** What data hold, counted block by block. */
export class Counts {
  rows = 0;
  /** Rows of which something was observed. */
  observed = 0;
  /** Values that are missing. */
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
