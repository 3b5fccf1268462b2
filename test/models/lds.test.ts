/** Linear dynamical systems: direct conditioning, identities, EM, values from outside, extremes, errors. */
import { describe, expect, test } from 'vitest';
import {
  LinearDynamicalSystem,
  loadModel,
  type ParameterName,
  SeqlikError,
  type SystemParameters,
  SystemStatistics,
} from '../../src/index.ts';
import { backends, wasm } from '../support/backends.ts';
import { expectBits, refusal } from '../support/models.ts';
import { drawn, joint, level, nile } from './lds-reference.ts';

const names: readonly ParameterName[] = [
  'transition',
  'observation',
  'transitionCovariance',
  'observationCovariance',
  'initialMean',
  'initialCovariance',
];
const expectNear = (got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 1e-10): void => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++)
    expect(Math.abs(got[i]! - want[i]!), `[${i}] ${got[i]} ${want[i]}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(want[i]!)),
    );
};
const withGaps = (x: Float64Array): Float64Array => x.map((v, i) => (i % 5 === 1 || (i > 6 && i < 10) ? NaN : v));
const gaps = { missing: 'nan' } as const;

describe.each(backends.map((backend) => [`${backend.name} ${backend.isa}`, backend] as const))('%s', (_, backend) => {
  const on = { backend };

  test.each([
    [1, 1, 3],
    [2, 2, 4],
    [3, 2, 5],
    [2, 3, 4],
  ])('latent %d, observed %d, %d rows: the smoother is direct conditioning of the joint Gaussian', (m, d, T) => {
    const parameters = drawn(m, d, 7 * m + d);
    const system = new LinearDynamicalSystem(parameters, on);
    for (const y of [system.sample(T, { seed: 1 }), withGaps(system.sample(T, { seed: 2 }))]) {
      const want = joint(system.parameters as never, m, d, y);
      const { means, covariances, lagOneCovariances, logLikelihood } = system.smooth(y, gaps);
      expect(logLikelihood).toBeCloseTo(want.logLikelihood, 9);
      expectNear(means, want.means);
      expectNear(covariances, want.covariances);
      expectNear(lagOneCovariances, want.lagOne);
    }
  });

  test('step gives the numbers of filter, over the pieces of a long sequence, too', () => {
    for (const [m, d, T] of [
      [1, 1, 9100],
      [3, 2, 3000],
      [8, 8, 2000],
      [9, 2, 300],
    ] as const) {
      const system = new LinearDynamicalSystem(drawn(m, d, 5), on);
      const y = system.sample(T, { seed: 3 });
      for (let i = 0; i < y.length; i += 17) y[i] = Number.NaN;
      const whole = system.filter(y, gaps);
      let state = system.start();
      for (let t = 0; t < T; t++) {
        const stepped = system.step(structuredClone(state), y.subarray(t * d, (t + 1) * d), gaps);
        if (stepped.logDensity !== whole.logDensity[t])
          expect(stepped.logDensity, `row ${t}`).toBe(whole.logDensity[t]);
        state = stepped.state;
      }
      expectBits(state.mean, whole.means.slice(-m));
      expectBits(state.covariance, whole.covariances.slice(-m * m));
      expect(whole.state).toEqual(state);
    }
  });

  test('one sequence, several, ragged, nested and asynchronous are the same data', async () => {
    const system = new LinearDynamicalSystem(drawn(2, 2, 11), on);
    const lengths = [5, 0, 1, 9];
    const values = system.sample(15, { seed: 4 });
    let at = 0;
    const each = lengths.map((T) => values.slice(2 * at, 2 * (at += T)));
    const nested = each.map((x) => Array.from({ length: x.length / 2 }, (_, t) => [...x.subarray(2 * t, 2 * t + 2)]));
    const whole = system.filter({ values, lengths });
    for (const other of [each, nested]) expect(system.filter(other)).toEqual(whole);
    expect(await system.filterAsync(each)).toEqual(whole);
    expect(await system.smoothAsync(each)).toEqual(system.smooth({ values, lengths }));
    expect(await system.logDensityAsync(each)).toEqual(whole.logDensity);
    const alone = each.map((x) => system.filter(x));
    expectBits(whole.means, Float64Array.from(alone.flatMap(({ means }) => [...means])));
    expectBits(whole.logDensity, Float64Array.from(alone.flatMap(({ logDensity }) => [...logDensity])));
    expect(whole.state).toEqual(alone.map(({ state }) => state));
    expect([...system.logLikelihoods(each)]).toEqual(alone.map(({ logLikelihood }) => logLikelihood));
    const last = system.filter({ values, lengths }, { store: 'last' });
    expect([...last.means.subarray(2, 4)]).toEqual([...system.parameters.initialMean]); // the sequence without rows
    expect([...last.means.subarray(6)]).toEqual([...whole.means.subarray(-2)]);
    expect([...last.predictedCovariances.subarray(12)]).toEqual([...whole.predictedCovariances.subarray(-4)]);
    const none = system.filter({ values, lengths }, { store: 'none' });
    expect(none).toMatchObject({ logDensity: whole.logDensity, state: whole.state, means: { length: 0 } });
    const lagged = system.smooth({ values, lengths }).lagOneCovariances;
    expect(lagged).toHaveLength((4 + 8) * 4);
    expectBits(lagged.slice(16), system.smooth(each[3]!).lagOneCovariances);
  });

  test('f32 data are the same data, and give f32 results', () => {
    const system = new LinearDynamicalSystem(drawn(2, 1, 3), on);
    const y = Float32Array.from(system.sample(20));
    const { means, logDensity } = system.filter(y);
    const wide = system.filter(Float64Array.from(y));
    expect(means).toEqual(Float32Array.from(wide.means));
    expect(logDensity).toEqual(Float32Array.from(wide.logDensity));
    expect(system.forecast(y, 2).means).toEqual(Float32Array.from(system.forecast(Float64Array.from(y), 2).means));
  });

  test('the gradient is that of finite differences', () => {
    for (const tied of [false, true]) {
      const parameters = drawn(2, 2, 21, tied);
      const system = new LinearDynamicalSystem(parameters, on);
      const y = withGaps(system.sample(12, { seed: 9 }));
      const got = system.logLikelihoodGradient(y, gaps) as unknown as Record<string, Float64Array>;
      for (const name of names) {
        if (tied && name === 'initialCovariance') continue;
        const values = Float64Array.from(parameters[name] as number[]);
        const n = Math.sqrt(values.length);
        const gradient = got[`d${name[0]!.toUpperCase()}${name.slice(1)}`]!;
        for (let i = 0; i < values.length; i++) {
          const h = 1e-5;
          const at = (sign: number): number => {
            const moved = values.slice();
            moved[i]! += sign * h;
            const [row, column] = [Math.floor(i / n), i % n];
            if (name.endsWith('Covariance') && row !== column) moved[column * n + row]! += sign * h;
            return new LinearDynamicalSystem({ ...parameters, [name]: moved }, on).logLikelihood(y, gaps);
          };
          const twice = name.endsWith('Covariance') && Math.floor(i / n) !== i % n ? 2 : 1;
          expect((at(1) - at(-1)) / (2 * h), `${name}[${i}]`).toBeCloseTo(twice * gradient[i]!, 4);
        }
      }
    }
  });

  test.each([1, 7, 64])('statistics of whole shards of %d merge to the same bits, and survive a file', (shardSize) => {
    const system = new LinearDynamicalSystem(drawn(2, 2, 31), on);
    const lengths = Array.from({ length: 150 }, (_, s) => (s === 70 ? 9000 : s % 6));
    const values = withGaps(system.sample(lengths.reduce((a, b) => a + b)));
    const how = { ...gaps, ...(shardSize < 64 && { shardSize }) };
    const all = system.statistics({ values, lengths }, how);
    const start = (s: number): number => 2 * lengths.slice(0, s).reduce((a, b) => a + b, 0);
    const parts = Array.from({ length: Math.ceil(150 / shardSize) }, (_, i) => {
      const [s, end] = [i * shardSize, (i + 1) * shardSize];
      const part = { values: values.subarray(start(s), start(end)), lengths: lengths.slice(s, end) };
      return SystemStatistics.fromBytes(system.statistics(part, how).toBytes());
    });
    const merged = parts.reduce((one, other) => one.merge(other));
    expect(merged.rows).toBe(all.rows);
    expect(merged.sequences).toBe(all.sequences);
    expect(merged.logLikelihood).toBe(all.logLikelihood);
    const updated = system.update(merged).parameters;
    for (const name of names) expectBits(updated[name]!, system.update(all).parameters[name]!);
    const other = new LinearDynamicalSystem(drawn(2, 2, 32), on);
    expect(refusal(() => other.update(all))).toMatchObject({ code: 'INVALID_ARGUMENT', argument: 'statistics' });
    expect(refusal(() => all.merge(other.statistics([[1, 2]])))).toMatchObject({ argument: 'other' });
  });

  test('a file holds the model', () => {
    for (const tied of [false, true]) {
      const system = new LinearDynamicalSystem(drawn(2, 3, 41, tied), {
        ...on,
        columns: ['a', 'b', 'c'],
        sequenceColumn: 'day',
      });
      const read = loadModel(system.toBytes(), on) as LinearDynamicalSystem;
      expect(read.parameters).toEqual(system.parameters);
      expect(read.columns).toEqual(['a', 'b', 'c']);
      expect(read.sequenceColumn).toBe('day');
      expect(read.update(read.statistics([[1, 2, 3]]), { update: [] }).sequenceColumn).toBe('day');
      expect(read.tied).toBe(tied);
    }
  });

  test('covariances stay symmetric and positive definite over 100,000 steps of hard models', () => {
    const T = backend.name === 'wasm' ? 20_000 : 100_000;
    const stiff = { ...drawn(4, 2, 51), transitionCovariance: diagonal([1, 1e-3, 1e-6, 1e-8]) };
    const hard: Record<string, SystemParameters> = {
      stiff: { ...stiff, observationCovariance: diagonal([1, 1e-8]) },
      diffuse: { ...drawn(4, 2, 52), initialCovariance: diagonal([1e9, 1e9, 1e9, 1e9]) },
      'nearly deterministic': {
        ...drawn(4, 2, 53),
        transition: rotation(0.1, 0.3),
        transitionCovariance: diagonal([1e-12, 1e-12, 1e-12, 1e-12]),
      },
    };
    for (const [name, parameters] of Object.entries(hard)) {
      const system = new LinearDynamicalSystem(parameters, on);
      const y = new LinearDynamicalSystem(drawn(4, 2, 54), on).sample(T, { seed: 1 });
      for (const { covariances } of [system.filter(y), system.smooth(y)])
        for (let t = 0; t < T; t += 997) {
          const P = covariances.subarray(t * 16, (t + 1) * 16);
          for (let i = 0; i < 4; i++) for (let j = 0; j < i; j++) expect(P[i * 4 + j]).toBe(P[j * 4 + i]);
          expect(isDefinite(P, 4), `${name}, row ${t}`).toBe(true);
        }
    }
  });
  test('a system that explodes is refused by the row, and never gives NaN', () => {
    const system = new LinearDynamicalSystem({ ...level(1, 1), transition: [1e20] }, on);
    const error = refusal(() => system.filter(new Float64Array(50).fill(Number.NaN), gaps));
    expect(error).toMatchObject({ code: 'NON_FINITE', argument: 'y' });
    expect(error.row).toBeGreaterThan(0);
    expect(refusal(() => system.sample(50))).toMatchObject({ code: 'NON_FINITE', argument: 'parameters' });
    expect(refusal(() => system.forecast([1], 50))).toMatchObject({ code: 'NON_FINITE', argument: 'parameters' });
  });

  test('the Nile: filter, smoother, forecast (values from outside)', () => {
    const system = new LinearDynamicalSystem(level(1469.1, 15099), on);
    const { means, covariances, predictedCovariances } = system.filter(nile);
    expectNear([means[0]!, covariances[0]!], [1118.311462, 15076.2364], 1e-8);
    expectNear([predictedCovariances[99]!, covariances[99]!], [5501.257942, 4032.157942], 1e-9);
    const smoothed = system.smooth(nile);
    expectNear(
      [smoothed.means[0]!, smoothed.means[28]!, smoothed.means[99]!],
      [1111.220258, 950.930012, 798.370293],
      1e-8,
    );
    expectNear([smoothed.covariances[0]!], [4030.5328], 1e-7);
    const { observationCovariances: S } = system.forecast(nile, 30);
    expectNear([S[0]!, S[29]!], [20600.2579, 63204.1579], 1e-8);
  });
});

const isDefinite = (P: ArrayLike<number>, n: number): boolean => {
  const L = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let s = P[i * n + j]!;
      for (let p = 0; p < j; p++) s -= L[i * n + p]! * L[j * n + p]!;
      if (i === j && !(s > 0)) return false;
      L[i * n + j] = i === j ? Math.sqrt(s) : s / L[j * n + j]!;
    }
  return true;
};
function diagonal(values: readonly number[]): number[] {
  return values.flatMap((v, i) => values.map((_, j) => (i === j ? v : 0)));
}
function rotation(...angles: number[]): number[][] {
  return angles.flatMap((angle, k) =>
    [
      [Math.cos(angle), -Math.sin(angle)],
      [Math.sin(angle), Math.cos(angle)],
    ].map((row) => angles.flatMap((_, j) => (j === k ? row : [0, 0]))),
  );
}

describe('fit', () => {
  const update = ['transitionCovariance', 'observationCovariance'] as const;
  const free = { init: level(5000, 5000), update, maxIterations: 2000 };
  test('the Nile converges to the values from outside, at each tolerance', async () => {
    for (const [tolerance, r, q, iterations] of [
      [1e-6, 14807.2, 1664.5, 80],
      [1e-8, 15069.4, 1488.1, 164],
      [1e-12, 15099.4, 1468.7, 339],
    ] as const) {
      const { model, report } = await LinearDynamicalSystem.fit(nile, { ...free, tolerance });
      expectNear(model.parameters.observationCovariance, [r], 1e-5);
      expectNear(model.parameters.transitionCovariance, [q], 1e-4);
      expect(report.evaluations).toBe(iterations);
      expect(report).toMatchObject({ converged: true, iterations: iterations - 1, warnings: [] });
      expect(report.relativeGain).toBeLessThan(tolerance);
      expect(report.relativeChange).toBeGreaterThan(report.relativeGain);
      expect(report.history).toHaveLength(iterations);
    }
    const missing = nile.map((v, i) => ((i >= 20 && i < 40) || (i >= 60 && i < 80) ? Number.NaN : v));
    const { model } = await LinearDynamicalSystem.fit(missing, { ...free, ...gaps, tolerance: 1e-13 });
    expectNear(model.parameters.observationCovariance, [17902.16], 2e-4);
    expectNear(model.parameters.transitionCovariance, [685.01], 2e-3);
    expect(model.logLikelihood(missing, gaps)).toBeCloseTo(-389.046627, 5);
  });
  test('squarem takes at most 60 E steps to four digits, and never falls', async () => {
    const { model, report } = await LinearDynamicalSystem.fit(nile, {
      ...free,
      tolerance: 1e-11,
      acceleration: 'squarem',
    });
    expectNear(model.parameters.transitionCovariance, [1468.5006], 1e-4);
    expect(report.evaluations).toBeLessThanOrEqual(60);
    expect(isRising(report.history)).toBe(true);
    const wide = new LinearDynamicalSystem(drawn(3, 2, 5)).sample(80, { seed: 8 });
    const options = { latent: 3, dimension: 2, maxIterations: 60, tolerance: 0 } as const;
    const fast = await LinearDynamicalSystem.fit(wide, { ...options, acceleration: 'squarem' });
    const plain = await LinearDynamicalSystem.fit(wide, options);
    expect(isRising(fast.report.history)).toBe(true);
    expect(fast.report.logLikelihood).toBeGreaterThan(plain.report.logLikelihood);
  });
  const isRising = (history: Float64Array): boolean =>
    history.every((v, i) => i === 0 || v - history[i - 1]! >= -1e-10 * (1 + Math.abs(v)));

  test('EM never falls for any set of parameters, also with one observation followed by years of gaps', async () => {
    const far = new Float64Array(60).fill(Number.NaN);
    far.set([1.5, -0.5]);
    const truth = new LinearDynamicalSystem(drawn(2, 2, 61));
    const data = {
      complete: truth.sample(15, { seed: 1 }),
      gaps: withGaps(truth.sample(20, { seed: 2 })),
      'one observation': far,
      several: { values: truth.sample(12, { seed: 3 }), lengths: [5, 0, 1, 6] },
    };
    for (const tied of [false, true])
      for (let set = 1; set < 64; set++) {
        const chosen = names.filter((_, i) => (set >> i) & 1);
        for (const [name, y] of Object.entries(data)) {
          const { report } = await LinearDynamicalSystem.fit(y, {
            ...{ init: drawn(2, 2, 62, tied), update: chosen, maxIterations: 4, tolerance: 0, backend: wasm },
            ...gaps,
          });
          expect(isRising(report.history), `${name}, tied ${tied}, ${chosen}: ${report.history}`).toBe(true);
        }
      }
  });
  test('structures and floors hold, and EM still never falls', async () => {
    const y = new LinearDynamicalSystem(drawn(2, 2, 71)).sample(60, { seed: 1 });
    for (const form of ['diagonal', 'scalar'] as const) {
      const structure = { transitionCovariance: form, observationCovariance: form };
      const { model, report } = await LinearDynamicalSystem.fit(y, { latent: 2, dimension: 2, structure });
      const { transitionCovariance: Q, observationCovariance: R } = model.parameters;
      expect([Q[1], Q[2], R[1], R[2]]).toEqual([0, 0, 0, 0]);
      expect(Q[0] === Q[3] && R[0] === R[3]).toBe(form === 'scalar');
      expect(isRising(report.history)).toBe(true);
    }
    const { model, report } = await LinearDynamicalSystem.fit(y, { latent: 2, dimension: 2, floor: 0.9 });
    expect(isRising(report.history)).toBe(true);
    for (const name of ['transitionCovariance', 'observationCovariance', 'initialCovariance'] as const) {
      const S = model.parameters[name]!.map((v, at) => (at % 3 === 0 ? v - 0.9 + 1e-9 : v));
      expect(isDefinite(S, 2), name).toBe(true);
    }
  });
  test('from the subspace start EM reaches the likelihood of the truth in 18 of 20 systems', async () => {
    let reached = 0;
    for (let k = 0; k < 20; k++) {
      const [m, d] = [2 + (k % 5), 1 + (k % 3)];
      const truth = new LinearDynamicalSystem(drawn(m, d, 100 + k));
      const y = truth.sample(500, { seed: k });
      const { report } = await LinearDynamicalSystem.fit(y, { latent: m, dimension: d });
      if (report.logLikelihood >= truth.logLikelihood(y)) reached++;
      expect(report.singularValues!.length).toBeGreaterThanOrEqual(m);
    }
    expect(reached).toBeGreaterThanOrEqual(18);
  }, 60_000);
  test('the same seed gives the same result for any number of threads, and restarts keep the best', async () => {
    const y = new LinearDynamicalSystem(drawn(2, 1, 81)).sample(100, { seed: 1 });
    const options = { latent: 2, maxIterations: 10, restarts: 3, seed: 5 };
    const first = await LinearDynamicalSystem.fit(y, options);
    const again = await LinearDynamicalSystem.fit(y, options);
    expect(again.model.parameters).toEqual(first.model.parameters);
    const one = await LinearDynamicalSystem.fit(y, { ...options, restarts: 1 });
    expect(first.report.logLikelihood).toBeGreaterThanOrEqual(one.report.logLikelihood);
  });
  test('an abort ends it, with the reason', async () => {
    const y = new Float64Array(5000).map((_, i) => Math.sin(i));
    const stop = new AbortController();
    const endless = { latent: 3, tolerance: 0, maxIterations: 1e9, signal: stop.signal };
    const fit = LinearDynamicalSystem.fit(y, endless);
    setTimeout(() => stop.abort('enough'), 30);
    await expect(fit).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await expect(
      new LinearDynamicalSystem(level(1, 1)).smoothAsync(y, { signal: AbortSignal.abort('no') }),
    ).rejects.toMatchObject({ code: 'ABORTED', cause: 'no' });
  });
});

describe('errors', () => {
  const good = level(1, 1);
  const pair = { transition: [1, 0, 0, 1], observation: [1, 1], initialMean: [0, 0], initialCovariance: [1, 0, 0, 1] };
  test.each([
    [{ ...good, observationCovariance: [0] }, 'NOT_POSITIVE_DEFINITE', 'observationCovariance', /small variance.*1e-8/],
    [{ ...good, transitionCovariance: [0] }, 'NOT_POSITIVE_DEFINITE', 'transitionCovariance', /small variance/],
    [{ ...good, initialCovariance: [-1] }, 'NOT_POSITIVE_DEFINITE', 'initialCovariance', /pivot 0 is -1/],
    [
      { ...good, observation: [1, 2, 3], observationCovariance: [1] },
      'DIMENSION_MISMATCH',
      'observationCovariance',
      /1/,
    ],
    [{ ...good, initialMean: [1, 2] }, 'DIMENSION_MISMATCH', 'initialMean', /2 values/],
    [
      { ...good, ...pair, transitionCovariance: [1, 0.5, 0, 1] },
      'NOT_SYMMETRIC',
      'transitionCovariance',
      /transpose by 0.5/,
    ],
    [{ ...good, transition: [Number.NaN] }, 'NON_FINITE', 'transition', /NaN/],
    [{ ...good, transition: [] }, 'INVALID_ARGUMENT', 'transition', /empty/],
  ])('of parameters %#', (parameters, code, at, message) => {
    const error = refusal(() => new LinearDynamicalSystem(parameters as SystemParameters));
    expect(error).toMatchObject({ code });
    expect(error.which ?? error.argument).toBe(at);
    expect(error.message).toMatch(message);
  });
  test('no rows, one row, nothing observed', async () => {
    const system = new LinearDynamicalSystem(good);
    expect(system.logLikelihood([])).toBe(0);
    expect(system.smooth([]).lagOneCovariances).toHaveLength(0);
    expect(system.forecast([], 1).means[0]).toBe(0);
    expect(system.smooth([3]).lagOneCovariances).toHaveLength(0);
    expect(system.logDensity([Number.NaN, Number.NaN], gaps)).toEqual(Float64Array.of(0, 0));
    expect(refusal(() => system.update(system.statistics([])))).toMatchObject({ code: 'EMPTY_INPUT' });
    for (const y of [[], [Number.NaN]])
      await expect(LinearDynamicalSystem.fit(y, { latent: 1, ...gaps })).rejects.toMatchObject({ code: 'EMPTY_INPUT' });
    const { parameters } = system.update(system.statistics([3]));
    expect(parameters.transition[0]).toBe(1); // nothing was seen of transitions
    expect(parameters.transitionCovariance[0]).toBe(1);
    expect(refusal(() => system.logDensity([1, Number.NaN]))).toMatchObject({
      code: 'NON_FINITE',
      row: 1,
      argument: 'y',
    });
    expect(refusal(() => system.bic([]))).toMatchObject({ code: 'EMPTY_INPUT' });
    expect(refusal(() => system.forecast([[[1]], [[2]]], 1))).toMatchObject({ code: 'DIMENSION_MISMATCH' });
    expect(refusal(() => system.step(system.start(), [1, 2]))).toMatchObject({ code: 'DIMENSION_MISMATCH' });
    system.dispose();
    expect(refusal(() => system.logDensity([1]))).toMatchObject({ code: 'DISPOSED' });
    expect(SeqlikError).toBeDefined();
  });
});
test.each([
  [
    'more states than the data show',
    Float64Array.of(1, 2, 3),
    5,
    'NOT_POSITIVE_DEFINITE',
    /\.fit: the \w+Covariance of iteration \d+ .*; a floor/,
  ],
  ['nothing but zeros', new Float64Array(50), 1, 'NOT_POSITIVE_DEFINITE', /Covariance of iteration \d+ .*; a floor/],
  [
    'squares that overflow',
    Float64Array.of(1e200, -2e200, 3e200, -1e200, 2e200),
    1,
    'NON_FINITE',
    /overflows: divide y/,
  ],
])('a fit to %s says what helps', async (_, y, latent, code, message) => {
  await expect(LinearDynamicalSystem.fit(y, { latent })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  if (code === 'NOT_POSITIVE_DEFINITE') {
    const { model } = await LinearDynamicalSystem.fit(y, { latent, floor: 1e-3 });
    expect(model.logLikelihood(y)).toBeGreaterThan(-100);
  }
});
describe('what a model tells of itself', () => {
  test('eigenvalues and what observations do not show', () => {
    const parameters = { ...drawn(4, 1, 91), transition: rotation(0.5, 2), observation: [1, 0, 0, 0] };
    const system = new LinearDynamicalSystem(parameters);
    const { real, imaginary } = system.eigenvalues();
    expectNear([...real].sort(), [...[0.5, 0.5, 2, 2].map(Math.cos)].sort(), 1e-12);
    expectNear([...imaginary].map(Math.abs).sort(), [0.5, 0.5, 2, 2].map(Math.sin).sort(), 1e-12);
    const { rank, unobservable } = system.observability();
    expect(rank).toBe(2);
    expect(unobservable).toHaveLength(8);
    for (const i of [0, 1, 4, 5]) expect(Math.abs(unobservable[i]!)).toBeLessThan(1e-12);
  });
});
