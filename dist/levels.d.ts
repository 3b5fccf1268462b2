/**
 * The levels the kernels are compiled for, best first: the one list. CMake, the addon and the backends read it (rendered
 * into native/levels.cmake and native/contract.h by `npm run contract`). Fused levels round a product-sum once and agree
 * with each other to the bit; all others round twice and agree with wasm to the bit.
 */
export interface Level {
    readonly name: string;
    readonly arch: 'x64' | 'arm64' | 'any';
    readonly fused: boolean;
    /** Compiler flags, and the features the CPU must have. */
    readonly flags: readonly string[];
    readonly needs: readonly string[];
}
export declare const levels: readonly Level[];
/** A level as C++ can name it. */
export declare const identifier: (name: string) => string;
