import { clipped } from './errors.ts';

/** Which rows make a sequence: neighbours with the same value in the column of --sequence; without it, all rows. */

const MOST = 2 ** 24 - 1; // values that a Set of V8 holds

export class Groups {
  private readonly ended = new Set<string>();
  private current: string | undefined;
  private begun = false;
  constructor(private readonly grouped: boolean) {}

  /** Takes in a row: whether it begins a sequence; a text says what is wrong with it. */
  next(value: string | undefined): boolean | string {
    const first = !this.begun;
    this.begun = true;
    if (!this.grouped || (!first && value === this.current)) return first;
    if (value === undefined || value === '') return 'it does not say which sequence the row is of';
    if (this.ended.has(value))
      return `the sequence ${clipped(value)} has ended before: the rows of a sequence stand one after the other`;
    if (this.ended.size === MOST) return `there are more than ${MOST} sequences`;
    if (!first) this.ended.add(this.current!);
    this.current = Buffer.from(value).toString(); // no part of a longer text, which would stay in memory with it
    return true;
  }
}
