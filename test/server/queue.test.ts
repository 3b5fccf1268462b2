/** The queue: its bounds are exact, what nobody waits for is never computed, and no event loop is held up. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { SeqlikError } from '../../src/index.ts';
import { Meter, priceOf, SLICE } from '../../src/server/compute.ts';
import { standardLimits } from '../../src/server/limits.ts';
import { HttpError } from '../../src/server/problems.ts';
import { Queue, type Target } from '../../src/server/queue.ts';
import { type Data, type OutputName, type Scorer, scorerOf } from '../../src/server/scorers.ts';
import { bitsOf, mixture, modelsOn, named, rowsOf } from './models.ts';

const observer = { queued() {}, computed() {} };
/** A scorer that remembers what it was asked to compute. */
function counting(price = 1): { target: Target; computed: number[] } {
  const computed: number[] = [];
  const scorer: Scorer = {
    dimension: 1,
    knowsGaps: false,
    ofSequences: false,
    outputs: { logDensity: { per: 'row', width: 1, type: 'real' } },
    standard: ['logDensity'],
    pricePerRow: () => price,
    score({ values, n }) {
      computed.push(n);
      return { logDensity: { values: values.slice(), width: 1, per: 'row' } };
    },
  };
  const meter = new Meter(1);
  return { target: { id: 'm', serial: 1, scorer, meters: { whole: meter, gaps: meter } }, computed };
}
const data = (n: number): Data => ({ values: new Float64Array(n).map((_, i) => i), n, gaps: false });
const outputs = ['logDensity'] as const;
const codeOf = (run: () => unknown): string => {
  try {
    run();
    return 'none';
  } catch (error) {
    expect(error).toBeInstanceOf(HttpError);
    return (error as HttpError).code;
  }
};
/** Rows whose computation is a large one, at a price of 1e4 a row. */
const LARGE = Math.ceil((3 * SLICE) / 1e4);

describe('bounds', () => {
  test('of requests and rows: full at the limit, not before, and free again when they have left', async () => {
    const { target } = counting();
    const queue = new Queue({ ...standardLimits, queueRequests: 5, queueRows: 20 }, observer);
    const submit = (n: number) => queue.submit({ target, data: data(n), outputs }, 1000);
    const first = [4, 4, 4, 4].map(submit);
    expect([queue.requests, queue.rows, queue.price]).toEqual([4, 16, 16]);
    expect(codeOf(() => submit(5))).toBe('UNAVAILABLE');
    first.push(submit(4));
    expect(codeOf(() => submit(0))).toBe('UNAVAILABLE');
    expect([queue.requests, queue.rows]).toEqual([5, 20]);
    await Promise.all(first.map(({ result }) => result));
    expect([queue.requests, queue.rows, queue.price]).toEqual([0, 0, 0]);
    await Promise.all([5, 5, 5, 5, 0].map((n) => submit(n).result));
    expect(codeOf(() => submit(21))).toBe('TOO_LARGE');
  });
  test('of price: too much for one request, too much for now', async () => {
    const { target } = counting(10);
    const queue = new Queue({ ...standardLimits, price: 100, queuePrice: 150 }, observer);
    const submit = (n: number) => queue.submit({ target, data: data(n), outputs }, 1000);
    expect(codeOf(() => submit(11))).toBe('TOO_LARGE');
    const { result } = submit(10);
    expect(codeOf(() => submit(6))).toBe('TOO_MANY_REQUESTS');
    await Promise.all([result, submit(5).result]);
  });
  test('a failure leaves, too', async () => {
    const { target } = counting();
    const failing = {
      ...target,
      scorer: { ...target.scorer, score: () => Promise.reject(new Error('none')) as never },
    };
    failing.scorer.score = () => {
      throw new Error('broken');
    };
    const queue = new Queue(standardLimits, observer);
    await expect(queue.submit({ target: failing, data: data(3), outputs }, 1000).result).rejects.toThrow('broken');
    expect([queue.requests, queue.rows]).toEqual([0, 0]);
    await queue.idle();
  });
});

describe('what nobody waits for', () => {
  test('is not computed: a deadline that passes in the queue', async () => {
    const { target, computed } = counting(1e4);
    const slow: Target = {
      ...target,
      scorer: {
        ...target.scorer,
        scoreAsync: ({ values }) =>
          new Promise((resolve) => setTimeout(resolve, 60, { logDensity: { values, width: 1, per: 'row' } })),
      },
    };
    const queue = new Queue(standardLimits, observer);
    const first = queue.submit({ target: slow, data: data(LARGE), outputs }, 1000);
    const late = queue.submit({ target, data: data(LARGE), outputs }, 20);
    const order: string[] = [];
    void first.result.then(() => order.push('first'));
    await expect(late.result).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(order).toEqual([]); // the first has not ended
    expect([queue.requests, queue.rows]).toEqual([1, LARGE]);
    await first.result;
    await queue.idle();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(computed).toEqual([]);
  });
  test('is not computed: a closed connection', async () => {
    const { target, computed } = counting();
    const queue = new Queue(standardLimits, observer);
    const submit = (n: number) => queue.submit({ target, data: data(n), outputs }, 1000);
    const [one, two, three] = [submit(1), submit(2), submit(4)];
    two.cancel();
    await expect(two.result).rejects.toMatchObject({ code: 'ABORTED' });
    expect([queue.requests, queue.rows]).toEqual([2, 5]);
    await Promise.all([one.result, three.result]);
    expect(computed).toEqual([5]);
    one.cancel();
    expect(queue.requests).toBe(0);
  });
  test('stops: a large one between two slices, or off the event loop by its signal', async () => {
    const { target, computed } = counting(1e4);
    const queue = new Queue(standardLimits, observer);
    const slices = queue.submit({ target, data: data(50 * LARGE), outputs }, 1000);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    slices.cancel();
    await expect(slices.result).rejects.toMatchObject({ code: 'ABORTED' });
    const { length } = computed;
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(computed).toHaveLength(length);
    expect(length).toBeGreaterThan(0);
    let signal: AbortSignal | undefined;
    const scoreAsync = (_: Data, __: readonly OutputName[], own: AbortSignal) => {
      signal = own;
      return new Promise<never>((_, reject) =>
        own.addEventListener('abort', () => reject(new SeqlikError('ABORTED', 'x'))),
      );
    };
    const away = { ...target, scorer: { ...target.scorer, scoreAsync } };
    const { result } = queue.submit({ target: away, data: data(LARGE), outputs }, 15);
    await expect(result).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(signal!.aborted).toBe(true);
    expect(queue.requests).toBe(0);
  });
});

