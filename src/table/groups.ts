/** The sequences that rows make: neighbours with the same value in the sequence column; without one, all rows. */
import { clip } from './errors.ts';

const MOST = 2 ** 24 - 1; // values that a Set of V8 holds

export class Groups {
  private readonly ended = new Set<string>();
  private current: string | undefined;
  private begun = false;
  constructor(private readonly grouped: boolean) {}

  /** Takes a row. Returns whether it begins a sequence, or the reason to refuse it. */
  next(value: string | undefined): boolean | string {
    const first = !this.begun;
    this.begun = true;
    if (!this.grouped || (!first && value === this.current)) return first;
    if (value === undefined || value === '') return 'it does not say which sequence the row is of';
    if (this.ended.has(value))
      return `the sequence ${clip(value)} has ended before: the rows of a sequence stand one after the other`;
    if (this.ended.size === MOST) return `there are more than ${MOST} sequences`;
    if (!first) this.ended.add(this.current!);
    this.current = Buffer.from(value).toString(); // a copy: a slice would keep the longer text in memory
    return true;
  }
}
