/** Chains as callers give them, checked, and as the kernels take them. */
import type { Backend } from '../../bind.ts';
import type { Matrix, Real } from '../../check.ts';
import * as check from '../../check.ts';
import { alike, dtypeOf } from '../../check.ts';
import { argumentError, KernelFailure } from '../../errors.ts';
import type { DType } from '../../grammar.ts';

/**
 * Jacobians J of n steps, the first one applied first: all of them, [n,size,size], or those of a layer h = φ(W h + ...),
 * which are diag(slopes[t]) W with slopes [n,size], the φ' of each step, and are never formed.
 */
export type Chain = { readonly jacobians: Real; readonly size: number } | { readonly W: Matrix; readonly slopes: Real };

/** J[t] = diag(slopes[t]) W[t]: W is one matrix, or one of each step; slopes are 1, but 0 in the rows that are zero. */
export interface Steps {
  readonly n: number;
  readonly d: number;
  /** 1 or n. */
  readonly matrices: number;
  readonly W: Real;
  readonly slopes: Real;
  readonly dtype: DType;
  /** Whether the matrices, and the slopes, are known to need no scaling. */
  readonly moderate: { readonly W: boolean; readonly slopes: boolean };
}
/** J[t] = 2^shift[t] diag(slopes[t]) W[t] with moderate numbers, whose products neither overflow nor vanish. */
export interface ScaledSteps extends Steps {
  readonly shift: Float64Array;
}

/** Throws INVALID_ARGUMENT, DIMENSION_MISMATCH, NON_FINITE (row: the step; column). */
export function readChain(where: string, backend: Backend, chain: unknown): Steps {
  const given = check.fields(where, 'chain', chain, ['jacobians', 'size', 'W', 'slopes']);
  const { jacobians, size, W, slopes } = given;
  const [whole, shared] = [jacobians !== undefined || size !== undefined, W !== undefined || slopes !== undefined];
  if (whole === shared)
    throw argumentError('INVALID_ARGUMENT', where, 'chain', {
      expected: '{ jacobians, size } or { W, slopes }',
      received: whole ? 'both' : 'neither',
      reason: `must be { jacobians, size } or { W, slopes }, and is ${whole ? 'both' : 'neither'}`,
    });
  return whole ? readJacobians(where, backend, jacobians, size) : readShared(where, backend, W, slopes);
}
function readJacobians(where: string, backend: Backend, jacobians: unknown, size: unknown): Steps {
  const d = check.count(where, 'chain.size', size, 1, 2 ** 15);
  const { values: W, n } = check.points(where, 'chain.jacobians', jacobians, d * d);
  const moderate = areModerate(backend, W);
  if (!moderate) check.finiteRows(where, 'chain.jacobians', { values: W, n }, d * d);
  const slopes = alike(W, n * d);
  for (let row = 0; row < n * d; row++)
    for (let j = row * d; j < (row + 1) * d; j++)
      if (W[j] !== 0) {
        slopes[row] = 1;
        break;
      }
  return { n, d, matrices: Math.max(n, 1), W, slopes, dtype: dtypeOf(W), moderate: { W: moderate, slopes: true } };
}
function readShared(where: string, backend: Backend, W: unknown, given: unknown): Steps {
  const matrix = readSquare(where, 'chain.W', W);
  const d = Math.sqrt(matrix.length);
  const { values: slopes, n } = check.points(where, 'chain.slopes', given, d);
  const isModerate = areModerate(backend, matrix);
  if (!isModerate) check.finite(where, 'chain.W', matrix);
  const moderate = areModerate(backend, slopes);
  if (!moderate) check.finiteRows(where, 'chain.slopes', { values: slopes, n }, d);
  const dtype = dtypeOf(slopes);
  return {
    n,
    d,
    matrices: 1,
    W: asDtype(matrix, dtype),
    slopes,
    dtype,
    moderate: { W: isModerate && dtype === 'f64', slopes: moderate },
  };
}
/** A square matrix, flat or nested, of at least one row, as a flat copy. */
export function readSquare(where: string, argument: string, value: unknown): Float64Array {
  const nested = check.isArray(value) && check.isArray(value[0]);
  const d = nested ? check.lengthIn(where, argument, value) : undefined;
  const flat = check.tensor(where, argument, value, d === undefined ? [undefined] : [d, d]);
  if (!Number.isInteger(Math.sqrt(flat.length)) || flat.length === 0)
    throw argumentError('DIMENSION_MISMATCH', where, argument, {
      expected: 'a square matrix',
      received: `${flat.length} values`,
    });
  return flat;
}
export const asDtype = (values: Float64Array, dtype: DType): Real =>
  dtype === 'f32' ? Float32Array.from(values) : values;
