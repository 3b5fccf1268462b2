/** The rows a run writes, and how they are counted. */
import { levels } from '../src/levels.ts';
import type { DType, Workload } from './cases.ts';

export interface Row {
  readonly workload: string;
  readonly variant: string;
  readonly dtype: DType;
  readonly contender: string;
  readonly backend: 'native' | 'wasm' | 'js' | 'python';
  readonly isa: string;
  readonly threads: number;
  readonly nsPerItem: number;
  /** Nominal flops over time; 0 where none are counted. */
  readonly gflops: number;
  /** Percent of `threads` times the limit of level and dtype; null where nothing is counted or no limit is known. */
  readonly percentOfPeak: number | null;
  /** null where there is nothing to verify. */
  readonly maxRelativeError: number | null;
}
export type Who = Pick<Row, 'contender' | 'backend' | 'isa' | 'threads'>;

/** Makes the row of a case on a contender: `seconds` per call. `limits`: rows of workload `limit` in the same run. */
export function rowOf(given: Workload, who: Who, seconds: number, error: number | null, limits: readonly Row[]): Row {
  const { workload, variant, dtype, items, flops, nominal } = given;
  const { contender, backend, isa, threads } = who;
  const nsPerItem = (seconds * 1e9) / items;
  const gflops = flops / nsPerItem;
  const peak = peakOf(limits, isa, dtype);
  const percentOfPeak = flops > 0 && !nominal && peak !== undefined ? (100 * gflops) / (threads * peak) : null;
  const title = { workload, variant, dtype, contender, backend, isa, threads };
  return { ...title, nsPerItem, gflops, percentOfPeak, maxRelativeError: error };
}

export const FUSED = 'fma';
export const UNFUSED = 'mul+add';
/** Returns the gigaflops limit of one thread, for product-sums as the level rounds them. */
export function peakOf(limits: readonly Row[], isa: string, dtype: DType): number | undefined {
  const variant = levels.some(({ name, fused }) => name === isa && fused) ? FUSED : UNFUSED;
  return limits.find((row) => row.isa === isa && row.dtype === dtype && row.variant === variant)?.gflops;
}
