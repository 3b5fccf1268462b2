/** Rows too far away end neither `score` nor `inspect`, of whatever kind the model is. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  loadModel,
  MixtureDensityNetwork,
  openBackend,
  RecurrentClassifier,
  TwoLayerClassifier,
} from '../../src/index.ts';
import { Folder, seqlik } from './run.ts';

const folder = new Folder();
const backend = openBackend({ name: 'wasm' });
const onWasm = ['--backend', 'wasm'];
const far = 1e200;
const wave = (t: number): number => Math.sin(t) + (t % 3) / 10;
const csv = (lines: readonly (readonly (number | string)[])[]): string =>
  `${lines.map((row) => row.join()).join('\n')}\n`;
const run = async (args: readonly string[], input: string) => seqlik([...args, ...onWasm], { input });
const fitted = async (kind: string, input: string, ...more: string[]): Promise<string> => {
  const path = folder.at(`${kind}.seqlik`);
  const { code, stderr } = await run(['fit', kind, '-', '-o', path, ...more], input);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return path;
};
/** Rows with a sequence, one outlier in the second of three sequences. */
const rows = Array.from({ length: 30 }, (_, t) => [`s${Math.floor(t / 10)}`, t === 14 ? far : wave(t)] as const);
const clean = csv([['s', 'x'], ...rows.map(([s], t) => [s, wave(t)])]);
const table = csv([['s', 'x'], ...rows]);
const cells = (text: string): string[] => text.trimEnd().split('\n').slice(1);

describe.each(['gaussian', 'gaussian-mixture'])('%s', (kind) => {
  test('goes on', async () => {
    const model = await fitted(kind, clean, '--columns', 'x', ...(kind === 'gaussian' ? [] : ['--components', '1']));
    const { code, stdout, stderr } = await run(['score', model, '-'], table);
    expect(code).toBe(0);
    expect(cells(stdout)).toHaveLength(30);
    expect(cells(stdout)[14]).toMatch(/^-Infinity/);
    expect(stderr).toBe(
      'seqlik: stdin: 1 row is so far from the model that the density is 0 in a double, the first in line 16\n',
    );
    const inspected = await run(['inspect', model, '-', '--json'], table);
    expect(inspected.code).toBe(0);
    const { data } = JSON.parse(inspected.stdout);
    expect(data).toMatchObject({ rows: 30, unscorable: 1 });
    expect(Number.isFinite(data.meanLogDensity) && Number.isFinite(data.bic)).toBe(true);
    expect((await run(['inspect', model, '-'], table)).stdout).toMatch(/\nleft out: 1 row is so far .* line 16\n/);
    expect(await run(['inspect', model, '-'], `x\n${far}\n`)).toMatchObject({ code: 65 });
  });
});

test('linear-dynamical-system: the row alone', async () => {
  const model = await fitted('linear-dynamical-system', clean, '--columns', 'x', '--sequence', 's', '--latent', '1');
  const score = ['score', model, '-', '--columns', 'x', '--sequence', 's'];
  // the fit has stored the column of the sequences
  expect(loadModel(readFileSync(model))).toMatchObject({ sequenceColumn: 's' });
  for (const given of [clean, table])
    expect((await run(['score', model, '-'], given)).stdout).toBe((await run(score, given)).stdout);
  expect(JSON.parse((await run(['inspect', model, '--json'], '')).stdout)).toMatchObject({ sequenceColumn: 's' });
  const { code, stdout, stderr } = await run(score, table);
  expect(code).toBe(0);
  const gap = cells((await run(score, table.replace(`${far}`, ''))).stdout);
  expect(cells(stdout)).toEqual(gap.with(14, '-Infinity'));
  expect(stderr).toMatch(/: 1 row is so far from the model .* the first in line 16\n$/);
  const ndjson = rows.map(([s, x]) => `${JSON.stringify({ s, x })}\n`).join('');
  const lines = (await run([...score, '--format', 'ndjson'], ndjson)).stdout.trimEnd().split('\n');
  expect(JSON.parse(lines[14]!)).toEqual({ logDensity: null });
  const totals = cells((await run([...score, '--per-sequence'], table)).stdout);
  expect(totals.map((line) => line.endsWith('-Infinity'))).toEqual([false, true, false]);
  const inspected = await run(['inspect', model, '-', '--columns', 'x', '--sequence', 's', '--json'], table);
  expect(JSON.parse(inspected.stdout).data).toMatchObject({ rows: 30, unscorable: 1, sequences: 3 });
  // a forecast depends on that row
  expect(await run(['forecast', model, '-', '--columns', 'x', '--sequence', 's', '--steps', '1'], table)).toMatchObject(
    {
      code: 65,
    },
  );
});