/** Bounds of numbers that need no scaling: any product of a norm near 1 with them keeps to the range of the dtype. */
const SMALL = { f64: 2 ** -500, f32: 2 ** -60 };
const LARGE = 2 ** 20;
/** Whether numbers are finite and within the bounds. (By a kernel: at 32 units it took a quarter of the time.) */
function areModerate(backend: Backend, values: Real): boolean {
  const dtype = dtypeOf(values);
  const one = (value: number): Real => alike(values, 1).fill(value);
  try {
    const args = { x: values, inverse: one(1 / SMALL[dtype]), most: one(LARGE) };
    backend.kernels(dtype).jacobian.moderate({ n: values.length }, args);
    return true;
  } catch (error) {
    if (error instanceof KernelFailure) return false;
    throw error;
  }
}
/** Powers of two are divided out of the matrices and slopes where they are very large or very small. */
export function scaled(steps: Steps): ScaledSteps {
  const { n, d, matrices, dtype, moderate } = steps;
  const shift = new Float64Array(n);
  const W = moderate.W
    ? steps.W
    : scaleRows(steps.W, matrices, d * d, dtype, (t, exponent) => {
        if (matrices > 1) shift[t]! += exponent;
        else for (let i = 0; i < n; i++) shift[i]! += exponent;
      });
  const slopes = moderate.slopes
    ? steps.slopes
    : scaleRows(steps.slopes, n, d, dtype, (t, exponent) => {
        shift[t]! += exponent;
      });
  return { ...steps, W, slopes, shift };
}
/** The rows, those whose largest number is out of bounds divided by a power of two; `values` itself if none is. */
function scaleRows(
  values: Real,
  n: number,
  width: number,
  dtype: DType,
  divided: (row: number, exponent: number) => void,
): Real {
  let to = values;
  const small = SMALL[dtype];
  for (let row = 0; row < n; row++) {
    let most = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const size = Math.abs(values[i]!);
      if (size > most) most = size;
    }
    if ((most <= LARGE && most >= small) || most === 0) continue;
    const exponent = Math.floor(Math.log2(most));
    if (to === values) {
      to = alike(values, values.length);
      to.set(values);
    }
    for (let i = row * width; i < (row + 1) * width; i++) to[i] = ldexp(values[i]!, -exponent);
    divided(row, exponent);
  }
  return to;
}
/** x 2^exponent, rounded once: two halves reach any exponent. */
export function ldexp(x: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  const limited = Math.max(-1074, Math.min(1023, half));
  const rest = Math.max(-1074, Math.min(1023, exponent - half));
  return x * 2 ** limited * 2 ** rest;
}
/** The logarithm of the Euclidean norm of `width` values from `at` on, without overflow; -Infinity if they are 0. */
export function logNorm(values: Real, at: number, width: number): number {
  let most = 0;
  for (let i = at; i < at + width; i++) most = Math.max(most, Math.abs(values[i]!));
  if (most === 0) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let i = at; i < at + width; i++) sum += (values[i]! / most) ** 2;
  return Math.log(most) + 0.5 * Math.log(sum);
}
