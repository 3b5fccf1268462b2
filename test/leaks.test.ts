/** Calls leave no memory behind: the slope of the resident memory over many calls, in a process of its own. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { least } from './support/least.ts';
import { hasNative } from './support/models.ts';

function growth(kind: string, warmUp: number, calls: number): number {
  // one thread and a small nursery: what V8 does beside the calls would show
  const flags = ['--expose-gc', '--single-threaded', '--max-semi-space-size=1'];
  const args = [...flags, 'build/js/test/programs/leaks.js', kind, `${warmUp}`, `${calls}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  if (process.env['SEQLIK_TIMES']) console.log(kind, stdout.trim());
  return Number(stdout);
}
/**
 * A leak shows every time and per call; other movements of the memory of a process do not: a process that settles by
 * 200 kB once has grown by a byte a call over 200,000 calls, by a quarter of one over 800,000. Each further measurement
 * takes twice the calls.
 */
function leastGrowth(kind: string, warmUp: number, calls: number, limit: number): Promise<number> {
  let taken = calls / 2;
  return least(limit, () => growth(kind, warmUp, (taken *= 2)));
}

test('a leak of 100 bytes a call is seen', () => {
  const slope = growth('planted', 50_000, 200_000);
  expect(slope).toBeGreaterThan(90);
  expect(slope).toBeLessThan(110);
});
const native = ['native sync', 'native async'];
test.each([...(hasNative ? native : []), 'wasm sync'])('%s: at most a byte a call', async (kind) =>
  expect(await leastGrowth(kind, 50_000, 200_000, 1)).toBeLessThanOrEqual(1),
);
/**
 * A load takes 200 µs: there are fewer of them, so that pages of the engine count as 20 bytes each; a lost resident is
 * 64 or more.
 */
const loads = [...(hasNative ? ['native load'] : []), 'wasm load'];
test.each(loads)('%s and dispose: nothing of the model', async (kind) =>
  expect(await leastGrowth(kind, 10_000, 10_000, 50)).toBeLessThanOrEqual(50),
);
