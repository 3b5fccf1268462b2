/** How a long loop shares its thread. */
import { SeqlikError } from '../errors.ts';

/** Lets others run every few milliseconds, and stops when the caller says so. */
export class Pace {
  private until = performance.now() + 8;
  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly where: string,
  ) {}
  async rest(): Promise<void> {
    if (this.signal?.aborted)
      throw new SeqlikError('ABORTED', `${this.where} was aborted`, { cause: this.signal.reason });
    if (performance.now() < this.until) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.until = performance.now() + 8;
  }
}
