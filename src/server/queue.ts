/**
 * The queue of all requests: bounded exactly, joined where they are small, computed in the order in which they came.
 * Small requests that arrive in one turn of the event loop become one kernel call at its end: none waits for a timer.
 * Large ones run one after another beside them (compute.ts).
 */
import { SeqlikError } from '../index.ts';
import { advanceInSlices, computeLarge, type Meter, priceOf, SLICE } from './compute.ts';
import { join, split } from './joining.ts';
import type { Limits } from './limits.ts';
import { HttpError } from './problems.ts';
import type { Columns, Data, OutputName, Scorer } from './scorers.ts';

/** The model that a request is for. */
export interface Target {
  readonly id: string;
  /** Different for each model, and for each version of one. */
  readonly serial: number;
  readonly scorer: Scorer;
  readonly meters: { readonly whole: Meter; readonly gaps: Meter };
}
export interface Work {
  readonly target: Target;
  readonly data: Data;
  readonly outputs: readonly OutputName[];
  /** The state that the rows follow, which becomes the one after them: never joined with others. */
  readonly session?: { state: unknown };
}
export interface Ticket {
  readonly result: Promise<Columns>;
  /** Takes the request out of the queue: nobody waits for it any more. */
  cancel(): void;
}
/** The readers of what a queue does; times are in seconds. */
export interface Observer {
  queued(seconds: number): void;
  computed(target: Target, seconds: number): void;
}
type QueueLimits = Pick<Limits, 'price' | 'queueRequests' | 'queueRows' | 'queuePrice'>;

/** Milliseconds of small requests between two looks at the sockets. */
const BUDGET = 2;
const waitForTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Entry {
  readonly work: Work;
  readonly price: number;
  readonly enqueued: number;
  readonly deadline: number;
  readonly abort: AbortController | undefined;
  readonly resolve: (columns: Columns) => void;
  readonly reject: (error: unknown) => void;
  done: boolean;
}

export class Queue {
  /** Requests that are waiting or being computed, their rows and their price. */
  requests = 0;
  rows = 0;
  price = 0;
  private readonly small = new Map<string, Entry[]>();
  private readonly large: Entry[] = [];
  private scheduled = false;
  private running: Entry | undefined;
  private timer: NodeJS.Timeout | undefined;
  private wakeAt = Number.POSITIVE_INFINITY;
  private readonly idlers: (() => void)[] = [];
  constructor(
    private readonly limits: QueueLimits,
    private readonly observer: Observer,
  ) {}

  /** Admits a request, to be answered within `timeout` milliseconds. Throws HttpError 413, 429, 503. */
  submit(work: Work, timeout: number): Ticket {
    const { target, data } = work;
    const price = priceOf(target.scorer, data);
    this.admit(data.n, price);
    let settle!: Pick<Entry, 'resolve' | 'reject'>;
    const result = new Promise<Columns>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const isLarge = meterOf(work).estimate(price) > SLICE;
    const enqueued = performance.now();
    const abort = isLarge ? new AbortController() : undefined;
    const entry: Entry = { work, price, enqueued, deadline: enqueued + timeout, abort, ...settle, done: false };
    this.requests++;
    this.rows += data.n;
    this.price += price;
    if (isLarge) {
      this.large.push(entry);
      if (!this.running) void this.runLarge();
    } else {
      const key = keyOf(work);
      const group = this.small.get(key);
      if (group) group.push(entry);
      else this.small.set(key, [entry]);
      this.schedule();
    }
    if (entry.deadline < this.wakeAt) this.wake(entry.deadline);
    return { result, cancel: () => this.fail(entry, new SeqlikError('ABORTED', 'the connection was closed')) };
  }
  /** Resolves when nothing is left. */
  idle(): Promise<void> {
    return this.requests === 0 ? Promise.resolve() : new Promise((resolve) => this.idlers.push(resolve));
  }

  private admit(rows: number, price: number): void {
    const { limits } = this;
    if (price > limits.price)
      throw new HttpError('TOO_LARGE', `a request of ${rows} rows costs ${price}, the limit is ${limits.price}`);
    if (rows > limits.queueRows)
      throw new HttpError('TOO_LARGE', `a request of ${rows} rows never fits into the queue of ${limits.queueRows}`);
    if (this.requests + 1 > limits.queueRequests)
      throw new HttpError('UNAVAILABLE', `${limits.queueRequests} requests are waiting, the most there may be`, 1);
    if (this.rows + rows > limits.queueRows)
      throw new HttpError('UNAVAILABLE', `${this.rows} rows are waiting, the most is ${limits.queueRows}`, 1);
    if (this.price + price > limits.queuePrice)
      throw new HttpError('TOO_MANY_REQUESTS', `the requests that are waiting cost ${this.price} already`, 1);
  }

