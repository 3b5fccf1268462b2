/**
 * Passes: a computation is written once, as a generator of kernel calls, and run now or asynchronously by whoever asked
 * for it.
 */
import type { Args, Asynchronous, Dims, DType, Kernel, KernelSpec } from '../grammar.ts';
import type { Pace } from '../training/pace.ts';

/** A computation whose kernel calls are still to be made. */
export type Pass<Result> = Generator<Work, Result>;
/** One deferred kernel call. */
export interface Work {
  now(): void;
  /** The same call, which an abort ends; long work rests between its pieces. */
  later(pace: Pace, signal?: AbortSignal): Promise<void>;
}

/** A kernel call that is cut by rows. `owned`: its arrays belong to the model, which leaves them alone until the end. */
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
  let step = pass.next();
  while (!step.done) {
    try {
      step.value.now();
    } catch (error) {
      step = pass.throw(error); // a pass may know what to make of a failure, or have something to free
      continue;
    }
    step = pass.next();
  }
  return step.value;
}
/** Runs a pass off the event loop; small calls, and all calls of wasm, in short slices of it. */
export async function runAsync<Result>(pass: Pass<Result>, pace: Pace, signal?: AbortSignal): Promise<Result> {
  let step = pass.next();
  for (let first = true; !step.done; first = false) {
    try {
      if (!first) await pace.rest(); // the first call starts at once: it may have to copy what the caller will change
      await step.value.later(pace, signal);
    } catch (error) {
      step = pass.throw(error);
      continue;
    }
    step = pass.next();
  }
  return step.value;
}

/** Values handled between two looks at the clock, 4 to 8 MB: 1 ms, or 20 where the system has yet to find the memory. */
const VALUES = 2 ** 20;
const rest: Work = { now: () => {}, later: async () => {} };
/** Acts on rows of `width` values in JavaScript, some at a time, as 100,000 rows would keep an abort waiting. */
export function* byRows(rows: number, width: number, act: (from: number, end: number) => void): Pass<void> {
  const most = Math.ceil(VALUES / Math.max(1, width));
  for (let from = 0; from < rows; from += most) {
    if (from > 0) yield rest;
    act(from, Math.min(from + most, rows));
  }
}
