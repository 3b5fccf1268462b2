/**
 * Expectation maximisation for Gaussian components: starts, restarts side by side, collapsed components, truthful
 * convergence. The same seed gives the same result for any number of threads. Equations: docs/math.md § mixture.
 */

import type { Backend } from '../../bind.ts';
import type { Gaps, Real, Rows } from '../../check.ts';
import { gaps, isSingle } from '../../check.ts';
import { callError, SeqlikError } from '../../errors.ts';
import { Random } from '../../random.ts';
import { Pace } from '../../training/pace.ts';
import type { FitReport } from '../../training/report.ts';
import { Components, type CovarianceType, type Parts } from './components.ts';
import { type Batch, batches, expectAsync, maximise } from './sums.ts';

export const initializations = ['k-means++', 'random'] as const;
export type Initialization = (typeof initializations)[number];

export interface FitProgress {
  /** Counted from 0, of `restarts`. */
  restart: number;
  restarts: number;
  iteration: number;
  maxIterations: number;
  logLikelihood: number;
}
/** Options of a fit that were checked. */
export interface Settings {
  readonly where: string;
  readonly backend: Backend;
  readonly type: CovarianceType;
  readonly k: number;
  readonly d: number;
  readonly init?: Parts;
  readonly initialization: Initialization;
  readonly restarts: number;
  readonly regularization: number;
  readonly maxIterations: number;
  readonly tolerance: number;
  readonly seed: number;
  readonly shardSize?: number;
  readonly sampleWeights: Float64Array;
  readonly missing: Gaps;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: FitProgress) => void;
}
type Fitted = { parts: Parts; report: FitReport };

/** Throws EMPTY_INPUT, INVALID_ARGUMENT (components), NON_FINITE, NOT_POSITIVE_DEFINITE, ABORTED. */
export async function fitted(x: Rows, settings: Settings): Promise<Fitted> {
  const { where, backend, signal, restarts, init } = settings;
  const pace = new Pace(signal, where);
  const data = await Data.of(x, settings, pace);
  const resident = data.complete ? backend.hold(x.values) : undefined;
  try {
    const each = await data.batches(resident ? { ...x, resident } : x, pace);
    const runs = Array.from({ length: init ? 1 : restarts }, async (_, restart) => {
      const start = init ?? (await started(data, settings, restart, pace));
      return climbed(start, each, data, settings, restart);
    });
    const ended = await Promise.allSettled(runs);
    const failed = ended.find((run) => run.status === 'rejected');
    const done = ended.flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
    if (failed && (done.length === 0 || !isSingular(failed.reason))) throw failed.reason;
    const best = done.reduce((a, b) => (b.report.logLikelihood > a.report.logLikelihood ? b : a));
    if (done.length < ended.length)
      best.report.warnings.push(`${ended.length - done.length} of ${ended.length} restarts failed`);
    return best;
  } finally {
    resident?.dispose();
  }
}
const isSingular = (error: unknown): boolean => error instanceof SeqlikError && error.code === 'NOT_POSITIVE_DEFINITE';

/** Data as a fit sees them: which values are there, and what the columns are like. */
class Data {
  private constructor(
    readonly x: Rows,
    private readonly settings: Settings,
    private readonly seen: Uint8Array | undefined,
    /** Rows that may be a start: something was observed, and they weigh something. */
    readonly usable: Int32Array,
    /** Weighted mean and variance of what was observed of each column. */
    readonly mean: Float64Array,
    readonly variance: Float64Array,
  ) {}
  /** Throws EMPTY_INPUT, INVALID_ARGUMENT (components), NOT_POSITIVE_DEFINITE (a constant column). */
  static async of(x: Rows, settings: Settings, pace: Pace): Promise<Data> {
    const { where, k, d, missing, sampleWeights: w } = settings;
    const given = gaps(where, 'x', x, missing);
    const seen = given?.includes(0) ? given : undefined;
    const usable = new Int32Array(x.n);
    let count = 0;
    let observed = 0;
    for (let row = 0; row < x.n; row++) {
      if (row % STRIDE === 0) await pace.rest();
      if (seen && !seen.subarray(row * d, (row + 1) * d).includes(1)) continue;
      observed++;
      if (w[row]! > 0) usable[count++] = row;
    }
    if (observed === 0) throw new SeqlikError('EMPTY_INPUT', `${where}: x holds no observation`, { argument: 'x' });
    if (k > observed)
      throw callError('INVALID_ARGUMENT', where, `${k} components for ${observed} observed rows`, {
        argument: 'components',
        expected: `at most ${observed}, the number of observed rows`,
        received: `${k}`,
      });
    const { mean, variance, constant } = await moments(x, seen, settings, pace);
    if (constant >= 0)
      throw new SeqlikError('NOT_POSITIVE_DEFINITE', `${where}: column ${constant} of x is constant`, {
        which: 'covariances',
        pivot: constant,
        value: 0,
      });
    return new Data(x, settings, seen, usable.subarray(0, count), mean, variance);
  }
  /** Whether every value was observed. */
  get complete(): boolean {
    return this.seen === undefined;
  }
  async batches(x: Rows, pace: Pace): Promise<Batch[]> {
    const { where, missing, sampleWeights, d, shardSize } = this.settings;
    const each: Batch[] = [];
    for (const batch of batches(where, x, missing, sampleWeights, d, shardSize)) {
      each.push(batch);
      await pace.rest();
    }
    return each;
  }
  /** What was observed, and the mean of the column where nothing was. */
  value(row: number, j: number): number {
    const at = row * this.settings.d + j;
    return this.seen?.[at] === 0 ? this.mean[j]! : this.x.values[at]!;
  }
}

