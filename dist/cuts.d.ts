/**
 * Where a call is cut. A CUT is one kernel call. A SHARD is the unit of parallel work and of summation: its cuts run in
 * order, one after the other. With `sum` arrays shards are counted from the start of the data (8192 rows or 64
 * sequences), so neither threads nor chunks change a bit; without, every cut is a shard of its own.
 */
export interface Cut {
    readonly shard: number;
    /** First row and rows; first sequence and sequences; the longest of these sequences. */
    readonly row: number;
    readonly rows: number;
    readonly item: number;
    readonly items: number;
    readonly longest: number;
}
export declare const SHARD_ROWS = 8192;
export declare const SHARD_SEQUENCES = 64;
export declare const WHOLE: readonly Cut[];
/** Cuts of at most `chunk` rows, none across a shard. */
export declare function cutRows(rows: number, chunk: number, shardRows: number): Cut[];
/** Whole sequences, together at most `chunk` rows unless one alone is longer, none across a shard. */
export declare function cutSequences(lengths: Int32Array, chunk: number, shardSequences: number): Cut[];
export declare const apart: (cuts: readonly Cut[]) => Cut[];
