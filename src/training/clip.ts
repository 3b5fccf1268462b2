/** The length of a gradient, and its limit (Pascanu, Mikolov and Bengio 2013, algorithm 1). */

/** Whether there is neither NaN nor an infinity. */
export function allFinite(values: Float64Array): boolean {
  let zero = 0; // v - v is NaN for what is not finite, and NaN stays
  for (let i = 0; i < values.length; i++) zero += values[i]! - values[i]!;
  return zero === 0;
}

/**
 * What a gradient is to be multiplied by: `scale`, or less if it would be longer than `limit` (0: any length) in Euclidean
 * norm; undefined: it is not finite. One pass, as a gradient may be of millions of parameters.
 */
export function scaled(gradient: Float64Array, scale: number, limit: number): number | undefined {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
  const norm = Math.sqrt(squares) * scale;
  if (norm > 1e-140 && norm < 1e140) return limit > 0 && norm > limit ? scale * (limit / norm) : scale;
  for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale;
  if (!allFinite(gradient)) return undefined;
  if (limit > 0) clip(gradient, limit);
  return 1;
}
/** Scales in place values so large or small that their squares are not: squares are those of values divided by the largest. */
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
