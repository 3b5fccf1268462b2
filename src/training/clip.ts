/** The length of a gradient, and its limit (Pascanu, Mikolov and Bengio 2013, algorithm 1). */

/** Whether there is neither NaN nor an infinity. */
export function allFinite(values: Float64Array): boolean {
  let zero = 0; // v - v is NaN for what is not finite, and NaN stays
  for (let i = 0; i < values.length; i++) zero += values[i]! - values[i]!;
  return zero === 0;
}

/** Scales `gradient` in place to the Euclidean norm `limit` if it is longer; its values are finite. */
export function clip(gradient: Float64Array, limit: number): void {
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
  if (!(squares > 1e-280 && squares < 1e280)) return clipScaled(gradient, limit);
  const norm = Math.sqrt(squares);
  if (norm <= limit) return;
  const scale = limit / norm;
  for (let i = 0; i < gradient.length; i++) gradient[i]! *= scale;
}
/** The same for values so large or small that their squares are not: those of values divided by the largest. */
function clipScaled(gradient: Float64Array, limit: number): void {
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
