/**
 * What a row of the contract may say, the types inferred from it, and its reading at run time.
 *
 *   spec    role [type] factor...        row-major and contiguous, the first factor is the slowest
 *   role    in | out | inout | tmp (scratch) | sum (f64, ADDED over rows to what the caller's array holds)
 *   type    f64 | i32 | u8; none: the dtype of the call
 *   factor  a dim | a number | tri(d) = d(d+1)/2 | pad(d) = d rounded up to whole 64-byte lines of the dtype
 */
export declare const roles: readonly ["in", "out", "inout", "tmp", "sum"];
export type Role = (typeof roles)[number];
export type DType = 'f64' | 'f32';
export type Type = DType | 'i32' | 'u8';
export interface Row {
    /** Becomes the doc comment in every language. */
    readonly formula: string;
    /** int32, in order; the kernel receives them first, then the options, then the arrays. */
    readonly dims: readonly string[];
    /** name -> words; the caller says the word, the kernel receives its index. */
    readonly options?: Readonly<Record<string, readonly string[]>>;
    readonly args: Readonly<Record<string, `${Role} ${string}`>>;
    /** The dim of independent rows, first factor of every array it cuts. */
    readonly rows?: string;
    /** Ragged: the `in i32 s` array of sequence lengths. bind cuts between sequences and derives rows, s and longest. */
    readonly lengths?: string;
    /** Ragged: the dim that receives the longest sequence of the cut. */
    readonly longest?: string;
    /** Factors whose product is about the multiply-adds of a call: what threads and cuts are chosen by. */
    readonly work?: string;
    /** A kernel returns 1 + the mixed-radix index over these dims of its first failure, or 0. `rows` comes first. */
    readonly info?: readonly string[];
    readonly rtol: Readonly<Record<DType, number>>;
}
export type Rows = Readonly<Record<string, Row>>;
export type Contract = Readonly<Record<string, Rows>>;
export interface Arrays {
    f64: Float64Array;
    f32: Float32Array;
    i32: Int32Array;
    u8: Uint8Array;
}
export type Values = Arrays[Type];
/** A copy kept where the kernels live. Kernels read residents and never write them. */
export interface Resident<A extends Values = Values> {
    readonly length: number;
    write(values: A): void;
    dispose(): void;
}
type TypeOf<S, D extends DType> = S extends `sum ${string}` ? 'f64' : S extends `${Role} ${infer T} ${string}` ? T extends 'f64' | 'i32' | 'u8' ? T : D : D;
/** A row of which every array has its type written is the same for every dtype: it exists as f64 only. */
type Typed = `sum ${string}` | `${Role} ${'f64' | 'i32' | 'u8'} ${string}`;
type DTypes<R extends Row> = [Exclude<R['args'][keyof R['args']], Typed>] extends [never] ? 'f64' : DType;
type Held<S, A extends Values> = S extends `in ${string}` ? A | Resident<A> : A;
type Named<R, Field extends 'rows' | 'lengths' | 'longest'> = R[Field & keyof R];
type Args<R extends Row, D extends DType> = {
    readonly [K in keyof R['args'] as R['args'][K] extends `tmp ${string}` ? never : K]: K extends Named<R, 'lengths'> ? Int32Array : Held<R['args'][K], Arrays[TypeOf<R['args'][K], D>]>;
};
/** Dims of a ragged row that bind reads off the lengths. */
type Derived<R extends Row> = R extends {
    readonly lengths: infer L extends string;
} ? R['args'][L] extends `in i32 ${infer S}` ? S | Named<R, 'rows' | 'longest'> : never : never;
type Dims<R extends Row> = {
    readonly [D in Exclude<R['dims'][number], Derived<R>>]: number;
} & {
    readonly [O in keyof R['options']]: R['options'][O] extends readonly (infer W)[] ? W : never;
};
/** How to run a call; none of it but `shardSize` can change a bit, and that only in `sum` arrays. */
export interface How {
    readonly threads?: number;
    readonly chunk?: number;
    readonly shardSize?: number;
}
export interface Kernel<R extends Row, D extends DType> {
    (dims: Dims<R>, args: Args<R, D>, how?: How): void;
    /** Reads and writes copies: the caller's arrays may change meanwhile. */
    async(dims: Dims<R>, args: Args<R, D>, how?: How & {
        readonly signal?: AbortSignal;
    }): Promise<void>;
    /** For small calls made again and again: plans and guards once, over arrays of its own. */
    prepare(dims: Dims<R>, args: Args<R, D>, how?: How): Prepared<Args<R, D>>;
}
/** Write `args`, run, read `args`. Residents may be written between two runs. Never let `args` out. */
export interface Prepared<A> {
    readonly args: A;
    run(): void;
    dispose(): void;
}
export type Kernels<C extends Contract, D extends DType> = {
    readonly [N in keyof C]: {
        readonly [K in keyof C[N] as D extends DTypes<C[N][K]> ? K : never]: Kernel<C[N][K], D>;
    };
};
export type Sizes = Readonly<Record<string, number>>;
/** What of a cut moves an array: nothing, its rows, or its sequences. */
export declare const axes: readonly ["whole", "rows", "sequences"];
export type Axis = (typeof axes)[number];
export declare const bytesOf: Readonly<Record<Type, number>>;
export declare const tags: Readonly<Record<Type, string>>;
export declare class Param {
    readonly name: string;
    readonly dtype: DType;
    readonly role: Role;
    readonly type: Type;
    readonly factors: readonly string[];
    readonly axis: Axis;
    /** Whether the row writes the type, so that the dtype of the call does not matter. */
    readonly typed: boolean;
    constructor(name: string, row: Row, dtype: DType);
    length(sizes: Sizes): number;
    /** Elements from one row (or sequence) to the next. */
    step(sizes: Sizes): number;
}
export declare function product(factors: readonly string[], sizes: Sizes, dtype: DType): number;
export declare const paramsOf: (row: Row, dtype: DType) => Param[];
export declare const dtypesOf: (row: Row) => readonly DType[];
export declare const sequencesOf: (row: Row) => string | undefined;
export interface Entry {
    readonly noun: string;
    readonly name: string;
    readonly row: Row;
}
export declare const entriesOf: (contract: Contract) => Entry[];
/** FNV-1a over all that a binary depends on: names, order, roles and shapes; not the words or the tolerances. */
export declare function hashOf(contract: Contract): number;
export {};
