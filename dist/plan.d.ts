/** From a caller's dims and arrays to a Call: memory is guarded here, once; kernels check nothing. */
import { type Cut } from './cuts.ts';
import type { Axis, DType, Entry, How, Role, Values } from './grammar.ts';
import { type Owner } from './resident.ts';
/** All a machine needs to know of a call. */
export interface Call {
    readonly kernel: string;
    /** Dims and options, in order, and where among them a cut writes its rows, sequences, longest (-1: nowhere). */
    readonly ints: readonly number[];
    readonly places: readonly [rows: number, items: number, longest: number];
    readonly args: readonly Argument[];
    readonly cuts: readonly Cut[];
    /** What INFO grows by from one row to the next. */
    readonly infoStep: number;
    readonly threads: number;
    /** Set [0] to 1 to stop between two cuts. */
    readonly cancel: Int32Array;
}
export interface Argument {
    readonly role: Role;
    readonly axis: Axis;
    /** Bytes from one row or sequence to the next, and of the largest cut. */
    readonly step: number;
    readonly bytes: number;
    /** The caller's array, the handle of a resident, null for scratch. */
    readonly value: Values | number | null;
}
export type Given = Readonly<Record<string, unknown>>;
/** A function that plans the calls of one kernel on one machine. */
export declare function planner({ noun, name, row }: Entry, dtype: DType, owner: Owner & {
    readonly threads: number;
}): (dims: Given, args: Given, how: How) => Call;