test.each(['tanh', 'lstm', 'gru', 'relu'] as const)('mixture-density-network of %s units', async (cell) => {
  const network = new MixtureDensityNetwork(
    { dimension: 1, hidden: [4], components: 2, cell, seed: 1 },
    { backend, columns: ['x'] },
  );
  const model = folder.write('network.seqlik', network.toBytes());
  const score = ['score', model, '-', '--sequence', 's'];
  const { code, stdout, stderr } = await run(score, table);
  expect(code).toBe(0);
  const lengths = [10, 10, 10];
  const values = Float64Array.from(rows, ([, x]) => x);
  const want = network.logDensity({ values, lengths }, { unscorable: 'mark' });
  let term = 0;
  expect(cells(stdout)).toEqual(rows.map((_, t) => (t % 10 === 0 ? '' : String(want[term++]))));
  const marked = want.filter((v) => v === Number.NEGATIVE_INFINITY).length;
  expect(marked).toBeGreaterThan(0);
  expect(stderr).toMatch(new RegExp(`: ${marked} rows? (is|are) so far from the model .* the first in line 16\\n$`));
  const inspected = await run(['inspect', model, '-', '--sequence', 's', '--json'], table);
  expect(inspected).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(inspected.stdout).data).toMatchObject({ rows: 30, unscorable: marked });
  // blocks of rows give what the whole does, also where the state is lost
  const long = Array.from(
    { length: 20_000 },
    (_, t) => [t < 19_000 ? 'a' : 'b', t === 8100 ? 1e308 : wave(t)] as const,
  );
  const scored = cells((await run(score, csv([['s', 'x'], ...long]))).stdout);
  const whole = network.logDensity(
    { values: Float64Array.from(long, ([, x]) => x), lengths: [19_000, 1000] },
    { unscorable: 'mark' },
  );
  const own = [...scored.slice(1, 19_000), ...scored.slice(19_001)].map(Number);
  expect(own.findIndex((v, i) => v !== whole[i])).toBe(-1);
});

test('classifiers: empty cells where the outputs overflow', async () => {
  const recurrent = new RecurrentClassifier(
    { U: [[1]], V: [[1]], W: [[1e200]] },
    { backend, columns: ['x'], labels: ['y'] },
  );
  const model = folder.write('recurrent.seqlik', recurrent.toBytes());
  const score = ['score', model, '-', '--columns', 'x', '--sequence', 's', '--loss-at', 'all'];
  const { code, stdout, stderr } = await run(score, table);
  expect(code).toBe(0);
  const lost = cells(stdout).flatMap((line, t) => (line === '' ? [t] : []));
  expect(lost).toEqual([14, 15, 16, 17, 18, 19]); // its one unit adds up
  expect(stderr).toBe(
    'seqlik: stdin: 6 rows are so far from the data of the fit that the outputs overflow, the first in line 16\n',
  );
  const targets = csv([['s', 'x', 'y'], ...rows.map(([s, x], t) => [s, x, t % 2])]);
  const inspected = await run(['inspect', model, '-', '--sequence', 's', '--json'], targets);
  expect(inspected).toMatchObject({ code: 0 });
  expect(JSON.parse(inspected.stdout).data).toMatchObject({ rows: 30, unscorable: 6 });

  const layers = new TwoLayerClassifier(
    {
      V: [
        [1, 0],
        [1, 0],
      ],
      W: [[1.5e308, 1.5e308, 0]],
    },
    { backend, columns: ['a'], labels: ['y'] },
  );
  const other = folder.write('layers.seqlik', layers.toBytes());
  const two = 'a,y\n0,0\n1e300,1\n1e-300,1\n';
  const scored = await run(['score', other, '-', '--columns', 'a'], two);
  expect(scored).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('1 row is so far from the data of the fit'),
  });
  expect(cells(scored.stdout).map((cell) => cell === '')).toEqual([false, true, false]);
  const seen = await run(['inspect', other, '-', '--json'], two);
  expect(JSON.parse(seen.stdout).data).toMatchObject({ rows: 3, unscorable: 1, targets: 2 });
  expect(loadModel(readFileSync(other)).kind).toBe('two-layer-classifier');
});
