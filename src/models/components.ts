/**
 * k weighted Gaussians on a backend, factorised once and resident: what Gaussian (k = 1) and GaussianMixture share.
 * Equations: docs/math.md § mixture.
 */
import type { Backend } from '../bind.ts';
import { type Gaps, gaps, nonFinite, type Real, type Rows } from '../check.ts';
import { KernelFailure, SeqlikError } from '../errors.ts';
import type { Resident } from '../grammar.ts';
import type { Random } from '../random.ts';

export interface Parts {
  /** full: covariances [k,d,d]; diagonal: variances [k,d]. */
  readonly shape: 'full' | 'diagonal';
  readonly k: number;
  readonly d: number;
  readonly weights: Float64Array;
  readonly means: Float64Array;
  readonly covariances: Float64Array;
  /** Their Cholesky factors, packed by rows, where the caller has them. */
  readonly L?: Float64Array;
}
/** Additive statistics of rows; second moments are about the means, [k,d,width] or [k,width]. */
export interface Sums {
  readonly width: number;
  readonly count: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly logLikelihood: Float64Array;
}
type Prepared = { readonly b: Resident<Real>; readonly mean: Resident<Real>; readonly W: Resident<Real> };

export class Components {
  /** Lower triangles packed by rows [k,tri(d)], or standard deviations [k,d]. */
  readonly L: Float64Array;
  /** log |covariance| of each. */
  readonly logDet: Float64Array;
  private readonly prepared: { f64?: Prepared; f32?: Prepared } = {};

  /** `which` is the public name of the covariances. Throws NOT_POSITIVE_DEFINITE. */
  constructor(
    readonly backend: Backend,
    readonly parts: Parts,
    where: string,
    which: string,
  ) {
    const { shape, k, d, covariances, L } = parts,
      full = shape === 'full';
    // variances are k d matrices of size 1; so are the pivots of a factor, of which only the logarithm is wanted
    const pivots =
      L && Float64Array.from({ length: k * d }, (_, i) => L[Math.floor(i / d) * tri(d) + tri((i % d) + 1) - 1]!);
    const each = factorise(
      backend,
      pivots ?? covariances,
      full && !pivots ? k : k * d,
      full && !pivots ? d : 1,
      (failure) => {
        const component = full ? failure.matrix : Math.floor(failure.matrix / d);
        const pivot = full ? failure.pivot : failure.matrix % d;
        return notPositiveDefinite(where, which, pivot, failure.value, k > 1 ? component : undefined);
      },
    );
    const share = each.logDet.length / k,
      times = pivots ? 2 : 1;
    this.L = L ?? each.L;
    this.logDet = Float64Array.from(
      { length: k },
      (_, c) => times * each.logDet.subarray(c * share, (c + 1) * share).reduce((a, b) => a + b, 0),
    );
  }

  /** log Σ_c w_c N(x | c) of each row, into `out`; of a row without observations 0. */
  logDensity(where: string, x: Rows, missing: Gaps, out: Real): Real {
    for (const { part, rows, of } of this.patterns(where, x, missing)) {
      const own = of ? alike(out, rows.n) : out;
      part?.score(where, 'logDensity', { out: own }, rows, of);
      of?.forEach((row, i) => {
        out[row] = own[i]!;
      });
    }
    return out;
  }

  /** w_c N(x | c) / Σ, [n,k]; of a row without observations the weights. */
  responsibilities(where: string, x: Rows, missing: Gaps): Real {
    const { k, weights } = this.parts,
      r = alike(x.values, x.n * k);
    for (const { part, rows, of } of this.patterns(where, x, missing)) {
      const own = of ? alike(r, rows.n * k) : r;
      part?.score(where, 'responsibilities', { r: own }, rows, of);
      of?.forEach((row, i) => {
        r.set(part ? own.subarray(i * k, (i + 1) * k) : weights, row * k);
      });
    }
    return r;
  }

  /** Counts, first and second moments about the means, and the log-likelihood, of complete rows. */
  expect(where: string, { values, n }: Rows): Sums {
    const { k, d, shape } = this.parts,
      single = values instanceof Float32Array,
      line = single ? 16 : 8;
    const width = Math.ceil(d / line) * line;
    const sums: Sums = {
      width,
      count: new Float64Array(k),
      first: new Float64Array(k * width),
      second: new Float64Array(k * width * (shape === 'full' ? d : 1)),
      logLikelihood: new Float64Array(1),
    };
    this.score(where, 'expect', sums, { values, n });
    return sums;
  }

  /** The same Gaussians over some of the coordinates. */
  marginal(dims: readonly number[], where: string, which: string): Components {
    const { shape, k, d, weights, means, covariances } = this.parts,
      o = dims.length;
    const pick = (from: Float64Array, c: number): number[] => dims.map((j) => from[c * d + j]!);
    const each = <V>(make: (c: number) => V[]): V[] => Array.from({ length: k }, (_, c) => make(c)).flat();
    const picked =
      shape === 'diagonal'
        ? each((c) => pick(covariances, c))
        : each((c) => dims.flatMap((i) => dims.map((j) => covariances[(c * d + i) * d + j]!)));
    const parts = {
      shape,
      k,
      d: o,
      weights,
      means: Float64Array.from(each((c) => pick(means, c))),
      covariances: Float64Array.from(picked),
    };
    return new Components(this.backend, parts, where, which);
  }

  /** mean + L z of component c, into `to`. */
  draw(random: Random, c: number, to: Float64Array): void {
    const { shape, d, means } = this.parts,
      z = to.map(() => random.normal());
    for (let i = 0, at = c * tri(d); i < d; i++) {
      let value = means[c * d + i]!;
      if (shape === 'diagonal') value += this.L[c * d + i]! * z[i]!;
      else for (let j = 0; j <= i; j++) value += this.L[at++]! * z[j]!;
      to[i] = value;
    }
  }

