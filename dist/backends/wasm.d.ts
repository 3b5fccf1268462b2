/** The WebAssembly machine: parameters live in linear memory, data streams through a staging block, cut by cut. */
import { type Backend } from '../bind.ts';
import { type Contract } from '../grammar.ts';
/** Takes a compiled module, never bytes: an edge runtime hands out modules and forbids compiling. Throws BACKEND. */
export declare function openWasm<C extends Contract>(table: C, module: WebAssembly.Module): Backend<C>;
