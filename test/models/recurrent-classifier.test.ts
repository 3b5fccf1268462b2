/** The recurrent classifier: identities, gradients, weights, ends of a fit, calibration, files. */
import { describe, expect, test } from 'vitest';
import {
  loadModel,
  MixtureDensityNetwork,
  type Real,
  RecurrentClassifier,
  type RecurrentFitOptions,
  SeqlikError,
  type TrainingProgress,
} from '../../src/index.ts';
import { Random } from '../../src/random.ts';
import { backends } from '../support/backends.ts';
import { expectBits } from '../support/models.ts';

const draw = (n: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: n }, () => random.normal());
};
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const [I, H, O] = [3, 9, 2];
const lengths = [4, 0, 1, 7];
const steps = 12;
const parameters = { U: draw(H * H, 1).map((v) => v / 3), V: draw(H * I, 2), W: draw(O * H, 3) };
const x = { values: draw(steps * I, 4), lengths };
const h0 = draw(4 * H, 5).map(Math.abs);
const targets = (rows: number): Float64Array => draw(rows * O, 6).map(sigmoid);
const rowsAt = { final: 4, all: steps } as const;
const classWeights = [0.5, 2];
const sampleWeights = [1, 3, 0, 0.25];

const refusal = (code: string, fields: object = {}): Error => expect.objectContaining({ code, ...fields });

/** The same in the plainest words. */
function reference(at: 'final' | 'all'): number[] {
  const { U, V, W } = parameters;
  const logits: number[] = [];
  const give = (h: Float64Array): void => {
    for (let j = 0; j < O; j++) logits.push(h.reduce((sum, v, k) => sum + W[j * H + k]! * v, 0));
  };
  let row = 0;
  for (const [s, length] of lengths.entries()) {
    let h: Float64Array = h0.slice(s * H, (s + 1) * H);
    for (let t = 0; t < length; t++, row++) {
      const [before, now] = [h as Float64Array, x.values.subarray(row * I, (row + 1) * I)];
      h = Float64Array.from({ length: H }, (_, k) => {
        let a = 0;
        for (let j = 0; j < H; j++) a += U[k * H + j]! * before[j]!;
        for (let j = 0; j < I; j++) a += V[k * I + j]! * now[j]!;
        return Math.max(a, 0);
      });
      if (at === 'all') give(h);
    }
    if (at === 'final') give(h);
  }
  return logits;
}

