/** The two-layer classifier: identities, gradients, descent, fits, errors, files. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadModel, SeqlikError, TwoLayerClassifier, type TwoLayerFitOptions } from '../../src/index.ts';
import { Random } from '../../src/random.ts';
import { backends } from '../support/backends.ts';
import { expectBits, refusal } from '../support/models.ts';

const draw = (n: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: n }, () => random.normal());
};
const uniform = (n: number, seed: number): Float64Array => {
  const random = new Random(seed);
  return Float64Array.from({ length: n }, () => random.uniform());
};
const [inputs, hidden, outputs, n] = [6, 5, 3, 11];
const parameters = { V: draw(hidden * (inputs + 1), 1), W: draw(outputs * (hidden + 1), 2), hidden };
/** Half of the inputs are 0, as in pictures. */
const x = draw(n * inputs, 3).map((v, i) => (i % 2 ? v : 0));
const y = uniform(n * outputs, 4);

for (const backend of backends)
  describe(`${backend.name} ${backend.isa}`, () => {
    const net = new TwoLayerClassifier(parameters, { backend });

    test('logits and loss by their formulas', () => {
      const { V, W } = net.parameters;
      const { logits, probabilities } = net.predict(x);
      let loss = 0;
      for (let r = 0; r < n; r++) {
        const h = Array.from({ length: hidden }, (_, u) => {
          let z = V[u * (inputs + 1) + inputs]!;
          for (let j = 0; j < inputs; j++) z += V[u * (inputs + 1) + j]! * x[r * inputs + j]!;
          return Math.tanh(z);
        });
        for (let q = 0; q < outputs; q++) {
          let a = W[q * (hidden + 1) + hidden]!;
          for (let u = 0; u < hidden; u++) a += W[q * (hidden + 1) + u]! * h[u]!;
          const at = r * outputs + q;
          expect(logits[at]).toBeCloseTo(a, 12);
          const p = 1 / (1 + Math.exp(-a));
          expect(probabilities[at]).toBeCloseTo(p, 12);
          loss -= y[at]! * Math.log(p) + (1 - y[at]!) * Math.log(1 - p);
        }
      }
      expect(net.loss(x, y)).toBeCloseTo(loss, 10);
    });
    test('rows alone and together have the same bits; nested and flat are the same', () => {
      const { logits } = net.predict(x);
      for (let r = 0; r < n; r++)
        expectBits(
          net.predict(x.subarray(r * inputs, (r + 1) * inputs)).logits,
          logits.slice(r * outputs, (r + 1) * outputs),
        );
      const rows = Array.from({ length: n }, (_, r) => [...x.subarray(r * inputs, (r + 1) * inputs)]);
      expectBits(net.predict(rows).logits, logits);
      const nested = (values: Float64Array, width: number) =>
        Array.from({ length: values.length / width }, (_, r) => [...values.subarray(r * width, (r + 1) * width)]);
      const [V, W] = [nested(parameters.V, inputs + 1), nested(parameters.W, hidden + 1)];
      for (const other of [
        { V, W },
        { V, W: parameters.W },
        { V: parameters.V, W },
      ])
        expectBits(new TwoLayerClassifier(other, { backend }).predict(x).logits, logits);
    });
    test('the gradient is that of the loss, in every direction, with weights of rows and outputs', () => {
      const weights = { classWeights: [1, 0, 2.5], sampleWeights: uniform(n, 9) };
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 1e6 }), (seed) => {
          const [dV, dW] = [draw(parameters.V.length, seed), draw(parameters.W.length, seed + 1)];
          const at = (by: number): number =>
            new TwoLayerClassifier(
              {
                hidden,
                V: parameters.V.map((v, i) => v + by * dV[i]!),
                W: parameters.W.map((w, i) => w + by * dW[i]!),
              },
              { backend },
            ).loss(x, y, weights);
          const own = net.lossGradient(x, y, weights);
          expect(own.loss).toBe(net.loss(x, y, weights));
          const expected =
            own.dV.reduce((sum, v, i) => sum + v * dV[i]!, 0) + own.dW.reduce((sum, v, i) => sum + v * dW[i]!, 0);
          const found = (at(1e-5) - at(-1e-5)) / 2e-5;
          expect(Math.abs(found - expected)).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected)));
        }),
        { numRuns: 5 },
      );
    });
    test('a row of weight 2 is that row twice', () => {
      const twice = [...Array(n).keys(), 4];
      const pick = (values: Float64Array, width: number) =>
        Float64Array.from(twice.flatMap((r) => [...values.subarray(r * width, (r + 1) * width)]));
      const a = net.lossGradient(x, y, { sampleWeights: Array.from({ length: n }, (_, r) => (r === 4 ? 2 : 1)) });
      const b = net.lossGradient(pick(x, inputs), pick(y, outputs));
      expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-12 * b.loss);
      for (const name of ['dV', 'dW'] as const)
        a[name].forEach((v, i) => {
          expect(Math.abs(v - b[name][i]!)).toBeLessThan(1e-12 * Math.max(1, Math.abs(v)));
        });
    });
    test('saturated units keep a gradient, saturated outputs a loss', () => {
      const sure = new TwoLayerClassifier({ V: [[30, 0]], W: [[0, 60]] }, { backend });
      expect(sure.loss([1], [0])).toBeCloseTo(60, 12);
      expect(sure.loss([1], [1])).toBeCloseTo(Math.exp(-60), 40);
      const steep = new TwoLayerClassifier({ V: [[30, 0]], W: [[1, 0]] }, { backend });
      const sech2 = 4 * Math.exp(-60); // of 30, to 26 digits
      const expected = sech2 * (1 / (1 + Math.exp(-1)));
      expect(steep.lossGradient([1], [0]).dV[0]! / expected).toBeCloseTo(1, 12);
    });
    test('sgd is lossGradient of one row after the other', () => {
      const order = [3, 0, 3, 10, 7, 7, 1];
      const { model, losses } = net.sgd(x, y, { order, learningRate: 0.1 });
      let { V, W } = net.parameters;
      for (const [i, r] of order.entries()) {
        const own = new TwoLayerClassifier({ V, W, hidden }, { backend });
        const row = x.subarray(r * inputs, (r + 1) * inputs);
        const { loss, dV, dW } = own.lossGradient(row, y.subarray(r * outputs, (r + 1) * outputs));
        expect(losses[i]).toBeCloseTo(loss, 11);
        V = V.map((v, j) => v - 0.1 * dV[j]!);
        W = W.map((w, j) => w - 0.1 * dW[j]!);
      }
      model.parameters.V.forEach((v, j) => {
        expect(v).toBeCloseTo(V[j]!, 11);
      });
      model.parameters.W.forEach((w, j) => {
        expect(w).toBeCloseTo(W[j]!, 11);
      });
      expectBits(net.parameters.V, parameters.V);
      // in pieces as at once
      const first = net.sgd(x, y, { order: order.slice(0, 3), learningRate: 0.1 });
      const rest = first.model.sgd(x, y, { order: order.slice(3), learningRate: 0.1 });
      expectBits(rest.model.parameters.V, model.parameters.V);
      expectBits(Float64Array.of(...first.losses, ...rest.losses), losses);
      expect(net.sgd(x, y, { learningRate: 1e-3 }).losses).toHaveLength(n);
      expectBits(net.sgd(x, y, { order: [], learningRate: 1 }).model.parameters.W, parameters.W);
    });
    test('more rows than one call takes', () => {
      const many = 9000;
      const wide = new TwoLayerClassifier({ V: draw(3 * 131, 5), W: draw(4, 6), hidden: 3 }, { backend });
      const rows = draw(many * 130, 7);
      const targets = uniform(many, 8);
      const { losses } = wide.sgd(rows, targets, { learningRate: 1e-12 });
      expect(losses.reduce((a, b) => a + b)).toBeCloseTo(wide.loss(rows, targets), 3);
      const { logits } = wide.predict(rows);
      expectBits(wide.predict(rows.subarray(8990 * 130)).logits, logits.slice(8990));
    });
    test('f32 data give f32 results, near those of f64', () => {
      const single = net.predict(Float32Array.from(x));
      expect(single.logits).toBeInstanceOf(Float32Array);
      const { logits } = net.predict(x);
      single.logits.forEach((v, i) => {
        expect(v).toBeCloseTo(logits[i]!, 4);
      });
      const { losses } = net.sgd(Float32Array.from(x), y, { learningRate: 0.1 });
      const exact = net.sgd(x, y, { learningRate: 0.1 }).losses;
      expect(losses).toBeInstanceOf(Float64Array);
      losses.forEach((v, i) => {
        expect(v).toBeCloseTo(exact[i]!, 3);
      });
    });
    test('no rows: loss 0, no gradient, nothing predicted', () => {
      const { loss, logits, dV, dW } = net.lossGradient([], []);
      expect([loss, logits.length, dV.some(Boolean), dW.some(Boolean)]).toEqual([0, 0, false, false]);
    });

    const xor = [0, 0, 0, 1, 1, 0, 1, 1];
    const fitXor = (options: Partial<TwoLayerFitOptions> = {}, values: Float64Array | number[] = xor) =>
      TwoLayerClassifier.fit(values, [0, 1, 1, 0], {
        ...{ inputs: 2, hidden: 4, outputs: 1, validation: 0, learningRate: 0.1, maxIterations: 150, backend },
        ...options,
      });
    test('fit learns xor, the same for the same seed, and from where it was', async () => {
      const { model, report } = await fitXor();
      expect([...model.predict(xor).probabilities].map(Math.round)).toEqual([0, 1, 1, 0]);
      expect(report.logLikelihood).toBeCloseTo(-model.loss(xor, [0, 1, 1, 0]), 9);
      const other = (await fitXor()).model;
      expectBits(other.parameters.V, model.parameters.V);
      expect((await fitXor({ seed: 1 })).model.parameters.V[0]).not.toBe(model.parameters.V[0]);
      for (const init of [model, model.parameters, { parameters: model.parameters }])
        expectBits((await fitXor({ init, maxIterations: 0 })).model.parameters.W, model.parameters.W);
    });
    test('a checkpoint goes on to the same bits', async () => {
      const saved: Uint8Array[] = [];
      const save = (bytes: Uint8Array) => void saved.push(bytes);
      const whole = await fitXor({ maxIterations: 20, checkpoint: { save } });
      const rest = await fitXor({ maxIterations: 20, checkpoint: { resume: saved[6]! } });
      expectBits(rest.model.parameters.V, whole.model.parameters.V);
      expect([...rest.report.history]).toEqual([...whole.report.history]);
      const wrong = fitXor({ hidden: 3, maxIterations: 20, checkpoint: { resume: saved[6]! } });
      await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'checkpoint' });
    });
    test('weights of the fit: a row of weight 2 is that row twice', async () => {
      const options = { inputs: 2, hidden: 3, outputs: 1, validation: 0, batch: 8, maxIterations: 5, backend };
      const a = await TwoLayerClassifier.fit(xor, [0, 1, 1, 0], { ...options, sampleWeights: [1, 1, 2, 1] });
      const twice = [...xor.slice(0, 6), ...xor.slice(4)];
      const b = await TwoLayerClassifier.fit(twice, [0, 1, 1, 1, 0], options);
      expect([...a.report.history].map((v) => expect.closeTo(v, 10))).toEqual([...b.report.history]);
    });
    test('an abort ends a fit, one class is warned of', async () => {
      const controller = new AbortController();
      const onProgress = () => controller.abort('enough');
      await expect(fitXor({ signal: controller.signal, onProgress })).rejects.toMatchObject({
        code: 'ABORTED',
        cause: 'enough',
      });
      const options = { inputs: 2, hidden: 2, outputs: 2, maxIterations: 2, validation: 0, backend };
      const { report } = await TwoLayerClassifier.fit(xor, [1, 0, 1, 1, 1, 0, 1, 1], options);
      expect(report.warnings.join()).toContain('output 0 is 1 in every target');
    });
    test('calibrate leaves the logits, and never makes the loss worse', () => {
      const { model, report } = net.calibrate(x, y);
      expectBits(model.predict(x).logits, net.predict(x).logits);
      expect(report.negativeLogLikelihood.after).toBeLessThanOrEqual(report.negativeLogLikelihood.before);
      expect(model.loss(x, y)).toBeCloseTo(report.negativeLogLikelihood.after * n * outputs, 9);
      expect(model.temperature).toBe(report.temperature);
      const read = TwoLayerClassifier.fromBytes(model.toBytes(), { backend });
      expectBits(read.predict(x).probabilities, model.predict(x).probabilities);
      expect(model.sgd(x, y, { learningRate: 0.1 }).model.temperature).toBe(1);
    });
    test('diverged: sgd and fit say so', async () => {
      const wild = new TwoLayerClassifier({ V: [[1, 0]], W: [[1e300, 0]] }, { backend });
      expect(refusal(() => wild.sgd([1, 1, 1], [0, 0, 0], { learningRate: 1e10 })).code).toBe('DIVERGED');
      await expect(fitXor({ learningRate: 1e308, clip: 0 })).rejects.toMatchObject({ code: 'DIVERGED' });
    });
  });

