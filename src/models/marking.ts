/** Scoring rows of which some have no density: `unscorable: 'mark'`. */
import { KernelFailure } from '../errors.ts';
import type { Pass, Work } from './work.ts';

const BLOCK = 256;

/**
 * Scores n rows in blocks, of which those that fail are scored row by row, so that the time is linear however many rows
 * fail. `call` scores the rows from `from` to `end`; `failed` learns of each row that has no density.
 */
export function* scoreEach(
  n: number,
  call: (from: number, end: number) => Work,
  failed: (row: number, failure: KernelFailure) => void,
): Pass<void> {
  for (let from = 0; from < n; from += BLOCK) {
    const end = Math.min(from + BLOCK, n);
    if ((yield* attempt(call(from, end))) === undefined) continue;
    for (let row = from; row < end; row++) {
      const failure = yield* attempt(call(row, row + 1));
      if (failure) failed(row, failure);
    }
  }
}
/** Runs a call; returns the failure of its kernel, if it failed. */
export function* attempt(call: Work): Pass<KernelFailure | undefined> {
  try {
    yield call;
    return undefined;
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
    return error;
  }
}
