// Vercel's edge runtime marks a compiled module by a query.
import module from './kernels.wasm?module';
export const wasmModule = () => module;
