/** Residents: copies kept where the kernels live. Machines name them by handles; this file tracks who uses them. */
import { argumentError, SeqlikError } from '../errors.ts';
import type { Resident, Values } from '../grammar.ts';
import { lengthOf, tagOf } from '../memory.ts';

/** A machine, as the home of residents. */
export interface Owner {
  /** Returns a handle: a slot and its generation, so that an old handle never names another's memory. */
  hold(values: Values): number;
  write(handle: number, values: Values): void;
  release(handle: number): void;
}

/** The safety net, where the engine has one: frees what was dropped without `dispose` once it is collected. */
const net = globalThis.FinalizationRegistry && new FinalizationRegistry<() => void>((free) => free());
/** Returns a function that calls `free`, once; it is also called when `subject` is collected. */
export function freeOnce(subject: object, free: () => void): () => void {
  let done = false;
  const once = (): void => {
    if (!done) {
      done = true;
      free();
    }
  };
  net?.register(subject, once, once);
  return () => {
    net?.unregister(once);
    once();
  };
}

/** A resident that counts its users, so that no machine ever sees it written or freed during a call. */
export class Held implements Resident {
  readonly handle: number;
  readonly tag: string;
  readonly length: number;
  #users = 0; // prepared and asynchronous calls; the last one out frees a disposed resident
  #readers = 0; // asynchronous calls: they may be reading right now
  #gone = false;
  private readonly release: () => void;
  constructor(
    readonly owner: Owner,
    values: Values,
  ) {
    const handle = owner.hold(values);
    this.handle = handle;
    this.tag = tagOf(values)!;
    this.length = lengthOf(values);
    this.release = freeOnce(this, () => owner.release(handle));
    Object.freeze(this);
  }
  /** Whether it was made here. Unlike `instanceof`, this runs no code of a proxy. */
  static is(value: unknown): value is Held {
    return typeof value === 'object' && value !== null && #gone in value;
  }
  live(): this {
    if (this.#gone) throw new SeqlikError('DISPOSED', 'a disposed resident was used');
    return this;
  }
  /** Begins a use that outlives a call; returns the function that ends it. */
  use(asynchronous: boolean): () => void {
    this.#users++;
    this.#readers += Number(asynchronous);
    return () => {
      this.#readers -= Number(asynchronous);
      if (--this.#users === 0 && this.#gone) this.release();
    };
  }
  write(values: Values): void {
    if (tagOf(values) !== this.tag || lengthOf(values) !== this.length)
      throw argumentError('DIMENSION_MISMATCH', 'write', 'values', {
        expected: `a ${this.tag} of ${this.length} values`,
        received: tagOf(values) === undefined ? typeof values : `a ${tagOf(values)} of ${lengthOf(values)} values`,
        sentence: `not a ${this.tag} of ${this.length} values`,
      });
    if (this.live().#readers > 0)
      throw argumentError('INVALID_ARGUMENT', 'write', 'resident', {
        expected: 'a resident that no asynchronous call is reading',
        received: 'one that is being read',
        sentence: 'an asynchronous call is reading this resident',
      });
    this.owner.write(this.handle, values);
  }
  dispose(): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#users === 0) this.release();
  }
}
/** Begins the use of all residents among the arguments of a call; returns the function that ends it. */
export function use(args: Readonly<Record<string, unknown>>, asynchronous: boolean): () => void {
  const ends = Object.values(args)
    .filter(Held.is)
    .map((a) => a.use(asynchronous));
  return () => {
    for (const end of ends) end();
  };
}