/** Weighted means and variances of the columns, and the first column that has one value only (-1: none). */
async function moments({ values, n }: Rows, seen: Uint8Array | undefined, { d, sampleWeights }: Settings, pace: Pace) {
  const least = new Float64Array(d).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(d).fill(Number.NEGATIVE_INFINITY);
  const average = async (power: number, about: Float64Array): Promise<Float64Array> => {
    const sum = new Float64Array(d);
    const weight = new Float64Array(d);
    for (let i = 0, at = 0; i < n; i++) {
      if (i % STRIDE === 0) await pace.rest();
      for (let j = 0; j < d; j++, at++) {
        const w = sampleWeights[i]!;
        if (w === 0 || seen?.[at] === 0) continue;
        const value = values[at]!;
        const y = value - about[j]!;
        sum[j]! += w * (power === 2 ? y * y : y);
        weight[j]! += w;
        if (value < least[j]!) least[j] = value;
        if (value > most[j]!) most[j] = value;
      }
    }
    return sum.map((s, j) => (weight[j]! > 0 ? s / weight[j]! : 0));
  };
  const mean = await average(1, new Float64Array(d));
  const variance = await average(2, mean);
  return { mean, variance, constant: least.findIndex((low, j) => !(most[j]! > low) || !(variance[j]! > 0)) };
}

/** EM from one start. */
async function climbed(start: Parts, each: Batch[], data: Data, settings: Settings, restart: number): Promise<Fitted> {
  const { where, backend, regularization, maxIterations, tolerance, signal, onProgress, shardSize, restarts } =
    settings;
  const noise = isSingle(data.x.values) ? 1e-6 : 1e-12; // of a log-likelihood, relative
  const how = { ...(signal && { signal }), ...(shardSize !== undefined && { shardSize }) };
  const reseeded = new Set<number>();
  const warnings: string[] = [];
  let components = new Components(backend, start, where, 'covariances');
  try {
    let totals = await expectAsync(where, components, each, how);
    const history = [totals.logLikelihood];
    let fell = false;
    let converged = false;
    while (history.length <= maxIterations) {
      const iteration = history.length;
      const next = await refilled(
        maximise(where, totals, regularization),
        totals.count,
        components,
        data,
        reseeded,
        (c, row) => {
          warnings.push(
            `restart ${restart}, iteration ${iteration}: component ${c} collapsed and was put at row ${row}`,
          );
        },
        settings,
      );
      components.dispose();
      components = next.components;
      const before = totals.logLikelihood;
      totals = await expectAsync(where, components, each, how);
      history.push(totals.logLikelihood);
      onProgress?.({ restart, restarts, iteration, maxIterations, logLikelihood: totals.logLikelihood });
      const gain = totals.logLikelihood - before;
      const scale = 1 + Math.abs(totals.logLikelihood);
      if (next.collapsed) continue;
      if (gain < -noise * scale && !fell) {
        fell = true;
        warnings.push(`restart ${restart}, iteration ${iteration}: the log-likelihood fell by ${-gain}`);
      }
      if (tolerance > 0 && gain < tolerance * scale) {
        converged = !fell;
        break;
      }
    }
    const report: FitReport = {
      iterations: history.length - 1,
      converged,
      logLikelihood: totals.logLikelihood,
      history: Float64Array.from(history),
      warnings,
    };
    return { parts: components.parts, report };
  } finally {
    components.dispose();
  }
}

const LEAST = 1e-3; // observations' worth of weight below which a component has collapsed

