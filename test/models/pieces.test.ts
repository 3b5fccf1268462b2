/** Long sequences in pieces of time: the bits of one call, and no call too long for an abort to wait for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../src/bind/plan.ts';
import { type Backend, bind, type Machine } from '../../src/bind.ts';
import { contract } from '../../src/contract.ts';
import { costOf, type DType } from '../../src/grammar.ts';
import { MixtureDensityNetwork, type Real } from '../../src/index.ts';
import { StackArchitecture } from '../../src/models/recurrent/stack/architecture.ts';
import { cellSizes, cells } from '../../src/models/recurrent/stack/cell.ts';
import { type Batch, backward, forward, type PassContext, spansOf } from '../../src/models/recurrent/stack/pass.ts';
import { piecesOf, settleAll, stepsOf } from '../../src/models/recurrent/stack/pieces.ts';
import { Weights } from '../../src/models/weights.ts';
import { byRows, type Pass, runAsync, runNow } from '../../src/models/work.ts';
import { Workspace } from '../../src/models/workspace.ts';
import { Random } from '../../src/random.ts';
import { Pace } from '../../src/training/pace.ts';
import { native, wasm } from '../support/backends.ts';
import { uniform } from '../support/cases.ts';
import { expectBits } from '../support/models.ts';

describe('piecesOf', () => {
  test('all steps of all sequences once, in the order of time', () => {
    const lengths = fc.array(fc.nat(60), { maxLength: 12 }).map((list) => Int32Array.from(list));
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 4 }), (own, steps, threads) => {
        const rowOf = (item: number): number => own.subarray(0, item).reduce((a, b) => a + b, 0);
        const next = Array.from(own, (_, item) => rowOf(item));
        for (const list of piecesOf(own, steps, threads)) {
          expect(list.length).toBeLessThanOrEqual(threads);
          expect(new Set(list.map(({ item }) => item)).size).toBe(list.length);
          for (const { row, rows, item, items } of list) {
            expect(row).toBe(next[item]);
            if (own[item]! >= 2 * steps) {
              expect([items, rows >= steps, rows < 2 * steps]).toEqual([1, true, true]);
              next[item]! += rows;
            } else {
              expect(rows).toBe(rowOf(item + items) - rowOf(item));
              for (let i = item; i < item + items; i++) {
                expect(own[i]).toBeLessThan(2 * steps);
                next[i]! += own[i]!;
              }
            }
          }
        }
        expect(next).toEqual(Array.from(own, (_, item) => rowOf(item + 1)));
      }),
    );
  });
  test('sequences that are not long stay one call', () => {
    expect(piecesOf(Int32Array.of(7, 0, 7), 4, 2)).toEqual([[{ row: 0, rows: 14, item: 0, items: 3 }]]);
  });
  test('long ones run side by side, on as many threads as there are', () => {
    const lengths = Int32Array.of(8, 1, 12, 8);
    const items = (threads: number) => piecesOf(lengths, 4, threads).map((list) => list.map(({ item }) => item));
    expect(items(2)).toEqual([[1], [0, 2], [3], [0, 2], [3], [2]]);
    expect(items(1)).toEqual([[1], [0], [2], [3], [0], [2], [3], [2]]);
  });
  test.each(cells)('a piece of %s is about as much work as leaves the event loop', (cell) => {
    const { dims } = contract.recurrent.forward;
    for (const m of [1, 3, 64, 512, 5000]) {
      const g = cellSizes({ units: m, cell }).gates;
      const work = costOf(contract.recurrent.forward, 'f64').of(
        dims.map((dim) => ({ n: stepsOf(m, g), units: m, gates: g })[dim as 'n'] ?? 0),
      );
      expect(work).toBeGreaterThanOrEqual(2 ** 26);
      expect(work).toBeLessThan(2 ** 26 + m * g + 20 * g + 200);
    }
  });
});

/** A stack whose first layer is so large that some hundred steps are long, and sequences for it. */
function settingOf(backend: Backend, cell: (typeof cells)[number], dtype: DType) {
  const hidden = [{ tanh: 500, relu: 500, lstm: 250, gru: 290 }[cell], 5];
  const shape = { inputs: 2, hidden, outputs: 5, cell, inputSkip: true };
  const architecture = new StackArchitecture('test', shape, { inputs: 'inputs', outputs: 'outputs' });
  const steps = stepsOf(hidden[0]!, architecture.sizes[0]!.gates);
  const lengths = Int32Array.of(3, 2 * steps, 0, 3 * steps + 1, 5, 2 * steps - 1);
  const n = lengths.reduce((a, b) => a + b);
  const random = uniform(1);
  const values = (length: number): Real =>
    dtype === 'f32' ? Float32Array.from({ length }, random) : Float64Array.from({ length }, random);
  const batch: Batch = { lengths, inputs: values(2 * n), steps: n };
  const states = architecture.sizes.map(({ carried }) => values(lengths.length * carried));
  const dOutputs = values(n * architecture.outputs);
  const weights = new Weights(backend, architecture, architecture.initialise('test', new Random(1)), dtype);
  /** All results of the passes forward and backward; gradients flow back over `spans`. */
  const run = function* (context: PassContext, spans: Int32Array): Pass<Record<string, Real>> {
    const { layers, outputs } = yield* forward(context, batch, states);
    const flat = new Float64Array(architecture.size);
    const dStates = yield* backward(context, batch, layers, dOutputs, architecture.splitByName(flat), { spans });
    const traces = layers.flatMap(({ h, saved, last }, i) => [
      [`h${i}`, h],
      [`saved${i}`, saved],
      [`last${i}`, last],
      [`dState${i}`, dStates[i]!],
    ]);
    return { outputs, flat, ...Object.fromEntries(traces) };
  };
  /** The passes in new memory, or in memory that was used before. */
  const passOf = (spans: Int32Array, used: boolean): Pass<Record<string, Real>> => {
    const room = new Workspace('test', dtype, used);
    for (let times = 0; times < 2 && used; times++) {
      room.array(2 ** 23).fill(Number.NaN);
      room.restart();
    }
    return run({ backend, weights, room }, spans);
  };
  return { lengths, steps, passOf, dispose: () => weights.dispose() };
}
const some = [...native.slice(0, 1), wasm] as unknown as Backend[];
for (const backend of some)
  describe.each(cells)(`${backend.name} ${backend.isa} %s`, (cell) => {
    test.each(['f64', 'f32'] as const)('%s: in pieces the bits of one call, forward and back', async (dtype) => {
      const { lengths, steps, passOf, dispose } = settingOf(backend, cell, dtype);
      expect(piecesOf(lengths, steps, 1)).toHaveLength(3 + 2 + 3);
      for (const spans of [lengths, spansOf(lengths, 2 * steps + 1)]) {
        const whole = runNow(passOf(spans, false));
        const pieces = await runAsync(passOf(spans, true), new Pace(undefined, 'test'));
        expect(whole['flat']!.some((value) => value !== 0)).toBe(true);
        for (const [name, values] of Object.entries(whole)) expectBits(pieces[name]!, values);
      }
      dispose();
    });
  });

