/** `seqlik impute`, decimal points in OUT, and the choice of components by rows that are held out. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { mappings } from '../../src/contract.ts';
import { GaussianMixture, loadModel, openBackend } from '../../src/index.ts';
import { covarianceTypes } from '../../src/models/components/covariances.ts';
import { parameterNames } from '../../src/models/lds/parameters.ts';
import { Folder, fitTable, points, program, seqlik, table } from './run.ts';

const folder = new Folder();
const data = folder.at('data.csv');
const model = folder.at('model');
const backend = openBackend({ name: 'wasm' });
const onWasm = ['--backend', 'wasm'];
const ok = async (args: readonly string[], input = ''): Promise<string> => {
  const { code, stdout, stderr } = await seqlik([...args, ...onWasm], { input });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const mixture = (): GaussianMixture => loadModel(readFileSync(model), { backend }) as GaussianMixture;
beforeAll(() => fitTable(folder));

describe('impute', () => {
  // every third row lacks y, every fifth x
  const gappy = points.map((row, i) => row.map((v, j) => (i % (j === 0 ? 5 : 3) === 0 ? Number.NaN : v)));
  const csv = `id,y,note,x\n${gappy.map(([x, y], i) => `r${i},${y},"a, b",${x}`.replaceAll('NaN', '')).join('\n')}\n`;
  test('fills the gaps as the library does, and keeps columns', async () => {
    const out = await ok(['impute', model, '-', '--keep', 'note,id'], csv);
    const filled = mixture().impute(gappy, { missing: 'nan' });
    const lines = gappy.map((_, i) => `"a, b",r${i},${filled[2 * i]},${filled[2 * i + 1]}`);
    expect(out).toBe(`note,id,x,y\n${lines.join('\n')}\n`);
    expect(await ok(['impute', model, data, '--columns', 'x,y'])).toBe(
      `x,y\n${points.map((row) => `${row.join()}\n`).join('')}`,
    );
  });
  test('NDJSON, gzip and draws', async () => {
    const file = folder.write('gappy.csv', csv);
    await ok(['impute', model, file, '--draws', '3', '--seed', '5', '--keep', 'id', '-o', folder.at('out.ndjson.gz')]);
    const lines = gunzipSync(readFileSync(folder.at('out.ndjson.gz')))
      .toString()
      .trimEnd()
      .split('\n');
    const drawn = mixture().impute(gappy, { missing: 'nan', draws: 3, seed: 5 });
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      gappy.flatMap((_, i) =>
        [0, 1, 2].map((draw) => {
          const at = (draw * gappy.length + i) * 2;
          return { id: `r${i}`, draw, x: drawn[at], y: drawn[at + 1] };
        }),
      ),
    );
  });
  test('a row too far away keeps its gaps, and is counted', async () => {
    const input = 'x,y\n1e200,\n1,\n';
    const { code, stdout, stderr } = await seqlik(['impute', model, '-', ...onWasm], { input });
    const [filled] = [mixture().impute([[1, Number.NaN]], { missing: 'nan' })];
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `x,y\n1e+200,\n1,${filled[1]}\n`,
      stderr:
        'seqlik: stdin: 1 row keeps its gaps, too far from the model for a density in a double, the first in line 2\n',
    });
    const ndjson = ['impute', model, '-', '--format', 'ndjson', ...onWasm];
    expect((await seqlik(ndjson, { input: '{"x":1e200,"y":null}\n' })).stdout).toBe('{"x":1e+200,"y":null}\n');
  });
  test('what cannot be done is refused', async () => {
    for (const [args, code, message] of [
      [['--draws', '0'], 2, '--draws must be a whole number from 1'],
      [['--draws', 'x'], 2, '--draws'],
      [['--seed', '-1'], 2, '--seed must be'],
      [['--keep', 'x'], 2, 'OUT would have two columns "x"'],
      [['--keep', 'none'], 65, 'there is no column "none"'],
      [['-o', data], 2, 'would overwrite DATA'],
    ] as const) {
      const ended = await seqlik(['impute', model, data, ...args]);
      expect(ended, args.join(' ')).toMatchObject({ code, stderr: expect.stringContaining(message) });
    }
    const system = folder.at('system');
    expect(
      (await seqlik(['fit', 'linear-dynamical-system', data, '--columns', 'x', '--latent', '1', '-o', system])).code,
    ).toBe(0);
    expect(await seqlik(['impute', system, data])).toMatchObject({
      code: 2,
      stderr: 'seqlik: a linear-dynamical-system fills no gaps: only gaussian and gaussian-mixture do\n',
    });
    const bad = await seqlik(['impute', model, '-'], { input: 'x,y\n1,2\nq,3\n' });
    expect(bad).toMatchObject({ code: 65, stdout: 'x,y\n1,2\n' });
  });
});

test('OUT has decimal points, also in numbers that are kept', async () => {
  const input = 'x;y;price;note;code\n0,5;1,5;-3,25e1;a,b;1,2,3\n';
  for (const command of ['score', 'impute']) {
    const out = await ok(
      [command, model, '-', '--decimal', ',', '--keep', 'price,note,code', '--delimiter', ';'],
      input,
    );
    const [head, row] = out.split('\n').map((line) => line.split(';'));
    expect(head!.slice(0, 3)).toEqual(['price', 'note', 'code']);
    expect(row!.slice(0, 3)).toEqual(['-3.25e1', 'a,b', '1,2,3']);
    expect(row!.slice(3).join()).not.toMatch(/\d,\d{5}/);
    const file = folder.write('comma.csv', input);
    await ok([command, model, file, '--decimal', ',', '--keep', 'price', '-o', folder.at('o.ndjson')]);
    expect(JSON.parse(folder.read('o.ndjson')).price).toBe('-3.25e1');
  }
});

test('--components a..b --validation chooses by the rows held out, and fits them all', async () => {
  const args = ['fit', 'gaussian-mixture', data, '--columns', 'x,y', '--components', '1..3', '--validation', '0.25'];
  const printed = JSON.parse(await ok([...args, '--json', '-o', folder.at('chosen')]));
  const heldOut = printed.candidates.map((candidate: { heldOut: number }) => candidate.heldOut);
  expect(heldOut.every(Number.isFinite)).toBe(true);
  const best = 1 + heldOut.indexOf(Math.max(...heldOut));
  const chosen = loadModel(readFileSync(folder.at('chosen')), { backend }) as GaussianMixture;
  const { model: expected } = await GaussianMixture.fit(points, { components: best, backend });
  expect(chosen.parameters).toEqual(expected.parameters);
  expect(printed.logLikelihood).toBeCloseTo(expected.logLikelihood(points), 8);
  expect(JSON.parse(await ok([...args, '--json', '-o', folder.at('chosen')])).candidates).toEqual(printed.candidates);
  const other = JSON.parse(await ok([...args, '--seed', '9', '--json', '-o', folder.at('other')]));
  expect(other.candidates[0].heldOut).not.toBe(heldOut[0]);
  const { stderr } = await seqlik([...args, '-o', folder.at('chosen')]);
  expect(stderr).toMatch(/\ncomponents +parameters +log-likelihood +held out, per row\n +1 +5 /);
  expect(stderr.match(/best$/gm)).toHaveLength(1);
  // with weights, which rule BIC out
  const weighted = folder.write('weighted.csv', table.replace('id,', 'w,').replaceAll(/^r/gm, ''));
  const more = ['--sample-weights', 'w', '--json', '-o', folder.at('w')];
  expect(JSON.parse(await ok([...args.with(2, weighted), ...more])).candidates).toHaveLength(3);
  for (const wrong of [
    ['--components', '2'],
    ['--validation', '0'],
    ['--validation', '1'],
  ])
    expect(await seqlik([...args, '-o', folder.at('wrong'), ...wrong])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--validation'),
    });
});

test('fit --help lists the choices of every option that has some', () => {
  const { stdout } = spawnSync(process.execPath, [program, 'fit', '--help'], { encoding: 'utf8' });
  const texts = new Map(
    stdout.split(/\n +(?=-)/).map((text) => [/--([a-z-]+)/.exec(text)?.[1], text.replaceAll(/\s+/g, ' ')] as const),
  );
  const choices: Readonly<Record<string, readonly string[]>> = {
    'covariance-type': covarianceTypes,
    initialization: ['short-runs', 'k-means++', 'random'],
    mapping: mappings,
    cell: ['tanh', 'relu', 'lstm', 'gru'],
    optimizer: ['adam', 'sgd'],
    schedule: ['constant', 'cosine', 'plateau'],
    'loss-at': ['final', 'all'],
    acceleration: ['none', 'squarem'],
    structure: ['full', 'diagonal', 'scalar'],
    update: parameterNames,
    backend: ['native', 'wasm'],
    format: ['csv', 'ndjson'],
    delimiter: [',', ';', 'tab'],
    decimal: ['.', ','],
  };
  for (const [option, words] of Object.entries(choices))
    for (const word of words) expect(texts.get(option), option).toContain(word);
  // every option of a name is in this list
  const named = [...texts].filter(([, text]) => text.includes('<name>')).map(([name]) => name);
  expect(named.filter((name) => !(name! in choices))).toEqual([]);
});