  dispose(): void {
    for (const { b, mean, W } of Object.values(this.prepared)) for (const held of [b, mean, W]) held.dispose();
  }

  /** One kernel call over complete rows, which lie at `of` in the caller's data (undefined: they are it). */
  private score(
    where: string,
    name: 'logDensity' | 'responsibilities' | 'expect',
    results: object,
    { values, n }: Rows,
    of?: Int32Array,
  ): void {
    const { k, d, shape } = this.parts,
      single = values instanceof Float32Array,
      { b, mean, W } = this.resident(single);
    const kernel = this.kernels(single)[shape === 'full' ? name : (`${name}Diagonal` as const)];
    const args = { x: values, b, mean, ...(shape === 'full' ? { W } : { u: W }), ...results };
    try {
      kernel({ n, d, k }, args as never);
    } catch (error) {
      if (!(error instanceof KernelFailure)) throw error;
      const row = error.at['n']!;
      throw nonFinite(where, 'x', values, row, d, of?.[row]);
    }
  }
  private kernels(single: boolean): Backend['f64']['mixture'] {
    return (single ? this.backend.f32 : this.backend.f64).mixture as Backend['f64']['mixture'];
  }

  /** The parameters of the kernels, made once per dtype. */
  private resident(single: boolean): Prepared {
    const dtype = single ? 'f32' : 'f64';
    this.prepared[dtype] ??= this.prepare(single);
    return this.prepared[dtype];
  }
  private prepare(single: boolean): Prepared {
    const { k, d, shape, weights, means } = this.parts,
      { L, logDet, backend } = this;
    const array = (n: number): Float64Array => (single ? new Float32Array(n) : new Float64Array(n)) as Float64Array;
    const b = array(k),
      W = array(L.length),
      mean = array(k * d);
    mean.set(means);
    const kernels = this.kernels(single);
    if (shape === 'full') kernels.prepare({ k, d }, { weights, L, logDet, b, W });
    else kernels.prepareDiagonal({ k, d }, { weights, L, logDet, b, u: W });
    return { b: backend.hold(b), mean: backend.hold(mean), W: backend.hold(W) };
  }

  /**
   * Rows with the same observed coordinates, with the marginal over these: all rows at once if none has a gap, else
   * gathered, with their places in `of`; without `part` if nothing was observed.
   */
  private *patterns(
    where: string,
    x: Rows,
    { missing, mask }: Gaps,
  ): Generator<{ part?: Components; rows: Rows; of?: Int32Array }> {
    const { d } = this.parts,
      seen = gaps(where, 'x', x, missing, mask);
    if (!seen || seen.every((byte) => byte === 1)) {
      yield { part: this, rows: x };
      return;
    }
    const found = new Map<string, number[]>();
    for (let row = 0; row < x.n; row++) {
      const key = seen.subarray(row * d, (row + 1) * d).join('');
      const rows = found.get(key);
      if (rows) rows.push(row);
      else found.set(key, [row]);
    }
    for (const [key, list] of found) {
      const of = Int32Array.from(list),
        dims = [...key].flatMap((bit, j) => (bit === '1' ? [j] : []));
      const values = alike(x.values, of.length * dims.length),
        rows = { values, n: of.length };
      let at = 0;
      for (const row of of) for (const j of dims) values[at++] = x.values[row * d + j]!;
      if (dims.length === 0) yield { rows, of };
      else if (dims.length === d) yield { part: this, rows, of };
      else {
        const part = this.marginal(dims, where, 'covariances');
        try {
          yield { part, rows, of };
        } finally {
          part.dispose();
        }
      }
    }
  }
}

const tri = (d: number): number => (d * (d + 1)) / 2;
const alike = (values: Real, n: number): Real =>
  values instanceof Float32Array ? new Float32Array(n) : new Float64Array(n);

export const notPositiveDefinite = (
  where: string,
  which: string,
  pivot: number,
  value: number,
  component?: number,
): SeqlikError =>
  new SeqlikError(
    'NOT_POSITIVE_DEFINITE',
    `${where}: ${which}${component === undefined ? '' : `[${component}]`} is not positive definite: pivot ${pivot} is ${value}`,
    { which, pivot, value, ...(component !== undefined && { component }) },
  );

/** A = L Lᵀ of `count` matrices of size d. The first pivot not > 0 is handed to `failed`, with its value. */
export function factorise(
  backend: Backend,
  A: Float64Array,
  count: number,
  d: number,
  failed: (failure: { matrix: number; pivot: number; value: number }) => Error,
): { L: Float64Array; logDet: Float64Array } {
  const L = new Float64Array(count * tri(d)),
    logDet = new Float64Array(count);
  try {
    backend.f64.gaussian.factor({ k: count, d }, { A, L, logDet });
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
    const { k: matrix, d: pivot } = error.at as { k: number; d: number };
    throw failed({ matrix, pivot, value: pivotOf(A.subarray(matrix * d * d, (matrix + 1) * d * d), d, pivot) });
  }
  return { L, logDet };
}
/** The pivot at which a factorisation stopped: A[p,p] - |L[p,:]|². */
function pivotOf(A: Float64Array, d: number, p: number): number {
  const L: number[][] = [];
  for (let i = 0; i <= p; i++) {
    L[i] = [];
    for (let j = 0; j <= i; j++) {
      const s = L[j]!.slice(0, j).reduce((rest, v, q) => rest - v * L[i]![q]!, A[i * d + j]!);
      if (i === p && j === p) return s;
      L[i]![j] = i === j ? Math.sqrt(s) : s / L[j]![j]!;
    }
  }
  return NaN;
}
