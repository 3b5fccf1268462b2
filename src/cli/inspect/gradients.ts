/** The norm of a gradient against the distance in time, as SVG. */
import type { Diagnosis } from '../../index.ts';

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 380, 74, 24, 44, 52];
const LETTERS = 'fill="#444" stroke="none" font-family="sans-serif"';

/** The median and the range from 5 % to 95 % over sequences; norms are logarithmic, so that a steady growth is straight. */
export function gradientsSvg({ gradientNorms: norms, regime, growthRate }: Diagnosis, title = ''): string {
  const shown = norms.distances.map((_, i) => i).filter((i) => norms.median[i]! > 0);
  const exponents = shown.flatMap((i) => [norms.low[i]!, norms.high[i]!].filter((v) => v > 0).map(Math.log10));
  const [least, most] = [Math.floor(Math.min(...exponents, 0)), Math.ceil(Math.max(...exponents, 0))];
  const farthest = Math.max(...shown.map((i) => norms.distances[i]!), 2);
  const x = (distance: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * distance) / farthest;
  const y = (norm: number): number =>
    TOP + ((HEIGHT - TOP - BOTTOM) * (most - Math.log10(Math.max(norm, 10 ** least)))) / Math.max(most - least, 1);
  const place = (i: number, values: readonly number[]): string =>
    `${x(norms.distances[i]!).toFixed(1)},${y(values[i]!).toFixed(1)}`;
  const line = shown.map((i) => place(i, norms.median)).join(' ');
  const band = [...shown.map((i) => place(i, norms.high)), ...[...shown].reverse().map((i) => place(i, norms.low))];
  const step = Math.max(Math.ceil((most - least) / 8), 1);
  const rows = Array.from({ length: Math.floor((most - least) / step) + 1 }, (_, i) => least + i * step);
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => farthest / size <= 8)!;
  const columns = Array.from({ length: Math.floor(farthest / every) + 1 }, (_, i) => i * every);
  const text = (at: number, height: number, words: string, more: string): string =>
    `<text x="${at.toFixed(1)}" y="${height.toFixed(1)}" ${LETTERS} ${more}>${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    '<g fill="none" stroke="#dde2e8">',
    ...rows.map((e) => `<path d="M${LEFT} ${y(10 ** e).toFixed(1)}H${WIDTH - RIGHT}"/>`),
    ...columns.map((k) => `<path d="M${x(k).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}"/>`),
    '</g>',
    ...rows.map((e) => text(LEFT - 8, y(10 ** e) + 4, `1e${e}`, 'font-size="12" text-anchor="end"')),
    ...columns.map((k) => text(x(k), HEIGHT - BOTTOM + 18, `${k}`, 'font-size="12" text-anchor="middle"')),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, 'steps back in time', 'font-size="13" text-anchor="middle"'),
    text(LEFT, 26, `${title}${rateText(growthRate)} a step: ${regime}`, 'font-size="15"'),
    text(WIDTH - RIGHT, 26, 'norm of the gradient', 'font-size="12" text-anchor="end"'),
    `<polygon points="${band.join(' ')}" fill="#4269d0" fill-opacity="0.2"/>`,
    `<polyline points="${line}" fill="none" stroke="#1a2b4c" stroke-width="2" stroke-linejoin="round"/>`,
    '</svg>\n',
  ].join('\n');
}
/** The factor of a step as a change in percent. */
const rateText = (rate: number): string =>
  `${rate < 0 ? '−' : '+'}${(100 * Math.abs(Math.expm1(rate))).toPrecision(2)} %`;
