/** Passes: run now or asynchronously, they do the same, and meet their failures. */
import { describe, expect, test } from 'vitest';
import { type Pass, runAsync, runNow, type Work } from '../../src/models/work.ts';
import { Pace } from '../../src/training/pace.ts';

const recordedWork = (log: string[], name: string, fails = false): Work => {
  const act = (): void => {
    log.push(name);
    if (fails) throw new Error(name);
  };
  return { now: act, later: async () => act() };
};
function* three(log: string[], failing = ''): Pass<string> {
  try {
    for (const name of ['a', 'b', 'c'])
      try {
        yield recordedWork(log, name, name === failing);
      } catch (error) {
        log.push(`caught ${(error as Error).message}`);
        if (name === 'c') throw error;
      }
    return 'done';
  } finally {
    log.push('freed');
  }
}
const ways = {
  now: async <R>(pass: Pass<R>) => runNow(pass),
  asynchronously: <R>(pass: Pass<R>) => runAsync(pass, new Pace(undefined, 'f')),
};
describe.each(Object.entries(ways))('a pass run %s', (_, run) => {
  test('makes its calls in their order', async () => {
    const log: string[] = [];
    expect(await run(three(log))).toBe('done');
    expect(log).toEqual(['a', 'b', 'c', 'freed']);
  });
  test('goes on after a failure that it catches', async () => {
    const log: string[] = [];
    expect(await run(three(log, 'b'))).toBe('done');
    expect(log).toEqual(['a', 'b', 'caught b', 'c', 'freed']);
  });
  test('frees what it holds when it does not', async () => {
    const log: string[] = [];
    await expect(run(three(log, 'c'))).rejects.toThrow('c');
    expect(log).toEqual(['a', 'b', 'c', 'caught c', 'freed']);
  });
});
test('the first call of an asynchronous pass starts in the turn of its caller', async () => {
  const log: string[] = [];
  const running = runAsync(three(log), new Pace(undefined, 'f'));
  expect(log).toEqual(['a']);
  await running;
});
test('an abort ends a pass between two calls, and frees what it holds', async () => {
  const log: string[] = [];
  const controller = new AbortController();
  const running = runAsync(three(log), new Pace(controller.signal, 'f'), controller.signal);
  controller.abort('enough');
  await expect(running).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
  expect(log).toEqual(['a', 'caught f was aborted', 'caught f was aborted', 'freed']);
});
