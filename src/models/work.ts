/** A pass through a network is written once, as a list of calls that whoever asked for it runs: here and now, or elsewhere. */
import type { Asynchronous, How } from '../grammar.ts';
import type { Pace } from '../training/pace.ts';

/** Kernel calls still to be made, and what they come to. */
export type Pass<Result> = Generator<Work, Result>;
export interface Work {
  now(): void;
  /** In calls that an abort can wait for. */
  later(pace: Pace, signal?: AbortSignal): Promise<void>;
}

interface Loose {
  (dims: object, args: object, how: How): void;
  async(dims: object, args: object, how: Asynchronous): Promise<void>;
}
export const now = (kernel: unknown, dims: object, args: object, how: How = {}): void =>
  (kernel as Loose)(dims, args, how);
export const later = (kernel: unknown, dims: object, args: object, how: How, signal?: AbortSignal): Promise<void> =>
  (kernel as Loose).async(dims, args, { ...how, ...(signal && { signal }), owned: true });
/** One kernel call, which is cut by rows. */
export const work = (kernel: unknown, dims: object, args: object, how: How = {}): Work => ({
  now: () => now(kernel, dims, args, how),
  later: (_, signal) => later(kernel, dims, args, how, signal),
});

/** Runs a pass in this call. */
export function here<Result>(pass: Pass<Result>): Result {
  for (;;) {
    const { done, value } = pass.next();
    if (done) return value;
    value.now();
  }
}
/** Runs it off the event loop, small calls in short slices of it (wasm: all of them). */
export async function elsewhere<Result>(pass: Pass<Result>, pace: Pace, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const { done, value } = pass.next();
    if (done) return value;
    await pace.rest();
    await value.later(pace, signal);
  }
}

/** 4 to 8 MB: 1 ms, or 20 where the system has yet to find the memory. */
const VALUES = 2 ** 20;
const rest: Work = { now: () => {}, later: async () => {} };
/** What is done to rows of `width` values in JavaScript: some at a time, as 100 000 would keep an abort waiting. */
export function* byRows(rows: number, width: number, act: (from: number, end: number) => void): Pass<void> {
  const most = Math.ceil(VALUES / Math.max(1, width));
  for (let from = 0; from < rows; from += most) {
    if (from > 0) yield rest;
    act(from, Math.min(from + most, rows));
  }
}
