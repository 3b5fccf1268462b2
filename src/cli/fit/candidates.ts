/** The choice among numbers of components: by BIC, or by the likelihood of rows that are held out. */
import { type FitReport, SeqlikError } from '../../index.ts';
import { alignColumns, formatNumber } from '../align.ts';
import { criteria, type RowModel } from '../rows.ts';
import type { Range } from './kind.ts';

/** A fit that was compared; without results if its components collapsed. */
export interface Candidate {
  readonly components: number;
  readonly parameters?: number;
  /** That of the rows it was fitted to. */
  readonly logLikelihood?: number;
  readonly bic?: number;
  /** The log-likelihood of the rows held out, per unit of their weight. */
  readonly heldOut?: number;
  readonly converged?: boolean;
}
export interface Fitted<M extends RowModel> {
  readonly model: M;
  readonly report: FitReport;
}
export interface Chosen<M extends RowModel> extends Fitted<M> {
  readonly candidates: readonly Candidate[];
}
type Run<M extends RowModel> = (settings: { readonly components: number }) => Promise<Fitted<M>>;

/** The fit of the least BIC over `observed` rows. Those whose components collapse are left out. */
export async function chooseByBic<M extends RowModel>(range: Range, run: Run<M>, observed: number): Promise<Chosen<M>> {
  let best: (Fitted<M> & { bic: number }) | undefined;
  const candidates = await compare(range, async (components) => {
    const fitted = await run({ components });
    const { logLikelihood, converged } = fitted.report;
    const { bic, parameters } = criteria(fitted.model, logLikelihood, observed);
    if (!best || bic < best.bic) best = { ...fitted, bic };
    return { components, parameters, logLikelihood, bic, converged };
  });
  return { ...best!, candidates };
}
/** The fit to all rows, by `run`, with the number of components under which the rows that `runPart` lacks are most likely. */
export async function chooseByHeldOut<M extends RowModel>(
  range: Range,
  run: Run<M>,
  runPart: Run<M>,
  score: (model: M) => number,
): Promise<Chosen<M>> {
  let best: { components: number; heldOut: number } | undefined;
  const candidates = await compare(range, async (components) => {
    const { model, report } = await runPart({ components });
    const { logLikelihood, converged } = report;
    const heldOut = score(model);
    if (!best || heldOut > best.heldOut) best = { components, heldOut };
    return { components, parameters: model.parameterCount, logLikelihood, heldOut, converged };
  });
  return { ...(await run({ components: best!.components })), candidates };
}
async function compare(range: Range, tryFit: (components: number) => Promise<Candidate>): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (let components = range.from; components <= range.to; components++)
    try {
      candidates.push(await tryFit(components));
    } catch (error) {
      const some = candidates.some(({ logLikelihood }) => logLikelihood !== undefined);
      if (!some || !(error instanceof SeqlikError) || error.component === undefined) throw error;
      candidates.push({ components });
    }
  return candidates;
}

/** Divides n rows: a fraction of them, drawn with the seed, is held out. At least one row is on either side. */
export function holdOut(n: number, fraction: number, seed: number): { kept: Int32Array; heldOut: Int32Array } {
  const order = Array.from({ length: n }, (_, row) => ({ row, key: hash(seed, row) }));
  order.sort((a, b) => a.key - b.key || a.row - b.row);
  const rows = Int32Array.from(order, ({ row }) => row);
  const count = Math.min(Math.max(Math.round(fraction * n), 1), n - 1);
  return { heldOut: rows.slice(0, count).sort(), kept: rows.slice(count).sort() };
}
/** The finalizer of MurmurHash3 over a row and a seed. */
function hash(seed: number, row: number): number {
  let h = (seed ^ Math.imul(row + 1, 0x9e3779b1)) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A line per candidate, the chosen one marked. */
export function tableOf(candidates: readonly Candidate[]): string[] {
  const heldOut = candidates.some((candidate) => candidate.heldOut !== undefined);
  const costOf = ({ heldOut: value, bic }: Candidate): number | undefined =>
    heldOut ? (value === undefined ? undefined : -value) : bic;
  const least = Math.min(...candidates.flatMap((candidate) => costOf(candidate) ?? []));
  const best = candidates.find((candidate) => costOf(candidate) === least);
  const text = (value: number | undefined): string => (value === undefined ? 'collapsed' : formatNumber(value));
  return alignColumns([
    ['components', 'parameters', 'log-likelihood', heldOut ? 'held out, per row' : 'BIC', ''],
    ...candidates.map((candidate) => [
      `${candidate.components}`,
      `${candidate.parameters ?? ''}`,
      text(candidate.logLikelihood),
      text(heldOut ? candidate.heldOut : candidate.bic),
      candidate === best ? 'best' : candidate.converged === false ? 'not converged' : '',
    ]),
  ]);
}
