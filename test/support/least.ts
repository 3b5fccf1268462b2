/**
 * The least of up to three measurements; one below the limit is enough. A machine that is busy for a moment does not
 * decide a test; a defect shows in every measurement.
 */
export async function least(limit: number, measure: () => number | Promise<number>): Promise<number> {
  let value = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && value >= limit; i++) value = Math.min(value, await measure());
  return value;
}
