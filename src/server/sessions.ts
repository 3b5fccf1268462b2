/** Sessions: the states of online models, bounded in number and in age. */
import { randomUUID } from 'node:crypto';
import type { Limits } from './limits.ts';
import { HttpError } from './problems.ts';
import type { Version } from './registry.ts';

export interface Session {
  readonly version: Version;
  readonly id: string;
  readonly started: number;
  used: number;
  /** The state after the rows so far. */
  state: unknown;
  /** Whether rows are being taken: a second request would not know what they follow. */
  busy: boolean;
}
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly timer: NodeJS.Timeout;
  constructor(private readonly limits: Pick<Limits, 'sessions' | 'sessionIdle' | 'sessionAge'>) {
    this.timer = setInterval(() => this.sweep(), Math.min(1000, limits.sessionIdle, limits.sessionAge)).unref();
  }
  get size(): number {
    return this.sessions.size;
  }
  /** Starts a session of a version, which it retains. Throws HttpError 400, 429. */
  start(version: Version, id: string = randomUUID()): Session {
    const { online } = version.scorer;
    if (!online)
      throw new HttpError('BAD_REQUEST', `rows of a ${version.model.kind} are independent: it has no sessions`);
    const key = keyOf(version.id, id);
    const before = this.sessions.get(key);
    if (before?.busy) throw busy();
    if (!before && this.sessions.size >= this.limits.sessions) this.sweep();
    if (!before && this.sessions.size >= this.limits.sessions)
      throw new HttpError('TOO_MANY_REQUESTS', `${this.limits.sessions} sessions are open, the most there may be`, 1);
    if (before) this.end(version.id, id);
    const now = performance.now();
    const session = { version: version.retain(), id, started: now, used: now, state: online.start(), busy: false };
    this.sessions.set(key, session);
    return session;
  }
  /** Runs `use` on a session, which nobody else may use meanwhile. Throws HttpError 404, 409. */
  async use<R>(model: string, id: string, use: (session: Session) => Promise<R>): Promise<R> {
    const session = this.sessions.get(keyOf(model, id));
    if (!session || this.isOver(session))
      throw new HttpError('NOT_FOUND', 'there is no session of this id, or it has ended');
    if (session.busy) throw busy();
    session.busy = true;
    session.version.retain(); // the session may be ended meanwhile
    try {
      return await use(session);
    } finally {
      session.busy = false;
      session.used = performance.now();
      session.version.release();
    }
  }
  /** Ends a session. Throws HttpError 404. */
  end(model: string, id: string): void {
    const key = keyOf(model, id);
    const session = this.sessions.get(key);
    if (!session) throw new HttpError('NOT_FOUND', 'there is no session of this id, or it has ended');
    this.sessions.delete(key);
    session.version.release();
  }
  close(): void {
    clearInterval(this.timer);
    for (const { version } of this.sessions.values()) version.release();
    this.sessions.clear();
  }
  private sweep(): void {
    for (const session of this.sessions.values())
      if (!session.busy && this.isOver(session)) this.end(session.version.id, session.id);
  }
  private isOver({ started, used }: Session): boolean {
    const now = performance.now();
    return now - used > this.limits.sessionIdle || now - started > this.limits.sessionAge;
  }
}
const keyOf = (model: string, id: string): string => `${model}\n${id}`;
const busy = (): HttpError => new HttpError('CONFLICT', 'the session is taking the rows of another request');
