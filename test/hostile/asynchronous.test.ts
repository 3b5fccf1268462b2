/** Asynchronous calls: nothing a caller does to the memory it handed over while one works changes the result. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openBackend, SeqlikError } from '../../src/index.ts';
import { hasNative } from '../support/models.ts';
import { type Answer, type Arrays, arraysOf, type Job, jobs, titleOf } from './asynchronous.ts';
import { surfaceOf } from './surface.ts';

const collect = (globalThis as { gc?: () => void }).gc!;
const each = jobs.map((job) => [titleOf(job), job] as const);
const ROWS = 10_000;

test('every export that returns a promise has a job', () => {
  expect([...new Set(jobs.map(({ of }) => of))].sort()).toEqual(surfaceOf('src/index.ts').promises.sort());
});

const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: object,
) => ArrayBuffer & { resize(n: number): void };
/** The same values in memory that can be taken away. */
function flexible<A extends Float64Array | Int32Array | Uint8Array>(array: A): A {
  const buffer = new Resizable(array.byteLength, { maxByteLength: array.byteLength });
  new Uint8Array(buffer).set(new Uint8Array(array.buffer as ArrayBuffer));
  return new (array.constructor as new (buffer: ArrayBuffer) => A)(buffer);
}
/** Acts of the caller, repeated between the start of a call and its end. */
const meanwhile: Readonly<Record<string, (arrays: Arrays) => void>> = {
  'values are overwritten': (arrays) => {
    for (const array of Object.values(arrays) as Float64Array[]) array.fill(Number.NaN);
  },
  'buffers are transferred': (arrays) => {
    for (const { buffer } of Object.values(arrays) as Float64Array[])
      if (buffer.byteLength > 0) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  },
  'garbage is collected': () => collect(),
};
/** Acts at once, and again until the work has ended. */
async function during(work: Promise<Answer>, act: () => void): Promise<Answer> {
  let working = true;
  const ended = work.finally(() => {
    working = false;
  });
  act();
  while (working) {
    await Promise.race([ended.catch(() => {}), wait(2)]);
    if (working) act();
  }
  return ended;
}

const backends = [...(hasNative ? ([['native']] as const) : []), ['wasm']] as const;
describe.each(backends)('on %s', (name) => {
  const backend = openBackend({ name });
  describe.each(each)('%s', (_, { start }: Job) => {
    const given = arraysOf(ROWS);
    let want: Answer | undefined;
    const right = async (): Promise<Answer> => (want ??= await start(given, backend, false));

    test.each(Object.entries(meanwhile))('%s', async (_, act) => {
      const arrays = structuredClone(given);
      expect(await during(start(arrays, backend, false), () => act(arrays))).toEqual(await right());
    });
    test('the caller drops everything', async () => {
      const dropped = (): Promise<Answer> => start(structuredClone(given), backend, false);
      expect(await during(dropped(), collect)).toEqual(await right());
    });
    test.each(['x', 'mask', 'sampleWeights', 'lengths'] as const)(
      '%s in memory that may shrink is refused',
      async (argument) => {
        const got = await start({ ...given, [argument]: flexible(given[argument]) }, backend, false).catch((e) => e);
        const names = [
          argument,
          'seqs',
          'seqs.values',
          'seqs.lengths',
          'x.values',
          'x.lengths',
          'y',
          'y.values',
          'y.lengths',
        ];
        if (got instanceof SeqlikError) {
          expect(got.code).toBe('INVALID_ARGUMENT');
          expect(names).toContain(got.argument);
        } else expect(got).toEqual(await right()); // this job has no use for it
      },
    );
    test('x in memory that may shrink is not taken', () =>
      expect(start({ ...given, x: flexible(given.x) }, backend, false)).rejects.toThrow('resizable'));
  });
});
