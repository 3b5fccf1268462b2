/** The continuous-time recurrent network, by explicit Euler steps. Equations: docs/math/continuous.md. */
import { defaultBackend } from '../../backends/default.ts';
import type { Backend } from '../../bind.ts';
import type { Matrix, Points, Real, Result, Vector } from '../../check.ts';
import * as check from '../../check.ts';
import { alike, dtypeOf } from '../../check.ts';
import { argumentError, callError } from '../../errors.ts';
import { type DType, pad, realArrays } from '../../grammar.ts';
import { INSPECT, type OnBackend, printable } from '../model.ts';

/** The parameters of a continuous-time network of d units. */
export interface ContinuousParameters {
  /** [d,d]: W[i,j] is the weight from unit i to unit j. */
  readonly W: Matrix;
  /** [d] */
  readonly b: Vector;
  /** The step, > 0. Up to 1 a step is a convex combination; beyond 2 the network without weights is unstable. */
  readonly alpha: number;
}
/** A trajectory of T steps, in the dtype of x0. */
export interface Trajectory<R extends Real = Real> {
  /** [T+1,d]: x0, then the state after each step. */
  x: R;
  /** [T,d]: tanh' = sech² of each step's pre-activations. */
  sech2: R;
}
/** Derivatives of each step by what enters it, in the dtype of x0. */
export interface StepJacobians<R extends Real = Real> {
  /** [T,d,d]: J[t,i,j] = dx_i of step t+1 / dx_j of step t. */
  J: R;
  /** [T,d,d], the immediate partial derivatives by b; only with `partials`. */
  dxdb?: R;
  /** [T,d,d,d], by W: dxdW[t,i,j,l] = dx_i / dW[j,l]; only with `partials`. */
  dxdW?: R;
}
/** Total derivatives of the state after each step, in the dtype of x0. */
export interface Sensitivities<R extends Real = Real> {
  /** [T,d,d]: dx_i / dx0_j. */
  dxdx0: R;
  /** [T,d,d]: dx_i / db_j. */
  dxdb: R;
  /** [T,d,d,d]: dx_i / dW[j,l]. */
  dxdW: R;
}
/** The gradient of a loss, in the dtype of x0. */
export interface ContinuousGradient<R extends Real = Real> {
  /** [d] */
  dx0: R;
  /** [d] */
  db: R;
  /** [d,d] */
  dW: R;
}

/** The parameters as the kernels of a dtype want them. */
interface Weights {
  readonly W: Real;
  readonly b: Real;
  readonly alpha: Real;
  /** Wᵀ [d,d], and with rows of whole lines. */
  readonly back: Real;
  readonly backLines: Real;
}
/** A trajectory that was computed, with its sizes. */
interface Run {
  readonly d: number;
  readonly n: number;
  readonly x: Real;
  readonly slopes: Real;
  readonly weights: Weights;
  readonly dtype: DType;
}

/**
 * The network dx/dt = -x + tanh(Wᵀ x + b) with time constant 1, by explicit Euler steps of alpha:
 * x[t] = x[t-1] + alpha (tanh(Wᵀ x[t-1] + b) - x[t-1]). Results have the dtype of x0: f32 for a Float32Array, f64 for
 * everything else. Immutable; it has no file and nothing to dispose of.
 * @example
 * const network = new ContinuousRNN({ W: [[0, 1], [-1, 0]], b: [0, 0], alpha: 0.1 });
 * network.run([1, 0], 100).x.length; // 202
 */
export class ContinuousRNN {
  /** d */
  readonly dimension: number;
  /** The backend that its kernels run on. */
  readonly backend: Backend;
  private readonly W: Float64Array;
  private readonly b: Float64Array;
  private readonly alpha: number;
  private readonly prepared: { [D in DType]?: Weights } = {};

