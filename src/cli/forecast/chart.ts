/** A time series as SVG: observations, smoothed mean and its band, forecast and its band; a panel for each column. */

/** Means and the half width of the band around them. */
export interface Band {
  readonly mean: ArrayLike<number>;
  readonly half: ArrayLike<number>;
}
export interface Panel {
  readonly name: string;
  /** NaN where nothing was observed. */
  readonly observed: ArrayLike<number>;
  readonly smoothed: Band;
  readonly forecast: Band;
  /** Observations after the data, to judge the forecast by. */
  readonly later?: ArrayLike<number>;
  /** The time of the first row; default: that of the chart. */
  readonly start?: number;
}
export interface Chart {
  readonly title: string;
  /** Lines under the title. */
  readonly notes: readonly string[];
  /** The time of the first row, and from one row to the next; default 0 and 1. */
  readonly start?: number;
  readonly step?: number;
  readonly panels: readonly Panel[];
}

const WIDTH = 960;
const HEIGHT = 340; // of a panel
const LEFT = 72;
const RIGHT = 24;
const GAP = 52;
const CHARACTER = 7; // the width of a character of the legend, about
/** More rows than this are drawn as a cloud under the line, without a line of their own. */
const MANY = 300;
const INK = '#1f2933';
const FAINT = '#5b6672';
const colours = { observed: '#1f2933', smoothed: '#00798c', forecast: '#d95f02', later: '#7b2cbf' };