  // ---- small requests ----
  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.runSmall);
  }
  private readonly runSmall = (): void => {
    this.scheduled = false;
    const until = performance.now() + BUDGET;
    for (const [key, group] of this.small) {
      this.small.delete(key);
      const taken = group.splice(0, countWithin(group));
      if (group.length > 0) this.small.set(key, group); // behind the others
      const live = this.take(taken);
      if (live.length > 0) this.runJoined(live);
      if (performance.now() > until) break;
    }
    if (this.small.size > 0) this.schedule();
  };
  /** Drops what nobody waits for any more. */
  private take(entries: readonly Entry[]): Entry[] {
    const now = performance.now();
    return entries.filter((entry) => {
      if (!entry.done && now >= entry.deadline) this.expire(entry);
      if (!entry.done) this.observer.queued((now - entry.enqueued) / 1000);
      return !entry.done;
    });
  }
  private runJoined(entries: readonly Entry[]): void {
    const { work } = entries[0]!;
    const { target, outputs, session } = work;
    const parts = entries.map(({ work }) => work.data);
    const from = performance.now();
    try {
      const data = join(parts);
      let columns: Columns;
      if (session) {
        const next = target.scorer.online!.advance(session.state, data);
        columns = next.columns;
        session.state = next.state;
      } else columns = target.scorer.score(data, outputs);
      const milliseconds = performance.now() - from;
      meterOf(work).record(priceOf(target.scorer, data), milliseconds * 1e6);
      this.observer.computed(target, milliseconds / 1000);
      const own = split(columns, parts);
      for (const [i, entry] of entries.entries()) this.finish(entry, own[i]!);
    } catch (error) {
      // the error is that of one of them: each gets its own
      if (entries.length === 1) this.fail(entries[0]!, error);
      else for (const entry of entries) this.runJoined([entry]);
    }
  }

  // ---- large requests ----
  private async runLarge(): Promise<void> {
    for (;;) {
      this.running = this.large.shift();
      if (!this.running) return;
      const [entry] = this.take([this.running]);
      if (entry) await this.runOne(entry);
    }
  }
  private async runOne(entry: Entry): Promise<void> {
    const { target, data, outputs, session } = entry.work;
    const turn = async (): Promise<void> => {
      await waitForTurn();
      if (performance.now() >= entry.deadline) this.expire(entry);
      if (entry.done) throw new SeqlikError('ABORTED', 'nobody waits for it');
    };
    const tools = { meter: meterOf(entry.work), turn, signal: entry.abort!.signal };
    const from = performance.now();
    try {
      let columns: Columns;
      if (session) {
        const next = await advanceInSlices(target.scorer, session.state, data, tools);
        columns = next.columns;
        session.state = next.state;
      } else columns = await computeLarge(target.scorer, data, outputs, tools);
      this.observer.computed(target, (performance.now() - from) / 1000);
      this.finish(entry, columns);
    } catch (error) {
      this.fail(entry, error);
    }
  }

  // ---- the end of a request ----
  private finish(entry: Entry, columns: Columns): void {
    if (this.leave(entry)) entry.resolve(columns);
  }
  private fail(entry: Entry, error: unknown): void {
    if (!this.leave(entry)) return;
    entry.abort?.abort();
    entry.reject(error);
  }
  private expire(entry: Entry): void {
    const waited = Math.round(entry.deadline - entry.enqueued);
    this.fail(entry, new SeqlikError('TIMEOUT', `the request was not computed within ${waited} ms`));
  }
  private leave(entry: Entry): boolean {
    if (entry.done) return false;
    entry.done = true;
    this.requests--;
    this.rows -= entry.work.data.n;
    this.price -= entry.price;
    if (this.requests === 0) for (const resolve of this.idlers.splice(0)) resolve();
    return true;
  }

  // ---- deadlines ----
  /** One timer, for the first of all deadlines. */
  private wake(at: number): void {
    clearTimeout(this.timer);
    this.wakeAt = at;
    this.timer = setTimeout(this.expireAll, Math.max(1, at - performance.now())).unref();
  }
  private readonly expireAll = (): void => {
    this.wakeAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const entries = [...this.small.values(), this.large, this.running ? [this.running] : []].flat();
    for (const entry of entries) if (!entry.done && now >= entry.deadline) this.expire(entry);
    const first = Math.min(...entries.filter(({ done }) => !done).map(({ deadline }) => deadline));
    if (Number.isFinite(first)) this.wake(first);
  };
}

const meterOf = ({ target, data }: Work): Meter => (data.gaps ? target.meters.gaps : target.meters.whole);
let sessions = 0;
/** Requests of the same key are joined. */
function keyOf({ target, data, outputs, session }: Work): string {
  if (session) return `session ${sessions++}`;
  return `${target.serial} ${data.values instanceof Float32Array ? 32 : 64} ${data.gaps} ${outputs.join()}`;
}
/** As many of the first entries as a slice has time for, one at least. */
function countWithin(entries: readonly Entry[]): number {
  let price = 0;
  let count = 0;
  const meter = meterOf(entries[0]!.work);
  for (const entry of entries) {
    price += entry.price;
    if (count > 0 && meter.estimate(price) > SLICE) break;
    count++;
  }
  return count;
}
