/**
 * The only argument checks: what a caller passes becomes what models work on, or a SeqlikError that names the argument
 * with what was expected and what came. `where` is the public name of the call, `argument` that of the argument.
 */
import { type Backend } from './bind.ts';
import { SeqlikError } from './errors.ts';
export type Real = Float64Array | Float32Array;
export type Vector = Real | readonly number[];
/** Flat row-major, or nested rows; parameters of any rank may be flat. */
export type Matrix = Vector | readonly (readonly number[])[];
export type Tensor = Matrix | readonly (readonly (readonly number[])[])[];
/** n x d; one point is an array of length d. */
export type Points = Matrix;
/** What of the data was not observed: NaN under `missing: 'nan'`, or where `mask` (one byte a value) is 0. */
export interface Gaps {
    readonly missing?: 'nan';
    readonly mask?: Uint8Array;
}
/** A short name of any value, for messages; never calls into it. */
export declare function described(value: unknown): string;
/** One last object; an option it does not know is a typing mistake worth telling. */
export declare function options<const K extends string>(where: string, given: unknown, known: readonly K[]): {
    [P in K]?: unknown;
};
export declare function count(where: string, argument: string, value: unknown, least?: number, most?: number): number;
export declare const seed: (where: string, value: unknown) => number;
export declare function choice<const W extends string>(where: string, argument: string, value: unknown, words: readonly W[]): W;
export declare function backend(where: string, value: unknown, fallback: () => Backend): Backend;
/** The fields of a parameter object. */
export declare function fields(where: string, argument: string, value: unknown): Readonly<Record<string, unknown>>;
/** Nested or flat numbers as a flat copy of `shape`; an undefined size is read off the value (only one, or nested). */
export declare function tensor(where: string, argument: string, value: unknown, shape: readonly (number | undefined)[]): Float64Array;
export declare function finite(where: string, argument: string, values: Real): void;
/** Of k matrices: max |S - Sᵀ| > 1e-9 max |S| is NOT_SYMMETRIC. */
export declare function symmetric(where: string, argument: string, S: Float64Array, k: number, d: number): void;
export interface Rows {
    readonly values: Real;
    readonly n: number;
}
/** Typed arrays are used as they are; numbers are copied into a Float64Array. */
export declare function points(where: string, argument: string, value: unknown, d: number): Rows;
/** The caller's array for `n` results of the dtype of the data, or a new one. */
export declare function out(where: string, value: unknown, x: Real, n: number): Real;
/** One byte a value, 1 = observed; undefined: no gaps were announced. What is observed is finite from here on. */
export declare function gaps(where: string, argument: string, { values, n }: Rows, missing: unknown, mask: unknown): Uint8Array | undefined;
/** What is wrong with a row that has no density: a value that is not finite, or a distance that overflows. `place` is
 * its row in the caller's data, if that is another. */
export declare function nonFinite(where: string, argument: string, values: Real, row: number, d: number, place?: number): SeqlikError;
