/** The clients of examples/client/ get what the library computes. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GaussianMixture, LinearDynamicalSystem } from '../../src/index.ts';
import { type Running, serve } from '../../src/server/index.ts';
import { machines } from './models.ts';

const run = promisify(execFile);
const on = { backend: machines[0]! };
const bills = new GaussianMixture(
  { weights: [0.6, 0.4], means: [39, 18, 48, 16], covariances: [7, 1, 1, 2, 9, 1, 1, 2] },
  { ...on, anomaly: { threshold: -6, falsePositiveRate: 0.05 } },
);
const level = { transition: [1], observation: [1], transitionCovariance: [1469], observationCovariance: [15_099] };
const nile = new LinearDynamicalSystem({ ...level, initialMean: [1000], initialCovariance: [1e6] }, on);
let running: Running;
beforeAll(async () => {
  running = await serve({ models: { bills, nile }, port: 0, logLevel: 'silent', signals: false, drain: 0 });
});
afterAll(() => running.close());

const x = [39.1, 18.7, 46.5, Number.NaN, 50, 15.2];
test('Node', async () => {
  const { stdout } = await run(process.execPath, ['build/js/examples/client/score.js', running.url, 'bills', 'nile']);
  const own = bills.logDensity(Float64Array.from(x), { missing: 'nan' }).join(' ');
  expect(stdout.split('\n')).toEqual([
    `json    ${own}`,
    `binary  ${own}`,
    `lines   ${own}`,
    `session ${nile.logDensity([1120, 1160, 963]).join(' ')}`,
    'INVALID_ARGUMENT: rows[0][0] must be a number, not "39.1"',
    '',
  ]);
});
test('the Open Inference Protocol', async () => {
  const { stdout } = await run(process.execPath, ['build/js/examples/client/infer.js', running.url, 'bills']);
  const full = Float64Array.of(39.1, 18.7, 46.5, 17.9, 50, 15.2);
  expect(stdout.split('\n')).toEqual([
    'inputs  x FP64 [-1,2]',
    'outputs log_density FP64 [-1] responsibilities FP64 [-1,2] component INT32 [-1] anomaly BOOL [-1]',
    `log_density ${bills.logDensity(full).join(' ')}`,
    `component ${bills.classify(full).join(' ')}`,
    '',
  ]);
});
const hasCurl = process.platform !== 'win32' && existsSync('/usr/bin/curl');
test.runIf(hasCurl)('curl', async () => {
  const { stdout } = await run('examples/client/curl.sh', [running.url, 'bills']);
  const [all, outputs, first, second, , binary] = stdout.split('\n');
  expect(JSON.parse(all!).logDensity).toEqual([...bills.logDensity(Float64Array.from(x), { missing: 'nan' })]);
  expect(JSON.parse(outputs!)).toEqual({ component: [0], anomaly: [false] });
  const lines = [JSON.parse(first!).logDensity, JSON.parse(second!).logDensity];
  expect(lines).toEqual([
    ...bills.logDensity([
      [39.1, 18.7],
      [50, 15.2],
    ]),
  ]);
  const zeros = bills.logDensity([
    [0, 0],
    [0, 0],
  ]);
  expect(binary!.trim().split(/ +/).map(Number)).toEqual([...zeros].map((value) => expect.closeTo(value, 6)));
});