for (const backend of backends)
  describe.each(['final', 'all'] as const)(`${backend.name} ${backend.isa} %s`, (lossAt) => {
    const classifier = new RecurrentClassifier({ ...parameters, lossAt }, { backend });
    const y = targets(rowsAt[lossAt]);

    test('logits and probabilities are those of the definition', () => {
      const { logits, probabilities } = classifier.predict(x, { h0 });
      const want = reference(lossAt);
      expect([...logits]).toEqual(want.map((v) => expect.closeTo(v, 11)));
      expect([...probabilities]).toEqual(want.map((v) => expect.closeTo(sigmoid(v), 12)));
      const single = { ...x, values: Float32Array.from(x.values) };
      const { logits: f32 } = classifier.predict(single, { h0 });
      expect(f32).toBeInstanceOf(Float32Array);
      expect([...f32]).toEqual(want.map((v) => expect.closeTo(v, 4)));
    });
    test('a batch gives the bits of its sequences', () => {
      const whole = classifier.predict(x, { h0 }).logits;
      let [step, row] = [0, 0];
      for (const [s, length] of lengths.entries()) {
        const own = classifier.predict(x.values.subarray(step * I, (step + length) * I), {
          h0: h0.subarray(s * H, (s + 1) * H),
        }).logits;
        expectBits(own, whole.slice(row, row + own.length));
        step += length;
        row += own.length;
      }
    });
    test('one sequence, again and again and of other lengths between, gives the bits of a batch', () => {
      const standardization = { mean: [0.5, -1, 0], standardDeviation: [2, 1, 0.25] };
      const one = new RecurrentClassifier({ ...parameters, lossAt, temperature: 1.7, standardization }, { backend });
      const each = draw(6 * 5 * I, 7);
      for (const values of [each, Float32Array.from(each)]) {
        const batch = one.predict({ values, lengths: [5, 5, 5, 5, 5, 5] });
        const rows = lossAt === 'all' ? 5 : 1;
        const kept: Real[] = [];
        for (let s = 0; s < 6; s++) {
          if (s === 4) one.predict(values.subarray(0, 2 * I));
          const own = one.predict(values.subarray(s * 5 * I, (s + 1) * 5 * I));
          kept.push(own.logits);
          expectBits(own.probabilities, batch.probabilities.slice(s * rows * O, (s + 1) * rows * O));
        }
        for (const [s, logits] of kept.entries())
          expectBits(logits, batch.logits.slice(s * rows * O, (s + 1) * rows * O));
      }
      one.dispose();
      expect(() => one.predict(each.subarray(0, 5 * I))).toThrow(refusal('DISPOSED'));
    });
    test('every gradient is that of finite differences, with weights and a temperature', () => {
      const options = { h0, classWeights, sampleWeights };
      const make = (given: object) =>
        new RecurrentClassifier({ ...parameters, ...given, temperature: 1.7, lossAt }, { backend });
      const gradient = make({}).lossGradient(x, y, options);
      expect(gradient.loss).toBe(make({}).loss(x, y, options));
      const check = (got: Real, values: Float64Array, lossOf: (changed: Float64Array) => number): void => {
        expect(got.length).toBe(values.length);
        for (let i = 0; i < values.length; i++) {
          const e = 1e-6;
          const moved = (by: number) => values.map((v, j) => (j === i ? v + by : v));
          expect(got[i]).toBeCloseTo((lossOf(moved(e)) - lossOf(moved(-e))) / (2 * e), 5);
        }
      };
      for (const name of ['U', 'V', 'W'] as const)
        check(gradient[`d${name}`], parameters[name], (changed) => make({ [name]: changed }).loss(x, y, options));
      check(gradient.dx, x.values, (values) => make({}).loss({ values, lengths }, y, options));
      check(gradient.dh0, h0, (changed) => make({}).loss(x, y, { ...options, h0: changed }));
    });
    test('without dx the other gradients are the same', () => {
      const { dx, ...want } = classifier.lossGradient(x, y, { h0 });
      expect(dx.length).toBe(x.values.length);
      const got = classifier.lossGradient(x, y, { h0, dx: false });
      expect(got).toEqual({ ...want, dx: new Float64Array() });
      expect(() => classifier.loss(x, y, { dx: false } as never)).toThrow(refusal('INVALID_ARGUMENT'));
    });
    test('one h0 for all sequences has the sum of their gradients', () => {
      const one = h0.slice(0, H);
      const each = Float64Array.from({ length: 4 * H }, (_, i) => one[i % H]!);
      const { dh0 } = classifier.lossGradient(x, y, { h0: one });
      const all = classifier.lossGradient(x, y, { h0: each }).dh0;
      expect([...dh0]).toEqual(
        [...one].map((_, k) =>
          expect.closeTo(
            [0, 1, 2, 3].reduce((t, s) => t + all[s * H + k]!, 0),
            11,
          ),
        ),
      );
      expect(classifier.lossGradient(x, y).dh0.length).toBe(4 * H);
    });
    test('units of the inputs are a change of V, of h0 and of dx alone', () => {
      const standardization = { mean: [1, -2, 0], standardDeviation: [2, 0.5, 3] };
      const own = new RecurrentClassifier({ ...parameters, standardization, lossAt }, { backend });
      const values = x.values.map(
        (v, i) => (v - standardization.mean[i % I]!) / standardization.standardDeviation[i % I]!,
      );
      const want = classifier.lossGradient({ values, lengths }, y);
      const got = own.lossGradient(x, y);
      expectBits(got.logits, want.logits);
      expectBits(got.dV, want.dV);
      expectBits(
        got.dx,
        want.dx.map((v, i) => v / standardization.standardDeviation[i % I]!),
      );
    });
    test('a weight of 2 is a sequence twice, a weight of 0 is none', () => {
      const twice = { values: Float64Array.of(...x.values, ...x.values.subarray(0, 4 * I)), lengths: [...lengths, 4] };
      const rows = lossAt === 'final' ? 1 : 4;
      const doubled = classifier.lossGradient(twice, Float64Array.of(...y, ...y.subarray(0, rows * O)));
      const weighted = classifier.lossGradient(x, y, { sampleWeights: [2, 1, 1, 1] });
      expect(weighted.loss).toBeCloseTo(doubled.loss, 11);
      for (const name of ['dU', 'dV', 'dW'] as const)
        expect([...weighted[name]]).toEqual([...doubled[name]].map((v) => expect.closeTo(v, 10)));
    });
    test('no sequences, and sequences without steps', () => {
      const none = classifier.lossGradient({ values: new Float64Array(), lengths: [] }, []);
      expect(none).toMatchObject({ loss: 0, dU: new Float64Array(H * H) });
      const empty = classifier.lossGradient(
        { values: new Float64Array(), lengths: [0, 0] },
        lossAt === 'final' ? [0, 1, 1, 0] : [],
      );
      expect(empty.loss).toBeCloseTo(lossAt === 'final' ? 4 * Math.log(2) : 0, 12);
      expect(empty.dx.length).toBe(0);
    });
    test('a file holds it all', () => {
      const names = { columns: ['a', 'b', 'c'], labels: ['left', 'right'] };
      const standardization = { mean: [1, -2, 0], standardDeviation: [2, 0.5, 3] };
      const given = { ...parameters, lossAt, temperature: 2.5, standardization };
      const own = new RecurrentClassifier(given, { backend, ...names });
      const read = loadModel(own.toBytes(), { backend }) as RecurrentClassifier;
      expect(read.parameters).toEqual(own.parameters);
      expect({ columns: read.columns, labels: read.labels }).toEqual(names);
      expectBits(read.predict(x).probabilities, own.predict(x).probabilities);
    });
  });

