/** The birds and the components of a mixture in two of the measurements, as one self-contained SVG. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { type Bird, measurements } from './birds.ts';

export interface Scene {
  readonly birds: readonly Bird[];
  readonly species: readonly string[];
  /** Components, named after their most frequent species. */
  readonly components: readonly {
    readonly name: string;
    readonly mean: readonly number[];
    readonly covariance: readonly (readonly number[])[];
  }[];
  /** Birds to ring, number and list. */
  readonly unusual: readonly { readonly bird: Bird; readonly logDensity: number }[];
}

// the two measurements that separate the species best
const horizontal = measurements.indexOf('Beak Length (mm)');
const vertical = measurements.indexOf('Beak Depth (mm)');
const namespace = 'http://www.w3.org/2000/svg';
const ink = '#1f2933';
const faint = '#5b6672';

export function picture({ birds, species, components, unusual }: Scene): string {
  const x = ({ values }: Bird): number => values[horizontal]!;
  const y = ({ values }: Bird): number => values[vertical]!;
  const shown = birds.filter((bird) => !Number.isNaN(x(bird) + y(bird)));
  const gaps = birds.length - shown.length;
  const caption = `${shown.length} of ${birds.length} birds; ${gaps} have gaps in these measurements, hence no place here.`;
  const ringed = unusual.map(({ bird }) => bird);

  const curve = (p: number, strokeDasharray: string) => {
    const points = components.flatMap(({ name, mean, covariance }, component) =>
      ellipse(mean, covariance, p).map(([x, y]) => ({ component, name, x, y })),
    );
    const colours = { z: 'component', stroke: 'name', fill: 'name', fillOpacity: 0.06 };
    return Plot.line(points, { x: 'x', y: 'y', ...colours, strokeDasharray, curve: 'linear-closed' });
  };
  const heading = (text: string, dy: number, style: Plot.TextOptions) =>
    Plot.text([text], { frameAnchor: 'top-left', dy, fill: ink, ...style });
  // the column on the right of the frame
  const right = (dx: number, dy: number) => ({ frameAnchor: 'top-right', textAnchor: 'start', dx, dy }) as const;
  const text = (words: string, dx: number, dy: number, style: Plot.TextOptions = {}) =>
    Plot.text([words], { ...right(dx, dy), fill: ink, ...style });

  const { document } = parseHTML('<!doctype html><html></html>');
  const svg = Plot.plot({
    document,
    className: 'penguins',
    ariaLabel: 'Beak depth against beak length of the Palmer penguins, with the components of a mixture',
    style: { fontFamily: 'system-ui, sans-serif', fontSize: '13px', color: ink },
    width: 900,
    height: 600,
    marginTop: 86,
    marginRight: 236,
    marginBottom: 92,
    marginLeft: 60,
    grid: true,
    color: { domain: species, range: ['#d95f02', '#7b2cbf', '#00798c'] },
    x: { label: 'Beak length (mm)', labelAnchor: 'center', labelArrow: 'none', labelOffset: 42, nice: true },
    y: { label: 'Beak depth (mm)', labelAnchor: 'center', labelArrow: 'none', labelOffset: 46, nice: true },
    marks: [
      curve(0.95, '6 4'),
      curve(0.5, 'none'),
      Plot.dot(shown, { x, y, r: 3, fill: 'species', fillOpacity: 0.75 }),
      Plot.dot(ringed, { x, y, r: 8, stroke: ink, strokeWidth: 1.5 }),
      Plot.text(ringed, {
        x,
        y,
        text: (_, i) => `${i + 1}`,
        dx: 13,
        dy: -11,
        fontWeight: 600,
        fill: ink,
        stroke: 'white',
      }),
      heading(`Palmer penguins: ${components.length} Gaussians, found without the species`, -66, {
        fontSize: 21,
        fontWeight: 600,
      }),
      heading('Solid lines hold 50 % of a component, dashed lines 95 %. Colours are the species.', -36, {
        fontSize: 14,
        fill: faint,
      }),
      species.map((name, i) => [
        Plot.dot([name], { frameAnchor: 'top-right', dx: 34, dy: 6 + 22 * i, r: 5, fill: [name] }),
        text(name, 48, 22 * i),
      ]),
      text('The most unusual birds', 28, 104, { fontWeight: 600 }),
      text(`by all ${measurements.length} measurements`, 28, 122, { fontSize: 12, fill: faint }),
      unusual.map(({ bird, logDensity }, i) => [
        text(`${i + 1}`, 28, 152 + 44 * i, { fontWeight: 600 }),
        text(`${bird.species}, ${bird.sex}, ${bird.island}`, 48, 152 + 44 * i),
        text(`log density ${logDensity.toFixed(2).replace('-', '−')}`, 48, 170 + 44 * i, { fontSize: 12, fill: faint }),
      ]),
      Plot.text([caption], { frameAnchor: 'bottom-left', dy: 74, fontSize: 12, fill: faint }),
    ],
  });
  svg.setAttribute('xmlns', namespace);
  const background = document.createElementNS(namespace, 'rect');
  background.setAttribute('width', '100%');
  background.setAttribute('height', '100%');
  background.setAttribute('fill', 'white');
  svg.prepend(background);
  return `${svg.outerHTML}\n`;
}

/** The curve around a fraction p of a Gaussian in two measurements: mean + r L (cos t, sin t), r² = -2 ln(1 - p). */
function ellipse(mean: readonly number[], S: readonly (readonly number[])[], p: number): [number, number][] {
  const a = Math.sqrt(S[horizontal]![horizontal]!);
  const b = S[vertical]![horizontal]! / a;
  const c = Math.sqrt(S[vertical]![vertical]! - b * b);
  const r = Math.sqrt(-2 * Math.log(1 - p));
  return Array.from({ length: 180 }, (_, i) => {
    const t = (i * Math.PI) / 90;
    return [mean[horizontal]! + r * a * Math.cos(t), mean[vertical]! + r * (b * Math.cos(t) + c * Math.sin(t))];
  });
}
