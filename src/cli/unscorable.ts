/** Rows without a density in a double, which are counted and passed over. */
import { counted } from './errors.ts';

export class Unscorable {
  /** How many there were. */
  count = 0;
  private first = 0;
  add(line: number): void {
    if (this.count++ === 0) this.first = line;
  }
  /** 'N rows are so far ...' with the words of `describe`, and the first line; undefined if there were none. */
  text(describe = farText): string | undefined {
    const { count, first } = this;
    if (count === 0) return undefined;
    return `${counted(count, 'row')} ${describe(count === 1)}, the first in line ${first}`;
  }
  /** A line of an inspection, which leaves such rows out; none if there were none. */
  lines(describe?: (isOne: boolean) => string): string[] {
    const text = this.text(describe);
    return text === undefined ? [] : [`left out: ${text}`];
  }
}
/** The reason of an inspection in which no row was left. */
export const allFar = 'every row is so far from the model that its density is 0 in a double';
export const allOverflow = 'every row is so far from the data of the fit that the outputs overflow';
const farText = (isOne: boolean): string =>
  `${isOne ? 'is' : 'are'} so far from the model that the density is 0 in a double`;