  /**
   * Throws INVALID_ARGUMENT (alpha, which must be > 0), DIMENSION_MISMATCH (W), NON_FINITE (W, b) and EMPTY_INPUT (b).
   * @example
   * new ContinuousRNN({ W: [[0.5]], b: [0], alpha: 1 }).dimension; // 1
   */
  constructor(parameters: ContinuousParameters, options?: OnBackend) {
    const where = 'new ContinuousRNN';
    this.backend = check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend);
    const given = check.fields(where, 'parameters', parameters, ['W', 'b', 'alpha']);
    const own = { W: given['W'], b: given['b'], alpha: given['alpha'] }; // each read once
    this.alpha = check.positive(where, 'alpha', own.alpha);
    this.b = check.tensor(where, 'b', own.b, [undefined]);
    this.dimension = this.b.length;
    this.W = check.tensor(where, 'W', own.W, [this.dimension, this.dimension]);
    check.finite(where, 'W', this.W);
    check.finite(where, 'b', this.b);
    if (this.dimension === 0)
      throw argumentError('EMPTY_INPUT', where, 'b', { expected: 'one unit', received: 'none', reason: 'is empty' });
  }
  /** A fresh copy of what the constructor was given. */
  get parameters(): { W: Float64Array; b: Float64Array; alpha: number } {
    return { W: this.W.slice(), b: this.b.slice(), alpha: this.alpha };
  }
  /** The number of weights and biases: d² + d. */
  get parameterCount(): number {
    return this.W.length + this.b.length;
  }
  /** @internal */
  [INSPECT](): object {
    const { dimension, alpha, backend } = this;
    return printable(this, { dimension, alpha, backend: backend && `${backend.name} ${backend.isa}` });
  }

  /**
   * The trajectory of `steps` steps from x0 [d].
   * Throws INVALID_ARGUMENT (steps), DIMENSION_MISMATCH (x0) and NON_FINITE (x0; or the state overflows: `row` is the
   * step, counted from 1).
   * @example
   * new ContinuousRNN({ W: [[0]], b: [0], alpha: 0.5 }).run([1], 2).x; // Float64Array(3) [ 1, 0.5, 0.25 ]
   */
  run<X extends Vector>(x0: X, steps: number): Trajectory<Result<X>> {
    const { x, slopes } = this.trajectory('ContinuousRNN.run', x0, steps);
    return { x, sech2: slopes } as Trajectory<Result<X>>;
  }

  /**
   * The Jacobian of each step; with `partials` also its immediate derivatives by b and W, in which the state before
   * the step is held fixed. Throws as run does.
   * @example
   * new ContinuousRNN({ W: [[0]], b: [0], alpha: 0.5 }).jacobians([1], 2).J; // Float64Array(2) [ 0.5, 0.5 ]
   */
  jacobians<X extends Vector>(
    x0: X,
    steps: number,
    options?: { readonly partials?: boolean },
  ): StepJacobians<Result<X>> {
    const where = 'ContinuousRNN.jacobians';
    const { partials } = check.options(where, options, ['partials']);
    const wanted = check.flag(where, 'partials', check.or(partials, false));
    const run = this.trajectory(where, x0, steps);
    const J = this.jacobiansOf(where, run);
    return { J, ...(wanted && this.partials(where, run)) } as StepJacobians<Result<X>>;
  }

  /**
   * The total derivatives of every state by x0, b and W, carried forward: S[t] = J[t] S[t-1] + the immediate ones.
   * T d³ numbers; `lossGradient` gives the gradient of one loss with T d. Throws as run does.
   * @example
   * const network = new ContinuousRNN({ W: [[0]], b: [0], alpha: 0.5 });
   * network.sensitivities([1], 2).dxdx0; // Float64Array(2) [ 0.5, 0.25 ]
   */
  sensitivities<X extends Vector>(x0: X, steps: number): Sensitivities<Result<X>> {
    const where = 'ContinuousRNN.sensitivities';
    const run = this.trajectory(where, x0, steps);
    const { n, d } = run;
    const J = this.jacobiansOf(where, run);
    const { dxdb, dxdW } = this.partials(where, run);
    const dxdx0 = alike(J, J.length);
    dxdx0.set(J.subarray(0, Math.min(n, 1) * d * d));
    for (const [S, columns] of [
      [dxdx0, d],
      [dxdb, d],
      [dxdW, d * d],
    ] as const) {
      this.kernels(run.dtype).sensitivities({ n, d, columns }, { J, S });
      this.requireFinite(where, S, d * columns);
    }
    return { dxdx0, dxdb, dxdW } as Sensitivities<Result<X>>;
  }

  /**
   * The gradient of a loss whose derivative by the state after step t is row t of `cotangents` [T+1,d] (row 0: by x0),
   * by the adjoint recursion. `steps`, if given, is what T has to be.
   * Throws as run does, and DIMENSION_MISMATCH, NON_FINITE or EMPTY_INPUT (cotangents).
   * @example
   * const network = new ContinuousRNN({ W: [[0]], b: [0], alpha: 0.5 });
   * network.lossGradient([1], [[0], [0], [1]]).dx0; // Float64Array(1) [ 0.25 ]
   */
  lossGradient<X extends Vector>(
    x0: X,
    cotangents: Points,
    options?: { readonly steps?: number },
  ): ContinuousGradient<Result<X>> {
    const where = 'ContinuousRNN.lossGradient';
    const given = check.options(where, options, ['steps']).steps;
    const steps = given === undefined ? undefined : check.count(where, 'steps', given, 0);
    const start = this.start(where, x0);
    const rows = check.points(where, 'cotangents', cotangents, this.dimension);
    if (steps !== undefined && rows.n !== steps + 1)
      throw argumentError('DIMENSION_MISMATCH', where, 'cotangents', {
        expected: `${steps + 1} rows`,
        received: `${rows.n} rows`,
        reason: `has ${rows.n} rows, not ${steps + 1}`,
      });
    check.finite(where, 'x0', start);
    check.finiteRows(where, 'cotangents', rows, this.dimension);
    if (rows.n === 0)
      throw argumentError('EMPTY_INPUT', where, 'cotangents', {
        expected: 'at least one row',
        received: 'none',
        reason: 'is empty',
      });
    const { n, d, x, slopes, weights, dtype } = this.trajectory(where, start, rows.n - 1);
    const dx = alike(start, rows.values.length);
    dx.set(rows.values);
    const e = alike(start, n * d);
    const dx0 = dx.slice(n * d);
    const { alpha, backLines } = weights;
    this.kernels(dtype).adjoint({ n, d }, { dx: dx.subarray(0, n * d), slopes, back: backLines, alpha, e, l: dx0 });
    const sums = { dW: new Float64Array(d * d), db: new Float64Array(d) };
    // dW[j,l] = Σ_t x_j[t-1] e_l[t]; the sums of x are not needed
    this.backend.kernels(dtype).dense.gradient({ n, i: d, o: d }, { x: e, dy: x.subarray(0, n * d), ...sums });
    const totals = new Float64Array(d);
    for (let at = 0; at < e.length; at++) totals[at % d]! += e[at]!;
    const [dW, db] = [alike(start, d * d), alike(start, d)];
    dW.set(sums.dW);
    db.set(totals);
    for (const values of [dx0, db, dW])
      if (!values.every(Number.isFinite))
        throw callError('NON_FINITE', where, 'the gradient overflows', { argument: 'cotangents' });
    return { dx0, db, dW } as ContinuousGradient<Result<X>>;
  }

  private kernels(dtype: DType) {
    return this.backend.kernels(dtype).continuous;
  }
  private start(where: string, x0: unknown): Real {
    const { values } = check.points(where, 'x0', x0, this.dimension);
    if (values.length === this.dimension) return values;
    throw argumentError('DIMENSION_MISMATCH', where, 'x0', {
      expected: `${this.dimension}`,
      received: `${values.length} values`,
      reason: `has ${values.length} values, not ${this.dimension}`,
    });
  }
  private trajectory(where: string, x0: unknown, given: unknown): Run {
    const n = check.count(where, 'steps', given, 0);
    const state = this.start(where, x0);
    check.finite(where, 'x0', state);
    const dtype = dtypeOf(state);
    const weights = this.weights(dtype);
    const d = this.dimension;
    const x = alike(state, (n + 1) * d);
    const slopes = alike(state, n * d);
    x.set(state);
    const { W, b, alpha } = weights;
    this.kernels(dtype).run({ n, d }, { state, W, b, alpha, x: x.subarray(d), slopes });
    this.requireFinite(where, x, d);
    return { n, d, x, slopes, weights, dtype };
  }
  private jacobiansOf(where: string, { n, d, slopes, weights, dtype }: Run): Real {
    const J = alike(slopes, n * d * d);
    const { back, alpha } = weights;
    this.kernels(dtype).jacobians({ n, d }, { slopes, back, alpha, J });
    this.requireFinite(where, J, d * d);
    return J;
  }
  private partials(where: string, { n, d, x, slopes, weights }: Run): { dxdb: Real; dxdW: Real } {
    const dxdb = alike(slopes, n * d * d);
    const dxdW = alike(slopes, n * d * d * d);
    const alpha = weights.alpha[0]!;
    for (let t = 0; t < n; t++)
      for (let i = 0; i < d; i++) {
        const at = (t * d + i) * d;
        const slope = alpha * slopes[t * d + i]!;
        dxdb[at + i] = slope;
        for (let j = 0; j < d; j++) dxdW[(at + j) * d + i] = slope * x[t * d + j]!;
      }
    this.requireFinite(where, dxdb, d * d);
    this.requireFinite(where, dxdW, d * d * d);
    return { dxdb, dxdW };
  }
  /** Nothing that is not finite leaves. */
  private requireFinite(where: string, values: Real, width: number): void {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at < 0) return;
    const row = Math.floor(at / width);
    throw callError('NON_FINITE', where, `the trajectory overflows at row ${row}`, { argument: 'x0', row });
  }
  private weights(dtype: DType): Weights {
    const { W, b, alpha, dimension: d, prepared } = this;
    const array = (n: number): Real => new realArrays[dtype](n);
    const width = pad(d, dtype);
    const lines = (entry: (i: number, j: number) => number, wide: number): Real => {
      const values = array(d * wide);
      for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) values[i * wide + j] = entry(i, j);
      return values;
    };
    const forward = (i: number, j: number): number => W[i * d + j]!;
    const backward = (i: number, j: number): number => W[j * d + i]!;
    prepared[dtype] ??= {
      W: lines(forward, width),
      b: new realArrays[dtype](b.length),
      alpha: array(1).fill(alpha),
      back: lines(backward, d),
      backLines: lines(backward, width),
    };
    prepared[dtype].b.set(b);
    return prepared[dtype];
  }
}
