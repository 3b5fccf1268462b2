/** Pen drawings as SVG: sequences of offsets, several on a sheet. */

/**
 * Sequences of rows [n, 3]: dx, dy, and 1 if the pen is lifted AFTER that point. Row i leads from point i-1 to point i;
 * the offset of point 0 is ignored, since its position does not matter. y goes down, as in SVG.
 */
export interface Drawings {
  /** The text above the drawings, if not empty. */
  readonly title: string;
  readonly sequences: readonly Float64Array[];
}
export interface Sheet {
  /** Number of drawings side by side; default 5. */
  readonly columns?: number;
  /** The length of a drawing's longest side, in pixels; default 140. A row is as high as its highest drawing. */
  readonly cell?: number;
}
type Point = readonly [x: number, y: number];

const GAP = 16; // around each drawing
const LINE = 22; // height of a title
const LETTERS = 'fill="#444" stroke="none" font-family="sans-serif" font-size="14"';

/** A sheet of drawings, each scaled to its cell. */
export function strokesSvg(groups: readonly Drawings[], { columns = 5, cell = 140 }: Sheet = {}): string {
  const width = columns * (cell + GAP) + GAP;
  const parts: string[] = [];
  let y = GAP;
  for (const { title, sequences } of groups) {
    if (title) {
      parts.push(`<text x="${GAP}" y="${y + 14}" ${LETTERS}>${escapeXml(title)}</text>`);
      y += LINE;
    }
    for (let from = 0; from < sequences.length; from += columns) {
      const drawings = sequences.slice(from, from + columns).map((rows) => scale(strokesOf(rows), cell));
      const height = Math.ceil(Math.max(...drawings.map((drawing) => drawing.height)));
      for (const [column, drawing] of drawings.entries()) {
        const left = GAP + column * (cell + GAP) + (cell - drawing.width) / 2;
        const top = y + (height - drawing.height) / 2;
        parts.push(...drawing.strokes.map((stroke) => polyline(stroke, left, top)));
      }
      y += height + GAP;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}">`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    '<g fill="none" stroke="#1a2b4c" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">',
    ...parts,
    '</g>',
    '</svg>\n',
  ].join('\n');
}
function polyline(stroke: readonly Point[], left: number, top: number): string {
  const places = stroke.map(([x, y]) => `${(left + x).toFixed(1)},${(top + y).toFixed(1)}`);
  if (places.length === 1) places.push(...places); // a dot: round ends make a line without length visible
  return `<polyline points="${places.join(' ')}"/>`;
}

interface Drawing {
  readonly strokes: readonly (readonly Point[])[];
  readonly width: number;
  readonly height: number;
}
/** Scales strokes so that they are neither wider nor higher than `side`, and moves them to (0, 0). */
function scale(strokes: readonly (readonly Point[])[], side: number): Drawing {
  const points = strokes.flat();
  if (points.length === 0) return { strokes, width: 0, height: 0 };
  const [left, right] = extent(points.map(([x]) => x));
  const [top, bottom] = extent(points.map(([, y]) => y));
  const factor = side / (Math.max(right - left, bottom - top) || 1);
  const placed = strokes.map((stroke) => stroke.map(([x, y]) => [(x - left) * factor, (y - top) * factor] as const));
  return { strokes: placed, width: (right - left) * factor, height: (bottom - top) * factor };
}
/** The strokes: the points between two lifts of the pen. */
function strokesOf(rows: Float64Array): Point[][] {
  const strokes: Point[][] = [];
  let [x, y] = [0, 0];
  let stroke: Point[] | undefined;
  for (let at = 0; at + 2 < rows.length; at += 3) {
    if (at > 0) {
      x += rows[at]!;
      y += rows[at + 1]!;
    }
    if (!stroke) strokes.push((stroke = []));
    stroke.push([x, y]);
    if (rows[at + 2] === 1) stroke = undefined;
  }
  return strokes;
}
function extent(values: readonly number[]): [least: number, most: number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}
const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escapeXml = (text: string): string => text.replace(/[&<>]/g, (mark) => marks[mark]!).replace(/\p{Cc}+/gu, ' ');
