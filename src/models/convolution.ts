/** Convolution of two signals, and its gradients. Equations: docs/math/convolution.md. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Real, Result, Vector } from '../check.ts';
import * as check from '../check.ts';
import { alike, dtypeOf } from '../check.ts';
import { argumentError, callError, KernelFailure } from '../errors.ts';
import { overlap } from '../memory.ts';
import { convolved, gradients } from './convolution/paths.ts';
import type { OnBackend } from './model.ts';

const modes = ['full', 'same', 'causal', 'valid'] as const;
/** Which results of the full convolution are returned: docs/convolution.md. */
export type ConvolutionMode = (typeof modes)[number];
/** The options of convolution. */
export interface ConvolutionOptions extends OnBackend {
  /**
   * Default 'full': all n + K - 1 results. 'same': n of them, from floor((K - 1) / 2) on; 'causal': the first n;
   * 'valid': the max(n - K + 1, 0) in which every value of w meets a value of x. Without values of x there are none.
   */
  readonly mode?: ConvolutionMode;
}
/** The options of `convolve`. */
export interface ConvolveOptions extends ConvolutionOptions {
  /** The caller's memory for the results: as many as there are, in the dtype of x. */
  readonly out?: Real;
}
/** The options of `convolveGradient`. */
export interface ConvolveGradientOptions extends ConvolutionOptions {
  /** The caller's memory for some of the results. */
  readonly out?: ConvolutionOut;
}
/** Memory in the dtype of x: dx [n], dw [K]. */
export interface ConvolutionOut {
  /** [n] */
  readonly dx?: Real;
  /** [K] */
  readonly dw?: Real;
}
/** Gradients of Σ_t dy[t] y[t], in the dtype of x. */
export interface ConvolutionGradient<R extends Real = Real> {
  /** [n] */
  dx: R;
  /** [K] */
  dw: R;
}

/** The first result that a mode returns, and how many. */
function windowOf(mode: ConvolutionMode, n: number, K: number): { readonly first: number; readonly length: number } {
  if (n === 0 || K === 0) return { first: 0, length: 0 };
  if (mode === 'full') return { first: 0, length: n + K - 1 };
  if (mode === 'same') return { first: Math.floor((K - 1) / 2), length: n };
  if (mode === 'causal') return { first: 0, length: n };
  return { first: K - 1, length: Math.max(n - K + 1, 0) };
}
/** Whether every value of x, and every value of w, is part of a result. */
const allMeet = (mode: ConvolutionMode, x: Real, w: Real): boolean =>
  x.length >= w.length || (mode === 'full' && x.length > 0);
/** Signals of one dtype, that of the first. */
function signals(where: string, given: Readonly<Record<string, unknown>>): Real[] {
  const read = Object.entries(given).map(([name, value]) => check.points(where, name, value, 1).values);
  return read.map((values) => {
    if (dtypeOf(values) === dtypeOf(read[0]!)) return values;
    const copy = alike(read[0]!, values.length);
    copy.set(values);
    return copy;
  });
}
/** The index of the first value that is not finite; -1: there is none. */
function firstNonFinite(backend: Backend, x: Real): number {
  try {
    backend.kernels(dtypeOf(x)).convolution.finite({ n: x.length }, { x });
    return -1;
  } catch (error) {
    if (error instanceof KernelFailure) return error.at['n']!;
    throw error;
  }
}
function requireFinite(where: string, backend: Backend, argument: string, x: Real): void {
  const i = firstNonFinite(backend, x);
  if (i >= 0)
    throw argumentError('NON_FINITE', where, argument, {
      expected: 'finite numbers',
      received: `${x[i]}`,
      reason: `is ${x[i]} at index ${i}`,
      value: x[i]!,
    });
}
/** Throws EMPTY_INPUT, after what is wrong with the values of others. */
function requireTaps(where: string, backend: Backend, others: Readonly<Record<string, Real>>, w: Real): void {
  if (w.length > 0) return;
  for (const [name, values] of Object.entries(others)) requireFinite(where, backend, name, values);
  throw argumentError('EMPTY_INPUT', where, 'w', {
    expected: 'at least one value',
    received: 'none',
    reason: 'is empty',
  });
}
/**
 * Computes results. Where every value of every argument is part of one (`allMeet`), finite results tell that the
 * arguments are finite, and the kernels look at the results as they make them: to read all arrays again took a third of
 * the time of K=31. Throws NON_FINITE for the first argument that has such a value, or else for the result.
 */
