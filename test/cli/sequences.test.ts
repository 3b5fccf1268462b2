/** Networks of sequences on the command line: the same as the library, to the bit. */
import { linkSync, readFileSync } from 'node:fs';
import { DOMParser } from 'linkedom';
import { beforeAll, describe, expect, test } from 'vitest';
import { strokesSvg } from '../../src/cli/sample/strokes.ts';
import { diagnose, loadModel, MixtureDensityNetwork, openBackend, RecurrentClassifier } from '../../src/index.ts';
import { hasNative } from '../support/models.ts';
import { Folder, seqlik } from './run.ts';

const folder = new Folder();
const backend = openBackend({ name: 'wasm' });
const onWasm = ['--backend', 'wasm'];
const ok = async (args: readonly string[], surroundings: Parameters<typeof seqlik>[1] = {}): Promise<string> => {
  const { code, stdout, stderr } = await seqlik(args, surroundings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const lines = (text: string): string[] => text.split('\n').slice(0, -1);
const objects = (text: string): Record<string, unknown>[] => lines(text).map((line) => JSON.parse(line));
const network = (path: string): MixtureDensityNetwork =>
  loadModel(readFileSync(path), { backend }) as MixtureDensityNetwork;

/** Sequences of a wave with noise; the third has one row. */
const lengths = [9, 14, 1, 6, 11, 8, 5, 12];
const sequences = lengths.map((length, s) =>
  Array.from({ length }, (_, t) => {
    const phase = s + t / 2;
    return [Math.sin(phase), Math.cos(phase) + Math.sin(31 * t * t + s) / 4].map((v) => Number(v.toFixed(4)));
  }),
);
const names = lengths.map((_, s) => `s${s}`);
const rows = sequences.flatMap((sequence, s) => sequence.map(([a, b], t) => `${t},${b},"${names[s]}",${a}`));
const data = folder.write('data.csv', `t,b,id,a\n${rows.join('\n')}\n`);
const model = folder.at('model.seqlik');
const shape = { hidden: [5], components: 2 } as const;
const training = { maxIterations: 4, validation: 0.3, batch: 3 } as const;
const words = (options: object): string[] =>
  Object.entries(options).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (a) => `-${a.toLowerCase()}`)}`,
    ...(value === true ? [] : [`${value}`]),
  ]);
const grouped = ['--sequence', 'id'];
const fitArgs = ['fit', 'mixture-density-network', data, '--columns', 'a,b', ...grouped, ...words(shape), ...onWasm];
const report = async (args: readonly string[]): Promise<Record<string, unknown>> =>
  JSON.parse(await ok([...args, '--json']));
const fitLibrary = (options: object) =>
  MixtureDensityNetwork.fit(sequences, {
    dimension: 2,
    columns: ['a', 'b'],
    sequenceColumn: 'id',
    ...shape,
    ...options,
    backend,
  });

beforeAll(async () => {
  await report([...fitArgs, ...words(training), '-o', model]);
});

describe('fit', () => {
  test('is that of the library, and so is its report', async () => {
    const { model: expected, report: fitReport } = await fitLibrary(training);
    expect(Buffer.from(expected.toBytes())).toEqual(readFileSync(model));
    const json = await report([...fitArgs, ...words(training), '-o', folder.at('again')]);
    const logLikelihood = expected.logLikelihood(sequences);
    expect(json).toMatchObject({
      kind: 'mixture-density-network',
      model: folder.at('again'),
      columns: ['a', 'b'],
      rows: 66,
      sequences: 8,
      steps: 58,
      iterations: 4,
      converged: false,
      bestIteration: fitReport.bestIteration,
      logLikelihood,
      logLikelihoodPerStep: logLikelihood / 58,
      heldOutPerStep: fitReport.validationHistory![fitReport.bestIteration],
      history: [...fitReport.history],
      validationHistory: [...fitReport.validationHistory!],
      warnings: fitReport.warnings,
      backend: { name: 'wasm', isa: 'simd128', threads: 1 },
    });
    expect(json['parameters']).toBe(Object.values(expected.parameters).reduce((n, { length }) => n + length, 0));
  });
  test('reports to people on stderr', async () => {
    const { code, stdout, stderr } = await seqlik([...fitArgs, ...words(training), '-o', folder.at('people')]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(
      /^mixture-density-network of 2 columns fitted to 8 sequences of .*data\.csv \(66 rows\)\na layer of 5 tanh units, 2 components, covariance chol-exp: \d+ parameters\n4 epochs, the best was epoch \d\nlog-likelihood per step -\d+\.\d+, held out -\d+\.\d+\n.* s on wasm simd128, written to /,
    );
  });
  test('every option of the library is passed on', async () => {
    for (const [i, options] of [
      {
        hidden: [4, 3],
        cell: 'gru',
        mapping: 'diag-softplus',
        inputSkip: true,
        optimizer: 'sgd',
        momentum: 0.5,
        learningRate: 0.01,
        schedule: 'cosine',
        clip: 0.5,
        minStandardDeviation: 0.1,
        seed: 9,
        maxIterations: 3,
        validation: 0,
        shardSize: 16,
      },
      { schedule: 'plateau', patience: 2, learningRate: 0.3, tolerance: 1e-9, batch: 2, maxIterations: 30 },
    ].entries()) {
      const path = folder.at(`options-${i}`);
      const json = await report([...fitArgs, ...words(options), '-o', path]);
      const { model: expected, report: fitReport } = await fitLibrary(options);
      expect(readFileSync(path)).toEqual(Buffer.from(expected.toBytes()));
      expect(json).toMatchObject({ iterations: fitReport.iterations, converged: fitReport.converged });
    }
  });
  test('from stdin, from NDJSON, and to stdout: the same bytes', async () => {
    const json = sequences.flatMap((sequence, s) =>
      sequence.map(([a, b]) => `{"a":${a},"more":[1],"id":{"of":${s}},"b":${b}}\n`),
    );
    const args = ['--columns', 'a,b', ...grouped, ...words(shape), ...words(training), ...onWasm];
    const kind = 'mixture-density-network';
    await seqlik(['fit', kind, '-', '--format', 'ndjson', '-o', folder.at('json'), ...args], { input: json.join('') });
    expect(readFileSync(folder.at('json'))).toEqual(readFileSync(model));
    const { stdout } = await seqlik(['fit', kind, '-', '-o', '-', ...args], {
      input: folder.read('data.csv'),
      shell: '"$@" 2>/dev/null | od -An -tx1 -v | tr -d " \\n"',
    });
    expect(stdout).toBe(readFileSync(model).toString('hex'));
  });
  test('without --columns all but that of --sequence are inputs; without --sequence all rows are one', async () => {
    const text = `id,a,b\n${sequences.flatMap((q, s) => q.map(([a, b]) => `${names[s]},${a},${b}\n`)).join('')}`;
    const args = ['fit', 'mixture-density-network', '-', ...words(shape), ...words(training), ...onWasm];
    await seqlik([...args, ...grouped, '-o', folder.at('all')], { input: text });
    expect(readFileSync(folder.at('all'))).toEqual(readFileSync(model));
    const json = text.replace(/^.*\n/, '').replace(/(.*),(.*),(.*)\n/g, '{"id":"$1","a":$2,"b":$3}\n');
    await seqlik([...args, ...grouped, '--format', 'ndjson', '-o', folder.at('all')], { input: json });
    expect(readFileSync(folder.at('all'))).toEqual(readFileSync(model));
    const { stdout } = await seqlik([...args, '--columns', 'a,b', '--json', '-o', folder.at('one')], { input: text });
    expect(JSON.parse(stdout)).toMatchObject({ sequences: 1, steps: 65, rows: 66 });
  });
});

describe('checkpoints', () => {
  const at = (name: string): string => folder.at(name);
  test('going on gives the bytes of a fit that was never interrupted', async () => {
    const whole = { ...training, maxIterations: 6 };
    await report([...fitArgs, ...words(whole), '-o', at('whole'), '--checkpoint', at('whole.ck')]);
    await report([...fitArgs, ...words({ ...whole, maxIterations: 2 }), '-o', at('half'), '--checkpoint', at('ck')]);
    expect(readFileSync(at('half'))).not.toEqual(readFileSync(at('whole')));
    const json = await report([...fitArgs, ...words(whole), '-o', at('on'), '--resume', at('ck')]);
    expect(readFileSync(at('on'))).toEqual(readFileSync(at('whole')));
    expect(json).toMatchObject({ iterations: 6 });
    // from a file and to it
    await report([...fitArgs, ...words(whole), '-o', at('on'), '--resume', at('ck'), '--checkpoint', at('ck')]);
    expect(readFileSync(at('ck'))).toEqual(readFileSync(at('whole.ck')));
  });
  test('going on with another learning rate is what the library does', async () => {
    const first = { ...training, maxIterations: 2 };
    await report([...fitArgs, ...words(first), '-o', at('first'), '--checkpoint', at('first.ck')]);
    const faster = words({ ...training, learningRate: 0.1 });
    await report([...fitArgs, ...faster, '-o', at('faster'), '--resume', at('first.ck')]);
    const checkpoint = { resume: new Uint8Array(readFileSync(at('first.ck'))) };
    const { model: expected } = await fitLibrary({ ...training, learningRate: 0.1, checkpoint });
    expect(readFileSync(at('faster'))).toEqual(Buffer.from(expected.toBytes()));
    const { model: afresh } = await fitLibrary({ ...training, learningRate: 0.1 });
    expect(readFileSync(at('faster'))).not.toEqual(Buffer.from(afresh.toBytes()));
  });
  test('a file is replaced, not written over: who has it open reads a whole one', async () => {
    folder.write('kept.ck', 'as it was');
    linkSync(at('kept.ck'), at('second.ck'));
    await report([...fitArgs, ...words(training), '-o', at('kept'), '--checkpoint', at('kept.ck')]);
    expect(folder.read('second.ck')).toBe('as it was');
    expect(folder.read('kept.ck')).not.toBe('as it was');
    expect(folder.names().filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
  test('of a fit that diverges the last finite one is saved', async () => {
    const wild = words({ optimizer: 'sgd', learningRate: 1e300, clip: 0 });
    const { code, stderr } = await seqlik([...fitArgs, ...wild, '-o', at('wild'), '--checkpoint', at('wild.ck')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^seqlik: \S+data\.csv: diverged (?:in|after) epoch 1\b.*; the checkpoint after epoch 0 is in \S+wild\.ck; a smaller --learning-rate or --clip may help\n$/,
    );
    expect(folder.names()).not.toContain('wild');
    const tame = words({ optimizer: 'sgd', learningRate: 1e-3, clip: 0, maxIterations: 3 });
    await report([...fitArgs, ...tame, '-o', at('tame'), '--resume', at('wild.ck')]);
    const { model: expected } = await fitLibrary({ optimizer: 'sgd', learningRate: 1e-3, clip: 0, maxIterations: 3 });
    expect(readFileSync(at('tame'))).toEqual(Buffer.from(expected.toBytes()));
    const without = await seqlik([...fitArgs, ...wild, '-o', at('wild')]);
    expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('would be in the file of --checkpoint') });
  });
});

describe('score', () => {
  const values = (): string[] => {
    const logDensity = network(model).logDensity(sequences);
    let term = 0;
    return sequences.flatMap((sequence) => sequence.map((_, t) => (t === 0 ? '' : String(logDensity[term++]))));
  };
  test('a line for each row; the first of a sequence has none', async () => {
    const out = lines(await ok(['score', model, data, ...grouped, '--keep', 'id,t', ...onWasm]));
    const ids = sequences.flatMap((sequence, s) => sequence.map((_, t) => `${names[s]},${t}`));
    expect(out).toEqual(['id,t,logDensity', ...values().map((value, i) => `${ids[i]},${value}`)]);
    expect(out.filter((line) => line.endsWith(',')).length).toBe(8);
    const some = lines(await ok(['score', model, data, ...grouped, '--keep', 't', ...onWasm]));
    expect(some).toEqual(out.map((line) => line.replace(/^(id|s\d),/, '')));
    await ok(['score', model, data, ...grouped, ...onWasm, '-o', folder.at('out.ndjson')]);
    expect(objects(folder.read('out.ndjson'))).toEqual(
      values().map((value) => ({ logDensity: value === '' ? null : Number(value) })),
    );
  });
  test('without --sequence the column of the fit counts', async () => {
    expect(network(model).sequenceColumn).toBe('id');
    expect(await ok(['score', model, data, ...onWasm])).toBe(await ok(['score', model, data, ...grouped, ...onWasm]));
    const inspected = JSON.parse(await ok(['inspect', model, data, '--json', ...onWasm]));
    expect(inspected).toMatchObject({ sequenceColumn: 'id', data: { sequences: 8 } });
    const { code, stderr } = await seqlik(['score', model, '-'], { input: 'a,b\n1,2\n' });
    expect({ code, stderr }).toEqual({
      code: 65,
      stderr: `seqlik: stdin: line 1: there is no column "id"; there are a and b: say --sequence ''\n`,
    });
  });
  test("with --sequence '' all rows are one", async () => {
    const out = lines(await ok(['score', model, data, '--sequence', '', ...onWasm]));
    const logDensity = network(model).logDensity(sequences.flat());
    expect(out).toEqual(['logDensity', '', ...Array.from(logDensity, String)]);
  });
  test('--per-sequence: a line for each sequence', async () => {
    const totals = network(model).logLikelihoods(sequences);
    const args = ['score', model, data, '--per-sequence', ...onWasm];
    const expected = names.map((name, s) => `${name},${lengths[s]! - 1},${totals[s]}`);
    expect(totals[2]).toBe(0);
    expect(lines(await ok([...args, ...grouped]))).toEqual(['id,steps,logLikelihood', ...expected]);
    expect(lines(await ok([...args, ...grouped, '--keep', 'id']))).toEqual(['id,steps,logLikelihood', ...expected]);
    expect(lines(await ok([...args, ...grouped, '--keep', 't,b']))[3]).toBe(`0,${sequences[2]![0]![1]},s2,0,0`);
    expect(lines(await ok([...args, '--sequence', '']))).toEqual([
      'steps,logLikelihood',
      `65,${network(model).logLikelihood(sequences.flat())}`,
    ]);
    await ok([...args, ...grouped, '-o', folder.at('totals.ndjson')]);
    expect(objects(folder.read('totals.ndjson'))[3]).toEqual({ id: 's3', steps: 5, logLikelihood: totals[3] });
    expect(await ok([...args, ...grouped].with(2, '-'), { input: 'a,b,id\n' })).toBe('id,steps,logLikelihood\n');
  });
  test('a sequence goes on after the end of a block: the bits of a batch, for every cell', async () => {
    // blocks of 4032 rows; the third begins in one sequence and ends three rows into another
    const long = [3, 9000, 1, 2, 3087, 40].map((length, s) =>
      Array.from({ length }, (_, t) => [Math.sin(t / 5 + s), Math.cos(t * t)].map((v) => Number(v.toFixed(3)))),
    );
    const text = `s,a,b\n${long.flatMap((q, s) => q.map((row) => `${s},${row.join()}\n`)).join('')}`;
    for (const cell of ['tanh', 'relu', 'lstm', 'gru'] as const) {
      const net = new MixtureDensityNetwork(
        { dimension: 2, hidden: [9, 5], components: 3, cell, seed: 3 },
        { backend },
      );
      const file = folder.write(`net-${cell}`, net.toBytes());
      const args = ['score', file, '-', '--sequence', 's', '--columns', 'a,b', ...onWasm];
      const out = lines(await ok(args, { input: text })).slice(1);
      const logDensity = net.logDensity(long);
      let term = 0;
      expect(out).toEqual(long.flatMap((q) => q.map((_, t) => (t === 0 ? '' : String(logDensity[term++])))));
      const totals = lines(await ok([...args, '--per-sequence'], { input: text })).slice(1);
      expect(totals.map((line) => line.split(',')[2])).toEqual(Array.from(net.logLikelihoods(long), String));
      const { data: printed } = JSON.parse(await ok([...args, '--json'].with(0, 'inspect'), { input: text }));
      expect(printed).toMatchObject({ sequences: 6, steps: 12127, logLikelihood: net.logLikelihood(long) });
    }
  });
  test.runIf(hasNative)('native baseline gives the bits of wasm', async () => {
    const args = ['score', model, data, ...grouped];
    expect(await ok([...args, '--isa', 'baseline'])).toBe(await ok([...args, ...onWasm]));
  });
});

describe('inspect', () => {
  test('for people', async () => {
    expect(await ok(['inspect', model, data, ...grouped, ...onWasm])).toMatch(
      /^gradient check: worst relative difference \d\.\de-\d+ \(\w+\)\ngrowth of the gradient: -\S+ % a step back in time \(log -\S+\), vanishing\n(.*\n)+The gradient falls by .*\n\nmixture-density-network in 2 dimensions\na layer of 5 tanh units, 2 components, covariance chol-exp: 112 parameters\ncolumn +unit\n +a +-?0\.\d+ ± 0\.\d+\n +b +-?0\.\d+ ± 0\.\d+\nsequences by the column id\nno standard deviation is below 0\.001 units\n\n\S+data\.csv: 8 sequences, 66 rows, 58 steps\nlog-likelihood per step +-\S+\nlog-likelihood +-\S+\n$/,
    );
  });
  test('for programs', async () => {
    const json = JSON.parse(await ok(['inspect', model, data, ...grouped, '--json', ...onWasm]));
    const net = network(model);
    const logLikelihood = net.logLikelihood(sequences);
    const { mean, standardDeviation } = net.standardization!;
    const values = Float64Array.from(sequences.flat(2));
    const lengths = sequences.map(({ length }) => length);
    expect(json.diagnosis).toEqual(JSON.parse(JSON.stringify(diagnose(net, { values, lengths }))));
    expect(json).toEqual({
      kind: 'mixture-density-network',
      diagnosis: json.diagnosis,
      dimension: 2,
      columns: ['a', 'b'],
      hidden: [5],
      cell: 'tanh',
      components: 2,
      mapping: 'chol-exp',
      binary: 0,
      inputSkip: false,
      parameters: 112,
      minStandardDeviation: 1e-3,
      sequenceColumn: 'id',
      standardization: { mean: [...mean], standardDeviation: [...standardDeviation] },
      data: { rows: 66, sequences: 8, steps: 58, logLikelihood, logLikelihoodPerStep: logLikelihood / 58 },
    });
  });
  test('the gradient as a picture', async () => {
    const file = folder.at('gradient.svg');
    await ok(['inspect', model, data, ...grouped, '--svg', file, ...onWasm]);
    expect(readFileSync(file, 'utf8')).toMatch(/^<svg .*\n(<.*\n)*<polyline points="[\d., ]+".*\n<\/svg>\n$/);
  });
});

describe('inspect, of a recurrent classifier', () => {
  const classifier = new RecurrentClassifier(
    { U: [0.5, 0.2, -0.3, 0.4], V: [1, -1], W: [1, -2] },
    { columns: ['sound'], labels: ['speech'], backend, sequenceColumn: 'talk' },
  );
  const file = folder.write('talks.seqlik', classifier.toBytes());
  const of = (lengths: readonly number[]) => {
    const rows = lengths.flatMap((length, s) => Array.from({ length }, (_, t) => `${s},${Math.cos(s + t)},${t % 2}`));
    return folder.write('talks.csv', ['talk,sound,speech', ...rows].join('\n'));
  };
  test('the diagnosis comes first, in text, JSON and as a picture', async () => {
    const talks = of([9, 7, 1]);
    const text = await ok(['inspect', file, talks, ...onWasm]);
    expect(lines(text)[0]).toMatch(/^gradient check: worst relative difference \d\.\de-\d+ \(W[xhy]0\)$/);
    expect(text).toMatch(/^norm of the gradient by time distance/m);
    expect(text).toMatch(/^no dead or saturated units$/m);
    const { diagnosis, data } = JSON.parse(await ok(['inspect', file, talks, '--json', ...onWasm]));
    const values = Float64Array.from([9, 7, 1].flatMap((n, s) => Array.from({ length: n }, (_, t) => Math.cos(s + t))));
    expect(diagnosis).toEqual(JSON.parse(JSON.stringify(diagnose(classifier, { values, lengths: [9, 7, 1] }))));
    expect(data.rows).toBe(17);
    await ok(['inspect', file, talks, '--svg', folder.at('talks.svg'), ...onWasm]);
    expect(folder.read('talks.svg')).toMatch(/^<svg .*\n(<.*\n)*<polyline points="[\d., ]+".*\n<\/svg>\n$/);
  });
  test('no diagnosis of sequences of one row', async () => {
    expect(await ok(['inspect', file, of([1, 1]), ...onWasm])).not.toMatch(/gradient/);
  });
});

describe('sample', () => {
  const draw = (more: readonly string[]): Promise<string> => ok(['sample', model, ...more, ...onWasm]);
  test('sequences, the first one that of the library', async () => {
    const text = await draw(['-n', '3', '--steps', '4', '--seed', '7']);
    const drawn = objects(text);
    expect(drawn.map((row) => Object.keys(row))).toEqual(Array(12).fill(['sequence', 'a', 'b']));
    expect(drawn.map((row) => row['sequence'])).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    const of = (s: number): unknown[] => drawn.slice(4 * s, 4 * s + 4).flatMap(({ a, b }) => [a, b]);
    expect(of(0)).toEqual([...network(model).sample(4, { seed: 7 })]);
    expect(of(1)).not.toEqual(of(0));
    expect(of(2)).not.toEqual(of(1));
    expect(await draw(['-n', '3', '--steps', '4', '--seed', '7'])).toBe(text);
    const csv = await draw(['-n', '3', '--steps', '4', '--seed', '7', '--format', 'csv']);
    expect(lines(csv)).toEqual(['sequence,a,b', ...drawn.map((row) => Object.values(row).join())]);
    await draw(['-n', '3', '--steps', '4', '--seed', '7', '-o', folder.at('draws.csv')]);
    expect(folder.read('draws.csv')).toBe(csv);
    // what was drawn is read again
    expect(lines(await ok(['score', model, folder.at('draws.csv'), '--sequence', 'sequence'])).length).toBe(13);
  });
  test('100 steps by default; --bias', async () => {
    expect(lines(await draw(['-n', '2'])).length).toBe(200);
    const biased = objects(await draw(['-n', '1', '--steps', '5', '--bias', '2']));
    expect(biased.flatMap(({ a, b }) => [a, b])).toEqual([...network(model).sample(5, { bias: 2 })]);
  });
  test('a column called sequence keeps its name', async () => {
    const net = new MixtureDensityNetwork({ dimension: 1, hidden: [2], components: 1 }, { columns: ['sequence'] });
    const out = await ok(['sample', folder.write('odd', net.toBytes()), '-n', '1', '--steps', '1']);
    expect(Object.keys(objects(out)[0]!)).toEqual(['_sequence', 'sequence']);
  });
});

const parsed = (text: string) => new DOMParser().parseFromString(text, 'image/svg+xml').documentElement!;
const points = (line: { getAttribute(name: string): string | null }): number[][] =>
  line
    .getAttribute('points')!
    .split(' ')
    .map((point) => point.split(',').map(Number));

describe('drawings', () => {
  test('of a network of pen strokes', async () => {
    const pen = new MixtureDensityNetwork({ dimension: 3, hidden: [4], components: 2, binary: 1 }, { backend });
    const file = folder.write('pen', pen.toBytes());
    const args = ['sample', file, '-n', '7', '--steps', '20', '--seed', '5', ...onWasm];
    const rows = objects(await ok(args));
    expect(await ok([...args, '--svg', folder.at('pen.svg')])).toBe('');
    const svg = parsed(folder.read('pen.svg'));
    expect(svg.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    expect(svg.querySelector('text')!.textContent).toBe('seed 5');
    const strokes = Array.from({ length: 7 }, (_, s) => rows.slice(20 * s, 20 * s + 19)).flat();
    expect(svg.querySelectorAll('polyline').length).toBe(7 + strokes.filter((row) => row['x3'] === 1).length);
    expect(svg.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
    expect(await ok([...args, '--svg', '-'])).toBe(folder.read('pen.svg'));
    expect(objects(await ok([...args, '--svg', folder.at('both.svg'), '-o', '-']))).toEqual(rows);
    expect(folder.read('both.svg')).toBe(folder.read('pen.svg'));
    expect((await ok([...args, '--svg', '-'].with(3, '0'))).trimEnd()).toMatch(/<\/svg>$/);
  });
  test('a stroke ends where the pen is lifted; y goes down; each is scaled to its cell', () => {
    // where the first point lies says nothing; a corner, then a dot
    const rows = Float64Array.of(50, 50, 0, 2, 0, 0, 0, 4, 1, -1, -1, 1);
    const text = strokesSvg(
      [{ title: 'a < b & c', sequences: [rows, rows.map((v, i) => (i % 3 < 2 ? v * 1e6 : v))] }],
      {
        columns: 2,
        cell: 100,
      },
    );
    const svg = parsed(text);
    expect(svg.querySelector('text')!.textContent).toBe('a < b & c');
    const [width, height] = ['width', 'height'].map((name) => Number(svg.getAttribute(name)));
    const drawn = [...svg.querySelectorAll('polyline')].map(points);
    expect(drawn.length).toBe(4);
    for (const [x, y] of drawn.flat()) {
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(width!);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(height!);
    }
    for (const [corner, dot] of [drawn.slice(0, 2), drawn.slice(2)] as number[][][][]) {
      const [[x, y], ...rest] = corner as [number[], ...number[][]];
      expect(rest).toEqual([
        [x! + 50, y],
        [x! + 50, y! + 100],
      ]);
      expect(dot).toEqual(Array(2).fill([x! + 25, y! + 75]));
    }
    expect(drawn[2]![0]![0]! - drawn[0]![0]![0]!).toBe(116);
  });
  test('nothing, or no way at all, is drawn without a fault', () => {
    const still = Float64Array.of(1, 1, 0, 0, 0, 0);
    const svg = parsed(strokesSvg([{ title: '', sequences: [new Float64Array(), still] }]));
    expect([...svg.querySelectorAll('polyline')].length).toBe(1);
    expect(svg.querySelector('text')).toBe(null);
    for (const groups of [[], [{ title: 'none', sequences: [] }]])
      expect(strokesSvg(groups)).not.toMatch(/NaN|Infinity/);
  });
});
