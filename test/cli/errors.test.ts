/** Errors: the commands report them in one line, with the place and the exit code of docs/cli.md, and leave no file. */
import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Folder, seqlik, seqlikProcess, table } from './run.ts';

const folder = new Folder();
folder.write('data.csv', table);
folder.write('three.csv', 'a,b,c\n1,2,3\n4,5.5,1e1\n7,1,9\n1,2,5\n');
const cwd = folder.path;
const run = (command: string, input = ''): ReturnType<typeof seqlik> => seqlik(command.split(' '), { cwd, input });
await run('fit gaussian three.csv -o g');
await run('fit gaussian-mixture data.csv -o m --columns x,y --components 2');
folder.write('walk.csv', 's,a,up\nx,1,0\nx,2,1\nx,4,0\ny,3,1\ny,5,0\n');
const net = 'fit mixture-density-network walk.csv -o x --sequence s --hidden 2 --components 1';
await run(`${net} --max-iterations 1 --binary 1 --checkpoint ck`.replace('-o x', '-o n'));
const files: Readonly<Record<string, string>> = {
  'cells.csv': 'a,b,c\n1,2,3\n4,5\n',
  'more.csv': 'a,b,c\n1,2,3\n4,5,6,7\n',
  'text.csv': 'a,b,c\n1,2,3\n4,NA,6\n',
  'nan.csv': 'a,b,c\n1,2,3\n4,NaN,6\n',
  'large.csv': 'a,b,c\n1,2,3\n4,1e999,6\n',
  'far.csv': 'a,b,c\n1,2,3\n\n1,2,3\n1e200,-1e300,6\n1,2,3\n',
  'constant.csv': 'a,b,c\n1,2,3\n2,2,4\n3,2,9\n',
  'missing.csv': 'a,b,c\n,,\n,,\n',
  'head.csv': 'a,b,c\n',
  'empty.csv': '',
  'quote.csv': 'a,b,c\n1,2,3\n4,"5,6\n',
  'two.csv': 'a,b\n1,2\n',
  'twice.csv': 'a,b,c,a\n1,2,3,4\n',
  'weights.csv': 'a,w\n1,1\n2,\n3,1\n',
  'negative.csv': 'a,w\n1,1\n2,-1\n3,1\n',
  'zero.csv': 'a,w\n1,0\n2,0\n',
  'text.ndjson': '{"a":1,"b":2,"c":3}\n{"a":1,"b":"x","c":3}\n',
  'json.ndjson': '{"a":1,"b":2,"c":3}\n{"a":1,\n',
  'list.ndjson': '{"a":1,"b":2,"c":3}\n[1,2,3]\n',
  'key.ndjson': '{"a":1,"b":2}\n{"a":1}\n',
  'gap.csv': 's,a,up\nx,1,0\nx,2,0\nx,,1\ny,1,0\n',
  'half.csv': 's,a,up\nx,1,0\nx,2,0.5\ny,1,0\n',
  'back.csv': 's,a,up\nx,1,0\nx,2,0\n"y",1,0\n"x",1,0\nx,2,0\n',
  'unnamed.csv': 's,a,up\nx,1,0\n,2,0\n',
  'single.csv': 's,a,up\nx,1,0\ny,2,0\nz,2,0\n',
  'word.csv': 's,a,up\nx,1,0\nx,2,0\nx,oops,0\n',
  'gap.ndjson': '{"s":"x","a":1,"up":0}\n{"s":"x","a":null,"up":0}\n',
  'absent.ndjson': '{"s":"x","a":1,"up":0}\n{"s":"x","a":2}\n',
  'back.ndjson': '{"s":1,"a":1,"up":0}\n{"s":"1","a":2,"up":0}\n{"s":1,"a":2,"up":0}\n',
  'unnamed.ndjson': '{"s":"x","a":1,"up":0}\n{"a":2,"up":0}\n',
  'key2.ndjson': '{"s":"x","a":1,"up":0}\n{"s":"x","a":1,"up":0,"b":1}\n',
  'nameless.csv': 'a,,c\n1,2,3\n',
  'data.txt': 'a,b,c\n1,2,3\n',
  cut: '',
};
for (const [name, text] of Object.entries(files)) folder.write(name, text);
const before = folder.names();