describe('errors', () => {
  const classifier = new RecurrentClassifier(parameters);
  const y = targets(4);
  const bad: [string, () => unknown, object][] = [
    [
      'a target above 1',
      () =>
        classifier.loss(
          x,
          y.map((v, i) => (i === 3 ? 1.5 : v)),
        ),
      refusal('INVALID_ARGUMENT', { argument: 'y', row: 1, column: 1, value: 1.5 }),
    ],
    [
      'a target that is NaN',
      () =>
        classifier.loss(
          x,
          y.map(() => Number.NaN),
        ),
      refusal('NON_FINITE', { argument: 'y' }),
    ],
    ['too few targets', () => classifier.loss(x, y.subarray(O)), refusal('DIMENSION_MISMATCH', { argument: 'y' })],
    [
      'targets of steps',
      () => classifier.loss(x, y, { lossAt: 'all' }),
      refusal('DIMENSION_MISMATCH', { argument: 'y' }),
    ],
    [
      'targets of other sequences',
      () => classifier.loss(x, { values: targets(12), lengths: [4, 1, 0, 7] }, { lossAt: 'all' }),
      refusal('DIMENSION_MISMATCH', { argument: 'y' }),
    ],
    [
      'an infinite input',
      () => classifier.predict(x.values.map((v, i) => (i === 7 ? 1 / 0 : v))),
      refusal('NON_FINITE', { argument: 'x', row: 2, column: 1 }),
    ],
    [
      'an h0 of another width',
      () => classifier.predict(x, { h0: [1] }),
      refusal('DIMENSION_MISMATCH', { argument: 'h0' }),
    ],
    [
      'a U that is not square',
      () => new RecurrentClassifier({ ...parameters, U: [1, 2] }),
      refusal('DIMENSION_MISMATCH', { argument: 'U' }),
    ],
    [
      'a V of other units',
      () => new RecurrentClassifier({ ...parameters, V: [1, 2] }),
      refusal('DIMENSION_MISMATCH', { argument: 'V' }),
    ],
    [
      'a temperature of 0',
      () => new RecurrentClassifier({ ...parameters, temperature: 0 }),
      refusal('INVALID_ARGUMENT', { argument: 'temperature' }),
    ],
    [
      'negative class weights',
      () => classifier.loss(x, y, { classWeights: [-1, 1] }),
      refusal('INVALID_ARGUMENT', { argument: 'classWeights' }),
    ],
    [
      'units that overflow',
      () => new RecurrentClassifier({ U: [[1e300]], V: [[1e300]], W: [[1]] }).predict([[1e9], [1e9], [1]]),
      refusal('NON_FINITE', { argument: 'parameters', row: 0 }),
    ],
    [
      'nothing to calibrate on',
      () => classifier.calibrate({ values: new Float64Array(), lengths: [] }, []),
      refusal('EMPTY_INPUT', { argument: 'y' }),
    ],
  ];
  test.each(bad)('%s', (_, call, error) => {
    expect(call).toThrow(error);
  });
  test('a model disposed of', () => {
    const own = new RecurrentClassifier(parameters);
    own.dispose();
    expect(() => own.predict(x)).toThrow(refusal('DISPOSED'));
  });
});