describe('files and errors', () => {
  const net = new TwoLayerClassifier(parameters, {
    columns: ['a', 'b', 'c', 'd', 'e', 'f'],
    labels: ['north', 'south', 'west'],
  });
  test('a file brings everything back', () => {
    const read = loadModel(net.toBytes()) as TwoLayerClassifier;
    expect(read.kind).toBe('two-layer-classifier');
    expectBits(read.parameters.V, parameters.V);
    expectBits(read.parameters.W, parameters.W);
    expect([read.columns, read.labels, read.temperature]).toEqual([net.columns, net.labels, 1]);
    expect([read.inputs, read.hidden, read.outputs, read.parameterCount]).toEqual([6, 5, 3, 35 + 18]);
  });
  test('a file cut anywhere is refused', () => {
    const bytes = net.toBytes();
    for (let end = 0; end < bytes.length; end += 7)
      expect(refusal(() => TwoLayerClassifier.fromBytes(bytes.slice(0, end))).code).toBe('FORMAT');
  });
  const bad: Record<string, [() => unknown, Partial<SeqlikError>]> = {
    'a target above 1': [
      () =>
        net.loss(
          x,
          y.map((v, i) => (i === 4 ? 1.5 : v)),
        ),
      { code: 'INVALID_ARGUMENT', argument: 'y', row: 1, column: 1, value: 1.5 },
    ],
    'a target that is not a number': [
      () =>
        net.loss(
          x,
          y.map((v, i) => (i === 4 ? Number.NaN : v)),
        ),
      { code: 'NON_FINITE', argument: 'y', row: 1, column: 1 },
    ],
    'more rows than targets': [() => net.loss(x, y.subarray(3)), { code: 'DIMENSION_MISMATCH', argument: 'y' }],
    'rows of another width': [() => net.predict([[1, 2]]), { code: 'DIMENSION_MISMATCH', argument: 'x' }],
    'an infinite input': [() => net.predict(x.map((v, i) => (i === 7 ? 1 / 0 : v))), { code: 'NON_FINITE', row: 1 }],
    'flat matrices without a size': [
      () => new TwoLayerClassifier({ V: parameters.V, W: parameters.W }),
      { code: 'INVALID_ARGUMENT', argument: 'hidden' },
    ],
    'W without a bias': [
      () => new TwoLayerClassifier({ V: [[1, 0]], W: [[1]] }),
      { code: 'DIMENSION_MISMATCH', argument: 'W' },
    ],
    'V without an input': [
      () => new TwoLayerClassifier({ V: [[1]], W: [[1, 1]] }),
      { code: 'DIMENSION_MISMATCH', argument: 'V' },
    ],
    'no outputs': [() => new TwoLayerClassifier({ V: [[1, 0]], W: [] }), { code: 'DIMENSION_MISMATCH', argument: 'W' }],
    'an infinite weight': [
      () => new TwoLayerClassifier({ V: [[1, 1 / 0]], W: [[1, 1]] }),
      { code: 'NON_FINITE', argument: 'V' },
    ],
    'logits that overflow': [
      () => new TwoLayerClassifier({ V: [[1, 0]], W: [[1e308, 1e308]] }).predict([20]),
      { code: 'NON_FINITE', row: 0 },
    ],
    'a row that is not there': [
      () => net.sgd(x, y, { order: [0, n], learningRate: 1 }),
      { code: 'INVALID_ARGUMENT', argument: 'order' },
    ],
    'no learning rate': [() => net.sgd(x, y, {} as never), { code: 'INVALID_ARGUMENT', argument: 'learningRate' }],
    'no targets to calibrate on': [() => net.calibrate([], []), { code: 'EMPTY_INPUT', argument: 'y' }],
  };
  test.each(Object.entries(bad))('%s', (_, [call, expected]) => {
    const error = refusal(call);
    expect(error).toBeInstanceOf(SeqlikError);
    expect(error).toMatchObject(expected);
  });
  test('a disposed classifier', () => {
    const other = new TwoLayerClassifier(parameters);
    other.predict(x);
    other.dispose();
    expect(refusal(() => other.predict(x)).code).toBe('DISPOSED');
    expect(refusal(() => other.sgd(x, y, { learningRate: 1 })).code).toBe('DISPOSED');
  });
});