function computeFinite(
  where: string,
  backend: Backend,
  given: Readonly<Record<string, Real>>,
  results: Readonly<Record<string, Real>>,
  allMeet: boolean,
  compute: (path?: 'transforms') => void,
): void {
  if (!allMeet) for (const [name, values] of Object.entries(given)) requireFinite(where, backend, name, values);
  try {
    compute();
    return;
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
  }
  for (const [name, values] of Object.entries(given)) requireFinite(where, backend, name, values);
  try {
    compute('transforms'); // these leave their results to be looked at, where a direct sum that fails has none
  } catch (error) {
    if (!(error instanceof KernelFailure)) throw error;
  }
  const [name, values] = Object.entries(results).find(([, values]) => firstNonFinite(backend, values) >= 0)!;
  const i = firstNonFinite(backend, values);
  throw callError('NON_FINITE', where, `${name} overflows at index ${i}`, { argument: 'x' });
}
/** The caller's array for `n` results, or a new one; it overlaps none of the others. */
function resultOf(where: string, value: unknown, n: number, x: Real, ...others: readonly Real[]): Real {
  const result = check.out(where, value, x, n);
  if (value !== undefined && others.some((other) => overlap(result, other)))
    throw argumentError('INVALID_ARGUMENT', where, 'out', {
      expected: 'memory of its own',
      received: 'memory of another argument',
      reason: 'overlaps another argument',
    });
  return result;
}

/**
 * The convolution y[t] = Σ_s w[s] x[t - s] of two signals, by direct sums or by Fourier transforms, whichever is
 * faster; values outside x count as 0. In the dtype of x: f32 for a Float32Array, f64 for everything else. Each result
 * is within K ε Σ|w x| of the exact one, also where x has values of very different sizes.
 * Throws INVALID_ARGUMENT (mode, out), DIMENSION_MISMATCH (out), NON_FINITE (x, w, with the index; or a result
 * overflows) and EMPTY_INPUT (w).
 * @example
 * convolve([1, 2, 3, 4], [1, 10]); // Float64Array(5) [ 1, 12, 23, 34, 40 ]
 * convolve([1, 2, 3, 4], [1, 10], { mode: 'valid' }); // Float64Array(3) [ 12, 23, 34 ]
 */
export function convolve<X extends Vector>(x: X, w: Vector, options?: ConvolveOptions): Result<X> {
  const where = 'convolve';
  const given = check.options(where, options, ['mode', 'out', 'backend']);
  const mode = check.choice(where, 'mode', check.or(given.mode, 'full'), modes);
  const backend = check.backend(where, given.backend, defaultBackend);
  const [X, W] = signals(where, { x, w }) as [Real, Real];
  const { first, length } = windowOf(mode, X.length, W.length);
  const y = resultOf(where, given.out, length, X, W);
  requireTaps(where, backend, { x: X }, W);
  computeFinite(where, backend, { x: X, w: W }, { 'the result': y }, allMeet(mode, X, W), (path) =>
    convolved({ backend, path }, y, X, W, first),
  );
  return check.or(given.out, y) as Result<X>;
}

/**
 * The gradients of Σ_t dy[t] y[t] with y = convolve(x, w, { mode }): dx[q] = Σ_t dy[t] w[s0 + t - q] and
 * dw[s] = Σ_t dy[t] x[s0 + t - s], where s0 is the first result that the mode returns. In the dtype of x.
 * Throws as convolve does, and DIMENSION_MISMATCH if dy is not as long as y.
 * @example
 * convolveGradient([1, 2, 3], [1, 10], [1, 0, 0, 0]).dw; // Float64Array(2) [ 1, 0 ]
 * convolveGradient([1, 2, 3], [1, 10], [1, 1], { mode: 'valid' }).dx; // Float64Array(3) [ 10, 11, 1 ]
 */
export function convolveGradient<X extends Vector>(
  x: X,
  w: Vector,
  dy: Vector,
  options?: ConvolveGradientOptions,
): ConvolutionGradient<Result<X>> {
  const where = 'convolveGradient';
  const given = check.options(where, options, ['mode', 'out', 'backend']);
  const mode = check.choice(where, 'mode', check.or(given.mode, 'full'), modes);
  const backend = check.backend(where, given.backend, defaultBackend);
  const memory = check.fields(where, 'out', check.or(given.out, {}), ['dx', 'dw']);
  const own = { dx: memory['dx'], dw: memory['dw'] }; // each read once
  const [X, W, DY] = signals(where, { x, w, dy }) as [Real, Real, Real];
  const { first, length } = windowOf(mode, X.length, W.length);
  if (W.length > 0 && DY.length !== length)
    throw argumentError('DIMENSION_MISMATCH', where, 'dy', {
      expected: `${length}`,
      received: `${DY.length} values`,
      reason: `has ${DY.length} values, not ${length}`,
    });
  const dx = resultOf(where, own.dx, X.length, X, W, DY);
  const dw = resultOf(where, own.dw, W.length, X, W, DY, dx);
  requireTaps(where, backend, { x: X, dy: DY }, W);
  computeFinite(where, backend, { x: X, w: W, dy: DY }, { dx, dw }, allMeet(mode, X, W), (path) =>
    gradients({ backend, path }, dx, dw, X, W, DY, first),
  );
  return { dx: check.or(own.dx, dx), dw: check.or(own.dw, dw) } as ConvolutionGradient<Result<X>>;
}
