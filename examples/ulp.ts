/** Distances between numbers. */

const pair = new Float64Array(2);
const bits = new BigInt64Array(pair.buffer);
/** Doubles in ascending order are these integers in ascending order; both zeros are 0. */
const ordered = (i: number): bigint => (bits[i]! < 0n ? -(bits[i]! & 0x7fff_ffff_ffff_ffffn) : bits[i]!);

/** The largest distance between a[i] and b[i] in units in the last place: 0 = equal, Infinity = one of them is NaN. */
export function ulps(a: Float64Array, b: Float64Array): number {
  let most = 0;
  for (const [i, value] of a.entries()) {
    pair[0] = value;
    pair[1] = b[i]!;
    if (pair[0] === pair[1]) continue;
    if (Number.isNaN(pair[0]) && Number.isNaN(pair[1])) continue;
    if (Number.isNaN(pair[0] - pair[1])) return Infinity;
    most = Math.max(most, Math.abs(Number(ordered(0) - ordered(1))));
  }
  return most;
}

/** The largest |a[i] - b[i]| / |b[i]|. */
export function relativeError(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, i) => (value === b[i] ? most : Math.max(most, Math.abs((value - b[i]!) / b[i]!))), 0);
}
