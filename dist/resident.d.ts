import type { Resident, Values } from './grammar.ts';
/** Where residents live: a machine. */
export interface Owner {
    /** Returns a handle: a slot and its generation, so that none ever names another's memory. */
    hold(values: Values): number;
    write(handle: number, values: Values): void;
    release(handle: number): void;
}
/** Calls `free` once: when the returned function is called, or when `subject` is collected. */
export declare function freed(subject: WeakKey, free: () => void): () => void;
/** Counts who uses it, so that no machine ever sees a resident written or gone under a call. */
export declare class Held implements Resident {
    readonly owner: Owner;
    readonly handle: number;
    readonly tag: string;
    readonly length: number;
    private users;
    private readers;
    private gone;
    private readonly release;
    constructor(owner: Owner, values: Values);
    live(): this;
    /** Begin a use that outlives a call; returns its end. */
    use(asynchronous: boolean): () => void;
    write(values: Values): void;
    dispose(): void;
}
/** The same for all residents among the arguments of a call. */
export declare function use(args: Readonly<Record<string, unknown>>, asynchronous: boolean): () => void;
