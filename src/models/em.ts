/**
 * Expectation maximisation for Gaussian components: starts, restarts side by side, collapsed components, truthful
 * convergence. The same seed gives the same result for any number of threads. Equations: docs/math.md § mixture.
 */
import type { Backend } from '../bind.ts';
import type { Gaps, Rows } from '../check.ts';
import { gaps } from '../check.ts';
import { SeqlikError } from '../errors.ts';
import { Random } from '../random.ts';
import { Components, type CovarianceType, type Parts } from './components.ts';
import { isSingle } from './patterns.ts';
import { type Batch, batches, expectAsync, maximise } from './statistics.ts';

export const initializations = ['k-means++', 'random'] as const;
export type Initialization = (typeof initializations)[number];

export interface FitReport {
  /** M steps done. */
  iterations: number;
  /** Whether the last gain was below the tolerance; never true if the likelihood fell on the way. */
  converged: boolean;
  /** Of the data under the fitted model. */
  logLikelihood: number;
  /** Log-likelihoods before the first iteration and after each: [iterations + 1]. */
  history: Float64Array;
  warnings: string[];
}
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
  const data = new Data(x, settings);
  const held = data.complete ? backend.hold(x.values) : undefined;
  try {
    const each = data.batches(held ? { ...x, held } : x);
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
    held?.dispose();
  }
}
const isSingular = (error: unknown): boolean => error instanceof SeqlikError && error.code === 'NOT_POSITIVE_DEFINITE';

/** Data as a fit sees them: which values are there, and what the columns are like. */
class Data {
  /** Whether every value was observed. */
  readonly complete: boolean;
  /** Weighted mean and variance of what was observed of each column. */
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  /** Rows that may be a start: something was observed, and they weigh something. */
  readonly usable: Int32Array;
  private readonly seen: Uint8Array | undefined;
  constructor(
    readonly x: Rows,
    private readonly settings: Settings,
  ) {
    const { where, k, missing, sampleWeights: w } = settings;
    const seen = gaps(where, 'x', x, missing);
    this.complete = !seen?.includes(0);
    this.seen = this.complete ? undefined : seen;
    const rows = [...Array(x.n).keys()].filter((row) => this.observes(row));
    if (rows.length === 0) throw new SeqlikError('EMPTY_INPUT', `${where}: x holds no observation`, { argument: 'x' });
    if (k > rows.length)
      throw new SeqlikError('INVALID_ARGUMENT', `${where}: ${k} components for ${rows.length} observed rows`, {
        argument: 'components',
      });
    this.usable = Int32Array.from(rows.filter((row) => w[row]! > 0));
    [this.mean, this.variance] = this.moments();
    const constant = this.variance.findIndex((v) => !(v > 0));
    if (constant >= 0)
      throw new SeqlikError('NOT_POSITIVE_DEFINITE', `${where}: column ${constant} of x is constant`, {
        which: 'covariances',
        pivot: constant,
        value: 0,
      });
  }
  batches(x: Rows): Batch[] {
    const { where, missing, sampleWeights, d, shardSize } = this.settings;
    return [...batches(where, x, missing, sampleWeights, d, shardSize)];
  }
  /** What was observed, and the mean of the column where nothing was. */
  value(row: number, j: number): number {
    const at = row * this.settings.d + j;
    return this.seen?.[at] === 0 ? this.mean[j]! : this.x.values[at]!;
  }
  private observes(row: number): boolean {
    const { d } = this.settings;
    return !this.seen || this.seen.subarray(row * d, (row + 1) * d).includes(1);
  }
  private moments(): [Float64Array, Float64Array] {
    const { d, sampleWeights: w } = this.settings;
    const { values, n } = this.x;
    const each = (f: (v: number, j: number) => number): Float64Array => {
      const sum = new Float64Array(d);
      const weight = new Float64Array(d);
      for (let i = 0, at = 0; i < n; i++)
        for (let j = 0; j < d; j++, at++) {
          if (this.seen?.[at] === 0) continue;
          sum[j]! += w[i]! * f(values[at]!, j);
          weight[j]! += w[i]!;
        }
      return sum.map((s, j) => (weight[j]! > 0 ? s / weight[j]! : 0));
    };
    const shift = each((v) => v);
    return [shift, each((v, j) => (v - shift[j]!) ** 2)];
  }
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
  const { where, backend, sampleWeights } = settings;
  const unit = sampleWeights.reduce((a, b) => a + b, 0) / sampleWeights.length;
  let worst: Int32Array | undefined;
  const put = async (parts: Parts, c: number): Promise<Parts> => {
    worst ??= await fromWorst(present, data, settings);
    const row = worst.find((row) => !reseeded.has(row));
    if (row === undefined) throw notEnough(where, c);
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
  new SeqlikError(
    'NOT_POSITIVE_DEFINITE',
    `${where}: component ${component} collapses wherever it is put: fewer components, or more regularization`,
    {
      which: 'covariances',
      component,
      pivot: 0,
      value: 0,
    },
  );
/** The usable rows, those of the lowest density first. */
async function fromWorst(present: Components, { x, usable }: Data, { where, missing }: Settings): Promise<Int32Array> {
  const density = await present.logDensityAsync(where, x, missing, {});
  return usable.slice().sort((a, b) => density[a]! - density[b]! || a - b);
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
  for (let c = 0; c < k; c++) {
    const weight = Float64Array.from(usable, (row, i) => {
      if (chosen[i]) return 0;
      return sampleWeights[row]! * (initialization === 'random' || c === 0 ? 1 : distance[i]!);
    });
    if (!weight.some((w) => w > 0)) for (let i = 0; i < usable.length; i++) weight[i] = Number(!chosen[i]); // all rows coincide
    const pick = random.categorical(weight);
    chosen[pick] = 1;
    for (let j = 0; j < d; j++) means[c * d + j] = data.value(usable[pick]!, j);
    for (let i = 0; i < usable.length; i++) {
      if (i % 1024 === 0) await pace.rest();
      let s = 0;
      for (let j = 0; j < d; j++) s += (data.value(usable[i]!, j) - means[c * d + j]!) ** 2 / variance[j]!;
      if (s < distance[i]!) {
        distance[i] = s;
        nearest[i] = c;
      }
    }
  }
  let total = 0;
  for (const [i, row] of usable.entries()) {
    total += sampleWeights[row]!;
    for (let j = 0; j < d; j++)
      within[j]! += sampleWeights[row]! * (data.value(row, j) - means[nearest[i]! * d + j]!) ** 2;
  }
  const variances = within.map((s, j) => Math.max(s / total, 1e-3 * variance[j]!));
  return { type, k, d, weights: new Float64Array(k).fill(1 / k), means, covariances: spreadOf(type, k, d, variances) };
}

/** Lets others run every few milliseconds, and stops when the caller says so. */
class Pace {
  private until = performance.now() + 15;
  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly where: string,
  ) {}
  async rest(): Promise<void> {
    if (this.signal?.aborted)
      throw new SeqlikError('ABORTED', `${this.where} was aborted`, { cause: this.signal.reason });
    if (performance.now() < this.until) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.until = performance.now() + 15;
  }
}
