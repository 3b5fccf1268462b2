/** Returns the compiled WebAssembly module in the way the runtime allows (package.json, imports, #wasm). */
export function wasmModule(): WebAssembly.Module;
