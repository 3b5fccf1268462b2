import type { Backend } from '../bind.ts';
export interface BackendOptions {
    /** Default: native if its binary is there and loads, else wasm. */
    readonly name?: 'native' | 'wasm';
    /** Force a level, see `Backend.levels`; one that is absent is refused. */
    readonly isa?: string;
    /** The widest level that rounds like wasm: the same bits on every machine, at a few percent of speed. */
    readonly reproducible?: boolean;
    /** Threads of a large synchronous call; default: all cores. Results do not depend on it. wasm has one. */
    readonly threads?: number;
    /** A compiled module of 'seqlik/kernels.wasm', for runtimes that must bring their own. */
    readonly module?: WebAssembly.Module;
}
/** Throws SeqlikError BACKEND (with what was tried and what to run) or INVALID_ARGUMENT. */
export declare function openBackend(options?: BackendOptions): Backend;
/**
 * The backend of models that name none, opened on first use. The environment variables SEQLIK_BACKEND, SEQLIK_ISA and
 * SEQLIK_THREADS override the choice. Throws BACKEND.
 */
export declare function defaultBackend(): Backend;
