/** Draws from densities: how a bias sharpens them. */

/** Logits times 1 + bias, less the largest, so that nothing overflows. */
export function sharpen(logits: Float64Array, bias: number): void {
  const top = logits.reduce((a, b) => Math.max(a, b));
  for (let j = 0; j < logits.length; j++) logits[j] = Math.max((logits[j]! - top) * (1 + bias), -1e300);
}
