/** Passes: a computation is written once, as a generator of kernel calls, and run now or asynchronously. */
import type { Args, Asynchronous, Dims, DType, Kernel, KernelSpec } from '../grammar.ts';
import type { Pace } from '../training/pace.ts';

/** A computation that yields its kernel calls to whoever runs it. */
export type Pass<Result> = Generator<Work, Result>;
/** One deferred kernel call. */
export interface Work {
  now(): void;
  /** The same call, ended by an abort; long work rests between its pieces. */
  later(pace: Pace, signal?: AbortSignal): Promise<void>;
}

/**
 * Defers a kernel call that is cut by rows. `owned`: its arrays belong to the model, which leaves them alone meanwhile.
 */
export function work<R extends KernelSpec, D extends DType>(
  kernel: Kernel<R, D>,
  dims: Dims<R>,
  args: Args<R, D>,
  { owned = true, ...how }: Asynchronous = {},
): Work {
  return {
    now: () => kernel(dims, args, how),
    later: (_, signal) => kernel.async(dims, args, { ...how, ...(signal && { signal }), owned }),
  };
}

/** Runs a pass in this call. */
export function runNow<Result>(pass: Pass<Result>): Result {
  for (;;) {
    const { done, value } = pass.next();
    if (done) return value;
    value.now();
  }
}
/** Runs a pass off the event loop; small calls, and all calls of wasm, in short slices of it. */
export async function runAsync<Result>(pass: Pass<Result>, pace: Pace, signal?: AbortSignal): Promise<Result> {
  for (;;) {
    const { done, value } = pass.next();
    if (done) return value;
    await pace.rest();
    await value.later(pace, signal);
  }
}

/** Values handled between two looks at the clock, 4 to 8 MB: 1 ms, or 20 ms on memory the system has yet to provide. */
const VALUES = 2 ** 20;
const rest: Work = { now: () => {}, later: async () => {} };
/** Acts on rows of `width` values in JavaScript, a block at a time: 100,000 rows would keep an abort waiting. */
export function* byRows(rows: number, width: number, act: (from: number, end: number) => void): Pass<void> {
  const most = Math.ceil(VALUES / Math.max(1, width));
  for (let from = 0; from < rows; from += most) {
    if (from > 0) yield rest;
    act(from, Math.min(from + most, rows));
  }
}