type Case = readonly [command: string, code: number, message: string | RegExp];
const usage: Case[] = [
  ['nonsense', 2, "unknown command 'nonsense'"],
  ['--nonsense', 2, "unknown option '--nonsense'; see --help"],
  ['score m', 2, "missing required argument 'DATA'"],
  ['score m data.csv more', 2, /too many arguments/],
  ['score m data.csv --svg x', 2, "unknown option '--svg'; see --help"],
  ['sample m -n 3 --svg x', 2, /^--svg draws strokes of a pen: /],
  ['score m data.csv --format xml', 2, /argument 'xml' is invalid. Allowed choices are csv, ndjson/],
  ['score m data.txt', 2, 'data.txt: neither .csv, .tsv, .ndjson nor .jsonl: say --format csv or --format ndjson'],
  ['score m data.csv --columns x', 2, '--columns names 1 column, the model has 2'],
  ['score m data.csv --columns x,x', 2, /It names a column twice/],
  ['score m data.csv --columns x,,y', 2, /It is not a list like a,b,c/],
  ['score m data.csv --keep logDensity', 2, 'OUT would have two columns "logDensity"'],
  ['score m data.csv --backend gpu', 2, /argument 'gpu' is invalid/],
  [
    'fit gaussian three.csv -o x --covariance full',
    2,
    "unknown option '--covariance'; did you mean --covariance-type?",
  ],
  ['score m data.csv --column x', 2, "unknown option '--column'; did you mean --columns?"],
  ['fit gausian three.csv -o x', 2, /^no kind of model is called gausian: did you mean gaussian\? there are/],
  [`${net} --cell LSTM`, 2, /not 'LSTM'; did you mean 'lstm'\?$/],
  ['score m data.csv --delimiter x', 2, /It is none of , ; and tab/],
  ['score m data.csv --keep ID', 65, 'data.csv: line 1: there is no column "ID"; did you mean "id"?'],
  ['score m m --format csv', 65, 'm: it is a file of a model, not a table'],
  [
    'score data.csv data.csv',
    65,
    'data.csv: malformed seqlik file: its first bytes are not those of a model: is it a file that fit wrote, and not the data?',
  ],
  ['score m data.csv --threads 0', 2, /^--threads must be a whole number from 1 to 1024, not 0$/],
  ['score m data.csv --threads x', 2, /argument 'x' is invalid. It is not a number/],
  [
    'fit tree data.csv -o x',
    2,
    /^no kind of model is called tree: there are gaussian, gaussian-mixture, .*recurrent-classifier.* and /,
  ],
  ['fit gaussian data.csv', 2, "required option '-o, --output <MODEL>' not specified"],
  ['fit gaussian-mixture three.csv -o x', 2, '--components is needed: try --components 2, or 1..8 to choose by BIC'],
  [
    'fit gaussian three.csv -o x --components 2',
    2,
    '--components is no option of this kind of model, but of gaussian-mixture and mixture-density-network',
  ],
  [
    'fit gaussian three.csv -o x --false-positive-rate 0.1',
    2,
    '--false-positive-rate is no option of this kind of model, but of gaussian-mixture',
  ],
  [
    'fit gaussian-mixture three.csv -o x --components 0',
    2,
    '--components must be a whole number from 1 to 2147483647, not 0',
  ],
  ['fit gaussian-mixture three.csv -o x --components 1.5', 2, /--components must be a whole number/],
  ['fit gaussian-mixture three.csv -o x --components 5', 2, '--components: 5 components for 4 observed rows'],
  [
    'fit gaussian-mixture three.csv -o x --components 2 --seed -1',
    2,
    '--seed must be a whole number from 0 to 4294967295, not -1',
  ],
  ['fit gaussian-mixture three.csv -o x --components 2 --seed 0x10', 2, /It is not a number/],
  [
    'fit gaussian-mixture three.csv -o x --components 2 --covariance-type odd',
    2,
    /^--covariance-type must be one of full, /,
  ],
  [
    'fit gaussian-mixture three.csv -o x --components 2 --initialization odd',
    2,
    /^--initialization must be one of short-runs, k-means\+\+, /,
  ],
  [
    'fit gaussian-mixture three.csv -o x --components 2 --false-positive-rate 1',
    2,
    /^--false-positive-rate must be a number between/,
  ],
  ['fit gaussian-mixture three.csv -o x --components 2 --max-iterations -1', 2, /^--max-iterations must be/],
  ['fit gaussian three.csv -o x --columns a,b --sample-weights b', 2, '--columns and --sample-weights both name b'],
  ['fit gaussian three.csv -o - --json', 2, '-o - and --json cannot both have stdout'],
  ['sample m', 2, "required option '-n, --count <n>' not specified"],
  ['sample m -n 1.5', 2, '-n must be a whole number, 0 or more'],
  ['sample m -n 1 --seed 4294967296', 2, /^--seed must be/],
  // options that belong to other kinds of models
  ...[
    'fit gaussian three.csv -o x --sequence a',
    'fit gaussian three.csv -o x --checkpoint c',
    'fit gaussian-mixture three.csv -o x --components 2 --resume c',
    'fit gaussian-mixture three.csv -o x --components 2 --hidden 3',
    'fit gaussian-mixture three.csv -o x --components 2 --input-skip',
    `${net} --restarts 2`,
    `${net} --covariance-type full`,
    `${net} --sample-weights a`,
    'score m data.csv --sequence id',
    'score g three.csv --per-sequence',
    'inspect m data.csv --sequence id',
    'sample m -n 1 --steps 3',
    'sample g -n 1 --bias 1',
  ].map((command): Case => {
    const option = /.* (--[a-z-]+)/.exec(command)![1]!;
    return [command, 2, new RegExp(`^${option} is no option of this kind of model, but of [a-z-]+`)];
  }),
  ['fit mixture-density-network walk.csv -o x --components 1', 2, /^--hidden /],
  ['fit mixture-density-network walk.csv -o x --hidden 2', 2, /^--components /],
  [`${net} --hidden 2,x`, 2, /argument '2,x' is invalid. It is not a number/],
  [`${net} --hidden 0`, 2, /^--hidden must be a whole number from 1/],
  [`${net} --cell odd`, 2, /^--cell must be one of tanh, /],
  [`${net} --mapping odd`, 2, /^--mapping must be one of tanh-full, /],
  [
    `${net} --mapping graves --binary 1`,
    2,
    /^--mapping: the mapping graves is for 2 coordinates beside the binary ones/,
  ],
  [`${net} --binary -1`, 2, /^--binary must be a whole number from 0/],
  [`${net} --binary 0.5`, 2, /^--binary must be a whole number from 0/],
  [`${net} --binary 2`, 2, '--binary must be less than the number of columns, 2, not 2'],
  [`${net} --momentum 0.5`, 2, '--momentum is of optimizer sgd, not of adam'],
  [`${net} --validation 1`, 2, /^--validation must be/],
  [`${net} --learning-rate 0`, 2, /^--learning-rate must be/],
  [`${net} --columns s,a`, 2, '--sequence s: that column is an input'],
  [`${net} --checkpoint ./x`, 2, '--checkpoint and -o name the same file'],
  [`${net} --checkpoint -`, 2, '--checkpoint is a file of its own, not stdout'],
  [`${net} --binary 1 --resume ck --batch 3`, 2, '--resume ck is of another fit: its batch is 32, not 3'],
  ['score n walk.csv --sequence a', 2, '--sequence a: that column is an input'],
  ['score n walk.csv --columns a,up --sequence up', 2, '--sequence up: that column is an input'],
  ['inspect n walk.csv --sequence up', 2, '--sequence up: that column is an input'],
  ['score n walk.csv --sequence s --keep logDensity', 2, 'OUT would have two columns "logDensity"'],
  ['score n walk.csv --sequence steps --per-sequence', 2, 'OUT would have two columns "steps"'],
  ['sample n -n 1 --steps -1', 2, '--steps must be a whole number, 0 or more'],
  ['sample n -n 1 --steps 1.5', 2, '--steps must be a whole number, 0 or more'],
  ['sample n -n 1 --bias -1', 2, /^--bias must be/],
  ['sample n -n 1 --seed -1', 2, /^--seed must be/],
  ['sample n -n 3 --svg x', 2, /^--svg draws strokes of a pen: .*\(--binary 1\)$/],
  ['sample n -n 3 --svg - -o -', 2, '-o - and --svg - cannot both have stdout'],
  // options are checked before a file is read
  [`${net} --learning-rate -1`.replace('walk', 'none'), 2, /^--learning-rate/],
  ['fit gaussian-mixture absent.csv -o x --components 0', 2, /^--components/],
];
const failures: Case[] = [
  ['score m absent.csv', 1, 'cannot read absent.csv: no such file or folder (ENOENT)'],
  ['score absent data.csv', 1, 'cannot read absent: no such file or folder (ENOENT)'],
  ['inspect absent', 1, 'cannot read absent: no such file or folder (ENOENT)'],
  ['score m . --format csv', 1, 'cannot read .: it is a folder (EISDIR)'],
  ['score m data.csv -o .', 1, 'cannot write .: it is a folder (EISDIR)'],
  ['score m data.csv -o absent/x', 1, 'cannot write absent/x: no such file or folder (ENOENT)'],
  ['fit gaussian three.csv -o data.csv/x', 1, 'cannot write data.csv/x: a part of the path is not a folder (ENOTDIR)'],
  ['fit gaussian absent.csv -o x', 1, 'cannot read absent.csv: no such file or folder (ENOENT)'],
  [`${net} --resume none`, 1, 'cannot read none: no such file or folder (ENOENT)'],
  [`${net} --checkpoint none/x`, 1, 'cannot write none/x: no such file or folder (ENOENT)'],
  ['score m data.csv --isa nonesuch', 1, /no level nonesuch here|no native binary/],
  ['score m data.csv --backend wasm --isa baseline', 1, /no level baseline here/],
];
const gap = 'the value is missing, which this kind of model does not know';
const again = 'has ended before: the rows of a sequence stand one after the other';
const fitOf = (file: string): string => `${net} --binary 1`.replace('walk.csv', file);
const badData: Case[] = [
  ...[
    (file: string) => `score n ${file} --sequence s`,
    (file: string) => `inspect n ${file} --sequence s`,
    fitOf,
  ].flatMap((command): Case[] => [
    [command('word.csv'), 65, /^word\.csv: line 4, column 2 \(a\): "oops" is not a number/],
    [command('gap.csv'), 65, `gap.csv: line 4, column 2 (a): ${gap}`],
    [command('half.csv'), 65, 'half.csv: line 3, column 3 (up): 0.5 is neither 0 nor 1 (--binary)'],
    [command('back.csv'), 65, `back.csv: line 5, column 1 (s): the sequence x ${again}`],
    [command('unnamed.csv'), 65, 'unnamed.csv: line 3, column 1 (s): it does not say which sequence the row is of'],
    [command('gap.ndjson'), 65, `gap.ndjson: line 2, column a: ${gap}`],
    [command('absent.ndjson'), 65, `absent.ndjson: line 2, column up: ${gap}`],
    [command('back.ndjson'), 65, `back.ndjson: line 3, column s: the sequence 1 ${again}`],
    [command('unnamed.ndjson'), 65, 'unnamed.ndjson: line 2, column s: it does not say which sequence the row is of'],
    [command('three.csv'), 65, /^three\.csv: line 1: there is no column "/],
  ]),
  [
    fitOf('key2.ndjson'),
    65,
    'key2.ndjson: line 2, column b: the first line has no such key: say which ones are the inputs with --columns',
  ],
  [
    'fit gaussian nameless.csv -o x',
    65,
    'nameless.csv: line 1: a column has no name: say which ones are the inputs with --columns',
  ],
  [fitOf('single.csv'), 65, 'single.csv: no sequence has two rows'],
  ['inspect n single.csv --sequence s', 65, 'single.csv: no sequence has two rows'],
  [`${net} --resume walk.csv`, 65, /^walk\.csv: malformed seqlik file: /],
  [
    `${net} --resume n`,
    65,
    /^n: malformed seqlik file: it holds a mixture-density-network, not a training-checkpoint$/,
  ],
  ['score g cells.csv', 65, 'cells.csv: line 3: it has 2 cells, the header line 3'],
  ['score g more.csv', 65, 'more.csv: line 3: it has 4 cells, the header line 3'],
  ['score g text.csv', 65, 'text.csv: line 3, column 2 (b): "NA" is not a number (a gap?): say --na NA'],
  ['score g nan.csv', 65, 'nan.csv: line 3, column 2 (b): "NaN" is not a number (a gap?): say --na NaN'],
  ['score g large.csv', 65, 'large.csv: line 3, column 2 (b): "1e999" is too large for a double'],
  ['score g quote.csv', 65, 'quote.csv: line 3: a quote is misplaced or not closed'],
  ['score g two.csv', 65, 'two.csv: line 1: there is no column "c"; there are a and b'],
  ['score g three.csv --keep z', 65, 'three.csv: line 1: there is no column "z"; there are a, b and c'],
  ['fit gaussian three.csv -o x --columns a,z', 65, 'three.csv: line 1: there is no column "z"; there are a, b and c'],
  ['score g empty.csv', 65, 'empty.csv: it is empty, without even a header line'],
  [
    'score g text.ndjson',
    65,
    'text.ndjson: line 2, column b: "x" is not a number (a value not observed is null or left out)',
  ],
  ['score g json.ndjson', 65, /^json\.ndjson: line 2: it is not JSON: /],
  ['score g list.ndjson', 65, 'list.ndjson: line 2: it is not an object'],
  ['score g key.ndjson', 65, 'key.ndjson: no line has a "c"; there are a and b'],
  ['score three.csv data.csv', 65, /^three\.csv: malformed seqlik file: /],
  ['score cut data.csv', 65, /^cut: malformed seqlik file: /],
  ['inspect cut', 65, /^cut: malformed seqlik file: /],
  ['inspect g head.csv', 65, 'head.csv: no row holds an observation'],
  ['inspect g missing.csv', 65, 'missing.csv: no row holds an observation'],
  ['fit gaussian head.csv -o x', 65, 'head.csv: no row holds an observation'],
  ['fit gaussian-mixture missing.csv -o x --components 1', 65, 'missing.csv: no row holds an observation'],
  ['fit gaussian empty.csv -o x', 65, 'empty.csv: it is empty, without even a header line'],
  ['fit gaussian constant.csv -o x', 65, 'constant.csv: column 2 (b) is constant: say --columns a,c'],
  [
    'fit gaussian-mixture constant.csv -o x --components 2 --columns c,b',
    65,
    /^constant\.csv: column 2 \(b\) is constant: say --columns c$/,
  ],
  ['fit gaussian twice.csv -o x', 65, 'twice.csv: line 1: there are 2 columns "a"'],
  [
    'fit gaussian data.csv -o x',
    65,
    'data.csv: line 2, column 1 (id): "r0" is not a number: id and group hold text: say --columns x,y',
  ],
  ['fit gaussian weights.csv -o x --sample-weights w', 65, 'weights.csv: line 3, column w: a weight cannot be missing'],
  ['fit gaussian negative.csv -o x --sample-weights w', 65, 'negative.csv: line 3, column w: a weight cannot be -1'],
  ['fit gaussian zero.csv -o x --sample-weights w', 65, 'zero.csv: all weights are 0'],
  ['fit gaussian far.csv -o x', 65, /^far\.csv: line \d: the values are so far from the model/],
];

describe.each([
  ['usage', usage],
  ['failures', failures],
  ['bad data', badData],
])('%s', (_, cases) => {
  test.each(cases)('seqlik %s: exit %i', async (command, code, message) => {
    const ended = await run(command);
    expect(ended.code, ended.stderr).toBe(code);
    expect(ended.stderr).toMatch(/^seqlik: [^\n]+\n$/);
    expect(ended.stderr).not.toMatch(/^ +at |node:|unexpected|undefined/m);
    const printed = ended.stderr.slice('seqlik: '.length, -1);
    if (typeof message === 'string') expect(printed).toBe(message);
    else expect(printed).toMatch(message);
  });
});
test.each([
  ...[usage, failures, badData].map(([first]) => first![0]),
  'score g three.csv',
  'inspect n walk.csv --sequence s --json',
])('seqlik %s: a process of its own ends in the same way', async (command) => {
  expect(await seqlikProcess(command.split(' '), { cwd })).toEqual(await run(command));
});
test('nothing was left behind', () => expect(folder.names()).toEqual(before));

test('no command: the help, on stderr, and exit 2', async () => {
  const { code, stdout, stderr } = await seqlik([]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^Usage: seqlik/);
});
test('SEQLIK_DEBUG shows the stack', async () => {
  const { stderr } = await seqlik(['score', 'm', 'text.csv', '--columns', 'a,b'], { cwd, env: { SEQLIK_DEBUG: '1' } });
  expect(stderr).toMatch(/SeqlikError: .*\n +at /);
});
test('stdout ends after the last good line, and no file OUT appears', async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i % 10},2,${i % 7}\n`);
  const [good, bad] = [`a,b,c\n${rows.join('')}`, `a,b,c\n${rows.join('')}1,x,1\n${rows.join('')}`];
  folder.write('bad.csv', bad);
  const whole = await run('score g -', good);
  const { code, stdout, stderr } = await run('score g bad.csv');
  expect({ code, stderr }).toEqual({
    code: 65,
    stderr: expect.stringMatching(/^seqlik: bad.csv: line 20002, column 2 \(b\): "x"/),
  });
  expect(stdout).toBe(whole.stdout);
  expect((await run('score g bad.csv -o out.csv')).code).toBe(65);
  folder.write('there.csv', 'as it was');
  expect((await run('score g bad.csv -o there.csv')).code).toBe(65);
  expect(folder.read('there.csv')).toBe('as it was');
  expect(folder.names()).toEqual([...before, 'bad.csv', 'there.csv'].sort());
});
test('a row without a density is marked, counted, and ends nothing', async () => {
  const { code, stdout, stderr } = await run('score g far.csv');
  const lines = stdout.split('\n');
  expect({ code, lines: lines.length, marked: lines.indexOf('-Infinity') }).toEqual({ code: 0, lines: 6, marked: 3 });
  expect(stderr).toBe(
    'seqlik: far.csv: 1 row is so far from the model that the density is 0 in a double, the first in line 5\n',
  );
  const json = await run(
    'score g - --format ndjson',
    '{"a":1,"b":2,"c":3}\n{"a":1e200,"b":0,"c":0}\n{"a":1e250,"b":0,"c":0}\n',
  );
  expect(json.stdout.split('\n').slice(1)).toEqual(['{"logDensity":null}', '{"logDensity":null}', '']);
  expect(json.stderr).toMatch(/stdin: 2 rows are so far .* in line 2$/m);
  await run('fit gaussian-mixture three.csv -o anomalous --components 1 --false-positive-rate 0.2');
  const mixture = await run('score anomalous far.csv --responsibilities');
  expect(mixture.stdout.split('\n')[3]).toBe('-Infinity,,true,0');
  rmSync(folder.at('anomalous'));
});
test('scores of sequences end after the last good line, totals after the last complete sequence', async () => {
  const rows = (id: number, n: number): string => `${id},0.5,0\n`.repeat(n);
  const many = `s,a,up\n${rows(1, 3)}${rows(2, 9000)}`;
  for (const bad of ['2,,0\n', '1,1,0\n', '2,1,7\n', '2,1\n']) {
    const { code, stdout, stderr } = await run('score n - --sequence s', many + bad + rows(3, 4));
    expect({ code, stderr }).toMatchObject({ code: 65, stderr: expect.stringContaining('stdin: line 9005') });
    expect(stdout).toBe((await run('score n - --sequence s', many)).stdout);
  }
  const { code, stdout } = await run('score n - --sequence s --per-sequence', `${many}2,,0\n`);
  expect({ code, lines: stdout.split('\n').map((line) => line.split(',').length) }).toEqual({
    code: 65,
    lines: [3, 3, 1],
  });
});
test('a row too far away to have a density is counted, with its line, and those after it are scored', async () => {
  const { code, stdout, stderr } = await run(
    'score n - --sequence s',
    's,a,up\nx,1,0\nx,2,0\ny,1,0\ny,1e200,0\ny,1,0\n',
  );
  expect({ code, stdout: stdout.split('\n').length }).toEqual({ code: 0, stdout: 7 });
  expect(stderr).toMatch(/line 5\b/);
});
test('nothing is written for data without the columns', async () => {
  expect((await run('score g two.csv')).stdout).toBe('');
  expect((await run('score g key.ndjson')).stdout).toBe('');
});
test('no text in a file can steer the terminal', async () => {
  for (const text of ['a,b,c\n1,2,"\x1b[31m\x07\n"\n', 'a,b,c,"\x1b[2J"\n1,2\n', 'a,"\x1b]0;x\x07",c\n1,2,3\n']) {
    const { code, stderr } = await run('score g -', text);
    expect(code).toBe(65);
    expect(stderr).toMatch(/^seqlik: \P{Cc}+\n$/u);
  }
});