// ---- fit ----
/** Which of the first two inputs was larger in sum; a constant beside them. */
function course(count: number, seed = 1, longest = 8) {
  const random = new Random(seed);
  const x: Float64Array[] = [];
  const y: number[] = [];
  for (let s = 0; s < count; s++) {
    const T = 2 + Math.floor(longest * random.uniform());
    let sum = 0;
    x.push(
      Float64Array.from({ length: 3 * T }, (_, i) => {
        if (i % 3 === 2) return 1;
        const value = 5 + 2 * random.normal();
        sum += i % 3 === 0 ? value : -value;
        return value;
      }),
    );
    y.push(Number(sum > 0));
  }
  return { x, y };
}
const size = { inputs: 3, hidden: 8, outputs: 1, seed: 2 } as const;
const { x: seqs, y: labels } = course(160);

describe.each(backends)('fit on $name $isa', (backend) => {
  test('learns, keeps the units with the model, and says how it went', async () => {
    const { model, report } = await RecurrentClassifier.fit(seqs, labels, { ...size, backend, maxIterations: 25 });
    expect(model.standardization!.mean[2]).toBe(0); // the constant stays 1
    expect(model.standardization!.mean[0]).toBeCloseTo(5, 0);
    expect(report.history.at(-1)).toBeGreaterThan(report.history[0]! / 2);
    expect(model.loss(seqs, labels)).toBeLessThan(0.35 * seqs.length);
    const rest = course(100, 9);
    const { probabilities } = model.predict(rest.x);
    expect(probabilities.filter((p, i) => p > 0.5 === (rest.y[i] === 1)).length).toBeGreaterThan(85);
  });
});
describe('fit', () => {
  const few = { ...size, maxIterations: 4 } as const;
  const learn = (given: Partial<RecurrentFitOptions>, x: Real[] = seqs, y: number[] = labels) =>
    RecurrentClassifier.fit(x, y, { ...few, ...given });
  test('the log-likelihood is that of the model, held-out sequences included in neither', async () => {
    const { model, report } = await learn({ validation: 0 });
    expect(report.logLikelihood).toBeCloseTo(-model.loss(seqs, labels), 8);
  });
  test('a weight of 2 is a sequence twice, of 0 none', async () => {
    const [each, y] = [seqs.slice(0, 40), labels.slice(0, 40)];
    const sampleWeights = each.map((_, s) => s % 3);
    const repeat = <V>(values: readonly V[]): V[] => values.flatMap((v, s) => Array(sampleWeights[s]!).fill(v) as V[]);
    const full = { batch: 1000, validation: 0, maxIterations: 10 };
    const weighted = await learn({ ...full, sampleWeights }, each, y);
    const doubled = await learn(full, repeat(each), repeat(y));
    for (const name of ['U', 'V', 'W'] as const)
      expect([...weighted.model.parameters[name]]).toEqual(
        [...doubled.model.parameters[name]].map((v) => expect.closeTo(v, 12)),
      );
    expect([...weighted.report.history]).toEqual([...doubled.report.history].map((v) => expect.closeTo(v, 10)));
  });
  test('held-out sequences weigh, too', async () => {
    const sampleWeights = seqs.map((_, s) => 1 + (s % 3));
    const one = await learn({ sampleWeights });
    const two = await learn({ sampleWeights: sampleWeights.map((w) => 2 * w) });
    const validation = [...one.report.validationHistory!];
    expect([...two.report.validationHistory!]).toEqual(validation.map((v) => expect.closeTo(v, 12)));
    expect(two.report.logLikelihood).toBeCloseTo(2 * one.report.logLikelihood, 9);
    expect(validation[0]).not.toBeCloseTo((await learn({})).report.validationHistory![0]!, 6);
  });
  test('class weights enter training and validation', async () => {
    const y = labels.flatMap((v) => [v, 1 - v]);
    const both = await learn({ outputs: 2 }, seqs, y);
    const one = await learn({ outputs: 2, classWeights: [2, 0] }, seqs, y);
    expect(one.report.history[0]).not.toBeCloseTo(both.report.history[0]!, 6);
    expect(one.report.validationHistory![0]).not.toBeCloseTo(both.report.validationHistory![0]!, 6);
    const start = new RecurrentClassifier({
      ...(await learn({ outputs: 2, maxIterations: 0 }, seqs, y)).model.parameters,
    });
    expect(both.report.history[0]! + both.report.validationHistory![0]! * 16).toBeCloseTo(-start.loss(seqs, y), 8);
    const own = start.loss(seqs, y, { classWeights: [2, 0] });
    expect(one.report.history[0]! + one.report.validationHistory![0]! * 16).toBeCloseTo(-own, 8);
  });
  test('goes on from a checkpoint to the same bits', async () => {
    const saved: Uint8Array[] = [];
    const save = (bytes: Uint8Array) => void saved.push(bytes);
    const whole = await learn({ checkpoint: { save } });
    const resumed = await learn({ checkpoint: { resume: saved[1]! } });
    expectBits(resumed.model.parameters.U, whole.model.parameters.U);
    await expect(learn({ hidden: 9, checkpoint: { resume: saved[1]! } })).rejects.toThrow(
      refusal('INVALID_ARGUMENT') as Error,
    );
  });
  test('one class only is fitted, with a warning', async () => {
    const { report, model } = await learn(
      {},
      seqs,
      labels.map(() => 1),
    );
    expect(report.warnings.join()).toMatch(/output 0 is 1 in every target/);
    expect(model.predict(seqs).probabilities.every((p) => p > 0 && p <= 1)).toBe(true);
  });
  test('sequences without steps and steps without targets', async () => {
    const x = [...seqs.slice(0, 20), new Float64Array(0)];
    const { report } = await learn({ validation: 0 }, x, [...labels.slice(0, 20), 1]);
    expect(report.history.every(Number.isFinite)).toBe(true);
    const all = x.map((one) => new Float64Array(one.length / 3).fill(0.25));
    const { model } = await RecurrentClassifier.fit(x, all, { ...few, lossAt: 'all' });
    expect(model.lossAt).toBe('all');
    const error = refusal('EMPTY_INPUT', { argument: 'x' });
    await expect(learn({}, [], [])).rejects.toThrow(error);
    const none = RecurrentClassifier.fit([new Float64Array(0)], [new Float64Array(0)], { ...few, lossAt: 'all' });
    await expect(none).rejects.toThrow(error);
  });
  test('f32 data train in f32', async () => {
    const { model, report } = await learn(
      {},
      seqs.map((one) => Float32Array.from(one)),
    );
    expect(report.history.at(-1)).toBeGreaterThan(report.history[0]!);
    expect(model.predict(seqs).logits).toBeInstanceOf(Float64Array);
  });
});

