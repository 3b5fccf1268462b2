/** The output of the commands when all is well: the results of the library. */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, symlinkSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { GaussianMixture, loadModel, openBackend } from '../../src/index.ts';
import { hasNative } from '../support/models.ts';
import { Folder, points, program, seqlik, table } from './run.ts';

const folder = new Folder();
const data = folder.write('data.csv', table);
const model = folder.at('mixture.seqlik');
const gaussian = folder.at('gaussian.seqlik');
const fitArgs = ['fit', 'gaussian-mixture', data, '-o', model, '--columns', 'x,y', '--components', '2'];
const backend = openBackend({ name: 'wasm' });
const onWasm = ['--backend', 'wasm'];
const ok = async (args: readonly string[], surroundings: Parameters<typeof seqlik>[1] = {}): Promise<string> => {
  const { code, stdout, stderr } = await seqlik(args, surroundings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
/** A model of densities. */
type Density = Extract<ReturnType<typeof loadModel>, { logDensity: unknown }>;
const load = (path: string): Density => loadModel(readFileSync(path), { backend }) as Density;
const json = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
const column = (text: string, name: string): string[] => {
  const [head, ...rows] = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return rows.map((row) => row.at(head!.indexOf(name) - head!.length)!);
};

beforeAll(async () => {
  const { code } = await seqlik([...fitArgs, '--false-positive-rate', '0.1', ...onWasm]);
  expect(code).toBe(0);
  expect((await seqlik(['fit', 'gaussian', data, '-o', gaussian, '--columns', 'y,x', ...onWasm])).code).toBe(0);
});

describe('fit', () => {
  test('stores the columns and the threshold; the model is that of the library', async () => {
    const { model: expected, report } = await GaussianMixture.fit(points, {
      components: 2,
      falsePositiveRate: 0.1,
      backend,
    });
    const mixture = load(model) as GaussianMixture;
    expect(mixture.columns).toEqual(['x', 'y']);
    expect(mixture.parameters).toEqual(expected.parameters);
    expect(mixture.anomaly).toEqual(expected.anomaly);
    expect(load(gaussian).columns).toEqual(['y', 'x']);

    const printed = JSON.parse((await ok([...fitArgs, '-o', folder.at('again'), ...onWasm, '--json'])) as string);
    expect(printed).toMatchObject({
      kind: 'gaussian-mixture',
      model: folder.at('again'),
      columns: ['x', 'y'],
      rows: 60,
      observedRows: 60,
      gaps: 0,
      iterations: report.iterations,
      converged: report.converged,
      logLikelihood: report.logLikelihood,
      history: [...report.history],
      warnings: report.warnings,
      bic: expected.bic(points),
      aic: expected.aic(points),
      backend: { name: 'wasm', isa: 'simd128', threads: 1 },
    });
    expect(printed.seconds).toBeGreaterThan(0);
  });
  test('reports to people on stderr, and writes nothing on stdout', async () => {
    const { code, stdout, stderr } = await seqlik([...fitArgs, '--max-iterations', '2', '--tolerance', '0']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(
      /^gaussian-mixture of 2 columns fitted to 60 rows of .*data\.csv \(0 empty, 0 gaps\)\n2 iterations, not converged\nlog-likelihood -\d/,
    );
    expect(stderr).not.toContain('\x1b');
    await seqlik([...fitArgs, '--false-positive-rate', '0.1', ...onWasm]);
  });
  test('every option of the library is passed on', async () => {
    const options = {
      covarianceType: 'tied',
      restarts: 3,
      initialization: 'random',
      regularization: 1e-3,
      seed: 5,
      maxIterations: 7,
      tolerance: 0,
      shardSize: 16,
    } as const;
    const words = Object.entries(options).flatMap(([name, value]) => [
      `--${name.replace(/[A-Z]/g, (a) => `-${a.toLowerCase()}`)}`,
      `${value}`,
    ]);
    await ok([...fitArgs, ...words, ...onWasm, '-o', folder.at('options'), '--json']);
    const { model: expected } = await GaussianMixture.fit(points, { components: 2, ...options, backend });
    expect(load(folder.at('options')).parameters).toEqual(expected.parameters);
    await ok([
      'fit',
      'gaussian',
      data,
      '--columns',
      'x,y',
      '--covariance-type',
      'diagonal',
      '-o',
      folder.at('diagonal'),
      '--json',
    ]);
    expect(load(folder.at('diagonal')).parameters).toHaveProperty('variances');
  });
  test('sample weights are a column that is not an input', async () => {
    const weighted = points.map((point, i) => [...point, i % 3]);
    const file = folder.write('weighted.csv', `x,y,w\n${weighted.map((row) => row.join()).join('\n')}\n`);
    const printed = JSON.parse(
      await ok(['fit', 'gaussian', file, '--sample-weights', 'w', '-o', folder.at('weighted'), '--json', ...onWasm]),
    );
    expect(printed).toMatchObject({ columns: ['x', 'y'], rows: 60 });
    expect(printed).not.toHaveProperty('bic');
    const thrice = weighted.flatMap(([x, y, w]) => Array.from({ length: w! }, () => `${x},${y}`));
    const many = folder.write('many.csv', `x,y\n${thrice.join('\n')}\n`);
    await ok(['fit', 'gaussian', many, '-o', folder.at('many'), '--json', ...onWasm]);
    const [a, b] = ['weighted', 'many'].map(
      (name) => load(folder.at(name)).parameters as { mean: Float64Array; covariance: Float64Array },
    );
    for (const name of ['mean', 'covariance'] as const)
      for (const [i, value] of a![name].entries()) expect(value).toBeCloseTo(b![name][i]!, 8);
  });
  test('from stdin and to stdout; all columns without --columns', async () => {
    const text = `x,y\n${points.map((point) => point.join()).join('\n')}\n`;
    const args = ['fit', 'gaussian-mixture', '-', '--components', '2', '--false-positive-rate', '0.1', ...onWasm, '-o'];
    await seqlik([...args, folder.at('piped')], { input: text });
    expect(readFileSync(folder.at('piped'))).toEqual(readFileSync(model));
    const { code, stdout } = await seqlik([...args, '-'], {
      input: text,
      shell: '"$@" 2>/dev/null | od -An -tx1 -v | tr -d " \\n"',
    });
    expect(code).toBe(0);
    expect(stdout).toBe(readFileSync(model).toString('hex'));
  });
  test('from NDJSON, the same model', async () => {
    const lines = points.map(([x, y], i) => JSON.stringify({ y, i: `${i}`, x }));
    const file = folder.write('data.ndjson', lines.join('\n'));
    await seqlik([
      ...fitArgs.slice(0, 2),
      file,
      '-o',
      folder.at('json'),
      '--columns',
      'x,y',
      '--components',
      '2',
      '--false-positive-rate',
      '0.1',
      ...onWasm,
    ]);
    expect(readFileSync(folder.at('json'))).toEqual(readFileSync(model));
  });
  test('gaps are gaps', async () => {
    const gappy = points.map(([x, y], i) => [i % 7 ? x! : Number.NaN, i % 5 ? y! : Number.NaN]);
    const text = `x,y\n${gappy.map((row) => row.map((v) => (Number.isNaN(v) ? '' : v)).join()).join('\n')}\n`;
    const printed = JSON.parse(
      await ok(['fit', 'gaussian', folder.write('gappy.csv', text), '-o', folder.at('gappy'), '--json', ...onWasm]),
    );
    expect(printed).toMatchObject({ rows: 60, observedRows: 58, gaps: 21 });
    const [out, values] = [await ok(['score', folder.at('gappy'), folder.at('gappy.csv'), ...onWasm]), gappy.flat()];
    const density = load(folder.at('gappy')).logDensity(Float64Array.from(values), { missing: 'nan' });
    expect(column(out, 'logDensity')).toEqual(Array.from(density, String));
    expect(column(out, 'logDensity')[0]).toBe('0');
  });
});

describe('score', () => {
  const x = Float64Array.from(points.flat());
  test('is the library, line by line', async () => {
    const mixture = load(model) as GaussianMixture;
    const out = await ok(['score', model, data, ...onWasm]);
    expect(out.split('\n')[0]).toBe('logDensity,component,anomaly');
    expect(column(out, 'logDensity')).toEqual(Array.from(mixture.logDensity(x), String));
    expect(column(out, 'component')).toEqual(Array.from(mixture.classify(x), String));
    const anomalies = column(out, 'anomaly');
    expect(anomalies).toEqual(Array.from(mixture.logDensity(x), (v) => String(v < mixture.anomaly!.threshold)));
    expect(anomalies.filter((word) => word === 'true').length).toBe(6);
    expect((await ok(['score', gaussian, data])).split('\n')[0]).toBe('logDensity');
  });
  test.runIf(hasNative)('native baseline gives the bits of wasm, and threads change none', async () => {
    const wasm = await ok(['score', model, data, ...onWasm]);
    for (const more of [
      ['--isa', 'baseline'],
      ['--backend', 'native', '--isa', 'baseline', '--threads', '1'],
      ['--isa', 'baseline', '--threads', '2'],
    ])
      expect(await ok(['score', model, data, ...more])).toBe(wasm);
    for (const env of [{ SEQLIK_ISA: 'baseline' }, { SEQLIK_BACKEND: 'wasm' }])
      expect(await ok(['score', model, data], { env })).toBe(wasm);
    // what is asked for here stands above the environment
    expect(
      await ok(['score', model, data, ...onWasm], { env: { SEQLIK_ISA: 'avx512', SEQLIK_BACKEND: 'native' } }),
    ).toBe(wasm);
    const [a, b] = [folder.at('a'), folder.at('b')];
    await seqlik([...fitArgs, '-o', a, ...onWasm]);
    await seqlik([...fitArgs, '-o', b, '--isa', 'baseline']);
    expect(readFileSync(a)).toEqual(readFileSync(b));
  });
  test('columns are taken by name, in the order of the model or as asked', async () => {
    const out = await ok(['score', gaussian, data]);
    expect(await ok(['score', gaussian, data, '--columns', 'y,x'])).toBe(out);
    const swapped = `x,id,y\n${points.map(([a, b], i) => `${b},${i},${a}`).join('\n')}\n`;
    const file = folder.write('swapped.csv', swapped);
    expect(await ok(['score', gaussian, file, '--columns', 'x,y'])).toBe(out);
    expect(await ok(['score', gaussian, file])).not.toBe(out);
    const odd = folder.write('odd.csv', swapped.replace('x,id,y', '"a, ""b""",id, y'));
    expect(await ok(['score', gaussian, odd, '--columns', '"a, ""b"""," y"'])).toBe(out);
  });
  test('a model without columns takes all', async () => {
    const { parameters } = load(model) as GaussianMixture;
    const bare = folder.write('bare', new GaussianMixture(parameters, { backend }).toBytes());
    const text = `any,other\n${points.map((row) => row.join()).join('\n')}\n`;
    const out = await ok(['score', bare, '-', ...onWasm], { input: text });
    expect(column(out, 'logDensity')).toEqual(column(await ok(['score', model, data, ...onWasm]), 'logDensity'));
    expect((await ok(['sample', bare, '-n', '1'])).split('\n')[0]).toBe('x1,x2');
    const { code, stderr } = await seqlik(['score', bare, data]);
    expect({ code, stderr }).toEqual({
      code: 65,
      stderr: `seqlik: ${data}: it has 4 columns, the model 2: say which ones with --columns\n`,
    });
  });
  test('--keep, in all four combinations of formats', async () => {
    const csv = folder.write('keep.csv', 'x,y,t,u\n1,2,"a ""q"", b",007\n1,2,"l\r\nm",\n1.50,2,ü,1\n');
    const keep = ['--keep', 't,x,u'];
    const args = ['score', gaussian, csv, ...keep];
    const value = String(load(gaussian).logDensity([2, 1])[0]);
    const other = String(load(gaussian).logDensity([2, 1.5])[0]);
    expect(await ok([...args, ...onWasm])).toBe(
      `t,x,u,logDensity\n"a ""q"", b",1,007,${value}\n"l\r\nm",1,,${value}\nü,1.50,1,${other}\n`,
    );
    await ok([...args, ...onWasm, '-o', folder.at('keep.ndjson')]);
    const lines = [
      `{"t":"a \\"q\\", b","x":"1","u":"007","logDensity":${value}}`,
      `{"t":"l\\r\\nm","x":"1","u":null,"logDensity":${value}}`,
      `{"t":"ü","x":"1.50","u":"1","logDensity":${other}}`,
      '',
    ];
    expect(folder.read('keep.ndjson')).toBe(lines.join('\n'));

    const json = folder.write(
      'kept.jsonl',
      '{"x":1.0,"y":2,"t":"a \\"q\\", b","u":12345678901234567890}\n{"y":2,"x":1,"t":{"k":[1,"}"]}}\n',
    );
    expect(await ok(['score', gaussian, json, ...keep, ...onWasm])).toBe(
      `{"t":"a \\"q\\", b","x":1.0,"u":12345678901234567890,"logDensity":${value}}\n{"t":{"k":[1,"}"]},"x":1,"u":null,"logDensity":${value}}\n`,
    );
    await ok(['score', gaussian, json, ...keep, ...onWasm, '-o', folder.at('kept.csv')]);
    expect(folder.read('kept.csv')).toBe(
      `t,x,u,logDensity\n"a ""q"", b",1.0,12345678901234567890,${value}\n"{""k"":[1,""}""]}",1,,${value}\n`,
    );
  });
  test('the format: extension of OUT, else that of DATA; --format for DATA', async () => {
    const csv = await ok(['score', gaussian, data, ...onWasm]);
    await ok(['score', gaussian, data, ...onWasm, '-o', folder.at('out.txt')]);
    expect(folder.read('out.txt')).toBe(csv);
    await ok(['score', gaussian, data, ...onWasm, '-o', folder.at('OUT.JSONL')]);
    const lines = folder.read('OUT.JSONL');
    expect(json(lines)).toEqual(column(csv, 'logDensity').map((v) => ({ logDensity: Number(v) })));
    const file = folder.write(
      'lines.txt',
      json(`${points.map(([x, y]) => JSON.stringify({ x, y })).join('\n')}\n`)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    expect(await ok(['score', gaussian, file, '--format', 'ndjson', ...onWasm])).toBe(lines);
    await ok(['score', gaussian, file, '--format', 'ndjson', ...onWasm, '-o', folder.at('out.csv')]);
    expect(folder.read('out.csv')).toBe(csv);
    expect(
      await ok(['score', gaussian, '-', '--format', 'ndjson', ...onWasm], { input: folder.read('lines.txt') }),
    ).toBe(lines);
  });
  test('through pipes, in pieces of any size', async () => {
    const head = `${table.split('\n').slice(0, 12).join('\r\n')}\n`;
    const bytes = Buffer.from(`\ufeff${head}`);
    const whole = await ok(['score', model, '-', '--keep', 'group,id'], { input: [bytes] });
    expect(whole.split('\n').length).toBe(13);
    expect(whole).toContain('"g, 1",r1,');
    for (const size of [1, 2, 5, 100]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await ok(['score', model, '-', '--keep', 'group,id'], { input: pieces })).toBe(whole);
    }
  });
  test('no rows, no lines', async () => {
    expect(await ok(['score', model, '-'], { input: 'x,y\n' })).toBe('logDensity,component,anomaly\n');
    expect(await seqlik(['score', model, '-', '--format', 'ndjson'], { input: '' })).toEqual({
      code: 65,
      stdout: '',
      stderr: 'seqlik: stdin: it is empty, without a single object\n',
    });
  });
  test('more rows than a block, the same values', async () => {
    const n = 20_000;
    const draws = await ok(['sample', model, '-n', `${n}`, '--seed', '3']);
    const out = await ok(['score', model, '-', ...onWasm], { input: draws });
    const values = Float64Array.from(
      draws
        .trimEnd()
        .split('\n')
        .slice(1)
        .flatMap((line) => line.split(',').map(Number)),
    );
    expect(column(out, 'logDensity')).toEqual(Array.from(load(model).logDensity(values), String));
    const { data: printed } = JSON.parse(await ok(['inspect', model, '-', '--json', ...onWasm], { input: draws }));
    expect(printed.logLikelihood).toBe(load(model).logLikelihood(values));
  });
  test('OUT is never a file that is read, by whatever name', async () => {
    const file = folder.write('same.csv', table);
    symlinkSync(file, folder.at('link.csv'));
    linkSync(file, folder.at('hard.csv'));
    const fit = ['fit', 'gaussian', file, '--columns', 'x,y'];
    for (const path of [file, folder.at('link.csv'), folder.at('hard.csv'), `${folder.path}/./same.csv`])
      for (const command of [['score', model, file], fit]) {
        const { code, stderr } = await seqlik([...command, '-o', path]);
        expect({ code, stderr }).toEqual({
          code: 2,
          stderr: `seqlik: -o ${path} would overwrite DATA: name another file\n`,
        });
      }
    for (const command of [
      ['score', model, file, '-o', model],
      ['sample', model, '-n', '1', '-o', model],
    ])
      expect(await seqlik(command)).toMatchObject({ code: 2, stderr: expect.stringContaining('overwrite MODEL') });
    expect(folder.read('same.csv')).toBe(table);
    const network = ['fit', 'mixture-density-network', file, '--hidden', '2', '--components', '1'];
    expect(await seqlik([...network, '-o', folder.at('n'), '--checkpoint', file])).toMatchObject({ code: 2 });
  });
  test('tables as they come', async () => {
    const whole = await ok(['score', model, data, '--keep', 'id', ...onWasm]);
    const semicolons = table
      .replace(/"g, (\d)"/g, 'g$1')
      .replaceAll(',', ';')
      .replaceAll('.', ',');
    const german = folder.write('german.csv', semicolons);
    expect(await ok(['score', model, german, '--decimal', ',', '--keep', 'id', ...onWasm])).toBe(whole);
    const { code, stderr } = await seqlik(['score', model, german]);
    expect({ code, stderr }).toEqual({
      code: 65,
      stderr: expect.stringMatching(
        /line 2, column 2 \(x\): "0,0000" is not a number \(a decimal comma\?\): say --decimal ,\n$/,
      ),
    });
    const tabs = folder.write('tabs.TSV', table.replace(/"g, (\d)"/g, 'g$1').replaceAll(',', '\t'));
    expect(await ok(['score', model, tabs, '--keep', 'id', ...onWasm])).toBe(whole.replaceAll(',', '\t'));
    await ok(['score', model, data, '--keep', 'id', ...onWasm, '-o', folder.at('scores.tsv')]);
    expect(folder.read('scores.tsv')).toBe(whole.replaceAll(',', '\t'));
    const packed = folder.write('packed.csv.gz', gzipSync(table));
    await ok(['score', model, packed, '--keep', 'id', ...onWasm, '-o', folder.at('scores.csv.gz')]);
    expect(gunzipSync(readFileSync(folder.at('scores.csv.gz'))).toString()).toBe(whole);
    await ok(['score', model, packed, ...onWasm, '-o', folder.at('scores.ndjson.gz')]);
    expect(json(gunzipSync(readFileSync(folder.at('scores.ndjson.gz'))).toString()).length).toBe(60);
    const gappy = await ok(['score', model, '-', '--na', 'NA,-999', ...onWasm], { input: 'x,y\nNA,-999\n1,-999.0\n' });
    expect(gappy).toBe(await ok(['score', model, '-', ...onWasm], { input: 'x,y\n,\n1,\n' }));
    expect(await seqlik(['score', model, '-', '--format', 'ndjson', '--decimal', ','])).toMatchObject({ code: 2 });
  });
  test('a table with columns of text: the line to paste works', async () => {
    const { code, stderr } = await seqlik(['fit', 'gaussian', data, '-o', folder.at('pasted')]);
    expect({ code, stderr }).toEqual({
      code: 65,
      stderr: `seqlik: ${data}: line 2, column 1 (id): "r0" is not a number: id and group hold text: say --columns x,y\n`,
    });
    await ok(['fit', 'gaussian', data, '-o', folder.at('pasted'), '--columns', 'x,y', '--json']);
  });
  test('--components a..b keeps the model of the least BIC, and prints the table', async () => {
    const args = ['fit', 'gaussian-mixture', data, '--columns', 'x,y', '--components', '1..3', ...onWasm, '-o'];
    const printed = JSON.parse(await ok([...args, folder.at('chosen'), '--json']));
    const fits = [1, 2, 3].map((components) => GaussianMixture.fit(points, { components, backend }));
    const bics = (await Promise.all(fits)).map(({ model }) => model.bic(points));
    for (const [i, { components, bic }] of printed.candidates.entries()) {
      expect(components).toBe(i + 1);
      expect(bic).toBeCloseTo(bics[i]!, 8);
    }
    const best = 1 + bics.indexOf(Math.min(...bics));
    expect((load(folder.at('chosen')) as GaussianMixture).componentCount).toBe(best);
    expect(printed.bic).toBe(Math.min(...printed.candidates.map(({ bic }: { bic: number }) => bic)));
    const { stderr } = await seqlik([...args, folder.at('chosen')]);
    expect(stderr).toMatch(/\ncomponents +parameters +log-likelihood +BIC\n +1 +5 +-\S+ +\S+.*\n +2 .*\n +3 /);
    expect(stderr.match(/best$/gm)).toHaveLength(1);
    for (const wrong of [
      ['--components', '3..1'],
      ['--components', '0..2'],
      ['--sample-weights', 'x', '--columns', 'y'],
    ])
      expect(await seqlik([...args, folder.at('wrong'), ...wrong])).toMatchObject({ code: 2 });
  });
  test('--responsibilities', async () => {
    const out = await ok(['score', model, data, '--responsibilities', ...onWasm]);
    expect(out.split('\n')[0]).toBe('logDensity,component,anomaly,responsibility0,responsibility1');
    const shares = (load(model) as GaussianMixture).responsibilities(x);
    expect(column(out, 'responsibility1')).toEqual(Array.from({ length: 60 }, (_, i) => String(shares[2 * i + 1])));
    expect(await seqlik(['score', gaussian, data, '--responsibilities'])).toMatchObject({ code: 2 });
  });
  test('a name of OUT as long as names may be', async () => {
    const path = folder.at(`${'n'.repeat(246)}.csv`);
    await ok(['score', gaussian, data, '-o', path]);
    expect(readFileSync(path, 'utf8')).toBe(await ok(['score', gaussian, data]));
  });
  test('a model from stdin', async () => {
    const described = await ok(['inspect', model]);
    expect(await ok(['inspect', '-'], { shell: `"$@" < '${model}'` })).toBe(described);
    expect(await seqlik(['score', '-', '-'])).toMatchObject({ code: 2 });
  });
});

describe('inspect', () => {
  test('for people', async () => {
    const out = await ok(['inspect', model, data, ...onWasm]);
    expect(out).toMatch(
      /^gaussian-mixture of 2 components in 2 dimensions, covariance full\ncomponent +weight +x +y\n +0 +0\.\d+ +\S+ ± \S+ +\S+ ± \S+\n +1 .*\nanomaly: log-density below -\S+ \(false positive rate 0\.1\)\n\n/,
    );
    expect(out).toMatch(
      /data\.csv: 60 rows, 0 of them empty, 0 gaps\nmean log-density +-\S+\nlog-likelihood +-\S+\nBIC +\S+\nAIC +\S+ +\(11 parameters\)\n$/,
    );
    expect(await ok(['inspect', gaussian])).toMatch(
      /^gaussian in 2 dimensions, covariance full\ncomponent +weight +y +x\n +0 +1 +\S+ ± \S+ +\S+ ± \S+\n$/,
    );
  });
  test.each(['full', 'tied', 'diagonal', 'spherical'])('for programs: %s', async (covarianceType) => {
    const file = folder.at(covarianceType);
    await ok([...fitArgs, '-o', file, '--covariance-type', covarianceType, '--json', ...onWasm]);
    const printed = JSON.parse(await ok(['inspect', file, data, '--json', ...onWasm]));
    const mixture = load(file) as GaussianMixture;
    const { weights, means } = mixture.parameters;
    expect(printed).toMatchObject({ kind: 'gaussian-mixture', dimension: 2, columns: ['x', 'y'], covarianceType });
    for (const [c, { weight, mean, standardDeviation }] of printed.components.entries()) {
      expect([weight, ...mean]).toEqual([weights[c], means[2 * c], means[2 * c + 1]]);
      const component = new GaussianMixture({ ...mixture.parameters, weights: [1 - c, c] }, { backend });
      // N(mean) = 1/√(2πσ²) along each axis
      for (const j of [0, 1]) {
        const peak = component.marginal([j]).logDensity([mean[j]])[0]!;
        expect(Math.exp(-peak) / Math.sqrt(2 * Math.PI)).toBeCloseTo(standardDeviation[j], 10);
      }
    }
    expect(printed.data).toMatchObject({
      rows: 60,
      observedRows: 60,
      gaps: 0,
      bic: mixture.bic(points),
      aic: mixture.aic(points),
      parameters: mixture.parameterCount,
    });
    expect(printed.data.meanLogDensity).toBeCloseTo(mixture.logLikelihood(points) / 60, 12);
  });
});

describe('sample', () => {
  test('is the library, under the stored names', async () => {
    const out = await ok(['sample', model, '-n', '5', '--seed', '7', ...onWasm]);
    const rows = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .flatMap((line) => line.split(',').map(Number));
    expect(out.split('\n')[0]).toBe('x,y');
    expect(rows).toEqual([...load(model).sample(5, { seed: 7 })]);
    const lines = await ok(['sample', model, '-n', '5', '--seed', '7', '--format', 'ndjson', ...onWasm]);
    expect(json(lines).flatMap((row) => Object.values(row as object))).toEqual(rows);
    expect(json(lines)[0]).toHaveProperty('x');
    await ok(['sample', model, '-n', '5', '--seed', '7', ...onWasm, '-o', folder.at('draws.ndjson')]);
    expect(folder.read('draws.ndjson')).toBe(lines);
    expect(await ok(['sample', model, '-n', '5', ...onWasm])).not.toBe(out);
    expect(await ok(['sample', model, '-n', '0'])).toBe('x,y\n');
  });
});

test('help and version are not failures', async () => {
  expect(await ok(['--version'])).toBe(`${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`);
  for (const args of [['--help'], ['help'], ['help', 'fit'], ['fit', '--help'], ['score', '-h']])
    expect(await ok(args)).toMatch(/^Usage: seqlik/);
});
describe('progress', () => {
  const terminal = existsSync('/usr/bin/script');
  /** Both outputs on a terminal, as util-linux's `script` makes one. */
  const onTerminal = async (args: readonly string[], env = {}): Promise<string> => {
    const line = [process.execPath, program, ...args].map((word) => `'${word}'`).join(' ');
    const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm', ...env },
    });
    expect(status).toBe(0);
    return stdout;
  };
  const args = ['score', model, data, '-o', folder.at('progress.csv')];
  test.runIf(terminal)('a bar on a terminal, without colour', async () => {
    for (const out of [await onTerminal(args), await onTerminal(fitArgs), await onTerminal(['inspect', model, data])]) {
      expect(out).toMatch(/[█░] \d+% \|/);
      expect(
        out
          .split('\x1b[')
          .slice(1)
          .filter((code) => /^[\d;]*m/.test(code)),
      ).toEqual([]);
    }
  });
  test.runIf(terminal)(
    'for a network it shows the epoch, the loss, the held-out log-likelihood and the time left',
    async () => {
      const sizes = ['--hidden', '8', '--components', '2', '--max-iterations', '60', '--sequence', 'group'];
      const sorted = `x,y,group\n${points.map(([x, y], i) => `${x},${y},${Math.floor(i / 6)}\n`).join('')}`;
      const file = folder.write('sorted.csv', sorted);
      const out = await onTerminal(['fit', 'mixture-density-network', file, '-o', folder.at('bar'), ...sizes]);
      expect(out).toMatch(/[█░] \d+% \| epoch \d+, log-likelihood per step -?[\d.]+, held out -?[\d.]+ \| \d+s/);
    },
  );
  test.runIf(terminal)('none if it was not wanted, or would stand among the data', async () => {
    for (const [more, env] of [
      [['--no-progress'], {}],
      [[], { TERM: 'dumb' }],
      [['-o', '-'], {}],
    ] as const)
      for (const command of [args, ['sample', model, '-n', '3', '-o', folder.at('s')]])
        expect(await onTerminal([...command, ...more], env)).not.toMatch(/[█░]/);
  });
  test('no bar and no colour where there is no terminal', async () => {
    for (const env of [{}, { NO_COLOR: '1' }, { FORCE_COLOR: '1' }]) {
      const { stderr } = await seqlik(fitArgs, { env });
      for (const mark of ['\x1b', '█', '░', '\r']) expect(stderr).not.toContain(mark);
    }
  });
});
