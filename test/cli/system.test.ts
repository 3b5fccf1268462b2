/** Linear dynamical systems on the command line: the same as the library, to the bit. */
import { readFileSync } from 'node:fs';
import { DOMParser } from 'linkedom';
import { beforeAll, describe, expect, test } from 'vitest';
import { halfWidth } from '../../src/cli/forecast/interval.ts';
import { LinearDynamicalSystem, loadModel, openBackend } from '../../src/index.ts';
import { hasNative } from '../support/models.ts';
import { Folder, seqlik } from './run.ts';

const folder = new Folder();
const backend = openBackend({ name: 'wasm' });
const ok = async (args: readonly string[], surroundings: Parameters<typeof seqlik>[1] = {}): Promise<string> => {
  const { code, stdout, stderr } = await seqlik(args, surroundings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const lines = (text: string): string[] => text.split('\n').slice(0, -1);
const system = (path: string): LinearDynamicalSystem =>
  loadModel(readFileSync(path), { backend }) as LinearDynamicalSystem;

/** Three waves with gaps; the second has no height in its last rows. */
const days = ['mon', 'tue', 'wed'];
const lengths = [30, 20, 25];
const values = lengths.map((T, s) =>
  Array.from({ length: T }, (_, t) => [
    (t + s) % 7 === 3 || (s === 1 && t > 16) ? Number.NaN : Number(Math.sin(0.7 * t + s).toFixed(3)),
    t % 11 === 5 ? Number.NaN : Number((Math.cos(0.7 * t + s) + Math.sin(31 * t * t) / 5).toFixed(3)),
  ]),
);
const cell = (v: number): string => (Number.isNaN(v) ? '' : String(v));
const rows = values.flatMap((day, s) => day.map(([a, b], t) => `${t},${cell(b!)},${days[s]},${cell(a!)}`));
const data = folder.write('data.csv', `t,b,day,a\n${rows.join('\n')}\n`);
const alone = folder.write('alone.csv', `b,a\n${values[0]!.map(([a, b]) => `${cell(b!)},${cell(a!)}`).join('\n')}\n`);
const flat = (day: readonly (readonly number[])[]): Float64Array => Float64Array.from(day.flat());
const y = values.map(flat);
const gaps = { missing: 'nan' } as const;
const missing = values.flat(2).filter(Number.isNaN).length;
const model = folder.at('model.seqlik');
const settings = { latent: 2, maxIterations: 6, floor: 0.001, structure: 'diagonal' };
const words = Object.entries(settings).flatMap(([name, v]) => [
  `--${name === 'maxIterations' ? 'max-iterations' : name}`,
  `${v}`,
]);
const fit = [
  'fit',
  'linear-dynamical-system',
  data,
  '--columns',
  'a,b',
  '--sequence',
  'day',
  ...words,
  '--backend',
  'wasm',
];
const on = ['--backend', 'wasm'];

let report: Record<string, unknown>;
beforeAll(async () => {
  report = JSON.parse(await ok([...fit, '--json', '-o', model]));
});

test('fit is the fit of the library, with the column of the sequences in the file', async () => {
  const structure = { transitionCovariance: 'diagonal', observationCovariance: 'diagonal' } as const;
  const { model: own, report: course } = await LinearDynamicalSystem.fit(y, {
    ...{ latent: 2, maxIterations: 6, floor: 0.001, structure, dimension: 2 },
    ...{ columns: ['a', 'b'], sequenceColumn: 'day', ...gaps, backend },
  });
  expect(Buffer.from(own.toBytes())).toEqual(readFileSync(model));
  expect(report).toMatchObject({ sequences: 3, latent: 2, gaps: missing, logLikelihood: course.logLikelihood });
  expect(report['history']).toEqual([...course.history]);
  expect(report['singularValues']).toEqual([...course.singularValues!]);
});

describe('the sequences of the fit count in every command', () => {
  test('score', async () => {
    const out = await ok(['score', model, data, ...on]);
    expect(out).toBe(await ok(['score', model, data, '--sequence', 'day', ...on]));
    expect(lines(out)).toEqual(['logDensity', ...Array.from(system(model).logDensity(y, gaps), String)]);
    const one = lines(await ok(['score', model, data, '--sequence', '', ...on]));
    expect(one.slice(1)).toEqual(Array.from(system(model).logDensity(flat(values.flat()), gaps), String));
    const totals = system(model).logLikelihoods(y, gaps);
    const perSequence = lines(await ok(['score', model, data, '--per-sequence', ...on]));
    expect(perSequence.slice(1)).toEqual(days.map((day, s) => `${day},${lengths[s]},${totals[s]}`));
    const { code, stderr } = await seqlik(['score', model, alone, ...on]);
    expect({ code, stderr }).toEqual({
      code: 65,
      stderr: `seqlik: ${alone}: line 1: there is no column "day"; there are b and a: say --sequence ''\n`,
    });
  });
  test('inspect says so', async () => {
    const inspected = JSON.parse(await ok(['inspect', model, data, '--json', ...on]));
    const { real, imaginary } = system(model).eigenvalues();
    expect(inspected).toMatchObject({
      sequenceColumn: 'day',
      eigenvalues: Array.from(real, (re, i) => ({ real: re, imaginary: imaginary[i] })),
      observability: { rank: 2, unobservable: [] },
      data: {
        sequences: 3,
        rows: 75,
        gaps: missing,
        logLikelihood: expect.closeTo(system(model).logLikelihood(y, gaps)),
      },
    });
    const told = await ok(['inspect', model, ...on]);
    expect(told).toMatch(/^sequences by the column day$/m);
    expect(told).toMatch(/^observations reveal every direction of the state$/m);
  });
  test('inspect tells what never shows, and what explodes', async () => {
    const blind = new LinearDynamicalSystem(
      {
        ...{ transition: [1.1, 0, 0, 0.5], observation: [0, 1], transitionCovariance: [4, 0, 0, 9] },
        ...{ observationCovariance: [0.25], initialMean: [0, 0] },
      },
      { columns: ['x'], backend },
    );
    const told = await ok(['inspect', folder.write('blind.seqlik', blind.toBytes()), ...on]);
    expect(told).toMatch(/^ *1\.1 +1\.1 +outside: explodes$/m);
    expect(told).toMatch(/^ *0\.5 +0\.5 +inside$/m);
    expect(told).toContain('state noise        2, 3 (standard deviations)\n');
    expect(told).toMatch(/^ *x +0\.5$/m);
    expect(told).toMatch(/^observations reveal 1 of 2 directions of the state; these never show:\n +-?1, -?0$/m);
  });
  test('forecast', async () => {
    const out = lines(await ok(['forecast', model, data, '--steps', '3', '--level', '0.8', ...on]));
    const z = halfWidth(0.8);
    const wanted = y.flatMap((day, s) => {
      const { observationMeans, observationCovariances } = system(model).forecast(day, 3, gaps);
      return [0, 1, 2].map((h) => {
        const cells = [0, 1].flatMap((j) => {
          const mean = observationMeans[2 * h + j]!;
          const half = z * Math.sqrt(observationCovariances[4 * h + 3 * j]!);
          return [mean, mean - half, mean + half];
        });
        return [days[s], h + 1, ...cells].join();
      });
    });
    expect(out).toEqual(['day,step,a,a_lower,a_upper,b,b_lower,b_upper', ...wanted]);
    const refused = await seqlik(['forecast', model, data, '--steps', '3', '--svg', folder.at('no.svg'), ...on]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--svg draws one sequence') });
    expect(folder.names()).not.toContain('no.svg');
  });
});

test('forecast draws the series, its smoothed mean, the forecast and their bands', async () => {
  const svg = folder.at('alone.svg');
  expect(await ok(['forecast', model, alone, '--sequence', '', '--steps', '8', '--svg', svg, ...on])).toBe('');
  const drawn = new DOMParser().parseFromString(readFileSync(svg, 'utf8'), 'image/svg+xml').documentElement!;
  expect(drawn.querySelectorAll('polygon').length).toBe(2 * 2);
  expect(drawn.querySelectorAll('polyline').length).toBe(2 * 2);
  const seen = y[0]!.filter((v) => !Number.isNaN(v)).length;
  expect(drawn.querySelectorAll('circle').length).toBe(seen);
  expect(drawn.outerHTML).not.toMatch(/NaN|undefined/);
});
test('sample draws sequences, the first of them as the library', async () => {
  const out = lines(await ok(['sample', model, '-n', '2', '--steps', '4', '--seed', '5', '--format', 'csv', ...on]));
  const own = system(model).sample(4, { seed: 5 });
  expect(out[0]).toBe('sequence,a,b');
  expect(out.slice(1, 5)).toEqual([0, 1, 2, 3].map((t) => `0,${own[2 * t]},${own[2 * t + 1]}`));
  expect(out).toHaveLength(9);
});
test.runIf(hasNative)('native gives the same bits where it must', async () => {
  const native = folder.at('native.seqlik');
  await ok([...fit.slice(0, -2), '--backend', 'native', '--isa', 'baseline', '-o', native, '--no-progress', '--json']);
  expect(readFileSync(native)).toEqual(readFileSync(model));
});

describe('bad input is told in the words of the command', () => {
  const empty = folder.write('empty.csv', 'a,b\n,\n,\n');
  const none = folder.write('none.csv', 'a,b\n');
  const words = folder.write('words.csv', 'a,b\n1,2\n3,calm\n');
  const line = folder.write('line.csv', `a,b\n${Array.from({ length: 40 }, (_, t) => `${t},${2 * t}`).join('\n')}\n`);
  const into = ['-o', folder.at('bad.seqlik')];
  const start = (file: string, ...more: string[]) => ['fit', 'linear-dynamical-system', file, ...into, ...on, ...more];
  test.each([
    [start(empty, '--latent', '1'), 65, `${empty}: no row holds an observation`],
    [start(none, '--latent', '1'), 65, `${none}: no row holds an observation`],
    [start(words, '--latent', '1'), 65, `${words}: line 3, column 2 (b): "calm" is not a number`],
    [start(line), 2, '--latent'],
    [start(line, '--latent', '0'), 2, '--latent must be'],
    [start(line, '--latent', '1', '--structure', 'round'), 2, '--structure'],
    [start(line, '--latent', '1', '--update', 'level'), 2, '--update'],
    [['forecast', model, data, '--steps', '-1', ...on], 2, '--steps'],
    [['forecast', model, data, '--steps', '2', '--level', '1', ...on], 2, '--level must be between 0 and 1'],
  ])('%#', async (args, code, message) => {
    const ended = await seqlik(args);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toMatch(/^seqlik: [^\n]*\n$/);
    expect(ended.stderr).toContain(message);
    expect(folder.names()).not.toContain('bad.seqlik');
  });
});