describe('the best validation parameters are kept, whatever ended the run', () => {
  const wave = Array.from({ length: 12 }, (_, s) => Float64Array.from({ length: 9 }, (_, t) => Math.sin(0.9 * t + s)));
  const noisy = course(40, 3, 3);
  // a rate so high that the course goes up and down
  const options = { learningRate: 0.3, schedule: 'constant', validation: 0.3, batch: 4, seed: 3 } as const;
  const run = {
    classifier: (given: Partial<RecurrentFitOptions>) =>
      RecurrentClassifier.fit(noisy.x, noisy.y, { ...size, ...options, ...given }),
    network: (given: object) =>
      MixtureDensityNetwork.fit(wave, { dimension: 1, hidden: [3], components: 2, ...options, ...given }),
  };
  test.each(Object.entries(run))('%s', async (_, learn) => {
    const epochs: Record<number, unknown> = {};
    const parametersAt = async (epoch: number) =>
      (epochs[epoch] ??= (await learn({ maxIterations: epoch, patience: 99 })).model.parameters);
    const ended = async (given: object, end: RegExp) => {
      const { model, report } = await learn(given);
      const { bestIteration, iterations, validationHistory } = report;
      expect(bestIteration).toBe(validationHistory!.indexOf(Math.max(...validationHistory!)));
      expect(bestIteration).toBeLessThan(iterations);
      expect(report.warnings.join()).toMatch(end);
      expect(model.parameters).toEqual(await parametersAt(bestIteration));
      return bestIteration;
    };
    const best = await ended({ maxIterations: 60, patience: 4 }, /stopped by patience/);
    await ended({ maxIterations: best + 2, patience: 99 }, new RegExp(`best after epoch ${best} of ${best + 2}`));

    const controller = new AbortController();
    const onProgress = ({ iteration, heldOut }: TrainingProgress): void => {
      if (iteration === best + 2 && heldOut !== undefined) controller.abort('enough');
    };
    const error = await learn({ maxIterations: 60, patience: 99, signal: controller.signal, onProgress }).catch(
      (e) => e,
    );
    expect(error).toBeInstanceOf(SeqlikError);
    expect(error).toMatchObject({ code: 'ABORTED', cause: 'enough', epoch: best + 2 });
    const { model, report } = await learn({
      maxIterations: error.epoch,
      patience: 99,
      checkpoint: { resume: error.checkpoint },
    });
    expect(report).toMatchObject({ iterations: error.epoch, bestIteration: best });
    expect(model.parameters).toEqual(await parametersAt(best));
  });
});

