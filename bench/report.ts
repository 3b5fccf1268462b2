/** Renders rows as Markdown, the error beside the speed. */
import type { Row } from './rows.ts';

/** Renders a run. `title`: a line on machine and effort. `missing`: absent contenders, each with the reason. */
export function report(rows: readonly Row[], title: string, missing: readonly string[]): string {
  const cases = rows.filter(({ workload }) => workload !== 'limit');
  const limits = rows.filter(({ workload }) => workload === 'limit');
  const parts = [
    `# seqlik bench\n\n${title}\n`,
    cases.length > 0 && table([HEAD, ...cases.map((row) => cells(row, rows))], 5),
    limits.length > 0 &&
      `Limits of one thread: GF/s of product-sums, GB/s of reading\n\n${table(limitCells(limits), 2)}`,
    missing.length > 0 && missing.map((what) => `missing: ${what}\n`).join(''),
  ];
  return parts.filter(Boolean).join('\n');
}

const HEAD = [
  ...['workload', 'variant', 'dtype', 'contender', 'isa', 'threads'],
  ...['ns/item', 'GF/s', '% of peak', 'x plain-js', 'max relative error'],
];
function cells(row: Row, rows: readonly Row[]): string[] {
  const { workload, variant, dtype, contender, isa, threads, nsPerItem, gflops, percentOfPeak, maxRelativeError } = row;
  const times = timesPlain(row, rows);
  return [
    ...[workload, variant, dtype, contender, isa, `${threads}`, short(nsPerItem)],
    gflops > 0 ? short(gflops) : '',
    percentOfPeak === null ? '' : percentOfPeak.toFixed(0),
    times === undefined ? '' : short(times),
    maxRelativeError === null ? '' : maxRelativeError.toExponential(1),
  ];
}
/** Returns how many times faster a row is than plain-js in the same workload, variant and dtype. */
export function timesPlain({ workload, variant, dtype, nsPerItem }: Row, rows: readonly Row[]): number | undefined {
  const plain = rows.find(
    (row) =>
      row.contender === 'plain-js' && row.workload === workload && row.variant === variant && row.dtype === dtype,
  );
  return plain && plain.nsPerItem / nsPerItem;
}
const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Lays out the limits: a line per level, a column per limit. */
function limitCells(limits: readonly Row[]): string[][] {
  const counts = ({ gflops }: Row): boolean => gflops > 0;
  const column = (row: Row): string => (counts(row) ? `${row.dtype} GF/s` : `${row.variant} GB/s`);
  const columns = [...new Set(limits.map(column))];
  const lines = [...new Set(limits.map(({ isa }) => isa))].map((isa) => {
    const own = limits.filter((row) => row.isa === isa);
    const values = columns.map((name) => own.find((row) => column(row) === name));
    const variant = own.find(counts)?.variant ?? '';
    return [isa, variant, ...values.map((row) => (row ? short(1 / row.nsPerItem) : ''))];
  });
  return [['isa', 'product-sum', ...columns], ...lines];
}

/** Renders a table. The first row is the head; the first `left` columns are flush left. */
function table(rows: readonly (readonly string[])[], left: number): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => {
    const padded = row.map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
    return `| ${padded.join(' | ')} |\n`;
  };
  const rule = widths.map((width, i) => (i < left ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [rows[0]!, rule, ...rows.slice(1)].map(line).join('');
}