/** The next components; those that collapsed start anew at the row that the present ones explain worst. */
async function refilled(
  parts: Parts,
  count: Float64Array,
  present: Components,
  data: Data,
  reseeded: Set<number>,
  told: (component: number, row: number) => void,
  settings: Settings,
): Promise<{ components: Components; collapsed: boolean }> {
  const { where, backend, sampleWeights, signal } = settings;
  const unit = sampleWeights.reduce((a, b) => a + b, 0) / sampleWeights.length;
  let density: Real | undefined;
  const put = async (parts: Parts, c: number): Promise<Parts> => {
    density ??= await present.logDensityAsync(where, data.x, settings.missing, signal ? { signal } : {});
    const row = worstOf(data.usable, density, reseeded);
    if (row < 0) throw notEnough(where, c);
    reseeded.add(row);
    told(c, row);
    return placed(parts, c, row, data);
  };
  let next = parts;
  let collapsed = false;
  for (let c = 0; c < parts.k; c++)
    if (parts.k > 1 && count[c]! < LEAST * unit) {
      next = await put(next, c);
      collapsed = true;
    }
  for (let tries = 0; ; tries++) {
    try {
      return { components: new Components(backend, next, where, 'covariances'), collapsed };
    } catch (error) {
      const c = error instanceof SeqlikError ? error.component : undefined;
      if (!isSingular(error) || c === undefined || tries >= parts.k) throw error;
      next = await put(next, c);
      collapsed = true;
    }
  }
}
const notEnough = (where: string, component: number): SeqlikError =>
  callError(
    'NOT_POSITIVE_DEFINITE',
    where,
    `component ${component} collapses wherever it is put: fewer components, or more regularization`,
    {
      which: 'covariances',
      component,
      pivot: 0,
      value: 0,
    },
  );
/** The row of the lowest density, the first of several, that was not taken yet; -1: there is none. */
function worstOf(usable: Int32Array, density: Real, taken: ReadonlySet<number>): number {
  let worst = -1;
  for (let i = 0; i < usable.length; i++) {
    const row = usable[i]!;
    if ((worst < 0 || density[row]! < density[worst]!) && !taken.has(row)) worst = row;
  }
  return worst;
}
/** Component c at a row, as wide as the data. */
function placed(parts: Parts, c: number, row: number, data: Data): Parts {
  const { k, d, type } = parts;
  const means = parts.means.slice();
  for (let j = 0; j < d; j++) means[c * d + j] = data.value(row, j);
  const weights = parts.weights.map((w, i) => (i === c ? 1 / k : w * (1 - 1 / k)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const covariances = parts.covariances.slice();
  const wide = spreadOf(type, 1, d, data.variance);
  if (type !== 'tied') covariances.set(wide, c * wide.length);
  return { ...parts, weights: weights.map((w) => w / sum), means, covariances };
}

/** k covariances of a type, all with these variances. */
function spreadOf(type: CovarianceType, k: number, d: number, variances: Float64Array): Float64Array {
  const matrix = (count: number): Float64Array =>
    Float64Array.from({ length: count * d * d }, (_, i) => (Math.floor(i / d) % d === i % d ? variances[i % d]! : 0));
  return {
    full: () => matrix(k),
    tied: () => matrix(1),
    diagonal: () => Float64Array.from({ length: k * d }, (_, i) => variances[i % d]!),
    spherical: () => new Float64Array(k).fill(variances.reduce((a, b) => a + b, 0) / d),
  }[type]();
}

/** Centres that are rows of the data, far apart (k-means++: Arthur and Vassilvitskii 2007) or anywhere (random). */
async function started(data: Data, settings: Settings, restart: number, pace: Pace): Promise<Parts> {
  const { k, d, type, initialization, seed, sampleWeights } = settings;
  const { usable, variance } = data;
  const random = new Random((seed ^ Math.imul(restart, 0x9e3779b1)) >>> 0);
  const distance = new Float64Array(usable.length).fill(Number.POSITIVE_INFINITY); // squared, in standard deviations
  const chosen = new Uint8Array(usable.length);
  const means = new Float64Array(k * d);
  const within = new Float64Array(d); // squared deviations from the nearest centre
  const nearest = new Int32Array(usable.length);
  const weight = new Float64Array(usable.length);
  for (let c = 0; c < k; c++) {
    const near = initialization === 'k-means++' && c > 0;
    for (let i = 0; i < usable.length; i++)
      weight[i] = chosen[i] ? 0 : sampleWeights[usable[i]!]! * (near ? distance[i]! : 1);
    if (!weight.some((w) => w > 0)) for (let i = 0; i < usable.length; i++) weight[i] = Number(!chosen[i]); // all rows coincide
    const pick = random.categorical(weight);
    chosen[pick] = 1;
    for (let j = 0; j < d; j++) means[c * d + j] = data.value(usable[pick]!, j);
    for (let i = 0; i < usable.length; i++) {
      if (i % STRIDE === 0) await pace.rest();
      let s = 0;
      for (let j = 0; j < d; j++) s += (data.value(usable[i]!, j) - means[c * d + j]!) ** 2 / variance[j]!;
      if (s < distance[i]!) {
        distance[i] = s;
        nearest[i] = c;
      }
    }
  }
  let total = 0;
  for (let i = 0; i < usable.length; i++) {
    if (i % STRIDE === 0) await pace.rest();
    const row = usable[i]!;
    total += sampleWeights[row]!;
    for (let j = 0; j < d; j++)
      within[j]! += sampleWeights[row]! * (data.value(row, j) - means[nearest[i]! * d + j]!) ** 2;
  }
  const variances = within.map((s, j) => Math.max(s / total, 1e-3 * variance[j]!));
  return { type, k, d, weights: new Float64Array(k).fill(1 / k), means, covariances: spreadOf(type, k, d, variances) };
}

const STRIDE = 1024; // rows between two looks at the clock
