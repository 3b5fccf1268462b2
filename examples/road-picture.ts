/** Prediction against truth, as one self-contained SVG: the curves of some held-out time, and all pairs. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Road } from './roads.ts';

const [ink, truthColour, ownColour] = ['#1f2933', '#7b8794', '#c2410c'];
const SHOWN = 288; // values: two days
const WIDTH = 900;
const HEIGHTS = [330, 420] as const;
const HEAD = 70;

/** `at`: the places of the first value predicted by each window; `prediction` is that of a window, so far ahead. */
export function roadPicture(
  { values, start }: Road,
  at: readonly number[],
  prediction: (window: number, ahead: number) => number,
): string {
  const { document } = parseHTML('<!doctype html><html></html>');
  const style = { fontFamily: 'system-ui, sans-serif', fontSize: '13px', color: ink };
  const hours = (i: number): number => (i - from) / 6;
  const from = busiest(at);
  const inside = at.flatMap((place, i) => (place >= from && place < from + SHOWN ? [{ place, i }] : []));
  const truth = Array.from({ length: SHOWN }, (_, i) => ({ x: i / 6, y: 100 * values[from + i]! }));
  const ahead = inside.map(({ place, i }) => ({ x: hours(place + 2), y: 100 * prediction(i, 2) }));
  const curves = Plot.plot({
    document,
    style,
    width: WIDTH,
    height: HEIGHTS[0],
    grid: true,
    x: { label: 'hours' },
    y: { label: 'occupancy, %' },
    marks: [
      Plot.line(truth, { x: 'x', y: 'y', stroke: truthColour }), // which breaks at gaps
      Plot.dot(truth, {
        x: 'x',
        y: 'y',
        r: 1.5,
        fill: truthColour,
        filter: ({ y }: { y: number }) => !Number.isNaN(y),
      }),
      Plot.dot(ahead, { x: 'x', y: 'y', r: 2.5, fill: ownColour }),
    ],
  });
  const pairs = at.flatMap((place, i) =>
    [0, 1, 2].map((j) => ({
      x: 100 * values[place + j]!,
      y: 100 * prediction(i, j),
      ahead: `${10 * (j + 1)} minutes`,
    })),
  );
  const scatter = Plot.plot({
    document,
    style,
    width: WIDTH,
    height: HEIGHTS[1],
    grid: true,
    marginTop: 30,
    x: { label: 'truth, %' },
    y: { label: 'prediction, %' },
    fx: { label: 'ahead' },
    marks: [
      Plot.frame({ stroke: '#d0d7de' }),
      Plot.line(
        [0, Math.max(...pairs.map(({ x, y }) => Math.min(x, y)))].map((v) => ({ x: v, y: v })),
        { x: 'x', y: 'y', stroke: truthColour, strokeDasharray: '4 3' },
      ),
      Plot.dot(pairs, { x: 'x', y: 'y', fx: 'ahead', r: 1.8, fill: ownColour, fillOpacity: 0.45 }),
    ],
  });
  const date =
    start === undefined
      ? ''
      : `, from ${new Date(start + from * 600_000).toISOString().slice(0, 16).replace('T', ' ')}`;
  const title = `Occupancy of a road and what was predicted half an hour before${date}`;
  const place = (figure: unknown, y: number): string => {
    const text = (figure as { outerHTML: string }).outerHTML;
    return text.replace('<svg', `<svg y="${y}"`);
  };
  const height = HEAD + HEIGHTS[0] + HEIGHTS[1] + 20;
  const font = `font-family="system-ui, sans-serif" fill="${ink}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">
<rect width="100%" height="100%" fill="white"/>
<text x="20" y="30" font-size="18" font-weight="600" ${font}>${title}</text>
<text x="20" y="52" font-size="13" ${font}><tspan fill="${truthColour}">grey: the truth</tspan>  <tspan fill="${ownColour}">orange: the prediction</tspan></text>
${place(curves, HEAD)}
${place(scatter, HEAD + HEIGHTS[0] + 20)}
</svg>
`;
}
/** Where the windows are densest. */
function busiest(at: readonly number[]): number {
  let [best, most] = [at[0]!, 0];
  for (const first of at) {
    const count = at.filter((place) => place >= first && place < first + SHOWN).length;
    if (count > most) [best, most] = [first, count];
  }
  return best;
}
