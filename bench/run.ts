/** `npm run bench -- [--quick] [--only REGEX] [--json FILE]` verifies every result, then times it. */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Case,
  type ChainCase,
  type ConvolutionCase,
  casesOf,
  type DensityCase,
  type DynamicsCase,
  drawChain,
  drawConvolution,
  drawDensity,
  drawDynamics,
  drawMixture,
  drawNetwork,
  drawRecurrent,
  isChain,
  isConvolution,
  isDensity,
  isDynamics,
  isNetwork,
  isRecurrent,
  type MixtureCase,
  type NetworkCase,
  type Real,
  type RecurrentCase,
} from './cases.ts';
import { coldRows, isPacked, packageRows } from './cold.ts';
import type { Contender } from './contenders/contender.ts';
import { field } from './field.ts';
import { type Effort, type Job, measure } from './measure.ts';
import { report } from './report.ts';
import { better, buildProbe, limitsOf, withWasm } from './roofline/limits.ts';
import { type Row, rowOf } from './rows.ts';
import {
  bounds,
  chainBounds,
  convolutionBounds,
  densityBounds,
  dynamicsBounds,
  networkBounds,
  reference,
  referenceChain,
  referenceConvolution,
  referenceDensity,
  referenceDynamics,
  referenceNetwork,
  referenceRecurrent,
  verify,
} from './verify.ts';