describe('calibrate', () => {
  const random = new Random(4);
  const logits = Array.from({ length: 400 }, () => 3 * random.normal());
  const x = {
    values: Float64Array.from(logits.flatMap((v) => [Math.max(v, 0), Math.max(-v, 0)])),
    lengths: logits.map(() => 1),
  };
  const at = (temperature: number, gain = 1) =>
    new RecurrentClassifier({ U: [0, 0, 0, 0], V: [1, 0, 0, 1], W: [gain, -gain], temperature });
  const y = logits.map((a) => Number(random.uniform() < sigmoid(a / 2.5)));
  test('finds the temperature the targets were drawn with; logits stay', () => {
    const { model, report } = at(1).calibrate(x, y);
    expect(report.temperature).toBeGreaterThan(1.9);
    expect(report.temperature).toBeLessThan(3.2);
    expect(report.negativeLogLikelihood.after).toBeLessThan(report.negativeLogLikelihood.before);
    expect(report.expectedCalibrationError.after).toBeLessThan(report.expectedCalibrationError.before);
    expectBits(model.predict(x).logits, at(1).predict(x).logits);
    expect(model.predict(x).probabilities[0]).toBeCloseTo(sigmoid(logits[0]! / report.temperature), 12);
    expect(model.loss(x, y) / 400).toBeCloseTo(report.negativeLogLikelihood.after, 12);
    // a minimum: none of the neighbours is better
    for (const factor of [0.99, 1.01])
      expect(at(report.temperature * factor).loss(x, y)).toBeGreaterThan(model.loss(x, y));
    expect(model.calibrate(x, y).report.temperature).toBeCloseTo(report.temperature, 10);
  });
  test.each([1e-3, 0.5, 1, 40])('the cross-entropy never rises, from a temperature of %f', (temperature) => {
    const { negativeLogLikelihood: nll } = at(temperature).calibrate(x, y).report;
    expect(nll.after).toBeLessThanOrEqual(nll.before);
    expect(nll.before).toBeCloseTo(at(temperature).loss(x, y) / 400, 8);
  });
  test('logits that are always right, or always wrong, end at a bound with a warning', () => {
    const right = at(1).calibrate(
      x,
      logits.map((a) => Number(a > 0)),
    ).report;
    expect(right.temperature).toBeLessThan(1e-5);
    expect(right.warnings.join()).toMatch(/temperature of 0/);
    const wrong = at(1).calibrate(
      x,
      logits.map((a) => Number(a < 0)),
    ).report;
    expect(wrong.warnings.join()).toMatch(/infinite temperature/);
    expect(wrong.negativeLogLikelihood.after).toBeCloseTo(Math.log(2), 5);
  });
  test('logits of 0 stay as they are', () => {
    const { report } = at(3, 0).calibrate(x, y);
    expect(report).toMatchObject({
      temperature: 3,
      expectedCalibrationError: { before: report.expectedCalibrationError.after },
    });
  });
});
