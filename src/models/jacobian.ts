/**
 * Chains of Jacobians: what a recurrence does to a gradient that flows back through many steps. Equations:
 * docs/math/jacobian.md; the source notes' document 003.
 */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Matrix, Real, Vector } from '../check.ts';
import * as check from '../check.ts';
import { alike, dtypeOf } from '../check.ts';
import { argumentError, callError } from '../errors.ts';
import { pad } from '../grammar.ts';
import {
  asDtype,
  type Chain,
  ldexp,
  logNorm,
  readChain,
  readSquare,
  type ScaledSteps,
  scaled,
} from './jacobian/chain.ts';
import { logSingularValues } from './jacobian/singular.ts';
import { solveRight } from './jacobian/solve.ts';
import type { OnBackend } from './model.ts';
import { RATE_THRESHOLD, type Regime, regimeOf } from './regime.ts';

export type { Chain } from './jacobian/chain.ts';
export type { Regime } from './regime.ts';

/** The parts of chainDiagnostics that are not always computed; those not named are left out. */
export interface ChainParts {
  /** The log singular values of the product, at 6 n³ operations a step in JavaScript: meant for n <= 64. */
  readonly singularValues?: boolean;
  /** The Lyapunov spectrum, or its k largest exponents, at O(n² k) operations a step. */
  readonly lyapunov?: boolean | number;
}
/** Options of chainDiagnostics. */
export interface ChainOptions extends OnBackend {
  /** The growth per step up to which a chain counts as stable: default 0.01. */
  readonly rateThreshold?: number;
  /** Default: all parts, but the singular values for n <= 64 only. */
  readonly parts?: ChainParts;
  /** Steps at the start that count for no exponent: a transient. Default 0, less than there are steps. */
  readonly discard?: number;
}
/** Results of chainDiagnostics: all logarithms are natural, and -Infinity stands for the logarithm of 0. */
export interface ChainDiagnostics {
  /** [K]: log ‖J[t] … J[0]‖, Frobenius norms. */
  logFrobenius: Float64Array;
  /** [n], descending: of the whole product. */
  logSingularValues?: Float64Array;
  /** [k]: Σ log R[i,i] over all steps of the QR factorisations, in the order of the columns. */
  logR?: Float64Array;
  /** [k]: the exponents, Σ log R[i,i] over the steps that count, divided by their number; they are not sorted. */
  lyapunov?: Float64Array;
  /** [k]: from the scatter of the exponents of 20 blocks of steps; present with 20 steps or more. */
  lyapunovStandardError?: Float64Array;
  /** (logFrobenius[K-1] - ½ log n) / K: the growth per step of the rms gain, 0 for orthogonal matrices. */
  logNormRate: number;
  /** 'exploding' if logNormRate > rateThreshold, 'vanishing' if it is < -rateThreshold, else 'stable'. */
  regime: Regime;
}

const BLOCKS = 20;
const SMALL = 64; // of singular values that are computed without being asked for

/**
 * The norms, singular values and Lyapunov exponents of a product J[K-1] … J[0] of K >= 1 Jacobians, however long: neither
 * overflows nor underflows. Chains of relu, whose slopes are often 0, take a quarter of the time at half the units
 * active; dead ones give -Infinity. Computes in the dtype of the chain, in f32 with the errors of f32; results are f64.
 * Throws INVALID_ARGUMENT (chain, size, rateThreshold, parts, discard), DIMENSION_MISMATCH, NON_FINITE (row: the step),
 * EMPTY_INPUT (no step); argument: chain.jacobians, chain.W or chain.slopes.
 *
 * @example
 * const halving = { jacobians: Float64Array.of(0.5, 0.5, 0.5), size: 1 };
 * chainDiagnostics(halving).regime; // 'vanishing'
 */
