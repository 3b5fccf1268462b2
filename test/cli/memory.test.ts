/** Constant memory: 200 MB through `score`. docs/cli.md tells of 2 GB. */
import { expect, test } from 'vitest';
import { ended, Folder, seqlik, start } from './run.ts';

const d = 8;
const names = Array.from({ length: d }, (_, j) => `x${j}`);
const cell = (i: number, j: number): number => Math.sin(i * 12.9898 + j * 78.233) * 3 + (i % 4);
const folder = new Folder();

test('score and inspect stay under 250 MB', async () => {
  const rows = Array.from({ length: 7000 }, (_, i) => names.map((_, j) => cell(i, j)));
  const model = folder.at('model');
  const head = `${names.join()}\n`;
  const block = Buffer.from(rows.map((row) => `${row.join()}\n`).join(''));
  const fit = [
    'fit',
    'gaussian-mixture',
    '-',
    '--components',
    '4',
    '--max-iterations',
    '3',
    '--false-positive-rate',
    '0.01',
    '-o',
    model,
  ];
  expect((await seqlik(fit, { input: [head, block] })).code).toBe(0);

  const tell = `process.on('exit', () => process.stderr.write('maxRSS ' + process.resourceUsage().maxRSS))`;
  const env = { NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(tell)}"` };
  const times = Math.ceil(200e6 / block.length);
  const child = start(['score', model, '-', '-o', folder.at('out.csv')], { env });
  const end = ended(child);
  child.stdin!.write(head);
  for (let i = 0; i < times; i++) await new Promise((done) => child.stdin!.write(block, done));
  child.stdin!.end();
  const { code, stderr } = await end;
  expect(code).toBe(0);
  expect(Number(/maxRSS (\d+)/.exec(stderr)![1]) / 1024).toBeLessThan(250);
  expect(folder.read('out.csv').split('\n').length).toBe(times * rows.length + 2);
}, 120_000);
