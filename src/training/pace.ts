/** Pacing: a long loop shares its thread with others. */
import { SeqlikError } from '../errors.ts';

/** Waits for one turn of the event loop; a timer, where there is nothing else, takes a millisecond or more. */
const turn = (resolve: () => void): unknown =>
  typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve);

/** Lets others run every few milliseconds, and stops when the caller says so. */
export class Pace {
  private until = performance.now() + 8;
  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly where: string,
  ) {}
  /** The error of a call that was aborted. */
  aborted(reason: unknown): SeqlikError {
    return new SeqlikError('ABORTED', `${this.where} was aborted`, { cause: reason });
  }
  async rest(): Promise<void> {
    if (this.signal?.aborted) throw this.aborted(this.signal.reason);
    if (performance.now() < this.until) return;
    await new Promise<void>(turn);
    this.until = performance.now() + 8;
  }
}