class UsageError extends Error {}
interface Request {
  readonly quick: boolean;
  readonly only: RegExp;
  readonly json?: string;
}
function readRequest(args: string[]): Request {
  const options = { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } } as const;
  try {
    const { quick = false, only = '', json } = parseArgs({ args, options }).values;
    return { quick, only: new RegExp(only), ...(json !== undefined && { json }) };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; usage: npm run bench -- [--quick] [--only REGEX] [--json FILE]`);
  }
}

/** A contender on a case, verified. */
interface Entry extends Job {
  readonly contender: Contender;
  readonly error: number | null;
  dispose(): void;
}
/** Prepares and verifies a case on all contenders that take it; they share one array for their results. */
function enter(given: Case, contenders: readonly Contender[]): Entry[] {
  const { want, ready, bound, least } = isNetwork(given)
    ? network(given)
    : isDensity(given)
      ? density(given)
      : isDynamics(given)
        ? dynamics(given)
        : isConvolution(given)
          ? convolution(given)
          : isRecurrent(given)
            ? recurrent(given)
            : isChain(given)
              ? chain(given)
              : mixture(given);
  const out = given.dtype === 'f32' ? new Float32Array(want.length) : new Float64Array(want.length);
  return contenders.flatMap((contender) => {
    const own = ready(contender, out);
    if (!own) return [];
    const { workload, variant, dtype } = given;
    const title = `${workload} ${variant} ${dtype} ${contender.contender} ${contender.isa} ${contender.threads}`;
    const check = () => {
      const error = verify(title, out, want, bound, least);
      out.fill(Number.NaN); // so that the next result is not this one
      return error;
    };
    out.fill(Number.NaN);
    own.run();
    return [{ title, contender, error: check(), check, ...own }];
  });
}
/** The right result, a way to compute it, and how far off it may be (numbers below `least` relative to `least`). */
function mixture(given: MixtureCase) {
  const draw = drawMixture(given);
  const ready = (contender: Contender, out: Real) => contender.ready?.(given, draw, out);
  return { want: reference(given, draw), ready, bound: bounds[given.dtype], least: 0 };
}
function density(given: DensityCase) {
  const draw = drawDensity(given);
  const ready = (contender: Contender, out: Real) => contender.readyDensity?.(given, draw, out);
  return { want: referenceDensity(given, draw), ready, bound: densityBounds[given.dtype], least: 1 };
}

function network(given: NetworkCase) {
  const draw = drawNetwork(given);
  const ready = (contender: Contender, out: Real) => contender.readyNetwork?.(given, draw, out);
  return { want: referenceNetwork(given, draw), ready, bound: networkBounds[given.dtype], least: 1 };
}

function recurrent(given: RecurrentCase) {
  const draw = drawRecurrent(given);
  const ready = (contender: Contender, out: Real) => contender.readyRecurrent?.(given, draw, out);
  return { want: referenceRecurrent(given, draw), ready, bound: networkBounds[given.dtype], least: 1 };
}

function dynamics(given: DynamicsCase) {
  const draw = drawDynamics(given);
  const ready = (contender: Contender, out: Real) => contender.readyDynamics?.(given, draw, out as Float64Array);
  return { want: referenceDynamics(given, draw), ready, bound: dynamicsBounds[given.dtype], least: 1 };
}

function chain(given: ChainCase) {
  const draw = drawChain(given);
  const ready = (contender: Contender, out: Real) => contender.readyChain?.(given, draw, out as Float64Array);
  return { want: referenceChain(given, draw), ready, bound: chainBounds[given.dtype], least: 1 };
}

function convolution(given: ConvolutionCase) {
  const draw = drawConvolution(given);
  const ready = (contender: Contender, out: Real) => contender.readyConvolution?.(given, draw, out);
  return { want: referenceConvolution(given, draw), ready, bound: convolutionBounds[given.dtype], least: 1 };
}

async function main(args: string[]): Promise<void> {
  const { quick, only, json } = readRequest(args);
  const cases = casesOf(quick).filter(({ workload }) => only.test(workload));
  const wantsCold = only.test('cold');
  const wantsLimits = only.test('limit');
  if (cases.length === 0 && !wantsCold && !wantsLimits)
    throw new UsageError(`no workload matches ${only}: P1, P1d, P2, P2n, P3, P4, P5, P6, P7, P8, cold, limit`);
  if (json !== undefined) accessSync(dirname(resolve(json)), constants.W_OK); // fail now, not after minutes
  const effort: Effort = quick ? { rounds: 3, seconds: 0.05 } : { rounds: 7, seconds: 0.3 };
  const processes = quick ? 3 : 20;
  const title = machine(quick, effort, processes);

  const { contenders, missing: absent, levels } = await field(new Set(cases.map(({ workload }) => workload)));
  const missing = [...absent, ...(wantsCold && !isPacked() ? ['cold starts of the package (npm run pack)'] : [])];
  const backends = levels.length > 0 ? (['native', 'wasm'] as const) : (['wasm'] as const);
  const coldStarts = wantsCold ? coldRows(backends, processes, progress) : [];
  if (wantsCold && isPacked()) coldStarts.push(...packageRows(backends, processes, progress));
  const entries = cases.map((given) => {
    progress(`verifying ${given.workload} ${given.variant} ${given.dtype}`);
    return enter(given, contenders);
  });
  const counted = wantsLimits || cases.some(({ flops }) => flops > 0);
  progress('building the roofline probe');
  const lack = counted ? buildProbe() : undefined;
  const limits = (): Row[] => {
    progress('limits of this machine');
    const all = levels.length > 0 ? levels : ['baseline']; // wasm has the limit of baseline
    return counted && lack === undefined ? limitsOf(all, quick ? 0.02 : 0.1) : [];
  };
  const before = limits();
  const times = entries.map((own) => measure(own, effort, (job) => progress(job.title)));
  const peaks = withWasm(better(before, limits()));
  progress('');

  const rows: Row[] = cases.flatMap((given, i) =>
    entries[i]!.map(({ contender, error }, j) => rowOf(given, contender, times[i]![j]!, error, peaks)),
  );
  rows.push(...coldStarts);
  if (wantsLimits) rows.push(...peaks);
  for (const { dispose } of entries.flat()) dispose();
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 1)}\n`);
  const lacking = lack === undefined ? [] : [`limits, and with them % of peak: ${lack}`];
  process.stdout.write(report(rows, title, [...missing, ...lacking]));
}

function machine(quick: boolean, { rounds, seconds }: Effort, processes: number): string {
  const cpu = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version}`;
  const effort = quick ? ' Quick: small batches and few rounds, for a rough look only.' : '';
  const medians = `medians of ${rounds} rounds of ${seconds} s, of cold starts ${processes} processes`;
  return `${cpu}, load ${loadavg()[0]!.toFixed(1)} at the start; ${medians}.${effort}`;
}

/** Shows progress on a terminal, in one line that is overwritten. */
function progress(what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${what}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  progress('');
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
