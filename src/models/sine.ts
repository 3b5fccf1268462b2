/** The sin layer: y = sin(A x), its Jacobian and gradients. Equations: docs/math/dense.md. */
import { defaultBackend } from '../backends/default.ts';
import type { Backend } from '../bind.ts';
import type { Matrix, Real, Result, Vector } from '../check.ts';
import * as check from '../check.ts';
import { alike } from '../check.ts';
import { argumentError, callError } from '../errors.ts';
import { pad } from '../grammar.ts';
import type { OnBackend } from './model.ts';

/** The options of `sineLayer`. */
export interface SineOptions extends OnBackend {
  /** [m]: g, for the gradients of Σ_i g[i] y[i]. */
  readonly cotangent?: Vector;
}
/** Results of `sineLayer`, in the dtype of x. */
export interface SineLayer<R extends Real = Real> {
  /** [m] */
  y: R;
  /** [m,n]: diag(cos(A x)) A. */
  jacobian: R;
  /** [n]: Aᵀ (cos(A x) ⊙ g); only with `cotangent`. */
  dx?: R;
  /** [m,n]: (cos(A x) ⊙ g) xᵀ; only with `cotangent`. */
  dA?: R;
}

/** A x for A [m,n]: as a product with the rows of Aᵀ, padded to whole lines. */
function product(backend: Backend, A: Float64Array, x: Float64Array, transposed: boolean): Float64Array {
  const i = x.length;
  const o = A.length / i;
  const width = pad(o, 'f64');
  const W = new Float64Array(i * width);
  for (let r = 0; r < i; r++) for (let c = 0; c < o; c++) W[r * width + c] = transposed ? A[r * o + c]! : A[c * i + r]!;
  const y = new Float64Array(o);
  backend.f64.dense.affine({ n: 1, i, o }, { x, W, y });
  return y;
}
/**
 * y = sin(A x) for A [m,n] and one x [n], its Jacobian and, with `cotangent`, the gradients of Σ g y. Computed in f64,
 * whatever the dtype of x, which the results have: in f32 an angle of 1000 would be off by 6e-5, and so would its sine. sin and cos are the engine's, so last bits may differ from engine to engine.
 * Throws DIMENSION_MISMATCH (x, cotangent; A if it is flat), NON_FINITE (A, x, cotangent; or A x overflows) and
 * EMPTY_INPUT (x).
 * @example
 * sineLayer([[1, 0], [0, Math.PI / 2]], [0, 1]).y; // Float64Array(2) [ 0, 1 ]
 */
export function sineLayer<X extends Vector>(A: Matrix, x: X, options?: SineOptions): SineLayer<Result<X>> {
  const where = 'sineLayer';
  const given = check.options(where, options, ['cotangent', 'backend']);
  const backend = check.backend(where, given.backend, defaultBackend);
  const own = check.points(where, 'x', x, 1).values;
  const first: unknown = check.isArray(A) && check.lengthIn(where, 'A', A) > 0 ? A[0] : undefined;
  const nested = check.isArray(first) ? check.lengthIn(where, 'A', first) : undefined;
  const n = nested ?? own.length;
  const values = check.tensor(where, 'A', A, n === 0 ? [undefined] : [undefined, n]);
  if (own.length !== n)
    throw argumentError('DIMENSION_MISMATCH', where, 'x', {
      expected: `${n}`,
      received: `${own.length} values`,
      reason: `has ${own.length} values, but A ${n} columns`,
    });
  const m = n === 0 ? 0 : values.length / n;
  const g = given.cotangent === undefined ? undefined : check.tensor(where, 'cotangent', given.cotangent, [m]);
  check.finite(where, 'A', values);
  check.finite(where, 'x', own);
  if (g) check.finite(where, 'cotangent', g);
  if (n === 0)
    throw argumentError('EMPTY_INPUT', where, 'x', {
      expected: 'at least one value',
      received: 'none',
      reason: 'is empty',
    });
  const wide = Float64Array.from(own);
  const angles = product(backend, values, wide, false);
  const cosines = angles.map(Math.cos);
  const results: Record<string, Float64Array> = {
    y: angles.map(Math.sin),
    jacobian: values.map((a, at) => cosines[Math.floor(at / n)]! * a),
  };
  if (g) {
    const e = g.map((value, i) => cosines[i]! * value);
    results['dx'] = m === 0 ? new Float64Array(n) : product(backend, values, e, true);
    results['dA'] = values.map((_, at) => e[Math.floor(at / n)]! * wide[at % n]!);
  }
  const rounded = Object.entries(results).map(([name, result]) => {
    const array = alike(own, result.length);
    array.set(result);
    if (!array.every(Number.isFinite)) throw callError('NON_FINITE', where, `${name} overflows`, { argument: 'A' });
    return [name, array];
  });
  return Object.fromEntries(rounded) as SineLayer<Result<X>>;
}
