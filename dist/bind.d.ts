/** Dresses a machine as the contract's kernels: plans calls, copies for asynchronous ones, turns INFO into errors. */
import type { Table } from './contract.ts';
import type { Contract } from './grammar.ts';
import { type Call } from './plan.ts';
import { type Owner } from './resident.ts';
/** INFO of a call that was cancelled. */
export declare const CANCELLED = -1;
/** What a backend has to be able to do. */
export interface Machine extends Owner {
    readonly name: 'native' | 'wasm';
    /** The level it runs at, and all that are here, best first. */
    readonly isa: string;
    readonly levels: readonly string[];
    /** Threads of a call that does not say. */
    readonly threads: number;
    /** Whether it still works: a wasm machine that trapped does not. */
    readonly usable: boolean;
    /** Returns INFO of the whole call: 0, or 1 + the index of the first failure. */
    run(call: Call): number;
    runAsync(call: Call): Promise<number>;
    /** Ready to be run many times: the arrays of this call are its own and stay where they are. */
    prepare(call: Call): {
        run(): number;
        dispose(): void;
    };
}
/** Where models run. The first four fields are for everyone, the kernels for the models. */
export interface Backend<C extends Contract = Table> {
    readonly name: 'native' | 'wasm';
    /** The level in use: 'avx512', 'avx2', 'neon', 'avx512-unfused', 'avx2-unfused', 'baseline'; of wasm 'simd128'. */
    readonly isa: string;
    /** Threads a large synchronous call may use. */
    readonly threads: number;
    /** The levels of this backend on this machine, best first. */
    readonly levels: readonly string[];
}
/** Whether it was made here, and not by a caller. */
export declare const isBackend: (value: unknown) => boolean;
export declare function bind<C extends Contract>(machine: Machine, table: C): Backend<C>;
