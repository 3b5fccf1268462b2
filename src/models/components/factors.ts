/** The Cholesky factors of components, as a pass. Equations: docs/math/gaussian.md. */
import type { Backend } from '../../bind.ts';
import type { SeqlikError } from '../../errors.ts';
import { type Factors, factorise, factorising, notPositiveDefinite, unpackDiagonals } from '../triangles.ts';
import type { Pass } from '../work.ts';
import { type CovarianceType, expand, repeat, sumRows } from './covariances.ts';

/** Covariances by type, of k components in d dimensions. */
interface Covariances {
  readonly type: CovarianceType;
  readonly k: number;
  readonly d: number;
  readonly covariances: Float64Array;
  /** Their factors, packed by rows, where the caller has them. */
  readonly L?: Float64Array;
}

/** The factors of the covariances, by type. Throws NOT_POSITIVE_DEFINITE. */
export function* factorsOf(backend: Backend, parts: Covariances, where: string, which: string): Pass<Factors> {
  const { k, d, type, covariances, L } = parts;
  if (L) return { L, logDet: logDeterminants(backend, L, k, d) };
  const fail = (pivot: number, value: number, component?: number): SeqlikError =>
    notPositiveDefinite(where, which, pivot, value, k > 1 ? component : undefined);
  if (type === 'tied') {
    const one = yield* factorising(backend, covariances, 1, d, ({ pivot, value }) => fail(pivot, value));
    return { L: repeat(one.L, k), logDet: repeat(one.logDet, k) };
  }
  if (type === 'full')
    return yield* factorising(backend, covariances, k, d, ({ matrix, pivot, value }) => fail(pivot, value, matrix));
  // variances are matrices of size 1
  const each = expand(type, covariances, k, d);
  const roots = yield* factorising(backend, each, k * d, 1, ({ matrix, value }) =>
    fail(matrix % d, value, Math.floor(matrix / d)),
  );
  return { L: roots.L, logDet: sumRows(roots.logDet, k, d) };
}
/** 2 Σ log L[j,j] of each factor: the kernels take the logarithms, which are the same on every engine. */
function logDeterminants(backend: Backend, L: Float64Array, k: number, d: number): Float64Array {
  const pivots = unpackDiagonals(L, k, d);
  const { logDet } = factorise(backend, pivots, k * d, 1, () => new Error('pivots are positive'));
  return sumRows(logDet, k, d).map((log) => 2 * log);
}
