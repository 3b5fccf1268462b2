/**
 * seqlik: likelihoods of vectors and sequences. One façade over two machines, C++ and WebAssembly, for any JavaScript
 * runtime. The exports are listed in external.ts; this door adds the module that each runtime can compile.
 */
import { wasmModule } from '#wasm';
import { shipModule } from './backends/default.ts';

export * from './external.ts';

shipModule(wasmModule);