export function chainDiagnostics(chain: Chain, options?: ChainOptions): ChainDiagnostics {
  const where = 'chainDiagnostics';
  const given = check.options(where, options, ['backend', 'rateThreshold', 'parts', 'discard']);
  const backend = check.backend(where, given.backend, defaultBackend);
  const threshold = check.amount(where, 'rateThreshold', check.or(given.rateThreshold, RATE_THRESHOLD));
  const parts = given.parts === undefined ? undefined : check.fields(where, 'parts', given.parts, PARTS);
  const flag = (name: string, value: unknown): boolean => check.flag(where, `parts.${name}`, check.or(value, false));
  const wantsSingular = parts && flag('singularValues', parts['singularValues']);
  const asked = parts ? check.or(parts['lyapunov'], false) : true;
  const steps = readChain(where, backend, chain);
  const { n: K, d: n } = steps;
  const most = typeof asked === 'number' ? check.count(where, 'parts.lyapunov', asked, 1, n) : n;
  const wantsLyapunov = typeof asked === 'number' || flag('lyapunov', asked);
  const discard = check.count(where, 'discard', check.or(given.discard, 0), 0, Math.max(K - 1, 0));
  if (K === 0)
    throw argumentError(
      'EMPTY_INPUT',
      where,
      steps.matrices === 1 && 'W' in chain ? 'chain.slopes' : 'chain.jacobians',
      {
        expected: 'at least one step',
        received: 'none',
        reason: 'is empty',
      },
    );
  const moderate = scaled(steps);
  const { logFrobenius } = product(backend, moderate);
  const logNormRate = (logFrobenius[K - 1]! - 0.5 * Math.log(n)) / K;
  return {
    logFrobenius,
    ...((wantsSingular ?? n <= SMALL) && { logSingularValues: logSingularValues(moderate) }),
    ...(wantsLyapunov && spectrum(backend, moderate, most, discard)),
    logNormRate,
    regime: regimeOf(logNormRate, threshold),
  };
}
const PARTS = ['singularValues', 'lyapunov'] as const;

/** The product over 2^exponent, and the logarithms of the norms on the way. */
function product(
  backend: Backend,
  { n, d, matrices, W, slopes, shift, dtype }: ScaledSteps,
): { logFrobenius: Float64Array; product: Real; exponent: number } {
  const logFrobenius = new Float64Array(n);
  const exponent = new Float64Array(1);
  const product = alike(W, d * pad(d, dtype));
  const args = { W, slopes, shift, product, exponent, logNorm: logFrobenius };
  backend.kernels(dtype).jacobian.product({ n, d, matrices }, args);
  return { logFrobenius, product, exponent: exponent[0]! };
}
/** The exponents of the first k columns. */
function spectrum(
  backend: Backend,
  { n, d, matrices, W, slopes, shift, dtype }: ScaledSteps,
  k: number,
  discard: number,
): Pick<ChainDiagnostics, 'logR' | 'lyapunov' | 'lyapunovStandardError'> {
  const width = pad(k, dtype);
  const Q = alike(W, d * width);
  for (let j = 0; j < k; j++) Q[j * width + j] = 1;
  const logR = check.room('chainDiagnostics', n * k);
  backend.kernels(dtype).jacobian.spectrum({ n, d, matrices, exponents: k }, { W, slopes, shift, Q, logR });
  /** The sums over the steps from one to before another. */
  const sums = (from: number, end: number): Float64Array => {
    const sum = new Float64Array(k);
    for (let t = from; t < end; t++) for (let j = 0; j < k; j++) sum[j]! += logR[t * k + j]!;
    return sum;
  };
  const counted = n - discard;
  const lyapunov = sums(discard, n).map((sum) => sum / counted);
  const total = discard === 0 ? lyapunov.map((mean) => mean * counted) : sums(0, n);
  if (counted < BLOCKS) return { logR: total, lyapunov };
  const blocks = Array.from({ length: BLOCKS }, (_, b) => {
    const [from, end] = [b, b + 1].map((at) => discard + Math.floor((at * counted) / BLOCKS)) as [number, number];
    return sums(from, end).map((sum) => sum / (end - from));
  });
  const lyapunovStandardError = lyapunov.map((_, j) => {
    const values = blocks.map((block) => block[j]!);
    if (!values.every(Number.isFinite)) return 0; // an exponent of -Infinity is exact
    const mean = values.reduce((a, b) => a + b) / BLOCKS;
    return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (BLOCKS * (BLOCKS - 1)));
  });
  return { logR: total, lyapunov, lyapunovStandardError };
}

/**
 * Backpropagation through a chain of T Jacobians: adjoint[t] = g[t] + J[t]ᵀ adjoint[t+1], from adjoint[T] = g[T] on,
 * where g [T+1,n] is the direct part of the gradient at each state; J[t] leads from state t to state t+1. Returns
 * adjoint [T+1,n], in the dtype of g, and logNorm [T+1], the logarithms of its Euclidean norms.
 * Throws as chainDiagnostics does, DIMENSION_MISMATCH (g), NON_FINITE (g; or an adjoint that overflows: row).
 *
 * @example
 * backpropagate({ jacobians: Float64Array.of(2, 3), size: 1 }, [[0], [0], [1]]).adjoint; // Float64Array(3) [ 6, 3, 1 ]
 */