export function chartSvg({ title, notes, start = 0, step = 1, panels }: Chart): string {
  const head = 52 + 20 * notes.length;
  const height = head + panels.length * (HEIGHT + GAP) + 34;
  const parts = [text(LEFT, 30, title, 'font-size="20" font-weight="600"')];
  for (const [i, note] of notes.entries()) parts.push(text(LEFT, 54 + 20 * i, note, `font-size="14" fill="${FAINT}"`));
  for (const [i, panel] of panels.entries())
    parts.push(...draw(panel, head + i * (HEIGHT + GAP) + 14, panel.start ?? start, step));
  parts.push(...legend(height - 16, panels));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<g font-family="system-ui, sans-serif" fill="${INK}">`,
    ...parts,
    '</g>',
    '</svg>\n',
  ].join('\n');
}

function draw(
  { name, observed, smoothed, forecast, later = [] }: Panel,
  top: number,
  start: number,
  step: number,
): string[] {
  const rows = observed.length;
  const count = rows + Math.max(forecast.mean.length, later.length);
  const values = [...finite(observed), ...edges(smoothed), ...edges(forecast), ...finite(later)];
  const [low, high] = widen(Math.min(...values), Math.max(...values));
  const time = (i: number): number => start + i * step;
  const [first, last] = [time(0), time(Math.max(count - 1, 1))];
  const x = (i: number): number => LEFT + ((time(i) - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (v: number): number => top + HEIGHT - ((v - low) / (high - low)) * HEIGHT;
  const parts: string[] = [];
  for (const v of ticks(low, high, 8)) {
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${place(y(v))}" y2="${place(y(v))}" stroke="#e3e7ec"/>`);
    parts.push(text(LEFT - 8, y(v) + 4, label(v), `font-size="12" fill="${FAINT}" text-anchor="end"`));
  }
  for (const t of ticks(first, last, 10)) {
    const at = LEFT + ((t - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
    parts.push(text(at, top + HEIGHT + 18, label(t), `font-size="12" fill="${FAINT}" text-anchor="middle"`));
  }
  if (forecast.mean.length > 0 && rows > 0)
    parts.push(
      `<line x1="${place(x(rows - 1))}" x2="${place(x(rows - 1))}" y1="${top}" y2="${top + HEIGHT}" ` +
        `stroke="${FAINT}" stroke-dasharray="4 4"/>`,
    );
  const many = count > MANY;
  const radius = many ? 1.1 : 2.4;
  parts.push(band(smoothed, 0, x, y, colours.smoothed), band(forecast, rows, x, y, colours.forecast));
  if (!many) parts.push(trace(observed, 0, x, y, colours.observed), trace(later, rows, x, y, colours.later));
  const seen = [dots(observed, 0, x, y, colours.observed, radius), dots(later, rows, x, y, colours.later, radius)];
  const means = [line(smoothed.mean, 0, x, y, colours.smoothed), line(forecast.mean, rows, x, y, colours.forecast)];
  parts.push(...(many ? [...seen, ...means] : [...means, ...seen])); // many points would hide the line
  parts.push(text(LEFT, top - 6, name, 'font-size="13" font-weight="600"'));
  return parts;
}
type Scale = (value: number) => number;
const place = (value: number): string => value.toFixed(1);
function band({ mean, half }: Band, from: number, x: Scale, y: Scale, colour: string): string {
  if (mean.length === 0) return '';
  const edge = (sign: number): string[] =>
    Array.from(mean, (v, i) => `${place(x(from + i))},${place(y(v + sign * half[i]!))}`);
  return `<polygon points="${[...edge(1), ...edge(-1).reverse()].join(' ')}" fill="${colour}" fill-opacity="0.16"/>`;
}
function line(mean: ArrayLike<number>, from: number, x: Scale, y: Scale, colour: string): string {
  if (mean.length === 0) return '';
  const points = Array.from(mean, (v, i) => `${place(x(from + i))},${place(y(v))}`);
  return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
}
const dots = (values: ArrayLike<number>, from: number, x: Scale, y: Scale, colour: string, r: number): string =>
  Array.from(values, (v, i) =>
    Number.isNaN(v) ? '' : `<circle cx="${place(x(from + i))}" cy="${place(y(v))}" r="${r}" fill="${colour}"/>`,
  ).join('');
/** A faint line from value to value, broken at gaps. */
function trace(values: ArrayLike<number>, from: number, x: Scale, y: Scale, colour: string): string {
  const steps = Array.from(values, (v, i) =>
    Number.isNaN(v)
      ? ''
      : `${Number.isNaN(values[i - 1] ?? Number.NaN) ? 'M' : 'L'}${place(x(from + i))},${place(y(v))}`,
  );
  const path = steps.join('');
  return path && `<path d="${path}" fill="none" stroke="${colour}" stroke-opacity="0.25" stroke-width="1"/>`;
}
function legend(y: number, panels: readonly Panel[]): string[] {
  const has = (found: (panel: Panel) => boolean): boolean => panels.some(found);
  const entries: [string, string][] = [
    ['observed', colours.observed],
    ['smoothed, with its band', colours.smoothed],
  ];
  if (has(({ forecast }) => forecast.mean.length > 0)) entries.push(['forecast, with its band', colours.forecast]);
  if (has(({ later }) => later !== undefined)) entries.push(['held out', colours.later]);
  let at = LEFT;
  return entries.flatMap(([words, colour]) => {
    const own = at;
    at += 18 + CHARACTER * words.length + 24;
    return [
      `<rect x="${own}" y="${y - 10}" width="12" height="12" rx="2" fill="${colour}"/>`,
      text(own + 18, y, words, 'font-size="13"'),
    ];
  });
}

// ---- scales ----
const finite = (values: ArrayLike<number>): number[] => Array.from(values).filter(Number.isFinite);
const edges = ({ mean, half }: Band): number[] => Array.from(mean, (v, i) => [v - half[i]!, v + half[i]!]).flat();
function widen(low: number, high: number): [number, number] {
  if (!(high >= low)) return [0, 1]; // nothing to draw
  const room = (high - low) * 0.04 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}
/** Round numbers from low to high, about `count` of them. */
function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  const first = Math.ceil(low / unit);
  return Array.from({ length: Math.floor(high / unit) - first + 1 }, (_, i) => (first + i) * unit);
}
const label = (value: number): string => String(Number(value.toPrecision(10)));
const text = (x: number, y: number, words: string, style: string): string =>
  `<text x="${place(x)}" y="${place(y)}" ${style}>${escapeXml(words)}</text>`;
const escapeXml = (words: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no place for them
  words.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '').replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
