/**
 * Carbon dioxide at Mauna Loa, monthly since March 1958 (Scripps CO2 program; in vega-datasets, months without a value
 * are left out): a trend with a slope that wanders, and a season of waves. Fitted without the last five years, which are
 * then forecast. `npm run example:co2`, or `node build/js/examples/co2.js [--out FILE.svg] [--quick]`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { LinearDynamicalSystem } from 'seqlik';
import { chartSvg } from '../src/cli/forecast/chart.ts';
import { table } from './table.ts';

const HELD_OUT = 60; // months
const AHEAD = 60; // months after the last one
const WAVES = 4; // of 12, 6, 4 and 3 months

/** Months from the first to the last; NaN where there is no value. */
function readMonths(): { readonly first: number; readonly values: Float64Array } {
  const file = new URL('../data/co2-concentration.csv', import.meta.resolve('vega-datasets'));
  const rows = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [date, value] = line.split(',');
      const [year, month] = date!.split('-').map(Number);
      return { month: 12 * year! + month! - 1, value: Number(value) };
    });
  const first = rows[0]!.month;
  const values = new Float64Array(rows.at(-1)!.month - first + 1).fill(Number.NaN);
  for (const { month, value } of rows) values[month - first] = value;
  return { first, values };
}

/** Level and slope, then a turning pair for each wave; the noise of each is to be fitted, starting small. */
function trendAndSeason(firstValue: number) {
  const m = 2 + 2 * WAVES;
  const square = (diagonal: (i: number) => number): number[][] =>
    Array.from({ length: m }, (_, i) => Array.from({ length: m }, (_, j) => (i === j ? diagonal(i) : 0)));
  const transition = square(() => 1);
  transition[0]![1] = 1;
  for (let k = 1; k <= WAVES; k++) {
    const [i, angle] = [2 * k, (2 * Math.PI * k) / 12];
    transition[i]![i] = transition[i + 1]![i + 1] = Math.cos(angle);
    transition[i]![i + 1] = Math.sin(angle);
    transition[i + 1]![i] = -Math.sin(angle);
  }
  return {
    transition,
    observation: [Array.from({ length: m }, (_, i) => (i === 0 || (i > 1 && i % 2 === 0) ? 1 : 0))],
    transitionCovariance: square((i) => (i === 0 ? 0.05 : i === 1 ? 1e-4 : 1e-3)),
    observationCovariance: [0.1],
    initialMean: Array.from({ length: m }, (_, i) => (i === 0 ? firstValue : i === 1 ? 0.1 : 0)),
    initialCovariance: square((i) => (i === 1 ? 0.1 : 25)),
  };
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { quick: { type: 'boolean' }, out: { type: 'string' } } });
  const { quick = false, out = 'build/co2.svg' } = options;
  const { first, values } = readMonths();
  const seen = values.subarray(0, values.length - HELD_OUT);
  const later = values.subarray(values.length - HELD_OUT);
  print(`${values.length} months from ${name(first)}, ${values.filter(Number.isNaN).length} of them without a value`);

  const { model, report } = await LinearDynamicalSystem.fit(seen, {
    init: trendAndSeason(values[0]!),
    update: ['transitionCovariance', 'observationCovariance'],
    structure: { transitionCovariance: 'diagonal' },
    acceleration: 'squarem',
    maxIterations: quick ? 12 : 1000,
    tolerance: 1e-7,
    missing: 'nan',
  });
  const { transitionCovariance: Q, observationCovariance: R } = model.parameters;
  const m = model.latent;
  const deviation = (...states: number[]): string =>
    Math.sqrt(states.reduce((sum, i) => sum + Q[i * (m + 1)]!, 0)).toPrecision(3);
  print(
    `${report.iterations} iterations, ${report.converged ? '' : 'not '}converged: log-likelihood ` +
      `${report.logLikelihood.toFixed(2)} without the last ${HELD_OUT} months`,
  );
  const waves = Array.from({ length: WAVES }, (_, k) => [
    `wave of ${12 / (k + 1)} months`,
    deviation(2 * k + 2, 2 * k + 3),
  ]);
  const noise = [['level', deviation(0)], ['slope', deviation(1)], ...waves];
  print(
    table([['', 'changes by, ppm a month'], ...noise, ['a value beside it all', Math.sqrt(R[0]!).toPrecision(3)]], 1),
  );

  const judged = model.forecast(seen, HELD_OUT, { missing: 'nan' });
  const width = half(judged.observationCovariances);
  const off = Array.from(later, (v, h) => Math.abs(v - judged.observationMeans[h]!));
  const known = off.filter((v) => !Number.isNaN(v));
  const within = off.filter((v, h) => v <= width[h]!).length;
  print(
    `the 95 % band of the forecast holds ${within} of the ${known.length} values held out, ` +
      `${((100 * within) / known.length).toFixed(0)} %`,
  );
  const rms = (errors: readonly number[]): string =>
    Math.sqrt(errors.reduce((sum, v) => sum + v * v, 0) / errors.length).toFixed(2);
  // the same months of the last year, plus the growth of that year for each year ahead
  const naive = Array.from(later, (v, h) => {
    const at = seen.length - 12 + (h % 12);
    return v - seen[at]! - (Math.floor(h / 12) + 1) * (seen[at]! - seen[at - 12]!);
  }).filter((v) => !Number.isNaN(v));
  print(`root mean square error ${rms(known)} ppm; of last year's months and growth again ${rms(naive)} ppm`);

  const ahead = model.forecast(values, AHEAD, { missing: 'nan' });
  const bands = half(ahead.observationCovariances);
  const end = first + values.length;
  print(`forecast for ${name(end)}: ${of(ahead.observationMeans, bands, 0)} ppm`);
  print(`forecast for ${name(end + AHEAD - 1)}: ${of(ahead.observationMeans, bands, AHEAD - 1)} ppm`);

  const whole = fitted(model, values);
  const part = fitted(model, seen);
  const recent = seen.length - 96;
  const from = (values: ArrayLike<number>): number[] => Array.from(values).slice(recent);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(
    out,
    chartSvg({
      title: 'Carbon dioxide at Mauna Loa, monthly',
      notes: [
        `Trend and season fitted up to ${name(first + seen.length - 1)}; bands hold 95 % in theory, ` +
          `${((100 * within) / known.length).toFixed(0)} % of the ${known.length} values held out.`,
      ],
      step: 1 / 12,
      panels: [
        {
          name: 'ppm: all months, and the five years after them',
          ...{ start: first / 12, observed: values, smoothed: whole },
          forecast: { mean: ahead.observationMeans, half: bands },
        },
        {
          name: 'ppm: the last five years held out, and forecast from those before',
          ...{ start: (first + recent) / 12, observed: from(seen) },
          smoothed: { mean: from(part.mean), half: from(part.half) },
          ...{ forecast: { mean: judged.observationMeans, half: width }, later },
        },
      ],
    }),
  );
  print(`picture: ${out}`);
}

/** The smoothed mean of what is observed, and half the width of its band. */
function fitted(model: LinearDynamicalSystem, y: Float64Array) {
  const { means, covariances } = model.smooth(y, { missing: 'nan' });
  const { latent: m } = model;
  const B = model.parameters.observation;
  const mean = Array.from(y, (_, t) => B.reduce((sum, b, i) => sum + b * means[t * m + i]!, 0));
  const variances = Array.from(y, (_, t) => {
    let variance = 0;
    for (let i = 0; i < m; i++)
      for (let j = 0; j < m; j++) variance += B[i]! * B[j]! * covariances[(t * m + i) * m + j]!;
    return variance;
  });
  return { mean, half: half(variances) };
}
const half = (variances: ArrayLike<number>): number[] => Array.from(variances, (v) => 1.959964 * Math.sqrt(v));
const name = (month: number): string => `${Math.floor(month / 12)}-${`${(month % 12) + 1}`.padStart(2, '0')}`;
const of = (mean: ArrayLike<number>, half: ArrayLike<number>, h: number): string =>
  `${mean[h]!.toFixed(1)} ± ${half[h]!.toFixed(1)}`;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
