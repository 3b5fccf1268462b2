/** A signal ends an asynchronous call at once, on both machines. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/index.ts';
import { least } from '../support/least.ts';
import { hasNative } from '../support/models.ts';
import { arraysOf, jobs, titleOf } from './asynchronous.ts';

const each = jobs.map((job) => [titleOf(job), job] as const);
const arrays = arraysOf(200_000);

/** The promise is 100 ms; a busy machine gets ten times that. */
const SOON = 1000;
const backends = [...(hasNative ? ([['native']] as const) : []), ['wasm']] as const;
describe.each(backends)('a signal on %s', (name) => {
  const backend = openBackend({ name });
  test.each(each.filter(([, { brief }]) => !brief))('ends %s', async (title, { start }) => {
    const reason = new Error('enough');
    const abort = async (): Promise<number> => {
      const controller = new AbortController();
      const work = start(arrays, backend, true, controller.signal);
      let settled = false;
      work
        .catch(() => {})
        .finally(() => {
          settled = true;
        });
      await wait(150);
      expect(settled, 'hours of work').toBe(false);
      const from = performance.now();
      controller.abort(reason);
      await expect(work).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
      if (process.env['SEQLIK_TIMES']) console.log(name, title, (performance.now() - from).toFixed(1));
      return performance.now() - from;
    };
    expect(await least(SOON, abort)).toBeLessThan(SOON);
  });
  test.each(each)('given before it begins ends %s', async (_, { start }) => {
    const abort = async (): Promise<number> => {
      const from = performance.now();
      await expect(start(arrays, backend, true, AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
      return performance.now() - from;
    };
    expect(await least(5 * SOON, abort)).toBeLessThan(5 * SOON); // arguments are checked first
  });
});
