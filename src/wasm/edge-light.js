// Vercel's edge runtime hands out a compiled module where the import ends in ?module.
import module from './kernels.wasm?module';
export const wasmModule = () => module;