/** A machine that computes nothing, and reports its calls. */
function idle(onCall: (call: Call) => void, threads = 2): Backend {
  let handles = 0;
  const run = (call: Call): number => {
    onCall(call);
    return 0;
  };
  const machine: Machine = {
    name: 'native',
    isa: 'none',
    levels: [],
    threads,
    usable: true,
    run,
    runAsync: async (call, cancel) => (cancel[0] ? -1 : run(call)),
    prepare: (call) => ({ run: () => run(call), dispose: () => {} }),
    hold: () => ++handles,
    write: () => {},
    release: () => {},
  };
  return bind(machine, contract);
}
const long = Float64Array.from({ length: 60_000 }, (_, t) => Math.sin(t));
const shape = { dimension: 1, hidden: [32, 32], components: 1, mapping: 'diag-exp', cell: 'lstm' } as const;

describe('one very long sequence', () => {
  test('a fit makes no call that an abort would wait for', async () => {
    const most = new Map<string, number>();
    const backend = idle(({ signature: { kernel }, cuts, cost: work }) => {
      const rows = cuts.reduce((sum, cut) => sum + cut.rows, 0);
      const largest = Math.max(...cuts.map((cut) => cut.rows));
      most.set(kernel, Math.max(most.get(kernel) ?? 0, (work * largest) / rows));
    });
    await MixtureDensityNetwork.fit(long, { ...shape, hidden: [64], maxIterations: 1, backend });
    expect([...most.keys()].sort()).toEqual([
      'dense_affine_f64',
      'dense_gradient_f64',
      'density_forward_f64',
      'density_lossGradient_f64',
      'recurrent_backward_f64',
      'recurrent_forward_f64',
    ]);
    for (const work of most.values()) expect(work).toBeLessThan(2 ** 27);
  });
  test.each(['recurrent_forward_f64', 'recurrent_backward_f64', 'dense_gradient_f64'])(
    'aborted in %s, nothing follows but what is under way',
    async (kernel) => {
      const controller = new AbortController();
      let after = 0;
      const backend = idle(({ signature }) => {
        if (controller.signal.aborted) after++;
        else if (signature.kernel === kernel) controller.abort();
      });
      const how = { ...shape, validation: 0, backend, signal: controller.signal };
      const work = MixtureDensityNetwork.fit([long, long.slice()], how);
      await expect(work).rejects.toMatchObject({ code: 'ABORTED' });
      expect(controller.signal.aborted).toBe(true);
      expect(after).toBeLessThanOrEqual(1); // of two threads the other one
    },
  );
});

test('all calls have settled when the first failure is thrown', async () => {
  let done = false;
  const slow = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    done = true;
  };
  await expect(settleAll([Promise.reject(new Error('first')), slow()])).rejects.toThrow('first');
  expect(done).toBe(true);
});
test('byRows visits each row once, a block at a time', () => {
  const seen: number[][] = [];
  const pass = byRows(5, 2 ** 19, (from, end) => seen.push([from, end]));
  runNow(pass);
  expect(seen).toEqual([
    [0, 2],
    [2, 4],
    [4, 5],
  ]);
  expect([...byRows(5, 10, () => {})]).toHaveLength(0); // few need no rest
  expect([...byRows(5, 2 ** 19, () => {})]).toHaveLength(2);
});
