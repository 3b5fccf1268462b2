/** Memory stays constant: 200 MB through `score`, a sequence of half a million rows. docs/cli.md promises 2 GB. */
import { expect, test } from 'vitest';
import { MixtureDensityNetwork } from '../../src/index.ts';
import { Folder, seqlik, start, waitForEnd } from './run.ts';

const d = 8;
const names = Array.from({ length: d }, (_, j) => `x${j}`);
const cell = (i: number, j: number): number => Math.sin(i * 12.9898 + j * 78.233) * 3 + (i % 4);
const folder = new Folder();

const printPeak = `process.on('exit', () => process.stderr.write('maxRSS ' + process.resourceUsage().maxRSS))`;
const env = { NODE_OPTIONS: `--import="data:text/javascript,${encodeURIComponent(printPeak)}"` };
const megabytes = (stderr: string): number => Number(/maxRSS (\d+)/.exec(stderr)![1]) / 1024;

test('score of a network stays under 250 MB, though its one sequence does not end', async () => {
  const net = new MixtureDensityNetwork({ dimension: 1, hidden: [16], components: 8 });
  const block = Buffer.from(Array.from({ length: 10_000 }, (_, i) => `${cell(i, 0).toFixed(3)}\n`).join(''));
  const child = start(['score', folder.write('net', net.toBytes()), '-', '-o', folder.at('net.csv')], { env });
  const end = waitForEnd(child);
  child.stdin!.write('x\n');
  for (let i = 0; i < 50; i++) await new Promise((done) => child.stdin!.write(block, done));
  child.stdin!.end();
  const { code, stderr } = await end;
  expect(code).toBe(0);
  expect(megabytes(stderr)).toBeLessThan(250); // the raw outputs of all rows take 96, the hidden units 64
  expect(folder.read('net.csv').split('\n').length).toBe(500_002);
});
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

  const times = Math.ceil(200e6 / block.length);
  const child = start(['score', model, '-', '-o', folder.at('out.csv')], { env });
  const end = waitForEnd(child);
  child.stdin!.write(head);
  for (let i = 0; i < times; i++) await new Promise((done) => child.stdin!.write(block, done));
  child.stdin!.end();
  const { code, stderr } = await end;
  expect(code).toBe(0);
  expect(megabytes(stderr)).toBeLessThan(250);
  expect(folder.read('out.csv').split('\n').length).toBe(times * rows.length + 2);
});
