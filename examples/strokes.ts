/** Characters as a pen writes them: the stroke medians of the npm package hanzi-writer-data, as offsets. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];
export interface Character {
  readonly name: string;
  /** Strokes in the order in which they are written; x goes right, y goes down, from 0 in the middle of the square. */
  readonly strokes: readonly Stroke[];
}

/** Steps of the grid along a side of the square of a character. */
export const GRID = 128;
/** The package has 1024 units a side; y goes up from the base line, which is 124 above the lower side. */
const UNITS = 1024;
const MIDDLE = [512, 388] as const;

/** The Chinese characters of at most `most` strokes, by code point. */
export function readCharacters(most: number): Character[] {
  const folder = dirname(fileURLToPath(import.meta.resolve('hanzi-writer-data/package.json')));
  const names = readdirSync(folder).filter((name) => /^\p{Unified_Ideograph}\.json$/u.test(name));
  return names.sort().flatMap((file) => {
    const { medians } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { medians: [number, number][][] };
    if (medians.length > most) return [];
    const place = ([x, y]: Point): Point => [((x - MIDDLE[0]) * GRID) / UNITS, ((MIDDLE[1] - y) * GRID) / UNITS];
    return [{ name: file.slice(0, -'.json'.length), strokes: medians.map((stroke) => stroke.map(place)) }];
  });
}

/** Replaces a line by points about `spacing` apart along it, at least its two ends; a dot becomes two equal points. */
export function resample(stroke: Stroke, spacing: number): Point[] {
  if (stroke.length === 1) return [stroke[0]!, stroke[0]!];
  const reached = [0]; // the length of the line up to each point
  for (const [i, [x, y]] of stroke.slice(1).entries())
    reached.push(reached[i]! + Math.hypot(x - stroke[i]![0], y - stroke[i]![1]));
  const length = reached.at(-1)!;
  const pieces = Math.max(1, Math.round(length / spacing));
  let i = 0;
  return Array.from({ length: pieces + 1 }, (_, piece): Point => {
    if (piece === pieces) return stroke.at(-1)!;
    const at = (length * piece) / pieces;
    while (reached[i + 1]! <= at && i + 2 < stroke.length) i++;
    const fraction = (at - reached[i]!) / (reached[i + 1]! - reached[i]! || 1);
    const [[x0, y0], [x1, y1]] = [stroke[i]!, stroke[i + 1]!];
    return [x0 + fraction * (x1 - x0), y0 + fraction * (y1 - y0)];
  });
}

/** Rounds points to the grid. */
export const roundToGrid = (stroke: Stroke): Point[] => stroke.map(([x, y]) => [Math.round(x), Math.round(y)]);

/**
 * Turns strokes into rows dx, dy, up [n, 3]: the way from the last point (at first the middle of the square), and
 * whether the pen is lifted after it. The last row leads back to the middle: a stroke of a single point says that the
 * character is complete. `random` gives uniform numbers on [0, 1), which place each point within its grid cell: points
 * on a grid have no density.
 */
export function toOffsets(strokes: readonly Stroke[], random: () => number): Float32Array {
  const rows: number[] = [];
  let [x, y] = [0, 0];
  for (const stroke of [...strokes, [[0, 0] as const]])
    for (const [i, point] of stroke.entries()) {
      const to = [point[0] + random() - 0.5, point[1] + random() - 0.5] as const;
      rows.push(to[0] - x, to[1] - y, i === stroke.length - 1 ? 1 : 0);
      [x, y] = to;
    }
  return Float32Array.from(rows);
}

/** Turns rows dx, dy, up back into strokes: the inverse of toOffsets but for the noise; the last may be unfinished. */
export function toStrokes(rows: ArrayLike<number>): Point[][] {
  const strokes: Point[][] = [];
  let [x, y] = [0, 0];
  let lifted = true;
  for (let i = 0; i + 2 < rows.length; i += 3) {
    x += rows[i]!;
    y += rows[i + 1]!;
    if (lifted) strokes.push([]);
    strokes.at(-1)!.push([x, y]);
    lifted = rows[i + 2] === 1;
  }
  return strokes;
}

/** The rows before the first stroke of a single point; all of them, not complete, if there is none. */
export function firstCharacter(rows: Float64Array): { rows: Float64Array; complete: boolean } {
  for (let i = 3; i + 2 < rows.length; i += 3)
    if (rows[i - 1] === 1 && rows[i + 2] === 1) return { rows: rows.slice(0, i), complete: true };
  return { rows, complete: false };
}

/** Puts a list in a random order, `random` as above. */
export function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
