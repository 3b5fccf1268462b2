/** The continuous-time network on every backend: closed forms, differences, identities, bad input. */
import { describe, expect, test } from 'vitest';
import { ContinuousRNN, SeqlikError } from '../../src/index.ts';
import { uniform } from '../support/cases.ts';
import { invert, range, titled } from '../support/models.ts';

const d = 3;
const steps = 7;
function draw(length: number, seed: number): Float64Array {
  const random = uniform(seed);
  return Float64Array.from({ length }, random);
}
const parameters = { W: draw(d * d, 1), b: draw(d, 2), alpha: 0.3 };
const x0 = draw(d, 3);
const g = draw((steps + 1) * d, 4);
const h = 1e-6;

describe.each(titled)('%s', (_, backend) => {
  const made = (change: object = {}) => new ContinuousRNN({ ...parameters, ...change }, { backend });
  const network = made();
  const loss = (net: ContinuousRNN, start: Float64Array): number =>
    net.run(start, steps).x.reduce((sum, v, i) => sum + v * g[i]!, 0);
  const moved = (values: Float64Array, i: number, by: number): Float64Array =>
    values.map((v, at) => (at === i ? v + by : v));

  test('the gradient is that of differences', () => {
    const { dx0, db, dW } = network.lossGradient(x0, g);
    const slope = (f: (by: number) => number): number => (f(h) - f(-h)) / (2 * h);
    for (const i of range(d)) {
      expect(dx0[i]).toBeCloseTo(
        slope((by) => loss(network, moved(x0, i, by))),
        7,
      );
      expect(db[i]).toBeCloseTo(
        slope((by) => loss(made({ b: moved(parameters.b, i, by) }), x0)),
        7,
      );
    }
    for (const i of range(d * d))
      expect(dW[i]).toBeCloseTo(
        slope((by) => loss(made({ W: moved(parameters.W, i, by) }), x0)),
        7,
      );
  });
  test('total sensitivities weighted by the cotangents are the adjoint gradient', () => {
    const { dxdx0, dxdb, dxdW } = network.sensitivities(x0, steps);
    const { dx0, db, dW } = network.lossGradient(x0, g);
    for (const [S, want, own] of [
      [dxdx0, dx0, g],
      [dxdb, db, []],
      [dxdW, dW, []],
    ] as const)
      for (const c of range(want.length)) {
        let sum = own[c] ?? 0;
        for (const t of range(steps))
          for (const i of range(d)) sum += g[(t + 1) * d + i]! * S[(t * d + i) * want.length + c]!;
        expect(sum).toBeCloseTo(want[c]!, 12);
      }
  });
  test('Jacobians and partials are those of one step', () => {
    const { J, dxdb, dxdW } = network.jacobians(x0, steps, { partials: true });
    const { x } = network.run(x0, steps);
    const t = 4;
    const before = x.slice(t * d, (t + 1) * d);
    const one = (net: ContinuousRNN, from: Float64Array, i: number): number => net.run(from, 1).x[d + i]!;
    for (const i of range(d))
      for (const j of range(d)) {
        const slope = (f: (by: number) => number): number => (f(h) - f(-h)) / (2 * h);
        const at = (t * d + i) * d + j;
        expect(J[at]).toBeCloseTo(
          slope((by) => one(network, moved(before, j, by), i)),
          8,
        );
        expect(dxdb![at]).toBeCloseTo(
          slope((by) => one(made({ b: moved(parameters.b, j, by) }), before, i)),
          8,
        );
        for (const l of range(d))
          expect(dxdW![at * d + l]).toBeCloseTo(
            slope((by) => one(made({ W: moved(parameters.W, j * d + l, by) }), before, i)),
            8,
          );
      }
  });
  test('the sum of log R of the chain is the sum of log |det J|', () => {
    const { J } = network.jacobians(x0, 60);
    const rows = (t: number): number[][] => range(d).map((i) => [...J.slice((t * d + i) * d, (t * d + i + 1) * d)]);
    let [logR, logDet] = [0, 0];
    let Q = range(d).map((i) => range(d).map((j) => Number(i === j))); // rows are the orthonormal columns
    for (const t of range(60)) {
      const step = rows(t);
      logDet += Math.log(Math.abs(invert(step).determinant));
      const next: number[][] = [];
      for (const column of Q) {
        const v = step.map((row) => row.reduce((sum, a, j) => sum + a * column[j]!, 0));
        for (const q of next) {
          const part = q.reduce((sum, a, j) => sum + a * v[j]!, 0);
          for (const j of range(d)) v[j]! -= part * q[j]!;
        }
        const size = Math.hypot(...v);
        logR += Math.log(size);
        next.push(v.map((a) => a / size));
      }
      Q = next;
    }
    expect(Math.abs(logR - logDet)).toBeLessThan(1e-10);
  });
  test('without weights: x[t] = tanh b + (1 - alpha)^t (x0 - tanh b), also for alpha > 2', () => {
    for (const alpha of [0.1, 1, 2.5]) {
      const { x } = made({ W: new Float64Array(d * d), alpha }).run(x0, 20);
      for (const t of range(21))
        for (const i of range(d)) {
          const rest = Math.tanh(parameters.b[i]!);
          const want = rest + (1 - alpha) ** t * (x0[i]! - rest);
          expect(Math.abs(x[t * d + i]! - want)).toBeLessThan(1e-11 * Math.max(1, Math.abs(want)));
        }
    }
  });
  test('f32, no steps, fresh parameters', () => {
    const single = network.run(Float32Array.from(x0), steps).x;
    expect(single).toBeInstanceOf(Float32Array);
    network.run(x0, steps).x.forEach((v, i) => {
      expect(single[i]).toBeCloseTo(v, 5);
    });
    expect(network.run(x0, 0)).toEqual({ x: x0, sech2: new Float64Array(0) });
    expect(network.lossGradient(x0, g.subarray(0, d)).dx0).toEqual(g.slice(0, d));
    network.parameters.W.fill(0);
    expect(network.parameters.W).toEqual(parameters.W);
    expect(network.parameterCount).toBe(12);
  });
  test.each([
    ['alpha', () => made({ alpha: 0 }), 'INVALID_ARGUMENT'],
    ['W', () => made({ W: [1, 2] }), 'DIMENSION_MISMATCH'],
    ['W', () => made({ W: draw(9, 1).fill(Number.NaN) }), 'NON_FINITE'],
    ['b', () => made({ W: [], b: [] }), 'EMPTY_INPUT'],
    ['x0', () => network.run([1], 2), 'DIMENSION_MISMATCH'],
    ['x0', () => network.run([1, Number.NaN, 1], 2), 'NON_FINITE'],
    ['x0', () => made({ alpha: 1e300 }).run(x0, 3), 'NON_FINITE'],
    ['steps', () => network.run(x0, -1), 'INVALID_ARGUMENT'],
    ['cotangents', () => network.lossGradient(x0, []), 'EMPTY_INPUT'],
    ['cotangents', () => network.lossGradient(x0, g, { steps: 3 }), 'DIMENSION_MISMATCH'],
  ] as const)('refuses a wrong %s', (argument, call, code) => {
    let error: unknown;
    try {
      call();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SeqlikError);
    expect(error).toMatchObject({ code, argument });
  });
});
