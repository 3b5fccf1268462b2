/** Networks at their limits: long lists, numbers that overflow, memory of others, calls inside calls. */
import { describe, expect, test } from 'vitest';
import { type Backend, MixtureDensity, MixtureDensityNetwork, type NetworkOptions } from '../../src/index.ts';
import { expectBits, refusal, titled } from '../support/models.ts';

const shape = { dimension: 1, hidden: [2], components: 1, mapping: 'diag-exp' } as const;
const wave = Float64Array.from({ length: 600 }, (_, t) => Math.sin(t / 3) + ((t * 7919) % 13) / 20);
const waves = { values: wave, lengths: new Array(20).fill(30) };
const holes = (first: unknown): unknown[] => {
  const list = new Array(2 ** 28);
  list[0] = first;
  return list;
};

describe.each(titled)('on %s', (_, backend: Backend) => {
  const made = (more: Partial<NetworkOptions> = {}): MixtureDensityNetwork =>
    new MixtureDensityNetwork({ ...shape, ...more }, { backend });
  /** A network with weights of zero except for some: its predictions do not depend on the observations. */
  const still = (own: Record<string, number[]>, more: Partial<NetworkOptions> = {}): MixtureDensityNetwork => {
    const zeros = Object.entries(made().parameters).map(([name, values]) => [name, values.fill(0)]);
    return made({ parameters: { ...Object.fromEntries(zeros), ...own }, ...more });
  };
  const errorOf = (code: string, argument: string) => expect.objectContaining({ code, argument });

  describe('sizes', () => {
    test('a list of 2^28 holes is refused before it is copied', () => {
      const typed = Float64Array.of(1, 2);
      expect(refusal(() => made().logDensity(holes(typed) as never))).toEqual(errorOf('INVALID_ARGUMENT', 'seqs[1]'));
      expect(refusal(() => made().logDensity(holes([[1]]) as never))).toEqual(errorOf('INVALID_ARGUMENT', 'seqs[1]'));
      const ragged = { values: typed, lengths: holes(2) as number[] };
      expect(refusal(() => made().logDensity(ragged))).toEqual(errorOf('INVALID_ARGUMENT', 'seqs.lengths'));
      expect(refusal(() => made({ hidden: holes(2) as number[] }))).toEqual(errorOf('INVALID_ARGUMENT', 'hidden'));
      const initialState = holes(typed) as Float64Array[];
      expect(refusal(() => made().forward(typed, { initialState }))).toEqual(
        errorOf('INVALID_ARGUMENT', 'initialState'),
      );
      const state = { hidden: initialState };
      expect(refusal(() => made().step(state, [1]))).toEqual(errorOf('INVALID_ARGUMENT', 'state.hidden'));
    });
    test('millions of empty sequences need no room for their states', () => {
      const lengths = new Int32Array(2 ** 21);
      lengths[7] = 2;
      const network = made({ hidden: [2048] });
      const each = network.logLikelihoods({ values: Float64Array.of(1, 2), lengths });
      expect(each).toHaveLength(2 ** 21);
      expect(each[7]).toBe(network.logLikelihood([1, 2]));
      expect(each.every((value, s) => value === 0 || s === 7)).toBe(true);
    });
    test('many empty sequences between others have a gradient of zero by their state', () => {
      const lengths = Int32Array.from({ length: 30_000 }, (_, s) => (s % 10_000 === 5 ? 2 : 0));
      const { dInitialState, loss } = made().lossGradient({ values: Float64Array.of(1, 2, 1, 2, 1, 2), lengths });
      const one = made().lossGradient([1, 2]);
      expect(loss).toBeCloseTo(3 * one.loss, 12);
      const want = Float64Array.from(dInitialState[0]!, (_, i) =>
        Math.floor(i / 2) % 10_000 === 5 ? one.dInitialState[0]![i % 2]! : 0,
      );
      expectBits(dInitialState[0]!, want);
    });
    test.each([
      ['parameters', { hidden: [2 ** 15] }, 'hidden'],
      ['layers', { hidden: new Array(1001).fill(1) }, 'hidden'],
      ['coordinates', { dimension: 2 ** 23 + 1, hidden: [1] }, 'dimension'],
      ['outputs', { components: 2 ** 22, hidden: [1] }, 'components'],
    ] as const)('too many %s', (_, more, argument) => {
      expect(refusal(() => made(more))).toEqual(errorOf('INVALID_ARGUMENT', argument));
    });
  });

  describe('numbers', () => {
    const far = { standardization: { mean: [0], standardDeviation: [1e10] } };
    test('a mean or a draw that overflows in units of the data is an error', () => {
      const network = still({ by: [0, 1e300, 0] }, far);
      expect(refusal(() => network.sample(1))).toEqual(errorOf('NON_FINITE', 'parameters'));
      expect(refusal(() => network.step(network.start(), [1]))).toEqual(errorOf('NON_FINITE', 'parameters'));
    });
    test('a draw that overflows is not taken for an observation', () => {
      const network = still({ by: [0, 1.797e308, Math.log(1e307)] });
      let refused = 0;
      for (let seed = 0; seed < 20; seed++)
        try {
          expect(network.sample(2, { seed }).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toEqual(errorOf('NON_FINITE', 'parameters'));
          refused++;
        }
      expect(refused).toBeGreaterThan(0);
    });
    test.each([Float64Array, Float32Array])(
      'an observation that overflows in units of the network is an error: %o',
      (Type) => {
        const network = made({ standardization: { mean: [0], standardDeviation: [1e-300] } });
        const error = expect.objectContaining({ code: 'NON_FINITE', argument: 'seqs', value: 2 ** 30 });
        for (const method of ['logDensity', 'forward', 'lossGradient'] as const)
          expect(refusal(() => network[method](Type.of(2 ** 30, 0, 0)))).toEqual(error);
        expect(refusal(() => network.step(network.start(), [2 ** 30]))).toEqual(errorOf('NON_FINITE', 'x'));
        expect(refusal(() => network.sample(1, { prefix: [2 ** 30] }))).toEqual(errorOf('NON_FINITE', 'prefix'));
      },
    );
    test('a gradient that overflows is an error', () => {
      const network = still({ by: [0, 1e150, 0], Wy0: [0, 0, 1e160, 0, 0, 0] });
      expect(network.forward([1, 2]).loss).toBeCloseTo(5e299, -290);
      expect(refusal(() => network.lossGradient([1, 2]))).toEqual(errorOf('NON_FINITE', 'parameters'));
    });
    test('also one that overflows in f32 only', () => {
      const network = still({ by: [0, 1e16, 0], Wy0: [0, 0, 1e24, 0, 0, 0] });
      expect(refusal(() => network.lossGradient(Float32Array.of(1, 2)))).toEqual(errorOf('NON_FINITE', 'parameters'));
      expect(network.lossGradient([1, 2]).loss).toBeGreaterThan(1e31);
    });
    test('a state beyond the range of f32 data is an error', () => {
      const initialState = [[1e300, 0]] as never;
      expect(refusal(() => made().forward(Float32Array.of(1, 2), { initialState }))).toEqual(
        errorOf('NON_FINITE', 'initialState[0]'),
      );
      expect(made().forward([1, 2], { initialState }).logDensity).toHaveLength(1);
    });
    test.each([-900, -500, 900])('data times 2^%i teach the same', async (power) => {
      const options = { ...shape, maxIterations: 2, backend };
      const plain = await MixtureDensityNetwork.fit(waves, options);
      const values = wave.map((x) => x * 2 ** power);
      const { model, report } = await MixtureDensityNetwork.fit({ ...waves, values }, options);
      expect(model.parameters).toEqual(plain.model.parameters);
      expect(report.warnings).toEqual(plain.report.warnings);
      expect(model.standardization!.standardDeviation[0]).toBe(
        plain.model.standardization!.standardDeviation[0]! * 2 ** power,
      );
    });
    test('data of a spread beyond all numbers are refused', () =>
      expect(
        MixtureDensityNetwork.fit([1.7e308, 1.7e308, 1.7e308, -1.7e308], { ...shape, backend }),
      ).rejects.toMatchObject({ code: 'NON_FINITE', argument: 'seqs', column: 0 }));
  });

  describe('memory', () => {
    test('a network keeps copies of what it is given, and hands out copies', () => {
      const standardization = { mean: Float64Array.of(1), standardDeviation: Float64Array.of(2) };
      const { parameters } = made();
      const network = made({ parameters, standardization });
      const want = network.logDensity([1, 2, 4]);
      for (const given of [parameters, network.parameters, standardization, network.standardization!])
        for (const values of Object.values(given)) values.fill(Number.NaN);
      expectBits(network.logDensity([1, 2, 4]), want);
      const fresh = made({ parameters: network.parameters, standardization: network.standardization! });
      expectBits(fresh.logDensity([1, 2, 4]), want);
    });
    test('a step leaves the state it is given alone', () => {
      const network = made({ cell: 'lstm' });
      const { state } = network.step(network.start(), [1]);
      const before = structuredClone(state);
      network.step(state, [2]);
      expect(state).toEqual(before);
    });
    test('results do not go where data or other results are', () => {
      const density = new MixtureDensity({ components: 1, dimension: 3, mapping: 'diag-exp' }, { backend });
      const [raw, x, own] = [new Float64Array(7), new Float64Array(3), new Float64Array(8)];
      const refused = (out: object) =>
        expect(refusal(() => density.lossGradient(raw, x, { out }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
      refused({ dx: x });
      refused({ dRaw: raw });
      refused({ dRaw: own.subarray(0, 7), dx: own.subarray(5) });
      expect(density.lossGradient(raw, x, { out: { dRaw: own.subarray(0, 7) } }).dRaw.buffer).toBe(own.buffer);
    });
  });

  describe('calls inside calls', () => {
    const reading = (act: () => void): number[] =>
      Object.defineProperty([0], 0, {
        get: () => {
          act();
          return 1;
        },
      });
    test('disposed of while it reads: DISPOSED', () => {
      const disposed = expect.objectContaining({ code: 'DISPOSED' });
      const ends = (call: (network: MixtureDensityNetwork, x: number[]) => unknown): void => {
        const network = made();
        call(network, [1]);
        expect(
          refusal(() =>
            call(
              network,
              reading(() => network.dispose()),
            ),
          ),
        ).toEqual(disposed);
      };
      ends((network, x) => network.step(network.start(), x));
      ends((network, x) => network.sample(1, { prefix: x }));
      ends((network, x) => network.logDensity([[1], x]));
    });
    test('a step while another reads changes nothing', () => {
      const network = made();
      const { state } = network.step(network.start(), [3]);
      const other = () => network.step(network.start(), [7]);
      expect(network.step(state, reading(other))).toEqual(network.step(state, [1]));
    });
    test('fits at once, scores between batches and an init that is gone change nothing in a fit', async () => {
      const learn = (more: object = {}) =>
        MixtureDensityNetwork.fit(waves, { ...shape, batch: 4, maxIterations: 2, backend, ...more });
      const alone = await learn();
      const [init, score] = [made(), made()];
      const busy = learn({
        onProgress: (progress: { batch: number }) => {
          progress.batch = Number.NaN;
          score.lossGradient(wave);
          score.sample(3);
        },
      });
      const all = [learn(), busy, learn({ init }), learn({ cell: 'lstm' }), learn()];
      init.dispose();
      const [first, second, third, , last] = await Promise.all(all);
      for (const one of [first!, second!, third!, last!]) {
        expect(one.model.parameters).toEqual(alone.model.parameters);
        expect(one.report.history).toEqual(alone.report.history);
      }
    });
    test.each(['onProgress', 'save'])('aborted in %s, between batches', async (where) => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const act = (): void => controller.abort(reason);
      const how = where === 'save' ? { checkpoint: { save: act } } : { onProgress: act };
      const work = MixtureDensityNetwork.fit(waves, { ...shape, batch: 4, backend, signal: controller.signal, ...how });
      await expect(work).rejects.toMatchObject({ code: 'ABORTED', cause: reason });
    });
  });
});
