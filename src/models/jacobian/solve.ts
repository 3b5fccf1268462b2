/** Linear equations with a general matrix, by Gaussian elimination with the largest pivot of each column. */
import { argumentError } from '../../errors.ts';

/** B A⁻¹ for A, B [n,n], flat; `argument` is the name of A. Throws INVALID_ARGUMENT if A is singular. */
export function solveRight(where: string, argument: string, B: Float64Array, A: Float64Array, n: number): Float64Array {
  // X A = B: Aᵀ Xᵀ = Bᵀ, by rows of Aᵀ beside those of Bᵀ
  const rows = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: 2 * n }, (_, j) => (j < n ? A[j * n + i]! : B[(j - n) * n + i]!)),
  );
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let i = c + 1; i < n; i++) if (Math.abs(rows[i]![c]!) > Math.abs(rows[pivot]![c]!)) pivot = i;
    [rows[c], rows[pivot]] = [rows[pivot]!, rows[c]!];
    const top = rows[c]!;
    if (top[c] === 0)
      throw argumentError('INVALID_ARGUMENT', where, argument, {
        expected: 'a matrix that has an inverse',
        received: 'a singular one',
        reason: `has no inverse: its rank is less than ${n}`,
      });
    for (let i = 0; i < n; i++) {
      const factor = i === c ? 0 : rows[i]![c]! / top[c]!;
      if (factor !== 0) for (let j = c; j < 2 * n; j++) rows[i]![j]! -= factor * top[j]!;
    }
  }
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return rows[j]![n + i]! / rows[j]![j]!;
  });
}
