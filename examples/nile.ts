/**
 * The flow of the Nile at Aswan, 1871 to 1970 (Cobb 1978; Durbin and Koopman 2012, section 2): a level that wanders,
 * seen through noise. `npm run example:nile`, or `node build/js/examples/nile.js [--out FILE.svg]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { LinearDynamicalSystem, type SystemFitOptions } from 'seqlik';
import { chartSvg } from '../src/cli/forecast/chart.ts';
import { table } from './table.ts';

/** Annual flow in 10^8 m³. */
const flow = [
  1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100,
  1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456,
  824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759, 781, 865, 845, 944, 984, 897,
  822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890, 744, 749, 838, 1050, 918, 986, 797, 923, 975,
  815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
];
const FIRST_YEAR = 1871;
const STEPS = 15;

/** A level that is a random walk, with a prior so wide that it says nothing. */
const init = {
  transition: [1],
  observation: [1],
  transitionCovariance: [5000],
  observationCovariance: [5000],
  initialMean: [0],
  initialCovariance: [1e7],
};
const local: SystemFitOptions = {
  init,
  update: ['transitionCovariance', 'observationCovariance'],
  maxIterations: 1000,
};

async function main(): Promise<void> {
  const { values: options } = parseArgs({ options: { out: { type: 'string' } } });
  const { out = 'build/nile.svg' } = options;

  const rows: string[][] = [['acceleration', 'tolerance', 'E steps', 'noise', 'level', 'log-likelihood', 'converged']];
  for (const acceleration of ['none', 'squarem'] as const)
    for (const tolerance of [1e-6, 1e-8, 1e-10, 1e-12]) {
      const { model, report } = await LinearDynamicalSystem.fit(flow, { ...local, tolerance, acceleration });
      const { observationCovariance: r, transitionCovariance: q } = model.parameters;
      rows.push([
        acceleration,
        `${tolerance}`,
        `${report.evaluations}`,
        r[0]!.toFixed(3),
        q[0]!.toFixed(3),
        report.logLikelihood.toFixed(6),
        `${report.converged}`,
      ]);
    }
  print(table(rows, 1));

  const { model } = await LinearDynamicalSystem.fit(flow, { ...local, tolerance: 1e-12 });
  const smoothed = model.smooth(flow);
  const forecast = model.forecast(flow, STEPS);
  const half = (variances: ArrayLike<number>): number[] => Array.from(variances, (v) => 1.959964 * Math.sqrt(v));
  const drop = Array.from(smoothed.means.subarray(1), (level, i) => level - smoothed.means[i]!);
  const worst = drop.indexOf(Math.min(...drop));
  print(
    `the level falls most from ${FIRST_YEAR + worst} to ${FIRST_YEAR + worst + 1}, by ${(-drop[worst]!).toFixed(0)}`,
  );
  print(
    `forecast for 1971: ${forecast.observationMeans[0]!.toFixed(1)} ± ${half(forecast.observationCovariances)[0]!.toFixed(1)}`,
  );

  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(
    out,
    chartSvg({
      title: 'The Nile at Aswan: observed flow, level, and forecast',
      notes: ['Annual flow in 10⁸ m³. Bands hold 95 %: of the level up to 1970, of the flow afterwards.'],
      start: FIRST_YEAR,
      panels: [
        {
          name: 'flow',
          observed: flow,
          smoothed: { mean: smoothed.means, half: half(smoothed.covariances) },
          forecast: { mean: forecast.observationMeans, half: half(forecast.observationCovariances) },
        },
      ],
    }),
  );
  print(`picture: ${out}`);
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
});
