/** Windows of a road: four hours that a classifier sees, and the half hour that follows. */
import type { Road } from './roads.ts';

const SEEN = 24; // values of ten minutes
export const AHEAD = 3;
const LEARNT = 0.7; // of the windows, in the order of time

/** Complete windows: what is seen, what follows, and where. */
export interface Windows {
  /** [SEEN, 2] each: a value and a constant 1, the bias. */
  readonly x: Float64Array[];
  readonly y: number[][];
  /** The place of the first value that follows. */
  readonly at: number[];
}
export function windowsOf({ values }: Pick<Road, 'values'>): Windows {
  const [x, y, at]: [Float64Array[], number[][], number[]] = [[], [], []];
  for (let i = 0; i + SEEN + AHEAD <= values.length; i++) {
    const part = values.subarray(i, i + SEEN + AHEAD);
    if (part.some(Number.isNaN)) continue;
    x.push(Float64Array.from({ length: 2 * SEEN }, (_, j) => (j % 2 === 0 ? part[j / 2]! : 1)));
    y.push(Array.from(part.subarray(SEEN)));
    at.push(i + SEEN);
  }
  return { x, y, at };
}
/** The first 70 % of the windows, and those after them; no value is predicted by both. */
export function split({ x, y, at }: Windows): { training: Windows; heldOut: Windows } {
  const first = Math.round(LEARNT * at.length);
  const end = at.findIndex((place) => place + AHEAD > (at[first] ?? Number.POSITIVE_INFINITY));
  const part = (from: number, to?: number): Windows => ({
    x: x.slice(from, to),
    y: y.slice(from, to),
    at: at.slice(from, to),
  });
  return { training: part(0, end < 0 ? first : end), heldOut: part(first) };
}
