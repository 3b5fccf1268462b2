/** Passes: a computation is written once, as a generator of kernel calls, and run now or asynchronously. */
import type { Real } from '../check.ts';
import { SeqlikError } from '../errors.ts';
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
  how: Asynchronous = {},
): Work {
  return {
    now: () => kernel(dims, args, how),
    later: (_, signal) => kernel.async(dims, args, { owned: true, ...how, ...(signal && { signal }) }),
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
    } catch (thrown) {
      // the kernel knows no public name
      const isAbort = thrown instanceof SeqlikError && thrown.code === 'ABORTED';
      const error = isAbort ? pace.aborted(thrown.cause) : thrown;
      step = pass.throw(error);
      continue;
    }
    step = pass.next();
  }
  return step.value;
}

/** Values handled between two looks at the clock, 4 to 8 MB: 1 ms, or 20 ms on memory the system has yet to provide. */
const VALUES = 2 ** 20;
/** A place between two pieces of work in JavaScript where others may run. */
export const rest: Work = { now: () => {}, later: async () => {} };
/** Acts on rows of `width` values in JavaScript, a block at a time: 100,000 rows would keep an abort waiting. */
export function* byRows(rows: number, width: number, act: (from: number, end: number) => void): Pass<void> {
  const most = Math.ceil(VALUES / Math.max(1, width));
  for (let from = 0; from < rows; from += most) {
    if (from > 0) yield rest;
    act(from, Math.min(from + most, rows));
  }
}
/** Fills `to` with a row, again and again: each step doubles what is there. */
export function* repeatRow(row: Real, times: number, to: Real): Pass<Real> {
  const width = row.length;
  yield* byRows(times, width, (from, end) => {
    const part = to.subarray(from * width, end * width);
    part.set(row);
    for (let done = width; done < part.length; done *= 2) part.copyWithin(done, 0, Math.min(done, part.length - done));
  });
  return to;
}
