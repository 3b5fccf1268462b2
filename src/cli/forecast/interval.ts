/** Intervals of a Gaussian. */

/** The z with P(|Z| <= z) = level of a standard Gaussian Z, to ten digits. */
export function halfWidth(level: number): number {
  const wanted = (1 + level) / 2;
  let [low, high] = [0, 40];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (cumulative(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
/** P(Z <= z) for z >= 0: Marsaglia's series, and a continued fraction for its tail. */
function cumulative(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 5) {
    let fraction = z;
    for (let k = 60; k > 0; k--) fraction = z + k / fraction;
    return 1 - density / fraction;
  }
  let [sum, term] = [z, z];
  for (let i = 3; term > 1e-18 * sum; i += 2) sum += term *= (z * z) / i;
  return 0.5 + sum * density;
}
