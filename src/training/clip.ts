/** Limits the length of a gradient (Pascanu, Mikolov and Bengio 2013, algorithm 1). */

/** Whether there is neither NaN nor an infinity. */
export function allFinite(values: Float64Array | Float32Array): boolean {
  let zero = 0; // v - v is NaN for what is not finite, and NaN stays
  for (let i = 0; i < values.length; i++) zero += values[i]! - values[i]!;
  return zero === 0;
}

/**
 * The factor to multiply a gradient by: `scale`, or less if it would be longer than `limit` (0: any length) in
 * Euclidean norm; undefined if it is not finite. One pass, as there may be millions of parameters.
 */
export function clipFactor(gradient: Float64Array, scale: number, limit: number): number | undefined {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
  const norm = Math.sqrt(squares) * scale;
  if (norm > 1e-140 && norm < 1e140) return limit > 0 && norm > limit ? scale * (limit / norm) : scale;
  for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale;
  if (!allFinite(gradient)) return undefined;
  if (limit > 0) clip(gradient, limit);
  return 1;
}
/** Clips in place values whose squares overflow or vanish: the squares are those of values divided by the largest. */
export function clip(gradient: Float64Array, limit: number): void {
  let largest = 0;
  for (let i = 0; i < gradient.length; i++) largest = Math.max(largest, Math.abs(gradient[i]!));
  if (largest === 0) return;
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += (gradient[i]! / largest) ** 2;
  const root = Math.sqrt(sum);
  if (largest * root <= limit) return;
  const scale = limit / root;
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i]! / largest) * scale;
}