export function backpropagate(chain: Chain, g: Matrix, options?: OnBackend): { adjoint: Real; logNorm: Float64Array } {
  const where = 'backpropagate';
  const backend = check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend);
  const { n, d, matrices, W, slopes } = readChain(where, backend, chain);
  const { values, n: rows } = check.points(where, 'g', g, d);
  if (rows !== n + 1)
    throw argumentError('DIMENSION_MISMATCH', where, 'g', {
      expected: `${n + 1} rows, one more than the chain has steps`,
      received: `${rows} rows`,
    });
  check.finiteRows(where, 'g', { values, n: rows }, d);
  const dtype = dtypeOf(values);
  const as = (x: Real): Real => (dtypeOf(x) === dtype ? x : asDtype(Float64Array.from(x), dtype));
  const adjoint = alike(values, rows * d);
  const args = { W: as(n === 0 ? alike(W, d * d) : W), slopes: as(slopes), g: values, adjoint };
  backend.kernels(dtype).jacobian.backpropagate({ n, d, matrices }, args);
  const logNorms = Float64Array.from({ length: rows }, (_, t) => logNorm(adjoint, t * d, d));
  const row = logNorms.findLastIndex((value) => !(value < Number.POSITIVE_INFINITY));
  if (row >= 0)
    throw callError('NON_FINITE', where, `the gradient at state ${row} overflows`, { argument: 'chain', row });
  return { adjoint, logNorm: logNorms };
}

/** Results of sharedEigenProduct. */
export interface SharedEigenProduct {
  /** [n]: sign · exp(logAbs), of the product; ±Infinity where it overflows. */
  eigenvalues: Float64Array;
  /** [n]: Σ_t log |lambda[t,i]|, -Infinity if one of them is 0. */
  logAbs: Float64Array;
  /** [n]: -1, 0 or 1. */
  sign: Float64Array;
  /** [n,n]: V diag(eigenvalues) V⁻¹; ±Infinity where it overflows. */
  product: Float64Array;
}
/**
 * The product of Jacobians J[t] = V diag(lambda[t]) V⁻¹ that share their eigenvectors, the columns of V [n,n]; lambda is
 * [K,n]. All are real. Without shared eigenvectors the eigenvalues of a product are not products of eigenvalues.
 * Throws DIMENSION_MISMATCH, NON_FINITE, INVALID_ARGUMENT (V: singular).
 *
 * @example
 * sharedEigenProduct([[1, 0], [1, 1]], [[2, 1], [3, -1]]).eigenvalues; // Float64Array(2) [ 6, -1 ]
 */
export function sharedEigenProduct(V: Matrix, lambda: Matrix): SharedEigenProduct {
  const where = 'sharedEigenProduct';
  const vectors = readSquare(where, 'V', V);
  const n = Math.sqrt(vectors.length);
  const { values, n: K } = check.points(where, 'lambda', lambda, n);
  check.finite(where, 'V', vectors);
  check.finiteRows(where, 'lambda', { values, n: K }, n);
  const logAbs = new Float64Array(n);
  const sign = new Float64Array(n).fill(1);
  for (const [at, value] of values.entries()) {
    logAbs[at % n]! += Math.log(Math.abs(value));
    sign[at % n]! *= Math.sign(value);
  }
  const eigenvalues = sign.map((s, i) => (s === 0 ? 0 : s * Math.exp(logAbs[i]!)));
  // of eigenvalues over the largest, so that an infinite one makes no NaN of a zero beside it
  const top = logAbs.reduce((most, v) => Math.max(most, v), Number.NEGATIVE_INFINITY);
  const scaled = vectors.map((v, at) => (sign[at % n] === 0 ? 0 : v * sign[at % n]! * Math.exp(logAbs[at % n]! - top)));
  const product = solveRight(where, 'V', scaled, vectors, n).map((v) => (v === 0 ? 0 : v * Math.exp(top)));
  return { eigenvalues, logAbs, sign, product };
}

