/** The one error class of the library, and the codes it carries. */
export type Code = 'INVALID_ARGUMENT' | 'DIMENSION_MISMATCH' | 'NON_FINITE' | 'EMPTY_INPUT' | 'NOT_SYMMETRIC' | 'NOT_POSITIVE_DEFINITE' | 'BACKEND' | 'OUT_OF_MEMORY' | 'DISPOSED' | 'ABORTED' | 'FORMAT' | 'IO' | 'MISSING_PACKAGE' | 'TIMEOUT' | 'DIVERGED';
/** Where it went wrong; which of these are there depends on the code. Indices count from 0. */
export interface Place {
    /** The public name of the argument at fault. */
    readonly argument?: string;
    /** The public name of the matrix (or variance) that is not positive definite, its pivot and the pivot's value. */
    readonly which?: string;
    readonly pivot?: number;
    readonly value?: number;
    readonly row?: number;
    readonly column?: number;
    readonly component?: number;
}
export interface SeqlikError extends Place {
}
export declare class SeqlikError extends Error {
    readonly code: Code;
    name: string;
    constructor(code: Code, message: string, { cause, ...place }?: Place & ErrorOptions);
}
/** A kernel stopped: `at` says where, by the dims of the row's `info`, counted from the start of the call. Models turn
 * it into the code and the words of their domain; nobody else sees one. */
export declare class KernelFailure extends Error {
    readonly kernel: string;
    readonly at: Readonly<Record<string, number>>;
    name: string;
    constructor(kernel: string, at: Readonly<Record<string, number>>);
}