describe.each(named)('large requests on %s', (_, backend) => {
  const models = modelsOn(backend);
  const targetOf = (id: string): Target => {
    const scorer = scorerOf(models[id]!);
    const meter = new Meter(1e5); // slow enough that everything is large
    return { id, serial: 1, scorer, meters: { whole: meter, gaps: meter } };
  };
  const rows = Float64Array.from(rowsOf(700).flat());
  const gappy = rows.map((value, i) => (i % 97 === 0 ? Number.NaN : value));
  test.each([
    ['mixture', rows, undefined],
    ['mixture', gappy, undefined],
    ['gaussian', Float32Array.from(rows), undefined],
    ['layers', rows, undefined],
    ['gru', rows, [3, 0, 500, 1, 196]],
    ['gru', Float32Array.from(rows), [700]],
    ['lstm', rows, [300, 400]],
    ['lstm', Float32Array.from(rows), [300, 400]],
    ['system', rows, [3, 0, 500, 1, 196]],
    ['system', gappy, [700]],
    ['system', Float32Array.from(rows), [350, 350]],
    ['last', rows, [3, 0, 500, 1, 196]],
    ['every', rows, [3, 0, 500, 1, 196]],
  ] as const)('%s in slices has the bits of one call', async (id, values, lengths) => {
    const gaps = values.some(Number.isNaN);
    const own: Data = { values, n: 700, gaps, ...(lengths && { lengths: Int32Array.from(lengths) }) };
    const wasmLike = targetOf(id);
    const { scoreAsync, ...scorer } = wasmLike.scorer;
    const names = Object.keys(scorer.outputs) as OutputName[];
    const whole = scorer.score(own, names);
    for (const target of [wasmLike, { ...wasmLike, scorer }]) {
      const queue = new Queue({ ...standardLimits, price: 2 ** 50, queuePrice: 2 ** 50 }, observer);
      const { result } = queue.submit({ target, data: own, outputs: names }, 10_000);
      const columns = await result;
      for (const name of names) {
        expect(bitsOf(columns[name]!.values), name).toBe(bitsOf(whole[name]!.values));
        expect(columns[name]!.values.constructor).toBe(whole[name]!.values.constructor);
        expect(columns[name]!.per).toBe(scorer.outputs[name]!.per);
      }
    }
  });
  test.each(['mixture', 'gru', 'system', 'lstm'] as const)('an error of %s names the row of all data', async (id) => {
    const values = rows.slice();
    values.fill(1e300, 3 * 650, 3 * 651);
    const lengths = id !== 'mixture' && { lengths: Int32Array.of(200, 500) };
    const target = targetOf(id);
    const { scoreAsync, ...scorer } = target.scorer;
    const queue = new Queue({ ...standardLimits, price: 2 ** 50, queuePrice: 2 ** 50 }, observer);
    const work = {
      target: { ...target, scorer },
      data: { values, n: 700, gaps: false, ...lengths },
      outputs: scorer.standard,
    };
    const error = await queue.submit(work, 10_000).result.catch((error) => error);
    expect(error).toBeInstanceOf(SeqlikError);
    expect([error.code, error.row]).toEqual(['NON_FINITE', 650]);
  });
  test('the event loop goes on', async () => {
    const scorer = scorerOf(mixture(backend, 16, 16));
    const meter = new Meter(backend.name === 'native' ? 1 : 4);
    const target: Target = { id: 'm', serial: 2, scorer, meters: { whole: meter, gaps: meter } };
    const n = 60_000;
    const values = new Float64Array(n * 16).map((_, i) => Math.sin(i));
    const queue = new Queue(standardLimits, observer);
    const { result } = queue.submit(
      { target, data: { values, n, gaps: false }, outputs: ['responsibilities'] },
      60_000,
    );
    expect(meter.estimate(priceOf(scorer, { values, n, gaps: false }))).toBeGreaterThan(SLICE);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    let turns = 0;
    let small = 0;
    const timer = setInterval(() => {
      turns++;
      const one = { values: new Float64Array(16), n: 1, gaps: false };
      void queue.submit({ target, data: one, outputs: ['logDensity'] }, 60_000).result.then(() => small++);
    }, 1);
    await result;
    clearInterval(timer);
    delay.disable();
    expect(turns).toBeGreaterThan(5); // others had their turns all the while
    expect(small).toBeGreaterThan(turns - 3);
    console.info(`delay of the event loop: p50 ${delay.percentile(50) / 1e6}, p99 ${delay.percentile(99) / 1e6} ms`);
  });
});