/** The layer of recurrentJacobians. */
export interface RecurrentLayer {
  /** [n,n], from the state before. */
  readonly W: Matrix;
  /** [n,i], from the input. */
  readonly U: Matrix;
  /** [n] */
  readonly b: Vector;
  /** [T,i] */
  readonly x: Matrix;
  /** [n]: the state before the first step. */
  readonly h0: Vector;
  readonly activation: 'tanh' | 'relu';
}
/** Results of recurrentJacobians, in the dtype of x. */
export interface RecurrentJacobians {
  /** [T+1,n]: h0 first. */
  h: Real;
  /** [T,n]: φ' of each step, 1 - tanh² with its full relative accuracy. `{ W, slopes }` is the chain. */
  slopes: Real;
  /** [T,n,n]: dh[t+1]/dh[t] = diag(slopes[t]) W. */
  J: Real;
  /** [n,n]: dh[T]/dh[0]; ±Infinity where it overflows. */
  product: Real;
  /** [T]: log ‖dh[t+1]/dh[0]‖, f64. */
  logFrobenius: Float64Array;
}
/**
 * Runs h[t+1] = φ(W h[t] + U x[t] + b) and returns its states and the Jacobians of its steps.
 * Throws INVALID_ARGUMENT (activation), DIMENSION_MISMATCH, NON_FINITE (or a state that overflows: argument x, row).
 *
 * @example
 * const layer = { W: [[2]], U: [[1]], b: [0], x: [[1], [1]], h0: [0], activation: 'relu' };
 * recurrentJacobians(layer).product; // Float64Array(1) [ 4 ]
 */
export function recurrentJacobians(layer: RecurrentLayer, options?: OnBackend): RecurrentJacobians {
  const where = 'recurrentJacobians';
  const backend = check.backend(where, check.options(where, options, ['backend']).backend, defaultBackend);
  const given = check.fields(where, 'layer', layer, ['W', 'U', 'b', 'x', 'h0', 'activation']);
  const activation = check.choice(where, 'activation', given['activation'], ['tanh', 'relu']);
  const W = readSquare(where, 'W', given['W']);
  const d = Math.sqrt(W.length);
  const U = check.tensor(where, 'U', given['U'], [d, undefined]);
  const inputs = U.length / d;
  const b = check.tensor(where, 'b', given['b'], [d]);
  const { values: x, n } = check.points(where, 'x', given['x'], inputs);
  const first = check.tensor(where, 'h0', given['h0'], [d]);
  for (const [name, values] of Object.entries({ W, U, b })) check.finite(where, name, values);
  check.finiteRows(where, 'x', { values: x, n }, inputs);
  check.finite(where, 'h0', first);

  const dtype = dtypeOf(x);
  const { dense, jacobian } = backend.kernels(dtype);
  const width = pad(d, dtype);
  /** Aᵀ, each row padded to whole lines. */
  const across = (A: Float64Array, columns: number): Real => {
    const to = alike(x, columns * width);
    for (let i = 0; i < d; i++) for (let j = 0; j < columns; j++) to[j * width + i] = A[i * columns + j]!;
    return to;
  };
  const a = alike(x, n * d);
  for (let t = 0; t < n; t++) a.set(b, t * d);
  dense.affine({ n, i: inputs, o: d }, { x, W: across(U, inputs), y: a });
  const h = alike(x, (n + 1) * d);
  h.set(first);
  const slopes = alike(x, n * d);
  const states = h.subarray(d);
  jacobian.unroll({ n, d, activation }, { a, W: across(W, d), first: asDtype(first, dtype), h: states, slopes });
  const row = states.findIndex((v) => !Number.isFinite(v));
  if (row >= 0)
    throw callError('NON_FINITE', where, `the state after step ${Math.floor(row / d)} overflows`, {
      argument: 'x',
      row: Math.floor(row / d),
    });

  const J = alike(x, n * d * d);
  for (let at = 0; at < J.length; at++) J[at] = slopes[Math.floor(at / d)]! * W[at % (d * d)]!;
  const steps = scaled({
    n,
    d,
    matrices: 1,
    W: asDtype(W, dtype),
    slopes,
    dtype,
    moderate: { W: false, slopes: false },
  });
  const whole = product(backend, steps);
  const unpadded = alike(x, d * d).map((_, at) => whole.product[Math.floor(at / d) * width + (at % d)]!);
  return { h, slopes, J, product: unpadded.map((v) => ldexp(v, whole.exponent)), logFrobenius: whole.logFrobenius };
}
