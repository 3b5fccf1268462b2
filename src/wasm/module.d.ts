/** The compiled WebAssembly module, however the runtime at hand can have it (package.json, imports, #wasm). */
export function wasmModule(): WebAssembly.Module;
